"""The checks of a clinician's bolus: each stops its case, and without it the case would pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from pumpctl.quantities import Concentration, Duration, Mass, Volume
from pumpctl.therapy.bolus import BolusOrder
from pumpctl.therapy.checks import rules
from pumpctl.therapy.checks.boluses import bolus_check, check_bolus
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.curve import HOUR_MS
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Band, Library, Sourced
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import MINUTE_MS, Moment
from pumpctl.therapy.program import PatientDose, Program
from pumpctl.therapy.state import (
    Alarm,
    Delivery,
    Fluid,
    Line,
    PatientDoseState,
    Priority,
    RunningBolus,
    RunningBridge,
)
from tests.therapy.line_samples import STRONG, WEAK
from tests.therapy.samples import NOW, even, flex, ids, minimum, named, pump

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
LINE = Volume.parse("0.348 mL")
NOTHING_GIVEN = Course(())
OWN = PatientDose(Mass.parse("10 mcg"), Duration.parse("5 min"), Duration.parse("4 h"), 3)
WITH_OWN: dict[str, Any] = {"program": even()._replace(patient_dose=OWN)}
RUNNING = RunningBolus("patient", Mass(10_000), Mass(5_000), NOW, NOW.plus(150_000))
BRIDGE = RunningBridge(LINE, Volume.parse("0.248 mL"))
STALL = Alarm("MOTOR_STALL", Priority.CRITICAL, "the motor does not turn", NOW)
LOW = Alarm("LOW_RESERVOIR", Priority.NON_CRITICAL, "2 mL left", NOW)
WATER = Fluid("baclofen", Concentration(0))
EXPIRED = DEFAULT._replace(site="ward", version=4, expires=NOW.date.plus(-1))
MORPHINE = Fluid("morphine", Concentration(1000))


def at_three() -> Program:
    """53 minutes from now a scheduled bolus begins."""
    return flex([[(0, "18.75")]], [(day, 900, "20 mcg", "10 min") for day in range(7)])


def check(
    dose: str = "20 mcg",
    over: str = "10 min",
    *,
    past: Course | None = NOTHING_GIVEN,
    last_ended: Moment | None = None,
    library: Library = DEFAULT,
    **state: Any,
) -> tuple[Finding, ...]:
    order = BolusOrder(Mass.parse(dose), Duration.parse(over))
    return check_bolus(
        order, pump(**state), past=past, last_ended=last_ended, now=NOW, library=library
    )


def given(mass: int) -> Course:
    """So many ng in the ten minutes before."""
    return Course([Piece(NOW.label_ms - 10 * MINUTE_MS, NOW.label_ms, mass)])


def of_band(**limits: str) -> Library:
    """A library with this band for single doses."""
    entry = DEFAULT.listed[2]._replace(
        bolus=Band(**{side: Sourced(Mass.parse(each), "a test") for side, each in limits.items()})
    )
    return DEFAULT._replace(listed=(entry,))


class Bad(NamedTuple):
    """An order to which one check speaks."""

    name: str
    severity: Severity
    case: dict[str, Any]
    value: str | None
    limit: str | None


CASES = [
    Bad("BOLUS_ORDER_EMPTY", HARD, {"dose": "0 mcg"}, "0 mcg", "above 0 mcg"),
    Bad("BOLUS_ORDER_EMPTY", HARD, {"over": "0 s"}, "0 s", "above 0 s, at most 24 h"),
    Bad("BOLUS_ORDER_EMPTY", HARD, {"over": "24.01 h"}, "24.01 h", "above 0 s, at most 24 h"),
    Bad("BOLUS_ORDER_DRUG", HARD, {"library": DEFAULT._replace(listed=DEFAULT.listed[:2])},
        "baclofen 2000 mcg/mL", "baclofen 500 mcg/mL, baclofen 1000 mcg/mL"),
    Bad("BOLUS_ORDER_HARD", HARD, {"dose": "300.001 mcg", "over": "1 d"},
        "300.001 mcg", "300 mcg"),
    Bad("BOLUS_ORDER_SMALL", HARD, {"library": of_band(hard_low="20.001 mcg")},
        "20 mcg", "20.001 mcg"),
    Bad("BOLUS_ORDER_LARGE", SOFT, {"dose": "100.001 mcg"}, "100.001 mcg", "100 mcg"),
    Bad("BOLUS_ORDER_LARGE", SOFT, {"library": of_band(soft_high="19 mcg")}, "20 mcg", "19 mcg"),
    Bad("BOLUS_ORDER_SMALL", SOFT, {"dose": "0.999 mcg"}, "0.999 mcg", "1 mcg"),
    Bad("BOLUS_ORDER_SMALL", SOFT,
        {"library": of_band(soft_low="21 mcg", hard_low="20 mcg")}, "20 mcg", "21 mcg"),
    Bad("BOLUS_ORDER_WINDOW", HARD, {"past": given(320_000)},
        "355.625 mcg", "350 mcg in any 1 h"),
    Bad("BOLUS_ORDER_WINDOW_SOFT", SOFT, {"past": given(120_000)},
        "155.625 mcg", "150 mcg in any 1 h"),
    Bad("BOLUS_PAST_UNKNOWN", SOFT, {"past": None},
        "unknown", "what was given in the longest window"),
    Bad("BOLUS_ORDER_LOCKOUT", HARD, {**WITH_OWN, "last_ended": NOW.plus(-4 * HOUR_MS + 1)},
        str(NOW), f"not before {NOW.plus(1)}"),
    Bad("BOLUS_ORDER_LOCKOUT", HARD,
        {**WITH_OWN, "patient_dose": PatientDoseState(2, NOW.plus(HOUR_MS))},
        str(NOW), f"not before {NOW.plus(HOUR_MS)}"),
    Bad("BOLUS_ORDER_LOCKS", NOTE, WITH_OWN, str(NOW.plus(250 * MINUTE_MS)), "4 h"),
    Bad("BOLUS_ORDER_FRONT", HARD, {"line": Line(LINE, WEAK, Volume.parse("0.1 mL"))},
        "5 mcg", "20 mcg"),
    Bad("BOLUS_ORDER_FRONT", SOFT, {"line": Line(LINE, WATER, LINE)}, "0 mcg", "20 mcg"),
    Bad("BOLUS_ORDER_FRONT", HARD, {"line": Line(LINE, MORPHINE, LINE)}, "0 mcg", "20 mcg"),
    Bad("BOLUS_ORDER_RUNNING", HARD, {"bolus": RUNNING, "delivery": Delivery.BOLUS},
        "10 mcg", "no bolus running"),
    Bad("BOLUS_ORDER_RUNNING", HARD, {"delivery": Delivery.BOLUS}, "bolus", "no bolus running"),
    Bad("BOLUS_ORDER_BRIDGE", HARD, {"bridge": BRIDGE, "delivery": Delivery.BRIDGE},
        "0.1 mL", "no bridge running"),
    Bad("BOLUS_ORDER_BRIDGE", HARD, {"delivery": Delivery.BRIDGE}, "bridge", "no bridge running"),
    Bad("BOLUS_ORDER_ALARM", HARD, {"alarms": (LOW, STALL)}, "MOTOR_STALL", "no critical alarm"),
    *(
        Bad("BOLUS_ORDER_STOPPED", HARD, {"delivery": delivery}, delivery.value, "delivering")
        for delivery in (Delivery.STOPPED, Delivery.STALLED, Delivery.EMPTY, Delivery.FALLBACK)
    ),
    Bad("BOLUS_ORDER_STOPPED", HARD, {"program": None}, "unknown", "a known program"),
    Bad("BOLUS_ORDER_SCHEDULED", HARD, {"program": at_three(), "over": "53.001 min"},
        str(NOW.plus(53_001 * 60)), str(NOW.plus(53 * MINUTE_MS))),
    Bad("BOLUS_ORDER_FLOW", HARD, {"over": "36 s"}, "24.225 mL/day", "24 mL/day"),
    Bad("BOLUS_ORDER_RESERVOIR", HARD, {"reservoir": Volume(11_562), "low_alarm": Volume(0)},
        "0.011563 mL", "0.011562 mL"),
    Bad("LIBRARY_EXPIRED", HARD, {"library": EXPIRED}, str(NOW.date.plus(-1)),
        "a library that is valid today"),
    Bad("BOLUS_ORDER_LOW", NOTE, {"reservoir": Volume.parse("2.005 mL")},
        "1.993437 mL", "2 mL"),
]  # fmt: skip


@pytest.mark.requirement("BOL-04")
@pytest.mark.requirement("REF-08")
@pytest.mark.requirement("LIM-05")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_the_check_finds_it(case: Bad) -> None:
    found = check(**case.case)
    assert [(each.severity, each.value, each.limit) for each in named(found, case.name)] == [
        (case.severity, case.value, case.limit)
    ]
    others = {each.id for each in found if each.severity is HARD} - {case.name}
    assert not others, "one fault, one hard finding"


@pytest.mark.requirement("BOL-04")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_without_the_check_it_would_pass(case: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(bolus_check.by_id, case.name)
    left = check(**case.case)
    assert not [each for each in left if each.severity is case.severity]


def test_every_check_has_its_case() -> None:
    check()
    assert {case.name for case in CASES} == set(bolus_check.by_id)
    assert set(bolus_check.by_id) <= set(rules())


def test_an_ordinary_bolus_is_without_findings() -> None:
    assert check() == ()
    assert check("300 mcg", "24 h", library=of_band()) == ()
    assert check("60 mcg", program=minimum(), delivery=Delivery.MINIMUM) == ()


@pytest.mark.parametrize(
    "case",
    [
        {"dose": "100 mcg", "over": "40 min"},
        {"dose": "1 mcg"},
        {"over": "24 h"},
        {"program": at_three(), "over": "53 min"},
        {"past": given(114_375)},
        {"last_ended": NOW.plus(-4 * HOUR_MS)},
        {"over": "36.341 s"},
        {"alarms": (LOW,)},
        {"library": of_band(hard_low="20 mcg", soft_low="20 mcg", soft_high="20 mcg",
                            hard_high="20 mcg")},
        {"last_ended": NOW},  # the program has no doses of the patient's own, so no lockout
    ],
)  # fmt: skip
def test_what_is_just_inside_passes(case: dict[str, Any]) -> None:
    assert check(**case) == ()


@pytest.mark.requirement("BOL-04")
def test_the_lockout_counts_from_the_end_of_any_bolus() -> None:
    free: list[dict[str, Any]] = [
        {"last_ended": NOW.plus(-4 * HOUR_MS)},
        {"patient_dose": PatientDoseState(2, NOW)},
        {"patient_dose": PatientDoseState(3, None)},
        # None left: it may be the maximum of the 24 h that is waited for.
        {"patient_dose": PatientDoseState(0, NOW.plus(HOUR_MS))},
    ]
    for case in free:
        assert ids(check(**WITH_OWN, **case)) == ["BOLUS_ORDER_LOCKS"]


def test_what_the_front_does_is_told() -> None:
    (found,) = check(line=Line(LINE, WEAK, Volume.parse("0.1 mL")))
    arrives = NOW.plus((100_000 - 10_000) * 24 * HOUR_MS // 225_000)
    assert found.message == (
        "at the tip is baclofen 500 mcg/mL: of 20 mcg the patient gets 5 mcg (25 %); the front "
        f"arrives at {arrives.label()}"
    )
    (water,) = check(line=Line(LINE, WATER, LINE))
    assert water.message.startswith("at the tip is free of drug: of 20 mcg the patient gets 0 mcg")
    (other,) = check(line=Line(LINE, MORPHINE, LINE))
    assert "gets 0 mcg (0 %), and 10 mcg of morphine" in other.message
    stopped = check(line=Line(LINE, WATER, LINE), program=even("0 mcg/day"))
    assert "arrives" not in named(stopped, "BOLUS_ORDER_FRONT")[0].message
    bridged = check(line=Line(LINE, WEAK, Volume.parse("0.1 mL")), bridge=BRIDGE)
    told = named(bridged, "BOLUS_ORDER_FRONT")[0].message
    assert "arrives" not in told, "the program's flow is not the bridge's"
    through = check(line=Line(LINE, MORPHINE, Volume(5_000)), dose="10 mcg")
    assert ids(through) == ["BOLUS_ORDER_FRONT"]
    assert check(line=Line(LINE, STRONG, Volume(5_000))) == ()


@pytest.mark.requirement("LIM-05")
def test_16_a_window_that_is_still_to_come_is_seen() -> None:
    later = flex([[(0, "14")]], [(1, 14 * 60 + 50, "40 mcg", "10 min")])
    course = Course([Piece(NOW.label_ms, NOW.label_ms + 40 * MINUTE_MS, 100_000)])
    ends = NOW.label_ms + 40 * MINUTE_MS
    past_only = course + Course([Piece(NOW.label_ms - HOUR_MS, ends, 14_000 * 100 // 60)])
    assert past_only.between(ends - HOUR_MS, ends) < 150_000  # a rule that only looks back
    (found,) = check("100 mcg", "40 min", program=later)
    assert (found.id, found.value) == ("BOLUS_ORDER_WINDOW_SOFT", "154 mcg")
    assert found.message == f"154 mcg in the 1 h from {NOW.label()}, this bolus counted"


def test_a_window_without_a_soft_limit_and_a_pump_without_a_program() -> None:
    entry = DEFAULT.listed[2]
    bare = entry._replace(windows=tuple(each._replace(soft=None) for each in entry.windows))
    library = DEFAULT._replace(listed=(bare,))
    assert check(past=given(120_000), library=library) == ()
    assert ids(check(program=None, past=given(999_000))) == ["BOLUS_ORDER_STOPPED"]


def test_a_reservoir_that_it_empties_and_one_that_was_low_before() -> None:
    assert ids(check(reservoir=Volume(11_563), low_alarm=Volume(0))) == ["BOLUS_ORDER_LOW"]
    assert check(reservoir=Volume.parse("2 mL")) == ()  # told by the alarm already


def test_a_dose_that_no_pump_could_give_is_refused_for_what_it_is() -> None:
    found = ids(check("999999999999 mg", "0.001 s"))
    assert "BOLUS_ORDER_HARD" in found and "BOLUS_ORDER_FLOW" in found


STRONGER: dict[str, Any] = {
    "concentration": Concentration(500),
    "program": even("100 mcg/day", 500),
    "line": Line(LINE, STRONG, LINE),
}
"""The bridge was left out: 2000 mcg/mL at the tip, and the pump counts 500 mcg/mL."""


@pytest.mark.requirement("LIM-05")
def test_a_bolus_counts_at_the_concentration_at_the_tip(monkeypatch: pytest.MonkeyPatch) -> None:
    found = check("100 mcg", "1 h", **STRONGER)
    (hard,) = named(found, "BOLUS_ORDER_HARD")
    assert (hard.value, hard.limit) == ("400 mcg", "300 mcg")
    assert "a bolus of 100 mcg gives 400 mcg at the tip" in hard.message
    # 400 mcg, and the basal rate of 1 h at four times what is counted.
    (window,) = named(found, "BOLUS_ORDER_WINDOW")
    assert (window.severity, window.value) == (HARD, "416.667 mcg")
    (small,) = named(check("50 mcg", "1 h", **STRONGER), "BOLUS_ORDER_LARGE")
    assert small.value == "200 mcg"
    for name in ("BOLUS_ORDER_HARD", "BOLUS_ORDER_WINDOW", "BOLUS_ORDER_FRONT"):
        monkeypatch.delitem(bolus_check.by_id, name)
    assert not [each for each in check("100 mcg", "1 h", **STRONGER) if each.severity is HARD]


@pytest.mark.requirement("LIM-05")
def test_the_front_of_the_weaker_fluid_ends_the_excess() -> None:
    found = check("250 mcg", "1 h", **STRONGER)
    assert (
        named(found, "BOLUS_ORDER_HARD")[0].value == "759.5 mcg"
    )  # 0.348 mL at 2000, the rest at 500


def test_a_weaker_fluid_at_the_tip_does_not_make_room() -> None:
    found = check("301 mcg", "4 h", line=Line(LINE, WEAK, LINE))
    assert {"BOLUS_ORDER_HARD", "BOLUS_ORDER_FRONT"} <= set(ids(found))


@pytest.mark.requirement("LIM-05")
def test_the_windows_count_the_patients_own_doses_after_it() -> None:
    own = PatientDose(Mass.parse("100 mcg"), Duration.parse("5 min"), Duration.parse("5 min"), 6)
    program = even()._replace(patient_dose=own)
    (found,) = named(check("300 mcg", program=program), "BOLUS_ORDER_WINDOW")
    # 300 + 18.75, and five of 100 mcg, from 15, 25, 35, 45 and 55 min on.
    assert found.message == (
        f"818.75 mcg in the 1 h from {NOW.label()}, this bolus and the patient's own doses counted"
    )
    none_left = PatientDoseState(0, NOW.plus(2 * HOUR_MS))
    later = check("300 mcg", program=program, patient_dose=none_left)
    assert "818.75 mcg" not in {each.value for each in later}
    for some in (PatientDoseState(0, None), PatientDoseState(6, None)):
        same = check("300 mcg", program=program, patient_dose=some)
        assert named(same, "BOLUS_ORDER_WINDOW")[0].value == "818.75 mcg"
