"""Between a program and a port: passes everything on, both ways, and keeps a copy.

The program finds a pseudo terminal or a TCP port of this computer instead of the pump.
What is read from the port waits for nobody: one thread brings it, the loop passes it on.
A capture that takes no more does not stop what passes. What the bytes mean is not known.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from pumpctl.emulator.edge.ends import End, PtyEnd, TcpEnd
from pumpctl.errors import PumpctlError
from pumpctl.transport.capture import CaptureFile
from pumpctl.transport.line import Line

_SLICE_S = 0.2
"""How long one read of the port may take: how long its end takes, at most."""
_SHARED_SLICE_S = 0.005
"""The same for a built-in pump, which cannot be read and written at once."""

Place = Path | tuple[str, int]
"""Of a pty's link, or host and port."""


class _Watch:
    """What the loop watches for the program's end."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector

    def reading(self, descriptor: int) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ)

    def writing(self, descriptor: int, wanted: bool) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if wanted else 0)
        self._selector.modify(descriptor, events)

    def forget(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)


class Tap:
    """An open port, a place for a program to open instead, and a capture of both."""

    def __init__(
        self, line: Line, place: Place, folder: Path, file: CaptureFile, *, shared: bool
    ) -> None:
        """`folder` keeps a note of a pty, `shared` says that only one thread may use the line.

        Raises PortError, UsageError or StoreError where the place cannot be had.
        """
        self._line, self._file = line, file
        self._guard = threading.Lock() if shared else None
        self._came: deque[bytes] = deque()
        self._lost: PumpctlError | None = None
        self._ending = threading.Event()
        with ExitStack() as stack:
            pty = isinstance(place, Path)  # kqueue is not to be trusted with those of macOS
            self._selector = selectors.SelectSelector() if pty else selectors.DefaultSelector()
            stack.callback(self._selector.close)
            self._bell, self._ear = socket.socketpair()
            stack.callback(self._bell.close)
            stack.callback(self._ear.close)
            self._bell.setblocking(False)
            self._ear.setblocking(False)
            self._selector.register(self._ear, selectors.EVENT_READ)
            watch = _Watch(self._selector)
            self._end: End = (
                PtyEnd(place, folder, watch) if isinstance(place, Path) else TcpEnd(*place, watch)
            )
            stack.callback(self._end.close)
            self._resources = stack.pop_all()

    @property
    def where(self) -> str:
        """What the program opens."""
        return self._end.where

    def run(self, left: Callable[[], float | None]) -> None:
        """Pass on until `left` seconds are over (None: no end), or the line is lost (LineLost)."""
        thread = threading.Thread(target=self._bring, daemon=True)
        thread.start()
        try:
            while self._lost is None:
                seconds = left()
                if seconds is not None and seconds <= 0:
                    return
                ready = {key.fd for key, _ in self._selector.select(seconds)}
                self._turn(ready)
            raise self._lost
        finally:
            self._ending.set()
            thread.join(10 * _SLICE_S)

    def close(self) -> None:
        """Give the place back; the line and the file are the caller's."""
        self._resources.close()

    def _turn(self, ready: set[int]) -> None:
        with suppress(BlockingIOError):
            self._ear.recv(4096)
        while self._came:
            self._end.send(self._came.popleft())
        self._end.flush()
        data = self._end.read(ready)
        if data:
            self._file.passed("out", data)
            self._write(data)
        self._end.welcome(ready)
        if self._end.lost():
            self._file.trouble("the program hung up")

    def _write(self, data: bytes) -> None:
        if self._guard is None:
            self._line.write(data)
            return
        with self._guard:
            self._line.write(data)
            came = self._line.read(0.0)  # a built-in pump has answered by now
        if came:
            self._file.passed("in", came)
            self._end.send(came)

    def _bring(self) -> None:
        """What the pump says, as soon as it is there. Ends with the tap, or with the line."""
        while not self._ending.is_set():
            try:
                data = self._read()
            except PumpctlError as error:
                self._lost = error
                self._ring()
                return
            if data:
                self._file.passed("in", data)
                self._came.append(data)
                self._ring()

    def _read(self) -> bytes:
        if self._guard is None:
            return self._line.read(_SLICE_S)
        with self._guard:
            data = self._line.read(0.0)
        if not data:
            self._ending.wait(_SHARED_SLICE_S)
        return data

    def _ring(self) -> None:
        with suppress(BlockingIOError):  # it has not heard the last one yet
            self._bell.send(b"\0")
