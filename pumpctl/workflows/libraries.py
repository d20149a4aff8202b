"""Drug libraries at work: which one is in force, and checking, signing, installing one.

Nothing here asks a pump. A command that changes therapy comes through
`library_for_change`; every other asks `library_in_force`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pumpctl.errors import (
    LibraryFaulty,
    LibraryInvalid,
    LibrarySignature,
    LibrarySyntax,
    LibraryVersion,
    StoreError,
    UsageError,
)
from pumpctl.station import library_store as store
from pumpctl.station.library_store import InForce, Marker, Recorded, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from pumpctl.station.home import Home
    from pumpctl.station.journal import Journal
    from pumpctl.station.library_keys import LibraryKey
    from pumpctl.therapy.findings import Finding
    from pumpctl.therapy.library import Library
    from pumpctl.therapy.library_file import LibraryReading
    from pumpctl.therapy.moment import Date
    from pumpctl.workflows.surroundings import Station
    from pumpctl.workflows.visit import Visit

Overrides = tuple[tuple[str, str], ...]


def library_in_force(home: Home, today: Date) -> InForce:
    """The library of this station, for whatever changes no therapy. Never raises."""
    return store.look(home, today)


def library_for_change(visit: Visit, journal: Journal) -> InForce:
    """The library that a change of therapy is held against; LibraryInvalid without one (LIM-08).

    Its signature is verified, and the journal says that it is no older one. It may
    have expired: what is still possible then is a check's matter.
    """
    recorded = store.recorded_in(journal)
    return need_valid(store.verified(visit.station.home, visit.now().date, recorded))


def library_examined(station: Station) -> InForce:
    """What is in force, looked at as strictly as for a change of therapy."""
    recorded = Recorded()
    if station.home.journal.exists():
        with open_journal(station) as journal:
            recorded = store.recorded_in(journal)
    return store.verified(station.home, station.wall().date, recorded)


def need_valid(found: InForce) -> InForce:
    """The same, or LibraryInvalid."""
    if found.standing is Standing.INVALID:
        raise LibraryInvalid(f"the site's drug library is not valid: {found.why}")
    return found


# --- check, sign, install ----------------------------------------------------------


class CheckedLibrary(NamedTuple):
    """A library's file, looked at."""

    reading: LibraryReading
    signed: bool
    key: LibraryKey | None
    """Whose signature it bears, where that key counts here and the signature is right."""
    wrong: str
    """What is wrong with its signature, where it has one."""


class SignedLibrary(NamedTuple):
    """A file that was signed."""

    library: Library
    path: Path
    key: str
    sha256: str
    trusted: bool
    """Whether the key counts at this station."""


class InstalledLibrary(NamedTuple):
    """What an installation came to."""

    marker: Marker
    library: Library
    before: InForce
    changed: bool
    """False where the same file was in force already."""


def check_file(station: Station, path: Path) -> CheckedLibrary:
    """Read and check a library, signed or not, as it would be for an installation today."""
    from pumpctl.station.library_trailer import taken_apart
    from pumpctl.therapy.library_file import read_library_bytes

    data = _read(path)
    body, key, wrong = data, None, ""
    signed = True
    try:
        parts = taken_apart(data)
        signed = parts is not None
        if parts is not None:
            body = parts.body
            key = store.check_signed(station.home, data, frozenset())[1]
    except LibrarySignature as error:
        wrong = error.message
    reading = read_library_bytes(body, str(path), station.wall().date)
    return CheckedLibrary(reading, signed, key, wrong)


def sign_file(
    station: Station, path: Path, key: str, out: Path | None, passphrase: Callable[[], str]
) -> SignedLibrary:
    """Sign a library with a key of this station's or of a file; written to `out`, or in place.

    Raises LibraryFaulty with the findings where a hard one stands in the way.
    """
    from pumpctl.station.home import write_whole
    from pumpctl.station.library_keys import find_key
    from pumpctl.station.library_signing import read_private, signed
    from pumpctl.station.library_trailer import unsigned

    try:
        data = unsigned(_read(path))
    except LibrarySignature as error:
        hint = "remove the lines that begin with #:sign, then sign it again"
        raise LibrarySignature(f"{path}: {error.message}", hint=hint) from error
    library, _ = _faultless(path, data, station.wall().date)
    if out is not None and out.exists():
        raise UsageError(f"{out} is there already", hint="choose another name, or leave -o out")
    whole, named = signed(data, read_private(_private_path(station.home, key), passphrase))
    write_whole(out or path, whole, 0o644)
    known = find_key(station.home, named)
    counts = known is not None and known.counts
    return SignedLibrary(library, out or path, named, store.sha256_of(whole), counts)


