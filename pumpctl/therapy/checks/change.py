"""Is the step from the old program to the new one too large, up or down? (LIM-04)

Compares two prescribed programs inside the absolute limits: the dose of each
day, the basal rate at every minute of the week, and, upwards only, the most in
24 h with all patient doses taken. Where a day's total moves by as much as one of
the others does, it is told once, of the day. The label's rules are in
`label_rules`, restarts in `pause`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Percent, round_up
from pumpctl.therapy.checks.bands import LIBRARY
from pumpctl.therapy.checks.registry import PumpCase, pump_check
from pumpctl.therapy.compare import Rise24h, change, rise_24h
from pumpctl.therapy.curve import basal_changes
from pumpctl.therapy.figures import daily_doses, rate_at
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Change, Sourced
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import DAY_MS, DAYS, MINUTE_MS, clock_text
from pumpctl.therapy.past import prescribed
from pumpctl.therapy.places import Path
from pumpctl.therapy.program import Mode, Program

_DAILY, _RATE = DEFAULT.listed[0].daily_change, DEFAULT.listed[0].rate_change

WITHDRAWAL = (
    "withdrawal (fever, rebound spasticity, altered mental state) begins 12 to 96 h after the "
    "drug is missing and can kill"
)


class Move(NamedTuple):
    """A relative change, 1/10 for +10 %, and from which instant of the week (ms) it holds."""

    by: Fraction
    at: int

    @property
    def day(self) -> int:
        """The weekday, 0 for Monday."""
        return self.at // DAY_MS

    @property
    def minute(self) -> int:
        """The minute of that day."""
        return self.at % DAY_MS // MINUTE_MS


class Beyond(NamedTuple):
    """The greatest move of its direction, and the gravest limit that it is beyond."""

    move: Move
    limit: Sourced[Percent]
    hard: bool

    def seen(self, what: str, path: Path, hard: Severity) -> Seen:
        """`what` has a place for the figures; with the severity `hard` beyond a hard limit."""
        sign = "+" if self.move.by > 0 else "-"
        size = Percent(round_up(abs(self.move.by) * 10_000))
        return Seen(
            what.format(f"{size}, more than {self.limit.value}"),
            value=f"{sign}{size}",
            limit=f"{sign}{self.limit.value}",
            path=path,
            severity=hard if self.hard else None,
            source=self.limit.source,
        )


def by_day(old: Program, new: Program) -> list[Move]:
    """How each day's dose moves; from nothing there is no relative change."""
    pairs = zip(daily_doses(old), daily_doses(new), strict=True)
    return [
        Move(change(before, after) or Fraction(0), day * DAY_MS)
        for day, (before, after) in enumerate(pairs)
    ]


def by_minute(old: Program, new: Program) -> list[Move]:
    """How the basal rate moves, over the whole week, at each instant at which either changes."""
    was, becomes = dict(basal_changes(old)), dict(basal_changes(new))
    before = after = 0
    moves = []
    for time in sorted({*was, *becomes}):
        before, after = was.get(time, before), becomes.get(time, after)
        moves.append(Move(change(before, after) or Fraction(0), time))
    return moves


def _beyond(moves: Iterable[Move], limits: Change, *, up: bool) -> Beyond | None:
    if up:
        move = max(moves, key=lambda each: each.by)
        soft, hard = limits.increase_soft, limits.increase_hard
    else:
        move = min(moves, key=lambda each: each.by)
        soft, hard = limits.reduction_soft, limits.reduction_hard
    for limit in (hard, soft):
        if limit is not None and (move.by if up else -move.by) > limit.value.fraction:
            return Beyond(move, limit, limit is hard)
    return None


OWN_DOSES: Path = ("program", "patient_dose", "max_per_24h")
"""Where what the patient can add to 24 h is written."""


def dose_beyond(case: PumpCase, *, up: bool) -> Beyond | None:
    """The daily dose's greatest move, where it is beyond a limit; from minimum rate: None."""
    old = prescribed(case.pump.program)
    if old is None:
        return None
    return _beyond(by_day(old, case.program), case.limits.daily_change, up=up)


def total_beyond(case: PumpCase) -> tuple[Rise24h, Beyond] | None:
    """The rise of 24 h with all patient doses, where it is beyond and the day's does not say it."""
    old = prescribed(case.pump.program)
    total = rise_24h([old], case.program) if old is not None else None
    if total is None:
        return None
    found = _beyond([Move(total.by, 0)], case.limits.daily_change, up=True)
    if found is None or _says(dose_beyond(case, up=True), found):
        return None
    return total, found


