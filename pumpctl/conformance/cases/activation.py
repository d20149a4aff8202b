"""ACTIVATE: one check after another, then everything at once (section 9)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Delivery, Kind, Refuse, Result
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import program_hash

_WRONG = bytes(range(32))


@case("P5-done", "An activation answers DONE, and program and state version are the new ones.")
def done(bench: Bench) -> None:
    program, operation = bench.samples.flex(), bench.new_id()
    before = bench.status()
    told = bench.get(bench.activation(bench.staged(program), operation), m.Done)
    same("operation", told.operation, operation)
    same("kind", told.kind, Kind.PROGRAM)
    same("state_version", told.state_version, before.state_version + 1)
    same("repeated", told.repeated, False)
    after = bench.status()
    same("state_version of STATUS", after.state_version, told.state_version)
    same("program_hash of STATUS", after.program_hash, program_hash(program))
    same("delivery", after.delivery, Delivery.DELIVERING)
    same("PROGRAM", bench.get(m.GetProgram(), m.ProgramReport).program, program)
    expect(before.time <= told.at <= after.time, "`at` is not the moment of the activation")


@case("P5-whole", "Program, fallback and low-reservoir volume change together.")
def whole(bench: Bench) -> None:
    program = bench.samples.flex()._replace(
        fallback=bench.samples.rate(2), low_alarm=bench.samples.low_alarm // 2
    )
    bench.put(program)
    same("low_alarm of STATUS", bench.status().low_alarm, program.low_alarm)
    same("PROGRAM", bench.get(m.GetProgram(), m.ProgramReport).program, program)


@case("P5-nothing-staged", "Without staging there is nothing to activate.")
def nothing_staged(bench: Bench) -> None:
    staged = bench.staged(bench.samples.flex())
    bench.get(m.Discard(), m.Discarded)
    asked = bench.activation(staged)
    with bench.nothing_written(asked.operation):
        bench.refused(asked, Refuse.NOTHING_STAGED)


@case("P5-hash", "Another hash than the staged one's is refused as HASH_MISMATCH.")
def wrong_hash(bench: Bench) -> None:
    asked = bench.activation(bench.staged(bench.samples.flex()))
    near = asked.content[:-1] + bytes([asked.content[-1] ^ 1])
    for content in (_WRONG, near, bytes(32)):
        bench.refused(asked._replace(content=content), Refuse.HASH_MISMATCH)
    bench.get(asked, m.Done)


@case("P5-nonce", "Another nonce than this staging's is refused as NONCE.")
def wrong_nonce(bench: Bench) -> None:
    old = bench.stage(bench.samples.flex())
    asked = bench.activation(bench.staged(bench.samples.flex()))
    for nonce in (old.nonce, bytes(8)):
        bench.refused(asked._replace(nonce=nonce), Refuse.NONCE)
    bench.get(asked, m.Done)


@case("P5-read-back", "What was not read back in this staging is refused as NOT_READ_BACK.")
def read_back(bench: Bench) -> None:
    bench.staged(bench.samples.flex())  # read back, and then staged again
    asked = bench.activation(bench.stage(bench.samples.flex()))
    with bench.nothing_written(asked.operation):
        bench.refused(asked, Refuse.NOT_READ_BACK)
    bench.get(m.GetReadback(), m.ProgramReadback)
    bench.get(asked, m.Done)


@case("P5-state-version", "Any other state version than the pump's is refused as STATE_VERSION.")
def state_version(bench: Bench) -> None:
    asked = bench.activation(bench.staged(bench.samples.flex()))
    held = asked.state_version
    for wrong in (held - 1, held + 1, 0, 2**64 - 1):
        bench.refused(asked._replace(state_version=wrong), Refuse.STATE_VERSION)
    bench.get(asked, m.Done)


@case("P5-order", "Of several faults the first in the order of section 9 is named.")
def order(bench: Bench) -> None:
    asked = bench.activation(bench.stage(bench.samples.flex()))
    wrong = asked._replace(content=_WRONG, nonce=bytes(8), state_version=0)
    bench.refused(wrong, Refuse.HASH_MISMATCH)
    bench.refused(wrong._replace(content=asked.content), Refuse.NONCE)
    bench.refused(asked._replace(state_version=0), Refuse.NOT_READ_BACK)
    bench.get(m.GetReadback(), m.ProgramReadback)
    bench.refused(asked._replace(state_version=0), Refuse.STATE_VERSION)
    used = bench.get(asked, m.Done).operation
    bench.staged(bench.samples.long())
    bench.refused(wrong._replace(operation=used), Refuse.OPERATION_CONFLICT)
    void = bench.new_id()
    bench.get(m.Resolve(void), m.OperationReport)
    bench.refused(wrong._replace(operation=void), Refuse.OPERATION_VOID)


@case("P11-activation", "A refused activation writes nothing and takes no place in the ledger.")
def refused_writes_nothing(bench: Bench) -> None:
    asked = bench.activation(bench.staged(bench.samples.flex()))
    with bench.nothing_written(asked.operation):
        bench.refused(asked._replace(content=_WRONG), Refuse.HASH_MISMATCH)
        bench.refused(asked._replace(nonce=bytes(8)), Refuse.NONCE)
        bench.refused(asked._replace(state_version=0), Refuse.STATE_VERSION)
    bench.get(asked, m.Done)
    same("the ledger's word on it", bench.operation(asked.operation).result, Result.APPLIED)


@case("P11-refusal", "Refused staging, reading back and resuming write nothing.")
def refusals(bench: Bench) -> None:
    wrong = bench.samples.flat()._replace(low_alarm=bench.samples.capacity + 1)
    with bench.nothing_written():
        bench.refused(m.StageProgram(bench.tag, wrong), Refuse.RANGE)
        bench.refused(m.GetReadback(), Refuse.NOTHING_STAGED)
        held = program_hash(bench.samples.flat())
        bench.refused(StageResume(bench.tag, held), Refuse.NOT_STOPPED)
        bench.refused(m.Unpair(bytes(8)), Refuse.NOT_FOUND)


@case("P2-untouched", "Until the instant of activation the old program is delivered.")
def untouched(bench: Bench) -> None:
    before = bench.status()
    asked = bench.activation(bench.staged(bench.samples.flex()))
    bench.refused(asked._replace(nonce=bytes(8)), Refuse.NONCE)
    now = bench.status()
    same("program_hash", now.program_hash, before.program_hash)
    same("rate", now.rate, before.rate)
    bench.get(asked, m.Done)
    same("program_hash", bench.status().program_hash, program_hash(bench.samples.flex()))


@case("P2-ends-stop", "A program that is activated on a stopped pump is delivered.")
def ends_stop(bench: Bench) -> None:
    bench.stop()
    bench.put(bench.samples.flex())
    after = bench.status()
    same("delivery", after.delivery, Delivery.DELIVERING)
    same("stopped_for", after.stopped_for, None)
