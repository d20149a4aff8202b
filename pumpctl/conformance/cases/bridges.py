"""A bridge of its own: read back, metered in pulses, ended by the pump itself (section 10)."""

from __future__ import annotations

from fractions import Fraction

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import expect, needing, same
from pumpctl.conformance.faults import Broken, NotApplicable
from pumpctl.conformance.lines import FAST, end_bridge, needs_time, next_pulse, record_of, shorten
from pumpctl.conformance.ready import refill
from pumpctl.conformance.reckoning import day_dose, days, half_up
from pumpctl.conformance.samples import SUPPLIED
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Delivery, Feature, LogKind, Refuse
from pumpctl.wire.messages_acts import Bridge, BridgeReadback, StageBolus, StageBridge
from pumpctl.wire.program import Program, program_hash

needs = needing(Feature.BRIDGE)


def _stronger(bench: Bench, program: Program) -> Program:
    """The same masses by another fluid."""
    held = bench.samples.concentration
    other = next(each for each in SUPPLIED if each != held)
    return program._replace(concentration=other)


def _forgotten(bench: Bench) -> StageBridge:
    """Refilled with another fluid and without a bridge; what repairs that."""
    if not bench.offers(Feature.REFILL):
        raise NotApplicable("without REFILL there is no bridge to be forgotten")
    if bench.library:
        raise NotApplicable("the table of limits that the pump holds may not have another row")
    record_of(bench)
    held = bench.get(m.GetProgram(), m.ProgramReport).program
    before = bench.status()
    bench.act(refill(bench, before, _stronger(bench, held)))
    return StageBridge(
        bench.tag,
        Bridge(before.line, bench.samples.drug, bench.samples.concentration),
        before.pulses,
    )


def _fast(bench: Bench, least: int, most: int) -> StageBridge:
    """The same with a line of so few pulses that it has passed in seconds."""
    needs_time(bench)
    shorten(bench, least, most)
    bench.put(bench.samples.flat(FAST))
    return _forgotten(bench)


def _begin(bench: Bench) -> StageBridge:
    """A bridge that runs for two pulses."""
    order = _fast(bench, 2, 2)
    bench.act(order)
    return order


def _refused(bench: Bench, order: object, *codes: Refuse) -> None:
    with bench.nothing_written():
        bench.refused(order, *codes)


@needs("P4-bridge", "The read-back of a bridge: the order, and what will be played.")
def readback(bench: Bench) -> None:
    played = bench.samples.flat()
    order = _forgotten(bench)
    staged = bench.get(order, m.Staged)
    told = bench.get(m.GetReadback(), BridgeReadback)
    same("content", told.content, staged.content)
    same("the order", (told.bridge, told.since), (order.bridge, order.since))
    same("program_hash", told.program_hash, program_hash(played))
    for day, (seen, due) in enumerate(zip(told.days, days(played), strict=True)):
        volume = Fraction(day_dose(played, day) * 1000, order.bridge.old_concentration)
        same(f"dose and largest hour of day {day}", seen._replace(volume=0), (due.dose, 0, due[2]))
        same(f"volume of day {day}", seen.volume, half_up(volume))


@needs("P8-bridge-lowered", "A repair brings no dose back that was lowered since.")
def lowered(bench: Bench) -> None:
    order = _forgotten(bench)
    less = _stronger(bench, bench.samples.flat(1))
    bench.put(less)
    bench.get(order, m.Staged)
    told = bench.get(m.GetReadback(), BridgeReadback)
    same("program_hash", told.program_hash, program_hash(less))


@needs("P8-bridge-range", "A bridge of another length or injection than those known: RANGE.")
def ranges(bench: Bench) -> None:
    order, record = _forgotten(bench), record_of(bench)
    least, most = record.tubing + record.catheter_low, record.tubing + record.catheter_high
    for volume in (0, least - 1, most + 1):
        wrong = order._replace(bridge=order.bridge._replace(volume=volume))
        _refused(bench, wrong, Refuse.RANGE)
    for since in {max(0, order.since - 1), order.since + 1} - {order.since}:
        _refused(bench, order._replace(since=since), Refuse.RANGE)


@needs("P8-bridge-fluid", "A bridge of a fluid that is not at the tip is refused.")
def fluid(bench: Bench) -> None:
    order = _forgotten(bench)
    held = bench.status().concentration
    third = next(each for each in SUPPLIED if each not in (held, order.bridge.old_concentration))
    for wrong, code in (
        (0, Refuse.CONCENTRATION),
        (1, Refuse.CONCENTRATION),
        (750, Refuse.CONCENTRATION),
        (third, Refuse.CONCENTRATION),
        (held, Refuse.IMPLAUSIBLE),
    ):
        bridge = order.bridge._replace(old_concentration=wrong)
        _refused(bench, order._replace(bridge=bridge), code)


