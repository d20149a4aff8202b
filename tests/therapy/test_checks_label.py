"""The label's rules on a course: start, first day, one increase a day, steps, pauses (LIM-09).

Times are counts of the pump's counter; every boundary is tried to the millisecond.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.quantities import Duration, Rate
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.checks.registry import pump_check
from pumpctl.therapy.draft import draft_of
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.past import Ordered, Past
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery
from pumpctl.therapy.trial import Start
from tests.therapy.changing import Bad, findings, finds, passes_without
from tests.therapy.checking import change, library
from tests.therapy.samples import (
    CONTINUOUS,
    altered,
    even,
    flex,
    ids,
    minimum,
    named,
    profile,
    pump,
)
from tests.therapy.samples import NOW as CLOCK

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
HOUR = 3_600_000
NOW = pump().counter_ms
FIRST_DAY = 24 * HOUR
WIDE = library(daily_change=change(increase_soft="500 %", reduction_soft="90 %"))
"""A library in which DOSE_INCREASE does not speak."""


def of(dose: str, history: str = "new", origin: str = "spinal", age: str = "adult") -> str:
    """A profile of this daily dose; its fallback is three quarters of it, if the pump can."""
    fallback = str(Rate(max(96_000, Rate.parse(f"{dose} mcg/day").quanta * 3 // 4)))
    return altered(
        CONTINUOUS,
        ('"300 mcg/day"', f'"{fallback}"'),
        ('"450 mcg/day"', f'"{dose} mcg/day"'),
        ('"established"', f'"{history}"'),
        ('"spinal"', f'"{origin}"'),
        ('"adult"', f'"{age}"'),
    )


def runs(dose: str) -> dict[str, Any]:
    """A pump that gives this dose."""
    return {"program": even(f"{dose} mcg/day")}


AT_MINIMUM: dict[str, Any] = {"program": minimum(), "delivery": Delivery.MINIMUM}


def course(*ordered: tuple[float, Program | str | None], **other: Any) -> Past:
    """A course: hours ago, and the dose from then on; it flows now, and began with the first."""
    orders = tuple(
        Ordered(NOW - int(hours * HOUR), even(f"{dose} mcg/day") if isinstance(dose, str) else dose)
        for hours, dose in ordered
    )
    known: dict[str, Any] = {"began": orders[0].at if orders else None, "flowed": NOW, **other}
    return Past(orders, **known)


NEVER = Past((), began=None, flowed=None)
TRIAL = NEVER._replace(trial=Start(Rate.parse("50 mcg/day"), 1, "it lasted 9 h", "CMSC 2015 CC13"))

CASES = [
    Bad("START_DOSE", HARD, of("200.001"), AT_MINIMUM, "200.001 mcg/day", "200 mcg/day", NEVER),
    Bad("START_DOSE", HARD, of("200.001"), {**AT_MINIMUM, "tag_hash": None}, "200.001 mcg/day",
        "200 mcg/day"),
    Bad("START_DOSE", SOFT, of("200.001"), AT_MINIMUM, "200.001 mcg/day", "200 mcg/day"),
    Bad("START_DOSE", SOFT, of("96"), {"program": None}, "96 mcg/day", "50 mcg/day", TRIAL),
    Bad("FIRST_24H", HARD, of("101"), runs("100"), "23 h", "24 h", course((23.99, "100"))),
    Bad("FIRST_24H", HARD, of("101", "established"), runs("100"), "59 min", "24 h",
        course((900, "450"), (300, None), (0.99, "100"), begun_again=NOW - int(0.99 * HOUR))),
    Bad("INCREASE_24H", HARD, of("112"), runs("110"), "3 h", "24 h",
        course((90, "100"), (3, "110"))),
    Bad("INCREASE_24H", HARD, of("112", "established"), runs("110"), "3 h", "24 h",
        course((90, "100"), (3, "110"))),
    Bad("INCREASE_24H", HARD, even("112 mcg/day"), runs("110"), "23 h", "24 h",
        course((90, "100"), (23.99, "110"))),
    Bad("TITRATION_STEP", SOFT, of("130.001"), runs("100"), "+30.01 %", "+30 %",
        course((90, "100")), WIDE),
    Bad("TITRATION_STEP", SOFT, of("115.001", origin="cerebral"), runs("100"), "+15.01 %", "+15 %",
        course((90, "100"))),
    Bad("TITRATION_STEP", SOFT, of("115.001", age="12-17"), runs("100"), "+15.01 %", "+15 %",
        course((90, "100"))),
    Bad("TITRATION_STEP", NOTE, of("130.001"), runs("100"), "+30.01 %", "+30 %",
        course((90, "100"))),
    Bad("MAINTENANCE_STEP", SOFT, of("560.001", "established"), runs("400"), "+40.01 %", "+40 %",
        course((90, "400")), WIDE),
    Bad("MAINTENANCE_STEP", SOFT, of("480.001", "transferred", "cerebral"), runs("400"),
        "+20.01 %", "+20 %", None, WIDE),
    Bad("MAINTENANCE_STEP", NOTE, of("480.001", "replacement", "cerebral"), runs("400"),
        "+20.01 %", "+20 %"),
    Bad("LABEL_TIMES_UNKNOWN", NOTE, of("101"), runs("100"), None,
        "no increase in the first 24 h, then at most one in 24 h"),
    Bad("LABEL_TIMES_UNKNOWN", NOTE, of("150"), {"program": None, "delivery": Delivery.STOPPED,
        "stopped_for": Duration.parse("13 h")}, None,
        "no increase in the first 24 h, then at most one in 24 h"),
]  # fmt: skip


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_the_check_finds_it(case: Bad) -> None:
    finds(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_without_the_check_it_would_pass(case: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    if case.name == "LABEL_TIMES_UNKNOWN":  # beside it: that there is nothing to compare with
        findings(CONTINUOUS)
        monkeypatch.delitem(pump_check.by_id, "CHANGE_FROM_MINIMUM")
    elif case.severity is NOTE and case.past is None:  # beside it: that the times are not known
        findings(CONTINUOUS)
        monkeypatch.delitem(pump_check.by_id, "LABEL_TIMES_UNKNOWN")
    passes_without(case, monkeypatch)


def told(
    subject: str | Program, past: Past | None, state: dict[str, Any], *names: str
) -> list[str]:
    """Which of these findings, or of the label's, are told."""
    wanted = names or ("START_DOSE", "FIRST_24H", "INCREASE_24H", "TITRATION_STEP",
                       "MAINTENANCE_STEP", "LABEL_TIMES_UNKNOWN")  # fmt: skip
    return [each for each in ids(findings(subject, past, **state)) if each in wanted]


