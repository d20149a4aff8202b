"""Is the daily dose within its limits, and the fallback in proportion to it?

Limits of one program's calendar days, the label's usual ranges as notes. Rates
are in `rates`, what slides over midnight in `sliding`. What the patient had
before is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Rate, round_half_up, round_up
from pumpctl.therapy.checks import bands
from pumpctl.therapy.checks.bands import source_of
from pumpctl.therapy.checks.registry import Case, check
from pumpctl.therapy.compare import share_text
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import DAYS
from pumpctl.therapy.program import Mode

_SHIPPED = DEFAULT.listed[0].daily_dose


def _days(case: Case) -> Iterator[bands.Figure]:
    """Each day's dose, as it is told."""
    for day, dose, path in case.days:
        yield bands.Figure(dose, Rate, f"{{}} {_when(case, day)}", path)


def _when(case: Case, day: int) -> str:
    """The first of the days that it is told of, or all of them."""
    return "every day" if len(case.days) == 1 else f"on {DAYS[day]}"


@check(
    "DAILY_DOSE_HARD",
    Severity.HARD,
    source=source_of(_SHIPPED.hard_high),
    why="Beyond any dose that label studies have seen. Overdose means coma and arrested breathing.",
)
def daily_dose_hard(case: Case) -> Iterator[Seen]:
    """No day's dose is above the absolute limit."""
    yield from bands.above_hard(case.limits.daily_dose, _days(case))


@check(
    "DAILY_DOSE_SOFT",
    Severity.SOFT,
    source=source_of(_SHIPPED.soft_high),
    why="There is little experience with daily doses above 1000 mcg; a dose out by ten is often "
    "there. Give the reason if it is meant.",
    incident="ISMP: 60 mcg each morning was programmed as 60 mcg every hour, 1440 mcg a day.",
)
def daily_dose_soft(case: Case) -> Iterator[Seen]:
    """No day's dose is above what there is experience with."""
    yield from bands.above_soft(case.limits.daily_dose, _days(case))


@check(
    "DAILY_DOSE_LOW",
    Severity.SOFT,
    source=source_of(_SHIPPED.soft_low),
    why="A dose that does nothing is withdrawal for a patient who had more, and is often out by "
    "ten. Minimum rate is no dose that somebody chose, and is not held against this.",
)
def daily_dose_low(case: Case) -> Iterator[Seen]:
    """No day's dose is below the least that is known to act."""
    if case.draft.mode is not Mode.MINIMUM:
        yield from bands.below(case.limits.daily_dose, _days(case), beyond=Severity.HARD)


@check(
    "DAILY_DOSE_USUAL",
    Severity.NOTE,
    source=DEFAULT.listed[0].usual[0].source,
    why="Outside the range of maintenance doses that the label calls usual. That is no limit: "
    "many patients need it.",
)
def daily_dose_usual(case: Case) -> Iterator[Seen]:
    """The daily doses are within the label's usual range."""
    patient = case.draft.patient
    if patient is None or case.draft.mode is Mode.MINIMUM:
        return
    usual = case.limits.usual_for(patient.age_group, patient.spasticity_origin)
    if usual is None:
        return
    for day, dose, path in case.days:
        starting = patient.history == "new" and dose < usual.low.quanta
        if starting or usual.low.quanta <= dose <= usual.high.quanta:
            continue
        value = str(Rate(round_half_up(dose)))
        side = "below" if dose < usual.low.quanta else "above"
        yield Seen(
            f"{value} {_when(case, day)} is {side} the usual maintenance range",
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
    figures = case.figures
    if figures is None or figures.program.mode is Mode.MINIMUM:
        return
    fallback, smallest = figures.program.fallback, figures.smallest_day
    if fallback.quanta * 2 < smallest:
        share = share_text(fallback.quanta, smallest)
        yield Seen(
            f"the fallback of {fallback} is {share} of the smallest day, below half",
            value=str(fallback),
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
    figures = case.figures
    if figures is None or figures.program.mode is Mode.MINIMUM:
        return
    fallback, smallest = figures.program.fallback, figures.smallest_day
    if fallback.quanta > smallest:
        yield Seen(
            f"the fallback of {fallback} is above the smallest day",
            value=str(fallback),
            limit=f"at most {Rate(int(smallest))}",
            path=("program", "fallback_rate"),
        )
