"""What it was measured on: the machine, its load, and the version of everything that took part."""

from __future__ import annotations

import datetime as dt
import os
import platform
import sqlite3
import subprocess
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from benchmarks import peers
from pumpctl import __version__


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


OURS = ("typer", "pyserial", "cryptography", "google-crc32c")
"""Packages of ours on which a figure may depend."""
QUIET = 0.5
"""Load average of the last minute above which somebody else was at work."""


def _load() -> str:
    with suppress(OSError, AttributeError):
        loads = os.getloadavg()
        busy = "; NOT A QUIET MACHINE" if loads[0] > QUIET else ""
        return ", ".join(f"{each:.2f}" for each in loads) + busy
    return "not told by this system"


def _memory() -> str:
    with suppress(OSError, ValueError):
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return f"{size / 2**30:.0f} GiB"
    return "not told by this system"


def _revision() -> str:
    """Which code; says so where files were changed since."""
    words = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    with suppress(OSError):
        done = subprocess.run(
            words,
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return "no git"


def about() -> dict[str, Any]:
    """For the head of the table; the load is that of before the measurement."""
    cores = os.cpu_count() or 1
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "pumpctl": f"{__version__} ({_revision()})",
        "machine": f"{cores} × {_cpu()}, {_memory()}, {platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load average": _load(),
        "versions": {"SQLite": sqlite3.sqlite_version, **_ours(), **peers.versions()},
    }


def _ours() -> dict[str, str]:
    """What this environment runs on, as it says itself."""
    found = {each.metadata["Name"]: each.version for each in distributions()}
    return {name: found[name] for name in OURS if name in found}
