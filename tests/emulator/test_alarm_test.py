"""The test of the alarm signal, on the pump's side: bounded, logged, and no real alarm's rival."""

from __future__ import annotations

import pytest

from pumpctl.emulator.acts import alarm_test
from pumpctl.emulator.acts.alarm_test import Signal, sounding
from pumpctl.emulator.edge.inspection import Sounding, inspect_core
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, LogKind, Priority, Refuse, Role
from tests.emulator.support import MINUTE, Bench, flex


def bench() -> Bench:
    made = Bench(concentration=2000)
    made.program(flex(concentration=2000))
    made.wait(MINUTE)
    return made


def refusal(pump: Bench, role: Role = Role.CLINICIAN) -> m.Refusal:
    before = (pump.core.flash_operations, pump.core.log.next)
    answer = pump.ask(m.AlarmTest(Priority.CRITICAL), role)
    assert isinstance(answer, m.Refusal)
    assert (pump.core.flash_operations, pump.core.log.next) == before
    return answer


@pytest.mark.requirement("ALM-02")
@pytest.mark.parametrize("priority", Priority)
def test_it_sounds_for_five_seconds_and_is_written_down(priority: Priority) -> None:
    pump = bench()
    before = pump.status()
    assert sounding(pump.core) is None
    assert pump.get(m.AlarmTest(priority), m.AlarmSounds) == m.AlarmSounds(priority, 5_000)
    entry = pump.entries()[-1]
    assert (entry.kind, entry.a, entry.b) == (LogKind.ALARM_TESTED, priority, 5_000)
    assert sounding(pump.core) == Signal(priority, None)
    pump.wait(4_999)
    assert sounding(pump.core) == Signal(priority, None)
    pump.wait(1)
    assert sounding(pump.core) is None
    after = pump.status()
    assert (after.alarms, after.state_version) == ((), before.state_version)


@pytest.mark.requirement("PMP-01")
def test_delivery_knows_nothing_of_it() -> None:
    quiet, loud = bench(), bench()
    for pump in (quiet, loud):
        for _ in range(30):
            if pump is loud:
                pump.get(m.AlarmTest(Priority.CRITICAL), m.AlarmSounds)
            pump.wait(MINUTE)
    assert quiet.status().pulses == loud.status().pulses > 0


def test_asked_again_it_begins_anew() -> None:
    pump = bench()
    pump.get(m.AlarmTest(Priority.CRITICAL), m.AlarmSounds)
    pump.wait(4_000)
    pump.get(m.AlarmTest(Priority.NONCRITICAL), m.AlarmSounds)
    pump.wait(4_000)
    assert sounding(pump.core) == Signal(Priority.NONCRITICAL, None)


@pytest.mark.requirement("ALM-02")
@pytest.mark.parametrize("code", [AlarmCode.BATTERY_RESET, AlarmCode.CLOCK_LOST])
def test_a_real_alarm_sounds_in_its_place_and_it_does_not_come_back(code: AlarmCode) -> None:
    pump = bench()
    pump.get(m.AlarmTest(Priority.NONCRITICAL), m.AlarmSounds)
    pump.core.put_alarm(code, True)
    signal = sounding(pump.core)
    assert signal is not None
    assert signal.why is code
    pump.core.put_alarm(code, False)
    assert sounding(pump.core) is None


@pytest.mark.requirement("ALM-02")
def test_of_two_alarms_the_critical_one_sounds() -> None:
    pump = bench()
    pump.core.put_alarm(AlarmCode.CLOCK_LOST, True)
    pump.core.put_alarm(AlarmCode.BATTERY_RESET, True)
    assert sounding(pump.core) == Signal(Priority.CRITICAL, AlarmCode.BATTERY_RESET)


@pytest.mark.requirement("ALM-02")
@pytest.mark.parametrize("code", [AlarmCode.BATTERY_RESET, AlarmCode.CLOCK_LOST])
def test_while_an_alarm_is_raised_there_is_no_test(code: AlarmCode) -> None:
    pump = bench()
    pump.core.put_alarm(code, True)
    told = refusal(pump)
    assert told.code is Refuse.ALARM_RAISED
    assert code.name in told.detail


@pytest.mark.requirement("ALM-02")
def test_without_that_refusal_a_test_would_be_written_over_an_alarm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pump = bench()
    pump.core.put_alarm(AlarmCode.BATTERY_RESET, True)
    monkeypatch.setattr(type(pump.core.engine.alarms), "raised", ())
    assert isinstance(pump.ask(m.AlarmTest(Priority.NONCRITICAL)), m.AlarmSounds)
    assert sounding(pump.core) == Signal(Priority.NONCRITICAL, None)  # of a pump that stalls


def test_not_during_a_self_test() -> None:
    pump = bench()
    pump.core.testing = True
    assert refusal(pump).code is Refuse.SELF_TEST


@pytest.mark.requirement("SEC-06")
def test_an_observer_may_not() -> None:
    assert refusal(bench(), Role.OBSERVER).code is Refuse.ROLE


def test_it_goes_on_in_another_process_and_ends_with_a_boot() -> None:
    pump = bench()
    pump.get(m.AlarmTest(Priority.CRITICAL), m.AlarmSounds)
    pump.attach()
    assert sounding(pump.core) == Signal(Priority.CRITICAL, None)
    pump.boot()
    assert sounding(pump.core) is None


def test_an_inspection_says_what_can_be_heard() -> None:
    pump = bench()
    assert inspect_core(pump.core, "ward").sounding is None
    pump.get(m.AlarmTest(Priority.NONCRITICAL), m.AlarmSounds)
    assert inspect_core(pump.core, "ward").sounding == Sounding("noncritical", "test")
    pump.core.put_alarm(AlarmCode.BATTERY_RESET, True)
    assert inspect_core(pump.core, "ward").sounding == Sounding("critical", "BATTERY_RESET")


def test_it_keeps_within_the_protocol_s_bound() -> None:
    assert alarm_test.LASTS_MS <= 10_000
