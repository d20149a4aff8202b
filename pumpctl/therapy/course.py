"""An amount given over a span of time, as one exact curve: what was, what will be.

Where `curve` is a program's endless week, a course is a stretch of real time:
history, one program after another, a stop between them, boluses on top. It is
made of pieces, each given evenly, and answers three questions: how much between
two instants, when was so much reached, which window holds the most. It counts
whatever its pieces count (ng or nL); time is in ms of any one clock. It knows
no drugs, limits or pumps.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise

from pumpctl.named import NamedTuple
from pumpctl.therapy.curve import WEEK_MS, basal_changes
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS
from pumpctl.therapy.program import Program


class Piece(NamedTuple):
    """So much, given evenly from `start` to `end`."""

    start: int
    end: int
    amount: Fraction | int


class Course:
    """The sum of its pieces. Before the first and after the last of them nothing is given."""

    __slots__ = ("_amounts", "_slopes", "breaks", "pieces")

    def __init__(self, pieces: Iterable[Piece]) -> None:
        """ValueError for a piece that gives something in no time, or less than nothing."""
        self.pieces = tuple(piece for piece in pieces if piece.amount or piece.start != piece.end)
        changes: dict[int, Fraction] = {}
        for start, end, amount in self.pieces:
            if end <= start or amount < 0:
                raise ValueError(f"{amount} cannot be given from {start} to {end}")
            slope = Fraction(amount) / (end - start)
            changes[start] = changes.get(start, Fraction(0)) + slope
            changes[end] = changes.get(end, Fraction(0)) - slope
        self.breaks = tuple(sorted(changes))
        """The instants at which the rate changes."""
        self._amounts, self._slopes = [Fraction(0)], [Fraction(0)]
        for at, time in enumerate(self.breaks):
            before = self.breaks[at - 1] if at else time
            self._amounts.append(self._amounts[-1] + self._slopes[-1] * (time - before))
            self._slopes.append(self._slopes[-1] + changes[time])

    def __add__(self, other: Course) -> Course:
        return Course((*self.pieces, *other.pieces))

    def upto(self, time: Fraction | int) -> Fraction:
        """Everything given before this instant."""
        at = bisect_right(self.breaks, time)
        if not at:
            return Fraction(0)
        return self._amounts[at] + self._slopes[at] * (time - self.breaks[at - 1])

    def between(self, start: Fraction | int, end: Fraction | int) -> Fraction:
        """What is given from `start` to `end`."""
        return self.upto(end) - self.upto(start)

    def rate(self, time: Fraction | int) -> Fraction:
        """The amount per ms from this instant on."""
        return self._slopes[bisect_right(self.breaks, time)]

    def when(self, amount: Fraction | int, start: Fraction | int) -> Fraction | None:
        """The first instant at which `amount` has been given since `start`; None for never."""
        wanted = self.upto(start) + amount
        if amount <= 0:
            return Fraction(start)
        for at, time in enumerate(self.breaks, 1):
            until = self.breaks[at] if at < len(self.breaks) else time
            end = self._amounts[at] + self._slopes[at] * (until - time)
            if end >= wanted and until > start:
                return time + (wanted - self._amounts[at]) / self._slopes[at]
        return None

    def largest(self, window: int, start: int, end: int) -> Fraction:
        """The largest amount in any window of this length that starts in [start, end].

        The curve is straight between its breaks, so a largest window begins or
        ends at one of them, or at the edge of the search.
        """
        return self.between(at := self.largest_at(window, start, end), at + window)

    def largest_at(self, window: int, start: int, end: int) -> int:
        """Where the first of the largest windows starts."""
        starts = {start, end}
        for edge in self.breaks:
            starts.update(time for time in (edge, edge - window) if start <= time <= end)
        return max(sorted(starts), key=lambda time: self.between(time, time + window))

    def scaled(self, factor: Fraction | int) -> Course:
        """The same course in another measure: ng to nL and back, at one concentration."""
        return Course(Piece(start, end, amount * factor) for start, end, amount in self.pieces)

    def moved(self, by: int) -> Course:
        """The same on a clock that shows so many ms more."""
        return Course(Piece(start + by, end + by, amount) for start, end, amount in self.pieces)

    def cut(self, start: int, end: int) -> Course:
        """What of it lies in [start, end]: a stop gives up the rest of a running bolus."""
        return Course(
            Piece(max(begins, start), min(ends, end), amount * part)
            for begins, ends, amount in self.pieces
            if (part := Fraction(min(ends, end) - max(begins, start), ends - begins)) > 0
        )


def course_of(program: Program, start: int, end: int) -> Course:
    """What a program gives, in ng, while it runs from `start` to `end`.

    In ms of the pump's own clock face (`Moment.label_ms`), because the schedule goes
    by that. Boluses count that start in [start, end); one that is still running at
    the end goes on, as it does when another program is activated. Use `cut` for a stop.
    """
    return Course((*_basal_pieces(program, start, end), *_bolus_pieces(program, start, end)))


_EPOCH_MONDAY = 4 * DAY_MS
"""1970-01-01 was a Thursday; its week began three days before, the next one four days later."""


def week_start(label_ms: int) -> int:
    """The Monday 00:00 at or before this instant of a clock's face."""
    return label_ms - (label_ms - _EPOCH_MONDAY) % WEEK_MS


def _basal_pieces(program: Program, start: int, end: int) -> Iterator[Piece]:
    changes = list(basal_changes(program))
    times = [time for time, _ in changes] + [WEEK_MS]
    monday = week_start(start)
    while monday < end:
        for (first, last), (_, rate) in zip(pairwise(times), changes, strict=True):
            begins, ends = max(monday + first, start), min(monday + last, end)
            if begins < ends:
                yield Piece(begins, ends, Fraction(rate * (ends - begins), DAY_MS))
        monday += WEEK_MS


def _bolus_pieces(program: Program, start: int, end: int) -> Iterator[Piece]:
    monday = week_start(start)
    while monday < end:
        for bolus in program.boluses:
            begins = monday + bolus.day * DAY_MS + bolus.at * MINUTE_MS
            if start <= begins < end:
                yield Piece(begins, begins + bolus.over.quanta, bolus.dose.quanta)
        monday += WEEK_MS
