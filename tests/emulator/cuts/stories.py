"""Everything that must agree about one pump, read anew from its flash and always-on domain.

`told` tells the whole story of an image: what is in force, what the always-on
domain holds, the world that no pump sees, and the log. Two stories are equal or
the pump is another one. `at_odds` says where a single story disagrees with itself.
It uses no pump that runs, so that nothing held in memory can hide a mixture.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from pumpctl.emulator.body.fluid import Plug
from pumpctl.emulator.memory import implant as implants
from pumpctl.emulator.memory import implant_record, slots
from pumpctl.emulator.memory.control import NO_SLOT, Control, ControlStore
from pumpctl.emulator.memory.flash import MemoryStore
from pumpctl.emulator.memory.image import flash_of
from pumpctl.emulator.memory.ledger import MOST, Entry
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Retained, RetainedStore, TheWorld
from pumpctl.emulator.memory.stored import Twin
from pumpctl.wire.codes import AlarmCode, BolusKind, Kind, LogKind, Result
from pumpctl.wire.logentry import LogEntry, unpack
from pumpctl.wire.program import program_hash

_NO_BODY = bytes(16)
_LOOK_BACK = 1_000
"""Entries of the log: all of it, but of a pump whose log is full."""
_AT_ANY_TIME = (LogKind.STAGE_DROPPED, LogKind.LOG_LOST)
"""Of two boots, either may be the one that says it; a torn record costs the log one place."""
_BY_AN_OPERATION = {
    LogKind.ACTIVATED: Result.APPLIED,
    LogKind.STOPPED: Result.APPLIED,
    LogKind.VOIDED: Result.VOID,
}


class Told(NamedTuple):
    """An entry of the log without its number and the boot that it was written in."""

    kind: LogKind
    offset_min: int
    counter: int
    time: int
    pulses: int
    a: int
    b: int
    data: bytes


class Copies(NamedTuple):
    """What lies in one place, and how many good copies there are."""

    payload: bytes | None
    good: int


class Story(NamedTuple):
    """One pump at one instant, without what a boot or a repetition is allowed to change."""

    control: Control
    """Without its number and its entries, and without which page holds what."""
    running: Copies
    previous: Copies | None
    played: Copies | None
    """The program that a bridge plays, where it is not the running one's masses."""
    fallback: Copies
    record: Copies
    limits: Copies | None
    factory: Copies
    retained: Retained
    """Without boot count, operations of the flash and the log's end."""
    world: TheWorld
    log: tuple[Told, ...]
    """Without BOOT."""
    numbers: str
    """What is wrong with the numbers and boot counts in the log; nothing is right."""
    control_copies: int


def told(image: bytes | bytearray) -> Story:
    """The story of an image. It is only looked at."""
    store = MemoryStore(bytes(image))
    flash = flash_of(store)
    controls = ControlStore(flash)
    control = controls.read()
    retained, world = RetainedStore(store).read()
    assert control is not None, "the control block is lost"
    assert retained is not None, "the always-on domain is lost"
    assert world is not None, "the world is lost"
    log = LogRing(flash)
    oldest = max(log.first, log.next - _LOOK_BACK)
    entries = [unpack(raw) for raw in log.read(oldest, _LOOK_BACK)]
    places = slots.slots(flash)
    bridging = control.bridging
    plays = NO_SLOT if bridging is None else bridging.plays
    return Story(
        control=_without_places(control),
        running=_copies(places[control.running]),
        previous=_at(places, control.previous),
        played=_at(places, plays),
        fallback=_copies(slots.fallbacks(flash)[control.fallback_pair]),
        record=_copies(implant_record.records(flash)[control.record_pair]),
        limits=_at(implant_record.limit_pairs(flash), control.limits_pair),
        factory=_copies(implants.twin(flash)),
        retained=retained._replace(boot=0, control_sequence=0, flash_operations=0, log_next=0),
        world=_without_times(world),
        log=_in_order(entries),
        numbers=_numbers(entries, oldest, log.next, retained),
        control_copies=controls.check(control).good,
    )


def _without_places(control: Control) -> Control:
    bridging = control.bridging
    return control._replace(
        sequence=0,
        entries=(),
        running=0,
        previous=0,
        fallback_pair=0,
        record_pair=0,
        limits_pair=0,
        bridging=None if bridging is None else bridging._replace(plays=0),
    )


