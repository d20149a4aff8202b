"""What a line is to everybody above: write bytes, read what has come, close.

The one place that knows pyserial, so that its successor is a change of this
file. Port errors are told apart here: missing, not permitted, busy.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Protocol

import serial

from pumpctl.errors import NoAnswer, PortBusy, PortDenied, PortError, PortMissing, UsageError
from pumpctl.transport.surroundings import Surroundings

BAUD = 115_200
READ_SIZE = 4096
_SLICE_S = 0.02
"""How long one read of the port may block; a waiting reader loops over slices."""
SCHEMES = ("emu", "socket", "rfc2217")
_NETWORK = ("socket", "rfc2217")


def _what_breaks() -> tuple[type[Exception], ...]:
    """What a driver raises where the line is gone; termios.error is no OSError."""
    try:
        from termios import error
    except ImportError:  # Windows
        return (serial.SerialException, OSError)
    return (serial.SerialException, OSError, error)


_BROKEN = _what_breaks()
_BROKEN_READING: tuple[type[Exception], ...] = (*_BROKEN, TypeError)
"""pyserial raises TypeError where the file descriptor was closed under it."""
_BROKEN_OPENING: tuple[type[Exception], ...] = (*_BROKEN, ValueError)


class Line(Protocol):
    """A duplex stream of bytes. `read` returns what has come, or b"" after `seconds`."""

    def write(self, data: bytes) -> None: ...
    def read(self, seconds: float) -> bytes: ...
    def close(self) -> None: ...


class LineLost(NoAnswer):
    """The line went away while it was in use."""

    code = "LINE_LOST"
    default_hint = "the cable, the head or the emulator is gone; check it and try again"


class SerialLine:
    """A pyserial port as a `Line`."""

    def __init__(
        self, port: serial.SerialBase, monotonic: Callable[[], float], *, tells_waiting: bool
    ) -> None:
        self._port = port
        self._tells_waiting = tells_waiting
        self._monotonic = monotonic

    def write(self, data: bytes) -> None:
        """Put all bytes on the line; LineLost where it is gone."""
        try:
            self._port.write(data)
            self._port.flush()
        except _BROKEN as error:
            raise LineLost(f"the line broke while writing: {error}") from error

    def read(self, seconds: float) -> bytes:
        """What has come, waiting up to `seconds` for the first byte."""
        until = self._monotonic() + seconds
        try:
            while True:
                data = self._slice()
                if data or self._monotonic() >= until:
                    return data
        except _BROKEN_READING as error:
            raise LineLost(f"the line broke while reading: {error}") from error

    def _slice(self) -> bytes:
        """What comes within one slice; socket:// never tells how much waits, and waits it out."""
        if not self._tells_waiting:
            return bytes(self._port.read(READ_SIZE))
        first = bytes(self._port.read(1))
        if not first:
            return first
        return first + bytes(self._port.read(getattr(self._port, "in_waiting", 0)))

    def close(self) -> None:
        """Give the port back; never fails."""
        # pyserial's socket:// leaves its socket open where the peer hung up first.
        inner = getattr(self._port, "_socket", None)
        with suppress(*_BROKEN):
            self._port.close()
            if inner is not None:
                inner.close()

    def __enter__(self) -> SerialLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def scheme_of(url: str) -> str:
    """`emu`, `socket`, `rfc2217`, or `device` for a path or COM port; UsageError otherwise."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return "device"
    if scheme not in SCHEMES or not rest or (scheme in _NETWORK and not _host_and_port(rest)):
        raise UsageError(
            f"{url!r} is no port",
            hint="a device path, COM3, socket://HOST:PORT, rfc2217://HOST:PORT or emu://NAME",
        )
    return scheme


def _host_and_port(text: str) -> bool:
    host, _, port = text.partition("?")[0].rstrip("/").rpartition(":")
    return bool(host) and port.isascii() and port.isdigit() and 0 < int(port) < 65_536


def open_line(url: str, around: Surroundings, monotonic: Callable[[], float]) -> SerialLine:
    """Open a port by its URL.

    Raises PortMissing, PortDenied or PortBusy, each its own message, and
    UsageError for what is no URL of a port.
    """
    scheme = scheme_of(url)
    if scheme == "emu":
        from pumpctl.transport.urls import protocol_emu

        protocol_emu.surround(around)
    try:
        port = serial.serial_for_url(
            url, do_not_open=True, baudrate=BAUD, timeout=_SLICE_S, write_timeout=5
        )
        if scheme == "device" and hasattr(port, "exclusive"):
            port.exclusive = True
        port.open()
    except PortError:
        raise
    except _BROKEN_OPENING as error:
        raise _told_apart(url, scheme, error) from error
    return SerialLine(port, monotonic, tells_waiting=scheme != "socket")


def _told_apart(url: str, scheme: str, error: Exception) -> PortError:
    number = getattr(error, "errno", None)
    text = str(error)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in text:
        return PortMissing(f"there is no port {url}")
    if number in (errno.EACCES, errno.EPERM):
        return PortDenied(f"port {url} is there, but this user may not open it")
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text or "Access is" in text:
        return PortBusy(f"port {url} is in use by another program")
    if scheme in ("socket", "rfc2217"):
        why = text.rsplit(": ", 1)[-1]  # pyserial names the port once more
        return PortMissing(f"nothing listens at {url}: {why}")
    return PortMissing(f"port {url} cannot be opened: {text}")


serial.protocol_handler_packages.append("pumpctl.transport.urls")
