"""The example in a command's help is one that a shell takes as it stands on 80 columns."""

from __future__ import annotations

import contextlib
import io
import shlex
from inspect import cleandoc

import pytest

from pumpctl.cli.commands import COMMANDS, Command
from pumpctl.cli.help import pasteable
from pumpctl.cli.main import build, load
from tests.helpers.desk import Desk


@pytest.mark.parametrize("command", COMMANDS, ids=[each.words for each in COMMANDS])
def test_the_example_can_be_pasted(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    words = command.words.split()
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        build(words)(args=[*words, "--help"], prog_name="pumpctl", standalone_mode=False)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    _, _, rest = text.partition("  Example: ")
    shown = rest.partition("\n\n")[0]
    meant = cleandoc(load(command).__doc__ or "").split("\n\n")[-1].removeprefix("Example: ")
    # A backslash at a line's end joins it to the next, as a shell does.
    assert shlex.split(shown.replace("\\\n", "")) == shlex.split(" ".join(meant.split()))


def test_quoted_words_stay_in_one_line() -> None:
    words = " ".join(f'--event-{place} "catheter aspiration"' for place in range(5))
    told = pasteable(f"What it does.\n\nExample: pumpctl implant revise {words}")
    assert told.startswith("What it does.\n\n\b\nExample: pumpctl implant revise ")
    lines = told.splitlines()[3:]
    assert len(lines) > 1 and all(line.count('"') % 2 == 0 for line in lines)
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert pasteable("No example.") == "No example."


def test_a_refusal_names_each_finding_once(desk: Desk) -> None:
    desk.emulator()
    told = desk.run("--port", "emu://ward", "bolus", "prime", "--plan-only")
    assert told.code == 3
    assert told.err.startswith("pumpctl: refused, nothing was changed:\n  hard PRIME_REFUSED: ")
    assert told.err.count("it would be pushed past the tip") == 1
