"""How real programmers of such pumps failed, replayed: each is stopped, and by which check.

The numbers are those of the list of failures in docs/safety.md. Here is what a profile, a
plan or a library can show; priming, bridge and refill are in `test_failures_refill`. The
rest lives in the pump and on the road to it:

| failure | where it is, or will be, shown |
|---|---|
| 3 an update that never finished | tests/workflows/test_interrupted.py (PRG-10, PRG-11) |
| 8 a sensor that lied: the pump's alarm | with the sensor's messages; the record's: refill |
| 9 after MRI: the pump's recovery | tests/cli/test_mri.py; its alarm: below |
| 13 a daylight-saving change on a pump | tests/emulator/test_delivery.py (TIM-03); below |
| 15 patient data in clear text | journal and records (SEC-08); a profile's: below |
"""

from __future__ import annotations

import pytest

from pumpctl.quantities import Concentration, Duration, Mass
from pumpctl.therapy.battery import replacement
from pumpctl.therapy.bolus import BolusOrder
from pumpctl.therapy.checks import check_change, check_program
from pumpctl.therapy.checks.boluses import check_bolus
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.curve import HOUR_MS
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.moment import MINUTE_MS, Date
from pumpctl.therapy.past import Ordered, Past
from pumpctl.therapy.patient import tag_hash
from pumpctl.therapy.state import Alarm, Battery, BatteryState, Delivery, Priority
from tests.therapy.checking import library, window
from tests.therapy.samples import (
    CONTINUOUS,
    FLEX,
    NOW,
    altered,
    even,
    flex,
    ids,
    minimum,
    named,
    profile,
    pump,
    read,
)

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
NOTHING = Course(())


def hard(text: str) -> list[str]:
    """The ids of the hard findings."""
    return [each.id for each in read(text).findings if each.severity is HARD]


def hard_of(findings: tuple[Finding, ...]) -> list[str]:
    """The same of other findings."""
    return [each.id for each in findings if each.severity is HARD]


def severities(findings: tuple[Finding, ...]) -> dict[str, Severity]:
    """What each finding is."""
    return {each.id: each.severity for each in findings}


# --- 1, 2, 14: slips while the program is written ---------------------------------------


@pytest.mark.parametrize("at", ['["00:07", "00:21", "6"]', '["every 6"]', "[6]", '["6 h"]'])
def test_1_hours_in_the_field_of_minutes(at: str) -> None:
    """There is no field of minutes: times are written out, and TIME_OF_DAY takes no other."""
    found = hard(altered(FLEX, ('["07:00", "21:00"]', at)))
    assert found in (["TIME_OF_DAY"], ["VALUE_KIND"])


def test_1_a_duration_in_hours_that_was_meant_in_minutes() -> None:
    """DOSE_DURATION beyond a day; below it BOLUS_OVERLAP, where boluses come closer than that."""
    assert "DOSE_DURATION" in hard(altered(FLEX, ('over = "10 min"', 'over = "30 h"')))
    assert set(hard(altered(FLEX, ('over = "10 min"', 'over = "10.5 h"')))) == {"BOLUS_OVERLAP"}


MORNING = altered(
    CONTINUOUS,
    ('mode = "continuous"\ndaily_dose = "450 mcg/day"', 'mode = "flex"'),
    ('"300 mcg/day"', '"200 mcg/day"'),
    ("[reservoir]", """\
[[program.day]]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
daily_dose = "396 mcg/day"
steps = [ { from = "00:00", basal = "14 mcg/h" } ]

[[program.bolus]]
dose = "60 mcg"
over = "1 h"
at = ["08:00"]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

[reservoir]"""),
)  # fmt: skip
"""60 mcg each morning, as it was meant."""
EVERY_HOUR = ", ".join(f'"{hour:02d}:00"' for hour in range(24))


