"""What a journal could not take is kept and recorded later; plans replace plans only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pumpctl.errors import StoreError
from pumpctl.station.journal import Journal
from pumpctl.station.unrecorded import Unrecorded
from tests.helpers.desk import Desk

pytestmark = pytest.mark.requirement("STP-01")


def test_a_stop_that_could_not_be_recorded_is_recorded_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.emulator()

    def full(*_: object, **__: object) -> bytes:
        raise StoreError("the journal is full")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        stopped = desk.json("--port", "emu://ward", "stop", "--now")
    assert [warning["code"] for warning in stopped["warnings"]] == ["UNRECORDED"]
    operation = stopped["data"]["operation"]
    assert operation in stopped["warnings"][0]["message"]
    journal = Journal(desk.home / "journal.sqlite3")
    assert journal.entries(operation=operation) == []
    journal.close()

    desk.json("--port", "emu://ward", "stop", "--now")
    journal = Journal(desk.home / "journal.sqlite3")
    kept = journal.entries(operation=operation)
    assert [entry.kind for entry in kept] == ["intent", "outcome"]
    assert all(entry.body["recorded_late"] for entry in kept)
    assert journal.unresolved() == []
    assert journal.fault() is None
    journal.close()
    assert not (desk.home / "unrecorded.ndjson").exists()


def test_nothing_is_lost_where_the_journal_fails_again(tmp_path: Path) -> None:
    later = Unrecorded(tmp_path)
    assert later.keep("intent", at="now", pump="P", operation="00", body={})
    with (tmp_path / "unrecorded.ndjson").open("a") as file:
        file.write('{"kind": "outc')  # torn
    journal = Journal(tmp_path / "journal.sqlite3")
    journal.close()
    with pytest.raises(StoreError):
        later.record(journal)
    journal = Journal(tmp_path / "journal.sqlite3")
    assert later.record(journal) == 1
    assert later.record(journal) == 0
    assert [entry.kind for entry in journal.entries()] == ["intent"]
    journal.close()


def test_where_nothing_can_be_written_that_is_said(tmp_path: Path) -> None:
    later = Unrecorded(tmp_path / "nowhere")
    assert not later.keep("intent", at="now", pump="P", operation="00", body={})


@pytest.mark.requirement("SEC-08")
@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_what_is_kept_is_for_its_owner_only(tmp_path: Path) -> None:
    """It holds a reason in somebody's own words."""
    before = os.umask(0o022)
    try:
        Unrecorded(tmp_path).keep("intent", at="x", pump="p", operation="o", body={"reason": "y"})
    finally:
        os.umask(before)
    assert (tmp_path / "unrecorded.ndjson").stat().st_mode & 0o777 == 0o600
