"""Is the daily dose within its limits, and the fallback in proportion to it?

Absolute limits of one program, the label's usual ranges as notes. What the
patient had before is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Rate, round_half_up, round_up
from pumpctl.therapy.checks.registry import Case, basal_rates, check
from pumpctl.therapy.compare import share_text
from pumpctl.therapy.figures import (
    daily_doses,
    largest_24h_with_patient_doses,
    smallest_day,
)
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import DAYS
from pumpctl.therapy.program import Mode

_SHIPPED = DEFAULT.listed[0].daily_dose


def _source(limit: Sourced[Rate] | None) -> str:
    return limit.source if limit else "drug library"


def _above(case: Case, limit: Sourced[Rate] | None, kind: str) -> Iterator[Seen]:
    """The days whose dose is above a limit, once for each declared dose."""
    if case.program is None or limit is None:
        return
    told = set()
    for day, dose in enumerate(daily_doses(case.program)):
        path = case.draft.dose_path(day)
        if dose > limit.value.quanta and (path, dose) not in told:
            told.add((path, dose))
            value = str(Rate(round_up(dose)))
            yield Seen(
                f"{value} on {DAYS[day]} is above {limit.value}, the {kind} for a day",
                value=value,
                limit=str(limit.value),
                path=path,
                source=limit.source,
            )


@check(
    "DAILY_DOSE_HARD",
    Severity.HARD,
    source=_source(_SHIPPED.hard_high),
    why="Beyond any dose that label studies have seen. Overdose means coma and arrested breathing.",
)
def daily_dose_hard(case: Case) -> Iterator[Seen]:
    """No day's dose is above the absolute limit."""
    yield from _above(case, case.limits.daily_dose.hard_high, "absolute limit")


@check(
    "RATE_HARD",
    Severity.HARD,
    source=_source(_SHIPPED.hard_high),
    why="No rate, the fallback's included, is above what may be given in a day, not even for an "
    "hour. The pump holds every rate against the same figure.",
)
def rate_hard(case: Case) -> Iterator[Seen]:
    """No basal rate and no fallback is above the absolute limit of a day."""
    if case.limits.rate.hard_high is None:
        return
    limit, source = case.limits.rate.hard_high
    for rate, path in basal_rates(case):
        if rate > limit and case.draft.mode is not Mode.CONTINUOUS:
            yield Seen(
                f"a rate of {rate} ({rate.per_hour_text()}) is above {limit}",
                value=str(rate),
                limit=str(limit),
                path=path,
                source=source,
            )
    fallback = case.draft.fallback
    if fallback is not None and fallback > limit:
        yield Seen(
            f"a fallback of {fallback} is above {limit}",
            value=str(fallback),
            limit=str(limit),
            path=("program", "fallback_rate"),
            source=source,
        )


@check(
    "DAILY_DOSE_SOFT",
    Severity.SOFT,
    source=_source(_SHIPPED.soft_high),
    why="There is little experience with daily doses above 1000 mcg; a dose out by ten is often "
    "there. Give the reason if it is meant.",
)
def daily_dose_soft(case: Case) -> Iterator[Seen]:
    """No day's dose is above what there is experience with."""
    for seen in _above(case, case.limits.daily_dose.soft_high, "limit without a reason"):
        value, hard = seen.value or "", case.limits.daily_dose.hard_high
        if hard is None or Rate.parse(value) <= hard.value:
            yield seen


@check(
    "LARGEST_24H_HARD",
    Severity.HARD,
    source=_source(_SHIPPED.hard_high),
    why="The absolute limit holds for any 24 hours, with every permitted patient dose taken, not "
    "only for calendar days.",
)
def largest_24h_hard(case: Case) -> Iterator[Seen]:
    """No 24 hours, with all patient doses taken, are above the absolute limit."""
    program, hard = case.program, case.limits.daily_dose.hard_high
    if hard is None:
        return
    limit, source = hard
    if program is None or max(daily_doses(program)) > limit.quanta:
        return  # said already, of the day itself
    largest = largest_24h_with_patient_doses(program)
    if largest.quanta > limit.quanta:
        yield Seen(
            f"the largest 24 h with all patient doses taken reach {largest}",
            value=str(largest),
            limit=f"{limit} in any 24 h",
            path=("program", "patient_dose", "max_per_24h"),
            source=source,
        )


@check(
    "DAILY_DOSE_USUAL",
    Severity.NOTE,
    source=DEFAULT.listed[0].usual[0].source,
    why="Outside the range of maintenance doses that the label calls usual. That is no limit: "
    "many patients need it.",
)
def daily_dose_usual(case: Case) -> Iterator[Seen]:
    """The daily doses are within the label's usual range."""
    program, patient = case.program, case.draft.patient
    if program is None or patient is None or program.mode is Mode.MINIMUM:
        return
    usual = case.limits.usual_for(patient.age_group, patient.spasticity_origin)
    if usual is None:
        return
    told = set()
    for day, dose in enumerate(daily_doses(program)):
        path = case.draft.dose_path(day)
        starting = patient.history == "new" and dose < usual.low.quanta
        usually = usual.low.quanta <= dose <= usual.high.quanta
        if usually or starting or (path, dose) in told:
            continue
        told.add((path, dose))
        value = str(Rate(round_half_up(dose)))
        side = "below" if dose < usual.low.quanta else "above"
        yield Seen(
            f"{value} on {DAYS[day]} is {side} the usual maintenance range",
            value=value,
            limit=f"{usual.low} to {usual.high}",
            path=path,
            source=usual.source,
        )


@check(
    "FALLBACK_LOW",
    Severity.SOFT,
    source="PRG-07",
    why="If the stored program is ever damaged the patient lives on the fallback until somebody "
    "notices. Below half of the usual dose that is withdrawal.",
)
def fallback_low(case: Case) -> Iterator[Seen]:
    """The fallback is at least half of the smallest day."""
    program = case.program
    if program is None or program.mode is Mode.MINIMUM:
        return
    smallest = smallest_day(program)
    if program.fallback.quanta * 2 < smallest:
        share = share_text(program.fallback.quanta, smallest)
        yield Seen(
            f"the fallback of {program.fallback} is {share} of the smallest day, below half",
            value=str(program.fallback),
            limit=f"at least {Rate(round_up(smallest / 2))}",
            path=("program", "fallback_rate"),
        )


@check(
    "FALLBACK_HIGH",
    Severity.SOFT,
    source="PRG-07",
    why="A fallback above the smallest day's dose would be an increase that nobody ordered, given "
    "when the pump is already in trouble.",
)
def fallback_high(case: Case) -> Iterator[Seen]:
    """The fallback is at most the smallest day."""
    program = case.program
    if program is None or program.mode is Mode.MINIMUM:
        return
    smallest = smallest_day(program)
    if program.fallback.quanta > smallest:
        yield Seen(
            f"the fallback of {program.fallback} is above the smallest day",
            value=str(program.fallback),
            limit=f"at most {Rate(int(smallest))}",
            path=("program", "fallback_rate"),
        )
