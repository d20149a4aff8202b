"""Cuts an act everywhere, starts the pump again, and judges what is left of it.

A power cut at an operation of the flash is followed by a boot, some minutes
later; a process that is killed between two writes of its image is followed by an
attach. What then lies in the image must be the story of a pump that was never
cut: either before the step in which the cut fell, or after it. A day later it
must still be so. Nothing is counted that did not hit.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from pumpctl.emulator.memory.flash import CutKind, MemoryStore, PowerCut, PowerLost
from tests.emulator.cuts.acts import Act, Step
from tests.emulator.cuts.stories import Story, at_odds, difference, told
from tests.emulator.support import DAY, MINUTE, Bench

GAP = 7 * MINUTE
"""From the cut to the boot; the pump's always-on part goes on meanwhile."""
KILLED = "killed"
TORN_SAVE = "killed, torn"
KINDS = (*(kind.value for kind in CutKind), KILLED, TORN_SAVE)


class Killed(BaseException):
    """The process is gone; nothing catches that."""


class MortalStore(MemoryStore):
    """An image whose process is killed right after its write number `last`, or in the midst."""

    def __init__(self, image: bytes, last: int | None = None, *, torn: bool = False) -> None:
        super().__init__(image)
        self.writes = 0
        self._last = last
        self._torn = torn

    def write(self, offset: int, data: bytes) -> None:
        """Count, and perhaps die."""
        if self._last is not None and self.writes >= self._last:
            raise Killed
        self.writes += 1
        dies = self.writes == self._last
        super().write(offset, data[: len(data) // 2] if dies and self._torn else data)
        if dies:
            raise Killed


class Outcome(NamedTuple):
    """What became of a pump that was cut."""

    word: str
    """old, new, same (the step changes nothing that a start would not do by itself), mixed."""
    why: str = ""


class After(NamedTuple):
    """The two stories of one pump: when it is started again, and a day later."""

    now: Story
    later: Story


class Start(NamedTuple):
    """How a pump is started: so much later, by power (True) or as a process."""

    gap: int
    boots: bool | None
    """None: the time goes by, and nothing is started."""


Event = Start | Step


class Origin:
    """One act's prepared pump, and what uncut pumps tell."""

    def __init__(self, name: str, act: Act) -> None:
        self.name = name
        self.act = act
        bench = act.prepare()
        self.image = bytes(bench.store.image)
        self.host = bench.host
        self._known: dict[object, After] = {}

    def pump(self, store: MemoryStore | None = None) -> Bench:
        """The prepared pump once more, running."""
        return Bench(store=store or MemoryStore(self.image), start=self.host)

    def control(self, steps: int, host: int, events: tuple[Event, ...]) -> After:
        """A pump that was never cut: so many whole steps, and then these."""
        key = (steps, host, events)
        if key not in self._known:
            bench = self.pump()
            for step in self.act.steps[:steps]:
                step(bench)
            bench.host = host
            for event in events:
                if isinstance(event, Start):
                    started(bench, event)
                else:
                    event(bench)
            self._known[key] = after(bench)
        return self._known[key]


def started(
    bench: Bench, start: Start, cut: PowerCut | None = None, store: MemoryStore | None = None
) -> None:
    """Power, or a process, comes back, to the image as it lies there."""
    bench.host += start.gap
    if start.boots is None:
        return
    bench.store = store or MemoryStore(bytes(bench.store.image))
    if start.boots:
        bench.boot(cut)
    else:
        bench.attach()


def after(bench: Bench) -> After:
    """Its story now, and after a day."""
    now = told(bench.store.image)
    bench.wait(DAY)
    return After(now, told(bench.store.image))


class Sweep:
    """What was done and found."""

    def __init__(self) -> None:
        self.places: Counter[tuple[str, str]] = Counter()
        """Where each act can be cut: operations of the flash, writes of the image."""
        self.hits: Counter[tuple[str, str]] = Counter()
        self.words: Counter[tuple[str, str, str]] = Counter()
        self.mixed: list[str] = []

    # --- single cuts ---------------------------------------------------------------------

    def act(self, name: str, act: Act, *, every: int = 1, first: int = 0) -> None:
        """Cut it at every place, or at every so-manieth, in every way."""
        origin = Origin(name, act)
        dry = origin.pump(MortalStore(origin.image))
        store = dry.store
        assert isinstance(store, MortalStore)
        before, writes = dry.core.flash.operations, store.writes
        for step in act.steps:
            step(dry)
        operations = dry.core.flash.operations - before
        writes = store.writes - writes
        self._count(name, operations, writes)
        for at in range(1 + first % every, operations + 1, every):
            for kind in CutKind:
                self._power(origin, at, kind)
        for at in range(1 + first % every, writes + 1, every):
            for torn in (False, True):
                self._kill(origin, at, torn=torn)

    def _power(self, origin: Origin, at: int, kind: CutKind) -> None:
        bench = origin.pump()
        flash = bench.core.flash
        flash._cut = PowerCut(flash.operations + at, kind)
        step = cut_in(bench, origin.act.steps)
        where = f"{origin.name}, {kind.value} operation {at}"
        start = Start(GAP, boots=True)
        self.judge(origin, where, kind.value, bench, step, start)

    def _kill(self, origin: Origin, at: int, *, torn: bool) -> None:
        probe = MortalStore(origin.image)
        origin.pump(probe)  # attaching writes, too
        bench = origin.pump(MortalStore(origin.image, probe.writes + at, torn=torn))
        step = cut_in(bench, origin.act.steps)
        kind = TORN_SAVE if torn else KILLED
        self.judge(origin, f"{origin.name}, {kind} at {at}", kind, bench, step, Start(0, False))

    # --- cuts of a start -----------------------------------------------------------------

    def start(self, name: str, act: Act, *, every: int = 1) -> None:
        """When its steps are done, a start is cut everywhere; and then there is another one."""
        origin, again = Origin(name, act), Start(GAP, boots=True)
        for first in (Start(MINUTE, boots=True), Start(MINUTE, boots=False)):
            whole = self._done(origin)
            host, store = whole.host, MortalStore(bytes(whole.store.image))
            started(whole, first, store=store)
            operations = whole.core.flash.operations if first.boots else 0
            self._count(name, operations, store.writes)
            places = range(1, operations + 1, every)
            cuts: list[PowerCut | tuple[int, bool]] = [
                PowerCut(at, kind) for at in places for kind in CutKind
            ]
            for at in range(1, store.writes + 1, every):
                cuts += [(at, False), (at, True)]
            ways: tuple[tuple[Event, ...], ...] = ((Start(MINUTE, None), again), (first, again))
            for cut in cuts:
                bench = self._done(origin)
                kind = cut_start(bench, first, cut)
                started(bench, again)
                controls = [origin.control(len(act.steps), host, way) for way in ways]
                outcome = compared(bench, controls, last=True, sound=act.sound)
                self.note(name, kind, f"{name}, start {first.boots}, {cut}", outcome)

    @staticmethod
    def _done(origin: Origin) -> Bench:
        bench = origin.pump()
        for step in origin.act.steps:
            step(bench)
        return bench

    def _count(self, name: str, operations: int, writes: int) -> None:
        for kind in KINDS:
            self.places[name, kind] += writes if kind in (KILLED, TORN_SAVE) else operations

    def judge(
        self, origin: Origin, where: str, kind: str, bench: Bench, step: int, start: Start
    ) -> None:
        """Start it again, and say which story it tells."""
        host = bench.host
        started(bench, start)
        controls = [origin.control(n, host, (start,)) for n in (step, step + 1)]
        outcome = compared(bench, controls, len(origin.act.steps) == step + 1, origin.act.sound)
        self.note(origin.name, kind, where, outcome)

    def note(self, name: str, kind: str, where: str, outcome: Outcome) -> None:
        """One cut that hit, and what came of it."""
        self.hits[name, kind] += 1
        self.words[name, kind, outcome.word] += 1
        if outcome.word == "mixed":
            self.mixed.append(f"{where}: {outcome.why}")

    # --- to be printed -------------------------------------------------------------------

    def table(self) -> str:
        """A row for each act and kind, and the sum."""
        head = " ".join(f"{each:>6}" for each in ("places", "hit", *WORDS))
        lines = [f"{'act':34} {'kind':26} {head}"]
        for (name, kind), hit in self.hits.items():
            found = [self.words[name, kind, word] for word in WORDS]
            figures = " ".join(f"{each:6}" for each in (self.places[name, kind], hit, *found))
            lines.append(f"{name:34} {kind:26} {figures}")
        found = [sum(v for k, v in self.words.items() if k[2] == word) for word in WORDS]
        figures = " ".join(f"{each:6}" for each in (self.places.total(), self.hits.total(), *found))
        lines.append(f"{'sum':34} {'':26} {figures}")
        return "\n".join(lines)


def cut_start(bench: Bench, start: Start, cut: PowerCut | tuple[int, bool]) -> str:
    """This start, cut or killed; how."""
    kind, store = KILLED, None
    if isinstance(cut, PowerCut):
        kind = cut.kind.value
    else:
        at, torn = cut
        kind = TORN_SAVE if torn else KILLED
        store = MortalStore(bytes(bench.store.image), at, torn=torn)
    try:
        started(bench, start, cut if isinstance(cut, PowerCut) else None, store)
    except (PowerLost, Killed):
        return kind
    raise AssertionError("the cut has not hit anything")


WORDS = ("old", "new", "same", "mixed")


def cut_in(bench: Bench, steps: tuple[Step, ...]) -> int:
    """Do these until one is cut; the number of those that were done whole."""
    for whole, step in enumerate(steps):
        try:
            step(bench)
        except (PowerLost, Killed):
            return whole
    raise AssertionError("the cut has not hit anything")


def compared(bench: Bench, controls: list[After], last: bool, sound: bool) -> Outcome:
    """Is it as one of these? Their second half has this step done, which may be the `last`."""
    try:
        found = after(bench)
    except AssertionError as error:
        return Outcome("mixed", str(error))
    odds = [*at_odds(found.now, sound=sound), *at_odds(found.later, sound=sound)]
    if odds:
        return Outcome("mixed", f"at odds with itself: {odds}")
    equal = [found == each for each in controls]
    if not any(equal):
        tells = [difference(found, each) for each in controls]
        return Outcome("mixed", f"like none; least {min(tells, key=len)}")
    if all(equal):
        return Outcome("same")
    return Outcome("new" if last and any(equal[len(equal) // 2 :]) else "old")
