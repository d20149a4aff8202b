"""Is each single dose one that can be given? Zero, durations, overlaps, counts (PRG-08).

Scheduled boluses and the patient's own doses, and rates of nothing. How large
a dose may be is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Duration, Mass
from pumpctl.therapy.checks.registry import Case, check
from pumpctl.therapy.curve import WEEK_MS
from pumpctl.therapy.draft import PlacedBolus
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.moment import DAY_MS, DAYS, MINUTE_MS, clock_text
from pumpctl.therapy.places import Path
from pumpctl.therapy.profile_shape import MAX_BOLUSES
from pumpctl.therapy.program import Mode

_SOURCE = "PRG-08"
DAY = Duration(DAY_MS)
_WEEK = Duration(WEEK_MS)
OWN: Path = ("program", "patient_dose")


def durations(case: Case) -> Iterator[tuple[Duration, Path]]:
    """How long each dose takes, the patient's own too, and where that is written."""
    for written in case.draft.boluses or ():
        if written.over is not None:
            yield written.over, (*written.path, "over")
    if case.draft.patient_dose is not None:
        yield case.draft.patient_dose.over, (*OWN, "over")


def _start(each: PlacedBolus) -> int:
    return each.bolus.day * DAY_MS + each.bolus.at * MINUTE_MS


def _name(each: PlacedBolus) -> str:
    return f"{DAYS[each.bolus.day]} {clock_text(each.bolus.at)}"


@check(
    "ZERO_RATE",
    Severity.HARD,
    source=f"{_SOURCE}, STP-02",
    why="A rate of nothing is a stop, and a stop is never a part of a schedule: baclofen "
    "withdrawal can kill. The least is the pump's minimum rate.",
)
def zero_rate(case: Case) -> Iterator[Seen]:
    """Nothing is given at a rate of zero."""
    draft = case.draft
    rates = [
        (draft.fallback, ("program", "fallback_rate")),
        (draft.declared, ("program", "daily_dose")),
        *(
            (step.rate, (*step.path, "basal"))
            for written in draft.days or ()
            for step in written.steps or ()
        ),
    ]
    for rate, path in rates:
        if rate is not None and not rate:
            yield Seen(
                "a rate of zero is a stop, and a stop is not part of a program",
                value=str(rate),
                limit="above 0 mcg/day",
                path=path,
            )


@check(
    "ZERO_DOSE",
    Severity.HARD,
    source=_SOURCE,
    why="A dose of nothing was meant to be another one.",
)
def zero_dose(case: Case) -> Iterator[Seen]:
    """No bolus and no patient dose is zero."""
    doses: list[tuple[Mass | None, Path]] = [
        (written.dose, (*written.path, "dose")) for written in case.draft.boluses or ()
    ]
    if case.draft.patient_dose is not None:
        doses.append((case.draft.patient_dose.dose, (*OWN, "dose")))
    for dose, path in doses:
        if dose is not None and not dose:
            yield Seen("a dose of zero", value=str(dose), limit="above 0 mcg", path=path)


@check(
    "DOSE_DURATION",
    Severity.HARD,
    source=f"{_SOURCE}, this project's choice",
    why="A dose is given evenly over its duration: more than no time, and at most a day. Hours "
    "in a field of minutes, and the reverse, have killed.",
    incident="FDA Class I recall of 22 Sep 2004: hours typed in the field of minutes of a "
    "periodic bolus; 7 serious injuries, 2 deaths.",
)
def dose_duration(case: Case) -> Iterator[Seen]:
    """Every dose takes some time, and at most 24 hours."""
    for over, path in durations(case):
        if not over or over > DAY:
            yield Seen(
                f"a dose cannot be given over {over}",
                value=str(over),
                limit="above 0 s, at most 24 h",
                path=path,
            )


@check(
    "BOLUS_COUNT",
    Severity.HARD,
    source="this project's choice",
    why="At most 24 scheduled boluses a day, counted as written. More than one an hour is a slip, "
    "or a basal rate in disguise.",
    incident="ISMP: 60 mcg each morning was programmed as 60 mcg every hour, 1440 mcg a day.",
)
def bolus_count(case: Case) -> Iterator[Seen]:
    """At most 24 scheduled boluses a day."""
    counts = [0] * 7
    over: set[Path] = set()
    for written in case.draft.boluses or ():
        for day in written.days:
            if day is not None:
                counts[day] += len(written.at)
                if counts[day] > MAX_BOLUSES:
                    over.add(written.path)
    worst = max(counts)
    for path in sorted(over, key=str):
        yield Seen(
            f"{worst} scheduled boluses on {DAYS[counts.index(worst)]}",
            value=str(worst),
            limit=str(MAX_BOLUSES),
            path=(*path, "at"),
        )


