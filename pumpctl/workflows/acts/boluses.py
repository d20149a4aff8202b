"""A clinician's single bolus: a dose over a time, on top of the program (BOL-08).

What was really given before it, and when the last bolus ended, comes from the pump's
log; the pump judges the same by its own memory. A prime is another kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pumpctl.errors import ReadbackDiffers
from pumpctl.pump.orders import Order, order_bolus
from pumpctl.pump.readbacks import BolusBack, Readback
from pumpctl.quantities import Duration, Flow, Mass, Volume, round_half_up, round_up, volume_of
from pumpctl.station.plan import Kind, Plan
from pumpctl.therapy import figures
from pumpctl.therapy.bolus import BolusOrder, next_scheduled
from pumpctl.therapy.boluses_seen import ENDED
from pumpctl.therapy.checks.boluses import check_bolus, effect_of
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.plug import contents_of, masses_in, push
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.workflows.acts.act import DELIVERS, Challenge, OfThePump, Pair
from pumpctl.workflows.acts.planned import program_after
from pumpctl.workflows.course.pump_log import NotKnown
from pumpctl.workflows.road.scene import Scene
from pumpctl.workflows.visit import Visit


@dataclass(frozen=True, slots=True)
class BolusAct(OfThePump):
    """So much, over so long, from the instant at which it is activated."""

    kind: ClassVar[Kind] = "bolus"
    ordered: BolusOrder
    program: Program | None
    """What runs under it, and goes on."""
    seen: PumpState | None = None
    """The pump as it was planned for; None from a plan file."""

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """Dose, windows, lockout, front and the pump's condition (BOL-04, LIM-05)."""
        past = scene.past
        return check_bolus(
            self.ordered,
            scene.state,
            past=None if past is None else past.given,
            last_ended=last_ended(scene),
            now=scene.now,
            library=scene.library,
        )

    def order(self, state: PumpState) -> Order:
        """From the instant of its activation on."""
        return order_bolus("single", self.ordered.dose, self.ordered.over, self.tag(state))

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """Dose, time, volume, where it goes by plug flow, and the largest 24 h."""
        back, (dose, over) = bolus_back(readback), self.ordered
        yield "bolus", "single", back.bolus
        yield "dose", dose, back.dose
        yield "duration", over, back.over
        yield from flow_pairs(state, dose, back)
        yield "largest 24 h", largest_24h(state.program) + dose, back.largest_24h

    def old(self, state: PumpState) -> dict[str, Any]:
        """It replaces nothing: what the most of 24 h is without it."""
        return {"largest_24h": str(largest_24h(state.program))}

    def new(self) -> dict[str, Any]:
        """The bolus, and what it does on the pump that was seen."""
        dose, over = self.ordered
        told: dict[str, Any] = {"bolus": "single", "dose": str(dose), "over": str(over)}
        seen, effect = self.seen, None if self.seen is None else effect_of(self.ordered, self.seen)
        if seen is None or effect is None or self.program is None:
            return told
        own, after = self.program.patient_dose, next_scheduled(self.program, seen.clock)
        return told | {
            "concentration": str(seen.concentration),
            "volume": str(Volume(round_half_up(effect.volume))),
            "flow": str(Flow(round_up(effect.flow))),
            "greatest_flow": str(Flow(round_up(effect.greatest_flow))),
            "reaches_dose": str(Mass(round_half_up(effect.reaches))),
            "front_arrives": None if effect.front is None else str(effect.front),
            "patient_lockout": None if own is None else str(own.lockout),
            "next_scheduled": None
            if after is None
            else {"at": str(after.at), "dose": str(after.dose)},
        }

    def told(self, readback: Readback) -> dict[str, Any]:
        """The pump's own figures."""
        return bolus_told(bolus_back(readback))

    def kept(self) -> dict[str, Any]:
        """Dose and time."""
        return {"dose": str(self.ordered.dose), "over": str(self.ordered.over)}

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """Its mass."""
        return Challenge("the dose of this bolus", (str(bolus_back(readback).dose),))

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """It delivers; the rest is `verify_dose`'s."""
        yield "delivery", True, after.delivery in DELIVERS

    def verify_dose(self, after: PumpState, delivered: Mass) -> Iterator[Pair]:
        """It runs with this dose, or is over and was given."""
        yield from dose_pairs("single", self.ordered, after, delivered)


def bolus_act(dose: Mass, over: Duration) -> Callable[[Visit], BolusAct]:
    """A single bolus on whatever the pump runs."""

    def made(visit: Visit) -> BolusAct:
        state = visit.state()
        return BolusAct(BolusOrder(dose, over), state.program, state)

    return made


def planned_bolus(plan: Plan) -> BolusAct:
    """The same from a plan file."""
    ordered = BolusOrder(Mass.parse(plan.order["dose"]), Duration.parse(plan.order["over"]))
    return BolusAct(ordered, program_after(plan))


def last_ended(scene: Scene) -> Moment | None:
    """When the last bolus of any kind ended, by the pump's counter; None: not known.

    Asked for the patient's lockout, and no further back than that.
    """
    state = scene.state
    own = None if state.program is None else state.program.patient_dose
    if own is None:
        return None
    try:
        entries = scene.log.since(state.counter_ms - own.lockout.quanta)
    except NotKnown:
        return None
    ended = [
        entry.counter_ms
        for entry in entries
        if entry.kind == ENDED and entry.counter_ms <= state.counter_ms
    ]
    return state.clock.plus(max(ended) - state.counter_ms) if ended else None


# --- shared by whatever a pump reads back as a bolus -------------------------------------


def bolus_back(readback: Readback) -> BolusBack:
    """The read-back of a bolus; ReadbackDiffers where it is of something else."""
    if not isinstance(readback, BolusBack):
        raise ReadbackDiffers(f"the pump read back a {readback.kind}, and a bolus was staged")
    return readback


def bolus_told(back: BolusBack) -> dict[str, Any]:
    """A bolus's read-back as JSON."""
    return {
        "content": back.content.hex(),
        "bolus": back.bolus,
        "dose": str(back.dose),
        "volume": str(back.volume),
        "over": str(back.over),
        "past_tip_dose": str(back.past_tip),
        "stays_in_line_dose": str(back.stays_in_line),
        "largest_24h": str(back.largest_24h),
    }


def largest_24h(program: Program | None) -> Mass:
    """The most of 24 h with all patient doses; nothing where no program is known."""
    return Mass(0) if program is None else figures.largest_24h_with_patient_doses(program)


def flow_pairs(state: PumpState, dose: Mass, back: BolusBack) -> Iterator[Pair]:
    """Its volume, and by plug flow what of it passes the tip and what stays in the line."""
    fluid, line = Fluid(state.drug, state.concentration), state.line
    volume = volume_of(dose, state.concentration)
    yield "volume", Volume(round_half_up(volume)), back.volume
    pushed = push(contents_of(line, fluid), volume, fluid)
    past = Mass(round_half_up(sum(mass for _, mass in masses_in(pushed.left))))
    yield "mass past the tip", past, back.past_tip
    yield "mass in the line", Mass(max(0, dose.quanta - past.quanta)), back.stays_in_line


def dose_pairs(kind: str, ordered: BolusOrder, after: PumpState, delivered: Mass) -> Iterator[Pair]:
    """What runs is this bolus; where none runs, the pump's ledger says that it was given."""
    running = after.bolus
    if running is not None:
        yield "bolus", (kind, ordered.dose), (running.kind, running.dose)
        yield "bolus's time", ordered.over.quanta, running.ends.utc_ms - running.started.utc_ms
    else:
        yield "given dose", ordered.dose, delivered
