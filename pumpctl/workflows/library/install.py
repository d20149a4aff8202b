"""Putting a signed drug library in force: who signed it, which version, what was overridden."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pumpctl.errors import LibraryFaulty, LibrarySignature, LibraryVersion, StoreError, UsageError
from pumpctl.named import NamedTuple
from pumpctl.station import library_store as store
from pumpctl.station.library_lock import library_lock
from pumpctl.station.library_marker import Marker, read_marker, write_marker
from pumpctl.station.library_store import InForce, Recorded
from pumpctl.workflows.library.libraries import faultless, note, open_journal, read_given

if TYPE_CHECKING:
    from pumpctl.station.home import Home
    from pumpctl.therapy.findings import Finding
    from pumpctl.therapy.library import Library
    from pumpctl.workflows.surroundings import Station

Overrides = tuple[tuple[str, str], ...]
MAX_STEP = 1_000
"""A version never goes down: one typed much too high would bar every later library."""


class InstalledLibrary(NamedTuple):
    """What an installation came to."""

    marker: Marker
    library: Library
    before: InForce
    changed: bool
    """False where the same file was in force already."""


def install_file(station: Station, path: Path, overrides: Overrides) -> InstalledLibrary:
    """Put a signed library in force at this station (LIM-07).

    Raises LibrarySignature, LibraryFaulty or LibraryVersion where it may not be.
    The order is: the file, the journal, the marker. Cut anywhere, either the old
    one is in force or none, and the same command finishes it. Another installation
    waits until this one is whole, and is then held against its version.
    """
    data = read_given(path)
    today = station.wall().date
    with library_lock(station.home), open_journal(station) as journal:
        recorded = store.recorded_in(journal)
        try:
            parts, key = store.check_signed(station.home, data, recorded.revoked)
        except LibrarySignature as error:
            raise LibrarySignature(f"{path}: {error.message}", hint=error.hint) from error
        before = store.verified(station.home, today, recorded)
        digest = store.sha256_of(data)
        known = digest == recorded.sha256
        # What was installed once is put back as it was, whatever the day.
        library, soft = faultless(path, parts.body, None if known else today)
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
        write_marker(station.home, marker)
    return InstalledLibrary(marker, library, before, changed=True)


def _check_version(home: Home, library: Library, digest: str, recorded: Recorded) -> None:
    """The version is above every one that journal or marker name."""
    newest, newest_digest = recorded.version, recorded.sha256
    try:
        marker = read_marker(home)
    except StoreError:
        marker = None  # damaged: the journal says what counts
    if marker is not None and marker.version > newest:
        newest, newest_digest = marker.version, marker.sha256
    if library.version == newest and digest != newest_digest:
        raise LibraryVersion(
            f"version {newest} is installed already, and this is another one of the same number"
        )
    if library.version > newest + MAX_STEP:
        raise LibraryVersion(
            f"version {library.version} after {newest}: a slip would bar every later one",
            hint=f"number it {newest + 1}; a step is at most {MAX_STEP}",
        )
    if library.version < newest:
        raise LibraryVersion(
            f"this is version {library.version}; version {newest} was installed here"
        )


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