@pytest.mark.requirement("UNI-02")
def test_2_each_morning_entered_as_every_hour() -> None:
    """DECLARED_DOSE: the writer's own total says 396 mcg, and the parts say 1776."""
    assert read(MORNING).findings == ()
    hourly = altered(MORNING, ('at = ["08:00"]', f"at = [{EVERY_HOUR}]"))
    assert hard(hourly) == ["DECLARED_DOSE"]
    (found,) = named(read(hourly).findings, "DECLARED_DOSE")
    assert (found.value, found.limit) == ("396 mcg/day", "1776 mcg/day")
    basal = altered(MORNING, ('"14 mcg/h"', '"60 mcg/h"'))
    assert hard(basal) == ["DECLARED_DOSE"]


def test_2_with_its_total_counted_wrongly_too() -> None:
    """W8, 1440 mcg/day written twice: DAILY_DOSE_SOFT and, on a pump, DOSE_INCREASE."""
    hourly = altered(
        CONTINUOUS, ('"450 mcg/day"', '"1440 mcg/day"'), ('"300 mcg/day"', '"800 mcg/day"')
    )
    assert severities(read(hourly).findings)["DAILY_DOSE_SOFT"] is SOFT
    found = check_change(profile(hourly), pump(program=even("60 mcg/day")), station_now=NOW)
    assert named(found, "DOSE_INCREASE")[0].value == "+2300 %"


@pytest.mark.requirement("UNI-02")
@pytest.mark.requirement("UNI-03")
@pytest.mark.parametrize(
    ("change", "stopped_by"),
    [
        (('"26 mcg/h"', '"26 mg/h"'), ["QUANTITY"]),  # mg for mcg
        (('"26 mcg/h"', '"260 mcg/h"'), ["DECLARED_DOSE", "RATE_HARD"]),  # out by ten
        (('"26 mcg/h"', '"2.6 mcg/h"'), ["FLOW_LOW", "DECLARED_DOSE"]),
        (('"26 mcg/h"', '".26 mcg/h"'), ["QUANTITY"]),  # a point that is not seen
        (('"26 mcg/h"', '"26 mcg/day"'), ["QUANTITY"]),  # per day for per hour
        (('dose = "20 mcg"', 'dose = "20 mg"'), ["DECLARED_DOSE", "FLOW_HIGH", "BOLUS_HARD"]),
        (('dose = "20 mcg"', 'dose = "200 mcg"'), ["DECLARED_DOSE"]),
        (('dose = "10 mcg"', 'dose = "10 mg"'), ["FLOW_HIGH", "PATIENT_DOSE_HARD"]),
        (('"438 mcg/day"', '"4380 mcg/day"'), ["DECLARED_DOSE"]),
    ],
)
def test_14_slips_of_unit_and_point(change: tuple[str, str], stopped_by: list[str]) -> None:
    """Each is hard, by the checks that stand beside it."""
    assert set(stopped_by) <= set(hard(altered(FLEX, change)))


@pytest.mark.parametrize(
    ("change", "asked_by"),
    [
        (('"216 mcg/day"', '"2160 mcg/day"'), "FALLBACK_HIGH"),
        (('"216 mcg/day"', '"96 mcg/day"'), "FALLBACK_LOW"),
        (('dose = "10 mcg"', 'dose = "100 mcg"'), "PATIENT_DOSE_SOFT"),
        (('dose = "10 mcg"', 'dose = "0.1 mcg"'), "PATIENT_DOSE_LOW"),
    ],
)
def test_14_slips_that_nothing_else_contradicts_need_a_reason(
    change: tuple[str, str], asked_by: str
) -> None:
    """What has no second figure beside it is held against limits on both sides."""
    text = altered(FLEX, change)
    assert not hard(text)
    assert severities(read(text).findings)[asked_by] is SOFT


