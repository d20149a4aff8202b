"""The checks of a change, each against a pump that it must stop, and shown to be what stops it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from pumpctl.quantities import Concentration, Duration, Mass, Volume
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.checks.registry import check, pump_check
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.patient import TAG_HASH_SIZE, tag_hash
from pumpctl.therapy.state import (
    Alarm,
    Battery,
    BatteryState,
    Delivery,
    Priority,
    PumpState,
    RunningBolus,
    clock_difference_ms,
)
from tests.therapy.samples import (
    CONTINUOUS,
    FLEX,
    MINIMUM,
    NOW,
    altered,
    even,
    flex,
    ids,
    minimum,
    named,
    profile,
    pump,
)

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
HOUR = 3_600_000
OTHER_TAG = tag_hash("SP40-000123", "P-9999")
STALL = Alarm("MOTOR_STALL", Priority.CRITICAL, "the motor does not turn", NOW.plus(-HOUR))
LOW = Alarm("RESERVOIR_LOW", Priority.NON_CRITICAL, "2 mL left", NOW.plus(-HOUR))


def stopped(hours: float | None) -> dict[str, Any]:
    pause = None if hours is None else Duration(int(hours * 3600) * 1000)
    return {"delivery": Delivery.STOPPED, "stopped_for": pause}


def text(*changes: tuple[str, str]) -> str:
    return altered(CONTINUOUS, *changes)


def findings(subject: str, **state: Any) -> tuple[Finding, ...]:
    return check_change(profile(subject), pump(**state), station_now=NOW)


class Bad(NamedTuple):
    """A change that one check speaks to."""

    name: str
    severity: Severity
    subject: str
    state: dict[str, Any]
    value: str | None
    limit: str | None


FLEX_PUMP: dict[str, Any] = {"program": profile(FLEX).program}
RUNNING = RunningBolus("single", Mass(20_000), Mass(5_000), NOW, NOW.plus(600_000))

CASES = [
    Bad("PUMP_OTHER", HARD, FLEX, {**FLEX_PUMP, "serial": "SP40-000124", "tag_hash": None},
        "SP40-000124", "SP40-000123"),
    Bad("PATIENT_OTHER", HARD, CONTINUOUS, {"tag_hash": OTHER_TAG},
        f"tag hash {OTHER_TAG.hex()}", f"tag hash {tag_hash('SP40-000123', 'P-0417').hex()}"),
    Bad("PATIENT_ASSIGNED", NOTE, CONTINUOUS, {"tag_hash": None}, "P-0417", None),
    Bad("DRUG_OTHER", HARD, CONTINUOUS, {"drug": "morphine"}, "baclofen", "morphine"),
    Bad("CONCENTRATION_OTHER", HARD, CONTINUOUS, {"concentration": Concentration(500)},
        "2000 mcg/mL", "500 mcg/mL"),
    Bad("DOSE_INCREASE", SOFT, text(('"450', '"540.001')), {}, "+20.0 %", "+20.0 %"),
    Bad("DOSE_REDUCTION", SOFT, text(('"450', '"359.999')), {}, "-20.0 %", "-20.0 %"),
    Bad("CHANGE_FROM_MINIMUM", NOTE, CONTINUOUS,
        {"program": minimum(), "delivery": Delivery.MINIMUM}, None, None),
    Bad("CHANGE_FROM_MINIMUM", NOTE, CONTINUOUS, {"program": None}, None, None),
    Bad("STOPPED_SHORT", NOTE, CONTINUOUS, stopped(11.9), "11 h", "12 h"),
    Bad("STOPPED_LONG", SOFT, CONTINUOUS, stopped(12), "12 h", "12 h"),
    Bad("STOPPED_LONG", SOFT, CONTINUOUS, stopped(48), "48 h", "12 h"),
    Bad("STOPPED_TOO_LONG", HARD, CONTINUOUS, stopped(48.1), "48 h", "2 d"),
    Bad("STOPPED_TOO_LONG", HARD, CONTINUOUS, stopped(None), "an unknown time", "2 d"),
    Bad("STOPPED_RESTART", SOFT, text(('"450', '"150')),
        {**stopped(49), "program": even("180 mcg/day")}, "49 h", "2 d"),
    Bad("STOPPED_TOO_LONG", HARD, text(('"450', '"449.999')), stopped(49), "49 h", "2 d"),
    Bad("CLOCK_DIFFERENCE", HARD, FLEX, {**FLEX_PUMP, "clock": NOW.plus(60_001)}, "+61 s", "1 min"),
    Bad("CLOCK_DIFFERENCE", HARD, FLEX, {**FLEX_PUMP, "clock": Moment(NOW.utc_ms, 60)},
        "-1 h", "1 min"),
    Bad("CLOCK_OFF", NOTE, CONTINUOUS, {"clock": NOW.plus(-3 * HOUR)}, "-3 h", "1 min"),
    Bad("ALARM_CRITICAL", SOFT, CONTINUOUS, {"alarms": (STALL,)}, "MOTOR_STALL",
        "no critical alarm"),
    Bad("ALARM_ACTIVE", NOTE, CONTINUOUS, {"alarms": (LOW,)}, "RESERVOIR_LOW", None),
    Bad("LOW_ALARM_CAPACITY", HARD, text(('"2 mL"', '"20 mL"')),
        {"capacity": Volume.parse("20 mL")}, "20 mL", "below 20 mL"),
    Bad("RESERVOIR_LOW", NOTE, CONTINUOUS, {"reservoir": Volume.parse("2 mL")}, "2 mL", "2 mL"),
    Bad("REFILL_OVERDUE", NOTE, CONTINUOUS, {"filled_at": NOW.plus(-181 * DAY_MS)},
        "2026-03-31", "2026-03-30"),
    Bad("BATTERY_LOW", NOTE, CONTINUOUS,
        {"battery": Battery(BatteryState.OK, NOW.date.plus(90))}, "ok", None),
    Bad("BATTERY_LOW", NOTE, CONTINUOUS,
        {"battery": Battery(BatteryState.ELECTIVE_REPLACEMENT, None)}, "eri", None),
    Bad("BOLUS_RUNNING", NOTE, CONTINUOUS, {"bolus": RUNNING}, "20 mcg", None),
]  # fmt: skip


@pytest.mark.requirement("LIM-04")
@pytest.mark.requirement("STP-03")
@pytest.mark.requirement("TIM-02")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_the_check_finds_it(case: Bad) -> None:
    found = findings(case.subject, **case.state)
    assert [(each.severity, each.value, each.limit) for each in named(found, case.name)] == [
        (case.severity, case.value, case.limit)
    ]
    others = {each.id for each in found if each.severity is HARD} - {case.name}
    assert not others, "one fault, one hard finding"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_without_the_check_it_would_pass(case: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    findings(CONTINUOUS)  # so that they are registered
    monkeypatch.delitem(pump_check.by_id, case.name)
    left = findings(case.subject, **case.state)
    assert not [
        each for each in left if each.severity is case.severity and each.id in pump_check.by_id
    ]


def test_every_check_has_its_case() -> None:
    findings(CONTINUOUS)
    assert {case.name for case in CASES} == set(pump_check.by_id)
    assert not set(pump_check.by_id) & set(check.by_id)


def test_the_same_program_on_its_own_pump_is_without_findings() -> None:
    assert findings(CONTINUOUS) == ()
    assert findings(FLEX, **FLEX_PUMP) == ()


def test_a_pump_that_does_not_know_its_fill() -> None:
    assert findings(CONTINUOUS, filled_at=None) == ()


def test_findings_of_a_file_stand_at_their_place() -> None:
    (found,) = findings(text(('"450', '"600')))
    assert (found.id, found.line, found.column) == ("DOSE_INCREASE", 15, 14)
    weekend = altered(
        FLEX, ('"00:00", basal = "14 mcg/h" } ]', '"00:00", basal = "10.84 mcg/h" } ]'),
        ('"376', '"300.16'), ('"216', '"200'),
    )  # fmt: skip
    (found,) = findings(weekend, **FLEX_PUMP)
    assert (found.id, found.line, found.value) == ("DOSE_REDUCTION", 31, "-20.2 %")
    assert "withdrawal" in found.message


@pytest.mark.requirement("LIM-04")
def test_changes_at_their_limit_pass() -> None:
    for dose in ("540", "360"):
        assert findings(text(('"450', f'"{dose}'))) == ()


@pytest.mark.requirement("LIM-04")
def test_one_day_up_and_one_day_down_are_both_told() -> None:
    swapped = flex([[(0, "25")], [(0, "12.5")], *[[(0, "18.75")]] * 5])
    found = check_change(swapped, pump(), station_now=NOW)
    assert ids(found) == ["DOSE_INCREASE", "DOSE_REDUCTION"]
    assert [each.value for each in found] == ["+33.3 %", "-33.3 %"]
    assert {each.line for each in found} == {None}


def test_to_minimum_rate_is_a_reduction() -> None:
    (found,) = findings(altered(MINIMUM, ('"500 mcg/mL"', '"2000 mcg/mL"')))
    assert (found.id, found.value) == ("DOSE_REDUCTION", "-78.7 %")


@pytest.mark.requirement("TIM-02")
def test_which_programs_a_wrong_clock_refuses() -> None:
    off = NOW.plus(61_000)
    boluses = [(day, 420, "10 mcg", "10 min") for day in range(7)]
    refused = [
        flex([[(0, "18.75")], *[[(0, "18.75")]] * 6]),
        even()._replace(boluses=flex([[(0, "1")]], boluses).boluses),
        flex([[(0, "19")]]),
    ]
    for program in refused:
        found = check_change(program, pump(clock=off), station_now=NOW)
        assert named(found, "CLOCK_DIFFERENCE") and not named(found, "CLOCK_OFF")
    for program in (even(), even("500 mcg/day"), minimum(), flex([[(0, "18")]])):
        found = check_change(program, pump(clock=off), station_now=NOW)
        assert not named(found, "CLOCK_DIFFERENCE") and named(found, "CLOCK_OFF")
    for apart in (0, 60_000, -60_000):
        found = check_change(refused[0], pump(clock=NOW.plus(apart)), station_now=NOW)
        assert not named(found, "CLOCK_DIFFERENCE") and not named(found, "CLOCK_OFF")


@pytest.mark.requirement("TIM-02")
def test_clocks_are_compared_as_their_faces_show() -> None:
    station = Moment.parse("2026-03-31T14:07:00+02:00")
    assert clock_difference_ms(Moment.parse("2026-03-31T14:07:05Z"), station) == 5_000
    assert clock_difference_ms(Moment.parse("2026-03-31T12:07:00Z"), station) == -2 * HOUR


@pytest.mark.requirement("STP-03")
def test_resuming_the_same_program() -> None:
    def resume(hours: float) -> list[str]:
        return ids(check_change(even(), pump(**stopped(hours)), station_now=NOW))

    assert resume(1) == ["STOPPED_SHORT"]
    assert resume(24) == ["STOPPED_LONG"]
    assert resume(72) == ["STOPPED_TOO_LONG"]
    delivering = pump(stopped_for=Duration.parse("72 h"))
    assert check_change(even(), delivering, station_now=NOW) == ()


@pytest.mark.requirement("STP-03")
def test_after_48_h_one_day_of_the_old_dose_is_too_much() -> None:
    old = even()
    one = flex([[(0, "18.75")], *[[(0, "16")]] * 6])
    assert "STOPPED_TOO_LONG" in ids(
        check_change(one, pump(program=old, **stopped(50)), station_now=NOW)
    )
    from_minimum = pump(program=minimum(), **stopped(50))
    start = even("200 mcg/day", fallback="150 mcg/day")
    assert ids(check_change(start, from_minimum, station_now=NOW)) == [
        "STOPPED_RESTART",
        "CHANGE_FROM_MINIMUM",
    ]
    more = even("200.001 mcg/day", fallback="150 mcg/day")
    assert "STOPPED_TOO_LONG" in ids(check_change(more, from_minimum, station_now=NOW))


def test_a_missing_history_is_soft_against_a_pump() -> None:
    (found,) = findings(text(('history = "established"\n', "")))
    assert (found.id, found.severity, found.line) == ("HISTORY_MISSING", SOFT, 3)


def test_a_new_profiles_placeholder_goes_to_no_pump() -> None:
    found = findings(text(('"P-0417"', '"CHANGE-ME"')), tag_hash=None)
    assert (found[0].id, found[0].severity) == ("TAG_PLACEHOLDER", HARD)


def test_a_profile_with_a_hard_fault_of_shape_keeps_it() -> None:
    assert ids(findings(text(("format = 1", "format = 2")))) == ["PROFILE_FORMAT"]


def test_tag_hashes() -> None:
    one = tag_hash("S1", "P-1")
    assert len(one) == TAG_HASH_SIZE
    assert len({one, tag_hash("S1", "P-2"), tag_hash("S2", "P-1"), tag_hash("S", "1P-1")}) == 4
    assert one.hex() == "5a9aed0fd2b579c9"  # of b"pumpctl tag\0S1\0P-1", by another tool


def test_the_sample_pump_is_a_value() -> None:
    assert isinstance(pump(), PumpState)
    assert hash(pump()) == hash(pump())
