"""Is this station fit for work? Looks at home, journal, records, keys and ports."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable

from pumpctl import __version__
from pumpctl.errors import LibraryInvalid, PumpctlError, StoreError, Unresolved
from pumpctl.named import NamedTuple
from pumpctl.station.journal import Journal
from pumpctl.transport import refused
from pumpctl.transport.address import address
from pumpctl.transport.ports import Port, access_to, serial_ports
from pumpctl.workflows.library.libraries import library_examined
from pumpctl.workflows.surroundings import Station

_SHORT_LATENCY_MS = 2
"""Of an FTDI chip; 16 as it comes, docs/ports.md."""


class Examined(NamedTuple):
    """One thing that was looked at."""

    id: str
    ok: bool
    detail: str
    error: PumpctlError | None = None


def examine(station: Station) -> tuple[Examined, ...]:
    """Everything, one after the other; a failure of one does not hide the others."""
    looks: tuple[tuple[str, Callable[[Station], str]], ...] = (
        ("version", _version),
        ("home", _home),
        ("journal", _journal),
        ("unresolved", _unresolved),
        ("records", _records),
        ("library", _library),
        ("keys", _keys),
        ("ports", _ports),
    )
    results = []
    for name, look in looks:
        try:
            results.append(Examined(name, True, look(station)))
        except PumpctlError as error:
            results.append(Examined(name, False, error.message, error))
    return tuple(results)


def _version(_station: Station) -> str:
    return f"pumpctl {__version__}, Python {platform.python_version()}, {platform.system()}"


def _home(station: Station) -> str:
    station.home.make()
    probe = station.home.root / ".probe"
    try:
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as error:
        raise StoreError(f"the home {station.home.root} cannot be written: {error}") from error
    return f"{station.home.root} is writable"


def _journal(station: Station) -> str:
    with Journal(station.home.journal) as journal:
        fault = journal.fault()
        if fault is not None:
            raise StoreError(f"the journal is damaged: {fault}")
        return f"{len(journal.entries())} entries, the chain is whole"


def _unresolved(station: Station) -> str:
    with Journal(station.home.journal) as journal:
        waiting = journal.unresolved()
    if waiting:
        raise Unresolved(
            f"{len(waiting)} operations wait for pumpctl resolve, first {waiting[0].operation}"
        )
    return "nothing waits"


def _records(station: Station) -> str:
    from pumpctl.station.records import Records

    records = Records(station.database_url())
    try:
        return f"usable, logs of {len(records.pumps())} pumps"
    finally:
        records.close()


def _library(station: Station) -> str:
    found = library_examined(station)
    library = found.library
    if found.warning is not None:
        raise LibraryInvalid(found.warning[1])
    until = f", until {library.expires}" if library.expires else ", which ships"
    return f"{library.site}, version {library.version}{until}"


def _keys(station: Station) -> str:
    mode = station.home.operator_key_mode(station.operator)
    if mode is None:
        return f"operator {station.operator} has no key yet; pumpctl pair makes one"
    if mode & 0o077:
        raise StoreError(f"the key of operator {station.operator} can be read by others")
    station.home.operator_key(station.operator)  # StoreError where it is damaged
    for serial, operator in station.home.pairings():
        station.home.pairing(serial, operator)
    return f"operator {station.operator}, {len(station.home.pairings())} pairings"


def _ports(station: Station) -> str:
    """Who may open which, by the system's word. The port that was given is held to it."""
    if station.port:
        given = address(station.port)
        if given.is_path:
            if not os.path.exists(given.name):  # noqa: PTH110  a name that is no path has none
                raise refused.missing(given)
            if access_to(given.name).permitted is False:
                raise refused.denied(given)
    return ", ".join(_told(port) for port in serial_ports()) or "no serial ports on this computer"


def _told(port: Port) -> str:
    doubts = []
    if port.access.permitted is False:
        doubts.append(f"not permitted, group {port.access.group}")
    if port.usb is not None and (port.usb.latency_ms or 0) > _SHORT_LATENCY_MS:
        doubts.append(f"its latency timer of {port.usb.latency_ms} ms slows every answer")
    return port.device + (f" ({'; '.join(doubts)})" if doubts else "")
