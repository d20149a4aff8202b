"""One text of SQL for both databases; a URL that is no database, and no password told."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import chown, rmtree, which
from types import SimpleNamespace
from typing import Any

import pytest

from pumpctl.errors import StoreError, UsageError
from pumpctl.station.database import Database
from pumpctl.station.records import Interrogation, Records, StoredEntry


class _Error(Exception):
    """Of the driver."""


class _Server:
    """Stands in for psycopg: keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.connected: dict[str, Any] = {}
        self.fails = ""
        self.rowcount = 7

    def module(self) -> SimpleNamespace:
        return SimpleNamespace(
            Error=_Error,
            ProgrammingError=_Error,
            connect=self._connect,
            conninfo=SimpleNamespace(conninfo_to_dict=self._taken_apart),
        )

    def _taken_apart(self, url: str) -> dict[str, str]:
        if "nonsense" in url:
            raise _Error(f"invalid URI: {url}")
        return {"url": url}

    def _connect(self, **how: Any) -> _Server:
        self.connected = how
        return self

    def cursor(self) -> _Server:
        return self

    def execute(self, statement: str, values: Any = ()) -> _Server:
        self.told.append((statement, values))
        if self.fails and self.fails in statement:
            raise _Error("gone")
        return self

    executemany = execute

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [(3, b"raw")]

    def close(self) -> None:
        self.told.append(("closed", ()))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> _Server:
    server = _Server()
    monkeypatch.setitem(sys.modules, "psycopg", server.module())
    return server


def test_what_postgresql_is_told(server: _Server) -> None:
    records = Records("postgresql+psycopg://pump@host/name")
    assert server.connected == {
        "url": "postgresql://pump@host/name",
        "connect_timeout": "10",
        "autocommit": True,
    }
    durable, log, interrogations = (statement for statement, _ in server.told)
    assert durable.startswith("SELECT set_config('synchronous_commit', 'on'")
    assert "raw BYTEA NOT NULL" in log
    assert "id SERIAL NOT NULL PRIMARY KEY" in interrogations
    server.told.clear()
    assert records.add_log("A", [StoredEntry(3, b"raw")], pulled_at="x") == 7
    assert server.told == [
        ("BEGIN", ()),
        (
            (
                "INSERT INTO log_entries (pump, number, raw, pulled_at) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT DO NOTHING"
            ),
            [("A", 3, b"raw", "x")],
        ),
        ("COMMIT", ()),
    ]
    assert records.log("A", first=2) == [StoredEntry(3, b"raw")]
    assert all("?" not in statement for statement, _ in server.told)
    records.close()
    assert server.told[-1] == ("closed", ())


def test_what_fails_is_taken_back(server: _Server) -> None:
    records = Records("postgresql://pump@host/name")
    server.told.clear()
    server.fails = "INSERT"
    with pytest.raises(StoreError, match="PostgreSQL: gone"):
        records.add_log("A", [StoredEntry(3, b"raw")], pulled_at="x")
    assert [statement for statement, _ in server.told][-1] == "ROLLBACK"
    server.fails = "set_config"
    with pytest.raises(StoreError):
        Records("postgresql://pump@host/name")
    assert server.told[-1] == ("closed", ()), "no connection is left open"
    server.fails = "CREATE"
    with pytest.raises(StoreError):
        Records("postgresql://pump@host/name")
    assert server.told[-1] == ("closed", ())


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://pump:s3cret@host/nonsense",
        "postgresql://pump:s3cret@more@host/nonsense",
        "postgresql://pump:s3c/ret@host/nonsense",
        "postgresql://host/nonsense?user=pump&password=s3cret",
        "postgresql+psycopg2://pump:s3cret@host/name",
        "mysql://pump:s3cret@host/name",
        "sqlite://pump:s3cret@host",
        "pump:s3cret@host/name",
    ],
)
def test_a_password_is_not_told(server: _Server, url: str) -> None:
    with pytest.raises(UsageError) as told:
        Records(url)
    assert "s3c" not in told.value.message
    assert "more@" not in told.value.message


def test_a_password_may_hold_an_at(server: _Server) -> None:
    Records("postgresql://pump:s3@cret@host/name").close()
    assert server.connected["url"] == "postgresql://pump:s3%40cret@host/name"


def test_a_driver_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match="not installed") as told:
        Records("postgresql+psycopg://pump@host/name")
    assert told.value.hint == "install pumpctl[postgresql]"


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///x?a=b"]
)
def test_records_lie_in_a_file(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="names no file"):
        Records(url)
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Records("sqlite:///here").close()
    Records(f"sqlite:///{tmp_path}/there").close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "there"]


def test_the_schema_is_made_once(tmp_path: Path) -> None:
    made = ("CREATE TABLE IF NOT EXISTS t (id {counted} NOT NULL PRIMARY KEY, raw {bytes})",)
    for count in (1, 2):
        db = Database(f"sqlite:///{tmp_path / 'd'}", made)
        assert db.write("INSERT INTO t (raw) VALUES (?)", [(b"x",)]) == 1
        assert db.read("SELECT id, raw FROM t ORDER BY id")[-1] == (count, b"x")
        db.close()


# --- a real server, where the extra and PostgreSQL are there --------------------------


@contextmanager
def _running() -> Iterator[str]:
    """A server of its own on a socket in a folder of its own."""
    person = {"user": "nobody"} if os.geteuid() == 0 else {}  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="pumpctl-pg-", dir="/tmp"))
    if person:
        chown(folder, "nobody")
    try:
        for command in (
            ["initdb", "-D", folder / "data", "-A", "trust", "-U", "pump", "--no-sync"],
            ["pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o",
             f"-c listen_addresses= -k {folder}", "start"],
        ):  # fmt: skip
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, **person)  # type: ignore[call-overload]
        yield f"postgresql+psycopg://pump@/postgres?host={folder}"
        stop = ["pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, cwd=folder, stdout=subprocess.DEVNULL, **person)  # type: ignore[call-overload]
    finally:
        rmtree(folder)


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("psycopg") is None or which("initdb") is None,
    reason="needs pumpctl[postgresql] and a PostgreSQL server's programs",
)
@pytest.mark.requirement("TEL-05")
def test_a_real_server_keeps_the_same() -> None:
    with _running() as url:
        records = Records(url)
        batch = [StoredEntry(number, number.to_bytes(80, "big")) for number in range(1, 2001)]
        assert records.add_log("A", batch, pulled_at="x") == 2000
        again = [*batch[1990:], StoredEntry(2001, b"new"), StoredEntry(2001, b"twice")]
        assert records.add_log("A", again, pulled_at="y") == 1
        with pytest.raises(StoreError, match="out of range"):
            records.add_log("B", [StoredEntry(1, b""), StoredEntry(2**63, b"")], pulled_at="y")
        assert records.pumps() == ("A",)
        assert records.last_number("A") == 2001
        assert records.log("A", last=2000) == batch
        assert records.log("A", newest=1) == [StoredEntry(2001, b"new")]
        for at in ("1", "2"):
            records.add_interrogation("A", at=at, operator="o", body="{}")
        assert records.last_interrogation("A") == Interrogation("2", "o", "{}")
        assert records.interrogated() == ("A",)
        records.close()
