"""A relay that runs, and programs at both of its ends.

What a transfer is to everybody who measures one: a file that lies at the server's
end has to lie at the client's, byte for byte, within a time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from benchmarks.processes import ROOT, environment
from benchmarks.relay import Settings

_START_S = 20


class Transfer(NamedTuple):
    """What became of one."""

    seconds: float | None
    """None where the file did not arrive."""
    note: str = ""
    """Why, or what else was seen."""
    bits: int = 0
    """Flipped on the way, both directions."""


class Relay:
    """A line in a process of its own, for as long as the context lasts."""

    def __init__(
        self, settings: Settings, folder: Path, *, client: str = "", server: str = ""
    ) -> None:
        """Ends as `relay_process` wants them; ptys in the folder unless told otherwise."""
        ends = {
            "client": client or f"pty:{folder / 'client'}",
            "server": server or f"pty:{folder / 'server'}",
        }
        words = [f"--{name}={value}" for name, value in {**ends, **settings._asdict()}.items()]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.relay_process", *map(_option, words)],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        place = json.loads(self._process.stdout.readline())
        self.client: str = place["client"]
        self.server: str = place["server"]
        self.told: dict[str, Any] = {}
        """What it carried; known when the context has ended."""

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            out, _ = self._process.communicate("", timeout=_START_S)
            self.told = json.loads(out.splitlines()[-1]) if out.strip() else {}
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @property
    def bits(self) -> int:
        """Flipped on the way."""
        return sum(self.told[way]["flipped"] for way in ("to_server", "to_client") if self.told)


def _option(word: str) -> str:
    name, _, value = word.partition("=")
    return f"{name.replace('_', '-')}={value}"


def port(path: str) -> int:
    """Open the pty at one of its ends; the relay has made it raw."""
    return os.open(path, os.O_RDWR | os.O_NOCTTY)


class Job:
    """A program in a process group of its own, ended whatever happens."""

    def __init__(
        self, argv: Sequence[str], *, pipe: str | None = None, cwd: Path, **env: str
    ) -> None:
        """`pipe`: the relay's end that it gets as its standard input and output."""
        ends: list[int] = []
        if pipe is not None:
            ends = [os.open(f"{pipe}.in", os.O_RDONLY), os.open(f"{pipe}.out", os.O_WRONLY)]
        try:
            self.process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=environment(**env),
                stdin=ends[0] if ends else subprocess.DEVNULL,
                stdout=ends[1] if ends else subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            for each in ends:
                os.close(each)

    def ready(self) -> None:
        """Wait for its first line."""
        assert self.process.stdout is not None
        late = threading.Timer(_START_S, self.process.kill)
        late.start()
        line = self.process.stdout.readline()
        late.cancel()
        if not line:
            raise RuntimeError(f"{self.process.args!r} did not start")

    def wait(self, until: float) -> int | None:
        """Its exit code; None where it has not ended at this moment (`time.monotonic`)."""
        try:
            return self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None

    def said(self) -> str:
        """All that it printed, once it has ended."""
        return self.process.stdout.read().decode() if self.process.stdout is not None else ""

    def __enter__(self) -> Job:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def judged(came: Path, sent: bytes, seconds: float | None, why: str) -> Transfer:
    """The transfer, its file looked at."""
    if seconds is None:
        return Transfer(None, why)
    data = came.read_bytes() if came.exists() else b""
    if data != sent:
        return Transfer(None, f"wrong bytes ({len(data)} of {len(sent)} came)")
    return Transfer(seconds)
