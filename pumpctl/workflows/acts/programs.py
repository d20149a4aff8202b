"""A checked profile's program becomes the running one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pumpctl.named import NamedTuple
from pumpctl.pump.orders import Order, order_program
from pumpctl.pump.readbacks import Readback
from pumpctl.station.plan import Kind, Plan
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.checks.bridges import check_in_bridge
from pumpctl.therapy.draft import draft_of
from pumpctl.therapy.findings import Finding, by_severity
from pumpctl.therapy.patient import Patient, tag_hash
from pumpctl.therapy.profile import Profile
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import PumpState
from pumpctl.workflows.acts.act import DELIVERS, NOBODY, Challenge, Pair
from pumpctl.workflows.acts.planned import needed_program, planned_whom
from pumpctl.workflows.acts.shown import (
    described,
    program_back,
    program_challenge,
    program_pairs,
    program_told,
)
from pumpctl.workflows.road.scene import Scene


class ProgramAct(NamedTuple):
    """Another program, for the patient that its profile names."""

    profile: Profile
    program: Program

    @property
    def kind(self) -> Kind:
        """Its word in plans, gates and journal."""
        return "program"

    @property
    def wire_kind(self) -> str:
        """What a pump calls it."""
        return "program"

    @property
    def patient(self) -> str:
        """The clinic's own label of the patient."""
        return self.profile.patient.tag

    @property
    def whom(self) -> Patient | None:
        """The patient, as the profile says."""
        return self.profile.patient

    @property
    def by_hand(self) -> bool:
        """Never: drug and strength stay, or it is refused."""
        return False

    def tag(self, state: PumpState) -> bytes:
        """The short hash that this patient has in this pump."""
        if not self.patient:  # going back: whoever the pump holds
            return state.tag_hash or NOBODY
        return tag_hash(state.serial, self.patient)

    def tag_after(self, state: PumpState) -> bytes | None:
        """The pump is this patient's from then on."""
        return self.tag(state)

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """Everything that the checks say of this profile on this pump."""
        change = check_change(
            self.profile,
            scene.state,
            station_now=scene.now,
            library=scene.library,
            past=scene.past,
            changed=scene.told.changed,
        )
        return by_severity([*change, *check_in_bridge(self.program, scene.state)])

    def order(self, state: PumpState) -> Order:
        """Into the pump's staged slot."""
        return order_program(self.program, self.tag(state))

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """Every figure of every day."""
        return program_pairs(self.program, self.tag(state), program_back(readback))

    def old(self, state: PumpState) -> dict[str, Any]:
        """The program that runs now."""
        return described(state.program)

    def new(self) -> dict[str, Any]:
        """The program that is to run."""
        return described(self.program)

    def told(self, readback: Readback) -> dict[str, Any]:
        """The pump's own figures."""
        return program_told(program_back(readback))

    def kept(self) -> dict[str, Any]:
        """Nothing beside program and patient."""
        return {}

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """The largest day's dose, or the largest hour."""
        return program_challenge(old, program_back(readback))

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """It delivers."""
        yield "delivery", True, after.delivery in DELIVERS


def program_act(program: Program, whom: Patient) -> ProgramAct:
    """A program of which no profile is at hand, for a patient that the rules speak of."""
    draft = draft_of(program)._replace(patient=whom)
    return ProgramAct(Profile("plan", whom, None, program, draft), program)


def planned_program(plan: Plan) -> ProgramAct:
    """The same from a plan file, in another process."""
    return program_act(needed_program(plan), planned_whom(plan))
