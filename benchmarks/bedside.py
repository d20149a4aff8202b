"""A station's home with the year's pump in it, paired, and that pump served as it would be.

The records hold the pump's log but for its newest entries: those are what a pull
brings. Made once a run; every measurement gets a copy of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import yearlog
from benchmarks.processes import ROOT, environment
from pumpctl.emulator.edge import bench
from pumpctl.station.home import Home
from pumpctl.station.records import Records, StoredEntry
from pumpctl.therapy.moment import Moment
from pumpctl.wire.logentry import unpack
from pumpctl.workflows.people.pairing import pair
from pumpctl.workflows.surroundings import Station

NAME = "year"
OPERATOR = "bench"
ENTRY = 80


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def station(home: Path, port: str = f"emu://{NAME}") -> Station:
    """Somebody at this home, on the machine's clock."""
    return Station(
        Home(home),
        OPERATOR,
        lambda: Moment(wall_ms(), 0),
        time.monotonic,
        os.urandom,
        lambda _line: None,
        port=port,
    )


def make_home(folder: Path, fresh: int | None) -> tuple[bytes, ...]:
    """The home in this folder; the entries that a pull will bring.

    `fresh`: so many of the newest; None: all that the pump holds.
    """
    pump = yearlog.year_pump()
    at = station(folder)
    at.home.make()
    bench.keep(folder, NAME, pump.new, now=wall_ms)
    bench.press(folder, NAME, now=wall_ms, entropy=os.urandom)
    paired = pair(at, pump.new.secret_text, "clinician")
    held = yearlog.entries_of((folder / "emulators" / NAME / "state.bin").read_bytes())
    known = () if fresh is None else held[: len(held) - fresh]
    records = Records(at.database_url())
    try:
        stored = [StoredEntry(unpack(raw).number, raw) for raw in known]
        records.add_log(paired.serial, stored, pulled_at=str(at.wall()))
    finally:
        records.close()
    return held[len(known) :]


def copied(home: Path, to: Path) -> Path:
    """A home of one's own."""
    shutil.copytree(home, to)
    return to


def stored(home: Path) -> tuple[bytes, ...]:
    """What the records hold of the log."""
    records = Records(station(home).database_url())
    try:
        (serial,) = records.pumps()
        return tuple(entry.raw for entry in records.log(serial))
    finally:
        records.close()


def pumpctl(*words: str) -> list[str]:
    """The command line of a pumpctl process."""
    return [sys.executable, "-m", "pumpctl", *words]


@contextmanager
def served(home: Path, *line: str) -> Iterator[str]:
    """The pump behind `--tcp` or `--pty`, in a process of its own; its port's URL."""
    process = subprocess.Popen(
        pumpctl("--home", str(home), "emulator", "serve", NAME, *line, "--json"),
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        yield str(told["data"]["port"])
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
