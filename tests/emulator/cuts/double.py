"""Two cuts: the second one hits the start after the first, or something that is done next.

Each is drawn from a seed of its own, so that one alone can be repeated. Whatever
was cut is either done or not: the story must be that of one of the few uncut
pumps that this leaves.
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from pumpctl.emulator.memory.flash import CutKind, MemoryStore, PowerCut, PowerLost
from pumpctl.wire import messages as m
from tests.emulator.cuts.acts import Act, Step, activate, wait
from tests.emulator.cuts.sweep import (
    WORDS,
    Event,
    Killed,
    MortalStore,
    Origin,
    Outcome,
    Start,
    compared,
    cut_in,
    started,
)
from tests.emulator.support import HOUR, MINUTE, TAG, Bench, flex, op

GAPS = (0, 1, 7 * MINUTE, 50 * MINUTE)
"""ms between a cut and the next start."""


def _stage(bench: Bench) -> None:
    """Another program, where this pump takes one now."""
    program = flex(250_000, 350_000, concentration=bench.core.control.concentration)
    bench.ask(m.StageProgram(TAG, program))
    bench.ask(m.GetReadback())


def _activate(bench: Bench) -> None:
    if bench.core.staged is not None:
        activate(81)(bench)


FURTHER: dict[str, tuple[Step, ...]] = {
    "stop": (lambda bench: bench.stop(78),),
    "void": (lambda bench: bench.ask(m.Resolve(op(79))),),
    "cancel": (lambda bench: bench.ask(m.CancelBolus(op(80), bytes(32))),),
    "program": (_stage, _activate),
    "an hour": (wait(HOUR),),
}


class Drawn(NamedTuple):
    """What one double cut was, and what came of it."""

    where: str
    second: str
    outcome: Outcome


class Doubles:
    """What was done and found."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.second: Counter[tuple[str, str]] = Counter()
        self.words: Counter[tuple[str, str]] = Counter()
        self.mixed: list[str] = []

    def act(self, name: str, act: Act, *, first: int, count: int, seed: int) -> None:
        """So many double cuts of this act, from this number on."""
        trial = _Trial(Origin(name, act))
        for number in range(first, first + count):
            drawn = trial.run(random.Random(f"{seed} {name} {number}"))
            self.done[name] += 1
            self.second[name, drawn.second] += 1
            self.words[name, drawn.outcome.word] += 1
            if drawn.outcome.word == "mixed":
                self.mixed.append(f"{name} {number}: {drawn.where}: {drawn.outcome.why}")

    def table(self) -> str:
        """A row for each act, and the sum."""
        places = ("start", *FURTHER)
        head = " ".join(f"{each:>8}" for each in ("doubles", *places, *WORDS))
        lines = [f"{'second cut in':34} {head}"]
        for name in [*self.done, ""]:
            seconds = [self._sum(self.second, name, place) for place in places]
            words = [self._sum(self.words, name, word) for word in WORDS]
            whole = self.done[name] if name else self.done.total()
            row = " ".join(f"{each:8}" for each in (whole, *seconds, *words))
            lines.append(f"{name or 'sum':34} {row}")
        return "\n".join(lines)

    @staticmethod
    def _sum(found: Counter[tuple[str, str]], name: str, what: str) -> int:
        """Of this act, or of all."""
        if name:
            return found[name, what]
        return sum(count for (_, each), count in found.items() if each == what)


class _Trial:
    """Double cuts of one act."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        dry = origin.pump(MortalStore(origin.image))
        assert isinstance(dry.store, MortalStore)
        self._attached = dry.store.writes
        for step in origin.act.steps:
            step(dry)
        self._operations = dry.core.flash.operations
        self._writes = dry.store.writes - self._attached

    def run(self, rng: random.Random) -> Drawn:
        """One of them."""
        origin, act = self._origin, self._origin.act
        power = rng.random() < 0.75
        if power:
            bench = origin.pump()
            cut = PowerCut(rng.randint(1, self._operations), rng.choice(tuple(CutKind)))
            bench.core.flash._cut = cut
            where = f"{cut}"
        else:
            at, torn = rng.randint(1, self._writes), rng.random() < 0.5
            bench = origin.pump(MortalStore(origin.image, self._attached + at, torn=torn))
            where = f"killed at {at}{', torn' * torn}"
        step = cut_in(bench, act.steps)
        host = bench.host
        start = Start(rng.choice(GAPS), power)
        if rng.random() < 0.6:
            second, ways = "start", self._in_start(rng, bench, start)
        else:
            second, ways = self._in_further(rng, bench, start)
        # After a power cut there is a boot; after a kill, either.
        again = Start(rng.choice(GAPS), ways.power or rng.random() < 0.5)
        started(bench, again)
        controls = [
            origin.control(n, host, (*way, again)) for n in (step, step + 1) for way in ways.events
        ]
        outcome = compared(bench, controls, step + 1 == len(act.steps), act.sound)
        return Drawn(f"{where}; {ways.where}; {again}", second, outcome)

    def _in_start(self, rng: random.Random, bench: Bench, start: Start) -> Ways:
        """The start is cut."""
        dry, store = twin(bench), MortalStore(bytes(bench.store.image))
        started(dry, start, store=store)
        power = bool(start.boots)
        if power:
            cut = PowerCut(rng.randint(1, dry.core.flash.operations), rng.choice(tuple(CutKind)))
            died, where = dies(lambda: started(bench, start, cut)), f"{cut}"
        else:
            at, torn = rng.randint(1, store.writes), rng.random() < 0.5
            mortal = MortalStore(bytes(bench.store.image), at, torn=torn)
            died = dies(lambda: started(bench, start, store=mortal))
            where = f"killed at {at}{', torn' * torn}"
        assert died, f"a second cut has not hit anything: {start}, {where}"
        return Ways(f"{start} cut at {where}", power, ((Start(start.gap, None),), (start,)))

    def _in_further(self, rng: random.Random, bench: Bench, start: Start) -> tuple[str, Ways]:
        """The start is whole, and what is done next is cut."""
        started(bench, start)
        host = bench.host
        while True:
            name, dry = rng.choice(list(FURTHER)), twin(bench)
            dry.attach()
            before, steps = dry.core.flash.operations, FURTHER[name]
            for step in steps:
                step(dry)
            operations = dry.core.flash.operations - before
            if operations:
                break
        flash = bench.core.flash
        cut = PowerCut(flash.operations + rng.randint(1, operations), rng.choice(tuple(CutKind)))
        flash._cut = cut
        whole = cut_in(bench, steps)
        late = Start(bench.host - host, None)
        done: list[tuple[Event, ...]] = [(start, *steps[:n], late) for n in (whole, whole + 1)]
        return name, Ways(f"{start}; {name} cut at {cut}", True, tuple(done))


class Ways(NamedTuple):
    """What may have become of the second one that was cut: done, or not."""

    where: str
    power: bool
    """Was it the power that went?"""
    events: tuple[tuple[Event, ...], ...]


def twin(bench: Bench) -> Bench:
    """Its image and its time once more; nothing runs yet."""
    other = copy.copy(bench)
    other.store = MemoryStore(bytes(bench.store.image))
    return other


def dies(do: Callable[[], object]) -> bool:
    """Does the power, or the process, go away on the way?"""
    try:
        do()
    except (PowerLost, Killed):
        return True
    return False
