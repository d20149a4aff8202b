"""The dose-window rule by looking at every window: the oracle for LIM-05.

Written from the words alone. What is given is a list of runs (a program from one instant
to another), boluses and stops; a stop gives up what is running, a change of program lets
a running bolus go on, and only boluses that start while a program runs are its own. Then
something is decided: another program or none, a bolus or none. Judged is every window
that ends after that instant, for every instant to come; time has a quantum of 1 ms, so
the first of them starts 1 ms after `now` − length. A window holds too much where it
holds more than the limit.

`Grid` adds up what is given from one point of a grid of time to the next and looks at
every window that starts or ends on it. All instants of the history lie on the grid, so
the extremes do, too. `straight` is for histories on no grid: it looks where a window's
start or end meets a change of the rate. Nothing of pumpctl is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, cycle
from math import lcm
from operator import mul, sub
from typing import NamedTuple, TypedDict

from tests.oracles.odometer import scheduled
from tests.oracles.plain import DAY, MINUTE, WEEK, Program, steps_of, weekday


class Given(TypedDict):
    """A bolus that somebody asked for, as it was meant to run."""

    at: int
    over: int  # ms
    dose: int  # ng


class Run(TypedDict):
    """A program ran, or will run, from `start` to `end`."""

    program: Program
    start: int
    end: int


class History(TypedDict):
    """What was given, and what is decided at `now`."""

    grid: int  # ms; 0 where the instants lie on no grid
    runs: list[Run]
    boluses: list[Given]
    stops: list[int]
    now: int
    ahead: Program | None
    bolus: Given | None
    lengths: list[int]


class Piece(NamedTuple):
    """So many parts of 1 ng per ms."""

    start: int
    end: int
    slope: int


class Worst(NamedTuple):
    """The most that a window holds, in parts of 1 ng."""

    before: int
    """Of the windows that end after `now` and start no later than it."""
    after: int
    """Of those that start at `now` or later, to the last that can hold anything new."""

    @property
    def most(self) -> int:
        return max(self)


def programs_of(history: History) -> list[Program]:
    """Every program that ran or will run."""
    ahead = history["ahead"]
    return [run["program"] for run in history["runs"]] + ([ahead] if ahead else [])


def unit_of(history: History) -> int:
    """How many of the smallest parts make 1 ng, so that every rate is whole."""
    overs = {bolus["over"] for program in programs_of(history) for bolus in program["boluses"]}
    overs |= {bolus["over"] for bolus in history["boluses"]}
    if history["bolus"] is not None:
        overs.add(history["bolus"]["over"])
    return lcm(DAY, *overs)


def settled(history: History) -> int:
    """From here on only the schedule ahead is given, as if it had always run."""
    alone = history.copy()
    alone["ahead"] = None
    ends = [piece.end for piece in pieces(alone, unit_of(alone), 0, history["now"])]
    if history["ahead"] is not None:
        ends += [history["now"] + bolus["over"] for bolus in history["ahead"]["boluses"]]
    return max([history["now"], *ends])


def last_start(history: History) -> int:
    """No window that starts later holds anything new."""
    return settled(history) + (WEEK if history["ahead"] is not None else 0)


def pieces(history: History, unit: int, first: int, last: int) -> Iterator[Piece]:
    """Everything that is given between these instants, evenly piece by piece."""
    now, stops = history["now"], history["stops"]
    ahead, extra = history["ahead"], history["bolus"]
    for run in history["runs"]:
        yield from _basal(run["program"], unit, max(first, run["start"]), run["end"])
        for at, over, dose in scheduled(run["program"], run["start"], run["end"]):
            yield Piece(at, _given_up(at + over, at, stops), dose * (unit // over))
    for bolus in history["boluses"]:
        at, over = bolus["at"], bolus["over"]
        yield Piece(at, _given_up(at + over, at, stops), bolus["dose"] * (unit // over))
    if ahead is not None:
        yield from _basal(ahead, unit, now, last)
        for at, over, dose in scheduled(ahead, now, last):
            yield Piece(at, at + over, dose * (unit // over))
    if extra is not None:
        over = extra["over"]
        yield Piece(extra["at"], extra["at"] + over, extra["dose"] * (unit // over))


def _given_up(end: int, start: int, stops: list[int]) -> int:
    """Where a bolus really ends: at the first stop after its start, where that comes sooner."""
    return min([end, *(stop for stop in stops if stop > start)])


def _basal(program: Program, unit: int, start: int, end: int) -> Iterator[Piece]:
    part = unit // DAY
    for midnight in range(start // DAY * DAY, end, DAY):
        steps = steps_of(program, weekday(midnight))
        for number, (minute, rate) in enumerate(steps):
            until = steps[number + 1][0] if number + 1 < len(steps) else 1_440
            low, high = max(start, midnight + minute * MINUTE), min(end, midnight + until * MINUTE)
            if low < high and rate:
                yield Piece(low, high, rate * part)


class Grid:
    """A history added up from point to point.

    The points repeat every `grid` ms: the offsets of all instants of the history, and what
    lies one length before or after them.
    """

    def __init__(
        self, history: History, unit: int, beside: History | None = None, last: int | None = None
    ) -> None:
        """`beside` makes the points those of another history with the same `now`, too.

        `last` is the last start; without it, as far as anything new can come.
        """
        self.looked_at = 0
        """How many windows the last search looked at."""
        self.now, self.grid = history["now"], history["grid"]
        self._last = last_start(history) if last is None else last
        longest = max(history["lengths"])
        self._base = (self.now - longest) // self.grid * self.grid - self.grid
        end = self._last + longest + self.grid
        every = [
            piece for piece in pieces(history, unit, self._base, end) if piece.end > self._base
        ]
        known = [*every, *(pieces(beside, unit, self._base, end) if beside else ())]
        self._breaks = {time % self.grid for piece in known for time in piece[:2]}
        self._breaks |= {self.now % self.grid, self._last % self.grid}
        self._offsets = sorted(
            {
                (point + add) % self.grid
                for point in self._breaks
                for length in history["lengths"]
                for add in (0, -length, length)
            }
            | {0}
        )
        self._number = {offset: number for number, offset in enumerate(self._offsets)}
        self._add_up(every, end)

    def _add_up(self, every: Iterable[Piece], end: int) -> None:
        many = len(self._offsets)
        cells = ((end - self._base) // self.grid + 2) * many
        changes = [0] * (cells + 1)
        for start, until, slope in every:
            changes[self._point(max(start, self._base))] += slope
            if until < end:
                changes[self._point(until)] -= slope
        changes.pop()
        wrapped = [*self._offsets[1:], self.grid + self._offsets[0]]
        self.slopes = list(accumulate(changes))
        self.total: list[int] = list(
            accumulate(map(mul, self.slopes, cycle(map(sub, wrapped, self._offsets))), initial=0)
        )

    def _point(self, time: int) -> int:
        """The number of a point; KeyError for an instant that lies on none."""
        whole, offset = divmod(time - self._base, self.grid)
        return whole * len(self._offsets) + self._number[offset]

    def worst(self, length: int) -> Worst:
        """Look at every window of this length that starts or ends on a break's offset."""
        earliest = self._point(self.now - length)
        now = self._point(self.now)
        first = self.total[now] - self.total[earliest] + self.slopes[now] - self.slopes[earliest]
        before, after = [first], [0]
        points = {point for add in (0, -length) for point in
                  ((offset + add) % self.grid for offset in self._breaks)}  # fmt: skip
        many = len(self._offsets)
        self.looked_at = 1
        for offset in points:
            start = self._number[offset]
            whole, rest = divmod(offset + length, self.grid)
            far = whole * many + self._number[rest] - start
            low = earliest + 1 + (start - earliest - 1) % many
            middle = now + (start - now) % many
            last = self._point(self._last)
            until = max(middle, now + 1)  # a window that starts now is in both
            for found, begin, end in ((before, low, until), (after, middle, last + 1)):
                held = map(sub, self.total[begin + far : end + far : many],
                           self.total[begin:end:many])  # fmt: skip
                found.append(max(held, default=0))
            self.looked_at += (last - low) // many + 1
        return Worst(max(before), max(after))

    def each(self, length: int) -> list[int]:
        """What every window of this length holds, the first 1 ms after those that have ended.

        Between two neighbours of the list it grows or falls evenly.
        """
        earliest, now = self._point(self.now - length), self._point(self.now)
        held = [self.total[now] - self.total[earliest] + self.slopes[now] - self.slopes[earliest]]
        many = len(self._offsets)
        far = {
            number: (offset + length) // self.grid * many
            + self._number[(offset + length) % self.grid] - number
            for number, offset in enumerate(self._offsets)
            if {offset, (offset + length) % self.grid} & self._breaks
        }  # fmt: skip
        return held + [
            self.total[point + far[point % many]] - self.total[point]
            for point in range(earliest + 1, self._point(self._last) + 1)
            if point % many in far
        ]

    def looked_back(self, length: int) -> int:
        """What the window that ends now holds: all that a rule which only looks back knows."""
        return self.total[self._point(self.now)] - self.total[self._point(self.now - length)]

    def held(self, start: int, length: int) -> int | None:
        """What the window from `start` holds; None where that is no point of the grid."""
        try:
            return self.total[self._point(start + length)] - self.total[self._point(start)]
        except KeyError:
            return None


def straight(history: History, unit: int, length: int, last: int | None = None) -> Worst:
    """The same for a history on no grid: windows that start or end where the rate changes.

    `last` is the last start that is looked at; without it, as far as anything new can come.
    """
    now = history["now"]
    last = last_start(history) if last is None else last
    first = now - length + 1
    changes: dict[int, int] = {}
    for start, end, slope in pieces(history, unit, first - 1, last + length):
        changes[start] = changes.get(start, 0) + slope
        changes[end] = changes.get(end, 0) - slope
    starts = {first, now, last}.union(*({time, time - length} for time in changes))
    inside = [start for start in starts if first <= start <= last]
    total: dict[int, int] = {}
    given = slope = before = 0
    for time in sorted({*changes, *inside, *(start + length for start in inside)}):
        given += slope * (time - before)
        total[time], before = given, time
        slope += changes.get(time, 0)
    return Worst(
        max(total[start + length] - total[start] for start in inside if start <= now),
        max(total[start + length] - total[start] for start in inside if start >= now),
    )
