"""A pump that only counts its pulses: the oracle for what a program gives.

Written from the words alone: the steps of a day begin at whole minutes and hold until
the next; a scheduled bolus is spread evenly over its duration on top of them and runs
on across midnight and across Sunday; after Sunday comes Monday; one motor pulse moves
100 nL as soon as so much is due, and what remains is carried over exactly. So mass is
always pulses × 100 nL × concentration + the exact remainder, and every figure is the
difference of two readings of the counter.

Everything is counted in one unit, so small that every rate is a whole number of it per
ms: 1 ng is `unit` of them, `unit` being a common multiple of a day and of the durations
of all boluses. At one concentration the unit is as much a volume as it is a mass: one
pulse is 100 nL × concentration = unit × concentration ÷ 10 of them.

`Pump.run` either takes every pulse as a step of its own or, from one change of the rate
to the next, all that are due at once; the results must not differ. Which share of the
random programs is stepped is said in `judge_programs`.
Nothing of pumpctl is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from tests.oracles.plain import DAY, MINUTE, WEEK, Program, monday, steps_of, weekday

PULSE_NL = 100


def unit_of(program: Program) -> int:
    """How many of the smallest parts make 1 ng, so that every rate is whole."""
    return lcm(DAY, *(bolus["over"] for bolus in program["boluses"]))


def pulse_of(program: Program, unit: int) -> int:
    """How many of the smallest parts are one pulse; they are whole ones per nL, too."""
    return unit // 1_000 * program["concentration"] * PULSE_NL


def half_up(numerator: int, denominator: int) -> int:
    """The rounding of totals."""
    return (2 * numerator + denominator) // (2 * denominator)


def up(numerator: int, denominator: int) -> int:
    """The rounding of what is held against an upper limit."""
    return -(-numerator // denominator)


class Boluses(NamedTuple):
    """Which scheduled boluses count: those that start in [first, last)."""

    first: int
    last: int


class Reading(NamedTuple):
    """The counter at one instant."""

    pulses: int
    remainder: int


class Pump:
    """One program on one pump, from `start` to `end`; boluses that start in `boluses` count."""

    def __init__(
        self, program: Program, start: int, end: int, boluses: Boluses | None = None
    ) -> None:
        self.unit = unit_of(program)
        self.pulse = pulse_of(program, self.unit)
        self.stepped = 0
        """How many pulses were taken one by one."""
        self._start = start
        self._changes: dict[int, int] = {}
        self._basal(program, start, end)
        for begin, over, dose in scheduled(program, *(boluses or Boluses(start, end))):
            slope = dose * (self.unit // over)
            self._change(begin, slope)
            self._change(begin + over, -slope)

    @property
    def changes(self) -> list[int]:
        """The instants at which the rate changes."""
        return sorted(self._changes)

    def _change(self, time: int, slope: int) -> None:
        self._changes[time] = self._changes.get(time, 0) + slope

    def _basal(self, program: Program, start: int, end: int) -> None:
        """The steps of every day that has a part in [start, end]."""
        part = self.unit // DAY
        now = 0
        for midnight in range(start // DAY * DAY, end, DAY):
            for minute, rate in steps_of(program, weekday(midnight)):
                time = max(start, midnight + minute * MINUTE)
                if time < end and rate * part != now:
                    self._change(time, rate * part - now)
                    now = rate * part
        self._change(end, -now)

    def run(self, marks: Iterable[int], one_by_one: bool = False) -> dict[int, Reading]:
        """What the counter shows at these instants; it stands at 0 at the start."""
        changes = self._changes
        wanted = set(marks)
        readings: dict[int, Reading] = {}
        pulse, pulses, due, slope = self.pulse, 0, 0, 0
        before = self._start
        for time in sorted(wanted.union(changes)):
            if time > before:
                due += slope * (time - before)
                before = time
                if one_by_one:
                    while due >= pulse:
                        due -= pulse
                        pulses += 1
                elif due >= pulse:
                    pulses += due // pulse
                    due %= pulse
            if time in changes:
                slope += changes[time]
            if time in wanted:
                readings[time] = Reading(pulses, due)
        if one_by_one:
            self.stepped += pulses
        return readings

    def pulses_at(self, end: int) -> Iterator[Fraction]:
        """The exact instant of every pulse until `end`, one after the other."""
        due = slope = 0
        before = self._start
        for time in [*(time for time in self.changes if time < end), end]:
            due += slope * max(0, time - before)
            while due >= self.pulse:
                due -= self.pulse
                self.stepped += 1
                yield time - Fraction(due, slope)
            before = max(before, time)
            slope += self._changes.get(time, 0)

    def instants_of(self, wanted: Iterable[int], end: int) -> dict[int, Fraction]:
        """When these pulses are due, counted from 1; those which never are by `end` are missing."""
        found: dict[int, Fraction] = {}
        ahead = sorted(wanted, reverse=True)
        total = slope = 0
        before = self._start
        for time in [*(time for time in self.changes if time < end), end]:
            after = total + slope * max(0, time - before)
            while ahead and ahead[-1] * self.pulse <= after:
                pulse = ahead.pop()
                found[pulse] = before + Fraction(pulse * self.pulse - total, slope)
            total, before = after, max(before, time)
            slope += self._changes.get(time, 0)
        return found

    def total(self, reading: Reading) -> int:
        """Pulses × 100 nL × concentration + the remainder, in the smallest parts."""
        return reading.pulses * self.pulse + reading.remainder


def scheduled(program: Program, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """Start, duration and dose of every scheduled bolus that starts in [first, last)."""
    for bolus in program["boluses"]:
        time = monday(first) + bolus["day"] * DAY + bolus["at"] * MINUTE
        while time < last:
            if time >= first:
                yield time, bolus["over"], bolus["dose"]
            time += WEEK


EPOCH = 4 * DAY
"""A Monday, 1970-01-05: where the repeated week is laid out."""


def steady(program: Program) -> Pump:
    """Weeks without a beginning: boluses of the day before still run at the start."""
    return Pump(program, EPOCH, EPOCH + WEEK + DAY, Boluses(EPOCH - DAY, EPOCH + WEEK + DAY))