# --- the starting dose --------------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
def test_the_largest_starting_dose_is_permitted() -> None:
    assert told(of("200"), NEVER, AT_MINIMUM) == []
    assert told(of("50"), TRIAL, {**AT_MINIMUM, "concentration": even().concentration}) == []
    twice = NEVER._replace(trial=Start(Rate.parse("100 mcg/day"), 2, "6 h", "CMSC 2015 CC13"))
    assert told(of("100"), twice, AT_MINIMUM) == []
    (seen,) = named(findings(of("100.001"), twice, **AT_MINIMUM), "START_DOSE")
    assert (seen.severity, seen.limit, seen.source) == (SOFT, "100 mcg/day", "CMSC 2015 CC13")
    (seen,) = named(findings(of("201"), twice, **AT_MINIMUM), "START_DOSE")
    assert (seen.severity, seen.limit) == (HARD, "200 mcg/day"), "no trial gives more"


@pytest.mark.requirement("LIM-09")
def test_for_other_histories_the_starting_rule_is_a_note() -> None:
    for history in ("established", "transferred", "replacement"):
        (seen,) = named(findings(of("450", history), NEVER, **AT_MINIMUM), "START_DOSE")
        assert (seen.severity, seen.value) == (NOTE, "450 mcg/day")
        assert told(of("200", history), NEVER, AT_MINIMUM) == []
    unsaid = altered(of("450"), ('history = "new"\n', ""))
    assert told(unsaid, NEVER, AT_MINIMUM) == []
    assert told(even(), NEVER, AT_MINIMUM) == [], "a program without a patient"


