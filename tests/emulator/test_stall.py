"""A motor that stands still, a scan, a cell at its end, a sensor that disagrees.

100 mcg/day at 500 mcg/mL are 2000 pulses a day, one in 43.2 s, each of 50 ng.
"""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.emulator.engine.battery import CELL, RESERVE
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.memory.image import RECORD, SLOTS
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, Battery, BolusKind, Delivery, LogKind, Refuse
from pumpctl.wire.messages_acts import StageBolus, StageResume
from pumpctl.wire.program import program_hash
from tests.emulator.roads import act, alarms, at_100, code, done, given, logged, refill_of, stall
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex, lose_program, op

PULSE_MS = 43_200


def resume(bench: Bench, number: int = 7) -> Any:
    return act(bench, StageResume(TAG, program_hash(flex(100_000))), number)


# --- minutes ------------------------------------------------------------------------------------


@pytest.mark.requirement("STP-03", "PMP-02")
def test_pulses_of_a_stall_are_lost_and_never_made_up() -> None:
    """30 min are 41 2/3 pulses; the motor is looked at every 20 min, so the alarm lasts 40."""
    bench = at_100()
    before = given(bench)
    stall(bench, 30 * MINUTE)
    bench.firmware.advance(PULSE_MS - 1)
    assert bench.status().delivery is Delivery.DELIVERING
    bench.firmware.advance(1)  # the first that does not come
    assert bench.status().delivery is Delivery.STALLED
    assert alarms(bench) == {AlarmCode.MOTOR_STALL}
    bench.firmware.advance(40 * MINUTE - PULSE_MS - 1)
    assert bench.status().delivery is Delivery.STALLED
    bench.firmware.advance(1)
    assert (bench.status().delivery, alarms(bench)) == (Delivery.DELIVERING, set())
    bench.firmware.advance(DAY - 40 * MINUTE)
    assert bench.core.engine.motor.lost == 41
    assert bench.status().pulses == 20_000 + 2_000 - 41
    assert given(bench) - before == 100_000 - 41 * 50
    raised, cleared = logged(bench, LogKind.ALARM_RAISED, LogKind.ALARM_CLEARED)
    assert (raised.a, cleared.a) == (AlarmCode.MOTOR_STALL, AlarmCode.MOTOR_STALL)
    assert cleared.counter - raised.counter == 40 * MINUTE - PULSE_MS


@pytest.mark.requirement("STP-03")
def test_the_schedule_goes_on_at_its_current_place() -> None:
    """72 mcg/day before noon, 144 after: 60 and 120 pulses an hour; at 12:30 12 mcg in 60 min."""
    bench = Bench(frozen=True)
    bench.program(flex(72_000, 144_000, boluses=daily((750, 12_000, 60 * MINUTE))))
    bench.firmware.advance(11 * HOUR)
    stall(bench, 2 * HOUR)
    bench.firmware.advance(2 * HOUR)
    assert bench.status().pulses == 11 * 60
    assert bench.status().rate == 144_000
    bench.firmware.advance(30 * MINUTE)
    # Half an hour of 120 an hour, and of the bolus's 240 what was left of its time
    assert bench.status().pulses == 11 * 60 + 60 + 120
    (ended,) = logged(bench, LogKind.BOLUS_ENDED)
    assert (ended.a, ended.b) == (12_000, 6_000)
    bench.firmware.advance(HOUR)
    assert bench.status().pulses == 11 * 60 + 60 + 120 + 120


@pytest.mark.requirement("STP-03")
def test_a_scheduled_bolus_inside_a_stall_has_given_nothing_and_does_not_come_again() -> None:
    bench = Bench(frozen=True)
    bench.program(flex(72_000, boluses=daily((120, 12_000, 30 * MINUTE))))
    bench.firmware.advance(HOUR)
    stall(bench, 3 * HOUR)
    bench.firmware.advance(22 * HOUR)
    (ended,) = logged(bench, LogKind.BOLUS_ENDED)
    assert (ended.a, ended.b) == (12_000, 0)
    assert bench.status().pulses == 23 * 60 - 3 * 60


# --- two days -----------------------------------------------------------------------------------


