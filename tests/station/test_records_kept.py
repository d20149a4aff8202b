"""What the records have taken is on the disk, once, whoever else writes (TEL-05)."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.errors import StoreError
from pumpctl.station.journal import Journal
from pumpctl.station.records import Records, StoredEntry

AT = "2026-01-05T14:07:00+01:00"

TAKES = """
import sys, time
from pumpctl.station.records import Records, StoredEntry
records = Records(sys.argv[1])
batch = [StoredEntry(number, number.to_bytes(80, "big")) for number in range(1, 2001)]
print(records.add_log("A", batch, pulled_at="x"), flush=True)
if sys.argv[2] == "again":
    records._db._db.execute("BEGIN IMMEDIATE")
    records._db._db.execute("INSERT INTO log_entries VALUES ('A', 2001, x'00', 'x')")
    print("begun", flush=True)
time.sleep(60)
"""


def entries(*numbers: int) -> list[StoredEntry]:
    return [StoredEntry(number, number.to_bytes(80, "big")) for number in numbers]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'r'}"


@pytest.fixture
def records(url: str) -> Iterator[Records]:
    opened = Records(url)
    yield opened
    opened.close()


@pytest.mark.requirement("TEL-05")
@pytest.mark.parametrize("after", ["at once", "again"])
def test_a_station_that_is_killed_has_what_it_had_taken(url: str, after: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TAKES, url, after], stdout=subprocess.PIPE, text=True
    ) as taking:
        assert taking.stdout is not None
        assert taking.stdout.readline() == "2000\n"
        if after == "again":
            assert taking.stdout.readline() == "begun\n", "the next batch is half written"
        os.kill(taking.pid, signal.SIGKILL)
    records = Records(url)
    assert records.log("A") == entries(*range(1, 2001))
    assert records.add_log("A", entries(*range(1990, 2011)), pulled_at="y") == 10
    records.close()


@pytest.mark.requirement("TEL-05")
def test_it_is_durable_when_it_is_taken(records: Records, tmp_path: Path) -> None:
    db = records._db._db
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (3,)
    records.add_log("A", entries(1), pulled_at=AT)
    assert not db.in_transaction
    seen = sqlite3.connect(tmp_path / "r")
    assert seen.execute("SELECT pump, number, raw, pulled_at FROM log_entries").fetchall() == [
        ("A", 1, bytes(79) + b"\1", AT)
    ]
    seen.close()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("r*")}
    assert modes == {0o600}, "the log beside it, too"


@given(batches=st.lists(st.lists(st.integers(1, 30), max_size=12), max_size=6))
@settings(max_examples=25, deadline=None)
def test_whatever_overlaps_is_kept_once(
    batches: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    records = Records(f"sqlite:///{tmp_path_factory.mktemp('records') / 'r'}")
    had = set[int]()
    for batch in batches:
        new = records.add_log("A", entries(*batch), pulled_at="x")
        assert new == len(set(batch) - had)
        had |= set(batch)
    assert records.log("A") == entries(*sorted(had))
    assert records.last_number("A") == max(had, default=0)
    records.close()


def test_what_is_kept_is_not_written_over(records: Records) -> None:
    assert records.add_log("A", entries(1, 2), pulled_at="first") == 2
    other = [StoredEntry(2, b"other"), StoredEntry(3, b"three"), StoredEntry(3, b"again")]
    assert records.add_log("A", other, pulled_at="second") == 1
    assert [stored.raw for stored in records.log("A", first=2)] == [entries(2)[0].raw, b"three"]


@pytest.mark.parametrize("bad", [StoredEntry(2**63, b"x"), StoredEntry(5, None)])  # type: ignore[arg-type]
def test_a_batch_is_kept_whole_or_not_at_all(records: Records, bad: StoredEntry) -> None:
    with pytest.raises(StoreError):
        records.add_log("A", [*entries(1, 2), bad], pulled_at="x")
    assert records.log("A") == []
    assert records.add_log("A", entries(1, 2), pulled_at="x") == 2


def test_a_full_disk_costs_the_batch_only(records: Records) -> None:
    records.add_log("A", entries(1), pulled_at="x")
    pages = records._db._db.execute("PRAGMA page_count").fetchone()[0]
    records._db._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match=r"SQLite: .*full"):
        records.add_log("A", entries(*range(2, 5000)), pulled_at="x")
    assert records.log("A") == entries(1)


def test_two_pulls_at_once_take_turns(url: str, records: Records) -> None:
    other = Records(url)
    assert records.add_log("A", entries(1, 2), pulled_at="x") == 2
    assert other.add_log("A", entries(2, 3), pulled_at="y") == 1
    assert records.log("A") == other.log("A") == entries(1, 2, 3)
    other.close()


def test_who_reads_does_not_wait_for_who_writes(url: str, records: Records) -> None:
    records.add_log("A", entries(1), pulled_at="x")
    db = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO log_entries VALUES ('A', 2, x'00', 'x')")
    assert records.last_number("A") == 1
    db.execute("COMMIT")
    db.close()
    assert records.last_number("A") == 2


def test_a_store_in_the_older_form_is_used_on(url: str, tmp_path: Path) -> None:
    """As the releases until now made it: no log beside it, and its own words."""
    db = sqlite3.connect(tmp_path / "r")
    db.execute(
        "CREATE TABLE log_entries (pump VARCHAR(40) NOT NULL, number BIGINT NOT NULL, "
        "raw BLOB NOT NULL, pulled_at VARCHAR(40) NOT NULL, PRIMARY KEY (pump, number))"
    )
    db.execute("INSERT INTO log_entries VALUES ('A', 1, x'01', 'x')")
    db.commit()
    db.close()
    records = Records(url)
    assert records.add_log("A", entries(1, 2), pulled_at="y") == 1
    assert [stored.raw for stored in records.log("A")] == [b"\1", entries(2)[0].raw]
    records.close()


def test_a_store_that_may_only_be_read_is_read(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays in the mode in which it is."""
    records = Records(url)
    records.add_log("A", entries(1), pulled_at="x")
    records._db._db.execute("PRAGMA journal_mode = DELETE")
    records.close()
    connect = sqlite3.connect

    def only_read(path: Path, *, isolation_level: None) -> sqlite3.Connection:
        return connect(f"file:{path}?mode=ro", uri=True, isolation_level=isolation_level)

    monkeypatch.setattr(sqlite3, "connect", only_read)
    records = Records(url)
    assert records.log("A") == entries(1)
    with pytest.raises(StoreError, match="readonly"):
        records.add_log("A", entries(2), pulled_at="x")
    records.close()


