"""Which keys count: trusted by somebody since some day, or revoked for good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pumpctl.errors import StoreError, UsageError
from pumpctl.station.home import Home
from pumpctl.station.library_keys import (
    LibraryKey,
    find_key,
    keep_trusted,
    known_keys,
    own_keys,
    read_public,
    revoke_key,
    trusted,
    write_public,
)
from tests.helpers.libraries import AT, public_key

PHARMACY = public_key("pharmacy")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def trust(home: Home, key: LibraryKey, name: str) -> LibraryKey:
    made = trusted(home, key, name, at=AT, operator="nurse")
    keep_trusted(home, made)
    return made


@pytest.mark.requirement("SEC-08")
def test_a_key_is_trusted_by_somebody_since_some_day(home: Home) -> None:
    assert find_key(home, PHARMACY.id) is None
    trust(home, PHARMACY, "ward-pharmacy")
    found = find_key(home, PHARMACY.id)
    assert found == PHARMACY._replace(name="ward-pharmacy", trusted=AT, trusted_by="nurse")
    assert found.counts
    assert known_keys(home) == (found,)
    assert not PHARMACY.counts, "a key alone is nothing"


@pytest.mark.requirement("SEC-08")
def test_a_revoked_key_never_counts_again(home: Home) -> None:
    trust(home, PHARMACY, "pharmacy")
    revoked = revoke_key(home, "pharmacy", at="later", operator="doctor")
    assert (revoked.revoked, revoked.revoked_by) == ("later", "doctor")
    found = find_key(home, PHARMACY.id)
    assert found is not None and not found.counts
    for name in ("pharmacy", "again"):
        with pytest.raises(UsageError, match="was revoked by doctor"):
            trust(home, PHARMACY, name)
    with pytest.raises(UsageError, match="was revoked by doctor"):
        revoke_key(home, "pharmacy", at="later", operator="nurse")
    with pytest.raises(UsageError, match="no key is trusted as other"):
        revoke_key(home, "other", at="later", operator="nurse")


def test_names_and_keys_stand_once(home: Home) -> None:
    trust(home, PHARMACY, "pharmacy")
    with pytest.raises(UsageError, match="trusted already, as pharmacy"):
        trust(home, PHARMACY, "second")
    with pytest.raises(UsageError, match="the name of another key"):
        trust(home, public_key("other"), "pharmacy")
    for name in ("", "../up", ".hidden", "a b"):
        with pytest.raises(UsageError, match="no name"):
            trust(home, public_key("other"), name)


def test_the_public_half_travels(home: Home, tmp_path: Path) -> None:
    path = write_public(home, PHARMACY._replace(trusted=AT, trusted_by="nurse"))
    assert own_keys(home) == (PHARMACY,)
    carried = tmp_path / "stick.pub"
    carried.write_bytes(path.read_bytes())
    assert read_public(home, carried) == PHARMACY
    # What somebody wrote about trust into a file that travels counts for nothing.
    forged = {**json.loads(carried.read_text()), "trusted": AT, "trusted_by": "me", "revoked": AT}
    carried.write_text(json.dumps(forged))
    assert read_public(home, carried) == PHARMACY


GOOD = {
    "schema": "pumpctl.library.key/1",
    "name": "x",
    "public": PHARMACY.public.hex(),
    "made": AT,
    "by": "maker",
    "id": PHARMACY.id,
}


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "pumpctl.library.key/2"},
        {"public": "00"},
        {"public": "zz" * 32},
        {"public": 7},
        {"id": "AAAA-AAAA-AAAA-AAAA"},
        {"made": 7},
        {"more": "x"},
        {"public": public_key("other").public.hex()},
    ],
)
def test_what_is_no_key(change: dict[str, object], home: Home, tmp_path: Path) -> None:
    path = tmp_path / "x.pub"
    path.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(UsageError, match="is no public library key"):
        read_public(home, path)
    for missing in GOOD:
        path.write_text(json.dumps({key: value for key, value in GOOD.items() if key != missing}))
        with pytest.raises(UsageError):
            read_public(home, path)
    with pytest.raises(UsageError):
        read_public(home, tmp_path / "gone.pub")


def test_a_damaged_key_hides_no_other(home: Home) -> None:
    trust(home, PHARMACY, "pharmacy")
    (home.library / "trusted" / "a.pub").write_text("{")
    assert find_key(home, PHARMACY.id) is not None
    with pytest.raises(StoreError):
        known_keys(home)
