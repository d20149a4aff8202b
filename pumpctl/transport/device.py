"""A serial device as a line. The one place that knows pyserial.

pyserial opens and sets up the device. Where a device is a file, its bytes are then read
and written here: one waiting and one reading for whatever has come, where pyserial
waits for every part of it and asks how much there is in between.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING

from pumpctl.transport.address import Address
from pumpctl.transport.line import READ_SIZE, LineLost, OpenLine

if TYPE_CHECKING:
    import serial

_WRITE_S = 5.0
"""For a driver to take what is written."""
_SLICE_S = 0.02
"""How long one of pyserial's own readings may block."""


def _what_breaks() -> tuple[type[Exception], ...]:
    """What a driver raises where the line is gone; termios.error is no OSError."""
    closed = (TypeError, ValueError)  # the descriptor was closed under it
    try:
        from termios import error
    except ImportError:  # Windows
        return (OSError, *closed)
    return (OSError, error, *closed)


_BROKEN = _what_breaks()


class DeviceLine(OpenLine):
    """A device that is a file of this computer: a tty of Linux, macOS, BSD."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._file = port.fileno()

    def write(self, data: bytes) -> None:
        """Hand all bytes to the driver; LineLost where it is gone or takes none.

        Not until the last bit has left: with a device that sends nothing that never ends,
        and whoever waits for an answer knows how long to wait.
        """
        try:
            left = memoryview(data)
            while left:
                try:
                    left = left[os.write(self._file, left) :]
                except BlockingIOError:
                    if not select.select((), (self._file,), (), _WRITE_S)[1]:
                        raise LineLost(
                            "the line broke while writing: the device takes no bytes"
                        ) from None
        except _BROKEN as error:
            raise LineLost(f"the line broke while writing: {error}") from error

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        """What has come; see `Line`."""
        try:
            if not select.select((self._file,), (), (), max(0.0, seconds))[0]:
                return b""
            if gather:
                sleep(gather)
            data = os.read(self._file, READ_SIZE)
        except BlockingIOError:  # another program reads the same device
            return b""
        except _BROKEN as error:
            raise LineLost(f"the line broke while reading: {error}") from error
        if not data:  # what Linux says of a device that was pulled out
            raise LineLost("the line broke while reading: the device is gone")
        return data

    def close(self) -> None:
        """Give the device back; never fails."""
        self._file = -1
        with suppress(*_BROKEN):
            self._port.close()


class PyserialLine(OpenLine):
    """A device that only pyserial can read and write: a COM port."""

    def __init__(self, port: serial.Serial, monotonic: Callable[[], float]) -> None:
        self._port = port
        self._monotonic = monotonic

    def write(self, data: bytes) -> None:
        """Hand all bytes to the driver; LineLost where it is gone or takes none."""
        try:
            self._port.write(data)
        except _BROKEN as error:
            raise LineLost(f"the line broke while writing: {error}") from error

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        """What has come; see `Line`."""
        until = self._monotonic() + seconds
        try:
            while True:
                first = bytes(self._port.read(1))
                if first:
                    if gather:
                        sleep(gather)
                    return first + bytes(self._port.read(self._port.in_waiting))
                if self._monotonic() >= until:
                    return b""
        except _BROKEN as error:
            raise LineLost(f"the line broke while reading: {error}") from error

    def close(self) -> None:
        """Give the device back; never fails."""
        with suppress(*_BROKEN):
            self._port.close()


def open_device(place: Address, monotonic: Callable[[], float]) -> OpenLine:
    """Open a device for this process alone; OSError where that cannot be."""
    import serial

    try:
        port = serial.Serial(
            baudrate=place.baud, timeout=_SLICE_S, write_timeout=_WRITE_S, exclusive=True
        )
        port.port = place.name
        port.open()
    except _BROKEN as error:
        if isinstance(error, OSError):
            raise
        raise OSError(str(error)) from error  # no tty, or a rate that it does not do
    return PyserialLine(port, monotonic) if os.name == "nt" else DeviceLine(port)