@needs("P8-bridge-tag", "A bridge for another patient is refused.")
def tag(bench: Bench) -> None:
    other = bytes(byte ^ 0xFF for byte in bench.tag)
    _refused(bench, _forgotten(bench)._replace(tag=other), Refuse.PATIENT_TAG)


@needs("P2-bridge-passed", "A bridge that has passed at its activation begins and ends.")
def passed(bench: Bench) -> None:
    order = _fast(bench, 1, 20)
    order = order._replace(bridge=order.bridge._replace(volume=bench.identity.pulse))
    next_pulse(bench)
    before = bench.status()
    done = bench.act(order)
    same("state_version", done.state_version, before.state_version + 1)
    after = bench.status()
    same("bridge", after.bridge, None)
    same("delivery", after.delivery, Delivery.DELIVERING)
    told = {e.kind: e for e in bench.entries(before.log_next)}
    for kind in (LogKind.BRIDGE_STARTED, LogKind.BRIDGE_ENDED):
        if kind not in told:
            raise Broken(f"no {kind.name} in the log")
        same(f"a of {kind.name}", told[kind].a, order.bridge.volume)
        same(f"data of {kind.name}", told[kind].data, done.operation + bytes(4))
    same("b of BRIDGE_STARTED", told[LogKind.BRIDGE_STARTED].b, order.bridge.old_concentration)
    expect(told[LogKind.BRIDGE_ENDED].b >= 1, "nothing has passed, and the bridge ended")


@needs("P2-bridge", "A running bridge is shown, and how much of it has passed.")
def running(bench: Bench) -> None:
    order = _begin(bench)
    told = bench.status()
    same("delivery", told.delivery, Delivery.BRIDGE)
    if told.bridge is None:
        raise Broken("STATUS shows no bridge")
    same("volume", told.bridge.volume, order.bridge.volume)
    expect(told.bridge.passed < order.bridge.volume, "the bridge has passed, and runs")
    now = _stronger(bench, bench.samples.flat(FAST))
    same("program_hash", told.program_hash, program_hash(now))


@needs("P2-bridge-end", "A bridge ends by itself when the line has passed.")
def ends(bench: Bench) -> None:
    order, first = _begin(bench), bench.status().log_next
    end_bridge(bench)
    after = bench.status()
    same("delivery", after.delivery, Delivery.DELIVERING)
    due = order.since * bench.identity.pulse + order.bridge.volume
    expect(after.pulses * bench.identity.pulse >= due, "it ended before the line had passed")
    ended = [e for e in bench.entries(first) if e.kind is LogKind.BRIDGE_ENDED]
    same("BRIDGE_ENDED", [e.a for e in ended], [order.bridge.volume])


@needs("P8-bridge-bolus", "While a bridge runs no bolus and no other bridge is taken.")
def bars(bench: Bench) -> None:
    order = _begin(bench)
    _refused(bench, order, Refuse.BRIDGE_RUNNING)
    if bench.offers(Feature.BOLUS):
        bolus = StageBolus(bench.tag, BolusKind.SINGLE, 1000, 600_000)
        _refused(bench, bolus, Refuse.BRIDGE_RUNNING)


@needs("P8-bridge-increase", "While a bridge runs an increase is refused, a reduction taken.")
def increase(bench: Bench) -> None:
    _begin(bench)
    more = m.StageProgram(bench.tag, _stronger(bench, bench.samples.flat(FAST + 1)))
    _refused(bench, more, Refuse.BRIDGE_RUNNING)
    less = _stronger(bench, bench.samples.flat(FAST - 1))
    bench.put(less)
    told = bench.status()
    same("program_hash", told.program_hash, program_hash(less))
    expect(told.bridge is not None, "the bridge ended with the reduction")


@needs("P19-bridge", "STOP stops in a bridge; the bridge is kept, and goes on.")
def stop(bench: Bench) -> None:
    _begin(bench)
    bench.stop()
    told = bench.status()
    same("delivery", told.delivery, Delivery.STOPPED)
    expect(told.bridge is not None, "the stop ended the bridge")
    bench.put(_stronger(bench, bench.samples.flat(FAST)))
    same("delivery", bench.status().delivery, Delivery.BRIDGE)
