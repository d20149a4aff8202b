"""What stands on docs/captures.md is true: its session prints it, its samples can be read."""

from __future__ import annotations

import shlex

import pytest

from pumpctl.transport.capture_text import Unread, read
from pumpctl.workflows.line import decoding, parts
from pumpctl.workflows.line.replaying import NOT_SAID
from tests.cli.test_dosing_pages import agrees, blocks, every_block, sessions
from tests.helpers.desk import ROOT, Desk

PAGE = ROOT / "docs" / "captures.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_session_prints_what_stands_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.files)
    commands = 0
    for block in blocks(PAGE, "console"):
        for command, shown in sessions(block.text):
            commands += 1
            ran = desk.run(*shlex.split(command)[1:])
            printed = (ran.out + ran.err).rstrip("\n").split("\n")
            assert agrees(shown, printed), f"{command} prints now:\n{ran.out}{ran.err}"
    assert commands == 5


def test_the_samples_of_both_forms_can_be_read() -> None:
    samples = [block.text for block in every_block(PAGE) if '"capture": 1' in block.text]
    samples += [block.text for block in every_block(PAGE) if " > 0000: " in block.text]
    assert len(samples) == 2
    ndjson, dump = samples
    torn = [event for event in read(ndjson) if isinstance(event, Unread)]
    assert len(torn) == 2  # the two whose bytes are left out: …
    assert not [event for event in read(dump) if isinstance(event, Unread)]


def test_the_bounds_and_what_is_left_out_are_those_of_the_code() -> None:
    assert f"{parts.MOST_BYTES >> 20} MiB at most" in TEXT
    assert f"{decoding.MOST_ITEMS:,} things" in TEXT
    assert f"{decoding._MOST_SEARCHED} broken frames" in TEXT
    for op in NOT_SAID:
        assert op.name in TEXT


def test_every_key_of_a_ping_is_named(desk: Desk) -> None:
    desk.emulator()
    told = desk.pump("link", "ping", "--count", "2")
    for key in told:
        assert f"`{key}`" in TEXT
    for key in told["bit_error_rate"]:
        assert f"`{key}`" in TEXT
