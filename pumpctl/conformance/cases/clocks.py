"""Setting the clock: a label moves, the counter does not, no bolus comes twice (section 10)."""

from __future__ import annotations

from pumpctl.conformance.bench import NO_CHAIN, Bench
from pumpctl.conformance.duties import expect, needing, same
from pumpctl.conformance.faults import NotApplicable
from pumpctl.conformance.reckoning import DAY_MS, rate_at
from pumpctl.conformance.samples import HOUR_MS, MINUTE_MS
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Feature, Kind, LogKind, Refuse
from pumpctl.wire.messages_acts import ClockReadback, StageBolus, StageClock
from pumpctl.wire.program import Program, ScheduledBolus

needs = needing(Feature.CLOCK)
_BEYOND = 253_402_300_800_000
"""10000-01-01T00:00Z"""
_AHEAD = 30
"""Minutes from now to the bolus of the samples."""


def _set(bench: Bench, shift: int, offset: int | None = None) -> m.Done:
    held = bench.status().offset
    return bench.act(StageClock(shift, held if offset is None else offset))


def _local(status: m.Status) -> int:
    return status.time + status.offset * MINUTE_MS


def _with_bolus(bench: Bench, ahead: int = _AHEAD) -> Program:
    """The usual program, and one bolus a day, so many minutes from now."""
    minute = (_local(bench.status()) % DAY_MS // MINUTE_MS + ahead) % 1440
    dose = bench.samples.rate(1) // 96
    daily = tuple(ScheduledBolus(day, minute, dose, 10 * MINUTE_MS) for day in range(7))
    return bench.samples.flat()._replace(boluses=daily)


def _begin(bench: Bench) -> None:
    """The bolus of the samples is due soon, on a day on which nobody has been yet.

    A bolus that had its turn in an earlier run would rightly not be given again.
    """
    days = 1 + int.from_bytes(bench.talk.entropy(2), "big") % 3000
    _set(bench, days * DAY_MS)
    bench.put(_with_bolus(bench))


def _boluses(bench: Bench, first: int, kind: LogKind) -> int:
    """So many entries of this kind about scheduled boluses since."""
    code = int(BolusKind.SCHEDULED).to_bytes(2, "big")
    return sum(e.kind is kind and e.data[:2] == code for e in bench.entries(first))


@needs("P4-clock", "The read-back of a clock set: shift, offset, and what it jumps over.")
def readback(bench: Bench) -> None:
    _set(bench, 3 * HOUR_MS)  # so that an hour back is still after the pump was made
    order = StageClock(HOUR_MS, bench.status().offset)
    staged = bench.get(order, m.Staged)
    told = bench.get(m.GetReadback(), ClockReadback)
    same("content", told.content, staged.content)
    same("the order", (told.shift, told.offset), (order.shift, order.offset))
    same("missed, of a program without boluses", told.missed, 0)
    bench.put(_with_bolus(bench))
    for hours, missed in ((24, 1), (72, 3), (-1, 0)):
        bench.get(StageClock(hours * HOUR_MS, order.offset), m.Staged)
        told = bench.get(m.GetReadback(), ClockReadback)
        same(f"missed, of {hours} h", told.missed, missed)


@needs("P18-clock", "Label and offset move; counter, pulses and program do not.")
def moves(bench: Bench) -> None:
    before = bench.status()
    for shift, offset in ((3 * HOUR_MS, before.offset), (-HOUR_MS, 90), (0, -210)):
        then = bench.status()
        done = _set(bench, shift, offset)
        same("kind", done.kind, Kind.CLOCK)
        same("state_version", done.state_version, then.state_version + 1)
        after = bench.status()
        same("the label's step", after.time - after.counter, then.time - then.counter + shift)
        same("offset", after.offset, offset)
        expect(after.counter >= then.counter, "the counter went back")
        expect(after.counter - then.counter < 30 * MINUTE_MS, "the counter jumped")
        same("program_hash", after.program_hash, before.program_hash)


@needs("P8-clock", "A label or an offset that cannot be one is refused as CLOCK.")
def impossible(bench: Bench) -> None:
    status = bench.status()
    for shift, offset in (
        (-status.time, status.offset),
        (_BEYOND - status.time + HOUR_MS, status.offset),
        (0, 841),
        (0, -841),
    ):
        with bench.nothing_written():
            bench.refused(StageClock(shift, offset), Refuse.CLOCK)


@needs("P18-late", "Set forward over a bolus by less than 2 h, it is given at once.")
def late(bench: Bench) -> None:
    _begin(bench)
    first = bench.status().log_next
    _set(bench, (_AHEAD + 15) * MINUTE_MS)
    running = bench.status().bolus
    expect(running is not None, "the bolus was not given")
    same("BOLUS_STARTED", _boluses(bench, first, LogKind.BOLUS_STARTED), 1)
    same("BOLUS_MISSED", _boluses(bench, first, LogKind.BOLUS_MISSED), 0)


@needs("P18-once", "Set back and forward again, no bolus is given a second time.")
def once(bench: Bench) -> None:
    over = (_AHEAD + 15) * MINUTE_MS
    _begin(bench)
    _set(bench, over)
    expect(bench.status().bolus is not None, "the bolus was not given the first time")
    bench.get(m.CancelBolus(bench.new_id(), NO_CHAIN), m.Done)
    first = bench.status().log_next
    _set(bench, -over)
    _set(bench, over)
    same("BOLUS_STARTED, the second time", _boluses(bench, first, LogKind.BOLUS_STARTED), 0)
    same("the bolus", bench.status().bolus, None)


@needs("P18-missed", "Set forward over a bolus by more than 2 h, it is logged as missed.")
def missed(bench: Bench) -> None:
    _begin(bench)
    first = bench.status().log_next
    _set(bench, _AHEAD * MINUTE_MS + 3 * HOUR_MS)
    same("the bolus", bench.status().bolus, None)
    same("BOLUS_MISSED", _boluses(bench, first, LogKind.BOLUS_MISSED), 1)
    same("BOLUS_STARTED", _boluses(bench, first, LogKind.BOLUS_STARTED), 0)


@needs("P18-basal", "Basal follows the new label at once.")
def basal(bench: Bench) -> None:
    flex = bench.samples.flex()
    bench.put(flex)
    for shift in (7 * HOUR_MS, 13 * HOUR_MS, DAY_MS, 3 * DAY_MS):
        _set(bench, shift)
        told = bench.status()
        same("rate", told.rate, rate_at(flex, _local(told)))


@needs("P16-clock", "CLOCK_SET holds old and new label, id, and both offsets.")
def logged(bench: Bench) -> None:
    before = bench.status()
    done = _set(bench, HOUR_MS, 60)
    after = bench.status()
    found = [e for e in bench.entries(before.log_next) if e.kind is LogKind.CLOCK_SET]
    same("the number of entries", len(found), 1)
    entry = found[0]
    same("b less a", entry.b - entry.a, HOUR_MS)
    expect(before.time <= entry.a <= after.time - HOUR_MS, "`a` is not the old label")
    offsets = before.offset.to_bytes(2, "big", signed=True) + (60).to_bytes(2, "big")
    same("data", entry.data, done.operation + offsets)
    same("its own label", (entry.time, entry.offset_min), (entry.b, 60))


@needs("P18-running", "A clock set ends nothing that runs.")
def running(bench: Bench) -> None:
    if not bench.offers(Feature.BOLUS):
        raise NotApplicable("the greeting does not offer BOLUS")
    bench.act(StageBolus(bench.tag, BolusKind.SINGLE, bench.samples.rate(1) // 96, 20 * MINUTE_MS))
    _set(bench, 5 * HOUR_MS)
    expect(bench.status().bolus is not None, "the bolus ended with the clock set")
