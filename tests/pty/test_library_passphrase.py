"""The passphrase of a library key, typed at a real terminal: never shown, never an argument."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.helpers.desk import Desk, command, environment
from tests.helpers.libraries import site_library

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

import pexpect

SECRET = "correct horse"
pytestmark = pytest.mark.requirement("SEC-08")


class Terminal:
    """pumpctl at a terminal."""

    def __init__(self, desk: Desk, *words: object) -> None:
        first, *rest = command(*words)
        self.child: pexpect.spawn[str] = pexpect.spawn(
            first, rest, env=environment(desk.home), encoding="utf-8", timeout=30
        )

    def answer(self, prompt: str, text: str) -> None:
        self.child.expect(prompt)
        self.child.sendline(text)

    def end(self) -> tuple[int | None, str]:
        """The exit code, and what was shown since the last prompt."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus, str(self.child.before)


def key_file(desk: Desk) -> Path:
    return desk.home / "library" / "keys" / "pharmacy.pem"


def test_a_passphrase_is_asked_twice_and_shown_never(desk: Desk) -> None:
    new = Terminal(desk, "library", "keys", "--new", "pharmacy")
    new.answer("Enter for none", SECRET)
    new.answer("same again", SECRET)
    code, shown = new.end()
    assert code == 0
    assert SECRET not in shown
    assert "ENCRYPTED" in key_file(desk).read_text()

    file = desk.files / "site.toml"
    file.write_text(site_library(), "utf-8")
    for typed, wanted in (("wrong", 9), (SECRET, 0)):
        sign = Terminal(desk, "library", "sign", file, "--key", "pharmacy")
        sign.answer("Passphrase of the key pharmacy", typed)
        code, shown = sign.end()
        assert code == wanted
        assert typed not in shown
    assert desk.data("library", "install", file)["changed"]


def test_two_that_differ_make_no_key(desk: Desk) -> None:
    new = Terminal(desk, "library", "keys", "--new", "pharmacy")
    new.answer("Enter for none", SECRET)
    new.answer("same again", "another")
    assert new.end()[0] == 9
    assert not key_file(desk).exists()


def test_enter_makes_a_key_without_one(desk: Desk) -> None:
    new = Terminal(desk, "library", "keys", "--new", "pharmacy")
    new.answer("Enter for none", "")
    assert new.end()[0] == 0
    assert "ENCRYPTED" not in key_file(desk).read_text()


def test_end_of_input_means_no(desk: Desk) -> None:
    new = Terminal(desk, "library", "keys", "--new", "pharmacy")
    new.child.expect("Enter for none")
    new.child.sendeof()
    assert new.end()[0] == 9
    assert not key_file(desk).exists()
