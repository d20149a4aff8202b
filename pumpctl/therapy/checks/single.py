"""Is each single dose within the library's band? Scheduled boluses, the patient's own doses.

Looks at the doses as they were written, each once, whatever their times.
Whether one can be given at all is in `doses`; what many of them add up to is in
`sliding`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Mass
from pumpctl.therapy.checks import bands
from pumpctl.therapy.checks.registry import Case, check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library_default import DEFAULT

_SHIPPED = DEFAULT.listed[0]


def _boluses(case: Case) -> Iterator[bands.Figure]:
    for written in case.draft.boluses or ():
        if written.dose is not None:
            path = (*written.path, "dose")
            yield bands.Figure(written.dose.quanta, Mass, "a bolus of {}", path)


def _own(case: Case) -> Iterator[bands.Figure]:
    own = case.draft.patient_dose
    if own is not None:
        path = ("program", "patient_dose", "dose")
        yield bands.Figure(own.dose.quanta, Mass, "a patient dose of {}", path)


@check(
    "BOLUS_HARD",
    Severity.HARD,
    source=bands.source_of(_SHIPPED.bolus.hard_high),
    why="More at once than a good part of the largest daily doses. A bolus acts within the hour "
    "and cannot be taken back.",
)
def bolus_hard(case: Case) -> Iterator[Seen]:
    """No scheduled bolus is above the absolute limit."""
    yield from bands.above_hard(case.limits.bolus, _boluses(case))


@check(
    "BOLUS_SOFT",
    Severity.SOFT,
    source=bands.source_of(_SHIPPED.bolus.soft_high),
    why="More than the largest screening dose, on top of the basal rate. Given by slip, it is a "
    "point or a unit out of place; if it is meant, give the reason.",
)
def bolus_soft(case: Case) -> Iterator[Seen]:
    """No scheduled bolus is above the limit without a reason."""
    yield from bands.above_soft(case.limits.bolus, _boluses(case))


@check(
    "BOLUS_LOW",
    Severity.SOFT,
    source=bands.source_of(_SHIPPED.bolus.soft_low),
    why="A bolus that cannot do anything was meant to be another: a point or a unit out of place.",
)
def bolus_low(case: Case) -> Iterator[Seen]:
    """No scheduled bolus is too small to be meant."""
    yield from bands.below(case.limits.bolus, _boluses(case), beyond=Severity.HARD)


@check(
    "PATIENT_DOSE_HARD",
    Severity.HARD,
    source=bands.source_of(_SHIPPED.patient_dose.hard_high),
    why="The patient takes it at home, alone, perhaps several times a day: nobody is there who "
    "could support breathing.",
)
def patient_dose_hard(case: Case) -> Iterator[Seen]:
    """No patient dose is above the absolute limit."""
    yield from bands.above_hard(case.limits.patient_dose, _own(case))


@check(
    "PATIENT_DOSE_SOFT",
    Severity.SOFT,
    source=bands.source_of(_SHIPPED.patient_dose.soft_high),
    why="A dose that acts by itself, on top of the basal rate, taken where nobody observes. Give "
    "the reason if it is meant.",
)
def patient_dose_soft(case: Case) -> Iterator[Seen]:
    """No patient dose is above the limit without a reason."""
    yield from bands.above_soft(case.limits.patient_dose, _own(case))


@check(
    "PATIENT_DOSE_LOW",
    Severity.SOFT,
    source=bands.source_of(_SHIPPED.patient_dose.soft_low),
    why="A dose that the patient cannot feel is pressed again and again, and was meant to be "
    "another: a point or a unit out of place.",
)
def patient_dose_low(case: Case) -> Iterator[Seen]:
    """No patient dose is too small to be meant."""
    yield from bands.below(case.limits.patient_dose, _own(case), beyond=Severity.HARD)
