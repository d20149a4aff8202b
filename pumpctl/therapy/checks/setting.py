"""What else a reader of the profile should know: patient, history, alarm volume."""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.therapy import practice
from pumpctl.therapy.checks.registry import Case, check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.patient import PLACEHOLDER_TAG

_LABEL = "label: indicated from 4 years; doses of children are set by response (DailyMed, CHEO)"


@check(
    "AGE_UNDER_12",
    Severity.NOTE,
    source=_LABEL,
    why="Children need doses by response, not by weight, and small steps. Under 4 years the drug "
    "is not indicated; a profile tells the age group only, so nothing here can see that.",
)
def age_under_12(case: Case) -> Iterator[Seen]:
    """Say what the label says of children."""
    patient = case.draft.patient
    if patient is not None and patient.age_group == "under-12":
        yield Seen(
            "a child under 12: steps of 5 to 15 % at most. Not indicated under 4 years, which "
            "this profile cannot show: is the child 4 or older?",
            value=patient.age_group,
            path=("patient", "age_group"),
        )


@check(
    "HISTORY_MISSING",
    Severity.NOTE,
    source="profile format 1",
    why="Whether a patient is new to the drug decides which rules of the label speak: starting "
    "dose, first 24 hours, titration. Without it a check can go on; against a pump it is a soft "
    "finding.",
)
def history_missing(case: Case) -> Iterator[Seen]:
    """The patient's history is said."""
    patient = case.draft.patient
    if patient is not None and patient.history is None:
        yield Seen(
            "history is left out, so no starting or titration rule is applied",
            limit="new, established, transferred or replacement",
            path=("patient",),
            key=True,
            severity=Severity.SOFT if case.with_pump else None,
        )


@check(
    "TAG_PLACEHOLDER",
    Severity.NOTE,
    source="profile format 1",
    why="A new profile carries example doses and no patient. It can be checked, but against a pump "
    "the placeholder is a hard finding: nobody ordered those doses.",
)
def tag_placeholder(case: Case) -> Iterator[Seen]:
    """The tag is a patient's."""
    patient = case.draft.patient
    if patient is not None and patient.tag == PLACEHOLDER_TAG:
        yield Seen(
            "the tag is still the placeholder of a new profile: fill in the patient's",
            value=patient.tag,
            path=("patient", "tag"),
            severity=Severity.HARD if case.with_pump else None,
        )


@check(
    "LOW_ALARM_RANGE",
    Severity.HARD,
    source=practice.RESERVOIR.source,
    why="An alarm volume at or above a full reservoir rings from the first minute, and one of "
    "nothing never rings before the drug has run out.",
)
def low_alarm_range(case: Case) -> Iterator[Seen]:
    """The alarm volume is above nothing, and below a full reservoir."""
    alarm, (largest, source) = case.draft.low_alarm, practice.RESERVOIR
    if alarm is not None and (not alarm or alarm >= largest):
        yield Seen(
            f"an alarm volume of {alarm}",
            value=str(alarm),
            limit=f"above 0 mL, below {largest}",
            path=("reservoir", "low_alarm"),
            source=source,
        )


@check(
    "LOW_ALARM_LOW",
    Severity.NOTE,
    source=practice.LOW_ALARM.source,
    why="Withdrawal has been seen with more than 2 mL left, and clinics raised the alarm to 4 mL.",
    incident="Withdrawal with more than 2 mL left, before the alarm.",
)
def low_alarm_low(case: Case) -> Iterator[Seen]:
    """The alarm volume is not below the usual one."""
    alarm, (usual, source) = case.draft.low_alarm, practice.LOW_ALARM
    if alarm is not None and alarm and alarm < usual:
        yield Seen(
            f"an alarm volume of {alarm} leaves less warning than usual",
            value=str(alarm),
            limit=str(usual),
            path=("reservoir", "low_alarm"),
            source=source,
        )
