"""What a program adds up to, by fractions: this package's own reckoning of section 8.

It shares nothing with the station's checks nor with any pump's firmware: a week
is a list of stretches of constant rate, and a window is what it overlaps. Exact,
and rounded once, as the protocol says.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Mode
from pumpctl.wire.program import Program

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS


class Stretch(NamedTuple):
    """So many ng/ms from here to there, in ms of the week; it may run beyond its end."""

    start: int
    end: int
    rate: Fraction


class Day(NamedTuple):
    """One day of a read-back: ng, nL, ng."""

    dose: int
    volume: int
    largest_hour: int


def half_up(value: Fraction) -> int:
    """The nearest whole number, a half upwards."""
    return (value + Fraction(1, 2)).__floor__()


def up(value: Fraction) -> int:
    """The whole number above."""
    return value.__ceil__()


def stretches(program: Program) -> list[Stretch]:
    """Basal and scheduled boluses of one week."""
    if program.mode is Mode.MINIMUM_RATE:
        return [Stretch(0, WEEK_MS, Fraction(program.fallback, DAY_MS))]
    found = []
    for day, steps in enumerate(program.days):
        starts = [step.start * MINUTE_MS for step in steps] + [DAY_MS]
        for step, (start, end) in zip(steps, pairwise(starts), strict=True):
            found.append(
                Stretch(day * DAY_MS + start, day * DAY_MS + end, Fraction(step.rate, DAY_MS))
            )
    for bolus in program.boluses:
        start = bolus.day * DAY_MS + bolus.at * MINUTE_MS
        found.append(Stretch(start, start + bolus.over, Fraction(bolus.dose, bolus.over)))
    return found


def day_dose(program: Program, day: int) -> Fraction:
    """Basal of this day and every scheduled bolus that starts on it, ng."""
    if program.mode is Mode.MINIMUM_RATE:
        return Fraction(program.fallback)
    starts = [step.start for step in program.days[day]] + [1440]
    basal = sum(
        (
            Fraction(step.rate * (end - start), 1440)
            for step, (start, end) in zip(program.days[day], pairwise(starts), strict=True)
        ),
        Fraction(0),
    )
    return basal + sum(bolus.dose for bolus in program.boluses if bolus.day == day)


def in_window(week: list[Stretch], start: int, end: int) -> Fraction:
    """What the endless week gives from `start` to `end`, ms; a window is no longer than a day."""
    total = Fraction(0)
    for stretch in week:
        for turn in (-WEEK_MS, 0, WEEK_MS):
            overlap = min(end, stretch.end + turn) - max(start, stretch.start + turn)
            if overlap > 0:
                total += stretch.rate * overlap
    return total


def largest(week: list[Stretch], length: int, first: int, last: int) -> Fraction:
    """The most in any window of this length that starts in [first, last].

    The mass in a window is piecewise linear in its start, so that a largest one
    starts or ends where a rate changes, or at an end of the interval.
    """
    edges = {edge + turn for one in week for edge in one[:2] for turn in (-WEEK_MS, 0, WEEK_MS)}
    starts = {first, last} | edges | {edge - length for edge in edges}
    return max(in_window(week, at, at + length) for at in starts if first <= at <= last)


def days(program: Program) -> tuple[Day, ...]:
    """The seven days of a read-back."""
    week = stretches(program)
    found = []
    for day in range(7):
        dose = day_dose(program, day)
        hour = largest(week, HOUR_MS, day * DAY_MS, (day + 1) * DAY_MS)
        volume = dose * 1000 / program.concentration
        found.append(Day(half_up(dose), half_up(volume), up(hour)))
    return tuple(found)


def largest_24h(program: Program) -> int:
    """The most in any 24 h of the repeating week, up, and every patient dose on top; ng."""
    own = program.patient_dose
    most = up(largest(stretches(program), DAY_MS, 0, WEEK_MS))
    return most + (own.dose * own.most if own is not None else 0)


def rate_at(program: Program, local_ms: int) -> int:
    """The basal rate at a local label (ms since 1970), ng/day; 1970-01-05 was a Monday."""
    if program.mode is Mode.MINIMUM_RATE:
        return program.fallback
    day, time = divmod((local_ms - 4 * DAY_MS) % WEEK_MS, DAY_MS)
    return [step.rate for step in program.days[day] if step.start * MINUTE_MS <= time][-1]
