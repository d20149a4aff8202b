"""The pyserial scheme `emu://NAME`: the built-in emulator inside this process.

Only the shape of a serial port lives here; the pump behind it is `emulator/`.
pyserial makes the port from its URL alone, so what the emulator needs from
outside (home, clock, entropy) is left here by `surround` just before.
"""

from __future__ import annotations

import time
from typing import Any

from serial.serialutil import PortNotOpenError, SerialBase, SerialException

from pumpctl.emulator.edge.bench import LocalLine, open_local
from pumpctl.errors import UsageError
from pumpctl.transport.surroundings import Surroundings

_surroundings: list[Surroundings] = []


def surround(around: Surroundings) -> None:
    """Say in whose home, by which clock and with which entropy emulators run."""
    _surroundings[:] = [around]


class Serial(SerialBase):
    """An emulator with the face of a serial port."""

    def open(self) -> None:
        """Take the emulator; PortMissing or PortBusy where that cannot be."""
        if not _surroundings:
            raise UsageError("emu:// ports are opened by pumpctl only")
        around = _surroundings[0]
        name = str(self.portstr).partition("://")[2]
        self._line: LocalLine | None = open_local(
            around.home, name, now=around.now, entropy=around.entropy
        )
        self._waiting = bytearray()
        self.is_open = True

    def close(self) -> None:
        """Give the emulator back; its link session ends."""
        if self.is_open and self._line is not None:
            self._line.close()
            self._line = None
        self.is_open = False

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        return len(self._waiting)

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes; waiting for them no longer than the timeout."""
        line = self._need()
        if not self._waiting:
            try:
                self._waiting += line.read()
            except OSError as error:
                raise SerialException(str(error)) from error
        wait = self.timeout
        if not self._waiting and wait:
            time.sleep(wait)
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        return piece

    def write(self, data: Any, /) -> int:
        """Hand bytes to the pump."""
        raw = bytes(data)
        try:
            self._need().write(raw)
        except OSError as error:
            # A line that is cut: what the pump did is for the link to find out.
            raise SerialException(str(error)) from error
        return len(raw)

    def flush(self) -> None:
        """Nothing waits here."""

    def reset_input_buffer(self) -> None:
        """Drop what was not read."""
        self._waiting.clear()

    def _need(self) -> LocalLine:
        if not self.is_open or self._line is None:
            raise PortNotOpenError
        return self._line

    def _reconfigure_port(self) -> None:
        """Baud rate and parity mean nothing here."""
