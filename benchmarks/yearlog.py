"""A pump after a year with a flex program, made by the emulator, the same in every run.

Scheduled boluses, patient doses at seeded moments (some of them refused by the
lockout), faults that raise alarms and are ended, refills. The image is kept in
`benchmarks/.cache` under a hash of the code that makes it and of this file.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pumpctl.emulator.edge.faulting import Asked
from pumpctl.emulator.edge.making import New, make
from pumpctl.emulator.memory.flash import MemoryStore
from pumpctl.emulator.memory.image import flash_of
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.player import play
from pumpctl.emulator.player_steps import (
    Act,
    Break,
    Change,
    Expect,
    Look,
    Mend,
    PatientDose,
    Refill,
    Step,
)
from pumpctl.pump.encode import to_wire
from pumpctl.quantities import Concentration
from pumpctl.therapy.profile import read_profile_bytes
from pumpctl.wire import messages as m
from pumpctl.wire.messages_acts import StageRefill
from pumpctl.wire.program import Program

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "benchmarks" / ".cache"
BEGAN = 1_756_684_800_000  # 2025-09-01T00:00Z, a Monday
SEED = 20_260_901
DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000
TAG = b"bench-01"
PATIENT_DOSES = (0, 3)
"""A day: so many presses, from and to."""
REFILL_DAYS = (118, 236, 354)
STALLS, SLIPS = 9, 5
"""So many of each in the year: a motor that stands still for a while, a memory bit."""


class YearPump(NamedTuple):
    """The pump and its log."""

    new: New
    entries: tuple[bytes, ...]
    """All that it holds, 80 bytes each."""


class Entropy:
    """The same bytes in every run."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_128(f"{SEED}/{self._count}".encode()).digest(size)


def program() -> Program:
    """profiles/flex.toml as the pump gets it."""
    path = ROOT / "profiles" / "flex.toml"
    read = read_profile_bytes(path.read_bytes(), path.name).program
    if read is None:
        raise SystemExit("bench: profiles/flex.toml cannot be read")
    return to_wire(read)


def story(days: int) -> Iterator[Step]:
    """What happens to the pump in so many days, in order of time."""
    rng, flex = random.Random(SEED), program()  # noqa: S311
    happens: list[tuple[int, Act]] = [(10 * HOUR, Change(m.StageProgram(TAG, flex)))]
    for day in range(1, days):
        presses = sorted(rng.sample(range(7 * 60, 23 * 60), rng.randint(*PATIENT_DOSES)))
        happens += [(day * DAY + minute * MINUTE, PatientDose()) for minute in presses]
    for day in rng.sample(range(10, 365), STALLS):
        at = day * DAY + rng.randrange(DAY // MINUTE) * MINUTE
        happens.append((at, Break(Asked("stall"))))
        happens.append((at + rng.randint(40, 300) * MINUTE, Mend("stall")))
    for day in rng.sample(range(10, 365), SLIPS):
        at = day * DAY + rng.randrange(DAY // MINUTE) * MINUTE
        happens.append((at, Break(Asked("flash-bit", 1, region="slots", copy=1))))
    for day in REFILL_DAYS:
        happens.append((day * DAY + 11 * HOUR, Refill(_refill(flex), None, bridge=False)))
    happens.append((days * DAY, Look()))
    for at, act in sorted(happens, key=lambda each: each[0]):
        if at <= days * DAY:
            yield Step(at, "", act, "", None, Expect())


def _refill(flex: Program) -> StageRefill:
    full = 40_000_000  # nL: an SP40
    return StageRefill(TAG, 0, full, full, 0, 0, None, flex)


def played(days: int) -> New:
    """A new pump with so many days behind it; SystemExit where an act was not taken."""
    entropy = Entropy()
    new = make(
        now=lambda: BEGAN,
        entropy=entropy,
        concentration=Concentration.parse("2000 mcg/mL"),
        frozen=True,
    )
    told = play(new.content, story(days), began=BEGAN, tag=TAG, entropy=entropy)
    for each in told.timeline:
        if each.wrong and not isinstance(each.step.act, PatientDose):
            raise SystemExit(f"bench: the year's log cannot be made: {each.wrong}")
    return new._replace(content=told.content)


def entries_of(content: bytes) -> tuple[bytes, ...]:
    """All that the pump's log holds."""
    log = LogRing(flash_of(MemoryStore(content)))
    return tuple(log.read(log.first, log.next - log.first))


def year_pump(days: int = 365) -> YearPump:
    """The pump of this code, from the cache where it is there."""
    CACHE.mkdir(exist_ok=True)
    image = CACHE / f"pump-{days}d-{code_hash()[:16]}.bin"
    card = image.with_suffix(".json")
    if not (image.exists() and card.exists()):
        print(f"bench: making a log of {days} days, once", file=sys.stderr, flush=True)
        new = played(days)
        for old in CACHE.glob(f"pump-{days}d-*"):
            old.unlink(missing_ok=True)
        _whole(card, json.dumps({"serial": new.serial, "secret": new.secret_text}).encode())
        _whole(image, new.content)
    said = json.loads(card.read_text("ascii"))
    new = New(image.read_bytes(), said["serial"], said["secret"])
    return YearPump(new, entries_of(new.content))


def _whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: another run may be looking."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)


def code_hash() -> str:
    """Of everything that decides what the image holds, the Python's version not among it."""
    digest = hashlib.sha256()
    places = [ROOT / "pumpctl" / "emulator", ROOT / "pumpctl" / "wire"]
    files = [file for place in places for file in sorted(place.rglob("*.py"))]
    for file in [*files, ROOT / "profiles" / "flex.toml", Path(__file__)]:
        digest.update(file.read_bytes())
    return digest.hexdigest()
