"""The journal: only ever longer, every tampering seen, and the one logic of "unresolved"."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.errors import StoreError
from pumpctl.station.journal import Journal, Kind

OP = "00112233445566778899aabbccddeeff"
OTHER = "ff112233445566778899aabbccddeeff"
PUMP = "SP40-000123"


def verdict(path: Path) -> str | None:
    """An independent verifier, from the description alone; it shares no code with the journal.

    hash = SHA-256(previous hash ‖ canonical JSON array of seq, at, kind, pump, operation,
    body), numbers from 1 without a gap, the first previous hash 32 zero bytes.
    """
    db = sqlite3.connect(path)
    rows = db.execute(
        "SELECT seq, at, kind, pump, operation, body, previous, hash FROM journal_entries"
    ).fetchall()
    db.close()
    head = b"\0" * 32
    for number, row in enumerate(sorted(rows), start=1):
        text = "[" + ",".join(json.dumps(field) for field in row[:6]) + "]"
        if row[0] != number or row[6] != head:
            return f"broken before {row[0]}"
        head = hashlib.sha256(head + text.encode()).digest()
        if row[7] != head:
            return f"altered {row[0]}"
    return None


def filled(path: Path, count: int = 6) -> Path:
    journal = Journal(path)
    for number in range(count):
        journal.append(
            "intent" if number % 2 == 0 else "outcome",
            at=f"2026-01-01T00:00:0{number}Z",
            pump=PUMP,
            operation=OP[:-1] + str(number // 2),
            body={"outcome": "applied", "state_version": number, "note": 'ä µ "quoted"'},
        )
    journal.close()
    return path


def fault(path: Path) -> str | None:
    journal = Journal(path)
    try:
        return journal.fault()
    finally:
        journal.close()


def tampered(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def test_a_whole_chain(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    assert fault(path) is None
    assert verdict(path) is None


def test_the_head_is_returned_and_goes_on_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "j"
    heads = []
    for _ in range(3):
        journal = Journal(path)
        heads.append(
            journal.append("reason", at="2026-01-01T00:00:00Z", pump=PUMP, operation=OP, body={})
        )
        journal.close()
    journal = Journal(path)
    assert [entry.hash for entry in journal.entries()] == heads
    assert [entry.previous for entry in journal.entries()] == [bytes(32), *heads[:-1]]
    journal.close()
    assert verdict(path) is None


@pytest.mark.requirement("AUD-02")
@pytest.mark.parametrize("row", [1, 3, 6])
@pytest.mark.parametrize(
    "edit",
    [
        "at = '2027-01-01T00:00:00Z'",
        "kind = 'resolved'",
        "pump = 'SP40-000124'",
        "operation = NULL",
        "operation = 'ff'",
        "body = replace(body, 'applied', 'refused')",
        "body = body || ' '",
        "previous = randomblob(32)",
        "hash = x'00'",
        "hash = zeroblob(32)",
        "seq = 77",
    ],
)
def test_any_edit_is_found(edit: str, row: int, tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    tampered(path, f"UPDATE journal_entries SET {edit} WHERE seq = {row}")  # noqa: S608
    assert fault(path) is not None
    assert verdict(path) is not None


@pytest.mark.requirement("AUD-02")
@pytest.mark.parametrize("row", [1, 2, 5])
def test_a_deletion_is_found(row: int, tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    tampered(path, f"DELETE FROM journal_entries WHERE seq = {row}")  # noqa: S608
    assert fault(path) is not None
    assert verdict(path) is not None


@pytest.mark.requirement("AUD-02")
def test_a_deletion_with_new_numbers_is_found(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    tampered(
        path,
        "DELETE FROM journal_entries WHERE seq = 3",
        "UPDATE journal_entries SET seq = seq - 1 WHERE seq > 3",
    )
    assert fault(path) is not None
    assert verdict(path) is not None


@pytest.mark.requirement("AUD-02")
def test_an_insertion_is_found(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    tampered(
        path,
        "UPDATE journal_entries SET seq = seq + 100 WHERE seq > 3",
        "UPDATE journal_entries SET seq = seq - 99 WHERE seq > 100",
        "INSERT INTO journal_entries SELECT 4, at, kind, pump, operation, body, previous, hash "
        "FROM journal_entries WHERE seq = 3",
    )
    assert fault(path) is not None
    assert verdict(path) is not None


@pytest.mark.requirement("AUD-02")
def test_a_reorder_is_found(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    tampered(
        path,
        "UPDATE journal_entries SET seq = 99 WHERE seq = 2",
        "UPDATE journal_entries SET seq = 2 WHERE seq = 3",
        "UPDATE journal_entries SET seq = 3 WHERE seq = 99",
    )
    assert fault(path) is not None
    assert verdict(path) is not None


@pytest.mark.requirement("AUD-02")
def test_a_lost_tail_is_found_by_the_head_that_the_pump_keeps(tmp_path: Path) -> None:
    """The chain alone cannot see it; what was handed to the pump is no head of it any more."""
    path = filled(tmp_path / "j")
    journal = Journal(path)
    head = journal.entries()[-1].hash
    journal.close()
    tampered(path, "DELETE FROM journal_entries WHERE seq = 6")
    assert fault(path) is None
    journal = Journal(path)
    assert head not in [entry.hash for entry in journal.entries()]
    journal.close()


# --- what is unresolved ------------------------------------------------------------------------

Step = tuple[str, str]
OPENED, UNKNOWN, APPLIED, REFUSED = (
    ("intent", ""),
    ("outcome", "unknown"),
    ("outcome", "applied"),
    ("outcome", "refused"),
)
FOUND_APPLIED, FOUND_REFUSED = ("resolved", "applied"), ("resolved", "refused")


def story(journal: Journal, *steps: Step, operation: str = OP, pump: str = PUMP) -> None:
    for kind, outcome in steps:
        body: dict[str, Any] = {"state_version": 1, **({"outcome": outcome} if outcome else {})}
        kinds: dict[str, Kind] = {
            "intent": "intent",
            "outcome": "outcome",
            "resolved": "resolved",
            "refused": "refused",
            "reason": "reason",
            "pairing": "pairing",
        }
        journal.append(
            kinds[kind], at="2026-01-01T00:00:00Z", pump=pump, operation=operation, body=body
        )


@pytest.mark.requirement("BOL-05")
@pytest.mark.parametrize(
    ("steps", "is_open"),
    [
        ([], False),
        ([OPENED], True),
        ([OPENED, UNKNOWN], True),
        ([OPENED, APPLIED], False),
        ([OPENED, REFUSED], False),
        ([OPENED, UNKNOWN, FOUND_APPLIED], False),
        ([OPENED, UNKNOWN, FOUND_REFUSED], False),
        ([OPENED, FOUND_APPLIED], False),
        ([OPENED, UNKNOWN, ("resolved", "unknown")], True),
        ([("refused", "refused")], False),
        ([("reason", "")], False),
        ([("reason", "unknown")], False),
        ([UNKNOWN], False),
    ],
)
def test_unresolved(steps: list[Step], is_open: bool, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    story(journal, *steps)
    found = journal.unresolved(PUMP)
    assert bool(found) is is_open
    assert [entry.operation for entry in found] == [OP] * is_open
    assert bool(journal.unresolved()) is is_open
    assert journal.unresolved("SP40-999999") == []
    assert journal.used(OP) is bool(steps)
    assert not journal.used(OTHER)
    journal.close()


def test_one_of_two_is_open(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    story(journal, OPENED, operation=OP)
    story(journal, OPENED, APPLIED, operation=OTHER)
    story(journal, OPENED, operation="aa" * 16, pump="SP40-000999")
    assert [entry.operation for entry in journal.unresolved(PUMP)] == [OP]
    assert [entry.operation for entry in journal.unresolved()] == [OP, "aa" * 16]
    journal.close()


@given(
    at=st.text(max_size=20),
    body=st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20), max_size=4),
)
@settings(max_examples=15, deadline=None)
def test_whatever_is_written_is_read_and_verified(
    at: str, body: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    at = at.encode("utf-8", "replace").decode()
    path = tmp_path_factory.mktemp("journal") / "j"
    journal = Journal(path)
    journal.append("pairing", at=at, pump=PUMP, operation=None, body=body)
    assert journal.entries()[0].body == body
    assert journal.fault() is None
    journal.close()
    assert verdict(path) is None


# --- durable, or an error ------------------------------------------------------------


@pytest.mark.requirement("AUD-01")
def test_it_is_durable_when_append_returns(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
    story(journal, OPENED)
    assert not journal._db.in_transaction
    seen = sqlite3.connect(tmp_path / "j")
    assert seen.execute("SELECT count(*) FROM journal_entries").fetchone() == (1,)
    seen.close()
    journal.close()


@pytest.mark.parametrize("content", [b"garbage" * 200, b"SQLite format 3\0" + b"\xff" * 4096])
def test_what_is_no_journal(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(StoreError):
        Journal(tmp_path / "j").entries()


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "j").mkdir()
    with pytest.raises(StoreError):
        Journal(tmp_path / "j")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        Journal(tmp_path / "file" / "j")


def test_a_full_database_is_an_error_and_leaves_the_chain_whole(tmp_path: Path) -> None:
    path = filled(tmp_path / "j")
    journal = Journal(path)
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        journal.append("reason", at="x", pump=PUMP, operation=OP, body={"pad": "x" * 100_000})
    assert journal.fault() is None
    journal.close()
    assert verdict(path) is None


def test_two_writers_take_turns(tmp_path: Path) -> None:
    one, other = Journal(tmp_path / "j"), Journal(tmp_path / "j")
    for _ in range(5):
        story(one, OPENED)
        story(other, OPENED, operation=OTHER)
    assert one.fault() is None
    assert len(other.entries()) == 10
    one.close()
    other.close()
