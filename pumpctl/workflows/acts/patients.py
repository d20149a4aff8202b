"""A pump is assigned to a patient, or to nobody: the pump keeps a short hash, never the tag.

It gives nothing, and the program goes on unchanged: whoever has the pump gets it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pumpctl.errors import InputRefused, ReadbackDiffers
from pumpctl.named import NamedTuple
from pumpctl.pump.orders import Order, order_patient
from pumpctl.pump.readbacks import PatientBack, Readback
from pumpctl.station.plan import Kind, Plan
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.patient import Patient, tag_hash
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import PumpState
from pumpctl.workflows.acts.act import NOBODY, Challenge, Pair, goes_on
from pumpctl.workflows.acts.planned import program_after
from pumpctl.workflows.road.scene import Scene


class PatientAct(NamedTuple):
    """Whose pump it is from then on."""

    serial: str
    patient: str
    """The clinic's own label; empty: nobody's."""
    program: Program | None
    """What the pump runs, and goes on with."""

    @property
    def kind(self) -> Kind:
        """Its word in plans, gates and journal."""
        return "patient"

    @property
    def wire_kind(self) -> str:
        """What a pump calls it."""
        return "patient"

    @property
    def whom(self) -> Patient | None:
        """No rule of the label speaks of it."""
        return None

    @property
    def by_hand(self) -> bool:
        """No: it gives nothing."""
        return False

    def tag(self, state: PumpState) -> bytes:
        """The short hash that this patient has in this pump."""
        return tag_hash(self.serial, self.patient) if self.patient else NOBODY

    def tag_after(self, state: PumpState) -> bytes | None:
        """The same, or none."""
        return self.tag(state) if self.patient else None

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """None: whose pump it is, a clinician says.

        InputRefused where nothing would change.
        """
        if scene.state.tag_hash == self.tag_after(scene.state):
            raise InputRefused(
                f"the pump is {self.patient}'s already"
                if self.patient
                else "the pump is assigned to nobody",
                hint="there is nothing to change",
            )
        return ()

    def order(self, state: PumpState) -> Order:
        """The hash alone: the tag never leaves the station."""
        return order_patient(self.tag_after(state))

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """Whose it was and whose it will be."""
        back = patient_back(readback)
        yield "patient until now", _hex(state.tag_hash), _hex(back.old)
        yield "patient from then on", _hex(self.tag_after(state)), _hex(back.new)

    def old(self, state: PumpState) -> dict[str, Any]:
        """Whose it is now, as far as hashes tell."""
        return {"patient": _hex(state.tag_hash)}

    def new(self) -> dict[str, Any]:
        """Whose it will be: the hash, as in the pump."""
        tag = tag_hash(self.serial, self.patient) if self.patient else None
        return {"patient": _hex(tag)}

    def told(self, readback: Readback) -> dict[str, Any]:
        """The pump's own words."""
        back = patient_back(readback)
        return {"content": back.content.hex(), "old": _hex(back.old), "new": _hex(back.new)}

    def kept(self) -> dict[str, Any]:
        """Whether somebody is assigned: the tag stands beside it in the plan, and not here."""
        return {"assigned": "yes" if self.patient else "no"}

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """The tag whose hash the pump read back; for nobody, the pump's serial."""
        back = patient_back(readback)
        if back.new is None:
            return Challenge("the pump's serial number", (self.serial,))
        if back.new != tag_hash(self.serial, self.patient):
            raise ReadbackDiffers("the pump read back another patient than was staged")
        return Challenge("the patient's tag", tuple(self.patient.split()))

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """It goes on as before."""
        yield goes_on(before, after)


def planned_patient(plan: Plan) -> PatientAct:
    """The same from a plan file; ValueError where its parts do not agree."""
    if (plan.order["assigned"] == "yes") != bool(plan.patient):
        raise ValueError("it does not say who is assigned")
    return PatientAct(plan.pump.serial, plan.patient, program_after(plan))


def patient_back(readback: Readback) -> PatientBack:
    """The read-back of an assignment; ReadbackDiffers where it is of something else."""
    if not isinstance(readback, PatientBack):
        raise ReadbackDiffers(f"the pump read back a {readback.kind}, and a patient was staged")
    return readback


def _hex(tag: bytes | None) -> str | None:
    return None if tag is None else tag.hex()
