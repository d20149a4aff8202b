"""Why a port cannot be opened, in words that help: missing, not permitted, busy.

Asked only once it has failed. It looks around, and opens nothing.
"""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path

from pumpctl.errors import PortBusy, PortDenied, PortMissing
from pumpctl.transport.address import Address
from pumpctl.transport.holders import programs_with
from pumpctl.transport.ports import access_to, user_name

_GUIDE = "docs/ports.md has a udev rule"


def missing(place: Address) -> PortMissing:
    """There is no such device; names those that are near."""
    near = _near(place.name)
    hint = f"there is {' and '.join(near)}; pumpctl list shows more of each" if near else None
    dead = ""
    if place.is_path and Path(place.name).is_symlink():
        dead = f": the link leads to {place.device}, which is gone"
    return PortMissing(f"there is no port {place.name}{dead}", hint=hint)


def denied(place: Address) -> PortDenied:
    """The device is there, and this user may not open it; says which group may."""
    if place.is_path:
        access = access_to(place.name)
        hint = _permission(access.group, by_group=access.by_group, member=access.member)
    else:
        hint = "another program may hold it, or it needs an administrator"
    return PortDenied(
        f"port {place.name} is there, but this user may not open it", hint=hint or None
    )


def _permission(group: str | None, *, by_group: bool, member: bool) -> str:
    if group is None:
        return ""
    if not by_group:
        return f"not even its group {group} may open it: {_GUIDE} that lets a group"
    if member:
        return f"{user_name()} is in group {group} now: log out and in again, then it holds"
    if group in ("root", "wheel"):
        return f"only group {group} may open it: {_GUIDE} that gives it to another group"
    command = f"sudo usermod -aG {group} {user_name()}"
    if sys.platform == "darwin":
        command = f"sudo dseditgroup -o edit -a {user_name()} -t user {group}"
    return f"group {group} may open it: {command}, then log out and in again"


def busy(place: Address) -> PortBusy:
    """Another process has it; says which, where the system lets that be seen."""
    holder = programs_with({place.device}).get(place.device) if place.is_path else None
    if holder is None:
        return PortBusy(f"port {place.name} is in use by another program")
    return PortBusy(
        f"port {place.name} is in use by another program: {holder.told}",
        hint=f"end {holder.told}, then try again",
    )


def unusable(place: Address, why: str) -> PortMissing:
    """Something is there, and it is no serial port."""
    return PortMissing(f"port {place.name} cannot be opened: {why}")


def unreachable(place: Address, why: str) -> PortMissing:
    """Nobody listens there."""
    return PortMissing(
        f"nothing listens at {place.name}: {why}",
        hint="is the terminal server on, and are host and port right?",
    )


def _near(name: str) -> list[str]:
    """Ports of this computer whose names are alike, or all where there are few."""
    from serial.tools import list_ports

    there = sorted(port.device for port in list_ports.comports())
    if sys.platform == "darwin" and name.startswith("/dev/tty."):
        twin = "/dev/cu." + name.removeprefix("/dev/tty.")
        if twin in there:
            return [twin]
    asked = name if os.name == "nt" else str(Path(name).absolute())
    alike = difflib.get_close_matches(asked, there, n=3, cutoff=0.8)
    return alike or (there if len(there) <= 3 else [])