def _without_times(world: TheWorld) -> TheWorld:
    """What left the tip in which spell, but not to the ms, which depends on who looked when."""
    spells = tuple(each._replace(since=0, until=0) for each in world.state.tip.spells)
    tip = world.state.tip._replace(spells=spells)
    return world._replace(state=world.state._replace(tip=tip))


def _copies(twin: Twin) -> Copies:
    found = twin.read()
    return Copies(found.payload, found.good)


def _at(twins: tuple[Twin, ...], index: int) -> Copies | None:
    return None if index == NO_SLOT else _copies(twins[index])


def _in_order(entries: list[LogEntry]) -> tuple[Told, ...]:
    """By counter; within one millisecond the order means nothing, and is made the same."""
    counters = [entry.counter for entry in entries]
    assert counters == sorted(counters), "the log goes back in time"
    told = [_told(each) for each in entries if each.kind is not LogKind.BOOT]
    return tuple(sorted(told, key=lambda each: (each.counter, *each)))


def _told(entry: LogEntry) -> Told:
    if entry.kind in _AT_ANY_TIME:
        entry = entry._replace(counter=0, time=0, pulses=0)
    return Told(entry.kind, *entry[3:])


def _numbers(entries: list[LogEntry], first: int, after: int, retained: Retained) -> str:
    numbers = [entry.number for entry in entries]
    boots = [entry.a for entry in entries if entry.kind is LogKind.BOOT]
    if numbers != list(range(first, after)):
        return "the numbers are not consecutive"
    if retained.log_next != after:
        return f"the domain knows of {retained.log_next}, the log of {after}"
    if len(set(boots)) != len(boots) or sorted(boots) != boots:
        return f"boot counts {boots}"
    if boots and boots[-1] != retained.boot:
        return f"the domain knows of boot {retained.boot}, the log of {boots[-1]}"
    return ""


# --- does one story agree with itself? ----------------------------------------------------


def at_odds(story: Story, *, sound: bool = True) -> list[str]:
    """Where it does not. `sound`: nothing was done to this world or its memory on purpose."""
    found = [] if not story.numbers else [story.numbers]
    found += _bad_copies(story)
    found += _programs(story) if sound else []
    found += _alarms(story) if sound else []
    found += _operations(story)
    found += _orders(story)
    found += _belief(story) if sound else []
    return found


def _bad_copies(story: Story) -> list[str]:
    bad = [
        name
        for name, value in zip(story._fields, story, strict=True)
        if isinstance(value, Copies) and value.good == 1
    ]
    if story.control_copies != 2:
        bad.append("control")
    return [f"one copy only of {', '.join(bad)}"] if bad else []


def _programs(story: Story) -> list[str]:
    """Program, its name and its fallback are of one activation."""
    flash = flash_of(MemoryStore(b""))
    program = slots.program_in(_Holding(flash, story.running.payload))
    fallback = slots.fallback_in(_Holding(flash, story.fallback.payload))
    if program is None or fallback is None:
        return ["no program, or no fallback"]
    names = {program_hash(program), fallback.program_hash, story.control.program_hash}
    found = [] if len(names) == 1 else ["program, fallback and their name"]
    if program.concentration != story.control.concentration:
        found.append("the concentrations of program and reservoir")
    if (fallback.rate, fallback.concentration) != (program.fallback, program.concentration):
        found.append("the fallback and the program that it belongs to")
    return found


def _alarms(story: Story) -> list[str]:
    """A cut is no fault of the memory, and none is made of it."""
    memory = (AlarmCode.MEMORY_ONE_COPY, AlarmCode.MEMORY_BOTH_COPIES, AlarmCode.BATTERY_RESET)
    return [each.code.name for each in story.retained.alarms if each.code in memory]


class _Holding(Twin):
    """Two good copies of these bytes."""

    def __init__(self, flash: Any, payload: bytes | None) -> None:
        super().__init__(flash, b"", (0, 0))
        self._payload = payload

    def read(self) -> Any:
        return Copies(self._payload, 2)


