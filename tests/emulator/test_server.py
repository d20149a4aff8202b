"""An emulator as its own process: on TCP, on a pty, told from outside, killed at any moment."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumpctl.emulator.edge import bench, control_socket
from pumpctl.errors import PortBusy, UsageError
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Purpose, Role
from pumpctl.wire.initiator import Answer, Greeted, Initiator, Ready
from pumpctl.wire.noise import public_key
from pumpctl.wire.secret import key_id, pairing_psk, secret_bytes, session_psk
from tests.emulator.support import DAY, MONDAY, TAG, Entropy, flex, op

SERVE = """
import sys
from pathlib import Path
from pumpctl.emulator.edge.bench import serve
from tests.emulator.support import Entropy, MONDAY
home, name, kind, where = sys.argv[1:]
more = {"pty": Path(where)} if kind == "pty" else {"tcp": ("127.0.0.1", int(where))}
serve(
    Path(home), name, ready=lambda text: print(text, flush=True),
    now=lambda: MONDAY, entropy=Entropy(name), **more,
)
print("ended", flush=True)
"""
ROOT = Path(__file__).resolve().parents[2]
needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")


def around(seed: str = "server") -> dict[str, Any]:
    return {"now": lambda: MONDAY, "entropy": Entropy(seed)}


@contextlib.contextmanager
def served(home: Path, kind: str = "tcp", where: str = "0") -> Iterator[tuple[Any, str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home), "x", kind, where],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        ready = process.stdout.readline().strip()
        if not ready:
            _, errors = process.communicate(timeout=10)
            raise AssertionError(errors)
        yield process, ready
    finally:
        process.kill()
        process.communicate(timeout=10)


class Station:
    """A station on a stream of bytes."""

    def __init__(self, send: Any, receive: Any, private: bytes) -> None:
        self.send, self.receive, self.private = send, receive, private
        self.psk, self.pump = bytes(32), b""

    def _events(self, data: bytes) -> list[Any]:
        self.send(data)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            piece = self.receive()
            events = self.end.feed(piece)
            if events:
                return events
            if not piece:
                break
        return []

    def greet(self, purpose: Purpose) -> Any:
        entropy = Entropy(str(time.monotonic_ns()))
        self.end = Initiator(entropy=entropy, purpose=purpose, key=key_id(public_key(self.private)))
        (greeted,) = self._events(self.end.greet())
        assert isinstance(greeted, Greeted)
        return greeted.greeting

    def pair(self, secret: str) -> None:
        self.greet(Purpose.PAIR)
        (ready,) = self._events(self.end.shake(psk=pairing_psk(secret_bytes(secret))))
        assert isinstance(ready, Ready)
        self.psk = session_psk(ready.keys.exported)
        self.pump = self.ask(m.Pair("s", "o", Role.ADMIN, public_key(self.private))).key

    def open(self) -> None:
        self.greet(Purpose.SESSION)
        (ready,) = self._events(self.end.shake(own=self.private, peer=self.pump, psk=self.psk))
        assert isinstance(ready, Ready)

    def ask(self, message: object) -> Any:
        _, data = self.end.request(message)
        answers = [each.message for each in self._events(data) if isinstance(each, Answer)]
        return answers[0] if answers else None


@contextlib.contextmanager
def on_tcp(url: str, known: Station | None = None) -> Iterator[Station]:
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        station = Station(line.sendall, lambda: line.recv(65536), Entropy("station")(32))
        if known is not None:
            station.psk, station.pump = known.psk, known.pump
        yield station


@pytest.fixture
def home(tmp_path: Path) -> Path:
    bench.create(tmp_path, "x", frozen=True, **around())
    return tmp_path


def test_the_whole_road_over_tcp_and_the_control_socket(home: Path) -> None:
    with served(home) as (process, url):
        with on_tcp(url) as station:
            seen = bench.press(home, "x", **around())
            assert seen.pairing_open
            station.pair(seen.secret)
            station.open()
            staged = station.ask(m.StageProgram(TAG, flex(500_000)))
            assert isinstance(station.ask(m.GetReadback()), m.ProgramReadback)
            version = station.ask(m.GetStatus()).state_version
            done = station.ask(m.Activate(op(1), staged.content, version, staged.nonce, bytes(32)))
            assert isinstance(done, m.Done)
            assert bench.advance(home, "x", 7 * DAY, **around()).pulses == 70_000
            station.open()  # a week without a word ends a session
            assert station.ask(m.GetStatus()).pulses == 70_000
            assert isinstance(station.ask(m.StageProgram(TAG, flex())), m.Staged)
        # the line is gone, and what was staged with it
        for _ in range(50):
            seen = bench.inspect(home, "x", **around())
            if seen.staged is None:
                break
            time.sleep(0.02)
        assert seen.staged is None
        assert [each.result for each in seen.operations] == ["applied"]
        with on_tcp(url, station) as again:
            again.open()
            assert again.ask(m.GetIdentity()).role is Role.ADMIN
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=10)
        assert (out.strip(), errors, process.returncode) == ("ended", "", 0)
    assert bench.inspect(home, "x", **around()).pulses == 70_000
    assert not (home / "emulators" / "x" / "control.sock").exists()


def test_one_client_at_a_time(home: Path) -> None:
    with served(home) as (_, url), on_tcp(url) as first:
        first.greet(Purpose.LOOK)
        with on_tcp(url) as second:
            assert second.receive() == b""
        assert first.greet(Purpose.LOOK).serial.startswith("SP40-")


def test_only_this_computer_may_connect(home: Path) -> None:
    for host in ("0.0.0.0", "192.168.1.1", "", "example.com"):  # noqa: S104
        with pytest.raises(UsageError):
            bench.serve(home, "x", tcp=(host, 0), ready=lambda _: None, **around())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy):
            bench.serve(home, "x", tcp=("127.0.0.1", port), ready=lambda _: None, **around())
    with pytest.raises(UsageError):
        bench.serve(home, "x", ready=lambda _: None, **around())


def test_a_served_pump_is_busy_and_cannot_be_removed(home: Path) -> None:
    with served(home):
        for act in (
            lambda: bench.open_local(home, "x", **around()),
            lambda: bench.remove(home, "x"),
        ):
            with pytest.raises(PortBusy):
                act()


def test_the_control_socket_without_unix_sockets(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the path is too long for a unix socket, a loopback port with a token serves."""
    monkeypatch.setattr(control_socket, "_MOST_PATH", 5)
    stopper = bench.Stopper()
    where: list[str] = []
    thread = threading.Thread(
        target=bench.serve,
        args=(home, "x"),
        kwargs={"tcp": ("127.0.0.1", 0), "ready": where.append, "stopper": stopper, **around()},
    )
    thread.start()
    try:
        while not where:
            time.sleep(0.01)
        ticket = home / "emulators" / "x" / "control.json"
        assert ticket.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
        assert bench.advance(home, "x", DAY, **around()).counter == DAY
        ticket.write_text(ticket.read_text().replace('"token": "', '"token": "0'))
        with pytest.raises(PortBusy):
            bench.inspect(home, "x", **around())
    finally:
        stopper.stop()
        thread.join(10)
        stopper.close()
    assert not ticket.exists()


