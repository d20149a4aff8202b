"""What setting a clock does to the schedule, against a walk over every minute of both faces."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.therapy.checks import rules
from pumpctl.therapy.checks.clocks import check_clock, clock_check, size_text
from pumpctl.therapy.clock_set import MOST_NAMED, ClockEffect, clock_effect
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery
from tests.therapy.samples import NOW, even, flex, named, pump

MONDAY = Moment.parse("2026-03-23T00:00:00Z")
HOUR = 60 * MINUTE_MS
DAY = 24 * 60


def scheduled(*minutes: int) -> Program:
    """10 mcg/h and 20 mcg over 10 min at these minutes of every day."""
    return flex(
        [[(0, "10")]] * 7,
        [(day, minute, "20 mcg", "10 min") for day in range(7) for minute in minutes],
    )


def set_to(program: Program, old: str, new: str, *lived: tuple[int, int]) -> ClockEffect:
    return clock_effect(program, Moment.parse(old), Moment.parse(new), lived)


# --- by hand ------------------------------------------------------------------------------------


@pytest.mark.requirement("TIM-03")
def test_an_offset_moves_the_face_as_a_shift_does() -> None:
    program = scheduled(150)
    by_offset = set_to(program, "2026-03-29T01:59:00+01:00", "2026-03-29T02:59:00+02:00")
    by_shift = set_to(program, "2026-03-29T01:59:00Z", "2026-03-29T02:59:00Z")
    assert by_offset.shift == by_shift.shift == HOUR
    assert by_offset.late == by_shift.late
    assert by_offset.late is not None
    assert by_offset.late.label == "2026-03-29 02:30"


@pytest.mark.requirement("TIM-03")
def test_the_mass_of_24_hours() -> None:
    # Twice 20 and 240. At 08:00 set to 07:00, where 07:30 had its turn: one of 20 less in the next
    # 24 hours, which end at 07:00 before the next morning's.
    program = scheduled(450, 1_200)
    old, new = "2026-03-24T08:00:00Z", "2026-03-24T07:00:00Z"
    at = Moment.parse(old).label_ms
    effect = set_to(program, old, new, (0, at))
    assert effect.day == (Fraction(280_000), Fraction(260_000))
    assert [due.label for due in effect.silent] == ["2026-03-24 07:30"]


@pytest.mark.requirement("TIM-03")
def test_of_many_years_whole_weeks_are_counted() -> None:
    program = scheduled(*range(0, DAY, 60))
    effect = set_to(program, "2026-03-23T00:30:00Z", "9999-12-31T23:59:59Z")
    days = (Moment.parse("9999-12-31T23:59:59Z").label_ms - MONDAY.label_ms) // DAY_MS
    assert effect.jumped == days * 24 + 23
    assert len(effect.missed) == MOST_NAMED
    assert effect.late is not None


@pytest.mark.requirement("TIM-03")
def test_a_bolus_whose_label_went_by_has_had_its_turn() -> None:
    """06:00 set to 10:00 over 07:00, 08:00 and 09:00, of which 08:00 went by; other days do not
    matter."""
    program = scheduled(420, 480, 540)
    ahead = Moment.parse("2026-03-24T06:00:00Z").label_ms
    eight = (ahead + 2 * HOUR, ahead + 2 * HOUR)
    yesterday, tomorrow = (0, ahead - DAY_MS), (ahead + DAY_MS, ahead + 2 * DAY_MS)
    effect = set_to(
        program, "2026-03-24T06:00:00Z", "2026-03-24T10:00:00Z", tomorrow, eight, yesterday
    )
    assert effect.jumped == 2
    assert [due.label for due in effect.missed] == ["2026-03-24 07:00"]
    assert effect.late is not None and effect.late.label == "2026-03-24 09:00"
    for lived, left in (
        ((ahead - HOUR, ahead + HOUR), 2),  # from before it, 07:00 the last
        ((ahead + HOUR, ahead + DAY_MS), 0),  # from 07:00 on to beyond it
        ((ahead + HOUR + 1, ahead + DAY_MS), 1),
    ):
        over = set_to(program, "2026-03-24T06:00:00Z", "2026-03-24T10:00:00Z", lived)
        assert over.jumped == left


# --- against every minute -----------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    minutes=st.lists(st.integers(0, DAY - 1), max_size=4, unique=True),
    start=st.integers(0, 7 * DAY),
    shift=st.integers(-2 * DAY, 2 * DAY),
    lived=st.lists(st.tuples(st.integers(-3 * DAY, 12 * DAY), st.integers(0, DAY)), max_size=3),
)
@pytest.mark.requirement("TIM-03")
def test_against_a_walk_over_the_minutes(
    minutes: list[int], start: int, shift: int, lived: list[tuple[int, int]]
) -> None:
    program = scheduled(*sorted(minutes))
    origin = MONDAY.label_ms // MINUTE_MS + 14 * DAY
    was, becomes = origin + start, origin + start + shift
    spans = tuple(
        ((origin + first) * MINUTE_MS, (origin + first + long) * MINUTE_MS) for first, long in lived
    )
    old, new = Moment(was * MINUTE_MS), Moment(becomes * MINUTE_MS)
    effect = clock_effect(program, old, new, spans)

    def had(minute: int) -> bool:
        return any(first <= minute * MINUTE_MS <= last for first, last in spans)

    def due(minute: int) -> bool:
        return minute % DAY in minutes  # the epoch's days begin at minute 0

    jumped = [m for m in range(was + 1, becomes + 1) if due(m) and not had(m)]
    assert effect.jumped == len(jumped)
    late = jumped[-1] if jumped and becomes - jumped[-1] <= 120 else None
    assert (None if effect.late is None else effect.late.at // MINUTE_MS) == late
    assert [each.at // MINUTE_MS for each in effect.missed] == [m for m in jumped if m != late]
    first = becomes if shift <= 0 else becomes + 1
    ahead = [m for m in range(first, becomes + DAY + 1) if due(m)]
    assert [each.at // MINUTE_MS for each in effect.silent] == [m for m in ahead if had(m)]
    comes = {m: m - becomes for m in ahead if not had(m)}
    told = {
        each.due.at // MINUTE_MS: each.after // MINUTE_MS
        for each in effect.shifted
        if each.after is not None
    }
    assert told == comes
    given_now = [m for m in comes if comes[m] <= DAY - 10]
    cut = sum(Fraction(DAY - comes[m], 10) * 20_000 for m in comes if comes[m] > DAY - 10)
    exact = 240_000 + 20_000 * (len(given_now) + (late is not None)) + cut
    assert effect.day[1] == exact


# --- the checks -----------------------------------------------------------------------------------


def check(by: int = HOUR, **more: Any) -> tuple[Finding, ...]:
    """Setting a clock that shows 14:07 on a Tuesday."""
    named_here = {
        key: more.pop(key) for key in ("past", "whole", "library", "lived") if key in more
    }
    state = pump(**more)
    effect = (
        None
        if state.program is None or state.delivery is Delivery.FALLBACK
        else clock_effect(
            state.program,
            state.clock,
            state.clock.plus(by),
            named_here.pop("lived", ()),
            2 * DAY_MS,
        )
    )
    named_here.pop("lived", None)
    terms: dict[str, Any] = {"past": Course(()), "whole": True, "now": NOW} | named_here
    return check_clock(by, state, effect, **terms)


def at(minute: int) -> Program:
    return scheduled(minute)


TOLD = NOW.minute
EXPIRED = DEFAULT._replace(site="ward", version=4, expires=NOW.date.plus(-1))
CASES: list[tuple[str, Severity, dict[str, Any], str | None]] = [
    ("CLOCK_SET_FAR", Severity.SOFT, {"by": DAY_MS + 1_000}, "+1 d 1 s"),
    ("CLOCK_SET_FAR", Severity.SOFT, {"by": -DAY_MS - HOUR}, "-1 d 1 h"),
    ("CLOCK_SET_MISSED", Severity.NOTE, {"by": 4 * HOUR, "program": at(TOLD + 30)}, "1"),
    ("CLOCK_SET_LATE", Severity.NOTE, {"by": HOUR, "program": at(TOLD + 30)}, "20 mcg"),
    (
        "CLOCK_SET_SILENT",
        Severity.NOTE,
        {"by": -HOUR, "program": at(TOLD - 30), "lived": ((0, NOW.label_ms),)},
        "1",
    ),
    ("CLOCK_SET_UNSEEN", Severity.NOTE, {"delivery": Delivery.FALLBACK}, "fallback"),
    ("CLOCK_SET_PAST_UNKNOWN", Severity.NOTE, {"past": None}, "unknown"),
    ("CLOCK_SET_PAST_UNKNOWN", Severity.NOTE, {"whole": False}, "unknown"),
    ("LIBRARY_EXPIRED", Severity.SOFT, {"library": EXPIRED}, str(NOW.date.plus(-1))),
    (
        "CLOCK_SET_WINDOW",
        Severity.HARD,
        {
            "by": HOUR,
            "program": flex(
                [[(0, "10")]] * 7, [(day, TOLD + 75, "200 mcg", "10 min") for day in range(7)]
            ),
            "past": Course([Piece(NOW.label_ms - 10 * MINUTE_MS, NOW.label_ms, 200_000)]),
        },
        # 10 min before and 50 min after: 200, 200 and 50/6 = 8.3333, rounded up.
        "408.334 mcg",
    ),
    (
        "CLOCK_SET_WINDOW_SOFT",
        Severity.SOFT,
        {
            "by": HOUR,
            "program": flex(
                [[(0, "10")]] * 7, [(day, TOLD + 75, "80 mcg", "10 min") for day in range(7)]
            ),
            "past": Course([Piece(NOW.label_ms - 10 * MINUTE_MS, NOW.label_ms, 80_000)]),
        },
        "168.334 mcg",
    ),
]


@pytest.mark.requirement("TIM-02")
@pytest.mark.requirement("TIM-03")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[3]}")
def test_the_check_finds_it_and_without_it_nobody_does(
    case: tuple[str, Severity, dict[str, Any], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, severity, terms, value = case
    found = named(check(**terms), name)
    assert [(each.severity, each.value) for each in found] == [(severity, value)]
    monkeypatch.delitem(clock_check.by_id, name)
    assert named(check(**terms), name) == []


def test_an_ordinary_setting_has_nothing_to_say() -> None:
    assert check(program=even()) == ()
    assert check(-HOUR, program=at(TOLD + 90)) == ()
    assert set(clock_check.by_id) <= set(rules())


@pytest.mark.requirement("TIM-03")
def test_a_stopped_pump_gives_nothing_late_and_fills_no_window() -> None:
    terms = CASES[-1][2] | {"delivery": Delivery.STOPPED, "by": 2 * HOUR}
    assert [each.id for each in check(**terms)] == []


def test_what_the_schedule_fills_by_itself_is_not_said_again() -> None:
    crowded = flex(
        [[(0, "10")]] * 7,
        [
            (day, minute, "80 mcg", "10 min")
            for day in range(7)
            for minute in (TOLD + 75, TOLD + 95)
        ],
    )
    assert named(check(HOUR, program=crowded), "CLOCK_SET_WINDOW_SOFT") == []


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "+0 s"), (499, "+0 s"), (-499, "+0 s"), (-500, "-1 s"),
     (3_600_000, "+1 h"), (-3_540_000, "-59 min"),
     (90_061_000, "+1 d 1 h 1 min 1 s")],
)  # fmt: skip
def test_sizes(ms: int, text: str) -> None:
    assert size_text(ms) == text
