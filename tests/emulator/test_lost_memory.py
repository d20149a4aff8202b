"""What a pump does when its memory fails: a copy, the program, the fallback, the control block."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, Delivery, LogKind, Refuse, Role
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import program_hash
from tests.emulator.support import (
    DAY,
    HOUR,
    MINUTE,
    TAG,
    Bench,
    daily,
    flex,
    lose_program,
    op,
    paired,
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
    bench = running()
    for page in image.FALLBACK[bench.core.control.fallback_pair]:
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


@pytest.mark.requirement("PRG-07")
@pytest.mark.parametrize("noticed", ["running", "boot", "attach"])
def test_a_fallback_lost_after_its_program_stops_the_pump_once_and_says_so(noticed: str) -> None:
    bench = running()
    lose_program(bench)
    before = bench.status()
    assert before.delivery is Delivery.FALLBACK
    for page in image.FALLBACK[bench.core.control.fallback_pair]:
        bench.store.write(page * PAGE + 20, b"\x55\xaa\x55")
    if noticed == "running":
        bench.firmware.advance(HOUR)
    else:
        getattr(bench, noticed)()
    status = bench.status()
    assert (status.delivery, status.rate) == (Delivery.STOPPED, 0)
    assert (status.state_version, status.stopped_for) == (before.state_version + 1, 0)
    assert AlarmCode.MEMORY_BOTH_COPIES in [each.code for each in status.alarms]
    for _ in range(4):
        bench.boot()
        bench.firmware.advance(12 * HOUR)
    after = bench.status()
    assert (after.state_version, after.stopped_for) == (status.state_version, 48 * HOUR)
    assert after.pulses == status.pulses
    assert {AlarmCode.MEMORY_BOTH_COPIES, AlarmCode.STOPPED_TOO_LONG} <= {
        each.code for each in after.alarms
    }
    told = [(e.a, e.b) for e in bench.entries() if e.kind is LogKind.FALLBACK]
    assert told == [(100_000, before.state_version), (0, status.state_version)]


@pytest.mark.requirement("PRG-07")
def test_a_pump_whose_program_and_fallback_were_lost_while_it_was_off_stopped_when_it_woke() -> (
    None
):

    bench = Bench()
    bench.program(PROGRAM)
    control = bench.core.control
    for page in (*image.SLOTS[control.running], *image.FALLBACK[control.fallback_pair]):
        bench.store.write(page * PAGE + 30, b"\x55\xaa\x55")
    bench.host += 5 * HOUR
    pulses = bench.core.engine.motor.pulses
    bench.boot()
    assert bench.status().pulses == pulses
    assert bench.status().stopped_for == 5 * HOUR


@pytest.mark.requirement("PMP-02")
@pytest.mark.parametrize("what", ["slot", "fallback", "control", "implant"])
@pytest.mark.parametrize("copy", [0, 1])
def test_one_bad_copy_is_repaired_and_said(what: str, copy: int) -> None:
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
    bench = running()
    for page in image.FALLBACK[bench.core.control.fallback_pair]:
        bench.store.write(page * PAGE + 20, b"\x55\xaa\x55")
    bench.firmware.advance(HOUR)
    assert bench.core.fallbacks[bench.core.control.fallback_pair].read().good == 2


@pytest.mark.requirement("PMP-02")
def test_a_control_block_that_is_bad_in_both_copies_is_written_again_while_the_pump_runs() -> None:
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


@pytest.mark.requirement("BOL-03")
@pytest.mark.parametrize("last", ["stop", "resume", "pair", "hour", "cut"])
def test_a_lost_control_block_neither_turns_versions_back_nor_claims_a_whole_ledger(
    last: str,
) -> None:
    bench = running()
    bench.stop(7)
    planned = bench.status().state_version - 1
    if last == "resume":
        planned = bench.status().state_version
        resume(bench, 8)
    elif last == "pair":
        paired(bench)
    elif last == "hour":
        bench.firmware.advance(HOUR)
    elif last == "cut":  # committed, and its entries were kept out of the log
        bench.core.log.append = lambda raw: None
        planned = bench.status().state_version
        bench.stop(9)
    version = bench.core.control.state_version
    for place in image.CONTROL:
        for page in place:
            bench.store.write(page * PAGE + 20, b"\x55\xaa\x55")
    bench.boot()
    assert bench.status().state_version > version
    lost = bench.get(m.Resolve(op(7)), m.OperationReport)
    assert lost.reaches_back_to >= version > planned  # unknown: the log decides
    new = bench.status().state_version
    assert lost.reaches_back_to <= new  # what is planned from now on is in the ledger again


def test_a_pump_that_lost_its_always_on_memory_goes_on_from_the_log() -> None:
    bench = running()
    bench.firmware.advance(3 * DAY)
    before = bench.status()
    for page in image.RETAINED:
        bench.store.write(page * PAGE + 20, b"\x55\xaa\x55")
    bench.boot()
    status = bench.status()
    assert [each.code for each in status.alarms] == [
        AlarmCode.BATTERY_RESET,
        AlarmCode.CLOCK_LOST,
    ]
    assert (status.counter, status.pulses, status.reservoir, status.boot) == (
        before.counter,
        before.pulses,
        before.reservoir,
        before.boot + 1,
    )
    assert status.delivery is Delivery.DELIVERING
