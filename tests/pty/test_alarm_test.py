"""The test of the alarm signal, as a person at a terminal meets it."""

from __future__ import annotations

import sys

import pytest

from tests.helpers.desk import Desk

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

from tests.pty.test_terminal import PORT, Terminal

ASKED = r"hear it\? \(y/n\) "


@pytest.mark.requirement("ALM-02")
@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [("y", 0, "HEARD"), ("n", 10, "NOT HEARD"), ("", 0, "not known")],
)
def test_the_person_is_asked_at_once(desk: Desk, typed: str, code: int, told: str) -> None:
    desk.emulator()
    terminal = Terminal(desk, *PORT, "alarm", "test")
    before = terminal.asked(ASKED)
    assert "LISTEN NOW: the critical alarm signal, as a test." in before
    terminal.type(typed)
    terminal.asked(f"5 s: {told}")
    assert terminal.end() == code


def test_end_of_input_is_no_yes(desk: Desk) -> None:
    desk.emulator()
    terminal = Terminal(desk, *PORT, "alarm", "test")
    terminal.asked(ASKED)
    terminal.child.sendeof()
    terminal.asked("nobody has said")
    assert terminal.end() == 0
