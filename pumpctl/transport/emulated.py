"""The line `emu://NAME`: the built-in pump, run inside this process.

Only the shape of a line lives here; the pump behind it is `emulator/`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pumpctl.emulator.edge.local import LocalLine, open_local
from pumpctl.transport.address import Address
from pumpctl.transport.line import LineLost, OpenLine
from pumpctl.transport.surroundings import Surroundings

_SLICE_S = 0.02
"""How often a pump that says nothing is looked at again: its line may delay what is sent."""


class EmulatedLine(OpenLine):
    """A built-in pump with the face of a line. It has answered when `write` returns."""

    def __init__(self, pump: LocalLine, monotonic: Callable[[], float]) -> None:
        self._pump = pump
        self._monotonic = monotonic

    def write(self, data: bytes) -> None:
        """Hand bytes to the pump; LineLost where the line is cut."""
        try:
            self._pump.write(data)
        except (OSError, ValueError) as error:
            # What the pump did is for the link to find out.
            raise LineLost(f"the line broke while writing: {error}") from error

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:  # noqa: ARG002
        """All that the pump has said. There is nothing to gather: its bytes come at once."""
        until = self._monotonic() + seconds
        try:
            while True:
                data = self._pump.read()
                if data:
                    return data
                left = until - self._monotonic()
                if left <= 0:
                    return b""
                time.sleep(min(left, _SLICE_S))
        except (OSError, ValueError) as error:
            raise LineLost(f"the line broke while reading: {error}") from error

    def close(self) -> None:
        """Give the pump back; its link session ends."""
        self._pump.close()


def open_emulated(
    place: Address, around: Surroundings, monotonic: Callable[[], float]
) -> EmulatedLine:
    """Run the pump here; PortMissing, PortBusy, StoreError or UsageError where that cannot be."""
    name = place.name.partition("://")[2]
    pump = open_local(around.home, name, now=around.now, entropy=around.entropy)
    return EmulatedLine(pump, monotonic)
