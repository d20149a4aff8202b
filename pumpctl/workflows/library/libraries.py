"""Drug libraries at work: which one is in force, and checking and signing one.

Nothing here asks a pump. A command that changes therapy comes through
`library_for_change`; every other asks `library_in_force`. Installing one is in
`library_install`.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pumpctl.errors import (
    LibraryFaulty,
    LibraryInvalid,
    LibrarySignature,
    LibrarySyntax,
    StoreError,
    UsageError,
)
from pumpctl.named import NamedTuple
from pumpctl.station import library_store as store
from pumpctl.station.library_files import is_there, listed, may_write, read_file
from pumpctl.station.library_store import InForce, Recorded, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pumpctl.station.home import Home
    from pumpctl.station.journal import Journal
    from pumpctl.station.library_keys import LibraryKey
    from pumpctl.therapy.findings import Finding
    from pumpctl.therapy.library import Library
    from pumpctl.therapy.library_file import LibraryReading
    from pumpctl.therapy.moment import Date
    from pumpctl.workflows.surroundings import Station
    from pumpctl.workflows.visit import Visit


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
    """What is in force, looked at as strictly as for a change of therapy; it only reads.

    StoreError where the home cannot be read.
    """
    recorded = Recorded()
    if station.home.journal.name in listed(station.home.root):
        with journal_to_read(station) as journal:
            recorded = store.recorded_in(journal)
    return store.verified(station.home, station.wall().date, recorded)


def need_valid(found: InForce) -> InForce:
    """The same, or LibraryInvalid."""
    if found.standing is Standing.INVALID:
        raise LibraryInvalid(f"the site's drug library is not valid: {found.why}")
    return found


# --- check and sign -----------------------------------------------------------------


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


def check_file(station: Station, path: Path) -> CheckedLibrary:
    """Read and check a library, signed or not, as it would be for an installation today.

    `-` is standard input.
    """
    from pumpctl.station.library_trailer import taken_apart
    from pumpctl.therapy.library_file import read_library_bytes

    data = _standard_input() if str(path) == "-" else read_given(path)
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

    Raises LibraryFaulty with the findings where a hard one stands in the way,
    LibrarySignature where the key was revoked here.
    """
    from pumpctl.station.home import write_whole
    from pumpctl.station.library_keys import find_key
    from pumpctl.station.library_signing import read_private, signed
    from pumpctl.station.library_trailer import unsigned
    from pumpctl.therapy.toml_text import MAX_BYTES

    try:
        data = unsigned(read_given(path))
    except LibrarySignature as error:
        hint = "remove the lines that begin with #:sign, then sign it again"
        raise LibrarySignature(f"{path}: {error.message}", hint=hint) from error
    library, _ = faultless(path, data, station.wall().date)
    if out is not None and is_there(out):
        raise UsageError(f"{out} is there already", hint="choose another name, or leave -o out")
    whole, named = signed(data, read_private(_private_path(station.home, key), passphrase))
    if len(whole) > MAX_BYTES:
        raise LibraryFaulty(f"{path}: signed it has {len(whole)} bytes, at most are {MAX_BYTES}")
    known = find_key(station.home, named)
    if known is not None and known.revoked is not None:
        raise LibrarySignature(
            f"nothing is signed: key {named} ({known.name}) was revoked by {known.revoked_by} "
            f"at {known.revoked}",
            hint="sign with another key; pumpctl library keys lists them",
        )
    write_whole(out or path, whole, 0o644)
    counts = known is not None and known.counts
    return SignedLibrary(library, out or path, named, store.sha256_of(whole), counts)


def counted(count: int, what: str) -> str:
    """`1 soft finding`, `2 soft findings`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def faultless(path: Path, body: bytes, today: Date | None) -> tuple[Library, tuple[Finding, ...]]:
    """The library and its soft findings; LibraryFaulty where it has a hard one."""
    from pumpctl.therapy.library_file import read_library_bytes

    reading = read_library_bytes(body, str(path), today)
    if reading.library is None or reading.hard:
        raise LibraryFaulty(
            f"{path}: {counted(len(reading.hard), 'hard finding')}", findings=reading.hard
        )
    return reading.library, reading.soft


def read_given(path: Path) -> bytes:
    """A file that was named on the command line; LibrarySyntax where it cannot be read."""
    try:
        return read_file(path)
    except StoreError as error:
        raise LibrarySyntax(error.message, hint="is this the right file?") from error


def _standard_input() -> bytes:
    import sys

    from pumpctl.therapy.toml_text import MAX_BYTES

    if sys.stdin is None:
        raise LibrarySyntax("standard input cannot be read: it is closed", hint="name a file")
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise LibrarySyntax(f"standard input cannot be read: {error}", hint="") from error


def _private_path(home: Home, key: str) -> Path:
    """A key made here, by its name, or a file."""
    from pumpctl.station.library_keys import key_folder

    own = key_folder(home) / f"{key}.pem"
    if Path(key).name == key and is_there(own):
        return own
    if is_there(Path(key)):
        return Path(key)
    raise UsageError(f"there is no key {key}, here or in a file", hint="pumpctl library keys")


# --- the journal ---------------------------------------------------------------------


def open_journal(station: Station) -> Journal:
    """The journal, its chain whole; StoreError otherwise."""
    return _whole_journal(station.home.journal)


def _whole_journal(path: Path) -> Journal:
    from pumpctl.station.journal import Journal

    journal = Journal(path)
    fault = journal.fault()
    if fault is not None:
        journal.close()
        raise StoreError(f"the journal is damaged: {fault}", hint="restore it, then try again")
    return journal


@contextmanager
def journal_to_read(station: Station) -> Iterator[Journal]:
    """The same for reading; where this user may not write it, a copy of it.

    An open journal writes beside its file even to be read.
    """
    home = station.home
    if may_write(home.root, home.journal):
        with open_journal(station) as journal:
            yield journal
        return
    from shutil import copyfile
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="pumpctl-") as folder:
        copy = Path(folder) / home.journal.name
        try:
            for suffix in ("-wal", ""):  # what was not yet moved into the file, first
                if home.journal.name + suffix in listed(home.root):
                    copyfile(f"{home.journal}{suffix}", f"{copy}{suffix}")
        except OSError as error:
            raise StoreError(f"the journal {home.journal} cannot be read: {error}") from error
        with _whole_journal(copy) as journal:
            yield journal


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
