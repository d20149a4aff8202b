"""A program laid out in time: stretches of equal basal rate, clock hours, days that are alike.

What a table or a picture of a day needs, exact: stretches and boluses of a day add
up to its daily dose to the last fraction, and so do its hours. A bolus counts to
the hour, as to the day, in which it starts. It knows no limits, words or colours.
"""

from __future__ import annotations

from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Rate, Volume, round_half_up
from pumpctl.therapy.curve import HOUR_MS, WEEK_MS, Curve
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS
from pumpctl.therapy.program import DAY_MINUTES, Mode, Program, ScheduledBolus

HOURS = 24


class Stretch(NamedTuple):
    """From `start` to `end`, whole minutes of the day, the basal rate is `rate`."""

    start: int
    end: int
    rate: Rate

    @property
    def mass(self) -> Fraction:
        """What it gives, in ng, exact."""
        return Fraction(self.rate.quanta * (self.end - self.start), DAY_MINUTES)


class Hour(NamedTuple):
    """One hour of the clock: the basal mass in ng, exact, and the boluses that start in it."""

    basal: Fraction
    boluses: tuple[ScheduledBolus, ...]

    @property
    def mass(self) -> Fraction:
        """Basal and boluses together, in ng, exact."""
        return self.basal + sum(bolus.dose.quanta for bolus in self.boluses)


def stretches(program: Program, day: int) -> tuple[Stretch, ...]:
    """The day's basal rates from 00:00 to 24:00, without a gap."""
    if program.mode is Mode.MINIMUM:
        return (Stretch(0, DAY_MINUTES, program.fallback),)
    steps = program.days[day]
    ends = [step.start for step in steps[1:]] + [DAY_MINUTES]
    return tuple(Stretch(step.start, end, step.rate) for step, end in zip(steps, ends, strict=True))


def boluses_of(program: Program, day: int) -> tuple[ScheduledBolus, ...]:
    """The scheduled boluses that start on this day, in order."""
    return tuple(bolus for bolus in program.boluses if bolus.day == day)


def hours(program: Program, day: int) -> tuple[Hour, ...]:
    """The 24 hours of the clock of this day."""
    basal = [Fraction(0)] * HOURS
    for start, end, rate in stretches(program, day):
        for hour in range(start // 60, (end + 59) // 60):
            minutes = min(end, 60 * hour + 60) - max(start, 60 * hour)
            basal[hour] += Fraction(rate.quanta * minutes, DAY_MINUTES)
    given = boluses_of(program, day)
    return tuple(
        Hour(mass, tuple(bolus for bolus in given if bolus.at // 60 == hour))
        for hour, mass in enumerate(basal)
    )


def volume_half_up(mass: Fraction | int, concentration: Concentration) -> Volume:
    """The volume that holds this mass (ng), half up to 1 nL, as every total."""
    return Volume(round_half_up(Fraction(mass) * 1_000 / concentration.quanta))


def alike_days(*programs: Program) -> tuple[tuple[int, ...], ...]:
    """The days of the week in groups; within a group each program gives the same every day."""
    groups: dict[object, list[int]] = {}
    for day in range(7):
        key = tuple(
            (stretches(program, day), tuple(bolus[1:] for bolus in boluses_of(program, day)))
            for program in programs
        )
        groups.setdefault(key, []).append(day)
    return tuple(tuple(days) for days in groups.values())


def even_day(program: Program, day: int) -> bool:
    """Whether this day has one rate and no scheduled bolus."""
    return len(stretches(program, day)) == 1 and not boluses_of(program, day)


def largest_hour_start(program: Program, day: int, curve: Curve | None = None) -> int:
    """Where the first of the largest sliding hours of this day starts, in ms from its 00:00.

    It holds `figures.largest_hour`; it may start as late as the next midnight.
    """
    curve = curve or Curve(program)
    first, last = day * DAY_MS, (day + 1) * DAY_MS
    starts = {first, last}
    for week in (-WEEK_MS, 0, WEEK_MS):
        for edge in curve.breaks:
            near = (edge + week, edge + week - HOUR_MS)
            starts.update(time for time in near if first <= time <= last)
    return max(sorted(starts), key=lambda time: curve.between(time, time + HOUR_MS)) - first


def week_stretches(program: Program) -> tuple[tuple[int, Rate], ...]:
    """Instants of the week (ms from Monday 00:00) and the basal rate from there on, merged."""
    found: list[tuple[int, Rate]] = []
    for day in range(7):
        for start, _, rate in stretches(program, day):
            if not found or found[-1][1] != rate:
                found.append((day * DAY_MS + start * MINUTE_MS, rate))
    return tuple(found)
