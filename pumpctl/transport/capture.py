"""A line that writes down every byte that passes, both ways, with its time.

A capture never disturbs: a file that takes no more ends it, and that is told, not
raised. It holds raw, sealed bytes and nothing that opens them, unless whoever opened
the session was told inside it that the pump is in bench mode (`reveal`). The file is
its owner's alone; the two forms are in `capture_text`.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pumpctl import __version__
from pumpctl.errors import PumpctlError, StoreError
from pumpctl.transport.capture_text import (
    MOST_DATA,
    VERSION,
    Ended,
    Event,
    Form,
    Head,
    Passed,
    Revealed,
    Trouble,
    written,
)
from pumpctl.transport.line import Line

_HEADS = tuple(f'{mark}{{"capture": {VERSION},'.encode("ascii") for mark in ("", "# "))
_LONGEST = max(map(len, _HEADS))
_HEX_NAMES = (".hex", ".txt")


class Ear(Protocol):
    """Somebody who wants to hear what passes."""

    def hear(self, data: bytes, *, from_station: bool) -> None: ...


def form_of(path: Path) -> Form:
    """Hex for a name that ends in .hex or .txt, NDJSON for any other."""
    return Form.HEX if path.suffix.lower() in _HEX_NAMES else Form.NDJSON


class CaptureFile:
    """One part of a capture, appended to a file. Safe to be told of from two threads."""

    def __init__(
        self,
        path: Path,
        monotonic: Callable[[], float],
        *,
        port: str = "",
        purpose: str = "",
        began: str = "",
        form: Form | None = None,
    ) -> None:
        """StoreError where it cannot be begun."""
        self._monotonic = monotonic
        self._start = monotonic()
        self._form = form_of(path) if form is None else form
        self._lock = threading.Lock()
        self.broken: str | None = None
        """Why the capture is not whole. A full disk must never disturb a therapy."""
        self._file = _begun(path)
        self._put(Head(port, purpose, began, f"pumpctl {__version__}"))

    def passed(self, way: str, data: bytes) -> None:
        """These bytes passed now, `out` or `in`."""
        at = self._now()
        for start in range(0, len(data), MOST_DATA):
            self._put(Passed(at, way, data[start : start + MOST_DATA]))

    def trouble(self, why: str) -> None:
        """Something went wrong with the line."""
        self._put(Trouble(self._now(), why))

    def reveal(self, session: int, to_pump: bytes, from_pump: bytes) -> None:
        """Add a session's keys. Only ever for a pump that said in it that it is in bench mode."""
        self._put(Revealed(self._now(), session, to_pump, from_pump))

    def close(self) -> None:
        """The line is closed in order; once."""
        if self._file < 0:
            return
        self._put(Ended(self._now()))
        with self._lock:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _now(self) -> int:
        return max(0, round((self._monotonic() - self._start) * 1_000_000))

    def _put(self, event: Event) -> None:
        data = written(event, self._form).encode("ascii")
        with self._lock:
            if self.broken is not None or self._file < 0:
                return
            try:
                taken = os.write(self._file, data)
            except OSError as error:
                self.broken = f"the capture cannot be written: {error}"
            else:
                if taken != len(data):
                    self.broken = "the capture cannot be written: there is no more room"


def check_writable(path: Path) -> None:
    """Could a capture be begun here? StoreError with the reason where not; it never waits."""
    os.close(_begun(path))


def _begun(path: Path) -> int:
    try:
        if _is_other(path):
            raise StoreError(
                f"{path} holds something else than a capture: nothing is added to it",
                hint="nothing was sent; a capture needs a file of its own",
            )
        return _opened(path)
    except OSError as error:
        raise StoreError(f"the capture {path} cannot be written: {error}") from error


def _is_other(path: Path) -> bool:
    """A profile, a journal: a slip of the keyboard must not spoil it, nor close it to others."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_LONGEST)
    return not any(start.startswith(head[: len(start)]) for head in _HEADS)  # or torn in it


def _opened(path: Path) -> int:
    """The file, private from the first byte on, at the beginning of a line."""
    # A pipe that nobody reads is an error, not a wait.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.open(path, flags, 0o600)
    with suppress(OSError):  # what is somebody else's is theirs to say who reads it
        kept = os.fstat(file)
        if stat.S_ISREG(kept.st_mode) and stat.S_IMODE(kept.st_mode) & 0o077:
            path.chmod(0o600)
        if stat.S_ISREG(kept.st_mode) and kept.st_size and _last_byte(path) != b"\n":
            os.write(file, b"\n")  # an older one was torn there
    return file


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


class CaptureLine:
    """Passes everything on, and keeps a copy in a file."""

    def __init__(
        self,
        inner: Line,
        path: Path,
        monotonic: Callable[[], float],
        *,
        port: str = "",
        purpose: str = "",
        began: str = "",
        ear: Ear | None = None,
    ) -> None:
        """StoreError where no capture can be begun."""
        self._inner = inner
        self._ear = ear
        self.file = CaptureFile(path, monotonic, port=port, purpose=purpose, began=began)

    @property
    def broken(self) -> str | None:
        """Why the capture is not whole, where it is not."""
        return self.file.broken

    def write(self, data: bytes) -> None:
        """Write, noting it first: what was about to leave is known even if the line dies."""
        self.file.passed("out", data)
        if self._ear is not None:
            self._ear.hear(data, from_station=True)
        try:
            self._inner.write(data)
        except PumpctlError as error:
            self.file.trouble(error.message)
            raise

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        """Read, and note what came."""
        try:
            data = self._inner.read(seconds, gather=gather)
        except PumpctlError as error:
            self.file.trouble(error.message)
            raise
        if data:
            self.file.passed("in", data)
            if self._ear is not None:
                self._ear.hear(data, from_station=False)
        return data

    def close(self) -> None:
        """Close line and file."""
        try:
            self._inner.close()
        finally:
            self.file.close()
