"""`operator add|list|revoke`, and who acts on a pump once there are operators."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pumpctl.station import operators as known
from pumpctl.station.home import Home
from pumpctl.station.journal import Journal
from pumpctl.workflows import visit
from tests.helpers.desk import SCRIPT, Desk, environment
from tests.helpers.staff import FIRST, Staff, passphrase

PORT = ("--port", "emu://ward")


@pytest.fixture
def staff(desk: Desk) -> Staff:
    return Staff(desk)


def pair(desk: Desk, name: str, secret: str, role: str = "admin") -> dict[str, Any]:
    """Press, and pair as this operator."""
    card = desk.files / "card.txt"
    card.write_text(secret, "utf-8")
    desk.data("emulator", "press", "ward")
    words = ("--operator", name, *PORT, "pair", "--secret-file", card, "--role", role)
    return desk.data(*words)


@pytest.fixture
def ward(staff: Staff) -> str:
    """A pump of which chief is the admin; its pairing secret."""
    strength = ("--concentration", "2000 mcg/mL")
    made = staff.desk.data("emulator", "new", "ward", "--frozen", *strength)
    pair(staff.desk, FIRST, made["pairing_secret"])
    return str(made["pairing_secret"])


def keys(desk: Desk) -> set[str]:
    """Who may do what, by the pump's own truth: `role operator`."""
    return {each.partition("@")[0] for each in desk.inspect()["keys"]}


# --- add -------------------------------------------------------------------------------


def test_the_first_operator_is_an_admin_and_adds_others(desk: Desk) -> None:
    assert desk.data("operator", "list") == {"operators": []}
    assert "operator add NAME" in desk.run("operator", "list").out
    file = desk.files / "p"
    file.write_text("long enough", "utf-8")
    words = ("operator", "add", "chief", "--passphrase-file", file, "--role")
    desk.refused(2, "USAGE", *words, "clinician")
    desk.refused(2, "USAGE", *words, "surgeon")
    staff = Staff(desk)
    told = staff.listed()[FIRST]
    assert (told["role"], told["known"], told["revoked"], told["pumps"]) == (
        "admin",
        True,
        None,
        [],
    )
    added = staff.add("anna", "clinician")
    assert added["changed"] == "added"
    assert added["on_pump"] is None
    assert added["operator"]["added_by"] == FIRST
    assert staff.add("anna", "clinician")["changed"] == "nothing"
    assert staff.add("anna", "admin")["changed"] == "role"
    assert staff.listed()["anna"]["role"] == "admin"
    assert staff.listed()["anna"]["key"] == added["operator"]["key"], "the same key"
    with Journal(desk.home / "journal.sqlite3") as journal:
        assert journal.fault() is None
        told_of = [e.body["what"] for e in journal.entries() if e.kind == "operator"]
        assert {e.pump for e in journal.entries()} == {""}
    assert told_of == ["added", "added", "role"]


def test_the_first_one_is_told_who_is_shut_out(desk: Desk) -> None:
    file = desk.files / "p"
    file.write_text("long enough\n", "utf-8")
    ran = desk.run("operator", "add", "chief", "--role", "admin", "--passphrase-file", file)
    assert "From now on only operators of this station act on a pump" in ran.out
    assert "nurse is none of them: act with --operator chief" in ran.out
    assert "long enough" not in ran.out + ran.err + str(desk.data("operator", "list"))


def test_bad_names_and_passphrases(staff: Staff) -> None:
    desk = staff.desk
    for name in ("", "..", "a/b", "x" * 41, "anna lena"):
        desk.refused(2, "USAGE", *staff.words("anna", "clinician")[:4], name, "--role", "admin")
    staff.add("anna", "clinician")
    words = list(staff.words("Anna", "clinician"))
    assert "there is an operator anna" in desk.refused(2, "USAGE", *words)["message"]
    short = desk.files / "short"
    short.write_text("1234567\n", "utf-8")
    words = ["operator", "add", "ben", "--role", "clinician", "--passphrase-file", short]
    words += ["--admin-passphrase-file", staff.file(FIRST), "--operator", FIRST]
    assert "at least 8" in desk.refused(2, "USAGE", *words)["message"]
    words[words.index(short)] = desk.files / "nowhere"
    desk.refused(2, "USAGE", *words)
    assert set(staff.listed()) == {FIRST, "anna"}


