"""Is the drug, at this concentration, on the closed list? (LIM-07)"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.therapy import practice
from pumpctl.therapy.checks.registry import Case, check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library_default import DEFAULT


@check(
    "DRUG_UNKNOWN",
    Severity.HARD,
    source=DEFAULT.source,
    why="Limits are keyed by drug and concentration; for a drug without limits nothing can be "
    "checked, so nothing is given.",
)
def drug_unknown(case: Case) -> Iterator[Seen]:
    """The drug is in the library."""
    drug = case.draft.drug
    if drug is not None and drug not in case.library.drugs():
        known = ", ".join(case.library.drugs())
        yield Seen(
            f"the drug library knows no {drug!r:.40}",
            value=drug,
            limit=known,
            path=("drug", "name"),
            source=case.library.source,
        )


@check(
    "CONCENTRATION_SCREENING",
    Severity.HARD,
    source=practice.SCREENING.source,
    why="50 mcg/mL is the ampoule for the screening injection. In a pump it would be a tenth of "
    "the lowest concentration, and of its dose.",
)
def concentration_screening(case: Case) -> Iterator[Seen]:
    """The screening ampoule is not for pumps."""
    screening, source = practice.SCREENING
    if case.draft.concentration == screening:
        yield Seen(
            f"{screening} is for screening only, never for a pump",
            value=str(screening),
            limit=_list(case),
            path=("drug", "concentration"),
            source=source,
        )


@check(
    "CONCENTRATION_UNKNOWN",
    Severity.HARD,
    source=DEFAULT.source,
    why="Ampoules of the same mass differ fourfold in concentration (10 mg/20 mL, 10 mg/5 mL). A "
    "concentration that is not supplied is a slip, and every dose would be out by its ratio.",
)
def concentration_unknown(case: Case) -> Iterator[Seen]:
    """The concentration is one that the library lists for this drug."""
    draft = case.draft
    if draft.concentration is None or draft.concentration == practice.SCREENING.value:
        return
    listed = case.library.concentrations(draft.drug or case.limits.drug)
    if listed and draft.concentration not in listed:
        yield Seen(
            f"{draft.concentration} is not on the list for {draft.drug or case.limits.drug}",
            value=str(draft.concentration),
            limit=_list(case),
            path=("drug", "concentration"),
            source=case.library.source,
        )


def _list(case: Case) -> str:
    listed = case.library.concentrations(case.draft.drug or case.limits.drug)
    return ", ".join(str(each) for each in listed)