def _operations(story: Story) -> list[str]:
    """Each operation of the ledger is in the log once, and the other way round."""
    logged: Counter[tuple[bytes, Result]] = Counter()
    for entry in story.log:
        body = entry.data[:16]
        if entry.kind in _BY_AN_OPERATION and body != _NO_BODY:
            logged[body, _BY_AN_OPERATION[entry.kind]] += 1
    known = Counter((each.operation, each.result) for each in story.control.ledger)
    if len(story.control.ledger) == MOST:  # older ones are in the log alone
        return [f"{each} in the log" for each in known if logged[each] != 1]
    if len(story.log) >= _LOOK_BACK // 2:  # and older ones in the ledger alone
        return [f"{each} in the log" for each in logged if known[each] != logged[each]]
    return [] if known == logged else [f"ledger {known}, log {logged}"]


def _orders(story: Story) -> list[str]:
    """A bolus that was ordered begins once, ends once, and the ledger says what it gave."""
    started, ended, order = Counter[bytes](), dict[bytes, int](), story.control.order
    found = []
    for entry in story.log:
        kind, body = int.from_bytes(entry.data[:2], "big"), entry.data[2:18]
        if entry.kind is LogKind.BOLUS_STARTED and kind != BolusKind.SCHEDULED:
            started[body + entry.counter.to_bytes(8, "big")] += 1
        elif entry.kind is LogKind.BOLUS_ENDED and kind in (BolusKind.SINGLE, BolusKind.PRIME):
            if body in ended:
                found.append("a bolus that ended twice")
            ended[body] = entry.b
    if set(started.values()) > {1}:
        found.append("a bolus that began twice")
    for each in story.control.ledger:
        if each.kind is Kind.BOLUS and each.result is Result.APPLIED:
            found += _order(each, ended, order is not None and order.operation == each.operation)
    asked = [each for each in story.retained.metering.boluses if each.kind != BolusKind.SCHEDULED]
    if [each.operation for each in asked] != ([] if order is None else [order.operation]):
        found.append(f"the order {order} and the boluses that run {asked}")
    return found


def _order(entry: Entry, ended: dict[bytes, int], runs: bool) -> list[str]:
    if runs:
        return ["a bolus that runs and has ended"] if entry.operation in ended else []
    if ended.get(entry.operation) != entry.delivered:
        return [f"ended with {ended.get(entry.operation)}, in the ledger {entry.delivered}"]
    return []


def _belief(story: Story) -> list[str]:
    """With no fault in the world, what the pump believes is true to the picolitre."""
    metering, world = story.retained.metering, story.world.state
    found = []
    if metering.reservoir * 1_000 != world.reservoir.volume:
        found.append(f"reservoir {metering.reservoir} nL, truly {world.reservoir.volume} pL")
    if _fluids(metering.line) != _fluids(world.line):
        found.append(f"line {metering.line}, truly {world.line}")
    if metering.given != world.tip.given:
        found.append(f"given {metering.given}, truly {world.tip.given}")
    return found


def _fluids(line: tuple[Plug, ...]) -> list[tuple[int, int, int]]:
    """Volume, drug and mass, whatever batch they are called: equal neighbours are one."""
    found: list[tuple[int, int, int]] = []
    for plug in line:
        volume, drug, mass = found[-1] if found else (0, plug.drug, 0)
        if found and drug == plug.drug and mass * plug.volume == plug.mass * volume:
            found[-1] = (volume + plug.volume, drug, mass + plug.mass)
        else:
            found.append((plug.volume, plug.drug, plug.mass))
    return found


# --- for people ---------------------------------------------------------------------------


def difference(one: Any, other: Any, name: str = "") -> list[str]:
    """Where two stories differ, field by field."""
    if one == other:
        return []
    if hasattr(one, "_fields") and type(one) is type(other):
        found = []
        for field, a, b in zip(one._fields, one, other, strict=True):
            found += difference(a, b, f"{name}.{field}")
        return found
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        found = []
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            found += difference(a, b, f"{name}[{index}]")
        return found
    if isinstance(one, tuple) and isinstance(other, tuple):
        missing = [each for each in other if each not in one]
        more = [each for each in one if each not in other]
        return [f"{name}: {len(one)} for {len(other)}; more {more}, missing {missing}"]
    return [f"{name}: {one!r} for {other!r}"]
