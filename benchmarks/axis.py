"""What an axis of the benchmark is: a name, a way to run it, rows of figures with targets.

Values only; nothing is measured and nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import NamedTuple


class Target(NamedTuple):
    """What a row's figure is to reach."""

    figure: float
    least: bool
    """At least so much, or else at most."""
    every: bool = False
    """Every single value is held against it, not the median."""

    def met(self, values: tuple[float, ...]) -> bool:
        """Judged on what was measured, unrounded."""
        worst = min(values) if self.least else max(values)
        judged = worst if self.every else median(values)
        return judged >= self.figure if self.least else judged <= self.figure


class Row(NamedTuple):
    """One figure of one contender: all that was measured of it."""

    name: str
    values: tuple[float, ...]
    """None at all where it could not be measured; `note` says why."""
    unit: str
    target: Target | None = None
    note: str = ""


class Options(NamedTuple):
    """How much is measured."""

    quick: bool = False
    """A small size of everything, to see that it works; its figures mean little."""
    rounds: int = 0
    """Of whole processes and short loops; 0: each axis takes its own number."""
    seeds: int = 10
    """Of every noisy row."""
    jobs: int = 6
    """Lines that are measured at a time; each is slow, and costs a few per cent of a core."""
    peers: bool = True
    """Measure the others, too."""

    def times(self, usual: int) -> int:
        """How often to measure, where `usual` is enough on a quiet machine."""
        return 2 if self.quick else self.rounds or usual


class Result(NamedTuple):
    """What an axis came to."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """How it was measured, and what else was seen; a line each."""


class Axis(NamedTuple):
    """One thing that is measured beside its peers."""

    name: str
    """As it is typed."""
    title: str
    run: Callable[[Options], Result]


def missing(name: str, unit: str, why: str = "not installed") -> Row:
    """A row for what is not here."""
    return Row(name, (), unit, None, why)
