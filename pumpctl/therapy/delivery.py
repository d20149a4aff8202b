"""What a program and a running bolus move from now on, as courses; small words for them.

Between `course`, which knows no pumps, and the orders (`bolus`, `prime`,
`bridge`), which ask the same few questions of it. Masses in ng, volumes in nL,
times in ms of the pump's clock face. It knows no lines and no limits.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from pumpctl.quantities import (
    Concentration,
    Flow,
    Mass,
    Rate,
    Volume,
    round_down,
    round_half_up,
    round_up,
)
from pumpctl.quantity_text import MAX_QUANTA
from pumpctl.therapy.course import Course, Piece, course_of
from pumpctl.therapy.curve import HOUR_MS, WEEK_MS
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import RunningBolus

NOTHING = Course(())


def in_volume(masses: Course, concentration: Concentration) -> Course:
    """The nL that a pump moves for these ng, at the concentration with which it counts."""
    return masses.scaled(Fraction(1_000, concentration.quanta))


def rest_of(bolus: RunningBolus | None, now: Moment) -> Course:
    """ng still to come of a bolus that is running; it goes on whatever is activated."""
    if bolus is None or bolus.ends.label_ms <= now.label_ms:
        return NOTHING
    left = bolus.dose.quanta - bolus.delivered.quanta
    return Course([Piece(now.label_ms, bolus.ends.label_ms, left)])


def when_given(
    program: Program, mass: Fraction | int, start: int, also: Course = NOTHING
) -> Fraction | None:
    """When so many ng have been given since `start`, `also` on top; None for never."""
    weekly = sum(daily_doses(program))
    # One week more than the schedule needs: a bolus that began before `start` is not counted.
    weeks = round_up(mass / weekly) + 1 if weekly else 0
    return (course_of(program, start, start + weeks * WEEK_MS) + also).when(mass, start)


def when_moved(
    program: Program, volume: Fraction | int, start: Moment, also: Course = NOTHING
) -> Moment | None:
    """When so many nL have been moved at the program's concentration, `also` (ng) on top.

    Rounded down to 1 ms; None for never.
    """
    mass = volume * Fraction(program.concentration.quanta, 1_000)
    at = when_given(program, mass, start.label_ms, also)
    return None if at is None else start.plus(round_down(at) - start.label_ms)


def greatest_rate(course: Course, start: int, end: int) -> Fraction:
    """The greatest amount per day, at any instant from `start` until `end`."""
    times = [start, *(time for time in course.breaks if start < time < end)]
    return max(course.rate(time) for time in times) * DAY_MS


def least_rate(course: Course, start: int, end: int) -> Fraction:
    """The least amount per day, at any instant from `start` until `end`."""
    times = [start, *(time for time in course.breaks if start < time < end)]
    return min(course.rate(time) for time in times) * DAY_MS


def mass_text(ng: Fraction | int) -> str:
    """Half up to 1 ng."""
    return str(Mass(_shown(ng)))


def volume_text(nl: Fraction | int) -> str:
    """Half up to 1 nL."""
    return str(Volume(_shown(nl)))


def flow_text(
    nl_per_day: Fraction | int, rounded: Callable[[Fraction], int] = round_half_up
) -> str:
    """To 1 nL/day, in the direction asked for."""
    return str(Flow(_shown(nl_per_day, rounded)))


def dose_text(ng: Fraction | int, lasting: Fraction | int) -> str:
    """The mean dose per day of so many ng in so many ms, half up to 1 ng/day."""
    return str(Rate(_shown(Fraction(ng) * DAY_MS / lasting)))


def _shown(exact: Fraction | int, rounded: Callable[[Fraction], int] = round_half_up) -> int:
    """An absurd amount is refused for what it is, and not for being too large to write."""
    return min(rounded(Fraction(exact)), MAX_QUANTA)


def time_text(ms: Fraction | int) -> str:
    """`6 d 23 h`, `41 h 45 min`, `12 min`: two units at most, rounded down."""
    days, hours, minutes = ms // DAY_MS, ms // HOUR_MS, ms // MINUTE_MS
    if days >= 2:
        return f"{days} d" + (f" {hours % 24} h" if hours % 24 else "")
    if hours:
        return f"{hours} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{minutes} min" if minutes else "less than 1 min"