def install_file(station: Station, path: Path, overrides: Overrides) -> InstalledLibrary:
    """Put a signed library in force at this station (LIM-07).

    Raises LibrarySignature, LibraryFaulty or LibraryVersion where it may not be.
    The order is: the file, the journal, the marker. Cut anywhere, either the old
    one is in force or none, and the same command finishes it.
    """
    data = _read(path)
    today = station.wall().date
    with open_journal(station) as journal:
        recorded = store.recorded_in(journal)
        try:
            parts, key = store.check_signed(station.home, data, recorded.revoked)
        except LibrarySignature as error:
            raise LibrarySignature(f"{path}: {error.message}", hint=error.hint) from error
        before = store.verified(station.home, today, recorded)
        digest = store.sha256_of(data)
        known = digest == recorded.sha256
        # What was installed once is put back as it was, whatever the day.
        library, soft = _faultless(path, parts.body, None if known else today)
        if known and before.marker is not None and before.marker.sha256 == digest:
            return InstalledLibrary(before.marker, library, before, changed=False)
        if not known:
            _check_version(station.home, library, digest, recorded)
        named = [] if known else _overridden(path, soft, overrides)
        at = str(station.wall())
        marker = Marker(library.site, library.version, digest, key.id, at, station.operator)
        station.home.write_bytes(store.stored_path(station.home, marker), data)
        if not known:
            note(station, journal, "installed", {**marker._asdict(), "overrides": named})
        store.write_marker(station.home, marker)
    return InstalledLibrary(marker, library, before, changed=True)


def _check_version(home: Home, library: Library, digest: str, recorded: Recorded) -> None:
    """The version is above every one that journal or marker name."""
    newest, newest_digest = recorded.version, recorded.sha256
    try:
        marker = store.read_marker(home)
    except StoreError:
        marker = None  # damaged: the journal says what counts
    if marker is not None and marker.version > newest:
        newest, newest_digest = marker.version, marker.sha256
    if library.version == newest and digest != newest_digest:
        raise LibraryVersion(
            f"version {newest} is installed already, and this is another one of the same number"
        )
    if library.version < newest:
        raise LibraryVersion(
            f"this is version {library.version}; version {newest} was installed here"
        )


def _faultless(path: Path, body: bytes, today: Date | None) -> tuple[Library, tuple[Finding, ...]]:
    """The library and its soft findings; LibraryFaulty where it has a hard one."""
    from pumpctl.therapy.library_file import read_library_bytes

    reading = read_library_bytes(body, str(path), today)
    if reading.library is None or reading.hard:
        raise LibraryFaulty(
            f"{path}: {len(reading.hard)} hard finding{'s' if len(reading.hard) > 1 else ''}",
            findings=reading.hard,
        )
    return reading.library, reading.soft


def _overridden(
    path: Path, soft: tuple[Finding, ...], overrides: Overrides
) -> list[dict[str, str]]:
    """Each soft finding's reason; LibraryFaulty where one has none (LIM-02)."""
    names = {each.id for each in soft}
    for name, _ in overrides:
        if name not in names:
            raise UsageError(
                f"--override {name}: there is no soft finding of that name",
                hint=f"soft findings here: {', '.join(sorted(names)) or 'none'}",
            )
    still = tuple(each for each in soft if each.id not in {name for name, _ in overrides})
    if still:
        raise LibraryFaulty(
            f"{path}: soft findings without a reason: "
            + ", ".join(sorted({each.id for each in still})),
            hint="install it again with --override ID=REASON for each of them, or change it",
            findings=still,
        )
    return [{"id": name, "reason": reason} for name, reason in overrides]


def _read(path: Path) -> bytes:
    try:
        return store.read_file(path)
    except StoreError as error:
        raise LibrarySyntax(error.message, hint="is this the right file?") from error


def _private_path(home: Home, key: str) -> Path:
    """A key made here, by its name, or a file."""
    from pumpctl.station.library_keys import key_folder

    own = key_folder(home) / f"{key}.pem"
    if Path(key).name == key and own.exists():
        return own
    if Path(key).is_file():
        return Path(key)
    raise UsageError(f"there is no key {key}, here or in a file", hint="pumpctl library keys")


# --- the journal ---------------------------------------------------------------------


def open_journal(station: Station) -> Journal:
    """The journal, its chain whole; StoreError otherwise."""
    from pumpctl.station.journal import Journal

    journal = Journal(station.home.journal)
    fault = journal.fault()
    if fault is not None:
        journal.close()
        raise StoreError(f"the journal is damaged: {fault}", hint="restore it, then try again")
    return journal


def note(station: Station, journal: Journal, what: str, body: dict[str, object]) -> None:
    """Write down what became of a library or a key of one."""
    from pumpctl.station.journal import STATION

    journal.append(
        "library",
        at=str(station.wall()),
        pump=STATION,
        operation=None,
        body={"operator": station.operator, **body, "what": what},
    )
