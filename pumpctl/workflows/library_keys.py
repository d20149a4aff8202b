"""The keys that sign drug libraries: listed, made, trusted, revoked, each written down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pumpctl.errors import StoreError, UsageError
from pumpctl.station import library_keys
from pumpctl.station.library_keys import LibraryKey
from pumpctl.workflows.libraries import note, open_journal

if TYPE_CHECKING:
    from pumpctl.station.home import Home
    from pumpctl.workflows.surroundings import Station


class KnownKeys(NamedTuple):
    """The keys of this station, and those that count here."""

    own: tuple[LibraryKey, ...]
    known: tuple[LibraryKey, ...]


def keys(home: Home) -> KnownKeys:
    """Every key made here, and every one that is or was trusted."""
    return KnownKeys(library_keys.own_keys(home), library_keys.known_keys(home))


def make_key(station: Station, name: str, passphrase: str) -> tuple[LibraryKey, Path]:
    """Make a key to sign libraries with, trusted at this station; it and its public half's place.

    `passphrase`: empty for none.
    """
    from pumpctl.station.library_signing import make_private

    if any(known.name == name for known in library_keys.known_keys(station.home)):
        raise UsageError(f"{name} is the name of another key", hint="choose another name")
    at = str(station.wall())
    public = make_private(station.home, name, station.entropy(32), passphrase)
    key = library_keys.LibraryKey(name, public, at, station.operator)
    place = library_keys.write_public(station.home, key)
    return _trusted(station, key, name), place


def trust_key(station: Station, path: Path, name: str) -> LibraryKey:
    """Take libraries that the key in this file has signed."""
    return _trusted(station, library_keys.read_public(station.home, path), name)


def revoke_key(station: Station, name: str) -> LibraryKey:
    """Take no library of this key any more, the installed one included."""
    at = str(station.wall())
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
    home.make()
    with open_journal(station) as journal:
        note(station, journal, "trusted", {"name": name, "key": made.id})
    library_keys.keep_trusted(home, made)
    return made
