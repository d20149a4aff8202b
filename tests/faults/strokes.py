"""Where a station, a line or a pump can die while one command runs, and dying there.

Inside one process, with no real waiting: time-outs go by a clock that moves when
somebody waits. A stroke is counted as it happens in a quiet run, and hit by its
number in another. Three sides: the station dies around what it sends, hears and
writes down; the line breaks around what is sent; the pump dies around what it
stores.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, NamedTuple
from unittest.mock import patch

from pumpctl.cli import edge
from pumpctl.emulator.edge.bench import LocalLine
from pumpctl.emulator.memory.flash import FileStore
from pumpctl.station.journal import Journal
from pumpctl.transport import emulated


class Killed(BaseException):
    """The station's process has ended here; nothing of ours may catch it."""


class Side(Enum):
    """Who dies."""

    STATION_BEFORE_SENDING = "station, before it sends"
    STATION_AFTER_SENDING = "station, before it hears the answer"
    STATION_BEFORE_WRITING = "station, before it writes its journal"
    STATION_AFTER_WRITING = "station, after it wrote its journal"
    LINE_REQUEST = "line, the request is lost"
    LINE_ANSWER = "line, the answer is lost"
    PUMP_BEFORE_STORING = "pump, before it stores"
    PUMP_AFTER_STORING = "pump, after it stored"


_SENDING = {
    Side.STATION_BEFORE_SENDING,
    Side.STATION_AFTER_SENDING,
    Side.LINE_REQUEST,
    Side.LINE_ANSWER,
}
_WRITING = {Side.STATION_BEFORE_WRITING, Side.STATION_AFTER_WRITING}


class Stroke(NamedTuple):
    """Die on this side, at the n-th place of its kind (from 1)."""

    side: Side
    number: int


class Seen(NamedTuple):
    """How often each kind of place was passed: sent, written, stored."""

    sent: int
    written: int
    stored: int

    def strokes(self) -> Iterator[Stroke]:
        """Every one that can be hit."""
        for side in Side:
            count = (
                self.sent if side in _SENDING else self.written if side in _WRITING else self.stored
            )
            yield from (Stroke(side, number) for number in range(1, count + 1))


class _Clock:
    """Monotonic seconds that move as somebody waits."""

    def __init__(self) -> None:
        self._waited = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._waited

    def sleep(self, seconds: float) -> None:
        self._waited += seconds


class _Time:
    """`time` as the emu:// line uses it."""

    def __init__(self, clock: _Clock) -> None:
        self.sleep = clock.sleep


@contextmanager
def hurried() -> Iterator[None]:
    """No time-out is waited for."""
    clock = _Clock()
    with (
        patch.object(edge, "ticker", clock),
        patch.object(emulated, "time", _Time(clock)),
    ):
        yield


class _Striking:
    """The three places, with the real thing behind each of them."""

    def __init__(self, stroke: Stroke | None) -> None:
        self._side: Side | None = None if stroke is None else stroke.side
        self._at = 0 if stroke is None else stroke.number
        self._counts = Counter[str]()
        self._station_dead = self._pump_dead = False
        self._send, self._append, self._store = LocalLine.write, Journal.append, FileStore.write

    @property
    def seen(self) -> Seen:
        counts = self._counts
        return Seen(counts["sent"], counts["written"], counts["stored"])

    def _hit(self, kind: str, *sides: Side) -> Side | None:
        """Count it; the side that is struck here, if one is."""
        self._counts[kind] += 1
        return self._side if self._counts[kind] == self._at and self._side in sides else None

    def _die(self) -> None:
        self._station_dead = True
        raise Killed

    def send(self, line: LocalLine, data: bytes) -> None:
        hit = self._hit("sent", *_SENDING)
        if hit is Side.STATION_BEFORE_SENDING:
            self._die()
        if hit is Side.LINE_REQUEST or self._station_dead:
            raise ConnectionResetError("cut")
        self._send(line, data)
        if hit is Side.STATION_AFTER_SENDING:
            self._die()
        if hit is Side.LINE_ANSWER:
            raise ConnectionResetError("cut")

    def append(self, journal: Journal, *args: Any, **named: Any) -> bytes:
        hit = self._hit("written", *_WRITING)
        if hit is Side.STATION_BEFORE_WRITING or self._station_dead:
            self._die()
        head = self._append(journal, *args, **named)
        if hit is not None:
            self._die()
        return head

    def store(self, file: FileStore, offset: int, data: bytes) -> None:
        hit = self._hit("stored", Side.PUMP_BEFORE_STORING, Side.PUMP_AFTER_STORING)
        if hit is Side.PUMP_AFTER_STORING:
            self._store(file, offset, data)
        if hit is not None or self._pump_dead:
            self._pump_dead = True
            raise OSError("the pump died")
        self._store(file, offset, data)


@contextmanager
def struck(stroke: Stroke | None) -> Iterator[Callable[[], Seen]]:
    """Count the places that are passed, and die at one of them; the count so far."""
    striking = _Striking(stroke)

    def send(line: LocalLine, data: bytes) -> None:
        striking.send(line, data)

    def append(journal: Journal, *args: Any, **named: Any) -> bytes:
        return striking.append(journal, *args, **named)

    def store(file: FileStore, offset: int, data: bytes) -> None:
        striking.store(file, offset, data)

    with (
        hurried(),
        patch.object(LocalLine, "write", send),
        patch.object(Journal, "append", append),
        patch.object(FileStore, "write", store),
    ):
        yield lambda: striking.seen
