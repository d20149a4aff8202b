"""The dose-window rule, on the history that defeated a rule which only looks back.

A second rule, minute by minute and by addition alone, stands beside it here; the
brute-force oracle on a million histories is in `tests/oracles`.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy.course import Course, Piece, course_of
from pumpctl.therapy.curve import HOUR_MS, WEEK_MS
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.program import Mode, Program, continuous, make_program
from pumpctl.therapy.windows import Over, over_limit, windows_ahead, windows_worse
from tests.therapy.samples import flex

MONDAY = Moment.parse("2026-11-16T00:00:00Z").utc_ms
NOW = MONDAY + 5 * MINUTE_MS
HOUR = Duration.parse("1 h")
NOTHING = Course(())


def even(rate: str) -> Program:
    return make_program(
        Mode.CONTINUOUS,
        "baclofen",
        Concentration(500),
        low_alarm=Volume.parse("2 mL"),
        fallback=Rate.parse("60 mcg/day"),
        days=continuous(Rate.parse(rate)),
    )


def told(over: Over) -> tuple[int, Fraction | int]:
    """Where it begins, and what it holds."""
    return over.start, over.mass


PROGRAM = even("1440 mcg/day")
"""Basal 1 mcg/min."""
PAST = Course([Piece(NOW - 5 * MINUTE_MS, NOW, 5_000)])
"""Started five minutes ago."""
BOLUS = Course([Piece(NOW, NOW + MINUTE_MS, 10_000)])


@pytest.mark.requirement("LIM-05")
def test_a_bolus_that_would_overfill_a_later_window_is_seen() -> None:
    looking_back = PAST.between(NOW - HOUR_MS, NOW) + 10_000
    assert looking_back <= 65_000  # a rule of the past alone lets it through
    (over,) = windows_ahead(PAST, PROGRAM, NOW, [(HOUR, Mass(65_000))], BOLUS)
    assert over.mass == 70_000
    assert over.start <= NOW


@pytest.mark.requirement("LIM-05")
def test_what_fits_passes_and_a_window_of_before_is_not_judged() -> None:
    assert windows_ahead(PAST, PROGRAM, NOW, [(HOUR, Mass(70_000))], BOLUS) == ()
    assert windows_ahead(PAST, PROGRAM, NOW, [(HOUR, Mass(60_000))]) == ()
    heavy = Course([Piece(NOW - 2 * HOUR_MS, NOW - HOUR_MS, 500_000)])
    assert windows_ahead(heavy, None, NOW, [(HOUR, Mass(65_000))]) == ()
    (over,) = windows_ahead(heavy, PROGRAM, NOW + 1 - HOUR_MS, [(HOUR, Mass(65_000))])
    assert over.mass > 499_000


@pytest.mark.requirement("LIM-05")
def test_the_first_window_that_is_judged_ends_one_millisecond_from_now() -> None:
    past = Course([Piece(NOW - HOUR_MS, NOW, 3_600_000)])  # 1 ng per ms, and nothing after it
    (over,) = windows_ahead(past, None, NOW, [(HOUR, Mass(3_599_998))])
    assert told(over) == (NOW - HOUR_MS + 1, 3_599_999)
    assert windows_ahead(past, None, NOW, [(HOUR, Mass(3_599_999))]) == ()


@pytest.mark.requirement("LIM-05")
def test_the_rest_of_a_running_bolus_counts() -> None:
    running = Course([Piece(NOW - HOUR_MS, NOW + 2 * HOUR_MS, 300_000)])
    (over,) = windows_ahead(running, PROGRAM, NOW, [(HOUR, Mass(159_999))])
    assert told(over) == (NOW, 160_000)
    assert windows_ahead(running, PROGRAM, NOW, [(HOUR, Mass(160_000))]) == ()


@pytest.mark.requirement("LIM-05")
def test_a_bolus_ordered_for_later_is_followed_to_its_end() -> None:
    later = Course([Piece(NOW + 3 * DAY_MS, NOW + 3 * DAY_MS + HOUR_MS, 50_000)])
    (over,) = windows_ahead(PAST, PROGRAM, NOW, [(HOUR, Mass(109_999))], later)
    assert told(over) == (NOW + 3 * DAY_MS, 110_000)


@pytest.mark.requirement("LIM-05")
def test_a_scheduled_bolus_that_would_run_now_counts_from_the_next_week_on() -> None:
    # Sunday noon for 24 h, 10 mcg an hour; on Monday the sixth hour has 60 mcg of its own. The
    # program starts at Monday 00:00, so the first Monday has no bolus, but every later one has.
    monday = [(0, "4"), (360, "60"), (420, "4")]
    program = flex([monday, *[[(0, "4")]] * 6], [(6, 720, "240 mcg", "24 h")])
    (over,) = windows_ahead(NOTHING, program, MONDAY, [(HOUR, Mass(69_999))])
    assert over.mass == 70_000
    assert over.start == MONDAY + WEEK_MS + 6 * HOUR_MS
    assert windows_ahead(NOTHING, program, MONDAY, [(HOUR, Mass(70_000))]) == ()


@pytest.mark.requirement("LIM-05")
def test_a_bolus_of_the_very_start_counts_and_the_first_of_the_worst_is_told() -> None:
    boluses = [(day, 420, "50 mcg", "10 min") for day in range(7)]
    program = flex([[(0, "10")]] * 7, boluses)
    seven = MONDAY + 2 * DAY_MS + 7 * HOUR_MS
    (over,) = windows_ahead(NOTHING, program, seven, [(HOUR, Mass(1))])
    assert told(over) == (seven, 60_000)
    (over,) = windows_ahead(NOTHING, program, seven + 1, [(HOUR, Mass(59_999))])
    assert over.start == seven + DAY_MS - 50 * MINUTE_MS, "its end is that of tomorrow's bolus"


@pytest.mark.requirement("LIM-05")
def test_windows_longer_than_a_week() -> None:
    program = flex([[(0, "10")], *[[(0, "20")]] * 6])
    length = Duration.parse("9 d")
    (over,) = windows_ahead(NOTHING, program, NOW, [(length, Mass(1))])
    assert over.mass == (7 * 24 * 20 - 240 + 2 * 24 * 20) * 1_000
    assert over.start == MONDAY + DAY_MS


def test_a_bolus_of_no_duration_is_anothers_finding() -> None:
    instant = flex([[(0, "10")]], [(0, 60, "50 mcg", "0 s")])
    assert windows_ahead(NOTHING, instant, NOW, [(HOUR, Mass(10_000))]) == ()


def test_over_limit_judges_the_starts_that_are_asked_for() -> None:
    course = Course([Piece(0, 10, 100)])
    ten = Duration(10)
    assert over_limit(course, [(ten, Mass(99)), (ten, Mass(100))], -10, 10) == (
        Over(ten, 0, Fraction(100), Mass(99)),
    )
    assert over_limit(course, [(ten, Mass(50))], 5, 10) == ()


# --- what a change makes worse ----------------------------------------------------------


def worse(past: Course, new: Program, old: Program | None, limit: int) -> tuple[Over, ...]:
    return windows_worse(past, new, old, NOW, [(HOUR, Mass(limit))])


LATELY = Course([Piece(NOW - 20 * MINUTE_MS, NOW - 10 * MINUTE_MS, 100_000)])


@pytest.mark.requirement("LIM-05")
def test_what_was_given_lately_and_a_larger_rate_are_too_much_together() -> None:
    twice = even("2880 mcg/day")
    (over,) = worse(LATELY, twice, PROGRAM, 150_000)
    assert over.mass == 180_000 and over.start == NOW - 20 * MINUTE_MS, "100 and 40 min of 2 mcg"
    assert worse(LATELY, twice, PROGRAM, 180_000) == ()
    assert worse(LATELY, PROGRAM, None, 139_999) != (), "going on after a stop is a change"


@pytest.mark.requirement("LIM-05")
def test_a_window_that_the_change_does_not_make_worse_is_not_held_against_it() -> None:
    assert worse(LATELY, PROGRAM, PROGRAM, 1) == ()
    assert worse(LATELY, even("720 mcg/day"), PROGRAM, 1) == ()
    assert worse(LATELY, PROGRAM, even("2880 mcg/day"), 1) == ()


@pytest.mark.requirement("LIM-05")
def test_only_the_windows_that_are_worse_are_judged() -> None:
    # half as much as before until 00:30, four times as much from there on
    after = flex([[(0, "30"), (30, "240")]] * 7)
    (over,) = worse(LATELY, after, PROGRAM, 172_499)
    assert told(over) == (NOW - 20 * MINUTE_MS, 172_500), "100, 12.5 and 60"
    assert worse(LATELY, after, PROGRAM, 172_500) == ()
    early = Course([Piece(NOW - 55 * MINUTE_MS, NOW - 45 * MINUTE_MS, 500_000)])
    assert worse(early, after, PROGRAM, 172_500) == (), "what holds the 500 mcg holds less"


@pytest.mark.requirement("LIM-05")
def test_the_instant_from_which_it_is_worse_is_found_between_the_breaks() -> None:
    # 3 mcg/min until now; then 1, or nothing for 10 min and 2 after that: more from 20 min on,
    # where both windows hold 140 mcg, and those that begin later hold less
    before = Course([Piece(NOW - HOUR_MS, NOW, 180_000)])
    after = flex([[(0, "0"), (15, "120")]] * 7)
    (over,) = worse(before, after, PROGRAM, 139_999)
    assert told(over) == (NOW - 40 * MINUTE_MS, 140_000)
    assert worse(before, after, PROGRAM, 140_000) == ()
    # the other way round it is worse until then, most of all in the first that has not ended
    (over,) = worse(before, PROGRAM, after, 139_999)
    assert over.start == NOW - HOUR_MS + 1 and 179_999 < over.mass < 180_000


# --- beside a rule that only adds -------------------------------------------------------

SCALE = 1_440
"""Each minute's mass in 1/1440 ng is whole: of every rate, and of every duration below."""
LONG = (1, 10, 45, 180, 1_440)
STEPS = st.dictionaries(st.integers(1, 1_439), st.integers(0, 60), max_size=3).map(
    lambda steps: [(0, 7), *sorted(steps.items())]
)
BOLUSES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 1_439), st.integers(1, 90), st.sampled_from(LONG)),
    max_size=4,
)
GIVEN = st.lists(
    st.tuples(st.integers(-1_500, -1), st.sampled_from(LONG), st.integers(0, 90_000)), max_size=4
)