@pytest.mark.requirement("LIM-09")
def test_who_has_begun_does_not_start() -> None:
    assert told(of("300"), course((90, "300"), (1, minimum())), AT_MINIMUM) == []
    assert told(of("300"), course((90, "300")), runs("300")) == []
    assert told(minimum(), NEVER, {"program": None}) == []
    uneven = flex([*[[(0, "8")]] * 6, [(0, "9")]])
    new = profile(of("200"))
    draft = draft_of(uneven)._replace(patient=new.patient)
    new = new._replace(program=uneven, draft=draft)
    found = check_change(new, pump(**AT_MINIMUM), station_now=CLOCK, past=NEVER)
    (seen,) = named(found, "START_DOSE")
    assert seen.value == "216 mcg/day", "the largest day counts"


# --- the first 24 hours, and one increase in 24 hours -------------------------------------


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize(("since", "names"), [
    (0, ["FIRST_24H"]), (FIRST_DAY - 1, ["FIRST_24H"]), (FIRST_DAY, []), (FIRST_DAY + 1, []),
])  # fmt: skip
def test_the_first_day_ends_to_the_millisecond(since: int, names: list[str]) -> None:
    past = course((0, "100"))
    past = past._replace(began=NOW - since, ordered=(Ordered(NOW - since, even("100 mcg/day")),))
    assert told(of("110"), past, runs("100")) == names
    assert told(of("110", "established"), past, runs("100")) == [], "for new patients"
    again = past._replace(began=NOW - 99 * FIRST_DAY, begun_again=NOW - since)
    for history in ("new", "established"):
        assert told(of("110", history), again, runs("100")) == names, "begun again"


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize(("since", "names"), [
    (0, ["INCREASE_24H"]), (FIRST_DAY - 1, ["INCREASE_24H"]), (FIRST_DAY, []),
])  # fmt: skip
def test_increases_lie_24_hours_of_elapsed_time_apart(since: int, names: list[str]) -> None:
    past = course((900, "100"))
    raised = Ordered(NOW - since, even("110 mcg/day"))
    past = past._replace(ordered=(*past.ordered, raised))
    for subject in (of("115"), of("115", "established"), even("115 mcg/day")):
        assert told(subject, past, runs("110")) == names
    assert told(of("110"), past, runs("110")) == []
    assert told(of("105"), past, runs("110")) == []


@pytest.mark.requirement("LIM-09")
def test_a_clock_that_is_set_moves_nothing() -> None:
    past = course((900, "100"), (23.9, "110"))
    late = pump().clock.plus(3 * FIRST_DAY)
    assert told(of("115"), past, {**runs("110"), "clock": late}) == ["INCREASE_24H"]


@pytest.mark.requirement("LIM-09")
def test_a_mistaken_reduction_can_be_corrected() -> None:
    past = course((900, "100"), (30, "110"), (3, "60"))
    assert told(of("110"), past, runs("60")) == [], "it ran within the last 24 h"
    assert told(of("111"), past, runs("60")) == [], "one increase, and the only one"
    twice = course((900, "100"), (20, "110"), (3, "60"))
    assert told(of("110"), twice, runs("60")) == []
    assert told(of("111"), twice, runs("60")) == ["INCREASE_24H"]


@pytest.mark.requirement("LIM-09")
def test_what_ran_24_hours_ago_no_longer_counts() -> None:
    def back(ended: int) -> Past:
        past = course((900, "110"))
        low = (Ordered(NOW - ended, even("60 mcg/day")), Ordered(NOW - HOUR, even("70 mcg/day")))
        return past._replace(ordered=(*past.ordered, *low))

    assert told(of("110"), back(FIRST_DAY - 1), runs("70")) == []
    assert told(of("110"), back(FIRST_DAY), runs("70")) == ["TITRATION_STEP"]


@pytest.mark.requirement("LIM-09")
def test_a_start_is_no_increase() -> None:
    replaced = course((20, minimum()), (2, "450"), began=NOW - 2 * HOUR)
    assert told(of("460", "replacement"), replaced, runs("450")) == []
    paused = course((900, "100"), (40, None), (2, "90"))
    assert told(of("95"), paused, runs("90")) == [], "after a day without, 90 was a start"
    assert told(of("95", "established"), course((900, "90"), (40, None)), {"program": None}) == []
    days = course((900, flex([[(0, "4")], *[[(0, "5")]] * 6])), (2, flex([[(0, "5")]] * 7)))
    one = {"program": flex([[(0, "5")]] * 7)}
    assert told(flex([[(0, "5.1")], *[[(0, "5")]] * 6]), days, one) == ["INCREASE_24H"], "mon rose"


