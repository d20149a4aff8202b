"""Where and when a paired pump was last spoken to: a note for people, kept beside its pairings.

It decides nothing, so it is written without waiting for the disk, and where it cannot be
written or read there is none.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pumpctl.errors import StoreError
from pumpctl.named import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from pumpctl.station.home import Home

_NOTE = "seen"


class Seen(NamedTuple):
    """The last session with a pump."""

    port: str
    """Without options; a path from the root on."""
    at: str
    """By this station's clock."""
    model: str


def keep_seen(home: Home, serial: str, seen: Seen) -> None:
    """Note it, where this pump is paired here; whole or not at all."""
    import json

    path = _path(home, serial)
    new = path.with_name(f".{_NOTE}.new")
    with suppress(OSError):
        new.touch(0o600)
        new.write_text(json.dumps(seen._asdict()), "ascii")
        new.replace(path)


def last_seen(home: Home, serial: str) -> Seen | None:
    """When it was seen last, or None where that is not known."""
    try:
        known = home.read_json(_path(home, serial))
    except StoreError:
        return None
    if known is None:
        return None
    told = [known.get(name) for name in Seen._fields]
    if not all(isinstance(each, str) and each.isprintable() for each in told):
        return None
    return Seen(*map(str, told))


def _path(home: Home, serial: str) -> Path:
    return home.root / "pumps" / serial / _NOTE