@pytest.mark.requirement("CNF-04")
def test_nobody_invents_a_second_person_alone(staff: Staff) -> None:
    """It takes an admin, and that admin's passphrase."""
    desk = staff.desk
    staff.add("anna", "clinician")
    words = list(staff.words("ghost", "clinician"))
    admin = words.index("--operator") + 1
    file = words.index("--admin-passphrase-file") + 1
    own = [*words]
    own[admin], own[file] = "anna", staff.file("anna")
    assert "only an admin adds" in desk.refused(2, "OPERATOR", *own)["message"]
    stranger = [*words]
    stranger[admin] = "stranger"
    desk.refused(2, "OPERATOR", *stranger)
    borrowed = [*words]
    borrowed[file] = staff.file("anna")
    assert (
        "not the passphrase of operator chief"
        in desk.refused(9, "NOT_CONFIRMED", *borrowed)["message"]
    )
    nothing = desk.refused(9, "NOT_CONFIRMED", *words[: file - 1])
    assert "--admin-passphrase-file" in nothing["hint"]
    none = desk.refused(9, "NOT_CONFIRMED", *words[:7], *words[file - 1 :])
    assert "--passphrase-file" in none["hint"]
    assert set(staff.listed()) == {FIRST, "anna"}


@pytest.mark.requirement("AUD-03")
def test_without_a_journal_nobody_is_added(staff: Staff) -> None:
    desk = staff.desk
    (desk.home / "journal.sqlite3").write_bytes(b"no journal" * 1000)
    desk.refused(11, "STORE", *staff.words("anna", "clinician"))
    assert set(staff.listed()) == {FIRST}


def test_a_process_that_ended_half_way_is_made_good(staff: Staff) -> None:
    desk = staff.desk

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    real = known.put_in_place
    desk.monkeypatch.setattr(known, "put_in_place", ended)
    assert desk.run(*staff.words("anna", "clinician")).code == 130
    assert set(staff.listed()) == {FIRST}
    desk.monkeypatch.setattr(known, "put_in_place", real)
    assert staff.add("anna", "clinician")["changed"] == "nothing"
    assert set(staff.listed()) == {FIRST, "anna"}

    keep = known.keep_operator
    desk.monkeypatch.setattr(known, "keep_operator", ended)
    assert desk.run(*staff.revoke_words("anna")).code == 130
    assert staff.listed()["anna"]["revoked"] is None
    desk.monkeypatch.setattr(known, "keep_operator", keep)
    assert staff.revoke("anna")["changed"] == "nothing"
    assert staff.listed()["anna"]["revoked"] is not None


def test_a_lost_folder_is_no_new_beginning(staff: Staff) -> None:
    desk = staff.desk
    for file in (desk.home / "operators" / "known").iterdir():
        file.unlink()
    for name in ("ghost", FIRST):
        error = desk.refused(11, "STORE", *staff.words(name, "admin"))
        assert "do not say the same of operator chief" in error["message"]


# --- list and revoke -------------------------------------------------------------------


def test_who_is_revoked_stays_and_is_gone_for_good(staff: Staff) -> None:
    desk = staff.desk
    staff.add("anna", "clinician")
    told = staff.revoke("anna")
    assert told["changed"] == "revoked"
    assert told["operator"]["revoked_by"] == FIRST
    assert staff.revoke("anna")["changed"] == "nothing"
    assert staff.listed()["anna"]["revoked"] == told["operator"]["revoked"]
    assert "REVOKED" in desk.run("operator", "list").out
    text = (desk.home / "operators" / "known" / "anna.json").read_text("ascii")
    assert "scrypt" not in text, "the private half is gone"
    error = desk.refused(2, "USAGE", *staff.words("anna", "clinician"))
    assert "a name stands for one person" in error["hint"]
    desk.refused(2, "USAGE", *staff.revoke_words("nobody"))


def test_the_last_admin_stays(staff: Staff) -> None:
    desk = staff.desk
    assert "last admin" in desk.refused(2, "USAGE", *staff.revoke_words(FIRST))["message"]
    assert "last admin" in desk.refused(2, "USAGE", *staff.words(FIRST, "observer"))["message"]
    staff.add("anna", "admin")
    assert staff.add(FIRST, "observer")["changed"] == "role"
    desk.refused(2, "OPERATOR", *staff.words("ben", "clinician"))


