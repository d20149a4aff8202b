"""Is every rate within the library's band? Each basal step, and the fallback.

A continuous program's rate is its daily dose less the boluses: where the day's
own check has told of it, the rate is not told again. What the pump can deliver
is in `pump_range`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Rate
from pumpctl.therapy.checks import bands
from pumpctl.therapy.checks.registry import Case, basal_rates, check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.program import Mode

_SHIPPED = DEFAULT.listed[0].rate


def _told(case: Case, limit: Sourced[Rate] | None) -> bool:
    """Whether this limit's own check has told of a continuous program's daily dose."""
    figures = case.figures
    if figures is None or figures.program.mode is not Mode.CONTINUOUS:
        return False
    return bands.exceeds(figures.largest_day, limit)


def _rates(case: Case, *, told: bool) -> Iterator[bands.Figure]:
    """Every basal rate and the fallback; `told`: the basal rates are the daily dose's matter."""
    if not told:
        for rate, path in basal_rates(case):
            yield bands.Figure(rate.quanta, Rate, "a rate of {}", path, hourly=True)
    fallback = case.draft.fallback
    if fallback is not None:
        path = ("program", "fallback_rate")
        yield bands.Figure(fallback.quanta, Rate, "a fallback of {}", path)


@check(
    "RATE_HARD",
    Severity.HARD,
    source=bands.source_of(_SHIPPED.hard_high),
    why="No rate, the fallback's included, is above what may be given in a day, not even for an "
    "hour. The pump holds every rate against the same figure.",
)
def rate_hard(case: Case) -> Iterator[Seen]:
    """No basal rate and no fallback is above the absolute limit."""
    told = _told(case, case.limits.daily_dose.hard_high)
    yield from bands.above_hard(case.limits.rate, _rates(case, told=told))


@check(
    "RATE_SOFT",
    Severity.SOFT,
    source=bands.source_of(_SHIPPED.soft_high),
    why="A rate above what this site usually gives, even if only for an hour: a point in the "
    "wrong place, or a dose for the whole day entered as a rate. Give the reason if it is meant.",
)
def rate_soft(case: Case) -> Iterator[Seen]:
    """No basal rate and no fallback is above the limit without a reason."""
    day = case.limits.daily_dose
    told = _told(case, day.soft_high) or _told(case, day.hard_high)
    yield from bands.above_soft(case.limits.rate, _rates(case, told=told))


@check(
    "RATE_LOW",
    Severity.SOFT,
    source=bands.source_of(_SHIPPED.soft_low),
    why="Hours at a rate that does nothing are hours of withdrawal, also within a day whose total "
    "is right. Minimum rate is no dose that somebody chose, and is not held against this.",
)
def rate_low(case: Case) -> Iterator[Seen]:
    """No basal rate and no fallback is below what the library calls too little."""
    band, figures = case.limits.rate, case.figures
    told = False
    if figures is not None and figures.program.mode is Mode.CONTINUOUS:
        day, least = case.limits.daily_dose, figures.program.days[0][0].rate.quanta
        gravely = bands.falls_short(figures.smallest_day, day.hard_low)
        short = bands.falls_short(figures.smallest_day, day.soft_low)
        told = gravely or (short and not bands.falls_short(least, band.hard_low))
    yield from bands.below(band, _rates(case, told=told), beyond=Severity.HARD)
