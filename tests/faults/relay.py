"""A line between a station process and a pump process that breaks at an exact byte.

A TCP relay on 127.0.0.1 in a thread of its own. It passes whole frames on and
counts their bytes in both directions; at the byte that a `Cut` names it has one
end killed, or breaks the line: just before that byte is passed on, or just after.
What a record says is encrypted; which request it is shows its counter.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import decode_frame

_SETTLE_S = 10.0
_POLL_S = 0.1


class Direction(Enum):
    """Which way bytes travel."""

    TO_PUMP = "→"
    TO_STATION = "←"


class Victim(Enum):
    """What breaks, and what its peer notices of it."""

    STATION = "station"
    PUMP = "pump"
    """The station sees its line hung up."""
    PUMP_SILENT = "pump, the line silent"
    """As on a serial line: nothing comes any more."""
    PUMP_BACK = "pump, back at once"
    """The line leads to its next process, which knows of no session."""
    LINE = "line hung up"
    LINE_SILENT = "line silent"

    @property
    def killed(self) -> str:
        """`station`, `pump`, or nobody."""
        word = self.value.split(",", 1)[0]
        return word if word in ("station", "pump") else ""


class Key(NamedTuple):
    """Which frame it is, the same in every run. Its place may move by a byte or two:
    stuffing depends on what is encrypted.
    """

    direction: Direction
    kind: FrameKind | None
    counter: int
    piece: int


class Passed(NamedTuple):
    """One frame that came to the relay, and its place in its direction's bytes."""

    key: Key
    start: int
    end: int
    again: bool
    """The same request or answer as before: somebody sent it twice."""


class Cut(NamedTuple):
    """Break `victim` at one byte of one frame."""

    key: Key
    offset: int
    """Of the byte in its frame; counted from the frame's end where it is negative."""
    after: bool
    victim: Victim
    pause: float = 0.0
    """Seconds between passing the byte on and the kill, so that its receiver is at work."""

    @property
    def behind_frame(self) -> bool:
        """Has all of the frame passed before anything breaks?"""
        return self.after and self.offset == -1

    def byte_in(self, passed: Passed) -> int:
        """The byte's number in its direction, from 0."""
        size = passed.end - passed.start
        return passed.start + min(max(self.offset + (size if self.offset < 0 else 0), 0), size - 1)


class _Way:
    """One direction: what waits for its delimiter, and the count."""

    def __init__(self, direction: Direction) -> None:
        self.direction = direction
        self.count = 0
        self._waiting = b""
        self._seen: set[Key] = set()

    def frames(self, data: bytes) -> list[tuple[Passed, bytes]]:
        """Whole frames, a delimiter in front of one counted as its own."""
        self._waiting += data
        found: list[tuple[Passed, bytes]] = []
        while True:
            body = self._waiting.lstrip(b"\0")
            end = self._waiting.find(b"\0", len(self._waiting) - len(body))
            if not body or end < 0:
                return found
            piece, self._waiting = self._waiting[: end + 1], self._waiting[end + 1 :]
            key = self._key(piece)
            passed = Passed(key, self.count, self.count + len(piece), key in self._seen)
            self._seen.add(key)
            self.count += len(piece)
            found.append((passed, piece))

    def _key(self, piece: bytes) -> Key:
        try:
            frame = decode_frame(piece.strip(b"\0"))
        except WireError:
            return Key(self.direction, None, 0, 0)
        return Key(self.direction, frame.kind, frame.counter, frame.piece)


class Relay:
    """One connection of one station. `kill` does the killing, and names a new port for a
    pump that comes back. `silent`: a pump that dies by itself leaves the line open.
    """

    def __init__(
        self,
        pump_port: int,
        *,
        cut: Cut | None = None,
        kill: Callable[[Victim], int] | None = None,
        silent: bool = False,
    ) -> None:
        self.passed: list[Passed] = []
        self.hit: Passed | None = None
        """The frame in which the cut fell, once it has."""
        self.failure: Exception | None = None
        self._pump_port = pump_port
        self._cut = cut
        self._kill = kill
        self._silent = silent
        self._stop = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_POLL_S)
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """The station has ended. Returns when the pump has taken all that was passed on."""
        self._stop = True
        self._thread.join(_SETTLE_S * 3)
        if self._thread.is_alive():
            raise TimeoutError("the relay does not end")
        if self.failure is not None:
            raise self.failure

    # --- its thread ---------------------------------------------------------------

    def _run(self) -> None:
        try:
            with self._listener:
                station = self._accept()
                if station is None:
                    return
            pump = socket.create_connection(("127.0.0.1", self._pump_port), timeout=_SETTLE_S)
            try:
                pump = self._carry(station, pump)
            finally:
                station.close()
                _settle(pump)
        except Exception as error:  # noqa: BLE001  (shown by `finish`)
            self.failure = error

    def _accept(self) -> socket.socket | None:
        while True:
            try:
                station, _ = self._listener.accept()
            except TimeoutError:
                if self._stop:
                    return None
                continue
            station.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return station

    def _carry(self, station: socket.socket, pump: socket.socket) -> socket.socket:
        """Pass on until an end or the cut comes; the pump's socket, which may be another."""
        to_pump, to_station = _Way(Direction.TO_PUMP), _Way(Direction.TO_STATION)
        while True:
            for ready in select.select([station, pump], [], [], _POLL_S)[0]:
                data = _receive(ready)
                if not data:
                    if ready is pump and self._silent:
                        self._drain(station)
                    return pump
                way, target = (to_pump, pump) if ready is station else (to_station, station)
                for passed, piece in way.frames(data):
                    self.passed.append(passed)
                    if not self._falls_in(passed):
                        _send(target, piece)
                        continue
                    after = self._break(passed, piece, target, station, pump)
                    if after is None:
                        return pump
                    pump, to_station = after, _Way(Direction.TO_STATION)
                    break  # the rest was for a process that is gone

    def _falls_in(self, passed: Passed) -> bool:
        return self._cut is not None and self.hit is None and passed.key == self._cut.key

    def _break(
        self,
        passed: Passed,
        piece: bytes,
        target: socket.socket,
        station: socket.socket,
        pump: socket.socket,
    ) -> socket.socket | None:
        """Do what the cut says; the new pump's socket where one came back."""
        cut = self._cut
        assert cut is not None
        _send(target, piece[: cut.byte_in(passed) - passed.start + (1 if cut.after else 0)])
        if cut.after and cut.pause:
            time.sleep(cut.pause)
        port = 0
        if cut.victim.killed and self._kill is not None:
            port = self._kill(cut.victim)
        self.hit = passed
        match cut.victim:
            case Victim.PUMP_BACK:
                pump.close()
                return socket.create_connection(("127.0.0.1", port), timeout=_SETTLE_S)
            case Victim.PUMP_SILENT | Victim.LINE_SILENT:
                self._drain(station)
            case Victim.STATION | Victim.PUMP | Victim.LINE:
                pass
        return None

    def _drain(self, station: socket.socket) -> None:
        """Nothing is passed on any more; ends when the station hangs up."""
        while not self._stop:
            if select.select([station], [], [], _POLL_S)[0] and not _receive(station):
                return


def _receive(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:
        return b""


def _send(end: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # an end that is gone is noticed when it is read
        end.sendall(data)


def _settle(pump: socket.socket) -> None:
    """Hang up, and wait until the pump has read to the end and hung up, too."""
    with pump, contextlib.suppress(OSError):
        pump.shutdown(socket.SHUT_WR)
        pump.settimeout(_SETTLE_S)
        while pump.recv(65536):
            pass