def test_only_an_admin_with_their_passphrase_revokes(staff: Staff) -> None:
    desk = staff.desk
    staff.add("anna", "clinician")
    staff.add("ben", "clinician")
    words = list(staff.revoke_words("ben"))
    words[1], words[-1] = "anna", staff.file("anna")
    desk.refused(2, "OPERATOR", *words)
    words[1] = FIRST
    desk.refused(9, "NOT_CONFIRMED", *words)
    assert staff.listed()["ben"]["revoked"] is None


# --- on the pump -----------------------------------------------------------------------


@pytest.mark.requirement("SEC-06")
def test_a_role_is_granted_on_the_pump_and_enforced_there(staff: Staff, ward: str) -> None:
    desk = staff.desk
    staff.add("anna", "observer")
    assert pair(desk, "anna", ward)["role"] == "observer", "no more than the role here is asked"
    profile = desk.profile()
    plan = ("--operator", "anna", *PORT, "program", "plan", profile, "-o", desk.files / "p.json")
    with desk.untouched():
        assert desk.refused(6, "PUMP_REFUSED", *plan)["pump_code"] == "ROLE"

    words = (*PORT, *staff.words("anna", "clinician"))
    told = desk.json(*words)
    assert told["data"]["changed"] == "role"
    assert told["data"]["on_pump"] == {"done": True, "role": "clinician", "why": None}
    assert told["pump"]["serial"]
    assert keys(desk) == {"admin chief", "clinician anna"}
    assert staff.listed()["anna"]["pumps"] == [
        {"serial": told["pump"]["serial"], "role": "clinician"}
    ]
    desk.data(*plan)
    assert desk.data(*words)["changed"] == "nothing", "and the pump is told again"
    with Journal(desk.home / "journal.sqlite3") as journal:
        entry = journal.entries()[-1]
    assert (entry.kind, entry.pump) == ("operator", told["pump"]["serial"])
    assert (entry.body["what"], entry.body["operator"]) == ("granted", FIRST)


def test_who_has_no_key_yet_is_added_all_the_same(staff: Staff, ward: str) -> None:
    told = staff.desk.json(*PORT, *staff.words("anna", "clinician"))
    assert told["data"]["changed"] == "added"
    assert told["data"]["on_pump"]["done"] is False
    assert "anna of this station has no key yet" in told["data"]["on_pump"]["why"]
    assert [each["code"] for each in told["warnings"]] == ["PUMP_UNCHANGED"]


@pytest.mark.requirement("SEC-06")
def test_only_the_pump_s_admin_grants_and_the_station_s_word_is_not_enough(
    staff: Staff, ward: str
) -> None:
    desk = staff.desk
    for name in ("anna", "ben"):
        staff.add(name, "clinician")
        pair(desk, name, ward)
    staff.add("anna", "admin")  # at the station; the pump was not asked
    words = list(staff.words("ben", "admin"))
    words[1], words[-1] = "anna", staff.file("anna")
    told = desk.json(*PORT, *words)
    assert told["data"]["changed"] == "role"
    assert told["data"]["on_pump"]["done"] is False
    assert "CLINICIAN may not send GRANT" in told["data"]["on_pump"]["why"]
    assert keys(desk) == {"admin chief", "clinician anna", "clinician ben"}


def test_a_pump_that_is_not_there_is_a_failure_with_what_was_done(staff: Staff, ward: str) -> None:
    staff.add("anna", "observer")
    pair(staff.desk, "anna", ward)
    document = staff.desk.json("--port", "emu://nowhere", *staff.words("anna", "clinician"), code=4)
    assert document["error"]["code"] == "PORT_MISSING"
    assert document["data"]["changed"] == "role"
    assert document["data"]["on_pump"]["done"] is False


@pytest.mark.requirement("SEC-06")
def test_a_revoked_operator_s_key_is_forgotten_by_the_pump(staff: Staff, ward: str) -> None:
    desk = staff.desk
    staff.add("anna", "clinician")
    pair(desk, "anna", ward)
    serial = staff.listed()["anna"]["pumps"][0]["serial"]
    ran = desk.run(*staff.revoke_words("anna"))
    assert f"Still holding anna's key, as far as is known here: {serial}" in ran.out
    assert keys(desk) == {"admin chief", "clinician anna"}
    told = desk.data(*PORT, *staff.revoke_words("anna"))
    assert (told["changed"], told["on_pump"]["done"]) == ("nothing", True)
    assert keys(desk) == {"admin chief"}
    assert staff.listed()["anna"]["pumps"] == []
    again = desk.json(*PORT, *staff.revoke_words("anna"))
    assert "holds no such key" in again["data"]["on_pump"]["why"]


