"""Lines that are no pump, that are silent, that die, or that somebody else holds."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.urlhandler import protocol_socket

from pumpctl.link import patience
from pumpctl.link.patience import Patience
from tests.helpers.desk import Desk, command, environment
from tests.helpers.served import listening, relayed, served


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyserial sleeps 0.3 s after every socket that it closes; nobody here needs that."""
    monkeypatch.setattr(protocol_socket, "time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quarter of a second where seconds are waited; the real figures have their own tests."""
    monkeypatch.setattr(patience, "GREETING", Patience(0.1, 0.1, 0.25))
    monkeypatch.setattr(patience, "HANDSHAKE", Patience(0.1, 0.1, 0.25))
    monkeypatch.setattr(patience, "THERAPY", Patience(0.1, 0.1, 0.25))


def test_a_silent_line_ends_within_its_time(desk: Desk) -> None:
    """With the real patience."""
    gone = threading.Event()

    def silent(client: socket.socket) -> None:
        gone.wait(20)

    desk.emulator()
    path, told = desk.plan()
    with desk.untouched(), listening(silent) as url:
        started = time.monotonic()
        desk.refused(5, "NO_ANSWER", "--port", url, "apply", path, "--confirm", told["confirm"])
        assert time.monotonic() - started < 30
        gone.set()
    assert desk.apply(path, told["confirm"])["outcome"] == "applied", "the plan was not used up"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("what", ["random", "text", "zeros", "echo"])
def test_rubbish_on_the_line(what: str, desk: Desk) -> None:
    def talk(client: socket.socket) -> None:
        client.settimeout(5)
        for _ in range(200):
            match what:
                case "random":
                    client.sendall(os.urandom(300) + b"\0")
                case "text":
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n\0")
                case "zeros":
                    client.sendall(bytes(500))
                case _:
                    data = client.recv(4096)
                    if not data:
                        return
                    client.sendall(data)
            time.sleep(0.01)

    desk.emulator()
    desk.profile()
    for words in (
        ["status"],
        ["program", "plan", desk.files / "visit.toml", "-o", desk.files / "p.json"],
        ["stop", "--now"],
    ):
        with desk.untouched(), listening(talk) as url:
            document = desk.json("--port", url, *words, code=5)
            expected = {"CORRUPT"} if what != "zeros" else {"CORRUPT", "NO_ANSWER"}
            assert document["error"]["code"] in expected
            assert document["error"]["changed"] == "no"


@pytest.mark.usefixtures("impatient")
def test_a_line_that_dies_at_once(desk: Desk) -> None:
    desk.emulator()
    with desk.untouched(), listening(lambda client: None) as url:
        document = desk.json("--port", url, "status", code=5)
        assert document["error"]["code"] in {"LINE_LOST", "NO_ANSWER"}


@pytest.mark.usefixtures("impatient")
@pytest.mark.requirement("PRG-03")
@pytest.mark.parametrize("step", range(15))
def test_a_line_that_dies_in_the_middle_of_an_apply(step: int, desk: Desk) -> None:
    """What the station says of it is true, and the pump runs the whole old or the whole new."""
    desk.emulator()
    with served(desk.home, "ward") as direct:
        desk.monkeypatch.setenv("PUMPCTL_PORT", direct)
        before = desk.inspect()
        path = desk.files / "plan.json"
        told = desk.data("program", "plan", desk.profile(), "-o", path)
        with relayed(direct, forward=60 + 60 * step) as url:
            ran = desk.run("--port", url, "apply", path, "--confirm", told["confirm"], "--json")
        after = desk.inspect()
        applied = after["program"]["hash"] == told["new"]["hash"]
        assert applied or after["program"]["hash"] == before["program"]["hash"]
        document = ran.document
        if ran.code == 0:
            assert applied
            return
        changed = document["error"]["changed"]
        assert (ran.code, changed) in {(5, "no"), (7, "unknown"), (12, "yes")}, document
        assert changed != "yes" or applied
        assert changed != "no" or not applied
        if ran.code == 7:
            assert document["data"]["outcome"] == "unknown"
            desk.refused(10, "UNRESOLVED", "program", "plan", desk.files / "visit.toml", "-o", path)
            resolved = desk.data("resolve")
            assert resolved["outcome"] == ("applied" if applied else "refused")
            assert resolved["operation"] == told["operation"]
        assert desk.data("resolve")["outcome"] is None
        assert desk.json("doctor")["ok"]


# --- somebody else holds it -----------------------------------------------------------


def holding(desk: Desk, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*words),
        env=environment(desk.home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_served_emulator_is_busy_and_free_after_sigkill(desk: Desk) -> None:
    desk.emulator()
    with holding(desk, "emulator", "serve", "ward", "--tcp", "127.0.0.1:0") as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert "served at" in line
        url = line.split("served at ")[1].split(";")[0]
        desk.refused(4, "PORT_BUSY", "--port", "emu://ward", "status")
        desk.refused(4, "PORT_BUSY", "emulator", "remove", "ward")
        assert desk.json("--port", url, "status")["ok"]
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert desk.pump("status")["delivery"] == "minimum"


HOLD = """
import sys, time
from pathlib import Path
from pumpctl.transport.lock import Locks
locks = Locks(Path(sys.argv[1]) / "locks")
for pair in sys.argv[2:]:
    locks.take(*pair.split("=", 1))
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("what", ["port=emu://ward", "pump=SERIAL"])
def test_a_second_process_on_the_same_pump(what: str, desk: Desk) -> None:
    serial = desk.emulator()
    path, told = desk.plan()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(desk.home), what.replace("SERIAL", serial)],
        env=environment(desk.home),
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with desk.untouched():
            for words in (["status"], ["apply", path, "--confirm", told["confirm"]]):
                error = desk.refused(4, "PORT_BUSY", "--port", "emu://ward", *words)
                assert "another" in error["message"]
        if what.startswith("port"):  # our own locks keep no stop waiting (STP-01)
            stopped = desk.json("--port", "emu://ward", "stop", "--now")
            assert stopped["data"]["outcome"] == "applied"
            assert any("another" in warning["message"] for warning in stopped["warnings"])
        other.kill()
        other.wait()
    if what.startswith("pump"):
        assert desk.apply(path, told["confirm"])["outcome"] == "applied"


def test_port_errors_have_three_messages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = desk.refused(4, "PORT_MISSING", "--port", "/dev/no-such-tty", "status")
    import errno

    import serial

    def denied(self: object) -> None:
        raise serial.SerialException(errno.EACCES, "Permission denied")

    def busy(self: object) -> None:
        raise serial.SerialException(errno.EBUSY, "Device or resource busy")

    with monkeypatch.context() as patch:
        patch.setattr(serial.Serial, "open", denied)
        no = desk.refused(4, "PORT_DENIED", "--port", "/dev/ttyS0", "status")
        patch.setattr(serial.Serial, "open", busy)
        used = desk.refused(4, "PORT_BUSY", "--port", "/dev/ttyS0", "status")
    assert len({missing["message"], no["message"], used["message"]}) == 3


def test_an_emulator_that_cannot_write_its_state_is_a_lost_line(desk: Desk) -> None:
    """The pump's own full disk: whatever it is called, it is told and no bug."""
    desk.emulator()
    state = desk.home / "emulators" / "ward" / "state.bin"
    content = state.read_bytes()
    state.write_bytes(content[: len(content) // 2])
    document = desk.json("--port", "emu://ward", "status", code=11)
    assert document["error"]["code"] == "STORE"
    state.write_bytes(content)
    assert desk.pump("status")


def test_documents_are_single_even_for_a_failing_stop(desk: Desk) -> None:
    ran = desk.run("--port", "emu://none", "stop", "--now", "--json")
    assert ran.code == 4
    assert json.loads(ran.out)["error"]["code"] == "PORT_MISSING"
    assert Path(desk.files).exists()
