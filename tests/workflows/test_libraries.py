"""A site's drug library at work: signed, installed, held against every change, never going down."""

from __future__ import annotations

import json
import shutil

import pytest

from pumpctl.errors import StoreError
from pumpctl.station.home import Home
from pumpctl.station.journal import Journal
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.library_text import to_toml
from pumpctl.workflows.library import install as library_install
from tests.helpers.desk import Desk
from tests.helpers.libraries import altered_all, public_key, site_library
from tests.helpers.profiles import continuous
from tests.helpers.site import Site, lower


@pytest.fixture
def site(desk: Desk) -> Site:
    return Site(desk)


# --- the whole road, as a pharmacist walks it ----------------------------------------------


@pytest.mark.requirement("LIM-07")
@pytest.mark.requirement("SEC-08")
def test_from_the_library_that_ships_to_a_site_s_own(desk: Desk) -> None:
    made = desk.data("library", "keys", "--new", "pharmacy")
    file = desk.files / "site.toml"
    assert desk.data("library", "show", "-o", file)["file"] == str(file)
    assert file.read_text("utf-8") == to_toml(DEFAULT)
    found = desk.json("library", "check", file, code=3)
    assert found["error"]["code"] == "LIBRARY_FAULTY"
    assert {one["id"] for one in found["data"]["findings"]} == {"LIBRARY_SITE", "LIBRARY_DATES"}
    desk.refused(3, "LIBRARY_FAULTY", "library", "sign", file, "--key", "pharmacy")

    file.write_text(lower(site_library()), "utf-8")
    assert desk.data("library", "check", file)["signed"] is False
    before = desk.run("profile", "check", desk.profile(continuous("400 mcg/day")))
    assert before.code == 0
    told = desk.data("library", "sign", file, "--key", "pharmacy")
    assert (told["key"], told["trusted"]) == (made["made"], True)
    assert desk.data("library", "check", file)["key"] == made["made"]
    told = desk.data("library", "install", file)
    assert (told["site"], told["version"], told["changed"]) == ("st-elsewhere", 1, True)
    assert told["before"] == {"site": "pumpctl", "version": 1, "standing": "valid"}

    document = desk.json("profile", "check", desk.profile(continuous("400 mcg/day")), code=3)
    (hard,) = [one for one in document["data"]["findings"] if one["severity"] == "hard"]
    assert (hard["value"], hard["limit"], hard["source"]) == (
        "400 mcg/day",
        "300 mcg/day",
        "ward 7",
    )
    assert document["warnings"] == []


def test_what_show_tells(site: Site) -> None:
    desk = site.desk
    shipped = desk.data("library", "show")
    assert shipped["standing"] == "valid" and shipped["key"] is None
    assert [one["concentration"] for one in shipped["drugs"]] == [
        "500 mcg/mL", "1000 mcg/mL", "2000 mcg/mL",
    ]  # fmt: skip
    first = shipped["drugs"][0]
    assert first["daily_dose"]["hard_high"] == {
        "limit": "3000 mcg/day", "source": "this project's choice",
    }  # fmt: skip
    assert first["daily_dose"]["hard_low"] is None
    assert [one["length"] for one in first["windows"]] == ["1 h", "24 h"]
    site.install(site_library(4))
    told = desk.data("library", "show", "--toml")
    assert told["key"] == public_key("pharmacy").id
    assert told["installed"]["operator"] == "nurse"
    assert told["toml"] == site_library(4)
    text = desk.run("library", "show").out
    for figure in ("22 mcg/day", "3000 mcg/day", "(to verify)", "In any 24 h", "20 %", "under-12"):
        assert figure in text
    assert max(map(len, text.split("\n"))) <= 80
    assert desk.run("library", "show", "--toml").out == site_library(4)
    desk.refused(2, "USAGE", "library", "show", "-o", desk.files / "site.toml")


# --- what is installed ------------------------------------------------------------------


@pytest.mark.requirement("LIM-07")
def test_a_version_never_goes_down(site: Site) -> None:
    site.install(site_library(3))
    file = site.file(site_library(3))
    assert site.desk.data("library", "install", file)["changed"] is False
    other = site_library(3, expires="2998-01-01")
    assert "another one of the same number" in site.refused("LIBRARY_VERSION", other)["message"]
    site.refused("LIBRARY_VERSION", site_library(2))
    assert site.in_force() == ("st-elsewhere", 3)
    assert site.install(site_library(4))["before"]["version"] == 3
    site.refused("LIBRARY_VERSION", site_library(3))
    assert site.in_force() == ("st-elsewhere", 4)
    installed = [one for one in site.entries() if one["what"] == "installed"]
    assert [one["version"] for one in installed] == [3, 4]
    assert set(installed[0]) == {
        "what", "site", "version", "sha256", "key", "at", "operator", "overrides",
    }  # fmt: skip


