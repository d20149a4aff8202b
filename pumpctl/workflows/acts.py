"""The kinds of change that walk the one road: each builds what its plan needs.

A new kind adds a class here and a message pair on the wire, and nothing else.
An act says which program will run afterwards, what the checks have to say, and
how it is staged. It never activates.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from pumpctl.errors import InputRefused
from pumpctl.pump.encode import from_wire, program_hash
from pumpctl.pump.pump import Pump, Staged
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.draft import draft_of
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.library import Library
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.past import Past
from pumpctl.therapy.patient import Patient, tag_hash
from pumpctl.therapy.profile import Profile
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, PumpState
from pumpctl.wire.program import program_from

Kind = Literal["program", "resume"]


class Act(Protocol):
    """What the road needs to know of a change of therapy.

    `findings` are held against the library and the course that are handed in: those of
    that moment, whatever the plan was made with. `whom`: for whom the label's rules
    speak; None where nobody says.
    """

    @property
    def kind(self) -> Kind: ...
    @property
    def program(self) -> Program: ...
    @property
    def patient(self) -> str: ...
    @property
    def whom(self) -> Patient | None: ...
    def tag(self, state: PumpState) -> bytes: ...
    def tag_after(self, state: PumpState) -> bytes | None: ...
    def findings(
        self, state: PumpState, now: Moment, library: Library, past: Past | None
    ) -> tuple[Finding, ...]: ...
    def stage(self, pump: Pump, state: PumpState) -> Staged: ...


class ProgramAct(NamedTuple):
    """A checked profile's program becomes the running one."""

    profile: Profile
    program: Program

    @property
    def kind(self) -> Kind:
        """Its name in plans, gates and journal."""
        return "program"

    @property
    def patient(self) -> str:
        """The clinic's own label of the patient."""
        return self.profile.patient.tag

    @property
    def whom(self) -> Patient | None:
        """The patient, as the profile says."""
        return self.profile.patient

    def tag(self, state: PumpState) -> bytes:
        """The short hash that this patient has in this pump."""
        return tag_hash(state.serial, self.patient)

    def tag_after(self, state: PumpState) -> bytes | None:
        """The pump is this patient's from then on."""
        return self.tag(state)

    def findings(
        self, state: PumpState, now: Moment, library: Library, past: Past | None
    ) -> tuple[Finding, ...]:
        """Everything that the checks say of this profile on this pump."""
        return check_change(self.profile, state, station_now=now, library=library, past=past)

    def stage(self, pump: Pump, state: PumpState) -> Staged:
        """Put it into the pump's staged slot."""
        return pump.stage_program(self.program, self.tag(state))


class PlannedAct(NamedTuple):
    """The same from a plan file, in another process: the profile itself is not needed."""

    program: Program
    whom: Patient
    tag_hash: bytes

    @property
    def kind(self) -> Kind:
        """Its name in plans, gates and journal."""
        return "program"

    @property
    def patient(self) -> str:
        """The clinic's own label of the patient."""
        return self.whom.tag

    def tag(self, state: PumpState) -> bytes:
        """The short hash that was confirmed."""
        return self.tag_hash

    def tag_after(self, state: PumpState) -> bytes | None:
        """The pump is this patient's from then on."""
        return self.tag_hash

    def findings(
        self, state: PumpState, now: Moment, library: Library, past: Past | None
    ) -> tuple[Finding, ...]:
        """What the checks say now of the program on this pump, for this patient."""
        draft = draft_of(self.program)._replace(patient=self.whom)
        profile = Profile("plan", self.whom, None, self.program, draft)
        return check_change(profile, state, station_now=now, library=library, past=past)

    def stage(self, pump: Pump, state: PumpState) -> Staged:
        """Put it into the pump's staged slot."""
        return pump.stage_program(self.program, self.tag_hash)


class ResumeAct(NamedTuple):
    """A stopped pump goes on with the program that it holds."""

    program: Program
    patient: str

    @property
    def kind(self) -> Kind:
        """Its name in plans, gates and journal."""
        return "resume"

    @property
    def whom(self) -> Patient | None:
        """Nobody says: going on is no increase, and a pause counts for everybody."""
        return None

    def tag(self, state: PumpState) -> bytes:
        """The pump's own: resuming assigns nobody."""
        return state.tag_hash or bytes(8)

    def tag_after(self, state: PumpState) -> bytes | None:
        """Whatever the pump held before."""
        return state.tag_hash

    def findings(
        self, state: PumpState, now: Moment, library: Library, past: Past | None
    ) -> tuple[Finding, ...]:
        """How long the patient has been without drug, and what follows from it (STP-03)."""
        if state.delivery is not Delivery.STOPPED:
            raise InputRefused(
                f"the pump is not stopped, it is {state.delivery.value}",
                hint="there is nothing to resume",
            )
        return check_change(self.program, state, station_now=now, library=library, past=past)

    def stage(self, pump: Pump, state: PumpState) -> Staged:
        """Stage going on."""
        return pump.stage_resume(program_hash(self.program), self.tag(state))


def program_of(canonical: bytes) -> Program:
    """The program in a plan file's canonical bytes; WireError where they are none."""
    return from_wire(program_from(canonical))
