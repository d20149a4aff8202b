"""`logs pull` in processes of their own over a paced line: killed, interrupted, watched."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks import bedside, yearlog
from benchmarks.line import Relay
from benchmarks.relay import Settings
from pumpctl.emulator.edge import bench
from pumpctl.workflows.people.pairing import pair
from tests.helpers.desk import command, environment

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

import pexpect

DAYS, KILLS = 90, 5


class Ward(NamedTuple):
    """A home with a paired pump, served; nothing of its log is in the records yet."""

    home: Path
    held: tuple[bytes, ...]
    """What the pump holds; its time stands still."""
    end: str

    @contextmanager
    def line(self, folder: Path) -> Iterator[Relay]:
        """115 200 baud and 5 ms to the pump, for one client."""
        with Relay(Settings(latency_us=5_000), folder, server=self.end, client="listen") as relay:
            yield relay

    def rows(self) -> int:
        """Entries in the records, looked at from outside."""
        path = self.home / "records.sqlite3"
        if not path.exists():
            return 0
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as records:
                return int(records.execute("SELECT count(*) FROM log_entries").fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0

    def environment(self) -> dict[str, str]:
        more = {"PUMPCTL_OPERATOR": bedside.OPERATOR, "TERM": "xterm-256color"}
        return {**environment(self.home), **more}

    def pulled(self, port: str, *more: str) -> subprocess.Popen[str]:
        """A pull on its way, with no terminal."""
        return subprocess.Popen(
            command("--port", port, "logs", "pull", *more),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def typed(self, port: str, *more: str) -> pexpect.spawn[str]:
        """The same at a terminal."""
        first, *rest = command("--port", port, "logs", "pull", *more)
        return pexpect.spawn(
            first, rest, env=self.environment(), encoding="utf-8", timeout=30,
            dimensions=(24, 80), preexec_fn=listening,
        )  # fmt: skip


def listening() -> None:
    """A terminal's Ctrl-C reaches the child, also where these tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def left_on(screen: str) -> list[str]:
    """The lines that stand there in the end, as a terminal shows what was written."""
    lines = []
    for line in screen.replace("\r\n", "\n").split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return [line for line in lines if line]


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    home = tmp_path / "home"
    new = yearlog.played(DAYS)
    at = bedside.station(home)
    at.home.make()
    bench.keep(home, bedside.NAME, new, now=bedside.wall_ms)
    bench.press(home, bedside.NAME, now=bedside.wall_ms, entropy=os.urandom)
    pair(at, new.secret_text, "clinician")
    held = yearlog.entries_of((home / "emulators" / bedside.NAME / "state.bin").read_bytes())
    with bedside.served(home, "--tcp", "127.0.0.1:0") as url:
        yield Ward(home, held, f"tcp:{url.rpartition(':')[2]}")


def whole(process: subprocess.Popen[str]) -> tuple[dict[str, Any], str]:
    """`data` of a pull that ends well, and its stderr."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)["data"]
    return found, err


@pytest.mark.requirement("TEL-05")
def test_a_killed_pull_goes_on_without_loss_or_double(ward: Ward, tmp_path: Path) -> None:
    seen = []
    for _ in range(KILLS):
        with ward.line(tmp_path) as line:
            before, process = ward.rows(), ward.pulled(line.client)
            until = time.monotonic() + 20
            while ward.rows() <= before and process.poll() is None:
                assert time.monotonic() < until
                time.sleep(0.002)
            process.kill()
            told = process.communicate()
            assert process.returncode == -signal.SIGKILL, "it was at work"
            assert told == ("", ""), "no progress without a terminal"
        seen.append(ward.rows())
        assert bedside.stored(ward.home) == ward.held[: seen[-1]], "always a beginning"
    assert seen == sorted(set(seen))
    assert seen[-1] < len(ward.held)
    with ward.line(tmp_path) as line:
        rest, err = whole(ward.pulled(line.client, "--json"))
    assert (rest["first"], rest["last"]) == (seen[-1] + 1, len(ward.held))
    assert (rest["new"], rest["gaps"]) == (len(ward.held) - seen[-1], [])
    assert err == ""
    assert bedside.stored(ward.home) == ward.held


@pytest.mark.requirement("TEL-05")
def test_ctrl_c_at_a_terminal_keeps_what_came(ward: Ward, tmp_path: Path) -> None:
    with ward.line(tmp_path) as line:
        child = ward.typed(line.client)
        child.expect(r"\r\d+ of \d+ entries, \d+/s, \d+ s left")
        shown = str(child.after)
        child.sendintr()
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 130
    screen = left_on(shown + str(child.before))
    assert not any("entries," in line or "left" in line for line in screen), screen
    assert all(len(line) <= 80 for line in screen)
    kept = ward.rows()
    assert 0 < kept < len(ward.held)
    assert bedside.stored(ward.home) == ward.held[:kept]
    with ward.line(tmp_path) as line:
        child = ward.typed(line.client, "--json")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 0
    rest = json.loads(str(child.before))["data"]  # JSON and no progress beside it
    assert (rest["first"], rest["new"]) == (kept + 1, len(ward.held) - kept)
    assert bedside.stored(ward.home) == ward.held


@pytest.mark.requirement("STP-01")
def test_a_stop_is_heard_soon_after_an_interrupted_pull_on_a_slow_line(
    ward: Ward, tmp_path: Path
) -> None:
    """What was asked ahead must drain first: it is bounded by line time, also at 9600 baud."""
    with Relay(Settings(baud=9_600), tmp_path, server=ward.end) as line:
        child = ward.typed(line.client, "--all")
        child.expect(r"\r\d+ of \d+ entries, \d+/s, \d+ s left")
        child.expect(r"\r\d+ of \d+ entries, \d+/s, \d+ s left")
        child.sendintr()
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 130
        done = subprocess.run(
            command("--port", line.client, "stop", "--now", "--json"),
            env=ward.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert json.loads(done.stdout)["data"]["outcome"] == "applied"
