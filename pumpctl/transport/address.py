"""What a port is called: its URL taken apart, checked before anything is opened.

Nothing here knows how a port is opened, or whether it is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple

BAUD = 115_200
"""Of the telemetry head, where the URL says nothing else."""
_SLOWEST, _FASTEST = 300, 4_000_000
_SCHEMES = ("emu", "socket", "rfc2217")
_NETWORK = ("socket", "rfc2217")
_TIMEOUT_S = 3.0
"""For a terminal server to agree, as pyserial waits."""


class Address(NamedTuple):
    """A port by its parts."""

    scheme: str
    """`device` for a path or a COM port, `socket`, `rfc2217` or `emu`."""
    name: str
    """The port without its options: what locks, records and messages say."""
    baud: int = BAUD
    host: str = ""
    tcp_port: int = 0
    timeout: float = _TIMEOUT_S
    """Seconds that an RFC 2217 server has to agree."""
    ignore_control: bool = False
    """It need not confirm flow control, DTR and RTS (sredird and its like do not)."""

    @property
    def device(self) -> str:
        """The device behind all links to it: one device has one lock, whatever it is called."""
        return os.path.realpath(self.name) if self.is_path else self.name

    @property
    def is_path(self) -> bool:
        """Is it a file of this computer, and no COM port?"""
        return self.scheme == "device" and os.name != "nt"


def address(url: str) -> Address:
    """Take a port's URL apart; UsageError for what is none, and for options that mean nothing."""
    plain, mark, query = url.partition("?")
    scheme, slashes, rest = plain.partition("://")
    if not slashes:
        scheme, rest = "device", plain
    if (scheme != "device" and scheme not in _SCHEMES) or not rest:
        raise _no_port(url)
    found = Address(scheme, plain)
    if scheme in _NETWORK:
        host, _, port = rest.rstrip("/").rpartition(":")
        if not host or not _number(port) or not 0 < int(port) < 65_536:
            raise _no_port(url)
        host = host.removeprefix("[").removesuffix("]")  # as IPv6 is written in a URL
        found = found._replace(name=plain.rstrip("/"), host=host, tcp_port=int(port))
    return _with_options(found, url, query) if mark else found


def _with_options(found: Address, url: str, query: str) -> Address:
    known: dict[str, Callable[[str], dict[str, object]]] = {}
    if found.scheme in ("device", "rfc2217"):
        known["baud"] = _baud
    if found.scheme == "rfc2217":
        known |= {
            "timeout": _timeout,
            "ign_set_control": lambda _: {"ignore_control": True},
            # pyserial's: no modem line is asked here, and --log-level tells of the negotiation
            "poll_modem": lambda _: {},
            "logging": lambda _: {},
        }
    seen: set[str] = set()
    for each in query.split("&"):
        name, _, value = each.partition("=")
        read = known.get(name)
        if read is None or name in seen:
            wrong = f"{name} stands there twice" if name in seen else f"{each!r} means nothing here"
            raise UsageError(f"{url!r}: {wrong}", hint=_hint(found.scheme, tuple(known)))
        seen.add(name)
        found = found._replace(**read(value))  # type: ignore[arg-type]  # by the table above
    return found


def _hint(scheme: str, known: tuple[str, ...]) -> str:
    if not known:
        return f"{'a TCP line' if scheme == 'socket' else 'the built-in pump'} takes no options"
    return "as in /dev/ttyUSB0?baud=9600" if scheme == "device" else f"one of {', '.join(known)}"


def _baud(value: str) -> dict[str, object]:
    if not _number(value) or not _SLOWEST <= int(value) <= _FASTEST:
        raise UsageError(
            f"baud={value} is no rate of a line", hint=f"{_SLOWEST} to {_FASTEST}, as in baud=9600"
        )
    return {"baud": int(value)}


def _timeout(value: str) -> dict[str, object]:
    if not _number(value) or not 0 < int(value) <= 60:
        raise UsageError(f"timeout={value}: whole seconds are wanted, 1 to 60")
    return {"timeout": float(value)}


def _number(text: str) -> bool:
    """Digits only, and few enough of them that no number of ours is longer."""
    return text.isascii() and text.isdigit() and len(text) <= 9


def _no_port(url: str) -> UsageError:
    return UsageError(
        f"{url!r} is no port",
        hint="a device path, COM3, socket://HOST:PORT, rfc2217://HOST:PORT or emu://NAME",
    )
