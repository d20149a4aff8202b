"""A second opinion on plug flow: a queue of single nL, pushed one after another.

Written without a look at `plug`, `course` or `curve`: a schedule is a function
from the minute to whole nL, a line is a queue, and a bridge is a count of pulses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple

MINUTE = 60_000
WEEK_MINUTES = 7 * 1_440

Drop = tuple[str, int] | None
"""Drug and pg of one nL; None is water."""


class Bolus(NamedTuple):
    """Starts at this minute of the week, gives so many ng in each of so many minutes."""

    at: int
    ng: int
    minutes: int


class Week(NamedTuple):
    """ng per minute: for each day (minute, rate) in order, and boluses on top."""

    days: tuple[tuple[tuple[int, int], ...], ...]
    boluses: tuple[Bolus, ...] = ()

    def basal(self, minute: int) -> int:
        """ng in this minute of real time, counted from a Monday 00:00."""
        day, in_day = divmod(minute % WEEK_MINUTES, 1_440)
        rate = 0
        for start, each in self.days[day]:
            if start <= in_day:
                rate = each
        return rate

    def boluses_at(self, minute: int, since: int) -> int:
        """ng of the boluses that run in this minute and began at `since` or later."""
        total = 0
        for bolus in self.boluses:
            ago = (minute - bolus.at) % WEEK_MINUTES
            if ago < bolus.minutes and minute - ago >= since:
                total += bolus.ng
        return total


class Queue:
    """A line, from the tip to the pump."""

    def __init__(self, plugs: Iterable[tuple[int, Drop]]) -> None:
        self.line: deque[Drop] = deque()
        for volume, drop in plugs:
            self.line.extend([drop] * volume)
        self.left: dict[str, int] = {}
        self.last: Drop = None

    def push(self, drop: Drop) -> None:
        """One nL in, one nL out."""
        self.line.append(drop)
        self.last = out = self.line.popleft()
        if out is not None:
            drug, picograms = out
            self.left[drug] = self.left.get(drug, 0) + picograms

    def plugs(self) -> list[tuple[int, Drop]]:
        """What it holds, neighbours put together."""
        found: list[tuple[int, Drop]] = []
        for drop in self.line:
            if found and found[-1][1] == drop:
                found[-1] = (found[-1][0] + 1, drop)
            else:
                found.append((1, drop))
        return found


def run(
    queue: Queue, flow: Callable[[int], int], drop: Drop, first: int, last: int
) -> tuple[list[dict[str, int]], list[tuple[Drop, Fraction]]]:
    """Push `flow(minute)` nL in every minute from `first` to `last`.

    What has left after each minute (pg by drug), and the exact ms at which the
    last nL of a fluid has left, with the fluid that comes behind it.
    """
    after, fronts = [], []
    at_tip = queue.line[0] if queue.line else drop
    for minute in range(first, last):
        pulses = flow(minute)
        for pulse in range(pulses):
            queue.push(drop)
            ahead = queue.line[0] if queue.line else drop
            if ahead != at_tip:
                at_tip = ahead
                fronts.append((ahead, MINUTE * (minute + Fraction(pulse + 1, pulses))))
        after.append(dict(queue.left))
    return after, fronts


class Bridged(NamedTuple):
    """How a pump gave a bridge."""

    ends: Fraction
    """ms, exact"""
    after: list[dict[str, int]]
    """pg by drug that have left, after each minute"""


def run_bridge(
    queue: Queue,
    old: Week,
    new: Week,
    drops: tuple[tuple[str, int], tuple[str, int]],
    volume: int,
    first: int,
    last: int,
) -> Bridged:
    """The old week at the old concentration for `volume` pulses, then the new one.

    Within the minute in which it ends, the rest of the minute is the new week's. A
    bolus of the old week goes on by its mass. The pump holds the new fluid.
    """
    (_, was), (_, now) = drops
    passed, owed, ends = 0, Fraction(0), Fraction(-1)
    began_new = first
    after = []
    for minute in range(first, last):
        part = Fraction(1)  # of this minute, for the new week
        if ends < 0:
            per_minute = Fraction((old.basal(minute) + old.boluses_at(minute, first)) * 1_000, was)
            left = volume - passed
            if per_minute >= left > 0:
                part = 1 - Fraction(left) / per_minute
                ends = MINUTE * (minute + 1 - part)
                began_new = minute + 1
                owed += left
            else:
                part = Fraction(0)
                owed += per_minute
        if part:
            ng = new.basal(minute) + new.boluses_at(minute, began_new)
            for bolus in old.boluses:
                if first <= _begin(bolus, minute) < ends / MINUTE:
                    ng += bolus.ng  # it goes on
            owed += part * Fraction(ng * 1_000, now)
        pulses = int(owed)
        owed -= pulses
        if ends < 0:
            passed += pulses
        for _ in range(pulses):
            queue.push(drops[1])
        after.append(dict(queue.left))
    return Bridged(ends, after)


def _begin(bolus: Bolus, minute: int) -> int:
    """When the bolus that runs in this minute began; far ahead where none does."""
    ago = (minute - bolus.at) % WEEK_MINUTES
    return minute - ago if ago < bolus.minutes else 10**9
