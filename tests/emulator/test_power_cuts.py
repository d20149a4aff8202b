"""PRG-03: the power is cut at every flash operation, three ways, and nothing is ever mixed.

A dry run counts the operations of an act; the act is then repeated once for each
operation and kind of cut. After each cut the pump is booted, and its program,
hash, state version, ledger, fallback, tag, keys and log must all tell the same
story, the old one or the new one. The sweep prints how many cuts really hit, and
the last tests plant faults that it must see.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from pumpctl.emulator.core import Core
from pumpctl.emulator.memory import ledger, slots
from pumpctl.emulator.memory.control import Control, ControlStore
from pumpctl.emulator.memory.flash import CutKind, Flash, MemoryStore, PowerCut, PowerLost
from pumpctl.emulator.memory.stored import Twin
from pumpctl.wire import messages as m
from pumpctl.wire.codes import LogKind, Role
from pumpctl.wire.logentry import unpack
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import program_hash
from tests.emulator.support import HOUR, MINUTE, TAG, Bench, daily, flex, op

OLD = flex(300_000, 500_000, boluses=daily((60, 20_000, 30 * MINUTE)))
NEW = flex(400_000, 900_000, 450_000, fallback=216_000)
OPERATION = 77
PAIR = m.Pair("station", "operator", Role.ADMIN, bytes(range(32)))


class Story(NamedTuple):
    """Everything that must agree about one pump."""

    version: int
    program_hash: bytes
    running: bytes
    fallback: int
    fallback_hash: bytes
    tag: bytes | None
    stopped: bool
    known: str
    keys: int
    activated: bool
    giving: int
    """Boluses that run."""
    pulses: int


def story(core: Core) -> Story:
    """Read anew from flash, not from what the firmware holds in memory."""
    control = core.control
    program = slots.program_in(core.slots[control.running])
    fallback = slots.fallback_in(core.fallbacks[control.fallback_pair])
    assert program is not None
    assert fallback is not None
    found = ledger.find(control.ledger, op(OPERATION))
    kinds = (LogKind.ACTIVATED, LogKind.STOPPED, LogKind.PAIRED, LogKind.VOIDED)
    logged = [
        entry
        for entry in map(unpack, core.log.read(1, 1 << 30))
        if entry.kind in kinds and entry.counter > 0
    ]
    assert len(logged) <= 1
    return Story(
        control.state_version,
        control.program_hash,
        program_hash(program),
        fallback.rate,
        fallback.program_hash,
        control.tag,
        control.stopped_at is not None,
        "" if found is None else f"{found.kind.name} {found.result.name}",
        len(control.keys),
        bool(logged),
        len(core.engine.boluses),
        core.engine.motor.pulses,
    )


class Act(NamedTuple):
    """Something that is cut: how the pump is prepared, and what is done to it."""

    prepare: Callable[[], Bench]
    do: Callable[[Bench], object]


def fresh() -> Bench:
    """No patient yet, minimum rate."""
    bench = Bench(frozen=True)
    bench.firmware.advance(2 * HOUR)
    return bench


def programmed() -> Bench:
    bench = Bench(frozen=True)
    bench.program(OLD)
    bench.firmware.advance(2 * HOUR)
    return bench


def stopped() -> Bench:
    bench = Bench(frozen=True)
    bench.program(OLD)
    bench.stop(5)
    bench.firmware.advance(2 * HOUR)
    return bench


def giving() -> Bench:
    bench = Bench(frozen=True)
    bench.program(OLD)
    bench.firmware.advance(75 * MINUTE)
    return bench


def push(bench: Bench) -> object:
    return bench.program(NEW, OPERATION)


def resume(bench: Bench) -> object:
    staged = bench.ask(StageResume(TAG, program_hash(OLD)))
    bench.ask(m.GetReadback())
    return bench.activate(staged, OPERATION)


def pair(bench: Bench) -> object:
    bench.firmware.press()
    answer = bench.ask(PAIR, None, pairing=True)
    assert isinstance(answer, m.Paired)
    return answer


ACTS = {
    "first program": Act(fresh, push),
    "program": Act(programmed, push),
    "program of a stopped pump": Act(stopped, push),
    "resume": Act(stopped, resume),
    "stop": Act(programmed, lambda bench: bench.stop(OPERATION)),
    "void": Act(programmed, lambda bench: bench.ask(m.Resolve(op(OPERATION)))),
    "cancel": Act(giving, lambda bench: bench.get(m.CancelBolus(op(OPERATION), bytes(32)), m.Done)),
    "program beside a bolus": Act(giving, push),
    "pair": Act(programmed, pair),
}


def consistent(told: Story) -> bool:
    """Does one pump's story agree with itself?"""
    return told.program_hash == told.running == told.fallback_hash