@pytest.mark.requirement("STP-03")
def test_after_47_h_59_of_stall_the_program_goes_on() -> None:
    bench = at_100()
    stall(bench, PULSE_MS + 47 * HOUR + 59 * MINUTE)
    bench.firmware.advance(48 * HOUR + 20 * MINUTE)
    status = bench.status()
    assert (status.delivery, status.alarms, status.state_version) == (Delivery.DELIVERING, (), 2)
    assert status.program_hash == program_hash(flex(100_000))
    assert logged(bench, LogKind.FALLBACK) == []


@pytest.mark.requirement("STP-03", "PRG-07")
def test_beyond_48_h_of_stall_it_is_the_fallback_until_somebody_programs() -> None:
    bench = Bench(frozen=True)
    bench.program(flex(100_000, fallback=50_000))
    stall(bench, 60 * HOUR)
    bench.firmware.advance(PULSE_MS + 48 * HOUR - 1)
    assert alarms(bench) == {AlarmCode.MOTOR_STALL}
    bench.firmware.advance(1)
    critical = {AlarmCode.MOTOR_STALL, AlarmCode.STOPPED_TOO_LONG}
    assert (alarms(bench), bench.status().state_version) == (critical, 3)
    (entry,) = logged(bench, LogKind.FALLBACK)
    assert (entry.a, entry.b) == (50_000, 3)
    assert bench.status().delivery is Delivery.STALLED
    bench.firmware.advance(12 * HOUR)  # the motor turns, and the old dose does not come back
    status = bench.status()
    for _ in range(3):
        status = bench.status()
        assert (status.delivery, status.rate) == (Delivery.FALLBACK, 50_000)
        assert alarms(bench) == {AlarmCode.STOPPED_TOO_LONG}
        bench.boot()
        bench.firmware.advance(DAY)
    assert bench.status().pulses - status.pulses == 1_000
    assert code(bench.ask(m.GetProgram())) is Refuse.FLASH
    assert code(bench.ask(StageResume(TAG, status.program_hash))) is Refuse.NOT_STOPPED
    assert code(bench.ask(StageBolus(TAG, BolusKind.SINGLE, 1_000, MINUTE))) is (
        Refuse.CRITICAL_ALARM
    )
    bench.program(flex(60_000), 3)
    status = bench.status()
    assert (status.delivery, status.alarms, status.rate) == (Delivery.DELIVERING, (), 60_000)


def test_a_refill_ends_it_as_well() -> None:
    bench = at_100()
    stall(bench, 50 * HOUR)
    bench.firmware.advance(51 * HOUR)
    assert bench.status().delivery is Delivery.FALLBACK
    done(bench, refill_of(flex(50_000), bench.status().pulses), 3)
    assert (bench.status().delivery, alarms(bench)) == (Delivery.DELIVERING, set())


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize(("stopped", "taken"), [(17 * HOUR, True), (18 * HOUR, False)])
def test_a_resume_counts_the_hours_of_a_stall_before_the_stop(stopped: int, taken: bool) -> None:
    """30 h and 43.2 s of stall, then a stop: without drug since the first lost pulse."""
    bench = at_100()
    stall(bench, None)
    bench.firmware.advance(PULSE_MS + 30 * HOUR)
    bench.stop()
    bench.firmware.advance(stopped)
    if taken:
        bench.core.world.clear()
        assert isinstance(resume(bench), m.Done)
        assert bench.status().delivery is Delivery.DELIVERING
    else:
        bench.firmware.advance(1)
        assert code(resume(bench)) is Refuse.STOPPED_TOO_LONG
        assert AlarmCode.STOPPED_TOO_LONG in alarms(bench)


# --- a scan -------------------------------------------------------------------------------------


def scan(bench: Bench) -> None:
    """An hour in the field, and half an hour for the pump to find out."""
    stall(bench, HOUR, FaultKind.MRI)
    bench.firmware.advance(90 * MINUTE)


@pytest.mark.requirement("STP-03")
def test_after_a_scan_the_motor_turns_again() -> None:
    bench = at_100()
    stall(bench, HOUR, FaultKind.MRI)
    bench.firmware.advance(40 * MINUTE)
    assert bench.status().delivery is Delivery.STALLED
    bench.firmware.advance(50 * MINUTE)
    assert (bench.status().delivery, alarms(bench)) == (Delivery.DELIVERING, set())


