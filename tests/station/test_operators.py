"""An operator's key and file, and what the journal says of who counts."""

from __future__ import annotations

import base64
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.errors import NotConfirmed, StoreError, UnknownOperator, UsageError
from pumpctl.station import operator_roll, operators
from pumpctl.station.home import Home
from pumpctl.station.journal import GENESIS, STATION, Entry
from pumpctl.station.operator_keys import is_signed, make_signing_key, signer
from pumpctl.station.operator_roll import entry_body, roll_of, signed_text
from pumpctl.station.operators import Operator

PASSPHRASE = "six red onions"
AT = "2026-03-04T05:06:07.000Z"


def counting() -> Callable[[int], bytes]:
    """Bytes that differ from call to call, and are the same in every run."""
    calls = iter(range(1, 1_000))
    return lambda size: bytes([next(calls) % 251]) * size


def person(name: str = "anna", role: str = "clinician", salt: int = 0, **more: Any) -> Operator:
    made = make_signing_key(name, PASSPHRASE, lambda size: bytes([salt + size]) * size)
    return Operator(name, role, made.public, AT, "chief", made.sealed)._replace(**more)


ANNA = person()


# --- the key ---------------------------------------------------------------------------


@pytest.mark.requirement("CNF-04")
def test_only_the_own_passphrase_signs() -> None:
    signature = signer(ANNA, PASSPHRASE)(b"a plan")
    assert is_signed(ANNA.public, b"a plan", signature)
    assert not is_signed(ANNA.public, b"a plam", signature)
    assert not is_signed(person(salt=1).public, b"a plan", signature)
    assert not is_signed(ANNA.public, b"a plan", signature[:-1])
    for wrong in ("", "six red onion", PASSPHRASE.upper(), PASSPHRASE + " ", "\udce9"):
        with pytest.raises(NotConfirmed):
            signer(ANNA, wrong)


def test_a_passphrase_is_the_same_however_its_letters_are_composed() -> None:
    made = make_signing_key("anna", "caf\u00e9 au lait", counting())
    composed = ANNA._replace(public=made.public, sealed=made.sealed)
    assert signer(composed, "cafe\u0301 au lait")(b"") == signer(composed, "caf\u00e9 au lait")(b"")


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 8"):
        make_signing_key("anna", "7777777", counting())
    make_signing_key("anna", "88888888", counting())


@pytest.mark.requirement("SEC-04")
def test_keys_come_from_the_randomness_that_is_handed_in_and_lie_nowhere_bare() -> None:
    sizes: list[int] = []

    def noted(size: int) -> bytes:
        sizes.append(size)
        return bytes([len(sizes)]) * size

    made = make_signing_key("anna", PASSPHRASE, noted)
    assert sizes == [32, 16, 12], "key, salt, nonce"
    assert bytes([1]) * 32 not in base64.b64decode(made.sealed.rpartition(".")[2])
    assert make_signing_key("anna", PASSPHRASE, counting()).public == made.public
    assert make_signing_key("anna", PASSPHRASE, os.urandom).public != made.public


def test_a_key_is_bound_to_its_operator() -> None:
    with pytest.raises(NotConfirmed):
        signer(ANNA._replace(name="ben"), PASSPHRASE)
    with pytest.raises(StoreError, match="halves differ"):
        signer(ANNA._replace(public=person(salt=1).public), PASSPHRASE)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_a_sealed_key_that_was_altered_signs_nothing(data: st.DataObject) -> None:
    sealed = ANNA.sealed or ""
    place = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.sampled_from("AZaz09+/=.").filter(lambda each: each != sealed[place]))
    altered = ANNA._replace(sealed=sealed[:place] + other + sealed[place + 1 :])
    with pytest.raises((NotConfirmed, StoreError)):
        signer(altered, PASSPHRASE)


def test_a_key_that_is_gone_is_told() -> None:
    for sealed in (None, "", "scrypt-30-8-3.chacha20poly1305.AAAA"):
        with pytest.raises(StoreError, match="damaged or not there"):
            signer(ANNA._replace(sealed=sealed), PASSPHRASE)


# --- the file --------------------------------------------------------------------------


def test_a_file_reads_back_and_is_its_owner_s_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert operators.known_operators(home) == ()
    assert not operators.any_operators(home)
    operators.check_acting(home, "whoever")
    operators.prepare_operator(home, ANNA)
    assert operators.find_operator(home, "anna") is None, "prepared is not there yet"
    assert operators.prepared_operator(home, "anna") == ANNA
    operators.put_in_place(home, "anna")
    assert operators.known_operators(home) == (ANNA,)
    assert operators.prepared_operator(home, "anna") is None
    file = home.root / "operators" / "known" / "anna.json"
    if os.name != "nt":
        assert file.stat().st_mode & 0o777 == 0o600
    assert home.operators() == (), "a key to pumps is something else"


def test_who_may_act(tmp_path: Path) -> None:
    home = Home(tmp_path)
    operators.keep_operator(home, ANNA)
    operators.keep_operator(home, person("ben", revoked=AT, revoked_by="chief", sealed=None))
    operators.check_acting(home, "anna")
    with pytest.raises(UnknownOperator, match="carl is no operator"):
        operators.check_acting(home, "carl")
    with pytest.raises(UnknownOperator, match="ben was revoked by chief at 2026"):
        operators.check_acting(home, "ben")


