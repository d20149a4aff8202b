"""A stopped pump goes on with the program that it holds (STP-03)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pumpctl.errors import InputRefused
from pumpctl.pump.encode import program_hash
from pumpctl.pump.orders import Order, order_resume
from pumpctl.pump.readbacks import Readback
from pumpctl.quantities import Rate
from pumpctl.station.plan import Kind, Plan
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, PumpState
from pumpctl.workflows.acts.act import DELIVERS, Challenge, OfThePump, Pair
from pumpctl.workflows.acts.planned import needed_program
from pumpctl.workflows.acts.shown import described, program_back, program_pairs, program_told
from pumpctl.workflows.road.scene import Scene


@dataclass(frozen=True, slots=True)
class ResumeAct(OfThePump):
    """Going on. It assigns nobody, and is no increase."""

    kind: ClassVar[Kind] = "resume"
    program: Program

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """How long the patient has been without drug, and what follows from it."""
        if scene.state.delivery is not Delivery.STOPPED:
            raise InputRefused(
                f"the pump is not stopped, it is {scene.state.delivery.value}",
                hint="there is nothing to resume",
            )
        return check_change(
            self.program,
            scene.state,
            station_now=scene.now,
            library=scene.library,
            past=scene.past,
        )

    def order(self, state: PumpState) -> Order:
        """Stage going on."""
        return order_resume(program_hash(self.program), self.tag(state))

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """Every figure of every day."""
        return program_pairs(self.program, self.tag(state), program_back(readback))

    def old(self, state: PumpState) -> dict[str, Any]:
        """The program that the pump holds."""
        return described(state.program)

    def new(self) -> dict[str, Any]:
        """The same: it goes on."""
        return described(self.program)

    def told(self, readback: Readback) -> dict[str, Any]:
        """The pump's own figures."""
        return program_told(program_back(readback))

    def kept(self) -> dict[str, Any]:
        """Nothing beside the program."""
        return {}

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """The daily dose that it returns to."""
        doses = [Rate(day.daily_dose.quanta) for day in program_back(readback).days]
        return Challenge("the largest daily dose it returns to", (str(max(doses)),))

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """It delivers."""
        yield "delivery", True, after.delivery in DELIVERS


def planned_resume(plan: Plan) -> ResumeAct:
    """The same from a plan file."""
    return ResumeAct(needed_program(plan))
