"""The marker: that this station needs a site's own library, and which.

It lies in the home's root, not in the library's folder: where that folder is
gone, the marker still says that the library that ships is not the one to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpctl.errors import StoreError
from pumpctl.named import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from pumpctl.station.home import Home

MARKER = "library.json"
"""Its name in the home's root."""
_SCHEMA = "pumpctl.library.installed/1"


class Marker(NamedTuple):
    """Which library was installed last: site, version, the file's SHA-256, signer, by whom."""

    site: str
    version: int
    sha256: str
    key: str
    at: str
    operator: str


def marker_path(home: Home) -> Path:
    """Where it lies."""
    return home.root / MARKER


def read_marker(home: Home) -> Marker | None:
    """The marker, or None where there is none; StoreError where it is damaged."""
    path = marker_path(home)
    value = home.read_json(path)
    if value is None:
        return None
    try:
        if value.pop("schema") != _SCHEMA:
            raise StoreError(f"{path} is damaged: it is of another kind")
        marker = Marker(**value)
    except (KeyError, TypeError) as error:
        raise StoreError(f"{path} is damaged: {error!r}") from error
    texts = (marker.site, marker.sha256, marker.key, marker.at, marker.operator)
    whole = all(isinstance(text, str) for text in texts) and type(marker.version) is int
    if not whole or len(marker.sha256) != 64 or not marker.sha256.isalnum():
        raise StoreError(f"{path} is damaged: it names no library")
    return marker


def write_marker(home: Home, marker: Marker) -> None:
    """From now on this one is in force."""
    home.write_json(marker_path(home), {"schema": _SCHEMA, **marker._asdict()})
