"""The repair of a forgotten bridge: the old program until the line is new (REF-08).

Counted from the last injection, so that what has been displaced already counts. Its
volume comes from the implant's record and is never typed (REF-04).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pumpctl.errors import InputRefused, ReadbackDiffers
from pumpctl.pump.encode import canonical, program_hash, program_of
from pumpctl.pump.orders import Order, order_bridge
from pumpctl.pump.readbacks import BridgeBack, Bridged, Readback
from pumpctl.quantities import Concentration, Volume
from pumpctl.station.plan import Kind, Plan
from pumpctl.therapy.bridge import BridgePlan, NotNeeded, at_fluid, metered
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.checks.bridges import BridgeCase, check_bridge
from pumpctl.therapy.findings import Finding, by_severity
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, Fluid, PumpState
from pumpctl.workflows.acts.act import DELIVERS, Challenge, OfThePump, Pair
from pumpctl.workflows.acts.planned import needed_program
from pumpctl.workflows.acts.refills import bridged_told
from pumpctl.workflows.acts.shown import day_pairs, days_told, described
from pumpctl.workflows.implants import record_of
from pumpctl.workflows.refill.bridging import Late, plan_repair
from pumpctl.workflows.refill.shown import bridge_told
from pumpctl.workflows.road.scene import Scene


@dataclass(frozen=True, slots=True)
class BridgeAct(OfThePump):
    """The bridge that a refill was made without."""

    kind: ClassVar[Kind] = "bridge"
    bridge: Bridged
    late: Late
    program: Program
    """What the pump holds, and what goes on when the line is new."""
    plays: Program
    """What is played until then, as it is stored."""
    plan: BridgePlan | None = None
    """As it was planned; None from a plan file."""

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """The line, what is played, and the pump's condition."""
        line = plan_repair(scene, self.late)
        if isinstance(line, NotNeeded):
            raise InputRefused(f"no bridge is needed any more: {line.why}")
        bridge = check_bridge(
            BridgeCase(
                line, self.program, scene.state, record_of(scene), scene.now, library=scene.library
            )
        )
        change = check_change(
            self.program,
            scene.state,
            station_now=scene.now,
            library=scene.library,
            past=scene.past,
            changed=scene.told.changed,
        )
        seen = {each.id for each in bridge}
        return by_severity([*bridge, *(each for each in change if each.id not in seen)])

    def order(self, state: PumpState) -> Order:
        """From the injection on."""
        return order_bridge(self.bridge, self.late.since, self.tag(state))

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """The bridge, and every figure of every day that it plays."""
        back = bridge_back(readback)
        yield "bridge", self.bridge, back.bridge
        yield "pulses at the injection", self.late.since, back.since
        yield "program played", program_hash(self.plays).hex(), back.program_hash.hex()
        yield from day_pairs(at_fluid(self.plays, self.bridge.old), back.days)

    def old(self, state: PumpState) -> dict[str, Any]:
        """The program that runs, and what is at the tip under it."""
        tip = state.line.at_tip
        return {
            **described(state.program),
            "at_tip": {"name": tip.drug, "concentration": str(tip.concentration)},
            "bridge": None,
        }

    def new(self) -> dict[str, Any]:
        """The same program afterwards, and the bridge before it."""
        told = None if self.plan is None else bridge_told(self.plan)
        return {**described(self.program), "bridge": told or bridged_told(self.bridge)}

    def told(self, readback: Readback) -> dict[str, Any]:
        """The pump's own figures."""
        back = bridge_back(readback)
        return {
            "content": back.content.hex(),
            "bridge": bridged_told(back.bridge),
            "since": back.since,
            "hash": back.program_hash.hex(),
            "days": days_told(back.days),
        }

    def kept(self) -> dict[str, Any]:
        """The bridge, when it was counted from, and what it plays."""
        old, late = self.bridge.old, self.late
        return {
            "volume": str(self.bridge.volume),
            "old": [old.drug, str(old.concentration)],
            "since": late.since,
            "pulses": late.pulses,
            "injected_utc_ms": late.injected.utc_ms,
            "planned_utc_ms": late.planned.utc_ms,
            "offset_min": late.planned.offset_min,
            "per_pulse": str(late.per_pulse),
            "plays": _hex(self.plays),
            "before": None if late.before is None else _hex(late.before),
        }

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """The volume that it meters."""
        return Challenge("the bridge's volume", (str(bridge_back(readback).bridge.volume),))

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """It runs, with this volume, counted from the injection; or it is over already."""
        volume, late = self.bridge.volume, self.late
        passed = (after.pulses - late.since) * late.per_pulse.quanta
        wanted = metered(volume, passed, late.per_pulse)
        yield "bridge", wanted, after.bridge
        may = DELIVERS if wanted is None else {Delivery.BRIDGE, Delivery.BOLUS}
        yield "delivery", True, after.delivery in may


def planned_bridge(plan: Plan) -> BridgeAct:
    """The same from a plan file."""
    kept = plan.order
    drug, concentration = kept["old"]
    offset = int(kept["offset_min"])
    old = Fluid(str(drug), Concentration.parse(concentration))
    before = kept["before"]
    late = Late(
        since=int(kept["since"]),
        pulses=int(kept["pulses"]),
        injected=Moment(int(kept["injected_utc_ms"]), offset),
        planned=Moment(int(kept["planned_utc_ms"]), offset),
        per_pulse=Volume.parse(kept["per_pulse"]),
        before=None if before is None else program_of(bytes.fromhex(before)),
    )
    plays = program_of(bytes.fromhex(kept["plays"]))
    return BridgeAct(Bridged(Volume.parse(kept["volume"]), old), late, needed_program(plan), plays)


def bridge_back(readback: Readback) -> BridgeBack:
    """The read-back of a bridge; ReadbackDiffers where it is of something else."""
    if not isinstance(readback, BridgeBack):
        raise ReadbackDiffers(f"the pump read back a {readback.kind}, and a bridge was staged")
    return readback


def _hex(program: Program) -> str:
    return canonical(program).hex()