def on(bench: Bench, cut: PowerCut | None) -> Bench:
    """The same pump with a power supply that will fail."""
    other = Bench(store=MemoryStore(bytes(bench.store.image)), start=bench.host)
    other.core.flash._cut = cut
    other.core.flash.operations = 0
    return other


class Sweep:
    """What a sweep did and found."""

    def __init__(self) -> None:
        self.cuts: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.mixed: list[str] = []

    def run(self, name: str, kinds: tuple[CutKind, ...] = tuple(CutKind)) -> None:
        """Cut one act everywhere."""
        act = ACTS[name]
        origin = act.prepare()
        dry = on(origin, None)
        before = story(dry.core)
        act.do(dry)
        after = story(dry.core)
        assert before != after
        for at in range(1, dry.core.flash.operations + 1):
            for kind in kinds:
                self._cut(name, on(origin, PowerCut(at, kind)), act, (before, after))

    def _cut(self, name: str, bench: Bench, act: Act, stories: tuple[Story, Story]) -> None:
        cut = bench.core.flash._cut
        with pytest.raises(PowerLost):
            act.do(bench)
        self.cuts[f"{name}, {cut.kind.value}"] += 1
        self.judge(f"{name} at {cut}", bench, stories)

    def judge(self, where: str, bench: Bench, stories: tuple[Story, Story]) -> None:
        try:
            bench.boot()
            told = story(bench.core)
        except AssertionError as error:
            self.mixed.append(f"{where}: {error}")
            return
        if not consistent(told) or told not in stories:
            self.mixed.append(f"{where}: {told}")
            return
        self.outcomes["old" if told == stories[0] else "new"] += 1
        self._goes_on(where, bench, told)

    def _goes_on(self, where: str, bench: Bench, told: Story) -> None:
        """Both copies of everything are whole again, the log has no gap, the pump works."""
        core = bench.core
        numbers = [entry.number for entry in bench.entries()]
        good = [
            core.slots[core.control.running].read().good,
            core.fallbacks[core.control.fallback_pair].read().good,
            core.controls.check(core.control).good,
        ]
        if good != [2, 2, 2] or numbers != list(range(1, len(numbers) + 1)):
            self.mixed.append(f"{where}: copies {good}, {len(numbers)} entries")
        if core.engine.alarms.raised or core.staged is not None:
            self.mixed.append(f"{where}: {core.engine.alarms.raised}, {core.staged}")
        bench.program(flex(777_000), 1234)
        if core.control.state_version != told.version + 1:
            self.mixed.append(f"{where}: does not go on")


@pytest.mark.requirement("PRG-03")
def test_every_cut_leaves_the_whole_old_or_the_whole_new() -> None:
    sweep = Sweep()
    for name in ACTS:
        sweep.run(name)
    for what, count in sorted(sweep.cuts.items()):
        print(f"  {count:4} cuts: {what}")
    print(f"{sum(sweep.cuts.values())} cuts hit; {dict(sweep.outcomes)}; mixed {len(sweep.mixed)}")
    assert sweep.mixed == []
    assert min(sweep.outcomes["old"], sweep.outcomes["new"]) > 100
    assert min(sweep.cuts.values()) >= 9


