"""How many round trips, and how many bytes, each command needs: counted in real runs.

Every command runs as its user would start it, inside this process, against the emulator
on its `emu://` line. A line in between counts the bytes of each request and its answer.
Clock and random numbers are fixed, so that the same code counts the same.
`trip_tables` makes the tables of docs/round-trips.md from it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from pumpctl.cli import edge
from pumpctl.cli.main import run
from pumpctl.station.plan import read_plan, token
from pumpctl.therapy.moment import Moment
from pumpctl.transport.line import Line, open_line
from pumpctl.wire.initiator import Initiator
from pumpctl.workflows import visit
from tools.model import GenerateError

_START = Moment.parse("2026-03-23T00:00:00Z")
_OPERATOR = "nurse"
_PORT = ("--port", "emu://ward")


class Trip(NamedTuple):
    """One request and its answer."""

    asked: str
    out: int
    """Bytes to the pump, framing included."""
    back: int
    """Bytes from the pump."""


class _Line:
    """A line that counts."""

    def __init__(self, inner: Line, trips: list[Trip]) -> None:
        self._inner, self._trips = inner, trips
        self.asked = ""

    def write(self, data: bytes) -> None:
        self._trips.append(Trip(self.asked, len(data), 0))
        self._inner.write(data)

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        data = self._inner.read(seconds, gather=gather)
        last = self._trips[-1]
        self._trips[-1] = last._replace(back=last.back + len(data))
        return data

    def close(self) -> None:
        self._inner.close()


class Desk:
    """A station with one emulator, in a world in which nothing is left to chance."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now = _START
        self._drawn = 0
        self._ticks = count()
        self._line: _Line | None = None
        self.trips: list[Trip] = []

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Clock, random numbers, home and line are this desk's."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("PUMPCTL_")}
        kept |= {"PUMPCTL_HOME": str(self._folder / "home"), "PUMPCTL_OPERATOR": _OPERATOR}
        with ExitStack() as stack:
            for change in (
                patch.dict(os.environ, kept, clear=True),
                patch.object(edge, "wall", lambda: self._now),
                patch.object(edge, "wall_utc_ms", lambda: self._now.utc_ms),
                patch.object(edge, "entropy", self._entropy),
                # A busy computer is no slow line: nothing is sent again because of it.
                patch.object(edge, "ticker", lambda: next(self._ticks) / 1e6),
                patch.object(visit, "open_line", self._open),
                patch.object(Initiator, "greet", self._named(Initiator.greet, "greeting")),
                patch.object(Initiator, "shake", self._named(Initiator.shake, "handshake")),
                patch.object(Initiator, "request", self._named(Initiator.request, None)),
            ):
                stack.enter_context(change)
            yield

    def run(self, *words: object, code: int = 0) -> dict[str, Any]:
        """A command's data; GenerateError where it does not end with this code."""
        self.trips = []
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            ended = run([*map(str, words), "--json"])
        if ended != code:
            raise GenerateError(f"{words}: exit {ended}: {out.getvalue()}{err.getvalue()}")
        data: dict[str, Any] = json.loads(out.getvalue()).get("data", {})
        return data

    def pump(self, *words: object) -> tuple[Trip, ...]:
        """A command on the pump, counted."""
        self.run(*_PORT, *words)
        return tuple(self.trips)

    def plan(self, *words: object) -> tuple[Trip, ...]:
        """An act planned, counted; `apply` takes it up."""
        return self.pump(*words, "--plan-only", "-o", self._plan)

    def program(self, profile: Path) -> tuple[Trip, ...]:
        """The same for a profile's program."""
        return self.pump("program", "plan", profile, "-o", self._plan)

    def apply(self, code: int = 0) -> tuple[Trip, ...]:
        """The plan applied, counted."""
        confirmed = ("--confirm", token(read_plan(self._plan), _OPERATOR))
        self.run(*_PORT, "apply", self._plan, *confirmed, code=code)
        return tuple(self.trips)

    def later(self, hours: int) -> None:
        """Let time pass, for pump and station."""
        self._now = self._now.plus(hours * 3_600_000)

    def travel(self) -> None:
        """The station's clock shows another offset from now on."""
        self._now = self._now._replace(offset_min=60)

    def written(self, name: str, text: str) -> Path:
        """A file to hand to a command."""
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        return path

    @property
    def _plan(self) -> Path:
        return self._folder / "plan.json"

    def _entropy(self, size: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_128(f"round trips {self._drawn}".encode()).digest(size)

    def _open(self, *given: Any) -> _Line:
        self._line = _Line(open_line(*given), self.trips)
        return self._line

    def _named(self, real: Callable[..., Any], name: str | None) -> Callable[..., Any]:
        def noting(end: Initiator, *given: Any, **named: Any) -> Any:
            if self._line is not None:
                self._line.asked = name or type(given[0]).__name__
            return real(end, *given, **named)

        return noting