@pytest.mark.requirement("LIM-07")
@pytest.mark.requirement("SEC-08")
def test_only_a_trusted_signature_is_installed(site: Site) -> None:
    desk = site.desk
    bare = desk.files / "bare.toml"
    bare.write_text(site_library(), "utf-8")
    assert (
        "not signed" in desk.refused(3, "LIBRARY_SIGNATURE", "library", "install", bare)["message"]
    )
    told = site.refused("LIBRARY_SIGNATURE", site_library(), by="stranger")
    assert "not trusted here" in told["message"]
    file = site.file(site_library())
    whole = file.read_bytes()
    for changed in (
        whole.replace(b"3000", b"9000", 1), whole[:-1], whole + b"\n",
        whole.replace(b"\n", b"\r\n"), whole + whole[-133:], whole + b"#",
    ):  # fmt: skip
        file.write_bytes(changed)
        desk.refused(3, "LIBRARY_SIGNATURE", "library", "install", file)
        assert desk.json("library", "check", file, code=3)["error"]["code"] in (
            "LIBRARY_SIGNATURE", "LIBRARY_FAULTY",
        )  # fmt: skip
    assert site.in_force() == ("pumpctl", 1)
    assert not (desk.home / "library" / "versions").exists()


@pytest.mark.requirement("SEC-08")
def test_a_revoked_key_installs_nothing_and_bars_what_it_signed(site: Site) -> None:
    desk = site.desk
    site.install(site_library(1))
    told = desk.run("library", "keys", "--revoke", "pharmacy", "--confirm", "pharmacy")
    assert told.code == 0 and "warning" in told.err, "what is in force is no longer valid"
    assert "revoked" in site.refused("LIBRARY_SIGNATURE", site_library(2))["message"]
    # Putting the key's file back does not help: the journal knows.
    path = desk.home / "library" / "trusted" / "pharmacy.pub"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in kept.items() if not k.startswith("revoked")}))
    assert "revoked" in site.refused("LIBRARY_SIGNATURE", site_library(2))["message"]
    site.trust("second")
    desk.data("library", "install", site.file(site_library(2), "second"))
    assert site.in_force() == ("st-elsewhere", 2)
    assert [one["what"] for one in site.entries()] == [
        "trusted", "installed", "revoked", "trusted", "installed",
    ]  # fmt: skip


@pytest.mark.requirement("LIM-08")
def test_nothing_that_has_expired_or_has_a_hard_finding_is_installed(site: Site) -> None:
    told = site.refused("LIBRARY_FAULTY", site_library(expires="2021-01-01"))
    assert [one["id"] for one in told["findings"]] == ["LIBRARY_DATES"]
    site.refused("LIBRARY_FAULTY", site_library(issued="2998-01-01"))
    slip = altered_all(site_library(), 'high = { limit = "100 mcg"', 'high = { limit = "10 mcg"')
    assert site.refused("LIBRARY_FAULTY", slip)["findings"][0]["id"] == "LIBRARY_ORDER"
    assert site.in_force() == ("pumpctl", 1)


@pytest.mark.requirement("LIM-02")
def test_a_soft_finding_is_overridden_by_name(site: Site) -> None:
    text = site_library().replace(
        "[drug.daily_change]",
        '[drug.daily_change]\nreduction_hard = { limit = "60 %", source = "ward 7" }',
    )
    told = site.refused("LIBRARY_FAULTY", text)
    assert {one["id"] for one in told["findings"]} == {"LIBRARY_REDUCTION"}
    file = site.file(text)
    site.desk.refused(2, "USAGE", "library", "install", file, "--override", "LIBRARY_ORDER=why")
    site.install(text, "--override", "LIBRARY_REDUCTION=decided with Dr. A")
    assert site.entries()[-1]["overrides"] == [
        {"id": "LIBRARY_REDUCTION", "reason": "decided with Dr. A"}
    ]


@pytest.mark.requirement("LIM-07")
@pytest.mark.parametrize("step", ["file", "journal", "marker"])
def test_an_installation_that_is_cut_is_finished_by_repeating_it(step: str, site: Site) -> None:
    desk = site.desk
    site.install(site_library(1))
    file = site.file(site_library(2))

    def full(*_: object, **__: object) -> None:
        raise StoreError("no space left")

    with desk.monkeypatch.context() as patch:
        match step:
            case "file":
                patch.setattr(Home, "write_bytes", full)
            case "journal":
                patch.setattr(Journal, "append", full)
            case _:
                patch.setattr(library_install, "write_marker", full)
        desk.refused(11, "STORE", "library", "install", file)
    told = desk.data("library", "show")
    if step == "marker":
        assert told["standing"] == "invalid", "the journal says version 2, and it is not there"
    else:
        assert (told["standing"], told["version"]) == ("valid", 1)
    assert desk.data("library", "install", file)["changed"] is True
    assert site.in_force() == ("st-elsewhere", 2)
    assert [one["version"] for one in site.entries() if one["what"] == "installed"] == [1, 2]


