"""Is it the right pump, patient and drug? What the program is for beside what the pump holds."""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.therapy.checks.registry import PumpCase, pump_check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.patient import tag_hash


@pump_check(
    "PUMP_OTHER",
    Severity.HARD,
    source="profile, [pump]",
    why="The profile names one pump, and another one is on the line: another patient's, perhaps.",
)
def pump_other(case: PumpCase) -> Iterator[Seen]:
    """The profile is for this pump."""
    serial = case.draft.serial
    if serial is not None and serial != case.pump.serial:
        yield Seen(
            f"the profile is for pump {serial}, and {case.pump.serial} is on the line",
            value=case.pump.serial,
            limit=serial,
            path=("pump", "serial"),
        )


@pump_check(
    "PATIENT_OTHER",
    Severity.HARD,
    source="this project's choice",
    why="The pump was assigned to another patient's tag. Only `patient assign` clears that, and "
    "never a program.",
)
def patient_other(case: PumpCase) -> Iterator[Seen]:
    """The pump is this patient's."""
    patient, held = case.draft.patient, case.pump.tag_hash
    if patient is not None and patient.tag and held is not None:  # none: whoever it holds
        own = tag_hash(case.pump.serial, patient.tag)
        if own != held:
            yield Seen(
                f"the pump is assigned to another patient than {patient.tag}",
                value=f"tag hash {held.hex()}",
                limit=f"tag hash {own.hex()}",
                path=("patient", "tag"),
            )


@pump_check(
    "PATIENT_ASSIGNED",
    Severity.NOTE,
    source="this project's choice",
    why="A pump without a patient is assigned by its first plan; it is shown as a change.",
)
def patient_assigned(case: PumpCase) -> Iterator[Seen]:
    """Say that the pump will be assigned."""
    patient = case.draft.patient
    if patient is not None and patient.tag and case.pump.tag_hash is None:
        yield Seen(
            f"the pump has no patient yet: this plan assigns it to {patient.tag}",
            value=patient.tag,
            path=("patient", "tag"),
        )


@pump_check(
    "DRUG_OTHER",
    Severity.HARD,
    source="REF-03",
    why="The drug in the reservoir changes only through a refill, which records it.",
)
def drug_other(case: PumpCase) -> Iterator[Seen]:
    """The drug is the one in the pump."""
    if case.program.drug != case.pump.drug:
        yield Seen(
            f"the pump holds {case.pump.drug}, not {case.program.drug}: only a refill changes it",
            value=case.program.drug,
            limit=case.pump.drug,
            path=("drug", "name"),
        )


@pump_check(
    "CONCENTRATION_OTHER",
    Severity.HARD,
    source="REF-03",
    why="A program computed for another concentration than the reservoir's is out by their ratio: "
    "entered below what is in the pump, it is an overdose. Only a refill changes it.",
    incident="Concentrations entered below what was in the reservoir gave an overdose by the "
    "ratio of the two.",
)
def concentration_other(case: PumpCase) -> Iterator[Seen]:
    """The concentration is the one in the pump."""
    new, held = case.program.concentration, case.pump.concentration
    if new != held:
        yield Seen(
            f"the pump holds {held}, not {new}: only a refill changes it",
            value=str(new),
            limit=str(held),
            path=("drug", "concentration"),
        )
