"""The demanded flow as pieces: basal by the local label, and what boluses lay on top.

Pure functions on values; what is played and since when is the oracle's to know.
Counters and labels in ms, volumes in nL, flows in nL/ms as fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from pumpctl.wire.codes import Mode
from pumpctl.wire.program import Program

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
PULSE = 100
"""nL, nominal."""
LEAST_FLOW = 48_000
"""nL/day of minimum rate."""
SCHEDULED = "scheduled"
_WEEKDAY_OF_1970 = 3
_NONE = Fraction(0)


class Bolus(NamedTuple):
    """One that is begun, and where it must end."""

    start: int
    dose: int
    over: int
    kind: str
    label: int = 0
    """Of a scheduled one: the local label that names it."""

    @property
    def end(self) -> int:
        return self.start + self.over


class Ended(NamedTuple):
    """What the log must say of its end."""

    counter: int
    dose: int
    given: int


class Bridge(NamedTuple):
    """Old fluid at the tip."""

    ends: int
    """Pulses."""
    concentration: int
    plays: Program | None
    """None: the running program."""


class Standing(NamedTuple):
    """The motor is held; `until` None: nobody knows how long."""

    since: int
    until: int | None


class Piece(NamedTuple):
    """Even flow, in (start, end]."""

    start: int
    end: int
    flow: Fraction
    due: Fraction
    """nL due in all, at its start."""
    lost: int
    """Pulses lost before it."""
    turns: bool

    def due_at(self, counter: int) -> Fraction:
        """The integral up to here."""
        return self.due + self.flow * (counter - self.start)

    def pulses_until(self, counter: int) -> int:
        """Whole pulses that fall due in it, up to here."""
        return int(self.due_at(counter) // PULSE - self.due // PULSE)

    def when(self, pulses: int) -> int | None:
        """The first ms at which so many pulses are due in all; None where not in this piece."""
        if not self.flow or pulses * PULSE > self.due_at(self.end):
            return None
        missing = pulses * PULSE - self.due
        return self.start + max(0, -(-missing // self.flow))


def basal(
    program: Program, metered: int, label: int, span: tuple[int, int]
) -> list[tuple[int, Fraction]]:
    """(from, flow) between two counters; `label` is the local one at the counter 0."""
    since, until = span
    if program.mode is Mode.MINIMUM_RATE:
        return [(since, Fraction(LEAST_FLOW * program.concentration, metered * DAY))]
    found: list[tuple[int, Fraction]] = []
    for day in range((label + since) // DAY, (label + until) // DAY + 1):
        for step in program.days[_weekday(day)]:
            start = day * DAY + step.start * MINUTE - label
            flow = flow_of(step.rate, metered)
            if start <= since:
                found = [(since, flow)]
            elif start < until:
                found.append((start, flow))
    return found


def flow_of(rate: int, metered: int) -> Fraction:
    """Of so many ng/day at so many pg/nL."""
    return Fraction(rate * 1000, metered * DAY)


def scheduled(
    program: Program, label: int, labels: tuple[int, int], served: list[tuple[int, int]]
) -> list[Bolus]:
    """What is scheduled after the one label and up to the other, and never had its turn."""
    after, upto = labels
    if not program.boluses:
        return []
    found = []
    for day in range(after // DAY, upto // DAY + 1):
        for bolus in program.boluses:
            start = day * DAY + bolus.at * MINUTE
            fits = bolus.day == _weekday(day) and after < start <= upto
            if fits and not any(first <= start <= last for first, last in served):
                found.append(Bolus(start - label, bolus.dose, bolus.over, SCHEDULED, start))
    return found


def pieces(
    steps: list[tuple[int, Fraction]],
    boluses: Iterable[Bolus],
    metered: int,
    *,
    edges: Iterable[int],
    span: tuple[int, int],
    so_far: tuple[Fraction, int],
    turns: Callable[[int], bool],
) -> list[Piece]:
    """The flow between two counters and its integral, from what was due and lost `so_far`.

    `edges` are where the motor may stop or turn again; `turns` says which.
    """
    since, until = span
    change: dict[int, Fraction] = dict.fromkeys((since, until, *edges), _NONE)
    flow = _NONE
    for start, basal_flow in steps:
        change[start] = change.get(start, _NONE) + basal_flow - flow
        flow = basal_flow
    for bolus in boluses:
        extra = Fraction(bolus.dose * 1000, metered * bolus.over)
        begins = max(since, bolus.start)
        change[begins] = change.get(begins, _NONE) + extra
        change[bolus.end] = change.get(bolus.end, _NONE) - extra
    found = []
    flow, (due, lost) = _NONE, so_far
    for start, end in pairwise(sorted(time for time in change if since <= time <= until)):
        flow += change[start]
        piece = Piece(start, end, flow, due, lost, turns(start))
        found.append(piece)
        due = piece.due_at(end)
        lost += 0 if piece.turns else piece.pulses_until(end)
    return found


def _weekday(day: int) -> int:
    """Of a date in days since 1970-01-01; Monday is 0."""
    return (day + _WEEKDAY_OF_1970) % 7
