"""A bridge of its own: read back, metered in pulses, ended by the pump itself (section 10)."""

from __future__ import annotations

from fractions import Fraction

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import expect, needing, same
from pumpctl.conformance.faults import Broken, NotApplicable
from pumpctl.conformance.reckoning import day_dose, days, half_up
from pumpctl.conformance.samples import SUPPLIED
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Delivery, Feature, LogKind, Refuse
from pumpctl.wire.messages_acts import Bridge, BridgeReadback, StageBolus, StageBridge
from pumpctl.wire.program import program_hash

needs = needing(Feature.BRIDGE)
_LONGEST = 2_000_000


def _order(bench: Bench, volume: int = _LONGEST, since: int | None = None) -> StageBridge:
    """The repair of a forgotten bridge from another concentration."""
    old = next(each for each in SUPPLIED if each != bench.samples.concentration)
    bench.bridged = old
    pulses = bench.status().pulses if since is None else since
    return StageBridge(bench.tag, Bridge(volume, bench.samples.drug, old), pulses)


def _passed(bench: Bench) -> StageBridge:
    """A bridge whose volume has passed already."""
    pulses = bench.status().pulses
    if not pulses:
        raise NotApplicable("the pump has given no pulse yet, so no bridge could ever end")
    return _order(bench, 1, pulses - 1)


def _begin(bench: Bench) -> m.Done:
    """A bridge that runs; only where it can be ended again."""
    if not bench.offers(Feature.REFILL):
        raise NotApplicable("without REFILL a bridge that was begun could not be ended")
    _passed(bench)
    return bench.act(_order(bench))


def _refused(bench: Bench, order: object, *codes: Refuse) -> None:
    with bench.nothing_written():
        bench.refused(order, *codes)


@needs("P4-bridge", "The read-back of a bridge: the order, and what will be played.")
def readback(bench: Bench) -> None:
    order, running = _order(bench), bench.samples.flat()
    staged = bench.get(order, m.Staged)
    told = bench.get(m.GetReadback(), BridgeReadback)
    same("content", told.content, staged.content)
    same("the order", (told.bridge, told.since), (order.bridge, order.since))
    if told.program_hash != program_hash(running):
        return  # the pump still holds the program that ran before the last refill
    for day, (seen, due) in enumerate(zip(told.days, days(running), strict=True)):
        volume = Fraction(day_dose(running, day) * 1000, order.bridge.old_concentration)
        same(f"dose and largest hour of day {day}", seen._replace(volume=0), (due.dose, 0, due[2]))
        same(f"volume of day {day}", seen.volume, half_up(volume))


@needs("P8-bridge-range", "A bridge of nothing, too long, or of pulses to come: RANGE.")
def ranges(bench: Bench) -> None:
    order = _order(bench)
    for volume in (0, _LONGEST + 1):
        wrong = order._replace(bridge=order.bridge._replace(volume=volume))
        _refused(bench, wrong, Refuse.RANGE)
    _refused(bench, order._replace(since=order.since + 1_000_000), Refuse.RANGE)


@needs("P8-bridge-fluid", "A bridge of a concentration that nobody supplies is refused.")
def fluid(bench: Bench) -> None:
    order = _order(bench)
    for wrong in (0, 1, 750):
        bridge = order.bridge._replace(old_concentration=wrong)
        _refused(bench, order._replace(bridge=bridge), Refuse.CONCENTRATION)


@needs("P8-bridge-tag", "A bridge for another patient is refused.")
def tag(bench: Bench) -> None:
    other = bytes(byte ^ 0xFF for byte in bench.tag)
    _refused(bench, _order(bench)._replace(tag=other), Refuse.PATIENT_TAG)


@needs("P2-bridge-passed", "A bridge that has passed at its activation begins and ends.")
def passed(bench: Bench) -> None:
    order, before = _passed(bench), bench.status()
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
    same("b of BRIDGE_STARTED", told[LogKind.BRIDGE_STARTED].b, bench.bridged)
    expect(told[LogKind.BRIDGE_ENDED].b >= 1, "nothing has passed, and the bridge ended")


@needs("P2-bridge", "A running bridge is shown, and how much of it has passed.")
def running(bench: Bench) -> None:
    _begin(bench)
    told = bench.status()
    same("delivery", told.delivery, Delivery.BRIDGE)
    if told.bridge is None:
        raise Broken("STATUS shows no bridge")
    same("volume", told.bridge.volume, _LONGEST)
    expect(told.bridge.passed < _LONGEST, "the bridge has passed, and runs")
    same("program_hash", told.program_hash, program_hash(bench.samples.flat()))


@needs("P8-bridge-bolus", "While a bridge runs no bolus and no other bridge is taken.")
def bars(bench: Bench) -> None:
    _begin(bench)
    _refused(bench, _order(bench), Refuse.BRIDGE_RUNNING)
    if bench.offers(Feature.BOLUS):
        bolus = StageBolus(bench.tag, BolusKind.SINGLE, 1000, 600_000)
        _refused(bench, bolus, Refuse.BRIDGE_RUNNING)


@needs("P8-bridge-increase", "While a bridge runs an increase is refused, a reduction taken.")
def increase(bench: Bench) -> None:
    _begin(bench)
    more = m.StageProgram(bench.tag, bench.samples.flat(3))
    _refused(bench, more, Refuse.BRIDGE_RUNNING)
    bench.put(bench.samples.flat(1))
    told = bench.status()
    same("program_hash", told.program_hash, program_hash(bench.samples.flat(1)))
    expect(told.bridge is not None, "the bridge ended with the reduction")


@needs("P19-bridge", "STOP stops in a bridge; the bridge is kept, and goes on.")
def stop(bench: Bench) -> None:
    _begin(bench)
    bench.stop()
    told = bench.status()
    same("delivery", told.delivery, Delivery.STOPPED)
    expect(told.bridge is not None, "the stop ended the bridge")
    bench.put(bench.samples.flat(1))
    same("delivery", bench.status().delivery, Delivery.BRIDGE)
