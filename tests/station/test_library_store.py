"""Which library is in force: nothing that was put into the home by hand takes its place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pumpctl.station import library_store as store
from pumpctl.station.home import Home
from pumpctl.station.journal import STATION, Journal
from pumpctl.station.library_files import read_file
from pumpctl.station.library_keys import keep_trusted, revoke_key, trusted
from pumpctl.station.library_marker import Marker, marker_path, write_marker
from pumpctl.station.library_store import InForce, Recorded, Standing
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import Date
from tests.helpers.libraries import AT, private_key, public_key, signed_file, site_library

TODAY = Date.parse("2026-03-31")
WITH_LINKS = pytest.mark.skipif(os.name == "nt", reason="a link needs a privilege there")


class Kept(NamedTuple):
    """What an installation left."""

    marker: Marker
    recorded: Recorded


class Desk:
    """A home into which libraries are put as `library install` does."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root / "home")
        self._files = root
        self.trust("pharmacy")

    def trust(self, name: str) -> None:
        key = trusted(self.home, public_key(name), name, at=AT, operator="nurse")
        keep_trusted(self.home, key)

    def put(self, text: str, name: str = "pharmacy") -> Kept:
        """Install without asking anything."""
        data = signed_file(self._files / "x.toml", text, name).read_bytes()
        version = int(text.partition("\nversion = ")[2].partition("\n")[0])
        digest = store.sha256_of(data)
        marker = Marker("st-elsewhere", version, digest, public_key(name).id, AT, "nurse")
        self.home.write_bytes(store.stored_path(self.home, marker), data)
        write_marker(self.home, marker)
        return Kept(marker, Recorded(version, digest))

    def look(self, today: Date = TODAY) -> InForce:
        return store.look(self.home, today)

    def verified(self, recorded: Recorded, today: Date = TODAY) -> InForce:
        return store.verified(self.home, today, recorded)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- none of a site's ------------------------------------------------------------------


@pytest.mark.requirement("LIM-08")
def test_a_station_that_never_had_one_uses_the_one_that_ships(tmp_path: Path, desk: Desk) -> None:
    for home in (Home(tmp_path / "nothing"), desk.home):
        for found in (store.look(home, TODAY), store.verified(home, TODAY, Recorded())):
            assert found.library is DEFAULT
            assert (found.standing, found.marker, found.warning) == (Standing.VALID, None, None)
            assert len(found.digest) == 64


@pytest.mark.requirement("LIM-08")
def test_a_home_that_is_a_file_is_not_one_without_a_library(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "home"):
        found = store.look(Home(root), TODAY)
        assert found.standing is Standing.INVALID
        assert "Not a directory" in found.why


def test_a_station_that_never_had_one_is_asked_one_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.journal.write_text("")
    asked: list[Path] = []
    real = os.listdir

    def counting(path: Path) -> list[str]:
        asked.append(path)
        return real(path)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a second question")

    monkeypatch.setattr(os, "listdir", counting)
    for name in ("stat", "lstat", "open", "exists", "read_text"):
        monkeypatch.setattr(Path, name, never)
    assert store.look(home, TODAY) == store.SHIPPED
    assert asked == [home.root]


# --- a site's own ------------------------------------------------------------------------


@pytest.mark.requirement("LIM-07")
def test_a_site_s_own_is_in_force(desk: Desk) -> None:
    kept = desk.put(site_library(3))
    for found in (desk.look(), desk.verified(kept.recorded), desk.verified(Recorded())):
        assert found.standing is Standing.VALID
        assert found.library.version == 3
        assert found.marker == kept.marker
        assert found.digest == kept.marker.sha256
        assert found.warning is None


@pytest.mark.requirement("LIM-08")
def test_its_last_day_counts(desk: Desk) -> None:
    kept = desk.put(site_library(expires=str(TODAY)))
    assert desk.verified(kept.recorded).standing is Standing.VALID
    late = TODAY.plus(1)
    for found in (desk.look(late), desk.verified(kept.recorded, late)):
        assert found.standing is Standing.EXPIRED
        assert found.library.site == "st-elsewhere", "its limits are still the site's"
        assert found.warning is not None
        code, words = found.warning
        assert code == "LIBRARY_EXPIRED"
        assert "a resume of the same program and a refill of the same drug" in words


