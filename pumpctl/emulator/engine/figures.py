"""What a program adds up to: days, sliding windows, the peak flow; exact integers.

The week is a cumulative mass, piecewise linear, held as integers over one
common denominator. Sunday runs into Monday. Each figure is rounded once, in the
direction that its name says. No limit is judged here; patient doses come in
only where a docstring says so.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from math import lcm

from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS
from pumpctl.emulator.engine.exact import Ratio, ratio
from pumpctl.wire.codes import Mode
from pumpctl.wire.program import Program

WEEK_MS = 7 * DAY_MS


def least_rate(concentration: int, least_flow: int) -> Ratio:
    """ng/day that the model's minimum flow gives at this concentration."""
    return ratio(least_flow * concentration, 1_000)


class Figures:
    """One program's week, on one model of pump."""

    def __init__(self, program: Program, least_flow: int) -> None:
        self.program = program
        self._least = least_rate(program.concentration, least_flow)
        self._den = lcm(DAY_MS * 1_000, *(bolus.over for bolus in program.boluses))
        self._times, self._masses, self._slopes = self._build()
        self._total = self._mass(WEEK_MS)

    def day(self, day: int) -> Ratio:
        """Basal of this day and the scheduled boluses that start on it, ng."""
        if self.program.mode is Mode.MINIMUM_RATE:
            return self._least
        steps = self.program.days[day]
        ends = [step.start for step in steps[1:]] + [DAY_MS // MINUTE_MS]
        basal = sum(step.rate * (end - step.start) for step, end in zip(steps, ends, strict=True))
        boluses = sum(bolus.dose for bolus in self.program.boluses if bolus.day == day)
        return ratio(basal * MINUTE_MS + boluses * DAY_MS, DAY_MS)

    def day_dose(self, day: int) -> int:
        """The same, half up to 1 ng."""
        return self.day(day).half_up()

    def day_volume(self, day: int, concentration: int | None = None) -> int:
        """The same as a volume, half up to 1 nL; in a bridge at the old concentration."""
        dose = self.day(day)
        metered = self.program.concentration if concentration is None else concentration
        return ratio(dose.num * 1_000, dose.den * metered).half_up()

    def largest_hour(self, day: int) -> int:
        """The most in any 60 minutes that start on this day, up to 1 ng."""
        return self._largest(HOUR_MS, day * DAY_MS, (day + 1) * DAY_MS).up()

    def largest_hour_of_week(self) -> int:
        """The most that the schedule gives in any 60 minutes, up to 1 ng."""
        return self._largest(HOUR_MS, 0, WEEK_MS).up()

    def largest_day(self) -> int:
        """The most that the schedule gives in any 24 hours, up to 1 ng."""
        return self._largest(DAY_MS, 0, WEEK_MS).up()

    def largest_24h(self) -> int:
        """The same with every patient dose taken that the program permits."""
        own = self.program.patient_dose
        return self.largest_day() + (own.dose * own.most if own else 0)

    def peak(self) -> Ratio:
        """The highest dose rate of the schedule at any instant, ng/ms."""
        return ratio(max(self._slopes), self._den)

    def _largest(self, length: int, first: int, last: int) -> Ratio:
        """The most in any window of this length that starts in [first, last].

        Mass in the window is piecewise linear in its start, so that a largest one
        starts or ends where the rate changes, or at an end of the interval.
        """
        starts = {first, last}
        for turn in (-WEEK_MS, 0, WEEK_MS):
            for time in self._times:
                starts.add(time + turn)
                starts.add(time + turn - length)
        most = max(
            self._mass(start + length) - self._mass(start)
            for start in starts
            if first <= start <= last
        )
        return ratio(most, self._den)

    def _mass(self, time: int) -> int:
        """Cumulative mass from Monday 00:00, over the denominator; `time` up to two weeks."""
        weeks, time = divmod(time, WEEK_MS)
        whole = 0
        if weeks:
            whole = weeks * (self._masses[-1] + self._slopes[-1] * (WEEK_MS - self._times[-1]))
        place = bisect_right(self._times, time) - 1
        return whole + self._masses[place] + self._slopes[place] * (time - self._times[place])

    def _build(self) -> tuple[list[int], list[int], list[int]]:
        """Where the slope changes, the mass up to there, and the slope from there on."""
        change: dict[int, int] = {0: 0}

        def add(start: int, end: int, slope: int) -> None:
            while start >= WEEK_MS:
                start, end = start - WEEK_MS, end - WEEK_MS
            change[start] = change.get(start, 0) + slope
            if end < WEEK_MS:
                change[end] = change.get(end, 0) - slope
            elif end > WEEK_MS:  # Sunday's runs into Monday
                add(WEEK_MS, end, slope)

        program = self.program
        if program.mode is Mode.MINIMUM_RATE:
            add(0, WEEK_MS, self._least.num * (self._den // (self._least.den * DAY_MS)))
        for day, steps in enumerate(program.days if any(program.days) else ()):
            ends = [step.start * MINUTE_MS for step in steps[1:]] + [DAY_MS]
            for step, end in zip(steps, ends, strict=True):
                slope = step.rate * (self._den // DAY_MS)
                add(day * DAY_MS + step.start * MINUTE_MS, day * DAY_MS + end, slope)
        for bolus in program.boluses:
            start = bolus.day * DAY_MS + bolus.at * MINUTE_MS
            add(start, start + bolus.over, bolus.dose * (self._den // bolus.over))
        times = sorted(change)
        masses, slopes = [0], [change[0]]
        for earlier, time in pairwise(times):
            masses.append(masses[-1] + slopes[-1] * (time - earlier))
            slopes.append(slopes[-1] + change[time])
        return times, masses, slopes