@pytest.mark.requirement("PRG-03")
def test_double_cuts_leave_no_mixture_either() -> None:
    """A second cut hits while the pump recovers from the first."""
    rng = random.Random(20)
    sweep, second = Sweep(), 0
    origin = programmed()
    dry = on(origin, None)
    before = story(dry.core)
    push(dry)
    after = story(dry.core)
    operations = dry.core.flash.operations
    for _ in range(300):
        first = PowerCut(rng.randrange(1, operations + 1), rng.choice(tuple(CutKind)))
        bench = on(origin, first)
        with pytest.raises(PowerLost):
            push(bench)
        for _ in range(3):
            cut = PowerCut(rng.randrange(1, 9), rng.choice(tuple(CutKind)))
            try:
                bench.boot(cut)
            except PowerLost:
                second += 1
        bench.core.flash._cut = None
        sweep.judge(f"{first} and then more", bench, (before, after))
    print(f"300 first cuts, {second} more during recovery; {dict(sweep.outcomes)}")
    assert sweep.mixed == []
    assert second > 100


@pytest.mark.requirement("PRG-03")
def test_a_killed_process_leaves_the_same_choice() -> None:
    """The same as a cut, but the pump itself never lost its power: it is attached, not booted."""
    origin = programmed()
    dry = on(origin, None)
    before = story(dry.core)
    push(dry)
    after = story(dry.core)
    seen = set()
    for at in range(1, dry.core.flash.operations + 1):
        bench = on(origin, PowerCut(at, CutKind.TORN))
        with pytest.raises(PowerLost):
            push(bench)
        bench.attach()
        told = story(bench.core)
        assert told in (before, after)
        assert not bench.core.engine.alarms.raised
        assert [e.kind for e in bench.entries()].count(LogKind.BOOT) == 1
        seen.add(told)
    assert len(seen) == 2


# --- the sweep sees what it is for -----------------------------------------------------------


def found(name: str = "program") -> int:
    sweep = Sweep()
    sweep.run(name)
    assert sum(sweep.cuts.values()) > 30
    return len(sweep.mixed)


def test_the_sweep_is_clean_before_anything_is_planted() -> None:
    assert found() == 0


def test_a_fallback_written_after_the_commit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[tuple[Twin, bytes]] = []
    right = Twin.write

    def write(self: Twin, payload: bytes) -> None:
        if self._mark == b"FALL":
            late.append((self, payload))
        else:
            right(self, payload)
        if self._mark == b"CTRL" and late:
            right(*late.pop())

    monkeypatch.setattr(Twin, "write", write)
    assert found() > 0


def test_a_commit_over_the_block_in_force_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: ControlStore, control: Control) -> None:
        from pumpctl.emulator.memory.control import _STRUCT

        out = bytearray()
        _STRUCT.put(control, out)
        self._places[0].write(bytes(out))
        self._flash.flush()

    def read(self: ControlStore) -> Control | None:
        from pumpctl.emulator.memory.control import _unpack

        return _unpack(self._places[0].read().payload)

    monkeypatch.setattr(ControlStore, "check", lambda self, _: self._places[0].read())
    monkeypatch.setattr(ControlStore, "read", read)
    monkeypatch.setattr(ControlStore, "write", write)
    assert found() > 0


def test_a_missing_second_copy_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Twin.write

    def write(self: Twin, payload: bytes) -> None:
        right(self, payload)
        if self._mark == b"SLOT":
            self._flash.erase(self._starts[1])

    monkeypatch.setattr(Twin, "write", write)
    assert found() > 0


def test_a_log_that_recovery_does_not_complete_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from pumpctl.emulator import recovery

    monkeypatch.setattr(recovery, "_append_missing", lambda *_: None)
    assert found() > 0


def test_an_operation_that_is_not_written_down_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from pumpctl.emulator.acts import treat

    right = treat._applied

    def applied(core: Core, *rest: Any) -> Control:
        # Written down by a second commit, as if the ledger lay beside the control block.
        control = right(core, *rest)
        core.commit(core.control._replace(ledger=control.ledger))
        return control

    monkeypatch.setattr(treat, "_applied", applied)
    assert found() > 0


def test_the_sweep_of_a_flash_that_never_fails_is_no_sweep() -> None:
    bench = on(programmed(), PowerCut(10_000, CutKind.BEFORE))
    with pytest.raises(pytest.fail.Exception), pytest.raises(PowerLost):
        push(bench)
    assert Flash(MemoryStore(b"")).operations == 0
