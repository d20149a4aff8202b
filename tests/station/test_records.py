"""The records: entries once, gaps seen, damage told, a store that can be made again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpctl.errors import NoAnswer, StoreError, UsageError
from pumpctl.link.slices import Slice
from pumpctl.pump.pump import Pump
from pumpctl.station.records import Records, StoredEntry
from tests.helpers.desk import Desk


def entries(*numbers: int) -> list[StoredEntry]:
    return [StoredEntry(number, number.to_bytes(80, "big")) for number in numbers]


def test_an_entry_is_kept_once(tmp_path: Path) -> None:
    records = Records(f"sqlite:///{tmp_path / 'r'}")
    assert records.add_log("A", entries(1, 2, 3), pulled_at="x") == 3
    assert records.add_log("A", entries(2, 3, 4), pulled_at="y") == 1
    assert records.add_log("A", entries(), pulled_at="y") == 0
    assert records.add_log("B", entries(2), pulled_at="y") == 1
    assert [entry.number for entry in records.log("A")] == [1, 2, 3, 4]
    assert [entry.number for entry in records.log("A", newest=2)] == [3, 4]
    assert [entry.number for entry in records.log("A", first=2, last=3)] == [2, 3]
    assert records.last_number("A") == 4
    assert records.last_number("C") == 0
    assert records.pumps() == ("A", "B")
    records.close()


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x", "", "://"])
def test_what_is_no_database(url: str) -> None:
    with pytest.raises(UsageError):
        Records(url)


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Records(f"sqlite:///{tmp_path / 'no' / 'where'}")
    (tmp_path / "garbage").write_bytes(b"garbage" * 500)
    with pytest.raises(StoreError):
        Records(f"sqlite:///{tmp_path / 'garbage'}")


@pytest.mark.requirement("TEL-05")
def test_a_pull_brings_what_is_new(desk: Desk) -> None:
    desk.emulator()
    first = desk.pump("logs", "pull")
    assert first["new"] == first["held"] == first["last"] > 0
    assert (first["first"], first["gaps"]) == (1, [])
    again = desk.pump("logs", "pull")
    assert (again["new"], again["first"], again["last"]) == (0, None, None)
    desk.advance("5h")
    more = desk.pump("logs", "pull")
    assert more["first"] == first["last"] + 1
    assert more["new"] == more["last"] - first["last"] >= 5
    assert desk.pump("logs", "pull", "--all")["new"] == 0


@pytest.mark.requirement("TEL-04")
def test_a_gap_and_a_damaged_entry_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.emulator()
    desk.advance("20h")
    real = Pump.stream_log

    def spoiled(self: Pump, first: int, until: int) -> Iterator[Slice]:
        for piece in real(self, first, until):
            if piece.first > 1:
                yield piece
                continue
            good = list(piece.entries)
            good[4] = bytes([good[4][0] ^ 1]) + good[4][1:]
            good[7] = good[6]
            yield piece._replace(entries=tuple(good))

    with monkeypatch.context() as patch:
        patch.setattr(Pump, "stream_log", spoiled)
        told = desk.pump("logs", "pull")
    assert [(gap["first"], gap["last"], gap["cause"]) for gap in told["gaps"]] == [
        (5, 5, "a log entry whose check fails"),
        (7, 7, "the pump sent it again"),
        (8, 8, "the pump does not hold it"),
    ]
    assert told["new"] == told["held"] - 2
    healed = desk.pump("logs", "pull", "--all")
    assert (healed["new"], healed["gaps"]) == (2, [])


@pytest.mark.requirement("TEL-05")
def test_a_cut_in_the_middle_costs_nothing_that_was_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.emulator()
    desk.advance("5d")
    real = Pump.stream_log

    def dies(self: Pump, first: int, until: int) -> Iterator[Slice]:
        whole = next(real(self, first, until))
        for at in (0, 20):
            yield Slice(first + at, first + at + 20, whole.entries[at : at + 20])
        raise NoAnswer("cut")

    with monkeypatch.context() as patch:
        patch.setattr(Pump, "stream_log", dies)
        desk.refused(5, "NO_ANSWER", "--port", "emu://ward", "logs", "pull")
    rest = desk.pump("logs", "pull")
    assert rest["first"] == 41
    assert (rest["gaps"], rest["last"]) == ([], rest["held"])
    shown = desk.data("logs", "show", "--last", 10_000)["entries"]
    assert [entry["number"] for entry in shown] == list(range(1, rest["held"] + 1))


def test_the_records_can_be_made_again(desk: Desk) -> None:
    desk.emulator()
    desk.advance("1d")
    first = desk.pump("logs", "pull")
    (desk.home / "records.sqlite3").unlink()
    assert desk.pump("logs", "pull")["new"] == first["new"]


def test_a_store_that_cannot_be_written(desk: Desk) -> None:
    desk.emulator()
    (desk.home / "records.sqlite3").write_bytes(b"garbage" * 500)
    with desk.untouched():
        desk.refused(11, "STORE", "--port", "emu://ward", "logs", "pull")
        told = desk.json("--port", "emu://ward", "interrogate")
        assert [warning["code"] for warning in told["warnings"]] == ["UNRECORDED"]


@pytest.mark.requirement("TEL-05")
def test_nothing_is_released_that_is_not_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.emulator()
    released = list[int]()
    real = Pump.release_log

    def noted(self: Pump, below: int) -> None:
        released.append(below)
        real(self, below)

    def fails(self: Records, *args: object, **named: object) -> int:
        raise StoreError("no room")

    monkeypatch.setattr(Pump, "release_log", noted)
    with monkeypatch.context() as patch:
        patch.setattr(Records, "add_log", fails)
        desk.refused(11, "STORE", "--port", "emu://ward", "logs", "pull")
    assert released == []
    assert desk.pump("logs", "pull")["last"] == released[0] - 1