def test_what_is_damaged_is_put_right_by_the_same_file(site: Site) -> None:
    """Also after its last day: a library that has expired still lets the same dose go on."""
    desk = site.desk
    site.install(site_library(1, expires="2030-01-01"))
    for part in ("library.json", "library/versions"):
        path = desk.home / part
        path.unlink() if path.is_file() else shutil.rmtree(path)
        assert desk.data("library", "show")["standing"] == "invalid"
        assert site.install(site_library(1, expires="2030-01-01"))["changed"] is True
        assert site.in_force() == ("st-elsewhere", 1)
    site.later(10_000)
    (desk.home / "library.json").unlink()
    assert site.install(site_library(1, expires="2030-01-01"))["changed"] is True
    assert desk.data("library", "show")["standing"] == "expired"
    site.refused("LIBRARY_FAULTY", site_library(2, expires="2030-01-01"))


def test_a_marker_alone_keeps_the_version_where_the_journal_was_lost(site: Site) -> None:
    site.install(site_library(5))
    for file in site.desk.home.glob("journal.sqlite3*"):
        file.unlink()
    site.refused("LIBRARY_VERSION", site_library(4))
    (site.desk.home / "library.json").write_text("{")
    site.install(site_library(6))
    assert site.in_force() == ("st-elsewhere", 6)


def test_what_is_no_library(site: Site) -> None:
    desk = site.desk
    desk.refused(3, "LIBRARY_SYNTAX", "library", "check", desk.files / "gone.toml")
    desk.refused(3, "LIBRARY_SYNTAX", "library", "install", desk.files)
    (desk.files / "x.toml").write_text("format = \n")
    told = desk.refused(3, "LIBRARY_SYNTAX", "library", "check", desk.files / "x.toml")
    assert "x.toml:1:10" in told["message"]


def test_a_damaged_journal_installs_nothing(site: Site) -> None:
    site.install(site_library(1))
    with Journal(site.desk.home / "journal.sqlite3") as journal:
        journal._db.execute("UPDATE journal_entries SET body = '{}' WHERE seq = 1")
    site.desk.refused(11, "STORE", "library", "install", site.file(site_library(2)))
    site.desk.refused(11, "STORE", "library", "show")


# --- keys --------------------------------------------------------------------------------


@pytest.mark.requirement("SEC-08")
def test_a_key_wrapped_with_a_passphrase(desk: Desk) -> None:
    secret, wrong = desk.files / "secret.txt", desk.files / "wrong.txt"
    secret.write_text("correct horse\n")
    wrong.write_text("horse\n")
    desk.data("library", "keys", "--new", "pharmacy", "--passphrase-file", secret)
    key = desk.home / "library" / "keys" / "pharmacy.pem"
    assert "ENCRYPTED" in key.read_text()
    file, out = desk.files / "site.toml", desk.files / "out.toml"
    file.write_text(site_library(), "utf-8")
    sign = ("library", "sign", file, "--key", "pharmacy", "-o", out)
    desk.refused(9, "NOT_CONFIRMED", *sign)
    desk.refused(9, "NOT_CONFIRMED", *sign, "--passphrase-file", wrong)
    desk.refused(2, "USAGE", *sign, "--passphrase-file", desk.files / "gone")
    assert not out.exists()
    desk.monkeypatch.setenv("PUMPCTL_LIBRARY_PASSPHRASE_FILE", str(secret))
    assert desk.data(*sign)["file"] == str(out)
    assert desk.data("library", "install", out)["changed"]
    desk.refused(2, "USAGE", *sign)
    copy = desk.files / "carried.pem"
    copy.write_bytes(key.read_bytes())
    assert desk.data("library", "sign", file, "--key", copy)["trusted"] is True
    assert file.read_bytes() == out.read_bytes(), "one key, one text, one signature"


def test_keys_are_listed_trusted_and_revoked(site: Site) -> None:
    desk = site.desk
    desk.data("library", "keys", "--new", "own")
    told = {one["name"]: one for one in desk.data("library", "keys")["keys"]}
    assert (told["own"]["own"], told["pharmacy"]["own"]) == (True, False)
    assert told["pharmacy"]["counts"] and told["pharmacy"]["trusted_by"] == "nurse"
    text = desk.run("library", "keys").out
    assert public_key("pharmacy").id in text
    for words in (
        ("--new", "own"), ("--new", "pharmacy"), ("--new", "../x"), ("--revoke", "nobody"),
        ("--new", "a", "--revoke", "own"), ("--as", "x"), ("--trust", desk.files / "x"),
        ("--trust", desk.files / "x", "--as", "x"), ("--trust", desk.profile(), "--as", "x"),
    ):  # fmt: skip
        desk.refused(2, "USAGE", "library", "keys", *words)
    file = site.file(site_library())
    desk.refused(2, "USAGE", "library", "sign", file, "--key", "nobody")
    file.write_bytes(file.read_bytes()[:-1])
    told = desk.refused(3, "LIBRARY_SIGNATURE", "library", "sign", file, "--key", "own")
    assert "remove the lines" in told["hint"]