@check(
    "BOLUS_OVERLAP",
    Severity.HARD,
    source=_SOURCE,
    why="One bolus runs at a time. Two that overlap, also from Sunday into Monday, would be "
    "given at a rate that nobody wrote down.",
)
def bolus_overlap(case: Case) -> Iterator[Seen]:
    """No scheduled bolus begins before the one before it has ended, the week being a ring."""
    placed = case.placed
    if not placed:
        return
    after = [*placed[1:], placed[0]]
    told: set[tuple[Path, Path]] = set()  # the same slip on every day is told once
    for first, second in zip(placed, after, strict=True):
        gap = _start(second) - _start(first)
        room = gap if second is not placed[0] else gap + WEEK_MS
        over = first.bolus.over
        overlaps = over.quanta > room or room == 0
        if overlaps and (first.path, second.path) not in told:
            told.add((first.path, second.path))
            yield Seen(
                f"the bolus of {_name(second)} begins before that of {_name(first)} has ended",
                value=str(over),
                limit=str(Duration(room)),
                path=second.path,
            )


@check(
    "CONTINUOUS_BOLUS",
    Severity.HARD,
    source=_SOURCE,
    why="In continuous mode every day is alike: the basal rate is the daily dose less the "
    "scheduled boluses, which must be the same on all days and leave some of it.",
)
def continuous_bolus(case: Case) -> Iterator[Seen]:
    """In continuous mode all days have the same boluses, and they leave a basal rate."""
    placed = case.placed
    if case.draft.mode is not Mode.CONTINUOUS or not placed:
        return
    masses = [0] * 7
    for each in placed:
        masses[each.bolus.day] += each.bolus.dose.quanta
    path: Path = ("program", "bolus")
    declared = case.draft.declared
    if len(set(masses)) > 1:
        day = masses.index(min(masses))
        yield Seen(
            f"the boluses of {DAYS[day]} differ from other days': continuous mode has one daily "
            "dose for every day; flex can have several",
            path=path,
            key=True,
        )
    elif declared is not None and masses[0] >= declared.quanta > 0:
        total = Mass(masses[0])
        yield Seen(
            f"the scheduled boluses give {total} a day, which leaves nothing of {declared} "
            "for the basal rate",
            value=str(total),
            limit=str(declared),
            path=path,
            key=True,
        )


@check(
    "PATIENT_DOSE_LOCKOUT",
    Severity.HARD,
    source=f"{_SOURCE}, BOL-04",
    why="Between two doses that a patient takes there must be time to feel the first: its peak "
    "comes after hours.",
)
def patient_dose_lockout(case: Case) -> Iterator[Seen]:
    """A patient dose has a lockout."""
    own = case.draft.patient_dose
    if own is not None and (not own.lockout or own.lockout > _WEEK):
        yield Seen(
            f"a lockout of {own.lockout}",
            value=str(own.lockout),
            limit="above 0 s, at most 7 d",
            path=(*OWN, "lockout"),
        )


@check(
    "PATIENT_DOSE_UNREACHABLE",
    Severity.NOTE,
    source="arithmetic",
    why="Duration and lockout leave no room for so many doses in 24 hours. The limits of 24 hours "
    "and the dates are still computed with the maximum as written.",
)
def patient_dose_unreachable(case: Case) -> Iterator[Seen]:
    """The maximum of patient doses can be reached with this lockout."""
    own = case.draft.patient_dose
    if own is None or own.max_per_24h < 2 or not own.lockout:
        return
    each = own.over + own.lockout
    if each * (own.max_per_24h - 1) >= DAY:
        reach = -(-DAY_MS // each.quanta)
        yield Seen(
            f"the lockout lets at most {reach} of {own.max_per_24h} patient doses start in 24 h",
            value=str(own.max_per_24h),
            limit=str(reach),
            path=(*OWN, "max_per_24h"),
        )