def test_a_key_that_could_not_be_taken_back_is_a_failure(staff: Staff, ward: str) -> None:
    desk = staff.desk
    staff.add("anna", "clinician")
    staff.add("ben", "admin")
    for name in ("anna", "ben"):
        pair(desk, name, ward)
    words = list(staff.revoke_words("anna"))
    words[1], words[-1] = "ben", staff.file("ben")  # whom the pump let be a clinician
    document = desk.json(*PORT, *words, code=6)
    assert document["data"]["changed"] == "revoked"
    assert document["data"]["on_pump"]["done"] is False
    assert "clinician anna" in keys(desk)


# --- who acts --------------------------------------------------------------------------

LOOKS = (("status",), ("interrogate",), ("program", "show"), ("logs", "pull"), ("unpair",))


@pytest.mark.requirement("SEC-06")
def test_once_there_are_operators_nobody_else_asks_a_pump(desk: Desk) -> None:
    desk.emulator()  # paired as nurse, who is no operator
    desk.data(*PORT, "status")
    staff = Staff(desk)
    words = (
        *LOOKS,
        ("resume", "--plan-only"),
        ("program", "plan", desk.profile(), "-o", desk.files / "p"),
    )
    with desk.untouched():
        for each in words:
            error = desk.refused(2, "OPERATOR", *PORT, *each)
            assert error["message"] == "nurse is no operator of this station"
    staff.add("nurse", "clinician")
    desk.data(*PORT, "status")
    staff.revoke("nurse")
    with desk.untouched():
        for each in words:
            assert "was revoked by chief" in desk.refused(2, "OPERATOR", *PORT, *each)["message"]
    desk.data("profile", "check", desk.profile())  # where no pump is asked, nobody is


@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize("how", ["unknown", "revoked", "damaged"])
def test_stop_is_for_whoever_is_paired(how: str, desk: Desk) -> None:
    desk.emulator()
    desk.program()
    staff = Staff(desk)
    if how != "unknown":
        staff.add("nurse", "clinician")
    if how == "revoked":
        staff.revoke("nurse")
    if how == "damaged":
        (desk.home / "operators" / "known" / "nurse.json").write_text("{", "ascii")
    document = desk.json(*PORT, "stop", "--now")
    assert document["data"]["delivery"] == "stopped"
    assert any("goes on all the same" in each["message"] for each in document["warnings"])
    assert desk.inspect()["delivery"] == "stopped"


@pytest.mark.requirement("AUD-03")
def test_a_damaged_file_lets_one_look_and_change_nothing(desk: Desk) -> None:
    desk.emulator()
    staff = Staff(desk)
    staff.add("nurse", "clinician")
    (desk.home / "operators" / "known" / "nurse.json").write_text("{", "ascii")
    document = desk.json(*PORT, "status")
    assert any("is damaged" in each["message"] for each in document["warnings"])
    desk.refused(11, "STORE", *PORT, "program", "plan", desk.profile(), "-o", desk.files / "p")


def test_without_the_check_anybody_who_is_paired_acts(desk: Desk) -> None:
    desk.emulator()
    Staff(desk)
    desk.refused(2, "OPERATOR", *PORT, "status")
    desk.monkeypatch.setattr(visit, "check_acting", lambda *_: None)
    desk.data(*PORT, "status")


# --- small things ----------------------------------------------------------------------


def test_the_screen_fits(staff: Staff) -> None:
    staff.add("a" * 16, "clinician")
    staff.add("b" * 40, "observer")
    staff.revoke("b" * 40)
    out = staff.desk.run("operator", "list").out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
def test_files_are_their_owner_s_only(staff: Staff) -> None:
    home: Home = staff.home
    for file in (home.root / "operators").rglob("*"):
        assert file.stat().st_mode & 0o077 == 0, file


def test_a_list_loads_no_cryptography(desk: Desk, tmp_path: Path) -> None:
    Staff(desk)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", SCRIPT, "operator", "list"],
        env=environment(desk.home),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert FIRST in done.stdout
    for heavy in ("cryptography", "pydantic", "sqlite3", "rich"):
        assert f" {heavy}\n" not in done.stderr, heavy


def test_a_passphrase_is_nowhere(staff: Staff, desk: Desk) -> None:
    staff.add("anna", "clinician")
    for name in (FIRST, "anna"):
        secret = passphrase(name).encode()
        for file in desk.home.rglob("*"):
            if file.is_file():
                assert secret not in file.read_bytes(), file