def test_14_ten_times_the_dose_written_twice_is_soft_at_least() -> None:
    """DAILY_DOSE_HARD or DAILY_DOSE_SOFT; on a pump DOSE_INCREASE, and downwards DOSE_REDUCTION."""
    text = altered(CONTINUOUS, ('"450 mcg/day"', '"4500 mcg/day"'))
    assert hard(text) == ["DAILY_DOSE_HARD"]
    text = altered(CONTINUOUS, ('"450 mcg/day"', '"2000 mcg/day"'), ('"300 ', '"1000 '))
    assert ids(read(text).findings)[0] == "DAILY_DOSE_SOFT"
    for dose, name, value in (
        ("900", "DOSE_INCREASE", "+100 %"),
        ("45", "DOSE_REDUCTION", "-90 %"),
    ):
        slip = altered(CONTINUOUS, ('"450 ', f'"{dose} '))
        (found,) = named(check_change(profile(slip), pump(), station_now=NOW), name)
        assert (found.value, found.severity) == (value, SOFT)


def test_14_one_hour_out_by_ten_in_a_day_that_adds_up() -> None:
    """RATE_INCREASE and RATE_REDUCTION: the total is right, the hours are not."""
    old = flex([[(0, "14"), (360, "26"), (600, "15")]])
    new = flex([[(0, "14"), (360, "104"), (420, "4.4"), (600, "14.486"), (1439, "14.476")]])
    found = check_change(new, pump(program=old), station_now=NOW)
    assert {"RATE_INCREASE", "RATE_REDUCTION"} <= set(ids(found))
    assert not named(found, "DOSE_INCREASE") and not named(found, "DOSE_REDUCTION")


# --- 5, 6: a restart, and another concentration -----------------------------------------


@pytest.mark.requirement("STP-03")
def test_5_a_restart_after_days_without_the_drug() -> None:
    """STOPPED_TOO_LONG refuses the old dose and any above 200 mcg/day."""
    stopped = pump(delivery=Delivery.STOPPED, stopped_for=Duration.parse("7 d"))
    assert ids(check_change(profile(CONTINUOUS), stopped, station_now=NOW)) == ["STOPPED_TOO_LONG"]


@pytest.mark.requirement("STP-03")
@pytest.mark.requirement("LIM-09")
def test_5_a_pause_that_is_hidden_and_a_restart_that_is_raised_at_once() -> None:
    """The course shows the pause to STOPPED_TOO_LONG, and the fresh restart to FIRST_24H."""
    clock = pump().counter_ms
    before = (Ordered(clock - 900 * HOUR_MS, even()), Ordered(clock - 168 * HOUR_MS, None))
    past = Past((*before, Ordered(clock - MINUTE_MS, minimum())), 0, clock - 168 * HOUR_MS)
    idle = pump(program=minimum(), delivery=Delivery.MINIMUM)
    found = check_change(profile(CONTINUOUS), idle, station_now=NOW, past=past)
    assert hard_of(found) == ["STOPPED_TOO_LONG"]
    restart = Ordered(clock - HOUR_MS, even("150 mcg/day"))
    again = Past((*before, restart), 0, clock, begun_again=restart.at)
    low = pump(program=even("150 mcg/day"))
    found = check_change(profile(CONTINUOUS), low, station_now=NOW, past=again)
    assert hard_of(found) == ["FIRST_24H"]


def test_6_a_concentration_below_what_is_in_the_reservoir() -> None:
    """CONCENTRATION_OTHER: only a refill changes it."""
    weaker = altered(CONTINUOUS, ('"2000 mcg/mL"', '"500 mcg/mL"'))
    (found,) = check_change(profile(weaker), pump(), station_now=NOW)
    assert (found.id, found.severity) == ("CONCENTRATION_OTHER", HARD)
    other = pump(concentration=Concentration(1000))
    assert ids(check_change(profile(CONTINUOUS), other, station_now=NOW)) == ["CONCENTRATION_OTHER"]


# --- 7, 9, 13, 15: dates, alarms, clocks, names -----------------------------------------


@pytest.mark.requirement("REF-05")
def test_7_a_wrong_replace_by_date() -> None:
    """The station computes its own, the earliest counts, and BATTERY_LOW shows it in time."""
    told = replacement(Date.parse("2019-06-01"), told=Date.parse("2029-06-01"))
    assert told is not None and str(told.by) == "2026-06-01"
    state = pump(battery=Battery(BatteryState.OK, told.by))
    (found,) = named(check_change(even(), state, station_now=NOW), "BATTERY_LOW")
    assert "2026-06-01" in found.message