def rate_beyond(case: PumpCase, *, up: bool) -> Beyond | None:
    """The basal rate's, where it is beyond a limit and the day's dose does not say it already."""
    old = prescribed(case.pump.program)
    if old is None:
        return None
    found = _beyond(by_minute(old, case.program), case.limits.rate_change, up=up)
    return None if found is None or _says(dose_beyond(case, up=up), found) else found


def _says(day: Beyond | None, found: Beyond) -> bool:
    """Whether the day's dose moves by as much, and is judged as gravely: then it is told once."""
    return day is not None and abs(day.move.by) >= abs(found.move.by) and day.hard >= found.hard


def _source(limit: Sourced[Percent] | None) -> str:
    return limit.source if limit else LIBRARY


@pump_check(
    "DOSE_INCREASE",
    Severity.SOFT,
    source=_source(_DAILY.increase_soft),
    why="At higher doses an increase above 20 % may be excessive. Overdose comes hours after the "
    "change, when the visit is over: observe, and see the patient within 24 h. Patient doses count "
    "as if all that are permitted were taken.",
    incident="ISMP: 60 mcg each morning was programmed as 60 mcg every hour, 24 times the dose.",
)
def dose_increase(case: PumpCase) -> Iterator[Seen]:
    """Neither a day's dose nor 24 h with all patient doses rise by more than the set fraction."""
    found = dose_beyond(case, up=True)
    if found is not None:
        path = case.draft.dose_path(found.move.day)
        yield found.seen("the daily dose rises by {}", path, Severity.HARD)
    total = total_beyond(case)
    if total is not None:
        yield total[1].seen(f"{total[0].words}, by {{}}", OWN_DOSES, Severity.HARD)


@pump_check(
    "DOSE_REDUCTION",
    Severity.SOFT,
    source=_source(_DAILY.reduction_soft),
    why=f"Reductions are made gradually, except in overdose: {WITHDRAWAL}. A reduction needs no "
    "second person.",
)
def dose_reduction(case: PumpCase) -> Iterator[Seen]:
    """No day's dose falls by more than the set fraction."""
    found = dose_beyond(case, up=False)
    if found is not None:
        path = case.draft.dose_path(found.move.day)
        yield found.seen(f"the daily dose falls by {{}}: {WITHDRAWAL}", path, Severity.HARD)


@pump_check(
    "RATE_INCREASE",
    Severity.SOFT,
    source=_source(_RATE.increase_soft),
    why="The day's total may hardly move while one hour gets several times what it had. The drug "
    "acts within hours, and a step entered at a wrong rate looks like this.",
)
def rate_increase(case: PumpCase) -> Iterator[Seen]:
    """At no minute of the week does the basal rate rise by more than the set fraction."""
    old, found = prescribed(case.pump.program), rate_beyond(case, up=True)
    if old is not None and found is not None:
        path = _rate_path(case, found.move)
        yield found.seen(f"{_rates_text(old, case.program, found.move)} {{}}", path, Severity.HARD)


@pump_check(
    "RATE_REDUCTION",
    Severity.SOFT,
    source=_source(_RATE.reduction_soft),
    why="The day's total may hardly move while hours of it go almost without the drug: "
    f"{WITHDRAWAL}.",
)
def rate_reduction(case: PumpCase) -> Iterator[Seen]:
    """At no minute of the week does the basal rate fall by more than the set fraction."""
    old, found = prescribed(case.pump.program), rate_beyond(case, up=False)
    if old is not None and found is not None:
        what = f"{_rates_text(old, case.program, found.move)} {{}}: {WITHDRAWAL}"
        yield found.seen(what, _rate_path(case, found.move), Severity.HARD)


def _rates_text(old: Program, new: Program, move: Move) -> str:
    rates = (rate_at(program, move.day, move.minute).per_hour_text() for program in (old, new))
    verb = "rises" if move.by > 0 else "falls"
    when = f"{DAYS[move.day]} {clock_text(move.minute)}"
    return f"from {when} on the basal rate {verb} from {' to '.join(rates)}, by"


def _rate_path(case: PumpCase, move: Move) -> Path:
    """Where the new rate is written."""
    for written in case.draft.days or ():
        if move.day in written.days:
            steps = [step for step in written.steps or () if (step.start or 0) <= move.minute]
            return (*steps[-1].path, "basal")
    return case.draft.dose_path(move.day)


@pump_check(
    "CHANGE_FROM_MINIMUM",
    Severity.NOTE,
    source="LIM-04",
    why="Minimum rate is no dose that somebody chose, so a percentage against it means nothing; "
    "the absolute limits hold.",
)
def change_from_minimum(case: PumpCase) -> Iterator[Seen]:
    """Say that there is no prescribed dose to compare with."""
    if prescribed(case.pump.program) is None and case.program.mode is not Mode.MINIMUM:
        yield Seen(
            "the pump runs no prescribed dose, so there is no relative change to check",
            path=("program", "mode"),
        )
