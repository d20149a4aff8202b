"""Records: interrogations and the pumps' logs, in SQLite or PostgreSQL by URL.

A second store beside the journal: it can be made again from the journal and the
pumps' own logs, so it decides nothing. Log entries are kept as the 80 bytes
that the pump wrote, with their number, so that nothing is lost in reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from pumpctl.errors import StoreError, UsageError
from pumpctl.station.private_files import make_private

_META = sa.MetaData()

_LOG = sa.Table(
    "log_entries",
    _META,
    sa.Column("pump", sa.String(40), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("raw", sa.LargeBinary(80), nullable=False),
    sa.Column("pulled_at", sa.String(40), nullable=False),
)
_INTERROGATIONS = sa.Table(
    "interrogations",
    _META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pump", sa.String(40), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)


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
    """The open store. Raises StoreError for whatever goes wrong."""

    def __init__(self, url: str) -> None:
        try:
            self._engine = sa.create_engine(url)
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
            raise UsageError(
                f"{url!r} is no database", hint="sqlite:///PATH or postgresql+psycopg://…"
            ) from error
        except ModuleNotFoundError as error:
            raise UsageError(
                f"the driver for {url!r} is not installed",
                hint="install pumpctl[postgresql]",
            ) from error
        where = self._engine.url
        if where.get_backend_name() == "sqlite" and where.database not in (None, "", ":memory:"):
            with suppress(OSError):  # what is wrong with the place is SQLite's to say
                make_private(Path(str(where.database)))
        try:
            _META.create_all(self._engine)
        except sa.exc.SQLAlchemyError as error:
            self._engine.dispose()
            raise _failed(error) from error

    def add_log(self, pump: str, entries: Iterable[StoredEntry], *, pulled_at: str) -> int:
        """Keep entries that are not here yet, all or none; how many were new."""
        rows = {entry.number: entry.raw for entry in entries}
        if not rows:
            return 0
        try:
            with self._engine.begin() as db:
                here = set(
                    db.scalars(
                        sa.select(_LOG.c.number).where(
                            _LOG.c.pump == pump,
                            _LOG.c.number.between(min(rows), max(rows)),
                        )
                    )
                )
                new = [
                    {"pump": pump, "number": number, "raw": raw, "pulled_at": pulled_at}
                    for number, raw in rows.items()
                    if number not in here
                ]
                if new:
                    db.execute(sa.insert(_LOG), new)
        except sa.exc.SQLAlchemyError as error:
            raise _failed(error) from error
        return len(new)

    def last_number(self, pump: str) -> int:
        """The highest number that is kept of this pump; 0 where there is none."""
        query = sa.select(sa.func.max(_LOG.c.number)).where(_LOG.c.pump == pump)
        try:
            with self._engine.connect() as db:
                return int(db.scalar(query) or 0)
        except sa.exc.SQLAlchemyError as error:
            raise _failed(error) from error

    def log(
        self, pump: str, *, first: int = 0, last: int | None = None, newest: int | None = None
    ) -> Sequence[StoredEntry]:
        """Entries by number, or the `newest` so many; in rising order."""
        query = sa.select(_LOG.c.number, _LOG.c.raw).where(
            _LOG.c.pump == pump, _LOG.c.number >= first
        )
        if last is not None:
            query = query.where(_LOG.c.number <= last)
        query = query.order_by(_LOG.c.number.desc())
        if newest is not None:
            query = query.limit(newest)
        try:
            with self._engine.connect() as db:
                rows = [StoredEntry(row.number, row.raw) for row in db.execute(query)]
        except sa.exc.SQLAlchemyError as error:
            raise _failed(error) from error
        return rows[::-1]

    def pumps(self) -> tuple[str, ...]:
        """Serials of the pumps whose log is kept here."""
        query = sa.select(_LOG.c.pump).distinct().order_by(_LOG.c.pump)
        try:
            with self._engine.connect() as db:
                return tuple(db.scalars(query))
        except sa.exc.SQLAlchemyError as error:
            raise _failed(error) from error

    def add_interrogation(self, pump: str, *, at: str, operator: str, body: str) -> None:
        """Keep what an interrogation told."""
        row = {"pump": pump, "at": at, "operator": operator, "body": body}
        try:
            with self._engine.begin() as db:
                db.execute(sa.insert(_INTERROGATIONS), [row])
        except sa.exc.SQLAlchemyError as error:
            raise _failed(error) from error

    def interrogated(self) -> tuple[str, ...]:
        """Serials of the pumps of which an interrogation is kept here."""
        query = sa.select(_INTERROGATIONS.c.pump).distinct().order_by(_INTERROGATIONS.c.pump)
        try:
            with self._engine.connect() as db:
                return tuple(db.scalars(query))
        except sa.exc.SQLAlchemyError as error:
            raise _failed(error) from error

    def last_interrogation(self, pump: str) -> Interrogation | None:
        """What this pump told when it was last interrogated; None where nothing is kept."""
        query = (
            sa.select(_INTERROGATIONS)
            .where(_INTERROGATIONS.c.pump == pump)
            .order_by(_INTERROGATIONS.c.id.desc())
            .limit(1)
        )
        try:
            with self._engine.connect() as db:
                row = db.execute(query).first()
        except sa.exc.SQLAlchemyError as error:
            raise _failed(error) from error
        return None if row is None else Interrogation(row.at, row.operator, row.body)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def _failed(error: Exception) -> StoreError:
    return StoreError(f"the records cannot be used: {str(error).splitlines()[0]}")