@pytest.mark.requirement("LIM-07")
@pytest.mark.requirement("SEC-08")
def test_a_newer_one_than_the_journal_knows_is_taken_and_an_older_never(desk: Desk) -> None:
    old = desk.put(site_library(1))
    new = desk.put(site_library(2))
    assert desk.verified(old.recorded).library.version == 2
    write_marker(desk.home, old.marker)
    assert desk.look().library.version == 1, "a look cannot see it: it opens no journal"
    found = desk.verified(new.recorded)
    assert found.standing is Standing.INVALID
    assert "version 2 was installed here, and this is another one, version 1" in found.why


@pytest.mark.requirement("LIM-08")
@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "today"), (1, "in 1 day;"), (30, "in 30 days"), (31, None), (-1, None)],
)
def test_the_last_days_are_told(days: int, said: str | None, desk: Desk) -> None:
    desk.put(site_library(expires=str(TODAY.plus(days))))
    told = desk.look().expiring(TODAY)
    if said is None:
        assert told is None
    else:
        assert told is not None
        assert told[0] == "LIBRARY_EXPIRES_SOON" and said in told[1]
    assert store.SHIPPED.expiring(TODAY) is None


def two_of_one_version(desk: Desk) -> Kept:
    kept = desk.put(site_library(1))
    desk.put(site_library(1, expires="2998-01-01"))
    return kept


def nothing(_: Desk) -> None:
    """The files as they were put."""


def folder_gone(desk: Desk) -> None:
    shutil.rmtree(desk.home.library)


def marker_gone(desk: Desk) -> None:
    marker_path(desk.home).unlink()


def library_gone(desk: Desk) -> None:
    shutil.rmtree(desk.home.library / "versions")


def all_gone(desk: Desk) -> None:
    marker_gone(desk)
    folder_gone(desk)


def both_gone(desk: Desk) -> None:
    marker_gone(desk)
    library_gone(desk)


def folder_is_a_file(desk: Desk) -> None:
    folder_gone(desk)
    desk.home.library.write_text("")


def versions_is_a_file(desk: Desk) -> None:
    both_gone(desk)
    (desk.home.library / "versions").write_text("")


def marker_leads_nowhere(desk: Desk) -> None:
    both_gone(desk)
    marker_path(desk.home).symlink_to("nowhere")


def byte_changed(desk: Desk) -> None:
    (file,) = (desk.home.library / "versions").iterdir()
    file.write_bytes(file.read_bytes().replace(b"3000 mcg/day", b"9000 mcg/day", 1))


def marker_with(**change: Any) -> Callable[[Desk], None]:
    def write(desk: Desk) -> None:
        path = marker_path(desk.home)
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    return write


def marker_says(text: str) -> Callable[[Desk], None]:
    def write(desk: Desk) -> None:
        marker_path(desk.home).write_text(text, "utf-8")

    return write


def key_gone(desk: Desk) -> None:
    (desk.home.library / "trusted" / "pharmacy.pub").unlink()


def key_revoked(desk: Desk) -> None:
    revoke_key(desk.home, "pharmacy", at=AT, operator="nurse")


def unsigned_in_its_place(desk: Desk) -> None:
    """As somebody would who knows how it is kept, but has no key."""
    data = site_library(9).encode()
    marker = Marker("st-elsewhere", 9, store.sha256_of(data), public_key("pharmacy").id, AT, "me")
    desk.home.write_bytes(store.stored_path(desk.home, marker), data)
    write_marker(desk.home, marker)


def signed_by_nobody_known(desk: Desk) -> None:
    desk.put(site_library(9), "stranger")


def with_a_hard_finding(desk: Desk) -> None:
    desk.put(site_library(9, issued="2999-01-01", expires="2998-01-01"))


def of_another_site(desk: Desk) -> None:
    desk.put(site_library(9, site="elsewhere"))


def no_library_at_all(desk: Desk) -> None:
    desk.put('x = "\nversion = 9\n')


def a_folder_in_its_place(desk: Desk) -> None:
    (file,) = (desk.home.library / "versions").iterdir()
    file.unlink()
    file.mkdir()


BOTH = [
    folder_gone, marker_gone, library_gone, folder_is_a_file, versions_is_a_file,
    pytest.param(marker_leads_nowhere, marks=WITH_LINKS), byte_changed, key_gone,
    key_revoked, unsigned_in_its_place, signed_by_nobody_known, with_a_hard_finding,
    of_another_site, no_library_at_all, a_folder_in_its_place,
    marker_with(version=2), marker_with(version="1"), marker_with(version=True),
    marker_with(sha256="0" * 64), marker_with(sha256="../" * 20 + "1234"), marker_with(sha256="0"),
    marker_with(site="elsewhere"), marker_with(site=7), marker_with(more="x"),
    marker_with(key=public_key("stranger").id), marker_with(schema="x/1"),
    marker_says(""), marker_says("[]"), marker_says("{}"), marker_says("[" * 100_000),
    marker_says("\u00b5"),
]  # fmt: skip


