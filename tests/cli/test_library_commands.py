"""The library's commands where something is odd: homes, keys, input, the last days."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pumpctl.cli import context, edge
from pumpctl.therapy.moment import Moment
from tests.helpers.desk import Desk
from tests.helpers.libraries import public_key, site_library
from tests.helpers.site import Site

PORT = ("--port", "emu://ward")
BARS = (
    "ibrary in force is signed by this key: every change of therapy, resume included, is refused "
    "until another is installed; stop works"
)


@pytest.fixture
def site(desk: Desk) -> Site:
    return Site(desk)


class Terminal(io.StringIO):
    """A terminal on which these lines are typed."""

    def isatty(self) -> bool:
        return True


def typed(desk: Desk, text: str) -> None:
    desk.monkeypatch.setattr(sys, "stdin", Terminal(text))
    desk.monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


# --- homes ------------------------------------------------------------------------------


@pytest.mark.requirement("AUD-03")
@pytest.mark.parametrize("kind", ["unreadable", "file", "below a file"])
def test_a_home_that_cannot_be_read_is_no_bug_of_ours(kind: str, desk: Desk) -> None:
    library = desk.files / "x.toml"
    library.write_text(site_library(), "utf-8")
    profile = desk.profile()
    home = desk.files / "odd"
    if kind == "unreadable":
        home.mkdir()
        denied(desk, home)
    else:
        home.write_text("")
    if kind == "below a file":
        home /= "home"
    for words in (
        ("library", "show"), ("library", "keys"), ("library", "keys", "--new", "a"),
        ("library", "keys", "--revoke", "a"), ("library", "sign", library, "--key", "a"),
        ("library", "install", library), ("doctor",),
    ):  # fmt: skip
        ran = desk.run("--home", home, *words, "--json")
        assert ran.code == 11, (words, ran)
        assert ran.document["error"]["code"] == "STORE"
        assert "bug" not in ran.err
    for words in (("profile", "check", profile), ("library", "check", library)):
        ran = desk.run("--home", home, *words, "--json")
        assert ran.code == 0
        assert [one["code"] for one in ran.document["warnings"]] == ["LIBRARY_INVALID"]


def denied(desk: Desk, home: Path) -> None:
    """As `chmod 000`, which does not hold for root."""

    def barred(name: str) -> Any:
        real = getattr(os, name)

        def asked(path: Any, *more: Any, **named: Any) -> Any:
            if isinstance(path, (str, Path)) and Path(path).is_relative_to(home):
                inside = Path(path) != home
                if inside or name == "listdir":
                    raise PermissionError(13, "Permission denied", str(path))
            return real(path, *more, **named)

        return asked

    for name in ("listdir", "stat", "lstat", "mkdir", "open"):
        desk.monkeypatch.setattr(os, name, barred(name))


# --- keys ----------------------------------------------------------------------------------


@pytest.mark.requirement("SEC-08")
def test_the_key_of_the_library_in_force_is_revoked_by_its_name(site: Site) -> None:
    desk = site.desk
    site.trust("second")
    site.install(site_library())
    revoke = ("library", "keys", "--revoke", "pharmacy")
    told = desk.refused(9, "NOT_CONFIRMED", *revoke)
    assert BARS in told["hint"] and "--confirm pharmacy" in told["hint"]
    desk.refused(9, "NOT_CONFIRMED", *revoke, "--confirm", "second")
    for line in ("y\n", "\n", "", "second\n"):
        typed(desk, line)
        ran = desk.run(*revoke)
        assert ran.code == 9 and BARS in ran.err
    assert site.in_force() == ("st-elsewhere", 1)
    typed(desk, "pharmacy\n")
    ran = desk.run(*revoke)
    assert ran.code == 0, ran
    assert "every change of therapy, resume included, is refused" in ran.out
    assert desk.data("library", "show")["standing"] == "invalid"


@pytest.mark.requirement("SEC-08")
def test_a_script_names_the_key_twice_and_another_key_once(site: Site) -> None:
    desk = site.desk
    site.trust("second")
    site.trust("third")
    site.install(site_library())
    told = desk.data("library", "keys", "--revoke", "second")
    assert told["in_force"] is False
    desk.refused(9, "NOT_CONFIRMED", "library", "keys", "--revoke", "third", "--confirm", "x")
    told = desk.data("library", "keys", "--revoke", "pharmacy", "--confirm", "pharmacy")
    assert (told["in_force"], told["revoked"]) == (True, public_key("pharmacy").id)
    desk.refused(2, "USAGE", "library", "keys", "--revoke", "pharmacy", "--confirm", "pharmacy")


def test_a_key_is_revoked_though_the_journal_is_damaged(site: Site) -> None:
    desk = site.desk
    (desk.home / "journal.sqlite3").write_bytes(b"no journal")
    ran = desk.run("library", "keys", "--revoke", "pharmacy")
    assert ran.code == 0 and "journal" in ran.err
    assert [one["counts"] for one in desk.data("library", "keys")["keys"]] == [False]


def test_a_home_that_is_not_there_yet(desk: Desk) -> None:
    assert desk.data("library", "show")["standing"] == "valid"
    assert not desk.home.exists()


@pytest.mark.parametrize(
    "words",
    [("--new", ""), ("--revoke", ""), ("--confirm", "a"), ("--as", ""), ("--new", "a", "--as", "")],
)
def test_an_empty_name_is_no_name(words: tuple[str, ...], desk: Desk) -> None:
    typed(desk, "")  # no passphrase may be asked for it
    desk.refused(2, "USAGE", "library", "keys", *words)


@pytest.mark.requirement("SEC-08")
def test_a_revoked_key_signs_nothing(desk: Desk) -> None:
    desk.data("library", "keys", "--new", "own")
    file = desk.files / "x.toml"
    file.write_text(site_library(), "utf-8")
    ran = desk.run("library", "sign", file, "--key", "own")
    assert f"Put it in force with: pumpctl library install {file}" in ran.out
    desk.data("library", "keys", "--revoke", "own")
    whole = file.read_bytes()
    told = desk.refused(3, "LIBRARY_SIGNATURE", "library", "sign", file, "--key", "own")
    assert "nothing is signed" in told["message"] and "revoked by nurse" in told["message"]
    assert file.read_bytes() == whole
    desk.data("library", "keys", "--new", "other")
    (desk.home / "library" / "trusted" / "other.pub").unlink()
    ran = desk.run("library", "sign", file, "--key", "other")
    assert ran.code == 0 and "not trusted at this station" in ran.out
    assert "Put it in force with" not in ran.out


# --- stop ---------------------------------------------------------------------------------


@pytest.mark.requirement("STP-01")
@pytest.mark.requirement("LIM-08")
def test_a_stop_says_that_a_resume_would_be_refused(site: Site) -> None:
    desk = site.desk
    desk.emulator()
    site.install(site_library())
    stop = (*PORT, "stop", "--now")
    assert "Next: pumpctl resume goes on" in desk.run(*stop).out
    desk.data("library", "keys", "--revoke", "pharmacy", "--confirm", "pharmacy")
    ran = desk.run(*stop)
    assert ran.code == 0 and "Next: pumpctl resume" not in ran.out
    assert "A resume is REFUSED now" in ran.out
    typed(desk, "STOP\n\n")
    ran = desk.run(*PORT, "stop")
    assert ran.code == 0
    assert ran.err.index("A resume is REFUSED now") < ran.err.index("Type STOP")

    def broken() -> None:
        raise RuntimeError("a bug of ours")

    desk.monkeypatch.setattr(context, "library", broken)
    assert "Next: pumpctl resume" in desk.run(*stop).out


# --- input, age, words -----------------------------------------------------------------------


def given(desk: Desk, data: bytes) -> None:
    desk.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_library_from_standard_input(site: Site) -> None:
    desk = site.desk
    given(desk, site.file(site_library(7)).read_bytes())
    told = desk.data("library", "check", "-")
    assert (told["version"], told["key"]) == (7, public_key("pharmacy").id)
    given(desk, b"format = \n")
    assert "-:1:10" in desk.refused(3, "LIBRARY_SYNTAX", "library", "check", "-")["message"]
    sys.stdin.close()
    desk.refused(3, "LIBRARY_SYNTAX", "library", "check", "-")
    desk.monkeypatch.setattr(sys, "stdin", None)
    desk.refused(3, "LIBRARY_SYNTAX", "library", "check", "-")


@pytest.mark.parametrize(("tables", "said"), [(1, "1 soft finding."), (2, "2 soft findings.")])
def test_one_finding_is_one(tables: int, said: str, desk: Desk) -> None:
    text = site_library(short=True)
    for table in ("[drug.daily_change]", "[drug.rate_change]")[:tables]:
        limit = 'reduction_hard = { limit = "90 %", source = "ward 7" }'
        text = text.replace(table, f"{table}\n{limit}")
    file = desk.files / "x.toml"
    file.write_text(text, "utf-8")
    assert f": {said}\n" in desk.run("library", "check", file).out
    file.write_text(text.replace("st-elsewhere", "pumpctl"), "utf-8")
    assert ": 1 hard finding\n" in desk.run("library", "check", file).err


@pytest.mark.requirement("LIM-08")
def test_the_last_thirty_days_are_told(site: Site) -> None:
    desk = site.desk
    desk.monkeypatch.setattr(edge, "wall", lambda: Moment.parse("2026-03-01T12:00:00Z"))
    ran = desk.run("library", "install", site.file(site_library(1, expires="2026-03-31")))
    assert "warning: the drug library of st-elsewhere, version 1, expires soon" in ran.err
    assert "2026-03-31, in 30 days" in ran.err
    for words in (("library", "show"), ("doctor",)):
        codes = [one["code"] for one in desk.json(*words)["warnings"]]
        assert codes == ["LIBRARY_EXPIRES_SOON"], words
    assert desk.json("profile", "check", desk.profile())["warnings"] == []
    later = desk.json("library", "install", site.file(site_library(2, expires="2026-04-01")))
    assert later["warnings"] == []