@pytest.mark.requirement("STP-03")
def test_a_pump_that_was_alarming_does_not_resume_until_something_is_activated() -> None:
    """C5.9."""
    bench = Bench(frozen=True, volume=200_000)
    bench.program(flex(100_000))
    bench.firmware.advance(2 * DAY)
    assert AlarmCode.EMPTY_RESERVOIR in alarms(bench)
    scan(bench)
    bench.firmware.advance(5 * HOUR)
    bench.boot()
    assert bench.status().delivery is Delivery.STALLED
    assert AlarmCode.MOTOR_STALL in alarms(bench)
    pulses = bench.status().pulses
    done(bench, refill_of(flex(100_000), pulses), 3)
    assert (bench.status().delivery, alarms(bench)) == (Delivery.DELIVERING, set())
    bench.firmware.advance(DAY)
    assert bench.status().pulses == pulses + 2_000


def test_stop_and_resume_start_a_stuck_motor_as_well() -> None:
    bench = at_100()
    bench.core.put_alarm(AlarmCode.BATTERY_RESET, True)
    bench.firmware.advance(MINUTE)
    scan(bench)
    assert bench.status().delivery is Delivery.STALLED
    bench.stop()
    assert isinstance(resume(bench), m.Done)
    assert bench.status().delivery is Delivery.DELIVERING


def test_in_the_field_an_activation_starts_nothing() -> None:
    bench = at_100()
    stall(bench, 3 * HOUR, FaultKind.MRI)
    bench.firmware.advance(HOUR)
    bench.program(flex(90_000), 3)
    assert bench.status().delivery is Delivery.STALLED
    bench.firmware.advance(2 * HOUR)
    assert bench.status().delivery is Delivery.DELIVERING


# --- the end of service -------------------------------------------------------------------------


def drain(bench: Bench, ppm: int) -> None:
    bench.core.engine.battery.drain_to(ppm, bench.core.clock.counter)
    bench.firmware.advance(0)


@pytest.mark.requirement("ALM-01")
def test_at_the_end_of_service_it_stops_by_itself_and_starts_no_more() -> None:
    bench = at_100()
    done(bench, StageBolus(TAG, BolusKind.SINGLE, 20_000, 10 * MINUTE), 2)
    bench.firmware.advance(4 * MINUTE)
    drain(bench, 0)
    status = bench.status()
    assert (status.delivery, status.state_version) == (Delivery.STOPPED, 4)
    assert status.battery is Battery.END_OF_SERVICE
    assert alarms(bench) == {AlarmCode.ELECTIVE_REPLACEMENT, AlarmCode.END_OF_SERVICE}
    (entry,) = logged(bench, LogKind.STOPPED)
    assert (entry.a, entry.b, entry.data) == (4, 0, bytes(20))
    assert bench.get(m.GetOperation(op(2)), m.OperationReport).delivered == 8_000
    for restart in (bench.attach, bench.boot):
        restart()
        assert bench.status().delivery is Delivery.STOPPED
        assert len(logged(bench, LogKind.STOPPED)) == 1
        for asked in (
            m.StageProgram(TAG, flex(50_000)),
            StageResume(TAG, program_hash(flex(100_000))),
            refill_of(flex(100_000), bench.status().pulses),
        ):
            assert code(bench.ask(asked)) is Refuse.CRITICAL_ALARM
    assert bench.stop(50).state_version == 5  # nothing refuses a stop


@pytest.mark.requirement("ALM-01")
def test_elective_replacement_comes_90_days_before() -> None:
    bench = at_100()
    # an eighth of the cell is the reserve
    assert RESERVE * 8 == CELL
    drain(bench, 125_000)
    at = bench.status().time
    assert alarms(bench) == {AlarmCode.ELECTIVE_REPLACEMENT}
    assert bench.status().battery is Battery.ELECTIVE_REPLACEMENT
    assert bench.status().replace_by == at + 90 * DAY
    assert bench.status().delivery is Delivery.DELIVERING
    bench.firmware.advance(90 * DAY - 1)
    assert bench.status().delivery is Delivery.DELIVERING
    bench.firmware.advance(1)
    assert bench.status().delivery is Delivery.STOPPED
    assert AlarmCode.END_OF_SERVICE in alarms(bench)


# --- a sensor -----------------------------------------------------------------------------------


