"""The drug library that is in force at this station: a site's own, or the one that ships.

library.json                 the marker (`library_marker`): a site's library is required, and which
library/versions/N-HASH.toml every one that was installed, as it was signed

Two looks. `look` is for commands that change no therapy: it holds the file
against the marker's SHA-256 and asks whether the signer's key still counts. It
loads neither cryptography nor the journal. Whoever can alter the file and the
marker together could as well trust a key of their own here, so the signature
would add nothing to it; what it cannot see is that both went back to an older
version. `verified` is for everything that changes therapy: it verifies the
signature, and takes nothing older than what the journal says was installed.
Neither falls back on the library that ships once there was a site's own (LIM-08).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from pumpctl.errors import LibraryFaulty, LibrarySignature, LibraryVersion, PumpctlError
from pumpctl.named import NamedTuple
from pumpctl.station.library_files import listed, read_file
from pumpctl.station.library_marker import MARKER, Marker, read_marker
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

    from pumpctl.station.home import Home
    from pumpctl.station.journal import Journal
    from pumpctl.station.library_keys import LibraryKey
    from pumpctl.station.library_trailer import Signed
    from pumpctl.therapy.moment import Date

SOON_DAYS = 30
"""So long before its last day a library is said to expire soon; this project's choice."""


class Standing(Enum):
    """How far the library in force may be relied on."""

    VALID = "valid"
    EXPIRED = "expired"
    INVALID = "invalid"


class InForce(NamedTuple):
    """The library that holds now, and what is to be known of it."""

    library: Library
    """The limits to look with; those that ship where a site's own is not valid."""
    standing: Standing = Standing.VALID
    why: str = ""
    """What is wrong with it, where it is not valid."""
    marker: Marker | None = None
    """None for the one that ships."""

    @property
    def digest(self) -> str:
        """SHA-256 of the signed file; for the library that ships, of its text."""
        if self.marker is not None:
            return self.marker.sha256
        from pumpctl.therapy.library_text import to_toml

        return sha256_of(to_toml(self.library).encode())

    @property
    def warning(self) -> tuple[str, str] | None:
        """Its code and what every command has to say, where it is not valid (LIM-08)."""
        match self.standing:
            case Standing.VALID:
                return None
            case Standing.EXPIRED:
                told = (
                    f"the drug library of {self.library.site}, version {self.library.version}, "
                    f"expired on {self.library.expires}: until another is installed, only a "
                    "resume of the same program and a refill of the same drug with the same "
                    "program go on"
                )
                return "LIBRARY_EXPIRED", told
            case Standing.INVALID:
                told = (
                    f"the site's drug library is not valid: {self.why}; therapy commands refuse "
                    "(stop does not), and limits shown here are those of the library that ships"
                )
                return "LIBRARY_INVALID", told

    def expiring(self, today: Date) -> tuple[str, str] | None:
        """Its code and what is to be said where its last day is near, but not past."""
        last = self.library.expires
        if self.standing is not Standing.VALID or last is None:
            return None
        days = last.number - today.number
        if days > SOON_DAYS:
            return None
        when = f"in {days} day{'' if days == 1 else 's'}" if days else "today"
        told = (
            f"the drug library of {self.library.site}, version {self.library.version}, expires "
            f"soon: its last day is {last}, {when}; install the next one before"
        )
        return "LIBRARY_EXPIRES_SOON", told


class Recorded(NamedTuple):
    """What the journal says: the highest version that was installed, and keys that were revoked."""

    version: int = 0
    sha256: str = ""
    revoked: frozenset[str] = frozenset()


SHIPPED = InForce(DEFAULT)


