"""The priming bolus: what is recorded as free of drug is filled, and nothing more (REF-09).

Its volume follows from the implant's record and from what the pump has moved since;
nobody types it. It is planned anew when it is applied: what was free then may hold
drug by now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pumpctl.named import NamedTuple
from pumpctl.pump.orders import Order, order_bolus
from pumpctl.pump.readbacks import Readback
from pumpctl.quantities import Duration, Mass, Volume, round_half_up, round_up
from pumpctl.station.plan import Kind, Plan
from pumpctl.therapy.bolus import BolusOrder
from pumpctl.therapy.bridge import Impossible
from pumpctl.therapy.checks.boluses import effect_of
from pumpctl.therapy.checks.primes import check_prime
from pumpctl.therapy.course import course_of
from pumpctl.therapy.delivery import in_volume
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.line import ImplantRecord, holds_text
from pumpctl.therapy.moment import MINUTE_MS, Moment
from pumpctl.therapy.plug import mass_of
from pumpctl.therapy.prime import PrimePlan, plan_prime
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.workflows.acts.act import DELIVERS, Challenge, OfThePump, Pair
from pumpctl.workflows.acts.boluses import (
    bolus_back,
    bolus_told,
    dose_pairs,
    flow_pairs,
    largest_24h,
)
from pumpctl.workflows.acts.planned import program_after
from pumpctl.workflows.implants import Knows, moved_since_record, record_of
from pumpctl.workflows.road.scene import Scene

CONFIRMED_MS = 10 * MINUTE_MS
"""This project's choice: the time in which a prime is read, confirmed and applied."""


NOTHING_AHEAD = Volume(0)


class Seen(NamedTuple):
    """What a prime was planned from."""

    record: ImplantRecord
    plan: PrimePlan | Impossible
    state: PumpState


@dataclass(frozen=True, slots=True)
class PrimeAct(OfThePump):
    """A prime of this dose, over this time."""

    kind: ClassVar[Kind] = "prime"
    ordered: BolusOrder
    program: Program | None
    """What runs under it, and goes on."""
    seen: Seen | None = None
    """None from a plan file."""

    @property
    def wire_kind(self) -> str:
        """A bolus, to the pump."""
        return "bolus"

    @property
    def by_hand(self) -> bool:
        """Always: a script gets its token from a person at a terminal."""
        return True

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """Whether there is something to prime now, and not less than was ordered."""
        record, plan = prime_now(scene)
        if self.seen is not None and isinstance(self.seen.plan, Impossible):
            plan = self.seen.plan  # what is free now is filled before it is confirmed
        return check_prime(
            plan,
            scene.state,
            record,
            now=scene.now,
            library=scene.library,
            ordered=self.ordered.dose,
        )

    def order(self, state: PumpState) -> Order:
        """From the instant of its activation on."""
        return order_bolus("prime", self.ordered.dose, self.ordered.over, self.tag(state))

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """Dose, time, volume, and by plug flow what of it stays in the line."""
        back, (dose, over) = bolus_back(readback), self.ordered
        yield "bolus", "prime", back.bolus
        yield "dose", dose, back.dose
        yield "duration", over, back.over
        yield from flow_pairs(state, dose, back)
        yield "largest 24 h", largest_24h(state.program) + dose, back.largest_24h

    def old(self, state: PumpState) -> dict[str, Any]:
        """What the line holds by the record."""
        told: dict[str, Any] = {"largest_24h": str(largest_24h(state.program))}
        if self.seen is None:
            return told
        record = self.seen.record
        return told | {
            "tubing_holds": holds_text(record.tubing),
            "catheter_holds": holds_text(record.catheter),
        }

    def new(self) -> dict[str, Any]:
        """The prime, and where its mass goes on the pump that was seen."""
        dose, over = self.ordered
        told: dict[str, Any] = {"bolus": "prime", "dose": str(dose), "over": str(over)}
        if self.seen is None or not isinstance(self.seen.plan, PrimePlan):
            return told
        plan, state = self.seen.plan, self.seen.state
        effect, drug = effect_of(self.ordered, state), state.drug
        return told | {
            "concentration": str(state.concentration),
            "volume": str(plan.volume),
            "fills": plan.parts,
            "moved_since_record": str(plan.moved),
            "in_line_dose": str(Mass(round_half_up(mass_of(plan.stays, drug)))),
            "past_tip_dose": str(Mass(round_half_up(mass_of(plan.past_tip, drug)))),
            "worst_past_tip_dose": str(Mass(round_up(plan.worst_past_tip))),
            "unfilled": str(plan.unfilled),
            "front_arrives": None if effect is None or effect.front is None else str(effect.front),
            "table_version": self.seen.record.table_version,
        }

    def told(self, readback: Readback) -> dict[str, Any]:
        """The pump's own figures."""
        return bolus_told(bolus_back(readback))

    def kept(self) -> dict[str, Any]:
        """Dose and time; the record is asked again."""
        return {"dose": str(self.ordered.dose), "over": str(self.ordered.over)}

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """The mass that will lie in the line."""
        staying = bolus_back(readback).stays_in_line
        return Challenge("the mass of this prime left in the line", (str(staying),))

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """It delivers; the rest is `verify_dose`'s."""
        yield "delivery", True, after.delivery in DELIVERS

    def verify_dose(self, after: PumpState, delivered: Mass) -> Iterator[Pair]:
        """It runs with this dose, or is over and was given."""
        yield from dose_pairs("prime", self.ordered, after, delivered)


def prime_now(
    knows: Knows, ahead: Volume = NOTHING_AHEAD
) -> tuple[ImplantRecord, PrimePlan | Impossible]:
    """The record, and what by it could be primed now; InputRefused for volumes of no table.

    `ahead`: what the program will have moved until then.
    """
    record, state = record_of(knows), knows.state
    reservoir = Fluid(state.drug, state.concentration)
    return record, plan_prime(record, reservoir, moved_since_record(knows) + ahead)


def while_confirmed(program: Program | None, now: Moment) -> Volume:
    """What the program moves while the prime is read and confirmed, rounded up.

    So much the line takes less by then. At minimum rate nothing: a pulse is 3 minutes,
    and the pump refuses the plan of a prime after it.
    """
    if program is None or program.mode is Mode.MINIMUM:
        return Volume(0)
    start = now.label_ms
    given = course_of(program, start, start + CONFIRMED_MS)
    moved = in_volume(given, program.concentration).between(start, start + CONFIRMED_MS)
    return Volume(round_up(moved))


def prime_act(knows: Knows) -> PrimeAct:
    """The prime that is possible now; where none is, one that its findings refuse."""
    state = knows.state
    record, plan = prime_now(knows, while_confirmed(state.program, state.clock))
    ordered = BolusOrder(Mass(0), Duration(0))
    if isinstance(plan, PrimePlan):
        ordered = BolusOrder(plan.dose, plan.over)
    return PrimeAct(ordered, state.program, Seen(record, plan, state))


def planned_prime(plan: Plan) -> PrimeAct:
    """The same from a plan file."""
    ordered = BolusOrder(Mass.parse(plan.order["dose"]), Duration.parse(plan.order["over"]))
    return PrimeAct(ordered, program_after(plan))
