"""Many stories, on several processes; what they really held, and the largest differences.

Story number i of a seed is the same whatever the count, the jobs or the machine, so
that a difference is repeated alone: `--seed S --first I --count 1`.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tests.emulator.year.judge import ONE_PULSE_NG, Worst
from tests.emulator.year.stories import Story
from tests.oracles.tally import DIFFERENCES, Tally

YEAR = 365
SHORT = range(30, 61)
"""Days of a short story."""
STORIES = "stories"
ALONE = 20
"""With fewer stories than this, a class of which there was none is no failure."""
REQUIRED = (
    "days",
    "pulses given",
    "pulses lost to stalls",
    "programs: flex",
    "programs: continuous",
    "programs: minimum rate",
    "boluses: scheduled",
    "boluses: late after a clock set",
    "boluses: single",
    "boluses: prime",
    "boluses: patient's own",
    "boluses: disturbed while they ran",
    "boluses: cut short by a cancel",
    "refills: by hand",
    "refills: by the record alone",
    "refills: recorded when the line's volume had passed",
    "refills: same concentration, with bridge",
    "refills: same concentration, without bridge",
    "refills: another concentration, with bridge",
    "refills: another concentration, without bridge",
    "implant's record revised",
    "bridges repaired",
    "bridges repaired that play what ran before",
    "bridges that passed",
    "holds: stalls",
    "holds: magnetic fields",
    "motors stuck after a magnetic field",
    "stalls found by a pulse",
    "fallback after 48 h of stall",
    "clock sets: forward",
    "clock sets: back",
    "stops",
    "resumes",
    "boots",
    "process restarts",
    "pumps with a calibration error",
    "instants compared",
    "hours of the log compared",
)


class Result(NamedTuple):
    """One run."""

    seed: int
    first: int
    tally: Tally
    worst: Worst
    seconds: float

    @property
    def stories(self) -> int:
        return self.tally.counts[STORIES]

    @property
    def missing(self) -> list[str]:
        """What was to come up, and never did."""
        return self.tally.missing(REQUIRED) if self.stories >= ALONE else []

    @property
    def passed(self) -> bool:
        return self.stories > 0 and not self.tally.counts[DIFFERENCES] and not self.missing

    def __str__(self) -> str:
        last = self.first + self.stories - 1
        ran = f"seed {self.seed}, stories {self.first} to {last}, {self.seconds:,.0f} s"
        names = [STORIES, *REQUIRED]
        names += sorted(set(self.tally.counts) - {*names, DIFFERENCES})
        wide = max(map(len, names))
        lines = [
            f"pulses and masses of a pump against the exact integral: {ran}",
            *(f"  {name:<{wide}}  {self.tally.counts[name]:>15,}" for name in names),
            f"  {DIFFERENCES:<{wide}}  {self.tally.counts[DIFFERENCES]:>15,}",
            f"  largest difference in pulses: {self.worst.pulses}",
            f"  largest difference past the tip: {_shown(self.worst)} ng of {ONE_PULSE_NG}",
            *(f"DIFFERENCE {told}" for told in self.tally.told),
            *(f"NEVER CAME UP: {name}" for name in self.missing),
            "passed" if self.passed else "FAILED",
        ]
        return "\n".join(lines)


def _shown(worst: Worst) -> str:
    """Rounded up to a millionth."""
    millionths = -(-worst.ng * 1_000_000 // 1)
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06}"


def story(seed: int, number: int, days: int | None) -> tuple[Tally, Worst]:
    """One, of so many days (None: a short one); what differs is told in the tally."""
    tally = Tally()
    told = Story(seed, number, tally)
    tally.add(STORIES)
    try:
        told.tell(Random(number).choice(SHORT) if days is None else days)
    except AssertionError as error:
        tally.differ(str(error) or f"seed {seed}, story {number}: an assertion")
    return tally, told.judge.worst


def _one(work: tuple[int, int, int | None]) -> tuple[Tally, Worst]:
    """At the module's level, so that it can be sent to a process."""
    return story(*work)


def _parts(work: list[tuple[int, int, int | None]], jobs: int) -> Iterator[tuple[Tally, Worst]]:
    if jobs == 1:
        yield from map(_one, work)
    else:
        with multiprocessing.get_context("spawn").Pool(jobs) as pool:
            yield from pool.imap(_one, work)


def run(
    count: int,
    seed: int,
    *,
    days: int | None = YEAR,
    first: int = 0,
    jobs: int = 1,
    loud: bool = False,
) -> Result:
    """Tell so many stories; `loud` says on stderr how far it is."""
    began = time.monotonic()
    tally, worst = Tally(), Worst()
    work = [(seed, first + index, days) for index in range(count)]
    for done, (part, found) in enumerate(_parts(work, jobs), start=1):
        tally.merge(part)
        worst = worst.or_worse(found)
        if loud and done * 20 // count != (done - 1) * 20 // count:
            print(
                f"{done * 100 // count:3} %  {time.monotonic() - began:,.0f} s, "
                f"{tally.counts[DIFFERENCES]} differences",
                file=sys.stderr,
                flush=True,
            )
    return Result(seed, first, tally, worst, time.monotonic() - began)
