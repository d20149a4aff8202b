"""Operation ids: applied at most once, void for ever, told when asked (section 9)."""

from __future__ import annotations

from pumpctl.conformance.bench import NO_CHAIN, Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Kind, Refuse, Result
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import program_hash

_LEDGER = 64


def _applied(bench: Bench) -> tuple[m.Activate, m.Done]:
    """An activation of the flex program, and what was answered."""
    asked = bench.activation(bench.staged(bench.samples.flex()))
    return asked, bench.get(asked, m.Done)


def _void(bench: Bench) -> bytes:
    operation = bench.new_id()
    told = bench.get(m.Resolve(operation), m.OperationReport)
    same("the result of RESOLVE", told.result, Result.VOID)
    return operation


@case("P9-repeat", "The same id and content again is DONE with the stored outcome, done once.")
def repeat(bench: Bench) -> None:
    asked, first = _applied(bench)
    bench.put(bench.samples.flat())
    with bench.nothing_written():
        again = bench.get(asked._replace(nonce=bytes(8), state_version=0), m.Done)
        same("the repeated answer", again, first._replace(repeated=True))


@case("P9-repeat-staged", "A repeated id leaves alone what is staged, and does not activate it.")
def repeat_staged(bench: Bench) -> None:
    asked, first = _applied(bench)
    bench.put(bench.samples.flat())
    bench.staged(bench.samples.flex())  # the same content as the one that was applied
    with bench.nothing_written():
        same("the repeated answer", bench.get(asked, m.Done), first._replace(repeated=True))


@case("P9-conflict", "The same id with other content is refused as OPERATION_CONFLICT.")
def conflict(bench: Bench) -> None:
    asked, first = _applied(bench)
    other = bench.activation(bench.staged(bench.samples.long()), asked.operation)
    with bench.nothing_written():
        bench.refused(other, Refuse.OPERATION_CONFLICT)
    told = bench.operation(asked.operation)
    same("content", told.content, asked.content)
    same("state_version", told.state_version, first.state_version)


@case("P9-kinds", "An id means one kind of act: STOP, CANCEL_BOLUS and ACTIVATE do not share it.")
def kinds(bench: Bench) -> None:
    asked, _ = _applied(bench)
    with bench.nothing_written():
        bench.refused(m.Stop(asked.operation, NO_CHAIN), Refuse.OPERATION_CONFLICT)
        bench.refused(m.CancelBolus(asked.operation, NO_CHAIN), Refuse.OPERATION_CONFLICT)
    stopped = bench.stop().operation
    other = bench.activation(bench.staged(bench.samples.flex()), stopped)
    bench.refused(other, Refuse.OPERATION_CONFLICT)
    bench.refused(m.CancelBolus(stopped, NO_CHAIN), Refuse.OPERATION_CONFLICT)


@case("P9-void", "RESOLVE makes an unknown id void, and nothing with it ever applies.")
def void(bench: Bench) -> None:
    late = bench.activation(bench.staged(bench.samples.flex()))
    before = bench.status()
    told = bench.get(m.Resolve(late.operation), m.OperationReport)
    same("result", told.result, Result.VOID)
    same("content", told.content, bytes(32))
    same("state_version of a void id", told.state_version, before.state_version)
    with bench.nothing_written():
        bench.refused(late, Refuse.OPERATION_VOID)
    same("the state version after RESOLVE", bench.status().state_version, before.state_version)


@case("P9-void-stop", "A void id stops nothing and cancels nothing.")
def void_stop(bench: Bench) -> None:
    operation = _void(bench)
    with bench.nothing_written():
        bench.refused(m.Stop(operation, NO_CHAIN), Refuse.OPERATION_VOID)
        bench.refused(m.CancelBolus(operation, NO_CHAIN), Refuse.OPERATION_VOID)


@case("P9-void-again", "RESOLVE of a void id says the same, and writes nothing more.")
def void_again(bench: Bench) -> None:
    operation = bench.new_id()
    first = bench.get(m.Resolve(operation), m.OperationReport)
    with bench.nothing_written():
        same("the second answer", bench.get(m.Resolve(operation), m.OperationReport), first)
        same("the answer to GET_OPERATION", bench.operation(operation), first)


@case("P9-resolve-applied", "RESOLVE of an applied id tells what it was, and voids nothing.")
def resolve_applied(bench: Bench) -> None:
    asked, first = _applied(bench)
    with bench.nothing_written():
        told = bench.get(m.Resolve(asked.operation), m.OperationReport)
    same("result", told.result, Result.APPLIED)
    same("content", told.content, asked.content)
    same("state_version", told.state_version, first.state_version)
    same("at", told.at, first.at)
    same("the repeated answer", bench.get(asked, m.Done), first._replace(repeated=True))


@case("P9-operation", "GET_OPERATION tells content, state version and time of an applied id.")
def operation_told(bench: Bench) -> None:
    asked, first = _applied(bench)
    told = bench.operation(asked.operation)
    same("result", told.result, Result.APPLIED)
    same("content", told.content, asked.content)
    same("state_version", told.state_version, first.state_version)
    same("at", told.at, first.at)
    stopped = bench.stop()
    told = bench.operation(stopped.operation)
    same("result of a stop", told.result, Result.APPLIED)
    same("content of a stop", told.content, bytes(32))
    same("kind in DONE of a stop", stopped.kind, Kind.STOP)


@case("P9-sixty-four", "The last 64 outcomes are held; `reaches_back_to` says what has gone.")
def sixty_four(bench: Bench) -> None:
    asked, first = _applied(bench)
    for _ in range(_LEDGER - 1):
        _void(bench)
    told = bench.operation(asked.operation)
    same("the result with 63 behind it", told.result, Result.APPLIED)
    expect(told.reaches_back_to < first.state_version, "reaches_back_to is above what is held")
    _void(bench)
    told = bench.operation(asked.operation)
    same("the result with 64 behind it", told.result, Result.ABSENT)
    same("reaches_back_to once it has gone", told.reaches_back_to, first.state_version)


@case("P9-version", "One activation, stop or resume raises the state version by one; reads never.")
def version(bench: Bench) -> None:
    start = bench.status().state_version
    same("after an activation", bench.put(bench.samples.flex()).state_version, start + 1)
    same("after a stop", bench.stop().state_version, start + 2)
    staged = bench.get(StageResume(bench.tag, program_hash(bench.samples.flex())), m.Staged)
    bench.get(m.GetReadback(), m.ProgramReadback)
    same("after staging", bench.status().state_version, start + 2)
    resumed = bench.get(bench.activation(staged), m.Done)
    same("after a resume", resumed.state_version, start + 3)
    _void(bench)
    same("after a voided id", bench.status().state_version, start + 3)
