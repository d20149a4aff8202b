"""Stop, resume, cancel a bolus: the short ways and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, Delivery, Kind, LogKind, Refuse
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import program_hash
from tests.emulator.support import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    TAG,
    Bench,
    daily,
    flex,
    lose_program,
    op,
)

PROGRAM = flex(300_000, 500_000, boluses=daily((60, 20_000, 30 * MINUTE)))


def running(**more: Any) -> Bench:
    bench = Bench(frozen=True, **more)
    bench.program(PROGRAM)
    return bench


def resume(bench: Bench, operation: int, tag: bytes = TAG) -> Any:
    staged = bench.ask(StageResume(tag, program_hash(PROGRAM)))
    if not isinstance(staged, m.Staged):
        return staged
    bench.get(m.GetReadback(), m.ProgramReadback)
    return bench.activate(staged, operation)


def code(answer: Any) -> Refuse:
    assert isinstance(answer, m.Refusal), answer
    return answer.code


@pytest.mark.requirement("STP-01")
def test_stop_is_one_message_and_may_be_repeated() -> None:
    bench = running()
    version = bench.status().state_version
    done = bench.stop(50)
    assert (done.kind, done.state_version, done.repeated) == (Kind.STOP, version + 1, False)
    for _ in range(3):
        assert bench.stop(50) == done._replace(repeated=True)
    status = bench.status()
    assert (status.delivery, status.rate, status.stopped_for) == (Delivery.STOPPED, 0, 0)
    bench.firmware.advance(5 * HOUR)
    assert bench.status().pulses == status.pulses
    assert bench.status().stopped_for == 5 * HOUR
    again = bench.stop(51)  # another id: written down, and the first stop still counts
    assert again.state_version == version + 2
    assert bench.status().stopped_for == 5 * HOUR


@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize("state", ["staged", "bolus", "stopped", "fallback", "empty", "alarm"])
def test_stop_is_taken_in_every_state(state: str) -> None:
    bench = running(volume=1_000_000)
    if state == "staged":
        bench.stage(flex())
    elif state == "bolus":
        bench.firmware.advance(70 * MINUTE)
    elif state == "stopped":
        bench.stop(7)
        bench.firmware.advance(3 * DAY)
    elif state == "fallback":
        lose_program(bench)
    elif state in ("empty", "alarm"):
        bench.firmware.advance(3 * DAY)
    bench.stop(50)
    assert bench.status().delivery is Delivery.STOPPED
    assert bench.status().staged is None
    bench.boot()
    assert bench.status().delivery is Delivery.STOPPED


def test_a_stop_ends_a_running_bolus_with_what_it_gave() -> None:
    bench = running()
    bench.firmware.advance(70 * MINUTE)
    bench.stop()
    assert bench.status().bolus is None
    ended = [e for e in bench.entries() if e.kind is LogKind.BOLUS_ENDED]
    assert [(e.a, e.b) for e in ended] == [(20_000, 6_667)]


@pytest.mark.requirement("STP-03")
def test_resume_goes_on_at_the_current_place_and_never_catches_up() -> None:
    bench, control = running(), running()
    bench.firmware.advance(30 * MINUTE)
    control.firmware.advance(30 * MINUTE)
    pulses = bench.status().pulses
    bench.stop()
    for each in (bench, control):
        each.firmware.advance(13 * HOUR)
    before = control.status().pulses
    done = resume(bench, 2)
    assert (done.kind, bench.status().delivery) == (Kind.RESUME, Delivery.DELIVERING)
    assert bench.status().rate == 500_000
    for each in (bench, control):
        each.firmware.advance(5 * HOUR)
    gained = bench.status().pulses - pulses
    assert abs(gained - (control.status().pulses - before)) <= 1
    missed = [e for e in bench.entries() if e.kind is LogKind.BOLUS_MISSED]
    assert [e.time for e in missed] == [MONDAY + HOUR]
    resumed = next(e for e in bench.entries() if e.kind is LogKind.RESUMED)
    assert resumed.b == 13 * HOUR


def test_a_resume_is_read_back_as_the_program_that_it_returns_to() -> None:
    bench = running()
    bench.stop()
    bench.get(StageResume(TAG, program_hash(PROGRAM)), m.Staged)
    seen = bench.get(m.GetReadback(), m.ProgramReadback)
    assert (seen.kind, seen.program, seen.tag) == (Kind.RESUME, PROGRAM, TAG)
    assert seen.days[0].dose == 420_000


def test_what_cannot_be_resumed() -> None:
    bench = running()
    assert code(resume(bench, 2)) is Refuse.NOT_STOPPED
    bench.stop()
    assert code(bench.ask(StageResume(TAG, bytes(32)))) is Refuse.HASH_MISMATCH
    assert code(resume(bench, 2, b"patient2")) is Refuse.PATIENT_TAG


@pytest.mark.requirement("STP-03")
def test_at_exactly_48_hours_the_old_dose_may_still_be_resumed() -> None:
    bench = running()
    bench.stop()
    bench.firmware.advance(48 * HOUR)
    assert isinstance(resume(bench, 2), m.Done)
    assert bench.status().delivery is Delivery.DELIVERING


@pytest.mark.requirement("STP-03")
def test_one_millisecond_beyond_48_hours_only_a_program_starts_delivery_again() -> None:
    bench = running()
    bench.stop()
    bench.firmware.advance(48 * HOUR - 1)
    assert bench.status().alarms == ()
    bench.firmware.advance(1)
    staged = bench.get(StageResume(TAG, program_hash(PROGRAM)), m.Staged)
    bench.get(m.GetReadback(), m.ProgramReadback)
    bench.firmware.advance(1)
    assert code(bench.activate(staged, 2)) is Refuse.STOPPED_TOO_LONG
    assert code(resume(bench, 2)) is Refuse.STOPPED_TOO_LONG
    assert [each.code for each in bench.status().alarms] == [AlarmCode.STOPPED_TOO_LONG]
    bench.program(flex(100_000), 3)
    status = bench.status()
    assert (status.delivery, status.alarms) == (Delivery.DELIVERING, ())


def test_a_resume_gives_a_pump_without_a_patient_none() -> None:
    bench = Bench(frozen=True)
    bench.stop()
    staged = bench.get(StageResume(bytes(8), bench.status().program_hash), m.Staged)
    bench.get(m.GetReadback(), m.ProgramReadback)
    assert isinstance(bench.activate(staged, 2), m.Done)
    assert bench.status().tag is None
    assert LogKind.PATIENT_ASSIGNED not in [e.kind for e in bench.entries()]
    bench.program(PROGRAM, 3)  # the first patient may still come
    assert bench.core.control.tag == TAG
    bench.stop(4)
    assert code(resume(bench, 5, bytes(8))) is Refuse.PATIENT_TAG
    assert isinstance(resume(bench, 5), m.Done)
    assert bench.core.control.tag == TAG
    assert [e.kind for e in bench.entries()].count(LogKind.PATIENT_ASSIGNED) == 1


def test_cancelling_ends_the_bolus_and_nothing_else() -> None:
    bench = running()
    bench.firmware.advance(75 * MINUTE)
    version = bench.status().state_version
    done = bench.get(m.CancelBolus(op(9), bytes(32)), m.Done)
    assert (done.kind, done.delivered, done.state_version) == (Kind.CANCEL, 10_000, version + 1)
    assert bench.get(m.CancelBolus(op(9), bytes(32)), m.Done) == done._replace(repeated=True)
    status = bench.status()
    assert (status.delivery, status.bolus, status.rate) == (Delivery.DELIVERING, None, 300_000)
    bench.firmware.advance(DAY)
    assert [e.kind for e in bench.entries()].count(LogKind.BOLUS_STARTED) == 2
    report = bench.get(m.GetOperation(op(9)), m.OperationReport)
    assert report.delivered == 10_000


def test_cancelling_nothing_is_done_and_says_nothing_was_given() -> None:
    bench = running()
    version = bench.status().state_version
    done = bench.get(m.CancelBolus(op(9), bytes(32)), m.Done)
    assert (done.delivered, done.state_version, done.repeated) == (0, version, False)
