"""A database by its URL: SQLite by the standard library, PostgreSQL by psycopg.

One text of SQL for both; where they differ stands in a `Dialect`, and nowhere else.
Both drivers are DB-API: a library above them would cost every command that touches
records 0.2 s of processor before anything is read. What is kept is not known here.

What a transaction has written is on the disk when it ends: TEL-05 lets the pump
overwrite its log after that.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from pumpctl.errors import StoreError, UsageError
from pumpctl.named import NamedTuple
from pumpctl.station.private_files import make_private, still_uri

_FORMS = "sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME"
_PASSWORD = re.compile(
    r"(?:(?<=://)|^(?![\w+]+://))[^:/@\s]*:\S*(?=@)|(?<=password=)[^&\s]*", re.ASCII
)
_CONNECT_S = "10"
"""How long a server may let us wait, where the URL does not say."""


class Dialect(NamedTuple):
    """Where the two differ."""

    begin: str
    mark: str
    """Stands for a value in a statement; it is `?` in what is handed in."""
    bytes_type: str
    """Stands for `{bytes}` in a statement of the schema."""
    counted: str
    """Stands for `{counted}`: a key that the database counts."""
    named: str


SQLITE = Dialect("BEGIN IMMEDIATE", "?", "BLOB", "INTEGER", "SQLite")
POSTGRESQL = Dialect("BEGIN", "%s", "BYTEA", "SERIAL", "PostgreSQL")


class Database:
    """An open database. Raises StoreError for whatever goes wrong, UsageError for the URL."""

    def __init__(self, url: str, schema: Sequence[str]) -> None:
        """`schema`: statements that make what is not there yet."""
        scheme, mark, rest = url.partition("://")
        if not mark:
            raise UsageError(f"{_shown(url)!r} is no database", hint=_FORMS)
        self._errors: tuple[type[Exception], ...]
        self._db: Any
        opened: Callable[[], Any]
        match scheme:
            case "sqlite" | "sqlite+pysqlite":
                self.dialect = SQLITE
                self._errors = (sqlite3.Error, OverflowError)
                opened = partial(_open_sqlite, _path(url, rest))
            case "postgresql" | "postgresql+psycopg":
                self.dialect = POSTGRESQL
                self._errors = (_psycopg(url).Error, OverflowError)
                person, at, place = rest.rpartition("@")  # a password may hold one, too
                opened = partial(
                    _open_postgresql, f"postgresql://{person.replace('@', '%40')}{at}{place}"
                )
            case _:
                raise UsageError(f"{_shown(url)!r} is no database", hint=_FORMS)
        with self._told():
            self._db = opened()
        try:
            with self._told():
                for statement in schema:
                    self._db.execute(self.text(statement))
        except BaseException:
            self._db.close()
            raise

    def text(self, statement: str) -> str:
        """A statement as this database wants it. Our own words only: no value stands in it."""
        statement = statement.replace("{bytes}", self.dialect.bytes_type)
        statement = statement.replace("{counted}", self.dialect.counted)
        return statement.replace("?", self.dialect.mark)

    def write(self, statement: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run it for every row, all or none; durable when this returns. Rows really changed."""
        with self._told():
            self._db.execute(self.dialect.begin)
            try:
                cursor = self._db.cursor()
                cursor.executemany(self.text(statement), rows)
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(*self._errors):  # SQLite has ended some by itself: a full disk
                    self._db.execute("ROLLBACK")
                raise
        return int(cursor.rowcount)

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of an answer."""
        with self._told():
            return list(self._db.execute(self.text(statement), values).fetchall())

    def close(self) -> None:
        """Give the connection back."""
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            told = _shown(str(error).strip().partition("\n")[0])
            raise StoreError(f"the records cannot be used: {self.dialect.named}: {told}") from error


def _path(url: str, rest: str) -> Path:
    """The file: relative after three strokes, absolute after four, as everywhere."""
    path = rest.removeprefix("/")
    if path == rest or path in ("", ":memory:") or "?" in path:
        raise UsageError(f"{_shown(url)!r} names no file", hint=_FORMS)
    return Path(path)


def _open_sqlite(path: Path) -> Any:
    with suppress(OSError):  # what is wrong with the place is SQLite's to say
        make_private(path)  # SQLite gives its other files the mode of this one
    still = still_uri(path)
    if still is not None:
        return sqlite3.connect(still, uri=True, isolation_level=None)
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = EXTRA")  # durable in whatever mode the file is
        db.execute("PRAGMA fullfsync = ON")  # on a Mac, past the drive's own memory
        with suppress(sqlite3.OperationalError):  # read-only, or held by another just now
            db.execute("PRAGMA journal_mode = WAL")
    except BaseException:
        db.close()
        raise
    return db


def _psycopg(url: str) -> Any:
    try:
        return import_module("psycopg")  # an extra: there may be none
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the driver for {_shown(url)!r} is not installed",
            hint="install pumpctl[postgresql]",
        ) from error


def _open_postgresql(url: str) -> Any:
    psycopg = _psycopg(url)
    try:
        said = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise UsageError(f"{_shown(url)!r} is no database", hint=_FORMS) from error
    db = psycopg.connect(**{"connect_timeout": _CONNECT_S} | said, autocommit=True)
    try:  # a server that answers before its disk has it would lose what the pump has let go
        db.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') = 'off'"
        )
    except BaseException:
        db.close()
        raise
    return db


def _shown(text: str) -> str:
    """Without a password: a URL is put on screens and into logs."""
    return _PASSWORD.sub("***", text)
