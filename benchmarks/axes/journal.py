"""Durable appends per second: the journal's chained entries beside a plain file and SQLite.

Each append is on the disk when it returns. The plain file gets the same text and an
fsync; SQLite (WAL, synchronous FULL) gets it as one row, without chain or index.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.axis import Axis, Options, Result, Row, Target
from pumpctl.station.journal import Journal

AT_LEAST = 0.5
AT = "2026-09-01T08:00:00.000+00:00"
PUMP = "SP40-000001"


def body(number: int) -> dict[str, Any]:
    """As big as an intent's."""
    return {
        "kind": "program",
        "content": hashlib.sha256(str(number).encode()).hexdigest(),
        "old": {"daily_dose": "410 mcg/day", "hash": "5f3a" * 16},
        "new": {"daily_dose": "438 mcg/day", "hash": "9c1e" * 16},
        "operator": "nurse",
        "tag": "c0ffee00",
        "findings": ["INCREASE", "SLIDING_DAY"],
    }


def run(options: Options) -> Result:
    """All three in turn."""
    count = 20 if options.quick else 400
    contenders: dict[str, Callable[[Path, int], float]] = {
        "pumpctl's journal, chained": _journal,
        "plain append + fsync": _plain,
        "SQLite, WAL, FULL": _sqlite,
    }
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(options.times(7)):
        for name, measure in contenders.items():
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                rates[name].append(count / measure(Path(folder), count))
    ours, plain, sqlite = rates.values()
    rows = [Row(name, tuple(values), "/s") for name, values in rates.items()]
    for name, values, target in (
        ("pumpctl / plain append", ours, Target(AT_LEAST, least=True)),
        ("SQLite / plain append", sqlite, None),
    ):
        ratio = tuple(one / other for one, other in zip(values, plain, strict=True))
        rows.append(Row(name, ratio, "×", target))
    return Result(tuple(rows), (f"{count} appends of {len(_text(0))} bytes in a round",))


def _text(number: int) -> str:
    return json.dumps(body(number), sort_keys=True, separators=(",", ":"))


def _journal(folder: Path, count: int) -> float:
    with Journal(folder / "journal.sqlite3") as journal:
        begun = time.perf_counter()
        for number in range(count):
            journal.append(
                "intent", at=AT, pump=PUMP, operation=f"{number:032x}", body=body(number)
            )
        return time.perf_counter() - begun


def _plain(folder: Path, count: int) -> float:
    descriptor = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        begun = time.perf_counter()
        for number in range(count):
            os.write(descriptor, _text(number).encode("ascii") + b"\n")
            os.fsync(descriptor)
        return time.perf_counter() - begun
    finally:
        os.close(descriptor)


def _sqlite(folder: Path, count: int) -> float:
    db = sqlite3.connect(folder / "plain.sqlite3", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    begun = time.perf_counter()
    for number in range(count):
        db.execute("INSERT INTO entries (body) VALUES (?)", (_text(number),))
    seconds = time.perf_counter() - begun
    db.close()
    return seconds


AXIS = Axis("journal", "durable appends", run)
