"""The checks of a change, each against a pump that it must stop, and shown to be what stops it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.quantities import Concentration, Duration, Mass, Volume
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.checks.registry import check, pump_check
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.past import Past
from pumpctl.therapy.patient import TAG_HASH_SIZE, tag_hash
from pumpctl.therapy.program import Program
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
from tests.therapy import test_checks_label
from tests.therapy.changing import Bad, findings, finds, passes_without, text
from tests.therapy.checking import change, library, window
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
from tools.model import severities

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
HOUR = 3_600_000
OTHER_TAG = tag_hash("SP40-000123", "P-9999")
STALL = Alarm("MOTOR_STALL", Priority.CRITICAL, "the motor does not turn", NOW.plus(-HOUR))
LOW = Alarm("RESERVOIR_LOW", Priority.NON_CRITICAL, "2 mL left", NOW.plus(-HOUR))


def stopped(hours: float | None) -> dict[str, Any]:
    pause = None if hours is None else Duration(int(hours * 3600) * 1000)
    return {"delivery": Delivery.STOPPED, "stopped_for": pause}


FLEX_PUMP: dict[str, Any] = {"program": profile(FLEX).program}
RUNNING = RunningBolus("single", Mass(20_000), Mass(5_000), NOW, NOW.plus(600_000))

START = text(('"450', '"150'), ('"300 ', '"100 '))
UNEVEN = flex([[(0, "20"), (600, "10"), (601, "20")]])
"""A minute of 10 mcg/h at 10:00."""
UNEVEN_UP = flex([*[[(0, "20"), (600, "10"), (601, "20")]] * 3,
                  [(0, "20"), (600, "30.005"), (601, "20")],
                  *[[(0, "20"), (600, "10"), (601, "20")]] * 3])  # fmt: skip
UNEVEN_DOWN = flex([*[[(0, "20"), (600, "10"), (601, "20")]] * 6,
                    [(0, "20"), (601, "20"), (1439, "5.998")]])  # fmt: skip
STEADY = Past((), began=0, flowed=1_000_000)
LATELY = Past((), began=0, flowed=1_000_000, given=Course([
    Piece(NOW.label_ms - 10 * MINUTE_MS, NOW.label_ms - 5 * MINUTE_MS, 337_000)]))  # fmt: skip

CASES = [
    Bad("PUMP_OTHER", HARD, FLEX, {**FLEX_PUMP, "serial": "SP40-000124", "tag_hash": None},
        "SP40-000124", "SP40-000123"),
    Bad("PATIENT_OTHER", HARD, CONTINUOUS, {"tag_hash": OTHER_TAG},
        f"tag hash {OTHER_TAG.hex()}", f"tag hash {tag_hash('SP40-000123', 'P-0417').hex()}"),
    Bad("PATIENT_ASSIGNED", NOTE, CONTINUOUS, {"tag_hash": None}, "P-0417", None),
    Bad("DRUG_OTHER", HARD, CONTINUOUS, {"drug": "morphine"}, "baclofen", "morphine"),
    Bad("CONCENTRATION_OTHER", HARD, CONTINUOUS, {"concentration": Concentration(500)},
        "2000 mcg/mL", "500 mcg/mL"),
    Bad("DOSE_INCREASE", SOFT, text(('"450', '"540.001')), {}, "+20.01 %", "+20 %"),
    Bad("DOSE_INCREASE", HARD, text(('"450', '"540.001')), {}, "+20.01 %", "+20 %",
        library=library(daily_change=change(increase_soft="10 %", increase_hard="20 %"))),
    Bad("DOSE_REDUCTION", SOFT, text(('"450', '"359.999')), {}, "-20.01 %", "-20 %"),
    Bad("DOSE_REDUCTION", HARD, text(('"450', '"359.999')), {}, "-20.01 %", "-20 %",
        library=library(daily_change=change(reduction_soft="10 %", reduction_hard="20 %"))),
    Bad("RATE_INCREASE", SOFT, UNEVEN_UP, {"program": UNEVEN}, "+200.05 %", "+200 %"),
    Bad("RATE_INCREASE", HARD, UNEVEN_UP, {"program": UNEVEN}, "+200.05 %", "+50 %",
        library=library(rate_change=change(increase_hard="50 %"))),
    Bad("RATE_REDUCTION", SOFT, UNEVEN_DOWN, {"program": UNEVEN}, "-70.01 %", "-70 %"),
    Bad("RATE_REDUCTION", HARD, UNEVEN_DOWN, {"program": UNEVEN}, "-70.01 %", "-70 %",
        library=library(rate_change=change(reduction_soft="70 %", reduction_hard="70 %"))),
    Bad("WINDOW_AHEAD_HARD", HARD, text(('"450', '"451')), {}, "352.66 mcg", "350 mcg in any 1 h",
        LATELY),
    Bad("WINDOW_AHEAD_SOFT", SOFT, text(('"450', '"451')), {}, "352.66 mcg", "350 mcg in any 1 h",
        LATELY, library(windows=(window("1 h", "352.66 mcg", "350 mcg"),))),
    Bad("CHANGE_FROM_MINIMUM", NOTE, START,
        {"program": minimum(), "delivery": Delivery.MINIMUM}, None, None),
    Bad("CHANGE_FROM_MINIMUM", NOTE, START, {"program": None}, None, None),
    Bad("STOPPED_SHORT", NOTE, CONTINUOUS, stopped(11.9), "11 h", "12 h"),
    Bad("STOPPED_LONG", SOFT, CONTINUOUS, stopped(12), "12 h", "12 h"),
    Bad("STOPPED_LONG", SOFT, CONTINUOUS, stopped(48), "48 h", "12 h"),
    Bad("STOPPED_TOO_LONG", HARD, CONTINUOUS, stopped(48.1), "48 h", "48 h"),
    Bad("STOPPED_TOO_LONG", HARD, CONTINUOUS, stopped(None), "an unknown time", "48 h"),
    Bad("STOPPED_RESTART", SOFT, text(('"450', '"150')),
        {**stopped(49), "program": even("180 mcg/day")}, "49 h", "48 h"),
    Bad("STOPPED_TOO_LONG", HARD, text(('"450', '"449.999')), stopped(49), "49 h", "48 h"),
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
    finds(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_without_the_check_it_would_pass(case: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    passes_without(case, monkeypatch)


def test_every_check_has_its_case() -> None:
    findings(CONTINUOUS)
    elsewhere = {"LIBRARY_EXPIRED"}  # test_library_age
    cases = [*CASES, *test_checks_label.CASES]
    assert {case.name for case in cases} | elsewhere == set(pump_check.by_id)
    assert not set(pump_check.by_id) & set(check.by_id)


def test_the_table_of_checks_knows_the_severities() -> None:
    table = severities()
    for case in (*CASES, *test_checks_label.CASES):
        assert case.severity.value in table[case.name]


def test_the_same_program_on_its_own_pump_is_without_findings() -> None:
    assert findings(CONTINUOUS) == ()
    assert findings(FLEX, **FLEX_PUMP) == ()


def test_a_pump_that_does_not_know_its_fill() -> None:
    assert findings(CONTINUOUS, filled_at=None) == ()


def test_findings_of_a_file_stand_at_their_place() -> None:
    (found,) = findings(text(('"450', '"600')), STEADY)
    assert (found.id, found.line, found.column) == ("DOSE_INCREASE", 15, 14)
    weekend = altered(
        FLEX, ('"00:00", basal = "14 mcg/h" } ]', '"00:00", basal = "10.84 mcg/h" } ]'),
        ('"376', '"300.16'), ('"216', '"200'),
    )  # fmt: skip
    (found,) = findings(weekend, **FLEX_PUMP)
    assert (found.id, found.line, found.value) == ("DOSE_REDUCTION", 31, "-20.18 %")
    assert "withdrawal" in found.message


@pytest.mark.requirement("LIM-04")
def test_changes_at_their_limit_pass() -> None:
    for dose in ("540", "360"):
        assert findings(text(('"450', f'"{dose}')), STEADY) == ()


@pytest.mark.requirement("LIM-04")
def test_rates_are_compared_minute_by_minute() -> None:
    found = findings(UNEVEN_UP, program=UNEVEN)
    (seen,) = named(found, "RATE_INCREASE")
    assert "from thu 10:00 on the basal rate rises from 10 mcg/h to 30.005 mcg/h" in seen.message
    (seen,) = named(findings(UNEVEN_DOWN, program=UNEVEN), "RATE_REDUCTION")
    assert "from sun 23:59 on the basal rate falls from 20 mcg/h to 5.998 mcg/h" in seen.message
    assert "withdrawal" in seen.message
    at_limit = [[(0, "20"), (600, "30"), (601, "6")]] * 7
    assert {"RATE_INCREASE", "RATE_REDUCTION"}.isdisjoint(
        ids(findings(flex(at_limit), program=UNEVEN))
    )
    assert not named(findings(UNEVEN_UP, program=minimum()), "RATE_INCREASE")
    peak = altered(FLEX, ('basal = "26 mcg/h"', 'basal = "99 mcg/h"'), ('"438 ', '"730 '))
    (seen,) = named(findings(peak, **FLEX_PUMP), "RATE_INCREASE")
    assert seen.value == "+280.77 %" and seen.line is not None
    assert '"99 mcg/h"' in peak.split("\n")[seen.line - 1]


@pytest.mark.requirement("LIM-04")
def test_a_rate_that_moves_with_its_day_is_told_of_the_day() -> None:
    tripled = text(('"450', '"1351'), ('"300 ', '"900 '))
    assert [each.id for each in findings(tripled) if each.id.startswith(("DOSE", "RATE"))] == [
        "DOSE_INCREASE"
    ]
    hard = library(rate_change=change(increase_hard="100 %"))
    names = [each.id for each in findings(tripled, None, hard) if each.severity is HARD]
    assert names == ["RATE_INCREASE"], "a hard one is told beside a soft day"
    # the same day without its boluses: only the rate moves, by more than 200 %
    boluses = [(day, 420, "310 mcg", "1 h") for day in range(7)]
    before = even("140 mcg/day")._replace(boluses=flex([[(0, "1")]], boluses).boluses)
    (seen,) = named(findings(CONTINUOUS, program=before), "RATE_INCREASE")
    assert (seen.value, seen.line) == ("+221.43 %", 15)


@pytest.mark.requirement("LIM-05")
def test_what_the_schedule_alone_overfills_is_told_of_the_schedule() -> None:
    twice = [(day, at, "175 mcg", "10 min") for day in range(7) for at in (420, 450)]
    full = even("100 mcg/day")._replace(boluses=flex([[(0, "1")]], twice).boluses)
    lately = LATELY._replace(given=Course([
        Piece(NOW.label_ms - 10 * MINUTE_MS, NOW.label_ms - 5 * MINUTE_MS, 348_000)]))  # fmt: skip
    names = ids(findings(full, lately, program=even("50 mcg/day")))
    assert "WINDOW_HARD" in names and "WINDOW_AHEAD_HARD" not in names


@pytest.mark.requirement("LIM-05")
def test_after_a_stop_what_was_given_before_it_counts() -> None:
    subject, state = text(('"450', '"449')), stopped(0.1)
    names = ids(findings(subject, LATELY, **state))
    assert "WINDOW_AHEAD_HARD" in names, "going on is what fills the window"
    assert "WINDOW_AHEAD_HARD" not in ids(findings(subject, LATELY)), "less than without a change"
    assert "WINDOW_AHEAD_HARD" not in ids(findings(subject, None, **state))
    assert "WINDOW_AHEAD_HARD" not in ids(findings(subject, LATELY._replace(given=None), **state))


@pytest.mark.requirement("LIM-04")
def test_one_day_up_and_one_day_down_are_both_told() -> None:
    swapped = flex([[(0, "25")], [(0, "12.5")], *[[(0, "18.75")]] * 5])
    found = check_change(swapped, pump(), station_now=NOW, past=STEADY)
    assert ids(found) == ["DOSE_INCREASE", "DOSE_REDUCTION"]
    assert [each.value for each in found] == ["+33.34 %", "-33.34 %"]
    assert {each.line for each in found} == {None}


@pytest.mark.requirement("LIM-04")
@given(
    rates=st.lists(st.integers(4, 60), min_size=1, max_size=6),
    shares=st.lists(st.integers(0, 100), min_size=6, max_size=6),
    bolus=st.integers(1, 300),
    share=st.integers(1, 100),
    given_before=st.integers(0, 400_000),
)
def test_no_reduction_is_ever_stopped_by_the_limits_that_ship(
    rates: list[int], shares: list[int], bolus: int, share: int, given_before: int
) -> None:
    def week(rates: list[int], dose: int) -> Program:
        steps = [(60 * at, str(rate)) for at, rate in enumerate(rates)]
        return flex([steps], [(day, 870, f"{dose} mcg", "10 min") for day in range(7)])

    old = week(rates, bolus)
    lower = [4 + (rate - 4) * part // 100 for rate, part in zip(rates, shares, strict=False)]
    new = week(lower, max(1, bolus * share // 100))
    before = Course([Piece(NOW.label_ms - HOUR, NOW.label_ms, given_before)])
    past = LATELY._replace(given=before)
    found = findings(new, past, program=old)
    assert not {each.id for each in found if each.severity is HARD} & set(pump_check.by_id)


def test_to_minimum_rate_is_a_reduction() -> None:
    (found,) = findings(altered(MINIMUM, ('"500 mcg/mL"', '"2000 mcg/mL"')))
    assert (found.id, found.value) == ("DOSE_REDUCTION", "-78.67 %")


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
