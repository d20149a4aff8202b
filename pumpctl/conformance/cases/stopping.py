"""STOP, CANCEL_BOLUS and the way back (section 9, STP-01, STP-03)."""

from __future__ import annotations

from pumpctl.conformance.bench import NO_CHAIN, Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Delivery, Kind, Refuse, Result
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import program_hash


@case("P19-stop", "STOP stops, needs no staging, and is counted.")
def stop(bench: Bench) -> None:
    before = bench.status()
    done = bench.stop()
    same("kind", done.kind, Kind.STOP)
    same("state_version", done.state_version, before.state_version + 1)
    same("repeated", done.repeated, False)
    after = bench.status()
    same("delivery", after.delivery, Delivery.STOPPED)
    expect(after.stopped_for is not None, "stopped_for is missing")
    same("program_hash", after.program_hash, before.program_hash)


@case("P19-stop-repeat", "The same STOP again is DONE, and nothing is done again.")
def stop_repeat(bench: Bench) -> None:
    done = bench.stop()
    with bench.nothing_written():
        same("the repeated answer", bench.stop(done.operation), done._replace(repeated=True))
    bench.put(bench.samples.flat())
    with bench.nothing_written():
        same("the same after a resume", bench.stop(done.operation), done._replace(repeated=True))


@case("P19-stop-stopped", "A new id stops a stopped pump: counted, and the first stop goes on.")
def stop_stopped(bench: Bench) -> None:
    first = bench.stop()
    before = bench.status()
    second = bench.stop()
    same("state_version", second.state_version, first.state_version + 1)
    same("result", bench.operation(second.operation).result, Result.APPLIED)
    after = bench.status()
    told = after.stopped_for
    expect(told is not None and before.stopped_for is not None, "stopped_for is missing")
    passed = after.counter - before.counter
    same("stopped_for", told, (before.stopped_for or 0) + passed)


@case("P19-stop-pulses", "A stopped pump gives no pulse.")
def stop_pulses(bench: Bench) -> None:
    bench.stop()
    before = bench.status()
    for _ in range(5):
        bench.ping()
    after = bench.status()
    same("pulses", after.pulses, before.pulses)
    same("rate", after.rate, 0)


@case("P19-unrefused", "Nothing staged, no state version, no reading back stands in a stop's way.")
def unrefused(bench: Bench) -> None:
    bench.staged(bench.samples.flex())
    bench.stop()
    bench.stage(bench.samples.flex())
    bench.stop()
    bench.get(m.CancelBolus(bench.new_id(), NO_CHAIN), m.Done)


@case("P19-cancel", "CANCEL_BOLUS where none runs is DONE, takes its place, and raises nothing.")
def cancel(bench: Bench) -> None:
    before = bench.status()
    operation = bench.new_id()
    done = bench.get(m.CancelBolus(operation, NO_CHAIN), m.Done)
    same("kind", done.kind, Kind.CANCEL)
    same("delivered", done.delivered, 0)
    same("state_version", done.state_version, before.state_version)
    same("repeated", done.repeated, False)
    same("result", bench.operation(operation).result, Result.APPLIED)
    after = bench.status()
    same("program_hash", after.program_hash, before.program_hash)
    same("delivery", after.delivery, before.delivery)


@case("P19-cancel-repeat", "The same CANCEL_BOLUS again is DONE, and nothing is done again.")
def cancel_repeat(bench: Bench) -> None:
    asked = m.CancelBolus(bench.new_id(), NO_CHAIN)
    done = bench.get(asked, m.Done)
    with bench.nothing_written():
        same("the repeated answer", bench.get(asked, m.Done), done._replace(repeated=True))


def _resume(bench: Bench) -> StageResume:
    return StageResume(bench.tag, program_hash(bench.samples.flat()))


@case("P2-resume", "A resume is staged, read back and activated, and goes on with the program.")
def resume(bench: Bench) -> None:
    bench.stop()
    staged = bench.get(_resume(bench), m.Staged)
    same("kind of what is staged", staged.kind, Kind.RESUME)
    same("delivery until then", bench.status().delivery, Delivery.STOPPED)
    bench.get(m.GetReadback(), m.ProgramReadback)
    done = bench.get(bench.activation(staged), m.Done)
    same("kind", done.kind, Kind.RESUME)
    after = bench.status()
    same("delivery", after.delivery, Delivery.DELIVERING)
    same("program_hash", after.program_hash, program_hash(bench.samples.flat()))
    same("stopped_for", after.stopped_for, None)


@case("P8-not-stopped", "A pump that delivers takes no resume.")
def not_stopped(bench: Bench) -> None:
    with bench.nothing_written():
        bench.refused(_resume(bench), Refuse.NOT_STOPPED)


@case("P5-resume-hash", "A resume of another program than the stored one is HASH_MISMATCH.")
def resume_hash(bench: Bench) -> None:
    bench.stop()
    other = StageResume(bench.tag, program_hash(bench.samples.flex()))
    with bench.nothing_written():
        bench.refused(other, Refuse.HASH_MISMATCH)


@case("P5-resume-once", "A staged resume does not survive another stop.")
def resume_once(bench: Bench) -> None:
    bench.stop()
    staged = bench.get(_resume(bench), m.Staged)
    bench.get(m.GetReadback(), m.ProgramReadback)
    bench.stop()
    bench.refused(bench.activation(staged), Refuse.NOTHING_STAGED)
    same("delivery", bench.status().delivery, Delivery.STOPPED)


@case("P6-stopped", "A stopped pump stays stopped through reads, staging and discarding.")
def stays_stopped(bench: Bench) -> None:
    bench.stop()
    bench.staged(bench.samples.flex())
    bench.get(m.Discard(), m.Discarded)
    same("delivery", bench.status().delivery, Delivery.STOPPED)
