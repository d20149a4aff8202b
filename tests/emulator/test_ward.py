"""Many pumps in one process: each on its own port, none in the way of another."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumpctl.cli.main import run
from pumpctl.emulator.edge import bench, descriptors
from pumpctl.emulator.edge.line_faults import MILLION, SOUND, FaultsOf, Settings, faults_of_world
from pumpctl.emulator.memory.flash import FileStore
from pumpctl.errors import PortBusy, PortMissing, PumpctlError, StoreError, UsageError
from pumpctl.station.home import Home
from pumpctl.wire.codes import Purpose
from pumpctl.wire.initiator import Greeted, Initiator
from tests import ward as command
from tests.emulator.support import DAY, MONDAY, Entropy

NAMES = ("a", "b", "c")
AROUND: dict[str, Any] = {"now": lambda: MONDAY, "entropy": Entropy("ward")}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in NAMES:
        bench.create(tmp_path, name, frozen=True, **AROUND)
    return tmp_path


class Ward:
    """What a served ward told."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self.lost: list[str] = []
        self.error: PumpctlError | None = None
        self.open = threading.Event()
        self.stopper = bench.Stopper()

    def ready(self, name: str, where: str) -> None:
        self.ports[name] = int(where.removeprefix("socket://127.0.0.1:"))
        if len(self.ports) == len(NAMES):
            self.open.set()


@contextlib.contextmanager
def served(home: Path, faults: FaultsOf = faults_of_world, port: int = 0) -> Iterator[Ward]:
    ward = Ward()

    def serve() -> None:
        try:
            bench.serve_ward(
                home,
                NAMES,
                tcp=("127.0.0.1", port),
                ready=ward.ready,
                lost=lambda name, error: ward.lost.append(f"{name}: {error.message}"),
                stopper=ward.stopper,
                faults=faults,
                **AROUND,
            )
        except PumpctlError as error:
            ward.error = error
            ward.open.set()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ward.open.wait(20)
    try:
        yield ward
    finally:
        ward.stopper.stop()
        thread.join(20)
        ward.stopper.close()
        assert not thread.is_alive()


def hello() -> tuple[Initiator, bytes]:
    end = Initiator(entropy=Entropy("hello"), purpose=Purpose.LOOK, key=bytes(8))
    return end, end.greet()