# --- pty ------------------------------------------------------------------------------------


@needs_pty
def test_the_line_on_a_pty_outlives_its_users(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "tty0"
    with served(home, "pty", str(path)) as (process, ready):
        assert ready == str(path)
        for _ in range(3):
            descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
            station = Station(
                lambda data, line=descriptor: os.write(line, data),
                lambda line=descriptor: (
                    os.read(line, 65536) if select.select([line], [], [], 5)[0] else b""
                ),
                bytes(range(32)),
            )
            assert station.greet(Purpose.LOOK).serial.startswith("SP40-")
            os.close(descriptor)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert not path.is_symlink()


@needs_pty
def test_only_its_own_stale_link_is_replaced(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "tty0"
    with served(home, "pty", str(path)) as (process, _):
        process.kill()
        process.wait(10)
    assert path.is_symlink()
    with served(home, "pty", str(path)):
        assert path.exists()
    for put in (
        lambda: path.write_text("a file"),
        lambda: path.symlink_to("/dev/null"),
        lambda: path.symlink_to(tmp_path / "nowhere"),
        path.mkdir,
    ):
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)
        put()
        with pytest.raises(UsageError, match="exists"):
            bench.serve(home, "x", pty=path, ready=lambda _: None, **around())


# --- killed -------------------------------------------------------------------------------------


@pytest.mark.requirement("PRG-03")
def test_killed_at_any_moment_the_pump_runs_the_old_or_the_new(home: Path) -> None:
    """SIGKILL while requests pass, time and again; state and id always tell the same story."""
    rng = random.Random(7)
    with served(home) as (_, url), on_tcp(url) as first:
        first.pair(bench.press(home, "x", **around()).secret)
    applied = unanswered = 0
    for turn in range(1, 16):
        before = bench.inspect(home, "x", **around())
        rate = 300_000 + turn
        with served(home) as (process, url), on_tcp(url, first) as station:
            station.open()
            staged = station.ask(m.StageProgram(TAG, flex(rate)))
            assert isinstance(station.ask(m.GetReadback()), m.ProgramReadback)
            version = station.ask(m.GetStatus()).state_version
            message = m.Activate(op(turn), staged.content, version, staged.nonce, bytes(32))
            timer = threading.Timer(rng.randrange(0, 3000) / 1_000_000, process.kill)
            timer.start()
            try:
                answer = station.ask(message)
            except OSError:
                answer = None
            timer.join()
            process.wait(10)
        after = bench.inspect(home, "x", **around())
        known = [each for each in after.operations if each.operation == op(turn)]
        changed = after.program_hash != before.program_hash
        assert changed == bool(known) == (after.state_version == before.state_version + 1)
        assert after.alarms == ()
        assert after.counter >= before.counter
        assert answer is None or changed, "an answered change is durable"
        applied += changed
        unanswered += answer is None
        bench.advance(home, "x", rng.randrange(1, DAY), **around())
    print(f"15 kills: {applied} applied, {unanswered} unanswered")
