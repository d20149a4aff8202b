"""The fullest window of a week, and the most that a patient's own doses can put into one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.quantities import Duration, Mass
from pumpctl.therapy.curve import HOUR_MS, WEEK_MS, Curve
from pumpctl.therapy.figures import Figures, daily_doses, patient_doses_24h, patient_doses_within
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS
from pumpctl.therapy.program import PatientDose, Program
from tests.therapy.samples import FLEX, even, flex, minimum, profile

# --- the fullest window of the schedule ---------------------------------------------------


def test_the_fullest_window_and_where_it_starts() -> None:
    peak: Callable[..., tuple[Fraction | int, int]] = Curve(profile(FLEX).program).peak
    mass, at = peak(HOUR_MS)
    assert mass == 46_000  # 26 mcg/h and a bolus of 20 mcg, from 06:10 until 07:10
    assert at == 6 * HOUR_MS + 10 * MINUTE_MS
    last = at + 50 * MINUTE_MS
    assert peak(HOUR_MS, last) == (46_000, last)
    assert peak(HOUR_MS, last + 1) == (46_000, DAY_MS + at), "not before `since`"
    assert peak(HOUR_MS, 5 * DAY_MS) == (46_000, WEEK_MS + at)


def test_a_constant_rate_is_fullest_at_once() -> None:
    for window in (1, HOUR_MS, DAY_MS, WEEK_MS, 2 * WEEK_MS + 1):
        assert Curve(even("240 mcg/day")).peak(window, 77) == (Fraction(window, 360), 77)


STEPS = st.dictionaries(st.integers(1, 1_439), st.integers(1, 60), max_size=3).map(
    lambda steps: [(0, "7"), *((at, str(rate)) for at, rate in sorted(steps.items()))]
)
BOLUSES = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.integers(0, 1_439),
        st.integers(1, 90).map("{} mcg".format),
        st.sampled_from(["7 s", "1 min", "37 min", "24 h", "9 d"]),
    ),
    max_size=4,
)


@settings(deadline=None)
@given(
    days=st.lists(STEPS, min_size=7, max_size=7),
    boluses=BOLUSES,
    window=st.one_of(st.sampled_from([HOUR_MS, DAY_MS, WEEK_MS]), st.integers(1, 3 * WEEK_MS)),
    since=st.integers(-WEEK_MS, 2 * WEEK_MS),
    other=st.integers(0, WEEK_MS - 1),
)
def test_no_window_is_fuller(
    days: list[list[tuple[int, str]]],
    boluses: list[tuple[int, int, str, str]],
    window: int,
    since: int,
    other: int,
) -> None:
    curve = Curve(flex(days, boluses))
    mass, at = curve.peak(window, since)
    assert curve.between(at, at + window) == mass
    assert since <= at < since + WEEK_MS
    assert curve.between(since + other, since + other + window) <= mass
    assert curve.peak(window)[0] == mass
    if window <= WEEK_MS:
        assert curve.largest(window) == mass, "the two ways of finding it agree"


def test_figures_are_computed_once() -> None:
    program = profile(FLEX).program
    figures = Figures(program)
    assert figures.doses == daily_doses(program) and figures.doses is figures.doses
    assert figures.largest_day == 438_000 and figures.smallest_day == 376_000
    assert figures.curve is figures.curve
    assert figures.peak(HOUR_MS) is figures.peak(HOUR_MS)


# --- patient doses ------------------------------------------------------------------------


def own(dose: int, over: int, lockout: int, most: int) -> Program:
    """Minutes; ng."""
    each = PatientDose(Mass(dose), Duration(over * MINUTE_MS), Duration(lockout * MINUTE_MS), most)
    return flex([[(0, "10")]], own=each)


def within(program: Program, minutes: int) -> Fraction:
    return patient_doses_within(program, minutes * MINUTE_MS)


def test_patient_doses_come_no_faster_than_duration_and_lockout() -> None:
    program = own(12_000, 10, 50, 24)
    assert within(program, 10) == 12_000
    assert within(program, 5) == 6_000, "a dose in part"
    assert within(program, 60) == 12_000, "the second starts when the hour is over"
    assert within(program, 61) == 13_200
    assert within(program, 70) == 24_000
    assert within(program, 24 * 60) == 24 * 12_000 == patient_doses_24h(program).quanta


@pytest.mark.requirement("LIM-05")
def test_no_more_than_the_maximum_in_any_24_hours() -> None:
    program = own(10_000, 10, 50, 3)
    assert within(program, 3 * 60) == within(program, 24 * 60) == 30_000
    assert within(program, 24 * 60 + 5) == 35_000, "the next train starts a day after the first"
    assert within(program, 48 * 60) == 60_000
    assert within(program, 49 * 60 + 10) == 80_000


def test_a_long_lockout_leaves_room_for_fewer() -> None:
    program = own(10_000, 5, 12 * 60, 3)  # each start 12 h 5 min after the one before
    assert within(program, 24 * 60) == 20_000 < patient_doses_24h(program).quanta
    assert within(program, 3 * (12 * 60 + 5)) == 30_000
    assert within(program, 4 * (12 * 60 + 5)) == 40_000


def test_doses_without_duration_or_without_any() -> None:
    assert within(own(10_000, 0, 60, 5), 121) == 30_000
    assert within(own(10_000, 0, 60, 5), 120) == 20_000
    assert within(even(), 60) == within(minimum(), 60) == 0


@given(
    over=st.integers(1, 300),
    lockout=st.integers(1, 900),
    most=st.integers(1, 6),
    waits=st.lists(st.integers(0, 400), min_size=1, max_size=20),
    window=st.integers(1, 4_000),
    begins=st.integers(-300, 4_000),
)
def test_no_permitted_train_of_doses_puts_more_into_a_window(
    over: int, lockout: int, most: int, waits: list[int], window: int, begins: int
) -> None:
    starts: list[int] = []
    for wait in waits:  # each as soon as it may, and `wait` minutes later
        after = starts[-1] + over + lockout if starts else 0
        full = starts[-most] + 1_440 if len(starts) >= most else 0
        starts.append(max(after, full) + wait)
    assert all(b - a >= over + lockout for a, b in pairwise(starts))
    inside = sum(max(0, min(s + over, begins + window) - max(s, begins)) for s in starts)
    bound = within(own(1_000, over, lockout, most), window)
    assert Fraction(inside * 1_000, over) <= bound


@given(
    over=st.integers(1, 300),
    lockout=st.integers(1, 900),
    most=st.integers(1, 6),
    window=st.integers(1, 4_000),
)
def test_the_bound_is_reached(over: int, lockout: int, most: int, window: int) -> None:
    starts = [0]
    while starts[-1] < window:
        full = starts[-most] + 1_440 if len(starts) >= most else 0
        starts.append(max(starts[-1] + over + lockout, full))
    inside = sum(max(0, min(s + over, window) - s) for s in starts)
    assert Fraction(inside * 1_000, over) == within(own(1_000, over, lockout, most), window)
