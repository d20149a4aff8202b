"""A program's week as one exact curve: the mass given since Monday 00:00.

The basal steps and the scheduled boluses (each given evenly over its duration)
make a curve of straight pieces that repeats every week. Everything that asks
"how much in this window" asks here. Integers throughout: masses are scaled by a
common denominator, so that no piece needs rounding. It knows nothing of
patients' own doses, of limits, or of volumes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from math import lcm

from pumpctl.therapy.moment import DAY_MS, MINUTE_MS
from pumpctl.therapy.program import Mode, Program

WEEK_MS = 7 * DAY_MS
HOUR_MS = 60 * MINUTE_MS


class Curve:
    """The mass (ng) given up to any instant (ms) of an endlessly repeated week."""

    __slots__ = ("_masses", "_slopes", "_week", "breaks", "scale")

    def __init__(self, program: Program) -> None:
        overs = {bolus.over.quanta for bolus in program.boluses if bolus.over}
        self.scale = lcm(DAY_MS, *overs)
        """All masses inside are counted in 1/scale ng; all slopes are whole then."""
        slopes = _slopes(program, self.scale)
        self.breaks = tuple(sorted(slopes))
        """The instants of the week at which the rate changes."""
        self._masses, self._slopes = [0], [slopes[0]]
        for before, time in pairwise(self.breaks):
            self._masses.append(self._masses[-1] + self._slopes[-1] * (time - before))
            self._slopes.append(self._slopes[-1] + slopes[time])
        self._week = self._masses[-1] + self._slopes[-1] * (WEEK_MS - self.breaks[-1])

    def _upto(self, time: int) -> int:
        """The scaled mass from the start of week 0 to `time`, which may be in any week."""
        weeks, time = divmod(time, WEEK_MS)
        at = bisect_right(self.breaks, time) - 1
        here = self._masses[at] + self._slopes[at] * (time - self.breaks[at])
        return weeks * self._week + here

    def between(self, start: int, end: int) -> Fraction:
        """The exact mass in ng from `start` to `end`, in ms from a Monday 00:00."""
        return Fraction(self._upto(end) - self._upto(start), self.scale)

    def largest(self, window: int, start: int = 0, end: int = WEEK_MS) -> Fraction:
        """The largest mass in any window of this length that starts in [start, end].

        The curve is straight between its breaks, so a largest window begins or
        ends at one of them, or at the edge of the search.
        """
        starts = {start, end}
        for week in (-WEEK_MS, 0, WEEK_MS):
            for edge in self.breaks:
                starts.add(edge + week)
                starts.add(edge + week - window)
        best = max(
            self._upto(time + window) - self._upto(time) for time in starts if start <= time <= end
        )
        return Fraction(best, self.scale)

    def peak(self, window: int, since: int = 0) -> tuple[Fraction, int]:
        """The largest mass (ng) in any window of this length (ms), and where it starts.

        The first such window that starts in the week from `since` on; one of any
        length, also of more than a week. Its mass grows evenly between the instants
        at which a break enters or leaves it, so only those are looked at.
        """
        mass = self._upto(since + window) - self._upto(since)
        slope = self._slope(since + window) - self._slope(since)
        turns: list[tuple[int, int]] = []
        before = self._slopes[-1]
        for edge, after in zip(self.breaks, self._slopes, strict=True):
            turns.append(((edge - since) % WEEK_MS, before - after))  # it leaves the window
            turns.append(((edge - window - since) % WEEK_MS, after - before))  # it comes in
            before = after
        best, at, last = mass, 0, 0
        for time, change in sorted(turns):
            if time:  # what turns at 0 is in the first slope
                mass += slope * (time - last)
                if mass > best:
                    best, at = mass, time
                slope, last = slope + change, time
        return Fraction(best, self.scale), since + at

    def _slope(self, time: int) -> int:
        """The scaled rate from this instant on, which may be in any week."""
        return self._slopes[bisect_right(self.breaks, time % WEEK_MS) - 1]


def _slopes(program: Program, scale: int) -> dict[int, int]:
    """By how much the scaled rate (per ms) changes at each instant of the week.

    The entry at 0 is the whole rate with which the week begins.
    """
    changes: dict[int, int] = {0: 0}
    rate = 0
    for time, next_rate in basal_changes(program):
        changes[time] = changes.get(time, 0) + (next_rate - rate) * (scale // DAY_MS)
        rate = next_rate
    for bolus in program.boluses:
        start, left = bolus.day * DAY_MS + bolus.at * MINUTE_MS, bolus.over.quanta
        if not left:
            continue  # an instant of no length: refused elsewhere, and nothing to draw
        slope = bolus.dose.quanta * (scale // left)
        weeks, left = divmod(left, WEEK_MS)  # longer than a week is absurd, but still exact
        changes[0] = changes.get(0, 0) + slope * weeks
        changes[start] = changes.get(start, 0) + slope
        end = start + left
        if end >= WEEK_MS:
            end -= WEEK_MS
            changes[0] = changes.get(0, 0) + slope
        changes[end] = changes.get(end, 0) - slope
    return changes


def basal_changes(program: Program) -> Iterable[tuple[int, int]]:
    """Instant of the week, and the basal rate (ng/day) from there on."""
    if program.mode is Mode.MINIMUM:
        yield 0, program.fallback.quanta
        return
    for day, steps in enumerate(program.days):
        for step in steps:
            yield day * DAY_MS + step.start * MINUTE_MS, step.rate.quanta