def test_of_a_pump_no_more_is_asked_than_the_role_here(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert operators.role_to_ask(home, "anna", "admin") == "admin", "nobody was added"
    for role, wanted, asked in (
        ("observer", "admin", "observer"),
        ("clinician", "admin", "clinician"),
        ("clinician", "observer", "observer"),
        ("engineer", "clinician", "engineer"),
        ("admin", "admin", "admin"),
    ):
        operators.keep_operator(home, person(role=role))
        assert operators.role_to_ask(home, "anna", wanted) == asked


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "other"},
        {"id": "AAAA-AAAA-AAAA-AAAA"},
        {"public": "zz"},
        {"public": "00"},
        {"public": 7},
        {"role": "surgeon"},
        {"role": ["admin"]},
        {"name": "ben"},
        {"revoked": AT},
        {"more": 1},
        {"added": None},
        {"sealed": 3},
    ],
    ids=str,
)
def test_a_damaged_file_is_told_and_makes_nobody_an_operator(
    change: dict[str, Any], tmp_path: Path
) -> None:
    home = Home(tmp_path)
    operators.keep_operator(home, ANNA)
    file = tmp_path / "operators" / "known" / "anna.json"
    file.write_text(json.dumps({**json.loads(file.read_text("ascii")), **change}), "ascii")
    for look in (operators.known_operators, lambda home: operators.find_operator(home, "anna")):
        with pytest.raises(StoreError, match="damaged"):
            look(home)
    with pytest.raises(StoreError):
        operators.check_acting(home, "anna")


# --- the journal -----------------------------------------------------------------------

CHIEF, BEN = person("chief", "admin", 7), person("ben", "clinician", 9)
OTHER_CHIEF = person("chief", "admin", 11)


@functools.cache
def signing(by: Operator) -> Callable[[bytes], bytes]:
    return signer(by, PASSPHRASE)


def entry(what: str, about: Operator, by: Operator, **more: Any) -> Entry:
    """An entry as it is written; `more` alters its body afterwards."""
    told = (what, about.name, about.role, about.public, by.name)
    body = entry_body(*told, signing(by)(signed_text(*told, AT)))
    return Entry(1, AT, "operator", STATION, None, {**body, **more}, GENESIS, GENESIS)


FIRST, SECOND = entry("added", CHIEF, CHIEF), entry("added", ANNA, CHIEF)


@pytest.mark.requirement("CNF-04")
def test_the_roll_follows_what_admins_signed() -> None:
    elsewhere = FIRST._replace(pump="SP40-000001", body={"what": "granted"})
    roll = roll_of([FIRST, elsewhere._replace(kind="intent"), elsewhere, SECOND])
    assert {name: (told.role, told.counts) for name, told in roll.items()} == {
        "chief": ("admin", True),
        "anna": ("clinician", True),
    }
    promoted = ANNA._replace(role="admin")
    changed = [FIRST, SECOND, entry("role", promoted, CHIEF), entry("revoked", CHIEF, promoted)]
    roll = roll_of(changed)
    assert (roll["anna"].role, roll["chief"].counts, roll["chief"].by) == ("admin", False, "anna")
    assert roll_of([*changed, entry("added", BEN, promoted)])["ben"].counts


@pytest.mark.requirement("CNF-04")
@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([entry("added", ANNA, ANNA)], id="the first is no admin"),
        pytest.param([SECOND], id="signed by nobody of the station"),
        pytest.param([FIRST, entry("added", ANNA, ANNA)], id="signed by oneself"),
        pytest.param([FIRST, SECOND, entry("added", BEN, ANNA)], id="by a clinician"),
        pytest.param([FIRST, entry("added", ANNA, CHIEF, role="admin")], id="another role"),
        pytest.param(
            [FIRST, entry("added", ANNA, CHIEF, public=BEN.public.hex())], id="another key"
        ),
        pytest.param([FIRST, entry("added", ANNA, CHIEF, name="ben")], id="another name"),
        pytest.param([FIRST, SECOND._replace(at="2027")], id="another time"),
        pytest.param([FIRST, SECOND, SECOND], id="added twice"),
        pytest.param([FIRST, entry("revoked", ANNA, CHIEF)], id="revoked, never added"),
        pytest.param(
            [FIRST, SECOND, entry("revoked", ANNA, CHIEF), entry("role", ANNA, CHIEF)],
            id="back after a revocation",
        ),
        pytest.param(
            [FIRST, SECOND, entry("role", ANNA, OTHER_CHIEF)],
            id="signed with another key of that name",
        ),
        pytest.param([FIRST, entry("invited", ANNA, CHIEF)], id="another word"),
        pytest.param([FIRST, entry("added", ANNA, CHIEF, role="surgeon")], id="no role"),
        pytest.param([FIRST, entry("added", ANNA, CHIEF, signature="zz")], id="no signature"),
        pytest.param([FIRST._replace(body={"what": "added"})], id="half an entry"),
    ],
)
def test_an_entry_that_no_admin_signed_makes_nobody(entries: list[Entry]) -> None:
    with pytest.raises(StoreError, match="not signed by an admin"):
        roll_of(entries)


def test_without_the_look_at_signatures_a_forged_entry_makes_an_operator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forged = [FIRST, entry("added", ANNA, CHIEF, signature="00" * 64)]
    with pytest.raises(StoreError):
        roll_of(forged)
    monkeypatch.setattr(operator_roll, "is_signed", lambda *_: True)
    assert roll_of(forged)["anna"].counts
