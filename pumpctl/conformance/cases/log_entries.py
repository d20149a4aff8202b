"""What the pump writes down when something happens (section 14)."""

from __future__ import annotations

from pumpctl.conformance.bench import NO_CHAIN, OF_TIME, Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Kind, LogKind
from pumpctl.wire.logentry import LogEntry

_DISCARDED = 0x0E89
_REPLACED = 0x103B
_STOPPED = 0x1398


def _new(bench: Bench, first: int) -> list[LogEntry]:
    """What was written since, but for what time brings."""
    return [entry for entry in bench.entries(first) if entry.kind not in OF_TIME]


def _one(entries: list[LogEntry], kind: LogKind) -> LogEntry:
    found = [entry for entry in entries if entry.kind is kind]
    expect(len(found) == 1, f"{len(found)} entries of {kind.name}, not one")
    return found[0]


def _head(entry: LogEntry) -> bytes:
    return entry.a.to_bytes(8, "big") + entry.b.to_bytes(8, "big") + entry.data[:16]


@case("P16-activated", "ACTIVATED holds version, kind, id and the start of the content.")
def activated(bench: Bench) -> None:
    asked = bench.activation(bench.staged(bench.samples.flex()))
    first = bench.status().log_next
    done = bench.get(asked, m.Done)
    entry = _one(_new(bench, first), LogKind.ACTIVATED)
    same("a", entry.a, done.state_version)
    same("b", entry.b, int(Kind.PROGRAM))
    same("data", entry.data, asked.operation + asked.content[:4])
    same("time", entry.time, done.at)


@case("P16-chain-head", "CHAIN_HEAD keeps the station's chain behind the entry of its request.")
def chain_head(bench: Bench) -> None:
    chain = bench.talk.entropy(32)
    asked = bench.activation(bench.staged(bench.samples.flex()))._replace(chain=chain)
    first = bench.status().log_next
    bench.get(asked, m.Done)
    same("what CHAIN_HEAD holds", _head(_one(_new(bench, first), LogKind.CHAIN_HEAD)), chain)
    first = bench.status().log_next
    bench.get(m.Stop(bench.new_id(), chain), m.Done)
    new = _new(bench, first)
    same("CHAIN_HEAD of a stop", _head(_one(new, LogKind.CHAIN_HEAD)), chain)
    same("the entry behind STOPPED", new[-1].kind, LogKind.CHAIN_HEAD)


@case("P16-no-chain", "A chain of zeros is not written down.")
def no_chain(bench: Bench) -> None:
    first = bench.status().log_next
    bench.put(bench.samples.flex())
    bench.get(m.CancelBolus(bench.new_id(), NO_CHAIN), m.Done)
    kinds = [entry.kind for entry in _new(bench, first)]
    expect(LogKind.CHAIN_HEAD not in kinds, "a CHAIN_HEAD of nothing")


@case("P16-stopped", "STOPPED and RESUMED hold version and id, and how long it was.")
def stopped(bench: Bench) -> None:
    first = bench.status().log_next
    done = bench.stop()
    entry = _one(_new(bench, first), LogKind.STOPPED)
    same("a of STOPPED", entry.a, done.state_version)
    same("data of STOPPED", entry.data, done.operation + bytes(4))
    first = bench.status().log_next
    again = bench.put(bench.samples.flex())
    new = _new(bench, first)
    resumed = _one(new, LogKind.RESUMED)
    same("a of RESUMED", resumed.a, again.state_version)
    same("b of RESUMED", resumed.b, resumed.counter - entry.counter)
    same("data of RESUMED", resumed.data, again.operation + bytes(4))
    expect(resumed.number > _one(new, LogKind.ACTIVATED).number, "RESUMED is before ACTIVATED")


@case("P16-voided", "VOIDED holds the id and the state version.")
def voided(bench: Bench) -> None:
    operation, before = bench.new_id(), bench.status()
    bench.get(m.Resolve(operation), m.OperationReport)
    entry = _one(_new(bench, before.log_next), LogKind.VOIDED)
    same("a", entry.a, before.state_version)
    same("data", entry.data, operation + bytes(4))


@case("P16-dropped", "STAGE_DROPPED says why, of what kind, and what it was.")
def dropped(bench: Bench) -> None:
    first = bench.stage(bench.samples.flex())
    start = bench.status().log_next
    second = bench.stage(bench.samples.long())
    bench.get(m.Discard(), m.Discarded)
    third = bench.stage(bench.samples.flex())
    bench.stop()
    found = [e for e in _new(bench, start) if e.kind is LogKind.STAGE_DROPPED]
    due = [(_REPLACED, first), (_DISCARDED, second), (_STOPPED, third)]
    same("the reasons", [entry.a for entry in found], [reason for reason, _ in due])
    for entry, (_, staged) in zip(found, due, strict=True):
        same("b", entry.b, int(Kind.PROGRAM))
        same("data", entry.data, staged.content[:20])


@case("P16-stamps", "Entries carry boot count, counter, label and pulses of their moment.")
def stamps(bench: Bench) -> None:
    before = bench.status()
    bench.stop()
    after = bench.status()
    entry = _one(_new(bench, before.log_next), LogKind.STOPPED)
    same("boot", entry.boot, before.boot)
    same("offset", entry.offset_min, before.offset)
    for what, low, at, high in (
        ("counter", before.counter, entry.counter, after.counter),
        ("time", before.time, entry.time, after.time),
        ("pulses", before.pulses, entry.pulses, after.pulses),
    ):
        expect(low <= at <= high, f"{what} {at} is not between {low} and {high}")


@case("P16-next", "STATUS's next number rises by one for each entry that is written.")
def next_number(bench: Bench) -> None:
    before = bench.status().log_next
    bench.get(m.Resolve(bench.new_id()), m.OperationReport)
    entries = bench.entries(before)
    expect(bool(entries), "nothing was written")
    same("the first new number", entries[0].number, before)
    same("log_next", bench.status().log_next, entries[-1].number + 1)
