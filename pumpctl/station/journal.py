"""The journal: what this station was about to do, and what became of it.

SQLite, WAL, synchronous FULL: an entry is on the disk when `append` returns.
An intent is written before the first therapy byte leaves, an outcome before it
is shown (AUD-01). Entries are only ever added, each naming the hash of the one
before. A patient appears as the short hash of the tag, never as the tag: where somebody's
own words hold it, it is left out of them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pumpctl.errors import StoreError
from pumpctl.named import NamedTuple
from pumpctl.station.private_files import make_private, make_private_folder, still_uri

Kind = Literal[
    "intent",
    "outcome",
    "resolved",
    "refused",
    "pairing",
    "reason",
    "library",
    "operator",
    "trial",
    "response",
    "alarm test",
    "mri",
    "visit",
]
STATION = ""
"""In place of a pump's serial, for what concerns the whole station."""
GENESIS = bytes(32)
_KNOWN = ("applied", "refused")
_LOOKED_AT = 100
"""Intents in which the tags of a pump are looked for at first; then in each that follows."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal_entries (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    pump TEXT NOT NULL,
    operation TEXT,
    body TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS journal_by_operation ON journal_entries (operation);
CREATE INDEX IF NOT EXISTS journal_by_pump ON journal_entries (pump, kind);
"""
_CHECKPOINT_PAGES = 200
"""After so many pages SQLite writes its log from the front again: a file that no longer
grows is on the disk sooner. About 60 entries; its own choice, 1000, costs a sixth of the rate."""
_COLUMNS = "seq, at, kind, pump, operation, body, previous, hash"


_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


class Entry(NamedTuple):
    """One entry, as it was written."""

    seq: int
    at: str
    kind: str
    pump: str
    operation: str | None
    body: dict[str, Any]
    previous: bytes
    hash: bytes


def entry_hash(
    previous: bytes, seq: int, at: str, kind: str, pump: str, operation: str | None, body: str
) -> bytes:
    """SHA-256 of the previous hash and the entry in its canonical form."""
    canonical = _written([seq, at, kind, pump, operation, body])
    return hashlib.sha256(previous + canonical.encode("ascii")).digest()


def _table(body: str) -> dict[str, Any]:
    value = json.loads(body)
    if not isinstance(value, dict):
        raise TypeError("an entry that is no table")
    return value


class Journal:
    """The open journal of one home. Raises StoreError for whatever goes wrong."""

    def __init__(self, path: Path, *, wait_s: int = 5) -> None:
        """`wait_s`: how long another process may hold it; a stop does not wait."""
        self._path = path
        self._tags_of: dict[str, tuple[int, set[str]]] = {}
        """By pump: the last entry that was looked at, and the tags' hashes until there."""
        try:
            make_private_folder(path.parent)
            make_private(path)  # SQLite gives its other files the mode of this one
            still = still_uri(path)
            self._db = sqlite3.connect(
                path if still is None else still,
                timeout=wait_s,
                isolation_level=None,
                uri=still is not None,
            )
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the journal {path} cannot be opened: {error}") from error
        try:
            if still is None:
                self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA fullfsync = ON")  # on a Mac, past the drive's own memory
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._db.close()
            raise StoreError(f"the journal {path} cannot be opened: {error}") from error

    def append(
        self, kind: Kind, *, at: str, pump: str, operation: str | None, body: dict[str, Any]
    ) -> bytes:
        """Add an entry; durable when this returns. The new head of the chain."""
        from pumpctl.station.untagged import untagged  # whoever only reads needs none of it

        body = untagged(body, pump, lambda: self._tags(pump, body))
        text = _written(body)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                row = self._db.execute(
                    "SELECT seq, hash FROM journal_entries ORDER BY seq DESC LIMIT 1"
                ).fetchone()
                seq, previous = (1, GENESIS) if row is None else (row[0] + 1, row[1])
                head = entry_hash(previous, seq, at, kind, pump, operation, text)
                self._db.execute(
                    f"INSERT INTO journal_entries ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)",
                    (seq, at, kind, pump, operation, text, previous, head),
                )
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreError(f"the journal {self._path} cannot be written: {error}") from error
        return head

    def _tags(self, pump: str, body: dict[str, Any]) -> set[str]:
        """Hashes of the patients of this pump, as far as anything here names them.

        Each intent is read once; another process's, too.
        """
        last, known = self._tags_of.get(pump, (0, set()))
        try:
            rows = self._db.execute(
                "SELECT seq, body FROM journal_entries WHERE pump = ? AND kind = 'intent' "
                "AND seq > ? ORDER BY seq DESC LIMIT ?",
                (pump, last, -1 if last else _LOOKED_AT),
            ).fetchall()
        except sqlite3.Error:
            rows = []  # what is to be written is not lost for it
        found = set(known)
        for _, text in rows:
            with suppress(ValueError, TypeError):
                found.add(str(_table(text).get("tag")))
        if rows:
            self._tags_of[pump] = rows[0][0], found
        return found | {str(body.get("tag"))}

    def entries(self, *, pump: str | None = None, operation: str | None = None) -> list[Entry]:
        """Entries in order, all or of one pump or operation."""
        where, values = [], []
        for column, value in (("pump", pump), ("operation", operation)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        condition = f" WHERE {' AND '.join(where)}" if where else ""
        try:
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM journal_entries{condition} ORDER BY seq", values
            ).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the journal {self._path} cannot be read: {error}") from error
        try:
            return [
                Entry(seq, at, kind, where_pump, op, _table(body), before, head)
                for seq, at, kind, where_pump, op, body, before, head in rows
            ]
        except (ValueError, TypeError) as error:
            raise StoreError(f"the journal {self._path} is damaged: {error}") from error

    def used(self, operation: str) -> bool:
        """Was a plan with this operation ever sent towards a pump from here?"""
        return bool(self.entries(operation=operation))

    def unresolved(self, pump: str | None = None) -> list[Entry]:
        """Intents of which nobody knows yet what became: no outcome, or an unknown one."""
        open_intents: dict[str, Entry] = {}
        for entry in self.entries(pump=pump):
            if entry.operation is None:
                continue
            if entry.kind == "intent":
                open_intents[entry.operation] = entry
            elif entry.kind in ("outcome", "resolved") and entry.body.get("outcome") in _KNOWN:
                open_intents.pop(entry.operation, None)
        return list(open_intents.values())

    def fault(self) -> str | None:
        """What is wrong with the chain of hashes, or None."""
        previous = GENESIS
        try:
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM journal_entries ORDER BY seq"
            ).fetchall()
        except sqlite3.Error as error:
            return f"cannot be read: {error}"
        for expected, (seq, at, kind, pump, operation, body, before, head) in enumerate(rows, 1):
            if seq != expected:
                return f"entry {expected} is missing"
            if before != previous:
                return f"entry {seq} does not continue entry {seq - 1}"
            if head != entry_hash(before, seq, at, kind, pump, operation, body):
                return f"entry {seq} was altered"
            previous = head
        return None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
