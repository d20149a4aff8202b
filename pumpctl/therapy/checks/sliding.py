"""Does any window of the schedule hold too much, wherever it starts? (LIM-05)

Every window of the library, with all scheduled boluses and every patient dose
that duration, lockout and maximum permit. Any 24 hours have an id of their own,
because they are held against the daily dose's absolute limit as well; and what
the daily dose's own check has told is not told again. Windows with what was
really given before are in `ahead`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pumpctl.quantities import Duration, Mass, round_up
from pumpctl.therapy.checks import bands
from pumpctl.therapy.checks.registry import Case, check
from pumpctl.therapy.figures import Figures, patient_doses_24h, patient_doses_within
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Sourced, window_text
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import DAY_MS, DAYS, MINUTE_MS, clock_text

_SHIPPED = DEFAULT.listed[0]
_ANY_DAY = Duration(DAY_MS)


def _own(figures: Figures, length: Duration) -> Fraction:
    """All patient doses: in 24 h their maximum as it is written, as the pump counts them too."""
    if length == _ANY_DAY:
        return Fraction(patient_doses_24h(figures.program).quanta)
    return patient_doses_within(figures.program, length.quanta)


def _mass(figures: Figures, length: Duration) -> Fraction:
    """The most in any window of this length."""
    return figures.peak(length.quanta)[0] + _own(figures, length)


def _above(case: Case, figures: Figures, length: Duration, limit: Sourced[Mass]) -> Iterator[Seen]:
    """The fullest window of this length, where it is above the limit."""
    mass = _mass(figures, length)
    if mass <= limit.value.quanta:
        return
    scheduled, start = figures.peak(length.quanta)
    day, minute = divmod(start // MINUTE_MS, DAY_MS // MINUTE_MS)
    value, any_ = str(Mass(round_up(mass))), window_text(length)
    alone = scheduled > limit.value.quanta
    with_own = " with all patient doses taken" if _own(figures, length) else ""
    yield Seen(
        f"the largest {any_}{with_own} reaches {value}, above {limit.value}; the schedule's part "
        f"is largest from {DAYS[day]} {clock_text(minute)} on",
        value=value,
        limit=f"{limit.value} in any {any_}",
        path=case.draft.dose_path(day) if alone else ("program", "patient_dose", "max_per_24h"),
        source=limit.source,
    )


def _hard_24h(case: Case) -> list[Sourced[Mass]]:
    """The hard limits of any 24 h; a day's own limit is one, too."""
    day = case.limits.daily_dose.hard_high
    found = [] if day is None else [Sourced(Mass(day.value.quanta), day.source)]
    return found + [each.hard for each in case.limits.windows if each.length == _ANY_DAY]


@check(
    "LARGEST_24H_HARD",
    Severity.HARD,
    source=bands.source_of(_SHIPPED.daily_dose.hard_high),
    why="The absolute limit holds for any 24 hours, with every permitted patient dose taken, not "
    "only for calendar days.",
)
def largest_24h_hard(case: Case) -> Iterator[Seen]:
    """No 24 hours, with all patient doses taken, are above the absolute limit."""
    figures, limits = case.figures, _hard_24h(case)
    if figures is None or not limits:
        return
    if bands.exceeds(figures.largest_day, case.limits.daily_dose.hard_high):
        return  # said already, of the day itself
    yield from _above(case, figures, _ANY_DAY, min(limits, key=lambda each: each.value))


@check(
    "WINDOW_HARD",
    Severity.HARD,
    source=bands.sources_of(each.hard for each in _SHIPPED.windows if each.length != _ANY_DAY),
    why="Basal rate, scheduled boluses and patient doses are each within their limits, and "
    "together too much within this time. Any 24 hours are LARGEST_24H_HARD's matter.",
)
def window_hard(case: Case) -> Iterator[Seen]:
    """No window of the library, with all patient doses taken, holds more than it may."""
    if case.figures is None:
        return
    for length, _, hard in case.limits.windows:
        if length != _ANY_DAY:
            yield from _above(case, case.figures, length, hard)


@check(
    "WINDOW_SOFT",
    Severity.SOFT,
    source=bands.sources_of(each.soft for each in _SHIPPED.windows),
    why="Basal rate, scheduled boluses and patient doses together are more within this time than "
    "there is experience with. Give the reason if it is meant.",
)
def window_soft(case: Case) -> Iterator[Seen]:
    """No window of the library holds more than needs a reason."""
    figures, day = case.figures, case.limits.daily_dose
    if figures is None:
        return
    for length, soft, hard in case.limits.windows:
        limits = [hard]
        if length == _ANY_DAY:
            limits = _hard_24h(case)
            of_days = (day.soft_high, day.hard_high)
            told = any(bands.exceeds(figures.largest_day, each) for each in of_days)
            if told and figures.program.patient_dose is None:
                continue  # said already, of the day itself
        mass = _mass(figures, length)
        if soft is not None and not any(bands.exceeds(mass, each) for each in limits):
            yield from _above(case, figures, length, soft)
