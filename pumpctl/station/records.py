"""Records: interrogations and the pumps' logs, in SQLite or PostgreSQL by URL.

A second store beside the journal: it can be made again from the journal and the
pumps' own logs, so it decides nothing. Log entries are kept as the 80 bytes
that the pump wrote, with their number, so that nothing is lost in reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pumpctl.named import NamedTuple
from pumpctl.station.database import Database

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS log_entries (
        pump VARCHAR(40) NOT NULL,
        number BIGINT NOT NULL,
        raw {bytes} NOT NULL,
        pulled_at VARCHAR(40) NOT NULL,
        PRIMARY KEY (pump, number)
    )""",
    """CREATE TABLE IF NOT EXISTS interrogations (
        id {counted} NOT NULL PRIMARY KEY,
        pump VARCHAR(40) NOT NULL,
        at VARCHAR(40) NOT NULL,
        operator VARCHAR(40) NOT NULL,
        body TEXT NOT NULL
    )""",
)
_ADD_ENTRY = (
    "INSERT INTO log_entries (pump, number, raw, pulled_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_ADD_INTERROGATION = "INSERT INTO interrogations (pump, at, operator, body) VALUES (?, ?, ?, ?)"
_TOP = 2**63 - 1
"""The highest number that a database holds."""


class StoredEntry(NamedTuple):
    """A log entry as it is kept."""

    number: int
    raw: bytes


class Interrogation(NamedTuple):
    """What a pump told once, as it was kept."""

    at: str
    """The station's clock then, ISO 8601."""
    operator: str
    body: str


class Records:
    """The open store. Raises StoreError for whatever goes wrong, UsageError for the URL."""

    def __init__(self, url: str) -> None:
        self._db = Database(url, _SCHEMA)

    def add_log(self, pump: str, entries: Iterable[StoredEntry], *, pulled_at: str) -> int:
        """Keep entries that are not here yet, all or none; how many were new.

        On the disk when this returns: the pump may overwrite them after it (TEL-05).
        """
        rows = [(pump, number, raw, pulled_at) for number, raw in entries]
        return self._db.write(_ADD_ENTRY, rows) if rows else 0

    def last_number(self, pump: str) -> int:
        """The highest number that is kept of this pump; 0 where there is none."""
        rows = self._db.read("SELECT max(number) FROM log_entries WHERE pump = ?", (pump,))
        return int(rows[0][0] or 0)

    def log(
        self, pump: str, *, first: int = 0, last: int | None = None, newest: int | None = None
    ) -> Sequence[StoredEntry]:
        """Entries by number, or the `newest` so many; in rising order."""
        rows = self._db.read(
            "SELECT number, raw FROM log_entries WHERE pump = ? AND number BETWEEN ? AND ? "
            "ORDER BY number DESC LIMIT ?",
            (pump, min(first, _TOP), _most(last), _most(newest)),
        )
        return [StoredEntry(number, raw) for number, raw in reversed(rows)]

    def pumps(self) -> tuple[str, ...]:
        """Serials of the pumps whose log is kept here."""
        rows = self._db.read("SELECT DISTINCT pump FROM log_entries ORDER BY pump")
        return tuple(pump for (pump,) in rows)

    def add_interrogation(self, pump: str, *, at: str, operator: str, body: str) -> None:
        """Keep what an interrogation told."""
        self._db.write(_ADD_INTERROGATION, [(pump, at, operator, body)])

    def interrogated(self) -> tuple[str, ...]:
        """Serials of the pumps of which an interrogation is kept here."""
        rows = self._db.read("SELECT DISTINCT pump FROM interrogations ORDER BY pump")
        return tuple(pump for (pump,) in rows)

    def last_interrogation(self, pump: str) -> Interrogation | None:
        """What this pump told when it was last interrogated; None where nothing is kept."""
        rows = self._db.read(
            "SELECT at, operator, body FROM interrogations WHERE pump = ? ORDER BY id DESC LIMIT 1",
            (pump,),
        )
        return Interrogation(*rows[0]) if rows else None

    def close(self) -> None:
        """Give the connection back."""
        self._db.close()


def _most(asked: int | None) -> int:
    return _TOP if asked is None else min(asked, _TOP)
