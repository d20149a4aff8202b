"""The line's commands at a terminal of 80 columns: colour where it is wanted, Ctrl-C an end."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.helpers.desk import Desk, command, environment

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

import pexpect

from tests.pty.test_terminal import listening

WARD = ("--port", "emu://ward")
INTERRUPTED = 130


def spawned(desk: Desk, *words: object, **more: str) -> pexpect.spawn[str]:
    first, *rest = command(*words)
    return pexpect.spawn(
        first,
        rest,
        env=environment(desk.home, TERM="xterm", **more),
        encoding="utf-8",
        dimensions=(40, 80),
        timeout=30,
        preexec_fn=listening,
    )


def shown(desk: Desk, *words: object, **more: str) -> tuple[int | None, str]:
    """What a command leaves on the screen; its exit code."""
    child = spawned(desk, *words, **more)
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, str(child.before)


def plain(screen: str) -> list[str]:
    """Its lines as they are seen: without colours, what was written over left out."""
    without = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", screen)
    return [line.rstrip("\r").rpartition("\r")[2] for line in without.split("\n")]


@pytest.mark.parametrize("colour", [True, False])
def test_screens_fit_and_need_no_colour(desk: Desk, colour: bool) -> None:
    desk.emulator()
    capture = desk.files / "c"
    more = {} if colour else {"NO_COLOR": "1"}
    screens = [
        shown(desk, *WARD, "link", "ping", "--count", "9", **more),
        shown(desk, *WARD, "link", "capture", capture, **more),
        shown(desk, "link", "decode", capture, **more),
        shown(desk, *WARD, "link", "replay", capture, **more),
    ]
    for code, screen in screens:
        assert code == 0, screen
        assert max(map(len, plain(screen))) <= 80
    colours = [bool(re.search(r"\x1b\[[0-9;]*3[1-7]m", screen)) for _, screen in screens]
    assert any(colours) is colour
    ping = "\n".join(plain(screens[0][1]))
    assert "9 pings, 9 answered, 0 lost" in ping
    assert "█" in ping


def test_ctrl_c_shows_what_was_measured(desk: Desk) -> None:
    desk.emulator()
    child = spawned(desk, *WARD, "link", "ping", "--count", "100000")
    child.expect("50 of 100000")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == INTERRUPTED
    screen = "\n".join(plain(str(child.before)))
    assert "round trip   min " in screen
    assert re.search(r"[0-9]+ pings, [0-9]+ answered, 0 lost", screen)


def test_ctrl_c_ends_a_tap(desk: Desk, tmp_path: Path) -> None:
    desk.emulator()
    place = tmp_path / "tty"
    child = spawned(desk, *WARD, "link", "capture", tmp_path / "c", "--pty", place)
    child.expect("Ctrl-C ends the capture")
    assert place.is_symlink()
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "to the pump    0 bytes" in str(child.before)
    assert not place.is_symlink()
