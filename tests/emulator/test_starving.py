"""Hours without drug, by a stall and a stop together: all of them count (STP-03)."""

from __future__ import annotations

import pytest

from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, Delivery, LogKind, Refuse
from tests.emulator.roads import act, alarms, at_100, code, done, logged, refill_of, stall
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, flex
from tests.emulator.test_stall import PULSE_MS, resume


@pytest.mark.requirement("STP-03")
def test_a_stall_that_ends_behind_a_stop_is_not_forgotten() -> None:
    """30 h of stall, a stop, and the motor free an hour later: a stopped motor shows nothing."""
    for hours, taken in ((17, True), (19, False)):
        bench = at_100()
        stall(bench, 31 * HOUR)
        bench.firmware.advance(30 * HOUR)
        bench.stop()
        bench.firmware.advance(hours * HOUR)
        answer = resume(bench)
        assert isinstance(answer, m.Done) if taken else code(answer) is Refuse.STOPPED_TOO_LONG
        if taken:
            assert (bench.status().delivery, alarms(bench)) == (Delivery.DELIVERING, set())


@pytest.mark.requirement("STP-03")
def test_a_stopped_pump_stays_stopped_and_takes_no_fallback() -> None:
    bench = at_100()
    stall(bench, None)
    bench.firmware.advance(PULSE_MS + 30 * HOUR)
    bench.stop()
    version = bench.status().state_version
    bench.firmware.advance(2 * DAY)
    assert AlarmCode.STOPPED_TOO_LONG in alarms(bench)
    assert bench.status().state_version == version
    assert logged(bench, LogKind.FALLBACK) == []


@pytest.mark.requirement("STP-03")
def test_a_stop_on_the_fallback_takes_no_alarm_back() -> None:
    """After 48 h of stall the alarm stays until a program is activated."""
    bench = at_100()
    stall(bench, 49 * HOUR)
    bench.firmware.advance(50 * HOUR)
    assert bench.status().delivery is Delivery.FALLBACK
    bench.stop()
    assert alarms(bench) == {AlarmCode.STOPPED_TOO_LONG}
    assert code(resume(bench)) is Refuse.STOPPED_TOO_LONG
    bench.firmware.advance(20 * MINUTE)
    assert isinstance(act(bench, m.StageProgram(TAG, flex(50_000)), 3), m.Done)
    assert (bench.status().delivery, alarms(bench)) == (Delivery.DELIVERING, set())


@pytest.mark.requirement("STP-03", "REF-08")
def test_two_days_without_drug_in_a_bridge_leave_a_way_back() -> None:
    """100 mcg/day in the bridge; a starting dose of 160 is more, and within 200."""
    bench = Bench(frozen=True)
    bench.program(flex(100_000))
    bench.firmware.advance(DAY)
    since = bench.core.engine.motor.pulses
    low = flex(100_000, concentration=2000)
    done(bench, refill_of(low, since, 500))
    more = flex(160_000, concentration=2000)
    assert code(bench.ask(m.StageProgram(TAG, more))) is Refuse.BRIDGE_RUNNING
    bench.stop(3)
    bench.firmware.advance(49 * HOUR)
    bench.program(more, 4)
    assert bench.status().delivery is Delivery.BRIDGE
