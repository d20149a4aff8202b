"""What a program adds up to: daily doses, largest hour, largest 24 hours, flow.

Exact fractions of ng inside; each figure that is shown is rounded once, in the
direction that its docstring states (totals half up, what is held against an
upper limit up, against a lower limit down). It knows no limits and no wording.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from functools import cached_property

from pumpctl.named import NamedTuple
from pumpctl.quantities import (
    Flow,
    Mass,
    Rate,
    round_half_up,
    round_up,
)
from pumpctl.therapy.curve import HOUR_MS, Curve
from pumpctl.therapy.moment import DAY_MS
from pumpctl.therapy.program import DAY_MINUTES, Mode, Program, Step


class DayFigures(NamedTuple):
    """One day as it is shown: the dose half up, the largest hour up, to 1 ng."""

    day: int
    daily_dose: Rate
    largest_hour: Mass


def basal_of(steps: tuple[Step, ...]) -> Fraction:
    """The exact mass in ng that one day's steps give."""
    ends = [step.start for step in steps[1:]] + [DAY_MINUTES]
    pairs = zip(steps, ends, strict=True)
    return Fraction(sum(s.rate.quanta * (end - s.start) for s, end in pairs), DAY_MINUTES)


def daily_doses(program: Program) -> tuple[Fraction, ...]:
    """The exact ng of each day, mon to sun; a bolus counts to the day in which it starts."""
    if program.mode is Mode.MINIMUM:
        return (Fraction(program.fallback.quanta),) * 7
    alike = {id(steps): steps for steps in program.days}  # days of one table are one tuple
    basal = {key: basal_of(steps) for key, steps in alike.items()}
    doses = [basal[id(steps)] for steps in program.days]
    for bolus in program.boluses:
        doses[bolus.day] += bolus.dose.quanta
    return tuple(doses)


def daily_dose_rounded(program: Program, day: int) -> Rate:
    """The dose of this day, half up to 1 ng: what the declared figure must equal."""
    return Rate(round_half_up(daily_doses(program)[day]))


def largest_day(program: Program) -> Fraction:
    """The exact ng of the day with the largest dose."""
    return max(daily_doses(program))


def smallest_day(program: Program) -> Fraction:
    """The exact ng of the day with the smallest dose."""
    return min(daily_doses(program))


def rate_at(program: Program, day: int, minute: int) -> Rate:
    """The basal rate at this minute of the week."""
    if program.mode is Mode.MINIMUM:
        return program.fallback
    steps = program.days[day]
    return steps[bisect_right(steps, minute, key=lambda step: step.start) - 1].rate


def largest_hour(program: Program, day: int, curve: Curve | None = None) -> Mass:
    """The largest mass in any 60 minutes that start on this day, up to 1 ng.

    Scheduled boluses are in it, the patient's own doses are not. The window may
    run into the next day (after Sunday comes Monday), and its start may come as
    near to midnight as one likes.
    """
    curve = curve or Curve(program)
    return Mass(round_up(curve.largest(HOUR_MS, day * DAY_MS, (day + 1) * DAY_MS)))


def largest_24h(program: Program, curve: Curve | None = None) -> Mass:
    """The largest mass in any 24 hours of the schedule, up to 1 ng."""
    return Mass(round_up((curve or Curve(program)).largest(DAY_MS)))


def patient_doses_24h(program: Program) -> Mass:
    """The most that the patient's own doses can add to any 24 hours."""
    own = program.patient_dose
    return own.dose * own.max_per_24h if own else Mass(0)


def patient_doses_within(program: Program, window: int) -> Fraction:
    """The most ng that the patient's own doses can add to any window of this length (ms).

    The earliest that a train of doses can come: each start a duration and a lockout
    after the one before, and a whole day after the one that was `max_per_24h`
    before. No train puts more into a window than this one with its first start at
    the window's; a dose that is cut by the end of the window counts in part. Where
    scheduled boluses delay the patient's doses this is an upper bound: their
    lockout is not counted.
    """
    own = program.patient_dose
    if own is None:
        return Fraction(0)
    over, apart = own.over.quanta, (own.over + own.lockout).quanta
    trains, rest = divmod(window, max(DAY_MS, apart * own.max_per_24h))
    mass = Fraction(own.dose.quanta * own.max_per_24h * trains)
    for number in range(own.max_per_24h):
        left = rest - number * apart
        if left > 0:
            mass += Fraction(own.dose.quanta * min(left, over), over) if over else own.dose.quanta
    return mass


def largest_24h_with_patient_doses(program: Program, curve: Curve | None = None) -> Mass:
    """The largest mass in any 24 hours with every permitted patient dose taken."""
    return largest_24h(program, curve) + patient_doses_24h(program)


def flow_of_largest_day(program: Program) -> Flow:
    """The volume of the day with the largest dose, half up to 1 nL, as every total."""
    exact = largest_day(program) * 1_000 / program.concentration.quanta
    return Flow(round_half_up(exact))


def week(program: Program) -> tuple[DayFigures, ...]:
    """Every day's dose and largest hour, mon to sun."""
    curve = Curve(program)
    return tuple(
        DayFigures(day, Rate(round_half_up(dose)), largest_hour(program, day, curve))
        for day, dose in enumerate(daily_doses(program))
    )


class Figures:
    """One program's figures for many readers: each is computed when first asked for, once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._peaks: dict[int, tuple[Fraction, int]] = {}

    @cached_property
    def doses(self) -> tuple[Fraction, ...]:
        """The exact ng of each day, mon to sun."""
        return daily_doses(self.program)

    @cached_property
    def largest_day(self) -> Fraction:
        """The exact ng of the day with the largest dose."""
        return max(self.doses)

    @cached_property
    def smallest_day(self) -> Fraction:
        """The exact ng of the day with the smallest dose."""
        return min(self.doses)

    @cached_property
    def curve(self) -> Curve:
        """The schedule's endless week."""
        return Curve(self.program)

    def peak(self, window: int) -> tuple[Fraction, int]:
        """The largest ng of the schedule in any window of this length (ms), and where."""
        if window not in self._peaks:
            self._peaks[window] = self.curve.peak(window)
        return self._peaks[window]
