"""Refills: volume, drug, concentration, bridge, program and fallback at once (section 10)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import expect, needing, same
from pumpctl.conformance.faults import NotApplicable
from pumpctl.conformance.lines import FAST, needs_time, next_pulse, record_of, shorten
from pumpctl.conformance.ready import refill
from pumpctl.conformance.reckoning import days, largest_24h
from pumpctl.conformance.samples import SUPPLIED
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Delivery, Feature, Kind, LogKind, Refuse
from pumpctl.wire.messages_acts import Bridge, RefillReadback, StageBolus, StageRefill
from pumpctl.wire.program import Program, Step, program_hash

needs = needing(Feature.REFILL)
_LESS = 100_000
"""nL"""


def _order(bench: Bench, program: Program | None = None) -> StageRefill:
    """A refill that leaves what is there, with the flex program."""
    return refill(bench, bench.status(), bench.samples.flex() if program is None else program)


def _refused(bench: Bench, order: StageRefill, *codes: Refuse) -> None:
    with bench.nothing_written():
        bench.refused(order, *codes)


def _other(bench: Bench) -> Program:
    """A program for another concentration, its flows the same."""
    record_of(bench)
    if bench.library:
        raise NotApplicable("the table of limits that the pump holds may not have another row")
    held = bench.samples.concentration
    other = next(each for each in SUPPLIED if each != held)
    usual = bench.samples.flat()
    return usual._replace(
        concentration=other,
        fallback=usual.fallback * other // held,
        days=((Step(0, bench.samples.rate(2) * other // held),),) * 7,
    )


@needs("P4-refill", "The read-back of a refill: the order, and the program's figures.")
def readback(bench: Bench) -> None:
    program = bench.samples.crowded()
    order = _order(bench, program)
    staged = bench.get(order, m.Staged)
    told = bench.get(m.GetReadback(), RefillReadback)
    same("content", told.content, staged.content)
    for what in ("volume", "filled_at", "since", "bridge", "program"):
        same(what, getattr(told, what), getattr(order, what))
    same("program_hash", told.program_hash, program_hash(program))
    figures = days(program)
    same("largest_day", told.largest_day, max(day.dose for day in figures))
    same("largest_hour", told.largest_hour, max(day.largest_hour for day in figures))
    same("largest_24h", told.largest_24h, largest_24h(program))


@needs("P2-refill", "A refill changes volume, date and program together.")
def together(bench: Bench) -> None:
    before = bench.status()
    order = _order(bench)
    order = order._replace(
        volume=max(0, order.volume - _LESS), filled_at=order.filled_at + 1, since=before.pulses
    )
    done = bench.act(order)
    same("kind", done.kind, Kind.REFILL)
    same("state_version", done.state_version, before.state_version + 1)
    after = bench.status()
    same("program_hash", after.program_hash, program_hash(order.program))
    same("filled_at", after.filled_at, order.filled_at)
    pumped = (after.pulses - order.since) * bench.identity.pulse
    same("reservoir", after.reservoir, max(0, order.volume - pumped))
    same("delivery", after.delivery, Delivery.DELIVERING)
    bench.act(
        _order(bench, bench.samples.flat())._replace(
            volume=after.reservoir + min(_LESS, before.reservoir), filled_at=before.filled_at
        )
    )


@needs("P2-refill-since", "The volume is metered from the injection, in pulses.")
def since(bench: Bench) -> None:
    needs_time(bench)
    bench.put(bench.samples.flat(FAST))
    order = _order(bench, bench.samples.flat(FAST))
    bench.act(order)
    next_pulse(bench)
    bench.act(order)  # the same injection, recorded late
    after = bench.status()
    pumped = (after.pulses - order.since) * bench.identity.pulse
    expect(pumped > 0, "no pulse has come")
    same("reservoir", after.reservoir, max(0, order.volume - pumped))


@needs("P2-refill-concentration", "Another concentration comes with its program, at once.")
def concentration(bench: Bench) -> None:
    program = _other(bench)
    bench.act(_order(bench, program))
    after = bench.status()
    same("concentration", after.concentration, program.concentration)
    same("program_hash", after.program_hash, program_hash(program))
    with bench.nothing_written():
        old = m.StageProgram(bench.tag, bench.samples.flat())
        bench.refused(old, Refuse.CONCENTRATION)


@needs("P2-refill-bridge", "A bridge inside a refill plays the old program until it has passed.")
def bridge(bench: Bench) -> None:
    program = _other(bench)
    needs_time(bench)
    shorten(bench, 2, 2)
    bench.put(bench.samples.flat(FAST))
    before = bench.status()
    old = Bridge(before.line, bench.samples.drug, bench.samples.concentration)
    done = bench.act(_order(bench, program)._replace(bridge=old, since=before.pulses))
    after = bench.status()
    same("delivery", after.delivery, Delivery.BRIDGE)
    expect(after.bridge is not None, "STATUS shows no bridge")
    same("rate", after.rate, bench.samples.rate(FAST))
    same("concentration", after.concentration, program.concentration)
    started = [e for e in bench.entries(before.log_next) if e.kind is LogKind.BRIDGE_STARTED]
    due = [(old.volume, old.old_concentration, done.operation + bytes(4))]
    same("BRIDGE_STARTED", [(e.a, e.b, e.data) for e in started], due)


@needs("P8-refill-bridge", "A bridge of another fluid, or another length than the line's.")
def strange_bridge(bench: Bench) -> None:
    program, line = _other(bench), bench.status().line
    order = _order(bench, program)
    strange = Bridge(line, bench.samples.drug, program.concentration)
    _refused(bench, order._replace(bridge=strange), Refuse.CONCENTRATION)
    own = strange._replace(old_concentration=bench.samples.concentration)
    for volume in (0, line + 1):
        _refused(bench, order._replace(bridge=own._replace(volume=volume)), Refuse.RANGE)


@needs("P8-refill-bolus", "Another fluid is refused while a bolus runs.")
def over_a_bolus(bench: Bench) -> None:
    if not bench.offers(Feature.BOLUS):
        raise NotApplicable("the greeting does not offer BOLUS")
    bench.act(StageBolus(bench.tag, BolusKind.SINGLE, 1000, 600_000))
    _refused(bench, _order(bench, _other(bench)), Refuse.BOLUS_RUNNING)


@needs("P8-refill-mixed", "No bolus is given while two concentrations are in the line.")
def mixed(bench: Bench) -> None:
    if not bench.offers(Feature.BOLUS):
        raise NotApplicable("the greeting does not offer BOLUS")
    bench.act(_order(bench, _other(bench)))
    asked = StageBolus(bench.tag, BolusKind.SINGLE, 1000, 600_000)
    with bench.nothing_written():
        bench.refused(asked, Refuse.BRIDGE_RUNNING)


@needs("P8-refill-range", "More than the capacity, or pulses to come: RANGE.")
def ranges(bench: Bench) -> None:
    order = _order(bench)
    _refused(bench, order._replace(volume=bench.samples.capacity + 1), Refuse.RANGE)
    _refused(bench, order._replace(since=order.since + 1_000_000), Refuse.RANGE)
    bench.act(order)
    if order.since:  # an injection before the one that is known
        _refused(bench, order._replace(since=order.since - 1), Refuse.RANGE)


@needs("P8-refill-program", "The program in a refill is checked like any other.")
def program(bench: Bench) -> None:
    usual = bench.samples.flat()
    low = usual._replace(days=((Step(0, bench.samples.least - 1),),) * 7)
    gap = usual._replace(days=((Step(1, bench.samples.rate(2)),),) * 7)
    for wrong, code in (
        (low, Refuse.LIMIT_RATE_LOW),
        (gap, Refuse.IMPLAUSIBLE),
        (usual._replace(concentration=750), Refuse.CONCENTRATION),
        (usual._replace(low_alarm=bench.samples.capacity + 1), Refuse.RANGE),
    ):
        _refused(bench, _order(bench, wrong), code)


@needs("P8-refill-tag", "A refill for another patient is refused.")
def tag(bench: Bench) -> None:
    other = bytes(byte ^ 0xFF for byte in bench.tag)
    _refused(bench, _order(bench)._replace(tag=other), Refuse.PATIENT_TAG)


@needs("P2-refill-stopped", "A refill that is activated on a stopped pump delivers.")
def stopped(bench: Bench) -> None:
    bench.stop()
    bench.act(_order(bench))
    after = bench.status()
    same("delivery", after.delivery, Delivery.DELIVERING)
    same("stopped_for", after.stopped_for, None)


@needs("P16-refilled", "REFILLED holds volume, concentration and id, behind its ACTIVATED.")
def logged(bench: Bench) -> None:
    order = _order(bench)
    first = bench.status().log_next
    done = bench.act(order)
    entries = bench.entries(first)
    found = [e for e in entries if e.kind is LogKind.REFILLED]
    due = [(order.volume, order.program.concentration, done.operation + bytes(4))]
    same("the entries", [(e.a, e.b, e.data) for e in found], due)
    kinds = [e.kind for e in entries]
    expect(kinds.index(LogKind.ACTIVATED) < kinds.index(LogKind.REFILLED), "before its ACTIVATED")
