"""Stop, resume, cancel a bolus: the short ways and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, Delivery, Kind, LogKind, Refuse, Role
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import program_hash
from tests.emulator.support import DAY, HOUR, MINUTE, MONDAY, TAG, Bench, daily, flex, op

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


def lose_program(bench: Bench) -> None:
    from pumpctl.emulator.flash import PAGE
    from pumpctl.emulator.image import SLOTS

    for page in SLOTS[bench.core.control.running]:
        bench.store.write(page * PAGE + 30, b"\x55\xaa\x55")
    bench.firmware.advance(HOUR)


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
def test_beyond_48_hours_only_a_program_starts_delivery_again() -> None:
    bench = running()
    bench.stop()
    bench.firmware.advance(48 * HOUR - 1)
    assert bench.status().alarms == ()
    staged = bench.get(StageResume(TAG, program_hash(PROGRAM)), m.Staged)
    bench.get(m.GetReadback(), m.ProgramReadback)
    bench.firmware.advance(1)
    assert code(bench.activate(staged, 2)) in (Refuse.STOPPED_TOO_LONG, Refuse.STAGE_EXPIRED)
    assert code(resume(bench, 2)) is Refuse.STOPPED_TOO_LONG
    assert [each.code for each in bench.status().alarms] == [AlarmCode.STOPPED_TOO_LONG]
    bench.program(flex(100_000), 3)
    status = bench.status()
    assert (status.delivery, status.alarms) == (Delivery.DELIVERING, ())


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


# --- PRG-07 -------------------------------------------------------------------------------


@pytest.mark.requirement("PRG-07")
@pytest.mark.requirement("PMP-02")
def test_with_both_copies_bad_the_fallback_rate_is_given_with_the_highest_alarm() -> None:
    bench = running()
    version = bench.status().state_version
    lose_program(bench)
    status = bench.status()
    assert (status.delivery, status.rate) == (Delivery.FALLBACK, 100_000)
    assert status.state_version == version + 1
    assert [each.code for each in status.alarms] == [AlarmCode.MEMORY_BOTH_COPIES]
    assert code(bench.ask(m.GetProgram())) is Refuse.FLASH
    pulses = status.pulses
    bench.firmware.advance(DAY)
    # 100 mcg of 500 mcg/mL, and the bolus of 20 mcg that was running goes on
    assert bench.status().pulses - pulses == 2000 + 400
    bench.boot()
    assert bench.status().delivery is Delivery.FALLBACK
    bench.program(flex(200_000), 2)
    status = bench.status()
    assert (status.delivery, status.alarms) == (Delivery.DELIVERING, ())


@pytest.mark.requirement("PRG-07")
def test_without_a_fallback_the_pump_stops_and_invents_no_dose() -> None:
    from pumpctl.emulator.flash import PAGE
    from pumpctl.emulator.image import FALLBACK

    bench = running()
    for page in FALLBACK[bench.core.control.fallback_pair]:
        bench.store.write(page * PAGE + 20, b"\x55\xaa\x55")
    lose_program(bench)
    status = bench.status()
    assert (status.delivery, status.rate) == (Delivery.STOPPED, 0)
    assert AlarmCode.MEMORY_BOTH_COPIES in [each.code for each in status.alarms]
    bench.boot()
    pulses = bench.status().pulses
    bench.firmware.advance(DAY)
    assert bench.status().pulses == pulses
    assert code(resume(bench, 2)) is Refuse.FLASH
    bench.program(flex(200_000), 3)
    assert bench.status().delivery is Delivery.DELIVERING


@pytest.mark.requirement("PMP-02")
@pytest.mark.parametrize("what", ["slot", "fallback", "control", "implant"])
@pytest.mark.parametrize("copy", [0, 1])
def test_one_bad_copy_is_repaired_and_said(what: str, copy: int) -> None:
    from pumpctl.emulator import image
    from pumpctl.emulator.flash import PAGE

    bench = running()
    control = bench.core.control
    page = {
        "slot": image.SLOTS[control.running],
        "fallback": image.FALLBACK[control.fallback_pair],
        "control": image.CONTROL[control.sequence % 2],
        "implant": image.IMPLANT,
    }[what][copy]
    bench.store.write(page * PAGE + 40, b"\x55\xaa\x55\x00")
    bench.boot()
    status = bench.status()
    assert [each.code for each in status.alarms] == [AlarmCode.MEMORY_ONE_COPY]
    assert status.delivery is Delivery.DELIVERING
    bench.boot()
    bench.firmware.advance(25 * HOUR)
    assert bench.status().alarms == ()


def test_a_lost_fallback_is_written_again_from_the_program() -> None:
    from pumpctl.emulator import image
    from pumpctl.emulator.flash import PAGE

    bench = running()
    for page in image.FALLBACK[bench.core.control.fallback_pair]:
        bench.store.write(page * PAGE + 20, b"\x55\xaa\x55")
    bench.firmware.advance(HOUR)
    assert bench.core.fallbacks[bench.core.control.fallback_pair].read().good == 2


@pytest.mark.requirement("PMP-02")
def test_a_control_block_that_is_bad_in_both_copies_is_written_again_while_the_pump_runs() -> None:
    from pumpctl.emulator import image
    from pumpctl.emulator.flash import PAGE

    bench = running()
    before = bench.core.control
    for page in image.CONTROL[before.sequence % 2]:
        bench.store.write(page * PAGE + 20, b"\x55\xaa\x55")
    bench.firmware.advance(HOUR)
    bench.boot()
    after = bench.core.control
    assert after._replace(sequence=0, entries=()) == before._replace(sequence=0, entries=())
    assert bench.core.controls.check(after).good == 2
    assert [each.code for each in bench.status().alarms] == [AlarmCode.MEMORY_ONE_COPY]
    assert bench.status().delivery is not Delivery.FALLBACK


def test_a_pump_that_lost_its_control_block_gives_the_fallback_and_can_be_paired_anew() -> None:
    from pumpctl.emulator import image
    from pumpctl.emulator.flash import PAGE
    from tests.emulator.support import paired

    bench = running()
    for place in image.CONTROL:
        for page in place:
            bench.store.write(page * PAGE + 20, b"\x55\xaa\x55")
    bench.boot()
    status = bench.status()
    assert (status.delivery, status.rate) == (Delivery.FALLBACK, 100_000)
    assert AlarmCode.MEMORY_BOTH_COPIES in [each.code for each in status.alarms]
    line = paired(bench, Role.ADMIN)
    staged = line.ask(m.StageProgram(TAG, flex(200_000)))
    assert isinstance(line.ask(m.GetReadback()), m.ProgramReadback)
    version = line.ask(m.GetStatus()).state_version
    done = line.ask(m.Activate(op(1), staged.content, version, staged.nonce, bytes(32)))
    assert isinstance(done, m.Done)
    assert bench.status().delivery is Delivery.DELIVERING


def test_a_pump_that_lost_its_always_on_memory_goes_on_from_the_log() -> None:
    from pumpctl.emulator import image
    from pumpctl.emulator.flash import PAGE

    bench = running()
    bench.firmware.advance(3 * DAY)
    before = bench.status()
    for page in image.RETAINED:
        bench.store.write(page * PAGE + 20, b"\x55\xaa\x55")
    bench.boot()
    status = bench.status()
    assert [each.code for each in status.alarms] == [AlarmCode.BATTERY_RESET]
    assert (status.counter, status.pulses, status.reservoir, status.boot) == (
        before.counter,
        before.pulses,
        before.reservoir,
        before.boot + 1,
    )
    assert status.delivery is Delivery.DELIVERING
