"""The kill sweep: station or pump dies at every place of an apply; is what is said true?

    python -m tests.faults.kill_sweep [--count 200] [--seed N] [--jobs 4]

`--count` is how often a process is killed with SIGKILL at an exact byte of an
apply; broken lines, and kills at moments that no byte marks, come on top. It
ends with 1 on any lie or mixture, and where a part of the road was never hit.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.faults.dying import MOMENTS, STATION
from tests.faults.relay import Cut, Direction, Passed, Victim
from tests.faults.rig import Template, make_template
from tests.faults.trial import ACTIVATE, PHASES, Ended, Plot, phase_of, trial

_WEIGHTS = {
    "greeting": 2,
    "handshake": 2,
    "reading": 3,
    "operation asked": 2,
    "stage request": 5,
    "staged answer": 4,
    "read-back request": 3,
    "read-back answer": 5,
    ACTIVATE: 10,
    "activate answer": 10,
    "verification": 4,
    "close": 2,
}
_KILLED = (
    Victim.STATION,
    Victim.PUMP,
    Victim.STATION,
    Victim.PUMP_SILENT,
    Victim.PUMP,
    Victim.STATION,
    Victim.PUMP,
    Victim.PUMP_BACK,
)
_BROKEN = (Victim.LINE, Victim.LINE_SILENT)
_PAUSES = (0.0, 0.001, 0.003, 0.006, 0.01, 0.02)


class Result(NamedTuple):
    """A whole sweep."""

    seed: int
    ended: tuple[Ended, ...]
    seconds: float

    @property
    def wrong(self) -> list[Ended]:
        """Trials with a fault."""
        return [each for each in self.ended if each.faults]

    @property
    def missed(self) -> list[str]:
        """Parts of the road where nothing fell."""
        hit = {each.phase for each in self.ended}
        return [phase for phase in rows() if phase not in hit]

    @property
    def kills(self) -> int:
        """SIGKILLs at a byte."""
        return sum(
            each.phase is not None and each.plot.cut is not None and each.victim != "line"
            for each in self.ended
        )


def rows() -> tuple[str, ...]:
    """Every part of the road that must be hit."""
    return (*PHASES, *(moment.phase for moment in MOMENTS))


# --- choosing ------------------------------------------------------------------------


def shares(count: int) -> dict[str, int]:
    """So many cuts for each phase: by weight, and one at least where there are enough."""
    heavy = sorted(_WEIGHTS, key=lambda phase: -_WEIGHTS[phase])
    if count < len(heavy):
        return dict.fromkeys(heavy[:count], 1)
    total = sum(_WEIGHTS.values())
    found = {phase: max(1, count * weight // total) for phase, weight in _WEIGHTS.items()}
    place = 0
    while sum(found.values()) < count:
        found[heavy[place % len(heavy)]] += 1
        place += 1
    return found


def place_in(frames: Sequence[Passed], victim: Victim, draw: random.Random) -> Cut:
    """A byte of one of these frames: its ends as often as its inside."""
    frame = draw.choice(frames)
    offset = draw.choice((0, -1, -1, draw.randrange(frame.end - frame.start)))
    after = draw.random() < 0.5
    pause = draw.choice(_PAUSES) if after and frame.key.direction is Direction.TO_PUMP else 0.0
    return Cut(frame.key, offset, after, victim, pause)


def plots(template: Template, count: int, seed: int, sample_every: int = 5) -> list[Plot]:
    """What is to happen, the same for the same seed and the same bytes."""
    draw = random.Random(seed)
    frames: dict[str, list[Passed]] = {phase: [] for phase in PHASES}
    for passed in template.passed:
        frames[phase_of(passed, template.names)].append(passed)
    found = []
    for kinds, number in ((_KILLED, count), (_BROKEN, count // 8)):
        for row, (phase, share) in enumerate(shares(number).items()):
            for turn in range(share):
                victim = kinds[(row + turn) % len(kinds)]
                found.append(Plot(phase, cut=place_in(frames[phase], victim, draw)))
    for turn in range(max(1, count // 100)):
        found += [
            Plot(moment.phase, moment=moment, silent=moment.side != STATION and turn % 2 == 1)
            for moment in MOMENTS
        ]
    draw.shuffle(found)
    return [plot._replace(sample=number % sample_every == 0) for number, plot in enumerate(found)]


# --- doing it -------------------------------------------------------------------------------


def play(
    template: Template,
    folder: Path,
    chosen: Sequence[Plot],
    *,
    jobs: int,
    tell: Callable[[str], None] = lambda _line: None,
) -> list[Ended]:
    """All trials, several at a time."""
    done: list[Ended] = []

    def one(numbered: tuple[int, Plot]) -> Ended:
        number, plot = numbered
        ended = trial(template, folder / f"h{number}", plot)
        done.append(ended)
        if ended.faults:
            tell(describe(ended))
        if len(done) % 20 == 0:
            tell(f"  {len(done)} of {len(chosen)} trials")
        return ended

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, enumerate(chosen)))


def sweep_with(
    template: Template,
    folder: Path,
    count: int,
    seed: int,
    *,
    jobs: int,
    sample_every: int = 5,
    tell: Callable[[str], None] = lambda _line: None,
) -> Result:
    """The whole of it, from a template that is there."""
    started = time.monotonic()
    chosen = plots(template, count, seed, sample_every)
    ended = play(template, folder, chosen, jobs=jobs, tell=tell)
    return Result(seed, tuple(ended), time.monotonic() - started)


# --- telling ---------------------------------------------------------------------------------


def describe(ended: Ended) -> str:
    """One trial that went wrong."""
    plot, cut = ended.plot, ended.plot.cut
    where = ended.phase or "not fired"
    if cut is not None:
        side = "after" if cut.after else "before"
        where += f", {side} byte {cut.offset} of {cut.key.direction.value} frame "
        where += f"{cut.key.counter}.{cut.key.piece}, {cut.victim.value}, pause {cut.pause}"
    where += ", the line silent" if plot.silent else ""
    truth = f"{ended.facts.truth.program} at {ended.facts.truth.state_version}"
    lines = [f"WRONG: {where}: apply {ended.told}, truth {truth}, resolve {ended.resolved}"]
    lines += [f"    {fault}" for fault in ended.faults]
    message = ended.facts.said.error.get("message")
    return "\n".join([*lines, f"    it said: {message}"] if message else lines)


def _counts(words: Iterable[str]) -> str:
    return ", ".join(f"{word} {number}" for word, number in sorted(Counter(words).items())) or "-"


def table(result: Result) -> str:
    """Per phase: what fired, who died, what was true, what was said."""
    heads = ("cuts", "station", "pump", "line", "old", "new", "wrong")
    lines = [
        f"{'phase':34}{''.join(f'{head:>8}' for head in heads)}  apply said; resolve said",
        *(_row(row, [each for each in result.ended if each.phase == row]) for row in rows()),
    ]
    return "\n".join([*lines, "", *_summary(result)])


def _row(row: str, here: Sequence[Ended]) -> str:
    who = Counter(each.victim for each in here)
    truth = Counter(each.facts.truth.program for each in here)
    wrong = sum(bool(each.faults) for each in here)
    numbers = (
        len(here), who["station"], who["pump"], who["line"], truth["old"], truth["new"], wrong
    )  # fmt: skip
    said = _counts(each.told for each in here)
    resolved = _counts(each.resolved for each in here)
    return f"{row:34}{''.join(f'{number:8}' for number in numbers)}  {said}; {resolved}"


def _summary(result: Result) -> list[str]:
    fired = [each for each in result.ended if each.phase is not None]
    by = Counter((each.plot.cut is not None, each.victim) for each in fired)
    followed = sum(bool(each.facts.following) for each in fired)
    blocked = sum(each.facts.blocked is not None for each in fired)
    longest = max((each.facts.said.seconds for each in result.ended), default=0.0)
    killed = f"{by[True, 'station']} station, {by[True, 'pump']} pump"
    dead = by[False, "station"] + by[False, "pump"]
    dying = f"{by[False, 'station']} station, {by[False, 'pump']} pump"
    idle = len(result.ended) - len(fired)
    missed = ", ".join(result.missed) or "none"
    took = f"{result.seconds:.0f} s, longest apply {longest:.1f} s"
    return [
        f"SIGKILL at a byte: {result.kills} ({killed}); line broken at a byte: {by[True, 'line']}",
        f"SIGKILL at a moment: {dead} ({dying}); not fired: {idle}",
        f"next plan made and applied: {followed}; another plan asked for while open: {blocked}",
        f"wrong: {len(result.wrong)}; phases missed: {missed}",
        f"{len(result.ended)} trials in {took}; seed {result.seed}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="kill_sweep", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=200, help="SIGKILLs at a byte")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--jobs", type=int, default=4, help="trials at a time")
    given = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="ks") as name:
        folder = Path(name)
        template = make_template(folder)
        tell(f"  the dry run passed {len(template.passed)} frames; seed {seed}")
        result = sweep_with(template, folder, given.count, seed, jobs=given.jobs, tell=tell)
    print(table(result))
    for ended in result.wrong:
        print(describe(ended))
    short = result.kills < given.count
    if short:
        print(f"only {result.kills} of {given.count} kills fired")
    return 1 if result.wrong or result.missed or short else 0


if __name__ == "__main__":
    sys.exit(main())
