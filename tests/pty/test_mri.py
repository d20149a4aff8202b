"""Waiting for the second look at a terminal, and what is left of it when it is interrupted."""

from __future__ import annotations

import sys

import pytest

from tests.helpers.desk import Desk, spawned

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

from tests.pty.test_terminal import PORT, Terminal


def test_interrupted_between_the_looks_another_process_goes_on(desk: Desk) -> None:
    desk.emulator()
    terminal = Terminal(desk, *PORT, "mri", "after", "--wait")
    terminal.asked(r"The second look in 30:0\d")  # minimum rate: 480 pulses a day, ten in 30 min
    terminal.child.sendintr()
    assert terminal.end() == 130
    desk.advance("31 min")
    done = spawned(desk.home, *PORT, "--json", "mri", "after", PUMPCTL_NOW="pump")
    assert done.code == 0, done
    assert [look["verdict"] for look in done.document["data"]["looks"]] == ["first", "closed"]
