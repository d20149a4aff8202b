"""A refill: volume, drug, concentration, bridge, program and fallback in one (REF-03).

What was measured when it was planned stays as it was measured: expected residual,
passed volume and dates are those of the injection, counted in the pump's pulses, so
that a plan which is applied an hour later still means what was confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pumpctl.errors import PlanStale, PlanUsed, ReadbackDiffers
from pumpctl.named import NamedTuple
from pumpctl.pump.encode import program_hash
from pumpctl.pump.orders import Order, order_refill
from pumpctl.pump.readbacks import Bridged, Readback, RefillBack
from pumpctl.quantities import Mass, Volume
from pumpctl.station.plan import Kind, Plan
from pumpctl.therapy import figures
from pumpctl.therapy.bridge import Planned
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.patient import Patient, tag_hash
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, Fluid, PumpState
from pumpctl.workflows.acts.act import DELIVERS, Challenge, Pair
from pumpctl.workflows.acts.planned import needed_program, planned_whom
from pumpctl.workflows.acts.programs import program_act
from pumpctl.workflows.acts.shown import described
from pumpctl.workflows.refill.case import bridge_plan_of, bridged, findings_of
from pumpctl.workflows.refill.measured import Measured, measured_from
from pumpctl.workflows.refill.once import Repeated, refuse_repeated
from pumpctl.workflows.refill.shown import refill_told
from pumpctl.workflows.refill.visit import RefillVisit, kept_of, visit_from
from pumpctl.workflows.road.scene import Scene


class RefillAct(NamedTuple):
    """One visit's refill, and what was measured for it."""

    visit: RefillVisit
    measured: Measured
    program: Program
    """What runs afterwards."""
    line: Planned | None = None
    """What was planned for the line; None where it was given up, and from a plan file."""
    seen: PumpState | None = None
    """The pump as it was planned for; None from a plan file."""

    @property
    def kind(self) -> Kind:
        """Its word in plans, gates and journal."""
        return "refill"

    @property
    def wire_kind(self) -> str:
        """What a pump calls it."""
        return "refill"

    @property
    def patient(self) -> str:
        """The clinic's own label of the patient."""
        return self.visit.patient

    @property
    def whom(self) -> Patient | None:
        """As a new program's profile says; nobody where the same program goes on."""
        return None if self.visit.program is None else self.visit.program[0].patient

    @property
    def by_hand(self) -> bool:
        """Where drug or concentration change."""
        return self.measured.fluid != Fluid(self.program.drug, self.program.concentration)

    def tag(self, state: PumpState) -> bytes:
        """The short hash that this patient has in this pump."""
        return tag_hash(state.serial, self.patient)

    def tag_after(self, state: PumpState) -> bytes | None:
        """The pump is this patient's from then on."""
        return self.tag(state)

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """Identity, drain, drug, volume, line and program: one sequence, on one plan."""
        self._only_once(scene)
        line = bridge_plan_of(self.visit, self.measured, self.program, scene)
        if bridged_as_told(self.visit, line) != self.measured.bridge:
            raise PlanStale("the line is not what it was when this refill was planned")
        return findings_of(self.visit, self.measured, self.program, line, scene)

    def _only_once(self, scene: Scene) -> None:
        """Another plan of the same order may have been applied since this one was made."""
        try:
            refuse_repeated(scene.journal, scene.state.serial, self.visit)
        except Repeated as repeated:
            raise PlanUsed(
                f"order {self.visit.reference} was applied before, at {repeated.recorded.at}"
            ) from None

    def order(self, state: PumpState) -> Order:
        """All of it in one message."""
        visit, measured = self.visit, self.measured
        return order_refill(
            self.program,
            self.tag(state),
            drained=visit.drained or Volume(0),
            injected=Volume(0) if visit.injected is None else visit.injected.volume,
            volume=measured.volume,
            filled_at=measured.filled_at,
            since=measured.since,
            bridge=measured.bridge,
        )

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """Every field of what the pump says."""
        back, measured = refill_back(readback), self.measured
        week = figures.week(self.program)
        yield "program", self.program, back.program
        yield "program hash", program_hash(self.program).hex(), back.program_hash.hex()
        yield "volume", measured.volume, back.volume
        yield "time of the fill", measured.filled_at.utc_ms, back.filled_at.utc_ms
        yield "pulses at the injection", measured.since, back.since
        yield "bridge", measured.bridge, back.bridge
        largest = max(day.daily_dose.quanta for day in week)
        yield "largest day", Mass(largest), back.largest_day
        yield "largest hour", max(day.largest_hour for day in week), back.largest_hour
        total = figures.largest_24h_with_patient_doses(self.program)
        yield "largest 24 h", total, back.largest_24h

    def old(self, state: PumpState) -> dict[str, Any]:
        """The program, the fluid and the volume that are there."""
        return {
            **described(state.program),
            "drug": {"name": state.drug, "concentration": str(state.concentration)},
            "volume": str(state.reservoir),
            "filled_at": None if state.filled_at is None else str(state.filled_at),
        }

    def new(self) -> dict[str, Any]:
        """The program, what goes in, what the drain means, the bridge, the dates."""
        return {
            **described(self.program),
            **refill_told(self.visit, self.measured, self.program, self.line, self.seen),
        }

    def told(self, readback: Readback) -> dict[str, Any]:
        """The pump's own figures."""
        back = refill_back(readback)
        return {
            "content": back.content.hex(),
            "hash": back.program_hash.hex(),
            "volume": str(back.volume),
            "drug": {"name": back.program.drug, "concentration": str(back.program.concentration)},
            "filled_at": str(back.filled_at),
            "since": back.since,
            "bridge": bridged_told(back.bridge),
            "largest_day": str(back.largest_day),
            "largest_hour": str(back.largest_hour),
            "largest_24h": str(back.largest_24h),
            "fallback_rate": str(back.program.fallback),
        }

    def kept(self) -> dict[str, Any]:
        """The visit, and what was measured."""
        return {"told": kept_of(self.visit), "measured": self.measured.kept()}

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """Volume and concentration; with a bridge also its volume."""
        back = refill_back(readback)
        wanted = (str(back.volume), str(back.program.concentration))
        if back.bridge is None:
            return Challenge("volume and concentration", wanted)
        return Challenge("volume, concentration, bridge", (*wanted, str(back.bridge.volume)))

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """Volume less what was pumped since, fluid, time, bridge; it delivers."""
        measured = self.measured
        may = DELIVERS if measured.volume else DELIVERS | {Delivery.EMPTY}
        yield "delivery", True, after.delivery in may
        yield "reservoir", measured.left_at(after.pulses), after.reservoir
        fluid = Fluid(self.program.drug, self.program.concentration)
        yield "fluid", fluid, Fluid(after.drug, after.concentration)
        told = None if after.filled_at is None else after.filled_at.utc_ms
        yield "time of the fill", measured.filled_at.utc_ms, told
        yield "bridge", measured.bridge_after(before, after.pulses), after.bridge
        if after.sensed is not None and self.visit.injected is not None:
            both = f"{after.sensed} sensed, {after.reservoir} computed"
            what = f"sensed volume ({both}: is the drug beside the reservoir?)"
            yield what, True, measured.agrees(after)


def planned_refill(plan: Plan) -> RefillAct:
    """The same from a plan file, in another process."""
    program, kept = needed_program(plan), plan.order["told"]
    brings = None
    if kept["profile"] is not None:
        brings = (program_act(program, planned_whom(plan)).profile, program)
    visit = visit_from(kept, plan.patient, brings)
    return RefillAct(visit, measured_from(plan.order["measured"]), program)


def refill_back(readback: Readback) -> RefillBack:
    """The read-back of a refill; ReadbackDiffers where it is of something else."""
    if not isinstance(readback, RefillBack):
        raise ReadbackDiffers(f"the pump read back a {readback.kind}, and a refill was staged")
    return readback


def bridged_told(bridge: Bridged | None) -> dict[str, Any] | None:
    """A bridge as plans and the JSON show it."""
    if bridge is None:
        return None
    drug, concentration = bridge.old
    return {
        "volume": str(bridge.volume),
        "old": {"name": drug, "concentration": str(concentration)},
    }


def bridged_as_told(visit: RefillVisit, line: Planned | None) -> Bridged | None:
    """What the pump is told of the line."""
    plan = bridged(visit, line)
    return None if plan is None else Bridged(plan.order.volume, plan.order.old)
