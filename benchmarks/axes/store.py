"""Decode, check and store 100 000 log entries, beside SQLite inserting the same rows.

Ours is what a pull does with each slice that comes: the batch is unpacked as the wire
carries it, every entry's number and check are looked at, and the slice is committed to
the records, on the disk when it returns. The peer gets ready rows and the same table,
commits as often and as durably: in a write-ahead log, and as SQLite comes.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path

from benchmarks import yearlog
from benchmarks.axis import Axis, Options, Result, Row, Target
from pumpctl.station.records import Records
from pumpctl.wire.codes import Encoding
from pumpctl.wire.logbatch import pack_batch, unpack_batch
from pumpctl.wire.logentry import pack, unpack
from pumpctl.workflows.look.checking import checked

AT_LEAST = 0.4
ENTRIES = 100_000
SLICE = 800
"""Entries of an answer on a fast line."""
PUMP = "SP40-000001"
AT = "2026-09-01T08:00:00.000+00:00"


def entries(count: int) -> list[bytes]:
    """So many, numbered from 1 on, of a year's log over and over."""
    year = [unpack(raw) for raw in yearlog.year_pump().entries]
    return [pack(year[n % len(year)]._replace(number=n + 1)) for n in range(count)]


def run(options: Options) -> Result:
    """The two in turn, each into a file of its own."""
    count = 4_000 if options.quick else ENTRIES
    raws = entries(count)
    slices: list[tuple[int, int, bytes]] = []
    at = 0
    while at < count:
        taken, batch = pack_batch(Encoding.DIFFERENCE, tuple(raws[at : at + SLICE]))
        slices.append((at, taken, batch))
        at += taken
    ours: list[float] = []
    bare: list[float] = []
    plain: list[float] = []
    for _ in range(options.times(5)):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            ours.append(count / _ours(Path(folder), slices, count))
            bare.append(count / _bare(Path(folder), slices, raws, wal=True))
            plain.append(count / _bare(Path(folder), slices, raws, wal=False))
    ratio = tuple(one / other for one, other in zip(ours, bare, strict=True))
    rows = (
        Row("pumpctl: unpack, check, store", tuple(ours), "entries/s"),
        Row("SQLite insert alone, WAL", tuple(bare), "entries/s"),
        Row("SQLite insert alone, as it comes", tuple(plain), "entries/s"),
        Row("pumpctl / SQLite alone, WAL", ratio, "×", Target(AT_LEAST, least=True)),
    )
    return Result(rows, (f"{count} entries in {len(slices)} commits",))


def _ours(folder: Path, slices: list[tuple[int, int, bytes]], count: int) -> float:
    records = Records(f"sqlite:///{folder / 'ours.sqlite3'}")
    begun = time.perf_counter()
    new = 0
    for at, taken, batch in slices:
        good, gaps, _ = checked(at + 1, unpack_batch(Encoding.DIFFERENCE, batch, taken))
        assert not gaps
        new += records.add_log(PUMP, good, pulled_at=AT)
    seconds = time.perf_counter() - begun
    records.close()
    assert new == count
    return seconds


def _bare(
    folder: Path, slices: list[tuple[int, int, bytes]], raws: list[bytes], *, wal: bool
) -> float:
    db = sqlite3.connect(folder / f"bare-{wal}.sqlite3")
    db.execute("PRAGMA synchronous = FULL")
    if wal:
        db.execute("PRAGMA journal_mode = WAL")
    db.execute(
        "CREATE TABLE log_entries (pump VARCHAR(40) NOT NULL, number BIGINT NOT NULL, "
        "raw BLOB NOT NULL, pulled_at VARCHAR(40) NOT NULL, PRIMARY KEY (pump, number))"
    )
    rows = [(PUMP, number, raw, AT) for number, raw in enumerate(raws, 1)]
    begun = time.perf_counter()
    for at, taken, _ in slices:
        db.executemany("INSERT INTO log_entries VALUES (?, ?, ?, ?)", rows[at : at + taken])
        db.commit()
    seconds = time.perf_counter() - begun
    db.close()
    return seconds


AXIS = Axis("store", "decode, check and store log entries", run)
