"""What is true of a pump: its own inspection, and its state file read byte by byte.

The second does not ask the emulator's process, and tells whether what is stored
is one whole program: slot, hash, fallback and ledger of the same activation.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

from pumpctl.emulator.edge import bench
from pumpctl.emulator.edge.shelf import STATE
from pumpctl.emulator.memory import ledger, slots
from pumpctl.emulator.memory.control import ControlStore
from pumpctl.emulator.memory.flash import Flash, MemoryStore
from pumpctl.station.journal import Journal
from pumpctl.wire.program import program_hash
from tests.faults.rig import PUMP, Template, must


class Truth(NamedTuple):
    """One pump at one instant."""

    program: str
    """`old` or `new`; another hash as it is."""
    state_version: int
    operation: str | None
    """What the ledger says of the plan's operation."""
    delivery: str
    alarms: tuple[str, ...]


class Stored(NamedTuple):
    """What the state file holds."""

    program: str
    state_version: int
    operation: str | None
    mixed: tuple[str, ...]
    """Everything in it that does not belong together."""


class Written(NamedTuple):
    """What the station's journal holds of the plan's operation."""

    kinds: tuple[str, ...]
    outcome: str | None
    """The last one that is written down."""
    open: bool
    fault: str | None


def called(template: Template, program: str) -> str:
    """`old`, `new`, or the hash as it is."""
    return {template.old: "old", template.new: "new"}.get(program, program)


def inspect(template: Template, home: Path) -> Truth:
    """`emulator inspect --json`."""
    told = must(home, "emulator", "inspect", PUMP)
    found = [one["result"] for one in told["operations"] if one["operation"] == template.operation]
    return Truth(
        called(template, str(told["program"]["hash"])),
        int(told["state_version"]),
        ",".join(map(str, found)) or None,
        str(told["delivery"]),
        tuple(told["alarms"]),
    )


def inspect_quickly(template: Template, home: Path) -> Truth:
    """The same answer of the same pump without a process for the question."""
    told = bench.inspect(home, PUMP, now=lambda: time.time_ns() // 1_000_000, entropy=os.urandom)
    found = [one.result for one in told.operations if str(one.operation) == template.operation]
    return Truth(
        called(template, told.program_hash.hex()),
        told.state_version,
        ",".join(found) or None,
        told.delivery,
        told.alarms,
    )


def stored(template: Template, home: Path) -> Stored:
    """The state file as it lies there, whatever process holds it or was killed over it."""
    flash = Flash(MemoryStore((home / "emulators" / PUMP / STATE).read_bytes()))
    control = ControlStore(flash).read()
    if control is None:
        return Stored("none", 0, None, ("no control block is good",))
    program = slots.program_in(slots.slots(flash)[control.running])
    fallback = slots.fallback_in(slots.fallbacks(flash)[control.fallback_pair])
    mixed = []
    name = program_hash(program).hex() if program is not None else "none"
    if name != control.program_hash.hex():
        mixed.append(f"the running slot holds {name}, the control block says another hash")
    if fallback is None:
        mixed.append("no fallback is good")
    elif fallback.program_hash != control.program_hash:
        mixed.append("the fallback is another program's")
    elif program is not None and fallback.rate != program.fallback:
        mixed.append("the fallback's rate is not its program's")
    elif fallback.state_version != control.state_version:
        mixed.append("the fallback is of another activation")
    if control.on_fallback or control.stopped_at is not None:
        mixed.append("the pump is stopped or on its fallback")
    entry = ledger.find(control.ledger, bytes.fromhex(template.operation))
    return Stored(
        called(template, name),
        control.state_version,
        None if entry is None else entry.result.name.lower(),
        tuple(mixed),
    )


def journal(template: Template, home: Path) -> Written:
    """The journal's entries of the operation."""
    found = Journal(home / "journal.sqlite3")
    try:
        entries = found.entries(operation=template.operation)
        outcomes = [
            str(entry.body["outcome"]) for entry in entries if entry.kind in ("outcome", "resolved")
        ]
        return Written(
            tuple(entry.kind for entry in entries),
            outcomes[-1] if outcomes else None,
            any(entry.operation == template.operation for entry in found.unresolved()),
            found.fault(),
        )
    finally:
        found.close()
