"""The others: where they are, if they are there, and which versions.

Python peers live in `.venv-peers`, made of `peers.txt` (`dev.py bench --peers`), so
that what they need is nothing of ours; lrzsz and ckermit are Debian packages. The
programs in this folder run inside that environment, and import nothing of ours.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
VENV = Path(os.environ.get("BENCH_PEERS", ROOT / ".venv-peers"))
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON_PEERS = (
    "pymodbus",
    "smpclient",
    "smp",
    "mpremote",
    "esptool",
    "yubikey-manager",
    "smpmgr",
    "check-jsonschema",
    "pyserial",
    "typer",
)


def tool(name: str) -> str | None:
    """A command of the peers' environment, or of the system; None where it is not installed."""
    return shutil.which(name, path=str(BIN)) or shutil.which(name)


@cache
def python_packages() -> dict[str, str]:
    """Versions in the peers' environment; empty where there is none."""
    python = tool_python()
    if python is None:
        return {}
    ask = (
        "from importlib.metadata import distributions as d\n"
        "for each in d(): print(each.metadata['Name'], each.version)"
    )
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    found = dict(line.split() for line in done.stdout.splitlines() if line.count(" ") == 1)
    return {name.lower(): version for name, version in found.items()}


def tool_python() -> str | None:
    """The Python of the peers' environment."""
    return shutil.which("python", path=str(BIN))


def has(package: str) -> bool:
    """Is this Python package there?"""
    return package in python_packages()


def program(name: str) -> list[str]:
    """The command line of a program of this folder, run in the peers' environment."""
    python = tool_python()
    if python is None:
        raise FileNotFoundError(VENV)
    return [python, str(HERE / f"{name}.py")]


def versions() -> dict[str, str]:
    """Of every peer; `not installed` where it is not."""
    found = python_packages()
    told = {name: found.get(name, "not installed") for name in PYTHON_PEERS}
    told["lrzsz"] = _said("sz", "--version", r"([0-9][0-9.a-z]+)")
    told["ckermit"] = _said("kermit", "--version", r"([0-9][0-9.]+\S*)")
    return told


def _said(name: str, option: str, pattern: str) -> str:
    path = tool(name)
    if path is None:
        return "not installed"
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            [path, option],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=10,
            check=False,
        )
        if found := re.search(pattern, done.stdout + done.stderr):
            return found.group(1)
    return "installed"