def named(function: object) -> str:
    return getattr(function, "__qualname__", "x").partition(".")[0]


@pytest.mark.requirement("LIM-08")
@pytest.mark.requirement("SEC-08")
@pytest.mark.parametrize("spoil", BOTH, ids=named)
def test_what_was_put_there_by_hand_is_not_valid(spoil: Callable[[Desk], None], desk: Desk) -> None:
    kept = desk.put(site_library(1))
    assert desk.verified(kept.recorded).standing is Standing.VALID
    spoil(desk)
    for found in (desk.look(), desk.verified(kept.recorded)):
        assert found.standing is Standing.INVALID
        assert found.library is DEFAULT, "for looking only"
        assert found.why
        assert found.warning is not None
        assert found.warning[0] == "LIBRARY_INVALID" and found.why in found.warning[1]


@pytest.mark.requirement("LIM-07")
@pytest.mark.requirement("LIM-08")
@pytest.mark.parametrize("spoil", [all_gone, both_gone, two_of_one_version], ids=named)
def test_only_the_journal_can_tell(spoil: Callable[[Desk], object], desk: Desk) -> None:
    kept = desk.put(site_library(1))
    spoil(desk)
    assert desk.look().standing is Standing.VALID
    assert desk.verified(kept.recorded).standing is Standing.INVALID


@pytest.mark.requirement("SEC-08")
def test_a_signature_is_verified_before_therapy(desk: Desk) -> None:
    """A file with the right key's name and another's signature: its digest is in the marker."""
    data = signed_file(desk.home.root.parent / "x.toml", site_library(9), "stranger").read_bytes()
    forged = data.replace(public_key("stranger").id.encode(), public_key("pharmacy").id.encode())
    digest = store.sha256_of(forged)
    marker = Marker("st-elsewhere", 9, digest, public_key("pharmacy").id, AT, "me")
    desk.home.write_bytes(store.stored_path(desk.home, marker), forged)
    write_marker(desk.home, marker)
    assert desk.look().standing is Standing.VALID
    assert "was changed after it was signed" in desk.verified(Recorded()).why


@pytest.mark.requirement("SEC-08")
def test_the_journal_knows_a_revoked_key_whose_file_was_put_back(desk: Desk) -> None:
    kept = desk.put(site_library(1))
    revoked = kept.recorded._replace(revoked=frozenset({public_key("pharmacy").id}))
    assert "was revoked" in desk.verified(revoked).why


def test_a_home_that_cannot_be_read_is_not_valid(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = desk.put(site_library(1))
    real = os.listdir
    for folder in (desk.home.root, desk.home.library / "trusted"):

        def denied(path: Path, barred: Path = folder) -> Any:
            if path == barred:
                raise PermissionError(13, "Permission denied")
            return real(path)

        monkeypatch.setattr(os, "listdir", denied)
        for found in (desk.look(), desk.verified(kept.recorded)):
            assert found.standing is Standing.INVALID
            assert found.why == f"{folder} cannot be read: Permission denied"


# --- the journal --------------------------------------------------------------------------


@pytest.mark.requirement("LIM-07")
def test_what_the_journal_says(desk: Desk) -> None:
    bodies: list[dict[str, Any]] = [
        {"what": "trusted", "key": "A"},
        {"what": "installed", "version": 2, "sha256": "b"},
        {"what": "installed", "version": 7, "sha256": "first"},
        {"what": "installed", "version": 7, "sha256": "second"},
        {"what": "installed", "version": 3, "sha256": "c"},
        {"what": "revoked", "key": "A"},
    ]
    with Journal(desk.home.journal) as journal:
        assert store.recorded_in(journal) == Recorded()
        for body in bodies:
            journal.append("library", at=AT, pump=STATION, operation=None, body=body)
        journal.append("reason", at=AT, pump=STATION, operation=None, body={})
        assert store.recorded_in(journal) == Recorded(7, "first", frozenset({"A"}))
        assert journal.fault() is None
        assert journal.unresolved() == []


def test_the_helper_s_key_is_the_one_that_signs(desk: Desk) -> None:
    kept = desk.put(site_library(1))
    data = read_file(store.stored_path(desk.home, kept.marker))
    parts, key = store.check_signed(desk.home, data, frozenset())
    private_key("pharmacy").public_key().verify(parts.signature, parts.message)
    assert key.name == "pharmacy"