def test_numbers_beyond_any_are_asked_for_in_vain(records: Records) -> None:
    records.add_log("A", entries(1, 2**63 - 1), pulled_at="x")
    assert records.log("A", first=2**80) == entries(2**63 - 1)
    assert records.log("A", last=2**80, newest=2**80) == entries(1, 2**63 - 1)
    assert records.log("A", newest=0) == []


READS = """
import os, sys
from pathlib import Path
from pumpctl.station import untagged
from pumpctl.station.journal import Journal
from pumpctl.station.records import Records
if os.getuid() == 0:
    os.setuid(65534)  # root may write everywhere
records = Records(f"sqlite:///{sys.argv[1]}")
print(len(records.log("A")), records.last_interrogation("A").body)
try:
    records.add_interrogation("A", at="x", operator="x", body="x")
except Exception as error:
    print(type(error).__name__)
with Journal(Path(sys.argv[1] + ".journal")) as journal:
    print(journal.fault(), len(journal.unresolved("A")))
    try:
        journal.append("intent", at="x", pump="A", operation="b", body={})
    except Exception as error:
        print(type(error).__name__)
"""


@pytest.mark.requirement("AUD-03")
@pytest.mark.parametrize("path", ["r", "a b%#"])
def test_what_is_kept_can_be_read_where_nothing_can_be_written(path: str) -> None:
    """A disk that was mounted read-only after an error: the emergency card needs what is there."""
    folder = Path(tempfile.mkdtemp())  # for another user, too: pytest's own folders are not
    try:
        file = folder / path
        records = Records(f"sqlite:///{file}")
        records.add_log("A", entries(1, 2), pulled_at=AT)
        records.add_interrogation("A", at=AT, operator="nurse", body="{}")
        records.close()
        kept = folder / f"{path}.journal"
        with Journal(kept) as journal:
            journal.append("intent", at=AT, pump="A", operation="a", body={})
        file.chmod(0o444)
        kept.chmod(0o444)
        folder.chmod(0o555)
        ran = subprocess.run(
            [sys.executable, "-c", READS, str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ran.stdout.splitlines(), ran.stderr) == (
            ["2 {}", "StoreError", "None 1", "StoreError"],
            "",
        )
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)
