"""What is known of ports and pumps without asking any: from the system, and from this home.

No device, socket or built-in pump is opened here.
"""

from __future__ import annotations

import os

from pumpctl.emulator.edge.bench import Listed, list_emulators
from pumpctl.named import NamedTuple
from pumpctl.station.home import Home
from pumpctl.station.seen import Seen, last_seen
from pumpctl.transport.address import address
from pumpctl.transport.holders import Holder
from pumpctl.transport.lock import holder
from pumpctl.transport.ports import Port, serial_ports


class Known(NamedTuple):
    """A pump with which somebody of this station is paired."""

    serial: str
    operators: tuple[str, ...]
    seen: Seen | None
    """Where and when it was last spoken to; None where that is not known."""


class PortSeen(NamedTuple):
    """A serial port of this computer, and what this station knows of it."""

    port: Port
    holder: Holder | None
    """Whoever has it: a process of ours by its lock, another program by its open files."""
    ours: bool
    """Is the holder a pumpctl of this home?"""
    pump: Known | None
    """The pump that was last spoken to on it."""


class EmulatorSeen(NamedTuple):
    """A built-in pump of this home."""

    listed: Listed
    holder: Holder | None
    """The pumpctl process that works with it now as emu://NAME."""


class Listing(NamedTuple):
    """All of it, each in a fixed order."""

    ports: tuple[PortSeen, ...]
    emulators: tuple[EmulatorSeen, ...]
    pumps: tuple[Known, ...]


def listing(home: Home) -> Listing:
    """Look around. StoreError where the home cannot be read."""
    pumps = _known(home)
    return Listing(
        tuple(_port(home, port, pumps) for port in serial_ports()),
        tuple(_emulator(home, each) for each in list_emulators(home.root)),
        pumps,
    )


def _known(home: Home) -> tuple[Known, ...]:
    operators: dict[str, list[str]] = {}
    for serial, operator in home.pairings():
        operators.setdefault(serial, []).append(operator)
    return tuple(
        Known(serial, tuple(names), last_seen(home, serial)) for serial, names in operators.items()
    )


def _port(home: Home, port: Port, pumps: tuple[Known, ...]) -> PortSeen:
    ours = holder(home.locks, "port", address_of(port.device))
    names = {port.device, os.path.realpath(port.device), port.by_id, *port.links}
    met = [each for each in pumps if each.seen is not None and each.seen.port in names]
    return PortSeen(port, ours or port.holder, ours is not None, max(met, key=_when, default=None))


def _emulator(home: Home, each: Listed) -> EmulatorSeen:
    return EmulatorSeen(each, holder(home.locks, "port", f"emu://{each.name}"))


def address_of(device: str) -> str:
    """The name under which a port is locked."""
    return address(device).device


def _when(known: Known) -> str:
    """Newest last; a station's clock that was set makes no harm here."""
    return "" if known.seen is None else known.seen.at
