"""One journal, several processes: the chain stays one, and what one knows the other heeds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pumpctl.errors import StoreError
from pumpctl.station import journal as journals
from pumpctl.station.journal import Journal
from pumpctl.station.untagged import LEFT_OUT
from pumpctl.therapy.patient import tag_hash
from tests.station.test_journal import verdict

AT, PUMP = "2026-01-05T14:07:00+01:00", "SP40-000123"

APPENDS = """
import sys
from pathlib import Path
from pumpctl.station.journal import Journal
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal = Journal(path, wait_s=60)
sys.stdin.read()  # until all are there
for number in range(count):
    head = journal.append("intent", at="x", pump="SP40-000123", operation=f"{name}-{number}",
                          body={"reason": "a word or two", "number": number})
    print(number, head.hex(), flush=True)
"""


def appending(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", APPENDS, str(path), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.requirement("AUD-02")
def test_processes_that_append_at_once_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "j"
    names = ("one", "other", "third")
    running = [appending(path, name, 80) for name in names]
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    printed = [process.communicate(timeout=60)[0].split() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    with Journal(path) as journal:
        assert journal.fault() is None
        entries = journal.entries()
    assert verdict(path) is None
    by_operation = {entry.operation: entry.hash.hex() for entry in entries}
    assert len(entries) == len(by_operation) == 240
    for name, words in zip(names, printed, strict=True):
        told = {f"{name}-{number}": head for number, head in zip(*[iter(words)] * 2, strict=True)}
        assert len(told) == 80
        assert told.items() <= by_operation.items(), "the head that it gave is the entry's"


@pytest.mark.requirement("AUD-03")
def test_who_may_not_wait_is_told_and_leaves_the_chain_whole(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as one, Journal(tmp_path / "j", wait_s=0) as other:
        one._db.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            other.append("reason", at=AT, pump=PUMP, operation=None, body={})
        one._db.execute("COMMIT")
        other.append("reason", at=AT, pump=PUMP, operation=None, body={})
        assert one.fault() is other.fault() is None
        assert len(one.entries()) == 1


@pytest.mark.requirement("AUD-01")
def test_a_process_that_is_killed_has_written_what_it_told(tmp_path: Path) -> None:
    path = tmp_path / "j"
    process = appending(path, "one", 100_000)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    told = [process.stdout.readline().split() for _ in range(150)]  # over two of its checkpoints
    os.kill(process.pid, signal.SIGKILL)
    told += [line.split() for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    process.wait()
    assert verdict(path) is None
    with Journal(path) as journal:
        kept = {entry.operation: entry.hash.hex() for entry in journal.entries()}
    assert {f"one-{number}": head for number, head in told}.items() <= kept.items()
    assert len(kept) - len(told) in (0, 1), "at most the one that it had no time to tell"


def test_the_log_beside_it_is_written_over_and_does_not_grow(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
        sizes = []
        for _ in range(250):
            journal.append("reason", at=AT, pump=PUMP, operation=None, body={})
            sizes.append((tmp_path / "j-wal").stat().st_size)
        assert max(sizes) < 2 * journals._CHECKPOINT_PAGES * 4096
        assert len(set(sizes[-100:])) == 1


# --- whose tags are known -------------------------------------------------------------


def reason(journal: Journal, words: str) -> str:
    journal.append("intent", at=AT, pump=PUMP, operation=None, body={"reason": words})
    return str(journal.entries()[-1].body["reason"])


def names(journal: Journal, tag: str, *, pump: str = PUMP) -> None:
    body = {"tag": tag_hash(pump, tag).hex()}
    journal.append("intent", at=AT, pump=pump, operation=None, body=body)


@pytest.mark.requirement("SEC-08")
def test_a_tag_that_another_process_named_meanwhile_is_left_out(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as ours, Journal(tmp_path / "j") as other:
        names(ours, "P-0417")
        assert reason(ours, "P-0417 and P-0999") == f"{LEFT_OUT} and P-0999"
        names(other, "P-0999")
        names(other, "P-0555", pump="SP40-000124")
        assert reason(ours, "P-0417, P-0999, P-0555") == f"{LEFT_OUT}, {LEFT_OUT}, P-0555"
        assert reason(other, "P-0417, P-0999") == f"{LEFT_OUT}, {LEFT_OUT}"


@pytest.mark.requirement("SEC-08")
def test_an_intent_is_read_once_for_its_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[str]()
    table: Callable[[str], dict[str, object]] = journals._table

    def counted(body: str) -> dict[str, object]:
        read.append(body)
        return table(body)

    monkeypatch.setattr(journals, "_table", counted)
    with Journal(tmp_path / "j") as journal:
        names(journal, "P-0417")
        for _ in range(130):
            journal.append("intent", at=AT, pump=PUMP, operation=None, body={"note": "P-0417"})
    assert len(read) == 130, "each but the last"
    with Journal(tmp_path / "j") as journal:
        read.clear()
        journal.append("reason", at=AT, pump=PUMP, operation=None, body={"note": "P-0417"})
        assert len(read) == journals._LOOKED_AT
        journal.append("reason", at=AT, pump=PUMP, operation=None, body={"note": "P-0417"})
        assert len(read) == journals._LOOKED_AT


def test_a_journal_whose_tags_cannot_be_read_is_written_all_the_same(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        names(journal, "P-0417")
        assert reason(journal, "P-0417") == LEFT_OUT
        journal._db.execute("ALTER TABLE journal_entries RENAME COLUMN body TO gone")
        assert journal._tags(PUMP, {}) >= {tag_hash(PUMP, "P-0417").hex()}
        with pytest.raises(StoreError):
            journal.append("intent", at=AT, pump=PUMP, operation=None, body={"reason": "x"})
