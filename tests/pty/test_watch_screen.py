"""`status --watch` at a real terminal: one screen at a time, and what was last seen stays."""

from __future__ import annotations

import re
import signal
import sys
from typing import Any

import pytest

from tests.helpers.desk import Desk, command, environment

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

import pexpect

WATCH = ("--port", "emu://ward", "status", "--watch", "--every", "1 s")
ALTERNATE, NORMAL = "\x1b[?1049h", "\x1b[?1049l"
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]m")
STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def listening() -> None:
    """A terminal's Ctrl-C reaches the child, also where these tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def watched(desk: Desk, columns: int, **more: str) -> tuple[str, str, int | None]:
    """What was drawn while it ran, what stays behind, and the exit code after Ctrl-C."""
    first, *rest = command(*WATCH)
    child: pexpect.spawn[Any] = pexpect.spawn(
        first,
        rest,
        env={**environment(desk.home), "TERM": "xterm-256color", **more},
        encoding="utf-8",
        dimensions=(24, columns),
        timeout=30,
        preexec_fn=listening,
    )
    child.expect("Ctrl-C ends")
    child.expect("Ctrl-C ends")  # it is drawn again
    drawn = str(child.before)
    child.sendintr()
    child.expect(re.escape(NORMAL))
    child.expect(pexpect.EOF)
    after = str(child.before)
    child.close()
    return drawn, after, child.exitstatus


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "NO_COLOR"])
def test_the_screen_fits_and_the_last_picture_stays(desk: Desk, columns: int, colour: bool) -> None:
    desk.emulator(frozen=False)
    drawn, after, code = watched(desk, columns, **({} if colour else {"NO_COLOR": "1"}))
    assert code == 0, "ended by a person: nothing was broken off"
    assert bool(COLOUR.search(drawn)) is colour
    lines = [STYLE.sub("", line).rstrip() for line in after.splitlines()]
    shown = [line for line in lines if line]
    assert shown[0].startswith("Pump SP40-") and shown[0].endswith("ago")
    assert shown[-1] == "the watch has ended"
    assert any(line.startswith("MINIMUM") and "4 mcg/h" in line for line in shown)
    assert max(map(len, lines)) <= columns
    assert len(lines) <= 26


def test_a_terminal_that_can_do_nothing_gets_lines(desk: Desk) -> None:
    desk.emulator(frozen=False)
    first, *rest = command(*WATCH)
    child: pexpect.spawn[Any] = pexpect.spawn(
        first,
        rest,
        env={**environment(desk.home), "TERM": "dumb"},
        encoding="utf-8",
        timeout=30,
        preexec_fn=listening,
    )
    child.expect("minimum · 4 mcg/h")
    child.expect("minimum · 4 mcg/h")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert ALTERNATE not in str(child.before)
