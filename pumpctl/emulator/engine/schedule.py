"""A program as the delivery engine plays it: the flow at an instant, what comes next.

Instants are local labels in ms since 1970 (UTC plus the pump's fixed offset), so
that basal follows the label (TIM-03). Nothing is stored or delivered here, and
no limit is judged.
"""

from __future__ import annotations

from pumpctl.emulator.engine.clock import DAY_MS, MINUTE_MS
from pumpctl.emulator.engine.exact import Ratio, ratio
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Mode
from pumpctl.wire.program import Program, ScheduledBolus

_THURSDAY = 3
"""1970-01-01 was one; Monday is 0."""


def weekday_of(day: int) -> int:
    """The weekday of a date given in days since 1970-01-01."""
    return (day + _THURSDAY) % 7


def flow_of(rate: int, concentration: int) -> Ratio:
    """nL/ms that give this many ng/day at this concentration (pg/nL)."""
    return ratio(rate * 1_000, concentration * DAY_MS)


def bolus_flow(dose: int, over: int, concentration: int) -> Ratio:
    """nL/ms while this many ng are given over so many ms."""
    return ratio(dose * 1_000, concentration * over)


class Due(NamedTuple):
    """A scheduled bolus and the local label at which it starts."""

    start: int
    bolus: ScheduledBolus


class Schedule:
    """One program on one model of pump, its masses metered at one concentration.

    That is the program's own, but in a bridge, when the old fluid is at the tip.
    """

    def __init__(self, program: Program, least_flow: int, concentration: int | None = None) -> None:
        self.program = program
        metered = program.concentration if concentration is None else concentration
        least = ratio(least_flow * program.concentration, 1_000)
        self._least_rate = least
        self._metered = metered
        self._minimum = ratio(least.num * 1_000, least.den * metered * DAY_MS)
        self._flows = tuple(
            tuple(
                (step.start * MINUTE_MS, step.rate, flow_of(step.rate, metered)) for step in steps
            )
            for steps in program.days
        )
        self._boluses = tuple(
            tuple(bolus for bolus in program.boluses if bolus.day == day) for day in range(7)
        )
        self._steady = program.mode is Mode.MINIMUM_RATE

    def flow(self, local: int) -> Ratio:
        """Basal flow at this instant, nL/ms."""
        return self._minimum if self._steady else self._step(local)[2]

    def rate(self, local: int) -> int:
        """Basal dose rate at this instant, ng/day, half up."""
        return self._least_rate.half_up() if self._steady else self._step(local)[1]

    def flow_of_bolus(self, bolus: ScheduledBolus) -> Ratio:
        """What one of its boluses adds while it is given, nL/ms."""
        return bolus_flow(bolus.dose, bolus.over, self._metered)

    def next_change(self, local: int) -> int:
        """The first instant after this one at which the basal flow may change."""
        day, time = divmod(local, DAY_MS)
        if not self._steady:
            for start, _, _ in self._flows[weekday_of(day)]:
                if start > time:
                    return day * DAY_MS + start
        return (day + 1) * DAY_MS

    def next_bolus(self, after: int) -> Due | None:
        """The first scheduled bolus that starts after this instant."""
        if not self.program.boluses:
            return None
        day, time = divmod(after, DAY_MS)
        for ahead in range(8):
            for bolus in self._boluses[weekday_of(day + ahead)]:
                start = bolus.at * MINUTE_MS
                if ahead or start > time:
                    return Due((day + ahead) * DAY_MS + start, bolus)
        return None

    def _step(self, local: int) -> tuple[int, int, Ratio]:
        day, time = divmod(local, DAY_MS)
        steps = self._flows[weekday_of(day)]
        found = steps[0]
        for step in steps:
            if step[0] > time:
                break
            found = step
        return found