def test_9_a_pump_that_was_alarming_and_did_not_resume() -> None:
    """ALARM_CRITICAL: no dose is changed on a pump that may not deliver, without a reason."""
    stall = Alarm("MOTOR_STALL", Priority.CRITICAL, "the motor does not turn", NOW)
    found = check_change(even(), pump(alarms=(stall,)), station_now=NOW)
    assert severities(found) == {"ALARM_CRITICAL": SOFT}


@pytest.mark.requirement("TIM-02")
def test_13_a_clock_that_is_an_hour_off() -> None:
    """CLOCK_DIFFERENCE: clocks are compared as their faces show, summer time included."""
    summer = pump(program=profile(FLEX).program, clock=NOW._replace(offset_min=60))
    assert ids(check_change(profile(FLEX), summer, station_now=NOW)) == ["CLOCK_DIFFERENCE"]


@pytest.mark.requirement("LIM-09")
def test_13_a_clock_that_is_set_does_not_end_the_first_24_hours() -> None:
    """INCREASE_24H counts the pump's counter, which no clock moves."""
    counter = pump().counter_ms
    past = Past((Ordered(counter - 90 * HOUR_MS, even("400 mcg/day")),
                 Ordered(counter - 2 * HOUR_MS, even())), 0, counter)  # fmt: skip
    ahead = pump(clock=NOW.plus(2 * 24 * HOUR_MS))
    found = check_change(even("460 mcg/day"), ahead, station_now=ahead.clock, past=past)
    assert hard_of(found) == ["INCREASE_24H"]


def test_15_what_leaves_a_profile_is_no_name() -> None:
    """The pump stores eight bytes of a hash of its own serial and the clinic's tag."""
    stored = tag_hash("SP40-000123", "P-0417")
    assert len(stored) == 8 and b"P-0417" not in stored
    assert stored != tag_hash("SP40-000124", "P-0417")


# --- 16: a rule that only looks back ----------------------------------------------------

FULL = library(windows=(window("1 h", "65 mcg"),))
"""The published case: at most 65 in 60 min, a basal rate of 1/min."""
MINUTELY = even("1440 mcg/day", fallback="1000 mcg/day")
STARTED = Course([Piece(NOW.label_ms - 5 * MINUTE_MS, NOW.label_ms, 5_000)])


@pytest.mark.requirement("LIM-05")
def test_16_a_bolus_of_10_five_minutes_after_the_start() -> None:
    """BOLUS_ORDER_WINDOW: a look back finds 15 in the hour, the hour to come holds 70."""
    order = BolusOrder(Mass.parse("10 mcg"), Duration.parse("1 min"))
    state = pump(program=MINUTELY)
    found = check_bolus(order, state, past=STARTED, last_ended=None, now=NOW, library=FULL)
    assert named(found, "BOLUS_ORDER_WINDOW")[0].value == "70 mcg"


@pytest.mark.requirement("LIM-05")
def test_16_the_same_bolus_written_into_the_program() -> None:
    """WINDOW_HARD, whatever was given before; and with a dose of a while ago WINDOW_AHEAD_HARD."""
    boluses = flex([[(0, "1")]], [(1, 849, "10 mcg", "1 min")]).boluses
    found = check_program(MINUTELY._replace(boluses=boluses), FULL)
    assert named(found, "WINDOW_HARD")[0].value == "70 mcg"
    ten = STARTED + Course([Piece(NOW.label_ms - MINUTE_MS, NOW.label_ms, 10_000)])
    stopped = pump(program=MINUTELY, delivery=Delivery.STOPPED, stopped_for=Duration.parse("1 h"))
    past = Past((), 0, stopped.counter_ms, given=ten)
    found = check_change(MINUTELY, stopped, station_now=NOW, library=FULL, past=past)
    assert named(found, "WINDOW_AHEAD_HARD")[0].value == "70 mcg"
    assert "WINDOW_AHEAD_HARD" not in ids(
        check_change(MINUTELY, stopped, station_now=NOW, library=FULL)
    )
