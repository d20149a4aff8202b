"""Whole processes, timed from outside; several commands in turn, so that they share the weather.

A command that fails ends the benchmark: a fast wrong answer is none.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Command(NamedTuple):
    """One contender."""

    name: str
    argv: Sequence[str]
    cwd: Path = ROOT
    env: Mapping[str, str] = {}
    expected: str | None = None
    """What it has to print on stdout, where that is known."""


def environment(**more: str) -> dict[str, str]:
    """Ours without anything that would set up pumpctl."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PUMPCTL_")}
    return {**kept, **more}


def tried(command: Command) -> None:
    """Once, its answer looked at; also writes bytecode and warms the disk's cache."""
    done = subprocess.run(
        command.argv,
        cwd=command.cwd,
        env=environment(**command.env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    wrong = command.expected is not None and done.stdout.strip() != command.expected
    if done.returncode or wrong:
        said = (done.stderr or done.stdout).strip()[-500:]
        sys.exit(f"bench: {command.name} ended with {done.returncode}:\n{said}")


def once(command: Command) -> float:
    """Seconds from start to exit, nobody reading what it says."""
    env = environment(**command.env)
    begun = time.perf_counter()
    code = subprocess.call(
        command.argv,
        cwd=command.cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - begun
    if code:
        sys.exit(f"bench: {command.name} ended with {code}")
    return seconds


def in_turn(commands: Sequence[Command], rounds: int) -> dict[str, tuple[float, ...]]:
    """Seconds of each command, one value a round."""
    for command in commands:
        tried(command)
    taken: dict[str, list[float]] = {command.name: [] for command in commands}
    for _ in range(rounds):
        for command in commands:
            taken[command.name].append(once(command))
    return {name: tuple(values) for name, values in taken.items()}


def ratios(of: Sequence[float], to: Sequence[float]) -> tuple[float, ...]:
    """Round by round."""
    return tuple(one / other for one, other in zip(of, to, strict=True))