@pytest.mark.requirement("PMP-03", "PMP-02")
def test_a_sensor_that_disagrees_is_said_and_changes_nothing() -> None:
    """C5.8, and C5.10: in a 40 mL pump more than 2 mL."""
    bench, control = at_100(model="SP40S"), at_100(model="SP40S")
    assert bench.status().sensed == bench.status().reservoir == 38_000_000
    now = bench.core.engine.world_time
    bench.core.world.add(Fault(FaultKind.SENSOR, now, None, -2_000_000))
    bench.firmware.advance(1)
    assert alarms(bench) == set()
    # An hour later 83 pulses are gone; by steps of 0.1 mL the sensor reads 35.9: 2.0917 less.
    bench.firmware.advance(HOUR)
    assert alarms(bench) == {AlarmCode.VOLUME_DISAGREES}
    assert (bench.status().sensed, bench.status().reservoir) == (35_900_000, 37_991_700)
    bench.firmware.advance(DAY)
    control.firmware.advance(DAY + HOUR + 1)
    assert bench.status().pulses == control.status().pulses
    bench.core.world.clear(FaultKind.SENSOR)
    bench.firmware.advance(HOUR)
    assert alarms(bench) == set()


def test_a_refill_clears_it_until_it_is_seen_anew() -> None:
    bench = at_100(model="SP40S")
    now = bench.core.engine.world_time
    bench.core.world.add(Fault(FaultKind.SENSOR, now, None, 3_000_000))
    bench.firmware.advance(HOUR)
    assert alarms(bench) == {AlarmCode.VOLUME_DISAGREES}
    done(bench, refill_of(flex(100_000), bench.status().pulses))
    assert alarms(bench) == set()
    bench.firmware.advance(HOUR)
    assert alarms(bench) == {AlarmCode.VOLUME_DISAGREES}


@pytest.mark.requirement("REF-01")
def test_a_pocket_fill_is_seen_by_a_sensor() -> None:
    bench = at_100(model="SP40S")
    bench.core.world.add(Fault(FaultKind.POCKET, 0, None, 3_000_000))
    done(bench, refill_of(flex(100_000), 20_000))
    assert (bench.status().reservoir, bench.status().sensed) == (40_000_000, 37_000_000)
    bench.firmware.advance(HOUR)
    assert alarms(bench) == {AlarmCode.VOLUME_DISAGREES}


# --- self-tests that repair ---------------------------------------------------------------------


@pytest.mark.requirement("PMP-02")
@pytest.mark.parametrize("copy", [0, 1])
@pytest.mark.parametrize("what", ["record", "bridged from"])
def test_a_bad_copy_is_written_again_within_the_hour(what: str, copy: int) -> None:
    bench = at_100()
    done(bench, refill_of(flex(100_000, concentration=2000), 20_000, 500))
    control = bench.core.control
    page, twin = {
        "record": (RECORD[control.record_pair], bench.core.records[control.record_pair]),
        "bridged from": (SLOTS[control.previous], bench.core.slots[control.previous]),
    }[what]
    bench.store.write(page[copy] * PAGE + 40, b"\x55\xaa\x55\x00")
    assert twin.read().good == 1
    bench.firmware.advance(HOUR)
    assert twin.read().good == 2
    assert alarms(bench) == {AlarmCode.MEMORY_ONE_COPY}
    assert bench.status().delivery is Delivery.BRIDGE
    bench.firmware.advance(24 * HOUR)
    assert alarms(bench) == set()


def test_a_record_that_is_bad_in_both_copies_is_written_again_while_the_pump_runs() -> None:
    bench = at_100()
    record = bench.core.record_in_force
    for page in RECORD[bench.core.control.record_pair]:
        bench.store.write(page * PAGE + 40, b"\x55\xaa\x55\x00")
    bench.firmware.advance(HOUR)
    assert alarms(bench) == {AlarmCode.MEMORY_ONE_COPY}
    bench.boot()
    assert bench.core.record_in_force == record


def test_a_lost_program_in_a_stall_is_the_fallback_at_once() -> None:
    bench = at_100()
    stall(bench, 10 * HOUR)
    bench.firmware.advance(HOUR)
    lose_program(bench)
    assert alarms(bench) == {AlarmCode.MOTOR_STALL, AlarmCode.MEMORY_BOTH_COPIES}
    bench.firmware.advance(9 * HOUR)
    assert bench.status().delivery is Delivery.FALLBACK
    assert alarms(bench) == {AlarmCode.MEMORY_BOTH_COPIES}
