"""`logs pull` cut anywhere: nothing lost, nothing twice, nothing released that is not durable."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.errors import StoreError
from pumpctl.pump.pump import Pump
from pumpctl.station.records import Records
from pumpctl.transport.emulated import EmulatedLine
from pumpctl.transport.line import LineLost
from pumpctl.workflows.look import logs
from tests.helpers.desk import Desk


def released(desk: Desk) -> list[int]:
    """What RELEASE_LOG is told from now on."""
    told: list[int] = []
    real = Pump.release_log

    def noted(self: Pump, below: int) -> None:
        told.append(below)
        real(self, below)

    desk.monkeypatch.setattr(Pump, "release_log", noted)
    return told


@pytest.mark.requirement("TEL-05")
def test_nothing_is_released_that_could_not_be_kept(desk: Desk) -> None:
    desk.emulator()
    desk.advance("5d")
    told = released(desk)

    def fails(self: Records, *_: Any, **__: Any) -> int:
        raise StoreError("the disk is full")

    with desk.monkeypatch.context() as patch:
        patch.setattr(Records, "add_log", fails)
        desk.json("--port", "emu://ward", "logs", "pull", code=11)
    assert told == []
    found = desk.pump("logs", "pull")
    assert told == [found["last"] + 1]


@pytest.mark.requirement("TEL-05")
def test_an_end_between_commit_and_release_is_made_good(desk: Desk) -> None:
    desk.emulator()
    desk.advance("5d")

    def interrupted(self: Pump, below: int) -> None:
        raise KeyboardInterrupt

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, "release_log", interrupted)
        assert desk.run("--port", "emu://ward", "logs", "pull").code == 130
    told = released(desk)
    again = desk.pump("logs", "pull")
    assert again["new"] == 0
    assert len(told) == 1
    assert told[0] > 100


@pytest.mark.requirement("TEL-05")
@pytest.mark.parametrize("reads", [5, 6, 7, 8, 9, 10])
def test_a_line_that_dies_at_any_reading_costs_nothing_that_came(desk: Desk, reads: int) -> None:
    desk.emulator()
    desk.advance("60d")
    real, left = EmulatedLine.read, [reads]

    def dies(self: EmulatedLine, seconds: float, *, gather: float = 0.0) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise LineLost("the line broke while reading: pulled out")
        return real(self, seconds, gather=gather)

    with desk.monkeypatch.context() as patch:
        patch.setattr(EmulatedLine, "read", dies)
        cut = desk.run("--port", "emu://ward", "logs", "pull", "--json").code
    assert cut in (0, 5)
    desk.pump("logs", "pull")
    whole = desk.pump("logs", "pull", "--all")
    assert whole["new"] == 0
    assert whole["gaps"] == []


@pytest.mark.requirement("TEL-05")
def test_whoever_interrupts_is_told_what_was_kept(desk: Desk) -> None:
    desk.emulator()
    desk.advance("60d")
    real, slices = Records.add_log, [1]

    def interrupted(self: Records, *given: Any, **named: Any) -> int:
        if not slices:
            raise KeyboardInterrupt
        slices.pop()
        return real(self, *given, **named)

    with desk.monkeypatch.context() as patch:
        patch.setattr(Records, "add_log", interrupted)
        first = desk.json("--port", "emu://ward", "logs", "pull", code=130)["error"]
        second = desk.json("--port", "emu://ward", "logs", "pull", code=130)["error"]
    shown = desk.json("logs", "show", "--last", "10000")["data"]["entries"]
    assert first["message"].startswith(f"interrupted after {len(shown)} of ")
    assert "in the records" in first["hint"]
    assert second["message"] == "interrupted before anything of the log came"
    assert second["hint"] == "nothing was changed"
    assert desk.pump("logs", "pull")["first"] == shown[-1]["number"] + 1


@pytest.mark.requirement("TEL-04")
def test_entries_damaged_in_the_pump_are_told_as_gaps(desk: Desk) -> None:
    desk.emulator()
    desk.advance("20d")
    desk.data("emulator", "fault", "ward", "flash-bit", "--count", 40, "--at", "log")
    told = desk.pump("logs", "pull")
    lost = sum(gap["last"] - gap["first"] + 1 for gap in told["gaps"])
    assert lost > 0
    assert told["new"] + lost == told["held"]
    kept = {each["number"] for each in desk.data("logs", "show", "--last", 10_000)["entries"]}
    for gap in told["gaps"]:
        assert not kept & set(range(gap["first"], gap["last"] + 1))
        assert gap["cause"] == "the pump does not hold it"
    again = desk.pump("logs", "pull", "--all")
    assert (again["new"], again["gaps"]) == (0, told["gaps"])
    lines = desk.run("--port", "emu://ward", "logs", "pull", "--all").out.splitlines()
    assert [line for line in lines if line.startswith("GAP ")] == [
        f"GAP {gap['first']} to {gap['last']}: {gap['cause']}" for gap in told["gaps"]
    ]


def test_bytes_on_wire_are_those_that_a_line_counts(desk: Desk) -> None:
    desk.emulator()
    desk.advance("20d")
    counted = [0]
    write, read, real = EmulatedLine.write, EmulatedLine.read, logs.pull

    def writes(self: EmulatedLine, data: bytes) -> None:
        counted[0] += len(data)
        write(self, data)

    def reads(self: EmulatedLine, seconds: float, *, gather: float = 0.0) -> bytes:
        data = read(self, seconds, gather=gather)
        counted[0] += len(data)
        return data

    seen = []

    def pull(*given: Any, **more: Any) -> Any:
        before = counted[0]
        pulled = real(*given, **more)
        seen.append(counted[0] - before)
        return pulled

    desk.monkeypatch.setattr(EmulatedLine, "write", writes)
    desk.monkeypatch.setattr(EmulatedLine, "read", reads)
    desk.monkeypatch.setattr(logs, "pull", pull)
    told = desk.pump("logs", "pull")
    assert [told["bytes_on_wire"]] == seen
    assert seen[0] > 200
