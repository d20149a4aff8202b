"""Which serial ports this computer has, and what the system tells of them. It never opens one."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from pumpctl.named import NamedTuple
from pumpctl.transport.holders import Holder, programs_with

_BY_ID = Path("/dev/serial/by-id")
_DEV = Path("/dev")
_TTYS = Path("/sys/class/tty")


class Usb(NamedTuple):
    """What a USB device says of itself; None where it does not."""

    vendor: str
    """Four hexadecimal digits, as lsusb and udev write them."""
    product: str
    maker: str | None
    name: str | None
    serial: str | None
    location: str | None
    latency_ms: int | None
    """How long an FTDI chip holds bytes back; None for others."""


class Access(NamedTuple):
    """Who may open a device."""

    permitted: bool | None
    """May this user? None where the system does not say."""
    group: str | None
    """The group that owns it."""
    by_group: bool
    """May its members read and write?"""
    member: bool
    """Does the system count this user to it, even if this process began before that?"""


class Port(NamedTuple):
    """A serial port: its path, and what the system says of it."""

    device: str
    description: str
    usb: Usb | None
    by_id: str | None
    """The name that stays with the device, whatever it is plugged into."""
    links: tuple[str, ...]
    """Other names in /dev, such as a udev rule makes."""
    access: Access
    holder: Holder | None
    """A process that has it open, as far as the system lets it be seen."""


def serial_ports() -> tuple[Port, ...]:
    """The serial ports of this computer, sorted by path, ttyUSB2 before ttyUSB10."""
    from serial.tools import list_ports

    found = sorted(list_ports.comports(), key=lambda port: _natural(port.device))
    real = {port.device: os.path.realpath(port.device) for port in found}
    by_id, links = _links(_BY_ID), _links(_DEV)
    held = programs_with(set(real.values()))
    ports = []
    for port in found:
        target = real[port.device]
        usb = None
        if port.vid is not None and port.pid is not None:
            usb = Usb(
                f"{port.vid:04x}",
                f"{port.pid:04x}",
                _said(port.manufacturer),
                _said(port.product),
                _said(port.serial_number),
                _said(port.location),
                _latency(target),
            )
        description = _said(port.description) or ""
        stable = by_id.get(target, [])
        ports.append(
            Port(
                port.device,
                "" if description in ("n/a", Path(port.device).name) else description,
                usb,
                stable[0] if stable else None,
                tuple(each for each in links.get(target, []) if each != port.device),
                access_to(port.device),
                held.get(target),
            )
        )
    return tuple(ports)


def access_to(device: str) -> Access:
    """Whether this user may open a device, by its mode alone."""
    if os.name == "nt":
        return Access(None, None, by_group=False, member=False)
    import grp

    try:
        told = Path(device).stat()
        permitted = os.access(device, os.R_OK | os.W_OK)
    except (OSError, ValueError):
        return Access(None, None, by_group=False, member=False)
    by_group = told.st_mode & 0o060 == 0o060
    try:
        group = grp.getgrgid(told.st_gid)
    except KeyError:
        return Access(permitted, str(told.st_gid), by_group, member=False)
    return Access(permitted, group.gr_name, by_group, user_name() in group.gr_mem)


def user_name() -> str:
    """This process's user, as the system's tables name them; the number where they do not."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _links(folder: Path) -> dict[str, list[str]]:
    """By the real path of what they lead to, the links in a folder."""
    found: dict[str, list[str]] = {}
    with suppress(OSError):
        for each in sorted(folder.iterdir()):
            if each.is_symlink():
                found.setdefault(os.path.realpath(each), []).append(str(each))
    return found


def _latency(device: str) -> int | None:
    try:
        told = (_TTYS / Path(device).name / "device" / "latency_timer").read_text("ascii")
    except (OSError, ValueError):
        return None
    return int(told) if told.strip().isdigit() else None


def _said(text: str | None) -> str | None:
    """What a device says of itself is anybody's text: one line of letters that print."""
    if text is None:
        return None
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()) or None


def _natural(text: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", text)
    ]