@pytest.mark.requirement("LIM-09")
def test_within_the_first_day_a_second_increase_is_told_once() -> None:
    past = course((10, "100"), (3, "110"))
    assert told(of("115"), past, runs("110")) == ["FIRST_24H"]
    assert told(of("115", "established"), past, runs("110")) == ["INCREASE_24H"]


@pytest.mark.requirement("LIM-09")
def test_steps_at_their_limit_pass() -> None:
    past = course((90, "100"))
    assert told(of("130"), past, runs("100")) == []
    assert told(of("115", origin="cerebral"), past, runs("100")) == []
    assert told(of("115", age="under-12"), past, runs("100")) == []
    assert told(of("140", "established"), past, runs("100")) == []
    assert told(of("120", "established", "cerebral"), past, runs("100")) == []
    unsaid = altered(of("150"), ('history = "new"\n', ""))
    assert told(unsaid, past, runs("100")) == []


@pytest.mark.requirement("LIM-09")
def test_without_a_course_it_is_said_that_the_times_are_unknown() -> None:
    assert told(of("101"), None, runs("100")) == ["LABEL_TIMES_UNKNOWN"]
    for history in ("established", "transferred", "replacement"):
        assert told(of("101", history), None, runs("100")) == ["LABEL_TIMES_UNKNOWN"]
        assert told(of("100", history), None, runs("100")) == []
        assert told(of("101", history), course((900, "100")), runs("100")) == []
    assert told(of("150", "replacement"), None, AT_MINIMUM) == [], "a start of one not new"
    assert told(even("101 mcg/day"), None, runs("100")) == ["LABEL_TIMES_UNKNOWN"]
    (seen,) = named(findings(of("101", "established"), **runs("100")), "LABEL_TIMES_UNKNOWN")
    assert seen.limit == "at most one increase in 24 h"
    assert told(of("100"), None, runs("100")) == told(of("99"), None, runs("100")) == []
    assert told(of("100"), None, AT_MINIMUM) == ["LABEL_TIMES_UNKNOWN"]
    assert told(minimum(), None, runs("100")) == []


@pytest.mark.requirement("LIM-09")
def test_a_change_by_somebody_else_may_have_been_the_first_of_two_increases() -> None:
    def seen(dose: str, hours: int, ms: int, state: dict[str, Any]) -> tuple[Severity, bool]:
        at = NOW - hours * HOUR - ms
        told = check_change(profile(of(dose)), pump(**state), station_now=CLOCK, changed=at)
        (found,) = named(told, "LABEL_TIMES_UNKNOWN")
        return found.severity, f"changed the program {hours} h ago" in found.message

    assert seen("101", 23, HOUR - 1, runs("100")) == (SOFT, True)
    assert seen("101", 24, 0, runs("100")) == (NOTE, False)
    assert seen("100", 3, 0, AT_MINIMUM) == (NOTE, True), "a start is no second increase"


DOSE = st.integers(20, 300)


@pytest.mark.requirement("LIM-09")
@given(
    orders=st.lists(st.tuples(st.integers(0, 60), st.none() | DOSE), max_size=5),
    dose=DOSE,
    less=st.integers(0, 60),
    history=st.sampled_from(["new", "established", "replacement"]),
    again=st.none() | st.integers(0, 60),
)
def test_no_reduction_is_ever_stopped_by_the_label(
    orders: list[tuple[int, int | None]], dose: int, less: int, history: str, again: int | None
) -> None:
    earlier = sorted(orders, key=lambda each: -each[0])
    past = course(
        *((hours, None if each is None else str(each)) for hours, each in earlier), (0, str(dose)),
        begun_again=None if again is None else NOW - again * HOUR,
    )  # fmt: skip
    lower = of(str(max(1, dose - less)), history)
    assert told(lower, past, runs(str(dose))) == []
    assert told(lower, None, runs(str(dose))) == []


# --- pauses -------------------------------------------------------------------------------

STOPPED = ("STOPPED_SHORT", "STOPPED_LONG", "STOPPED_TOO_LONG", "STOPPED_RESTART")