def sha256_of(data: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


# --- what is in force ------------------------------------------------------------


def look(home: Home, today: Date) -> InForce:
    """What is in force, for a command that changes no therapy. Never raises.

    Costs one question to the file system where nothing of a library was ever here.
    """
    return _in_force(home, today, lambda marker, data: _key_counts(home, marker.key, data))


def verified(home: Home, today: Date, recorded: Recorded) -> InForce:
    """What is in force, for a change of therapy: signature and journal agree. Never raises."""

    def check(marker: Marker, data: bytes) -> None:
        if (marker.version, marker.sha256) != recorded[:2] and marker.version <= recorded.version:
            raise LibraryVersion(
                f"version {recorded.version} was installed here, and this is another one, "
                f"version {marker.version}"
            )
        _key_counts(home, marker.key, data)
        check_signed(home, data, recorded.revoked)

    found = _in_force(home, today, check)
    if found.marker is None and found.standing is Standing.VALID and recorded.version:
        why = f"version {recorded.version} was installed here, and is gone"
        return SHIPPED._replace(standing=Standing.INVALID, why=why)
    return found


def _in_force(home: Home, today: Date, check: Callable[[Marker, bytes], None]) -> InForce:
    try:
        names = listed(home.root)
        if MARKER not in names and home.library.name not in names:
            return SHIPPED
        marker = read_marker(home)
        if marker is None:
            if MARKER in names or listed(_versions(home)):
                return _invalid(f"{MARKER}, which says what is installed, is gone from the home")
            return SHIPPED
        data = _stored(home, marker)
        check(marker, data)
        library = _library_in(data, marker)
    except PumpctlError as error:
        return _invalid(error.message)
    except (OSError, ValueError, RecursionError) as error:
        return _invalid(str(error))
    standing = Standing.EXPIRED if library.expired(today) else Standing.VALID
    return InForce(library, standing, "", marker)


def _invalid(why: str) -> InForce:
    return SHIPPED._replace(standing=Standing.INVALID, why=why)


def _stored(home: Home, marker: Marker) -> bytes:
    data = read_file(stored_path(home, marker))
    if sha256_of(data) != marker.sha256:
        raise LibrarySignature(f"version {marker.version} was changed after it was installed")
    return data


def _library_in(data: bytes, marker: Marker) -> Library:
    from pumpctl.station.library_trailer import taken_apart
    from pumpctl.therapy.library_file import read_library_bytes

    parts = taken_apart(data)
    reading = read_library_bytes(data if parts is None else parts.body, "the installed library")
    library = reading.library
    if library is None or reading.hard:
        names = ", ".join(sorted({each.id for each in reading.hard}))
        raise LibraryFaulty(f"the installed library has hard findings: {names}")
    if (library.site, library.version) != marker[:2]:
        raise LibraryVersion("the installed library is not the one that its marker names")
    return library


# --- signatures ------------------------------------------------------------------


def _key_counts(home: Home, key: str, data: bytes) -> None:
    """The signer's key is one that counts here, and the file says that it is the signer's."""
    from pumpctl.station.library_trailer import taken_apart

    parts = taken_apart(data)
    if parts is None or parts.key != key:
        raise LibrarySignature("the installed library is not signed by the key of its marker")
    trusted_key(home, key, frozenset())


def trusted_key(home: Home, key: str, revoked: frozenset[str]) -> LibraryKey:
    """The key of this id, where it counts; LibrarySignature where it does not."""
    from pumpctl.station.library_keys import find_key

    known = find_key(home, key)
    if known is None:
        raise LibrarySignature(
            f"it is signed by key {key}, which is not trusted here",
            hint="pumpctl library keys --trust FILE --as NAME trusts a key",
        )
    if not known.counts or key in revoked:
        raise LibrarySignature(f"it is signed by key {key} ({known.name}), which was revoked")
    return known


def check_signed(home: Home, data: bytes, revoked: frozenset[str]) -> tuple[Signed, LibraryKey]:
    """The parts of a file that a trusted key has signed; LibrarySignature for any other."""
    from pumpctl.station.library_signing import check_signature
    from pumpctl.station.library_trailer import taken_apart

    parts = taken_apart(data)
    if parts is None:
        raise LibrarySignature("it is not signed", hint="pumpctl library sign FILE --key NAME")
    known = trusted_key(home, parts.key, revoked)
    check_signature(parts, known)
    return parts, known


# --- files, journal ------------------------------------------------------


def _versions(home: Home) -> Path:
    return home.library / "versions"


def stored_path(home: Home, marker: Marker) -> Path:
    """Where an installed library lies, as it was signed."""
    return _versions(home) / f"{marker.version}-{marker.sha256[:16]}.toml"


def recorded_in(journal: Journal) -> Recorded:
    """What the journal says of this station's libraries."""
    from pumpctl.station.journal import STATION

    version, sha256 = 0, ""
    revoked = set()
    for entry in journal.entries(pump=STATION):
        body: dict[str, Any] = entry.body
        if entry.kind != "library":
            continue
        if body["what"] == "installed" and body["version"] > version:
            version, sha256 = body["version"], body["sha256"]
        elif body["what"] == "revoked":
            revoked.add(body["key"])
    return Recorded(version, sha256, frozenset(revoked))