@pytest.mark.requirement("LIM-05")
@settings(max_examples=60, deadline=None)
@given(
    days=st.lists(STEPS, min_size=7, max_size=7),
    boluses=BOLUSES,
    pieces=GIVEN,
    start=st.integers(0, 10_079),
    hours=st.sampled_from([1, 4, 24]),
    shift=st.integers(-3, 3),
)
def test_it_agrees_with_the_sums_of_every_minute(
    days: list[list[tuple[int, int]]],
    boluses: list[tuple[int, int, int, int]],
    pieces: list[tuple[int, int, int]],
    start: int,
    hours: int,
    shift: int,
) -> None:
    now, window = MONDAY + start * MINUTE_MS, hours * 60
    # what each minute gives, from a day before the first window until two weeks and a bit
    origin, count = start - 4_320, 4_320 + 3 * 10_080
    given_in = [0] * (count + 2_880)
    for minute in range(start, origin + count):
        day, at = divmod(minute % 10_080, 1_440)
        given_in[minute - origin] += [rate for begins, rate in days[day] if begins <= at][
            -1
        ] * 24_000
        for when, time, dose, over in boluses:
            if (when, time) == (day, at):
                for each in range(minute - origin, minute - origin + over):
                    given_in[each] += dose * 1_000 * (SCALE // over)
    for begins, long, amount in pieces:
        for each in range(start + begins - origin, start + begins + long - origin):
            given_in[each] += amount * (SCALE // long)
    upto = [0, *accumulate(given_in)]
    here = 4_320 - window
    first = upto[4_320] - upto[here] + Fraction(given_in[4_320] - given_in[here], MINUTE_MS)
    ends = 4_320 + 2 * 10_080 + 1_440
    later = max(upto[at + window] - upto[at] for at in range(here + 1, ends))
    largest = max(first, Fraction(later)) / SCALE

    program = flex(
        [[(at, str(rate)) for at, rate in day] for day in days],
        [(day, at, f"{dose} mcg", f"{over} min") for day, at, dose, over in boluses],
    )
    past = Course(
        Piece(now + begins * MINUTE_MS, now + (begins + long) * MINUTE_MS, amount)
        for begins, long, amount in pieces
    )
    length, limit = Duration(window * MINUTE_MS), Mass(max(0, int(largest) + shift))
    found = windows_ahead(past, program, now, [(length, limit)])
    assert [worst.mass for worst in found] == [largest] * (largest > limit.quanta)
    for worst in found:
        until = worst.start + window * MINUTE_MS
        assert (past + course_of(program, now, until)).between(worst.start, until) == largest
