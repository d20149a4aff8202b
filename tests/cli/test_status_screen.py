"""The screen of a pump: what is given now, and what it adds for bridge, sensor and battery."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from pumpctl.cli.look.status_text import (
    StatusScreen,
    Told,
    plain_lines,
    show_status,
    status_screen,
)
from pumpctl.cli.screens import draw_status
from pumpctl.quantities import Concentration, Rate, Volume
from pumpctl.therapy.moment import Date
from pumpctl.therapy.state import Battery, BatteryState, Delivery, Fluid, Line, RunningBridge
from tests.helpers.desk import Desk, command, environment
from tests.helpers.seen import seen


def screen(capsys: pytest.CaptureFixture[str], **state: Any) -> dict[str, str]:
    """The rows of the table, by their names."""
    show_status(seen(**state), full=False)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    rows = (line.split("  ", 1) for line in out.splitlines() if "  " in line)
    return {name.strip(): value.strip() for name, value in rows}


@pytest.mark.requirement("REF-08")
def test_a_running_bridge_says_how_far_it_has_come(capsys: pytest.CaptureFixture[str]) -> None:
    bridge = RunningBridge(Volume.parse("0.348 mL"), Volume.parse("0.12 mL"))
    rows = screen(capsys, delivery=Delivery.BRIDGE, bridge=bridge)
    assert rows["delivery"] == "bridge"
    assert rows["bridge"] == "0.12 of 0.348 mL of baclofen 2000 mcg/mL has passed"
    assert "at catheter tip" not in rows, "the bridge says what leaves"


def test_what_leaves_the_catheter_is_said_where_it_is_not_the_reservoirs_drug(
    capsys: pytest.CaptureFixture[str],
) -> None:
    free = Fluid("baclofen", Concentration(0))
    volume, rest = Volume.parse("0.348 mL"), Volume.parse("0.2 mL")
    # 2000 mcg/mL, day and night the same: so the front's hour is when_moved's, tested there.
    rows = screen(capsys, line=Line(volume, free, rest))
    assert rows["at catheter tip"].startswith("NO DRUG until 20")
    weak = Fluid("baclofen", Concentration.parse("500 mcg/mL"))
    rows = screen(capsys, line=Line(volume, weak, rest))
    assert rows["at catheter tip"].startswith("baclofen 500 mcg/mL until 20")
    rows = screen(capsys, line=Line(volume, free, rest), delivery=Delivery.STOPPED)
    assert rows["at catheter tip"] == "NO DRUG; nobody knows until when"
    assert "at catheter tip" not in screen(capsys)


@pytest.mark.requirement("PMP-03")
def test_a_sensed_volume_is_shown_beside_the_computed_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = screen(capsys, sensed=Volume.parse("29.1 mL"))
    assert rows["reservoir"] == "30 mL of 40 mL, alarm at 2 mL"
    assert rows["sensed"] == "29.1 mL, by the pump's sensor"


def test_a_terminal_is_told_the_same_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn by rich there, and put together without it for a pipe."""
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    battery = Battery(BatteryState.ELECTIVE_REPLACEMENT, Date.parse("2026-08-01"))
    for full in (False, True):
        for state in ({}, {"delivery": Delivery.STALLED}, {"battery": battery}):
            shown = status_screen(seen(**state), full=full)
            draw_status(shown)
            drawn = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
            assert drawn == [line.rstrip() for line in plain_lines(shown)]


def test_a_long_value_goes_on_in_its_column() -> None:
    held = Told("word " * 20 + "end")
    *rows, last = plain_lines(StatusScreen([], [("drug", held)], []))
    assert rows
    assert last.startswith(" " * 20 + "word")
    assert last.endswith("end")
    assert max(map(len, [*rows, last])) <= 80


def test_without_either_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert not {"bridge", "sensed"} & set(screen(capsys))


DATES = {"low reservoir", "refill by"}


@pytest.mark.requirement("PRG-07")
def test_the_fallback_shows_the_rate_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = screen(capsys, delivery=Delivery.FALLBACK, program=None, program_hash=None)
    assert rows["delivery"] == "FALLBACK"
    assert rows["basal now"] == "216 mcg/day (9 mcg/h)"
    assert rows["program"].startswith("none that runs")
    assert set(rows) >= DATES
    assert "its dose today" not in rows


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize(
    ("delivery", "why"),
    [(Delivery.STOPPED, "stopped"), (Delivery.STALLED, "the motor stands still")],
)
def test_what_is_not_given_is_not_shown_as_given(
    delivery: Delivery, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = screen(capsys, delivery=delivery)
    assert rows["basal now"] == f"nothing: {why}"
    assert rows["program"] == "continuous, NOT running"
    assert not DATES & set(rows), "no date follows from what does not run"
    rows = screen(capsys, delivery=delivery, program=None, program_hash=None)
    assert rows["basal now"] == f"nothing: {why}"


def test_a_battery_is_shown_where_it_is_not_good(capsys: pytest.CaptureFixture[str]) -> None:
    low = Battery(BatteryState.ELECTIVE_REPLACEMENT, Date.parse("2026-08-01"))
    rows = screen(capsys, battery=low)
    assert rows["battery"] == "elective replacement, replace the pump by 2026-08-01"
    rows = screen(capsys, battery=Battery(BatteryState.END_OF_SERVICE, None))
    assert rows["battery"] == "end of service"
    assert "battery" not in screen(capsys)


@pytest.mark.parametrize("words", [("status",), ("emergency", "overdose"), ("stop", "--now")])
def test_a_reader_who_went_away_is_no_bug_of_ours(words: tuple[str, ...], desk: Desk) -> None:
    """As in `pumpctl status | true`: a 1 would be a bug, and after a stop a dangerous one."""
    desk.emulator()
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command("--port", "emu://ward", *words),
            env=environment(desk.home),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.requirement("REF-08")
def test_a_line_of_another_strength_shows_what_is_really_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """450 mcg/day by 2000 mcg/mL moves 0.225 mL/day; of 500 mcg/mL that is 112.5 mcg/day."""
    state = seen().state
    line = state.line._replace(at_tip=Fluid("baclofen", Concentration(500)))
    rate = Rate.parse("450 mcg/day")
    show_status(seen(line=line)._replace(rate=rate), full=False)
    assert "really given now    112.5 mcg/day (4.688 mcg/h)" in capsys.readouterr().out
