"""Old beside new: percent, and the rows of the screen that is confirmed.

Compares two programs, or the figures of two, and puts numbers into words. How
a row is drawn, and whether a change is too large, is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Flow, Mass, Rate, round_half_up
from pumpctl.therapy import figures
from pumpctl.therapy.curve import Curve
from pumpctl.therapy.hours import volume_half_up
from pumpctl.therapy.moment import DAY_NAMES, clock_text
from pumpctl.therapy.program import Program


def change(old: Fraction | int, new: Fraction | int) -> Fraction | None:
    """The relative change, 1/10 for +10 %; None where there was nothing before."""
    return Fraction(new) / Fraction(old) - 1 if old else None


def percent_text(old: Fraction | int, new: Fraction | int) -> str:
    """`+6.8 %`: one decimal, half away from zero; `0 %` for equal, `new` from nothing."""
    if old == new:
        return "0 %"
    relative = change(old, new)
    if relative is None:
        return "new"
    tenths = round_half_up(abs(relative) * 1_000)
    return f"{'-' if relative < 0 else '+'}{tenths // 10}.{tenths % 10} %"


def days_label(days: tuple[int, ...]) -> str:
    """`every day`, `Mon-Fri`, `Mon, Wed, Fri`: runs of neighbours joined."""
    if len(days) == 7:
        return "every day"
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(
        DAY_NAMES[run[0]] if len(run) == 1 else f"{DAY_NAMES[run[0]]}-{DAY_NAMES[run[-1]]}"
        for run in runs
    )


def share_text(part: Fraction | int, whole: Fraction | int) -> str:
    """`57 %`: how much of `whole` a part is, to a whole percent, half up."""
    return f"{round_half_up(Fraction(part) / Fraction(whole) * 100)} %" if whole else "-"


class DayRow(NamedTuple):
    """Neighbouring days that are alike, old and new."""

    days: tuple[int, ...]
    label: str
    old: Rate | None
    new: Rate
    percent: str


class Summary(NamedTuple):
    """The figures of one program that a confirmation shows."""

    daily_doses: tuple[Rate, ...]
    largest_day: Rate
    smallest_day: Rate
    largest_hour: Mass
    flow: Flow
    drug: str
    concentration: Concentration
    largest_24h_with_patient_doses: Mass
    fallback: Rate
    fallback_share: str
    """The fallback as a part of the smallest day."""


def summary(program: Program) -> Summary:
    """Every figure once, each rounded as `figures` says."""
    curve = Curve(program)
    doses = [Rate(round_half_up(dose)) for dose in figures.daily_doses(program)]
    return Summary(
        daily_doses=tuple(doses),
        largest_day=max(doses),
        smallest_day=min(doses),
        largest_hour=max(figures.largest_hour(program, day, curve) for day in range(7)),
        flow=figures.flow_of_largest_day(program),
        drug=program.drug,
        concentration=program.concentration,
        largest_24h_with_patient_doses=figures.largest_24h_with_patient_doses(program, curve),
        fallback=program.fallback,
        fallback_share=share_text(program.fallback.quanta, figures.smallest_day(program)),
    )


def day_rows(old: Program | None, new: Program) -> tuple[DayRow, ...]:
    """The daily doses, old and new, neighbouring days with the same pair in one row."""
    was = figures.daily_doses(old) if old else (None,) * 7
    pairs = list(zip(was, figures.daily_doses(new), strict=True))
    rows: list[DayRow] = []
    first = 0
    for day in range(1, 8):
        if day < 7 and pairs[day] == pairs[first]:
            continue
        before, after = pairs[first]
        rows.append(
            DayRow(
                days=tuple(range(first, day)),
                label=days_label(tuple(range(first, day))),
                old=None if before is None else Rate(round_half_up(before)),
                new=Rate(round_half_up(after)),
                percent=percent_text(before or 0, after),
            )
        )
        first = day
    return tuple(rows)


def greatest_changes(old: Program, new: Program) -> tuple[Fraction, Fraction]:
    """The greatest reduction and the greatest increase of any day; 0 where there is none."""
    pairs = zip(figures.daily_doses(old), figures.daily_doses(new), strict=True)
    changes = [Fraction(0), *(change(before, after) or Fraction(0) for before, after in pairs)]
    return min(changes), max(changes)


def is_reduction(old: Program, new: Program) -> bool:
    """Whether no day gets more than before, and some day less."""
    pairs = list(zip(figures.daily_doses(old), figures.daily_doses(new), strict=True))
    return all(after <= before for before, after in pairs) and any(a < b for b, a in pairs)


class Rise24h(NamedTuple):
    """A rise of the most in any 24 h with all patient doses taken, each side up to 1 ng."""

    old: Mass
    new: Mass

    @property
    def by(self) -> Fraction:
        """The relative rise, 1/10 for +10 %."""
        return Fraction(self.new.quanta, self.old.quanta) - 1

    @property
    def words(self) -> str:
        """`24 h with all patient doses rise from 180 mcg to 980 mcg`."""
        return f"24 h with all patient doses rise from {self.old} to {self.new}"


def rise_24h(before: Sequence[Program], new: Program) -> Rise24h | None:
    """How far all that the patient can get in 24 h rises above each of the programs before.

    Patient doses where there were none are such a rise. None where `new` has none: it
    is compared by its days alone. None, too, where one program before gave no less on
    any day and no less in patient doses: a reduction of both is no increase, however
    its hours lie.
    """
    own, doses = figures.patient_doses_24h(new), figures.daily_doses(new)
    if not before or not own.quanta:
        return None
    for old in before:
        pairs = zip(figures.daily_doses(old), doses, strict=True)
        if own <= figures.patient_doses_24h(old) and all(b <= a for a, b in pairs):
            return None
    most = max(figures.largest_24h_with_patient_doses(each) for each in before)
    found = Rise24h(most, figures.largest_24h_with_patient_doses(new))
    return found if found.new > found.old > Mass(0) else None


def bolus_lines(program: Program) -> list[str]:
    """`20 mcg = 0.01 mL over 10 min at 07:00, 21:00, every day`: boluses alike together."""
    slots: dict[tuple[int, str], list[int]] = {}
    for bolus in program.boluses:
        volume = volume_half_up(bolus.dose.quanta, program.concentration)
        what = f"{bolus.dose} = {volume} over {bolus.over}"
        slots.setdefault((bolus.at, what), []).append(bolus.day)
    alike: dict[tuple[tuple[int, ...], str], list[str]] = {}
    for (at, what), days in sorted(slots.items()):
        alike.setdefault((tuple(days), what), []).append(clock_text(at))
    return [f"{what} at {', '.join(at)}, {days_label(days)}" for (days, what), at in alike.items()]