def line_to(ward: Ward, name: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", ward.ports[name]), timeout=20)


def serial_on(line: socket.socket, sent: bytes | None = None) -> str:
    """The serial that answers a greeting there."""
    end, greeting = hello()
    line.sendall(greeting if sent is None else sent)
    while True:
        data = line.recv(65536)
        assert data, "the line was hung up"
        for event in end.feed(data):
            assert isinstance(event, Greeted)
            return event.greeting.serial


def serials(home: Path) -> dict[str, str]:
    return {each.name: each.serial for each in bench.list_emulators(home)}


# --- real processes ---------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_each_pump_of_a_ward_answers_a_station_process_as_itself(tmp_path: Path) -> None:
    seen = command.run(Home(tmp_path), 8, 2)
    assert seen.faults() == []
    assert len(seen.visits) == 8
    wrong = seen._replace(serials={**seen.serials, "bed-001": "SP40-000000"}, ended=1)
    assert len(wrong.faults()) == 2, "the judge sees what is wrong"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_command_tells_people_and_programs_where_each_is(home: Path) -> None:
    words = ("emulator", "serve", "c", "a", "--tcp", "127.0.0.1:0", "--json")
    with subprocess.Popen(
        [sys.executable, "-m", "pumpctl", "--home", str(home), *words],
        cwd=command.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            told = [json.loads(process.stdout.readline()) for _ in range(2)]
        finally:
            process.terminate()
        out, err = process.communicate(timeout=20)
    assert {each["schema"] for each in told} == {"pumpctl.emulator.serve/1"}
    places = {each["data"]["name"]: each["data"]["port"] for each in told}
    assert list(places) == ["c", "a"], "in the order that was asked for"
    for name, place in places.items():
        assert place.startswith("socket://127.0.0.1:")
        assert f"{name} is served at {place}\n" in err
    assert err.endswith("2 pumps are served; Ctrl-C ends them all\n")
    assert (out, process.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("a", "--all", "--tcp", "127.0.0.1:0"), "USAGE"),
        (("--tcp", "127.0.0.1:0"), "USAGE"),
        (("a", "b", "a", "--tcp", "127.0.0.1:0"), "USAGE"),
        (("a", "b", "--pty", "tty0"), "USAGE"),
        (("a",), "USAGE"),
        (("--all", "--tcp", "127.0.0.1:65534"), "USAGE"),
        (("a", "b", "x", "--tcp", "127.0.0.1:0"), "PORT_MISSING"),
        (("--home", "nowhere", "--all", "--tcp", "127.0.0.1:0"), "PORT_MISSING"),
    ],
)
def test_what_the_command_refuses(
    home: Path,
    words: tuple[str, ...],
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PUMPCTL_HOME", str(home))
    run(["emulator", "serve", *words, "--json"])
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == code, "one document, and nothing was served"
    assert "served at" not in err


# --- ports --------------------------------------------------------------------------------


def test_each_answers_on_its_own_port_and_control_socket(home: Path) -> None:
    known = serials(home)
    with served(home) as ward:
        assert len(set(ward.ports.values())) == 3
        lines = {name: line_to(ward, name) for name in NAMES}
        for name, line in lines.items():
            assert serial_on(line) == known[name]
        for days, name in enumerate(NAMES, 1):
            assert bench.advance(home, name, days * DAY, **AROUND).counter == days * DAY
        for line in lines.values():
            line.close()
    assert ward.error is None
    assert [bench.inspect(home, name, **AROUND).counter // DAY for name in NAMES] == [1, 2, 3]


def test_ports_follow_each_other(home: Path) -> None:
    first = next(port for port in range(20_000, 30_000, 7) if all(map(is_free, (port, port + 2))))
    with served(home, port=first) as ward:
        assert ward.error is None
        assert ward.ports == {"a": first, "b": first + 1, "c": first + 2}
    with socket.create_server(("127.0.0.1", first + 1)), served(home, port=first) as ward:
        assert isinstance(ward.error, PortBusy)
        assert ward.error.message.startswith("emulator b cannot be served: port")
        assert ward.ports == {}
    with served(home, port=65_534) as ward:
        assert isinstance(ward.error, UsageError)


def is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


def test_one_that_cannot_be_served_ends_all_before_anything_is_said(home: Path) -> None:
    with bench.open_local(home, "b", **AROUND), served(home) as ward:
        assert isinstance(ward.error, PortBusy)
        assert "b" in ward.error.message
        assert ward.ports == {}
    bench.remove(home, "c")
    with served(home) as ward:
        assert isinstance(ward.error, PortMissing)
        assert "c" in ward.error.message
        assert ward.ports == {}
    with bench.open_local(home, "a", **AROUND):
        pass  # nothing is held any more


@pytest.mark.parametrize("names", [[], ["a", "b", "a"]])
def test_each_is_named_once(home: Path, names: list[str]) -> None:
    with pytest.raises(UsageError):
        bench.serve_ward(home, names, tcp=("127.0.0.1", 0), ready=print, lost=print, **AROUND)


# --- none in the way of another --------------------------------------------------------------


def test_noise_on_one_line_delays_nobody(home: Path) -> None:
    known = serials(home)
    with served(home) as ward, line_to(ward, "a") as noisy, line_to(ward, "b") as other:
        for _ in range(10):
            noisy.sendall(b"noise\0" * 5000)
            assert serial_on(other) == known["b"]
        assert bench.inspect(home, "a", **AROUND).serial == known["a"]


def test_a_state_that_cannot_be_written_ends_that_pump_only(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, write, full = serials(home), FileStore.write, threading.Event()

    def on_a_full_disk(store: FileStore, offset: int, data: bytes) -> None:
        if full.is_set() and "/b/" in str(store._file.name).replace("\\", "/"):
            raise OSError(28, "no room")
        write(store, offset, data)

    monkeypatch.setattr(FileStore, "write", on_a_full_disk)
    with served(home) as ward:
        with line_to(ward, "b") as line, line_to(ward, "a") as other:
            serial_on(line)
            full.set()
            line.sendall(hello()[1])
            assert line.recv(100) == b"", "it is hung up, and answers nothing that it has not saved"
            assert serial_on(other) == known["a"]
        with pytest.raises(OSError, match="refused"):
            line_to(ward, "b").close()
        with line_to(ward, "c") as line:
            assert serial_on(line) == known["c"]
        full.clear()
        assert bench.inspect(home, "b", **AROUND).serial == known["b"], "it can be held again"
        assert [told[:2] for told in ward.lost] == ["b:"]
    assert isinstance(ward.error, StoreError), "it does not end as if nothing had happened"
    assert "emulator b" in ward.error.message


def test_more_than_1024_descriptors(home: Path) -> None:
    """select() would fail here."""
    known = serials(home)
    descriptors.make_room(200)
    with contextlib.ExitStack() as stack:
        for _ in range(1100):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        with served(home) as ward, line_to(ward, "c") as line:
            assert line.fileno() > 1024
            assert serial_on(line) == known["c"]


def test_the_line_of_each_pump_has_its_own_faults(home: Path) -> None:
    known = serials(home)
    now = dict.fromkeys(known.values(), SOUND)
    with served(home, lambda firmware: now[firmware.core.implant.serial]) as ward:
        now[known["a"]] = Settings(drop=MILLION)
        now[known["b"]] = Settings(delay=30)
        lines = {name: line_to(ward, name) for name in NAMES}
        _, greeting = hello()
        lines["a"].sendall(greeting)
        for name in ("b", "c"):
            assert serial_on(lines[name]) == known[name]
        lines["a"].setblocking(False)
        with pytest.raises(BlockingIOError):
            lines["a"].recv(1)
        lines["a"].settimeout(20)
        now[known["a"]] = SOUND
        assert serial_on(lines["a"]) == known["a"]
        assert bench.inspect(home, "a", **AROUND).serial == known["a"]
        now[known["a"]] = Settings(disconnect=True)
        assert lines["a"].recv(1) == b"", "also where nobody sends anything"
        with line_to(ward, "a") as again:
            assert again.recv(1) == b"", "let in and hung up on, as long as there is no line"
        assert serial_on(lines["b"]) == known["b"]
        now[known["a"]] = SOUND
        with line_to(ward, "a") as again:
            assert serial_on(again) == known["a"]
        for line in lines.values():
            line.close()


def test_the_end_of_one_client_is_seen_before_the_next_is_turned_away(home: Path) -> None:
    """The old one's last bytes, its end and a new client all wait when the server looks."""
    known, halted, go = serials(home), threading.Event(), threading.Event()

    def halting(firmware: Any) -> Settings:
        if halted.is_set() and firmware.core.implant.serial == known["c"]:
            go.wait(20)
        return SOUND

    with served(home, halting) as ward, line_to(ward, "a") as old:
        assert serial_on(old) == known["a"]
        halted.set()
        with line_to(ward, "c") as other:
            other.sendall(b"\0")
            old.sendall(b"noise\0" * 1000)
            old.close()
            with line_to(ward, "a") as new:
                go.set()
                assert serial_on(new) == known["a"]