def paused(ms: int, *ordered: tuple[float, Program | str | None]) -> Past:
    return course(*ordered, flowed=NOW - ms)


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize(("ms", "names"), [
    (1, ["STOPPED_SHORT"]),
    (12 * HOUR - 1, ["STOPPED_SHORT"]),
    (12 * HOUR, ["STOPPED_LONG"]),
    (48 * HOUR, ["STOPPED_LONG"]),
    (48 * HOUR + 1, ["STOPPED_TOO_LONG"]),
])  # fmt: skip
def test_a_minute_of_minimum_rate_does_not_hide_a_pause(ms: int, names: list[str]) -> None:
    past = paused(ms, (900, "450"), (50, None), (0.02, minimum()))
    subject = of("450", "established")
    assert told(subject, past, AT_MINIMUM, *STOPPED) == names
    assert told(subject, None, AT_MINIMUM, *STOPPED) == [], "which the pump's state alone would"
    assert told(subject, past, {"delivery": Delivery.EMPTY}, *STOPPED) == names
    assert told(subject, past, {"delivery": Delivery.STALLED}, *STOPPED) == names


@pytest.mark.requirement("STP-03")
def test_after_it_the_last_prescribed_dose_is_refused() -> None:
    past = paused(60 * HOUR, (900, "150"), (60, minimum()))
    assert told(of("150", "established"), past, AT_MINIMUM, *STOPPED) == ["STOPPED_TOO_LONG"]
    assert told(of("149", "established"), past, AT_MINIMUM, *STOPPED) == ["STOPPED_RESTART"]
    (seen,) = named(findings(of("149", "established"), past, **AT_MINIMUM), "STOPPED_RESTART")
    assert seen.message.startswith("no prescribed dose for 60 h:")
    nothing = Past((), began=NOW - 900 * HOUR, flowed=NOW - 60 * HOUR)
    assert told(of("150", "established"), nothing, AT_MINIMUM, *STOPPED) == ["STOPPED_RESTART"]


@pytest.mark.requirement("STP-03")
def test_the_longer_of_both_figures_counts() -> None:
    def both(stopped: str | None, flowed: int | None) -> list[str]:
        pause = None if stopped is None else Duration.parse(stopped)
        past = course((900, "450"), (1, None), flowed=flowed)
        state = {"delivery": Delivery.STOPPED, "stopped_for": pause}
        return told(of("450", "established"), past, state, *STOPPED)

    assert both("1 h", NOW - 49 * HOUR) == ["STOPPED_TOO_LONG"]
    assert both("49 h", NOW - HOUR) == ["STOPPED_TOO_LONG"]
    assert both("1 h", NOW + HOUR) == ["STOPPED_SHORT"]
    assert both(None, NOW - HOUR) == ["STOPPED_SHORT"], "the course knows"
    assert both(None, None) == ["STOPPED_TOO_LONG"], "nobody knows"
    assert both("0 s", NOW) == ["STOPPED_SHORT"]


@pytest.mark.requirement("STP-03")
def test_where_there_is_no_pause() -> None:
    past = paused(60 * HOUR, (900, "450"), (60, minimum()))
    subject = of("450", "established")
    assert told(subject, past, runs("450"), *STOPPED) == [], "it flows, whatever the log says"
    assert told(minimum(), past, AT_MINIMUM, *STOPPED) == [], "minimum rate goes on"
    flows = course((900, "450"))
    assert told(subject, flows, {"delivery": Delivery.FALLBACK}, *STOPPED) == []
    assert told(subject, course(), AT_MINIMUM, *STOPPED) == []
    replaced = NEVER
    assert told(of("450", "replacement"), replaced, AT_MINIMUM, *STOPPED) == []


@pytest.mark.requirement("STP-03")
def test_a_very_first_dose_is_no_restart() -> None:
    state = {"delivery": Delivery.STOPPED, "stopped_for": Duration.parse("72 h"), "program": None}
    assert told(of("100"), NEVER, state, *STOPPED) == []
    assert told(of("100", "established"), NEVER, state, *STOPPED) == ["STOPPED_RESTART"]
    assert told(even("100 mcg/day"), NEVER, state, *STOPPED) == ["STOPPED_RESTART"]
    assert told(of("100"), None, state, *STOPPED) == ["STOPPED_RESTART"]
