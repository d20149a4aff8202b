"""Is the step from the old program to the new one too large? Up, down, after a pause.

Compares two prescribed programs, day by day, inside the absolute limits. The
label's rules of time (first 24 hours, one increase a day) are not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pumpctl.quantities import Duration
from pumpctl.therapy import practice
from pumpctl.therapy.checks.registry import PumpCase, pump_check
from pumpctl.therapy.compare import greatest_changes, percent_text
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.places import Path
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.state import Delivery

_SHIPPED = DEFAULT.listed[0].daily_change

WITHDRAWAL = (
    "withdrawal (fever, rebound spasticity, altered mental state) begins 12 to 96 h after the "
    "drug is missing and can kill"
)


def _prescribed(case: PumpCase) -> Program | None:
    """The old program where it was a dose that somebody ordered, not minimum rate."""
    old = case.pump.program
    return None if old is None or old.mode is Mode.MINIMUM else old


def _path(case: PumpCase, relative: Fraction, old: Program) -> Path:
    """Where the day that changes so much is declared."""
    pairs = zip(daily_doses(old), daily_doses(case.program), strict=True)
    day = [after == before * (1 + relative) for before, after in pairs].index(True)
    return case.draft.dose_path(day)


def _percent(relative: Fraction) -> str:
    return percent_text(1, 1 + relative)


@pump_check(
    "DOSE_INCREASE",
    Severity.SOFT,
    source=_SHIPPED.increase_soft.source if _SHIPPED.increase_soft else "",
    why="At higher doses an increase above 20 % may be excessive. Overdose comes hours after the "
    "change, when the visit is over: observe, and see the patient within 24 h.",
)
def dose_increase(case: PumpCase) -> Iterator[Seen]:
    """No day's dose rises by more than the set fraction."""
    old, soft = _prescribed(case), case.limits.daily_change.increase_soft
    if old is None or soft is None:
        return
    limit, source = soft.value.fraction, soft.source
    greatest = greatest_changes(old, case.program)[1]
    if greatest > limit:
        yield Seen(
            f"the daily dose rises by {_percent(greatest)[1:]}, more than {_percent(limit)[1:]}",
            value=_percent(greatest),
            limit=_percent(limit),
            path=_path(case, greatest, old),
            source=source,
        )


@pump_check(
    "DOSE_REDUCTION",
    Severity.SOFT,
    source=_SHIPPED.reduction_soft.source if _SHIPPED.reduction_soft else "",
    why=f"Reductions are made gradually, except in overdose: {WITHDRAWAL}. A reduction needs no "
    "second person.",
)
def dose_reduction(case: PumpCase) -> Iterator[Seen]:
    """No day's dose falls by more than the set fraction."""
    old, soft = _prescribed(case), case.limits.daily_change.reduction_soft
    if old is None or soft is None:
        return
    limit, source = soft.value.fraction, soft.source
    greatest = greatest_changes(old, case.program)[0]
    if -greatest > limit:
        yield Seen(
            f"the daily dose falls by {_percent(greatest)[1:]}, more than {_percent(-limit)[1:]}: "
            f"{WITHDRAWAL}",
            value=_percent(greatest),
            limit=_percent(-limit),
            path=_path(case, greatest, old),
            source=source,
        )


@pump_check(
    "CHANGE_FROM_MINIMUM",
    Severity.NOTE,
    source="LIM-04",
    why="Minimum rate is no dose that somebody chose, so a percentage against it means nothing; "
    "the absolute limits hold.",
)
def change_from_minimum(case: PumpCase) -> Iterator[Seen]:
    """Say that there is no prescribed dose to compare with."""
    if _prescribed(case) is None and case.program.mode is not Mode.MINIMUM:
        yield Seen(
            "the pump runs no prescribed dose, so there is no relative change to check",
            path=("program", "mode"),
        )


def _stopped(case: PumpCase) -> Duration | None:
    """How long the pump has been stopped; one that does not say counts as very long."""
    if case.pump.delivery is not Delivery.STOPPED:
        return None
    longest = practice.STOPPED_HARD.value
    return case.pump.stopped_for if case.pump.stopped_for is not None else longest * 2


def _no_start(case: PumpCase) -> bool:
    """Whether it is no dose to start with: as much as before on any day, or above the rule."""
    doses = daily_doses(case.program)
    if max(doses) > practice.RESTART.value.quanta:
        return True
    old = _prescribed(case)
    if old is None:
        return False
    return any(after >= before for before, after in zip(daily_doses(old), doses, strict=True))


def _pause(case: PumpCase, pause: Duration, limit: Duration, what: str) -> Seen:
    hours = f"{pause.quanta // 3_600_000} h" if case.pump.stopped_for else "an unknown time"
    return Seen(f"no drug for {hours}: {what}", hours, str(limit), path=("program", "mode"))


@pump_check(
    "STOPPED_SHORT",
    Severity.NOTE,
    source=practice.STOPPED_SOFT.source,
    why="After a pause below 12 h the same dose may be resumed.",
)
def stopped_short(case: PumpCase) -> Iterator[Seen]:
    """Say how long the pump has been stopped."""
    pause, limit = _stopped(case), practice.STOPPED_SOFT.value
    if pause is not None and pause < limit:
        yield _pause(case, pause, limit, "the pump is stopped; the same dose may be resumed")


@pump_check(
    "STOPPED_LONG",
    Severity.SOFT,
    source=practice.STOPPED_SOFT.source,
    why="After 12 to 48 h without the drug tolerance begins to fade: doses that were tolerated "
    "before have caused overdose about 6 h after a restart.",
)
def stopped_long(case: PumpCase) -> Iterator[Seen]:
    """After 12 to 48 hours a restart needs its reason."""
    pause = _stopped(case)
    low, high = practice.STOPPED_SOFT.value, practice.STOPPED_HARD.value
    if pause is not None and low <= pause <= high:
        yield _pause(case, pause, low, "tolerance begins to fade; watch for overdose for 24 h")


@pump_check(
    "STOPPED_TOO_LONG",
    Severity.HARD,
    source=practice.STOPPED_HARD.source,
    why="After more than 48 h without the drug the old dose is refused: previously tolerated rates "
    "have caused coma after a restart. Start again as with a new patient.",
)
def stopped_too_long(case: PumpCase) -> Iterator[Seen]:
    """After more than 48 hours the old dose is refused, and whatever is no starting dose."""
    pause, limit = _stopped(case), practice.STOPPED_HARD.value
    if pause is not None and pause > limit and _no_start(case):
        yield _pause(
            case,
            pause,
            limit,
            f"no more than {practice.RESTART.value}, and less than before, may start again",
        )


@pump_check(
    "STOPPED_RESTART",
    Severity.SOFT,
    source=practice.STOPPED_HARD.source,
    why="After more than 48 h without the drug the patient is to be treated as new to it, with a "
    "starting dose and a second person.",
)
def stopped_restart(case: PumpCase) -> Iterator[Seen]:
    """After more than 48 hours even a smaller dose needs its reason."""
    pause, limit = _stopped(case), practice.STOPPED_HARD.value
    if pause is not None and pause > limit and not _no_start(case):
        yield _pause(case, pause, limit, "treat the patient as new to the drug; is this dose low?")
