"""What stands on docs/emulator.md is true: its sessions print it, its scenario plays."""

from __future__ import annotations

import shlex

import pytest

from pumpctl.cli import edge
from pumpctl.workflows.scenario import scenarios
from tests.cli.test_dosing_pages import TODAY, agrees, blocks, every_block, sessions
from tests.helpers.desk import ROOT, Desk

PAGE = ROOT / "docs" / "emulator.md"


def test_every_session_prints_what_stands_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.files)
    monkeypatch.setattr(edge, "wall", lambda: TODAY)
    monkeypatch.setattr(edge, "wall_utc_ms", lambda: TODAY.utc_ms)
    commands = 0
    for block in blocks(PAGE, "console"):
        for command, shown in sessions(block.text):
            commands += 1
            ran = desk.run(*shlex.split(command)[1:])
            printed = (ran.out + ran.err).rstrip("\n").split("\n")
            assert agrees(shown, printed), f"{command} prints now:\n{ran.out}{ran.err}"
    assert commands > 8


def test_the_shortest_scenario_plays(desk: Desk) -> None:
    (text,) = [block.text for block in every_block(PAGE) if block.info[:1] == ("toml",)]
    file = desk.files / "hour.toml"
    file.write_text(text, encoding="utf-8")
    assert desk.run("emulator", "play", str(file)).code == 0


def test_the_story_of_each_shipped_scenario_is_told() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in scenarios.shipped():
        assert f"`{name}`" in page
