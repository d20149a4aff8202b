"""Runs an oracle over many random cases, on several processes, and says what was exercised.

Case number i of a seed is the same whatever the count, the jobs or the machine, so that a
difference is repeated alone: `--seed S --first I --count 1`.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tests.oracles import judge_programs, judge_windows
from tests.oracles.tally import CASES, DIFFERENCES, Tally

CHUNK = 200
ALONE = 100
"""With fewer cases than this, a class of which there was none is no failure."""


class Oracle(NamedTuple):
    """What is judged, how one case is, and what a run must have exercised."""

    title: str
    judge: Callable[[int, int, Tally], None]
    required: tuple[str, ...]


ORACLES = {
    "programs": Oracle(
        "the arithmetic of programs against a pump that counts its pulses",
        judge_programs.judge,
        judge_programs.REQUIRED,
    ),
    "windows": Oracle(
        "the dose-window rule against looking at every window",
        judge_windows.judge,
        judge_windows.REQUIRED,
    ),
}


class Result(NamedTuple):
    """One run of one oracle."""

    oracle: Oracle
    seed: int
    first: int
    tally: Tally
    seconds: float

    @property
    def cases(self) -> int:
        return self.tally.counts[CASES]

    @property
    def missing(self) -> list[str]:
        """What was to be exercised, and never was."""
        return self.tally.missing(self.oracle.required) if self.cases >= ALONE else []

    @property
    def passed(self) -> bool:
        return self.cases > 0 and not self.tally.counts[DIFFERENCES] and not self.missing

    def __str__(self) -> str:
        last = self.first + self.cases - 1
        ran = f"seed {self.seed}, cases {self.first} to {last}, {self.seconds:,.0f} s"
        lines = [
            f"{self.oracle.title}: {ran}",
            *self.tally.lines(self.oracle.required),
            *(f"DIFFERENCE {told}" for told in self.tally.told),
            *(f"NEVER EXERCISED: {name}" for name in self.missing),
            "passed" if self.passed else "FAILED",
        ]
        return "\n".join(lines)


def _chunk(work: tuple[str, int, int, int]) -> Tally:
    """One process's part of the work; at the module's level so that it can be sent to one."""
    name, seed, first, last = work
    tally = Tally()
    for index in range(first, last):
        ORACLES[name].judge(seed, index, tally)
    return tally


def run(name: str, count: int, seed: int, *, first: int = 0, jobs: int = 1) -> Result:
    """Judge so many cases; with several jobs the progress is told on stderr."""
    began = time.monotonic()
    last = first + count
    work = [(name, seed, at, min(at + CHUNK, last)) for at in range(first, last, CHUNK)]
    tally = Tally()
    if jobs == 1:
        for part in map(_chunk, work):
            tally.merge(part)
    else:
        with multiprocessing.get_context("spawn").Pool(jobs) as pool:
            for part in _told(pool.imap(_chunk, work), len(work), began):
                tally.merge(part)
    return Result(ORACLES[name], seed, first, tally, time.monotonic() - began)


def _told(parts: Iterable[Tally], count: int, began: float) -> Iterator[Tally]:
    """Tell how far it is, at every twentieth part."""
    differences = 0
    for done, part in enumerate(parts, start=1):
        differences += part.counts[DIFFERENCES]
        yield part
        if done * 20 // count != (done - 1) * 20 // count:
            spent = time.monotonic() - began
            left = spent * (count - done) / done
            print(
                f"{done * 100 // count:3} %  {spent:,.0f} s, {left:,.0f} s to go, "
                f"{differences} differences",
                file=sys.stderr,
                flush=True,
            )
