"""Patient doses count in a change: an increase, a start, a restart (LIM-04, LIM-09, STP-03).

What any 24 hours hold with all of them taken stands beside the daily dose.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.quantities import Duration, Mass, Rate
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.checks.registry import pump_check
from pumpctl.therapy.compare import rise_24h
from pumpctl.therapy.draft import draft_of
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.past import Ordered, Past
from pumpctl.therapy.program import PatientDose, Program
from pumpctl.therapy.state import Delivery
from pumpctl.therapy.trial import Start
from tests.therapy.changing import findings
from tests.therapy.checking import change, library
from tests.therapy.samples import even, flex, ids, minimum, named, profile, pump
from tests.therapy.test_checks_label import AT_MINIMUM, NEVER, course, of

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
NOW = pump().counter_ms
HOUR = 3_600_000
RISES = "24 h with all patient doses rise from 180 mcg to 980 mcg"
OTHERS = ("DOSE_INCREASE", "START_DOSE", "FIRST_24H", "INCREASE_24H", "TITRATION_STEP",
          "MAINTENANCE_STEP", "STOPPED_TOO_LONG")  # fmt: skip


def own(dose: str = "40 mcg", most: int = 20) -> PatientDose:
    return PatientDose(Mass.parse(dose), Duration.parse("5 min"), Duration.parse("30 min"), most)


def taking(dose: str, each: str = "40 mcg", most: int = 20) -> Program:
    return even(f"{dose} mcg/day")._replace(patient_dose=own(each, most))


def told(
    new: Program, past: Past | None, history: str | None = None, **state: Any
) -> tuple[Finding, ...]:
    if history is None:
        return findings(new, past, **state)
    patient = profile(of("200", history))
    draft = draft_of(new)._replace(patient=patient.patient)
    changed = patient._replace(program=new, draft=draft)
    return check_change(changed, pump(**state), station_now=pump().clock, past=past)


def names(found: tuple[Finding, ...]) -> list[str]:
    return [each for each in ids(found) if each in OTHERS]


STEADY = course((900, "180"))
RUNS: dict[str, Any] = {"program": even("180 mcg/day")}
STOPPED: dict[str, Any] = {"delivery": Delivery.STOPPED, "stopped_for": Duration.parse("72 h")}


@pytest.mark.requirement("LIM-04")
def test_patient_doses_where_there_were_none_are_an_increase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = told(taking("180"), STEADY, "established", **RUNS)
    (seen,) = named(found, "DOSE_INCREASE")
    assert (seen.severity, seen.value, seen.limit) == (SOFT, "+444.45 %", "+20 %")
    assert seen.message.startswith(f"{RISES}, by 444.45 %, more than 20 %")
    assert names(found) == ["DOSE_INCREASE"], "the label's steps are of the daily dose"
    monkeypatch.delitem(pump_check.by_id, "DOSE_INCREASE")
    assert names(told(taking("180"), STEADY, "established", **RUNS)) == []


@pytest.mark.requirement("LIM-04")
def test_each_of_the_two_is_told_where_the_other_does_not_say_it() -> None:
    both = named(told(taking("220"), STEADY, **RUNS), "DOSE_INCREASE")
    assert [each.value for each in both] == ["+22.23 %", "+466.67 %"]
    assert both[0].message.startswith("the daily dose rises by 22.23 %")
    alike: dict[str, Any] = {"program": taking("180", "9 mcg")}
    (seen,) = named(told(taking("270", "13.5 mcg"), STEADY, **alike), "DOSE_INCREASE")
    assert seen.message.startswith("the daily dose rises"), "by as much: told once"
    assert names(told(taking("180", "36 mcg", 1), STEADY, **RUNS)) == [], "+20 % is inside"
    hard = library(daily_change=change(increase_hard="100 %"))
    (seen,) = named(findings(taking("180"), STEADY, hard, **RUNS), "DOSE_INCREASE")
    assert seen.severity is HARD, "as a site's hard limit says"


@pytest.mark.requirement("LIM-09")
def test_in_the_first_day_patient_doses_are_not_added() -> None:
    begun = course((0.9, "180"))
    (seen,) = named(told(taking("180"), begun, "new", **RUNS), "FIRST_24H")
    assert seen.severity is HARD and seen.message.startswith(f"{RISES}, 54 min after")
    (seen,) = named(told(even("181 mcg/day"), begun, "new", **RUNS), "FIRST_24H")
    assert seen.message.startswith("the daily dose rises, 54 min after therapy began")
    (seen,) = named(told(taking("181"), begun, "new", **RUNS), "FIRST_24H")
    assert seen.message.startswith("the daily dose rises and 24 h with all patient doses rise")


@pytest.mark.requirement("LIM-09")
def test_soon_after_an_increase_patient_doses_are_not_added() -> None:
    past = course((900, "150"), (0.03, "180"))
    (seen,) = named(told(taking("180"), past, "established", **RUNS), "INCREASE_24H")
    assert seen.severity is HARD and seen.message.startswith(f"{RISES}, 1 min after the last")
    added = course((900, "180"), (2, taking("180")))
    runs: dict[str, Any] = {"program": taking("180")}
    assert names(told(even("181 mcg/day"), added, **runs)) == ["INCREASE_24H"], "adding was one"
    assert names(told(taking("180"), course((900, taking("180")), (2, "180")), **RUNS)) == [
        "DOSE_INCREASE"
    ], "going back within 24 h is none by the label"


@pytest.mark.requirement("LIM-09")
def test_a_start_counts_patient_doses() -> None:
    (seen,) = named(told(taking("150"), NEVER, "new", **AT_MINIMUM), "START_DOSE")
    assert (seen.severity, seen.value, seen.limit) == (HARD, "950 mcg", "200 mcg in any 24 h")
    assert seen.message.startswith("at first 24 h with all patient doses reach 950 mcg, above 200")
    trial = NEVER._replace(trial=Start(Rate.parse("100 mcg/day"), 2, "6 h", "CMSC 2015 CC13"))

    def start(new: Program, past: Past | None = trial, history: str = "new", **tag: Any) -> Any:
        found = named(told(new, past, history, **AT_MINIMUM, **tag), "START_DOSE")
        return [(each.severity, each.value) for each in found]

    assert start(taking("96", "2 mcg", 2)) == []
    assert start(taking("96", "2 mcg", 3)) == [(SOFT, "102 mcg")]
    assert start(taking("150", "2 mcg", 3)) == [(SOFT, "150 mcg/day")], "as grave: told once"
    assert start(taking("150")) == [(HARD, "950 mcg"), (SOFT, "150 mcg/day")]
    assert start(taking("201")) == [(HARD, "201 mcg/day")]
    assert start(taking("150"), None) == [(SOFT, "950 mcg")], "the pump cannot tell"
    assert start(taking("150"), None, tag_hash=None) == [(HARD, "950 mcg")]
    assert start(taking("150"), history="replacement") == [(NOTE, "950 mcg")]
    assert start(taking("250"), history="replacement") == [(NOTE, "250 mcg/day")]


@pytest.mark.requirement("STP-03")
def test_a_restart_counts_patient_doses() -> None:
    def again(new: Program, old: Program) -> list[str]:
        found = told(new, None, program=old, **STOPPED)
        return [each.message for each in found if each.id == "STOPPED_TOO_LONG"]

    (words,) = again(taking("150"), even("180 mcg/day"))
    assert words == (
        "no prescribed dose for 72 h: no more than 200 mcg/day, and less than before, may start "
        "again: 24 h with all patient doses reach 950 mcg"
    )
    (words,) = again(even("180 mcg/day"), even("180 mcg/day"))
    assert words.endswith("may start again: the daily dose reaches 180 mcg/day")
    (words,) = again(taking("150", "10 mcg", 3), even("180 mcg/day"))
    assert words.endswith("24 h with all patient doses reach 180 mcg"), "as much as before"
    assert again(taking("150", "10 mcg", 2), even("180 mcg/day")) == []
    assert again(taking("150", "10 mcg", 5), minimum()) == [], "200 mcg, nothing known before"
    assert len(again(taking("150", "10 mcg", 6), minimum())) == 1


@pytest.mark.requirement("LIM-09")
def test_what_is_no_increase() -> None:
    low = taking("100", "4 mcg")
    assert rise_24h([even("180 mcg/day")], low) is None, "180 mcg in 24 h before and after"
    assert names(told(low, course((0.5, "180")), "new", **RUNS)) == []
    took: dict[str, Any] = {"program": taking("180")}
    for new in (even("180 mcg/day"), even("150 mcg/day"), taking("170", "39 mcg"), taking("180")):
        assert names(told(new, course((0.5, taking("180"))), "new", **took)) == []
    found = told(even("181 mcg/day"), course((0.5, taking("180"))), "new", **took)
    assert names(found) == ["FIRST_24H"], "the daily dose rises all the same"
    assert rise_24h([], taking("180")) is None
    # either ran within 24 h, but never both together
    either = course((900, taking("100", "5 mcg")), (2, "180"))
    assert "INCREASE_24H" in names(told(taking("180", "5 mcg"), either, **RUNS))


@pytest.mark.requirement("LIM-09")
def test_a_reduction_of_both_is_none_however_its_hours_lie() -> None:
    # each day has less, and Monday's evening with Tuesday's morning more than any 24 h had
    late, early, flat = [(0, "4"), (720, "15")], [(0, "15"), (720, "4")], [(0, "9")]
    new = flex([late, early, *[flat] * 5], own=own("10 mcg", 3))
    old = even("240 mcg/day")._replace(patient_dose=own("10 mcg", 3))
    assert rise_24h([old], new) is None
    past = Past((Ordered(NOW - HOUR, old),), began=NOW - HOUR, flowed=NOW)
    found = told(new, past, "new", program=old)
    assert not [each for each in names(found) if each in {"FIRST_24H", "DOSE_INCREASE"}]


@pytest.mark.requirement("LIM-09")
@given(
    dose=st.integers(100, 400), each=st.integers(1, 40), most=st.integers(1, 20),
    less=st.integers(0, 50), smaller=st.integers(0, 39), fewer=st.integers(0, 20),
    removed=st.booleans(), history=st.sampled_from(["new", "established"]),
)  # fmt: skip
def test_no_reduction_of_both_is_ever_an_increase(
    dose: int, each: int, most: int, less: int, smaller: int, fewer: int, removed: bool,
    history: str,
) -> None:  # fmt: skip
    old = taking(str(dose), f"{each} mcg", most)
    new = taking(str(dose - less), f"{max(1, each - smaller)} mcg", max(1, most - fewer))
    if removed:
        new = new._replace(patient_dose=None)
    past = course((1, even("96 mcg/day")), (0.1, old))
    assert names(told(new, past, history, program=old)) == []
    assert not named(told(new, None, history, program=old), "LABEL_TIMES_UNKNOWN")
