"""The keys that sign drug libraries: listed, made, trusted, revoked, each written down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pumpctl.errors import StoreError, UsageError
from pumpctl.named import NamedTuple
from pumpctl.station import library_keys
from pumpctl.station.library_files import listed
from pumpctl.station.library_keys import LibraryKey
from pumpctl.station.library_lock import library_lock
from pumpctl.workflows.library.libraries import note, open_journal

if TYPE_CHECKING:
    from pumpctl.station.home import Home
    from pumpctl.station.library_store import InForce
    from pumpctl.workflows.surroundings import Station


class KnownKeys(NamedTuple):
    """The keys of this station, and those that count here."""

    own: tuple[LibraryKey, ...]
    known: tuple[LibraryKey, ...]


def keys(home: Home) -> KnownKeys:
    """Every key made here, and every one that is or was trusted.

    StoreError where the home cannot be read.
    """
    listed(home.root)
    return KnownKeys(library_keys.own_keys(home), library_keys.known_keys(home))


def make_key(station: Station, name: str, passphrase: str) -> tuple[LibraryKey, Path]:
    """Make a key to sign libraries with, trusted at this station; it and its public half's place.

    `passphrase`: empty for none.
    """
    from pumpctl.station.library_signing import make_private

    with library_lock(station.home):
        if any(known.name == name for known in library_keys.known_keys(station.home)):
            raise UsageError(f"{name} is the name of another key", hint="choose another name")
        at = str(station.wall())
        public = make_private(station.home, name, station.entropy(32), passphrase)
        key = library_keys.LibraryKey(name, public, at, station.operator)
        place = library_keys.write_public(station.home, key)
        return _trusted(station, key, name), place


def trust_key(station: Station, path: Path, name: str) -> LibraryKey:
    """Take libraries that the key in this file has signed."""
    key = library_keys.read_public(station.home, path)
    with library_lock(station.home):
        return _trusted(station, key, name)


def barred_without(station: Station, name: str) -> InForce | None:
    """The library in force, where it is signed by this key; UsageError for no such key."""
    from pumpctl.station.library_store import look

    key = library_keys.key_to_revoke(station.home, name)
    found = look(station.home, station.wall().date)
    return found if found.marker is not None and found.marker.key == key.id else None


def revoke_key(station: Station, name: str) -> LibraryKey:
    """Take no library of this key any more, the installed one included."""
    at = str(station.wall())
    with library_lock(station.home):
        key = library_keys.revoke_key(station.home, name, at=at, operator=station.operator)
        try:
            with open_journal(station) as journal:
                note(station, journal, "revoked", {"name": name, "key": key.id})
        except StoreError as error:  # it counts no more all the same
            station.tell(error.message)
    return key


def _trusted(station: Station, key: LibraryKey, name: str) -> LibraryKey:
    at, home = str(station.wall()), station.home
    made = library_keys.trusted(home, key, name, at=at, operator=station.operator)
    with open_journal(station) as journal:
        note(station, journal, "trusted", {"name": name, "key": made.id})
    library_keys.keep_trusted(home, made)
    return made
