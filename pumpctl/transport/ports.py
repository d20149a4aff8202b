"""Which serial ports this computer has. It never opens one."""

from __future__ import annotations

from typing import NamedTuple


class Port(NamedTuple):
    """A serial port: its path, and what the system says of it."""

    device: str
    description: str


def serial_ports() -> tuple[Port, ...]:
    """The serial ports of this computer, sorted by path."""
    from serial.tools import list_ports

    found = (Port(port.device, port.description or "") for port in list_ports.comports())
    return tuple(sorted(found))
