"""`list` and doctor's ports: what is known, told without opening anything."""

from __future__ import annotations

import builtins
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from pumpctl.transport import ports
from pumpctl.transport.lock import Locks
from tests.helpers.desk import Desk, command, environment
from tests.helpers.served import served

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A telemetry head at a pseudo terminal, as the system would tell of one; its device."""
    master, slave = os.openpty()
    device = os.ttyname(slave)
    os.close(slave)
    info = ListPortInfo(device)
    info.description, info.vid, info.pid = "FT232R USB UART", 0x0403, 0x6001
    info.manufacturer, info.product, info.serial_number = "FTDI", "FT232R USB UART", "A5\x1b[31m\n0"
    for name in ("by-id", "dev"):
        (tmp_path / name).mkdir()
    (tmp_path / "by-id" / "usb-FTDI_A50285BI-if00").symlink_to(device)
    (tmp_path / "dev" / "pump-head").symlink_to(device)
    monkeypatch.setattr(ports, "_BY_ID", tmp_path / "by-id")
    monkeypatch.setattr(ports, "_DEV", tmp_path / "dev")
    monkeypatch.setattr(list_ports, "comports", lambda: [ListPortInfo("/dev/ttyS10"), info])
    yield device
    os.close(master)


def the_head(desk: Desk, device: str) -> dict[str, Any]:
    """What is told of it."""
    found: list[dict[str, Any]] = desk.data("list")["ports"]
    assert [one["port"] for one in found] == sorted([device, "/dev/ttyS10"])
    return next(one for one in found if one["port"] == device)


def test_all_that_a_port_tells_of_itself(desk: Desk, head: str, tmp_path: Path) -> None:
    told = the_head(desk, head)
    assert told["description"] == "FT232R USB UART"
    assert told["usb"] == {
        "vendor_id": "0403",
        "product_id": "6001",
        "manufacturer": "FTDI",
        "product": "FT232R USB UART",
        "serial_number": "A5 [31m 0",
        "location": None,
        "latency_timer": None,
    }
    assert told["by_id"] == str(tmp_path / "by-id" / "usb-FTDI_A50285BI-if00")
    assert told["links"] == [str(tmp_path / "dev" / "pump-head")]
    assert told["permitted"] is True
    assert told["in_use"] is None and told["last_pump"] is None


def test_nothing_is_opened(desk: Desk, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the ports, not a pump's line: opening one resets many a device."""
    desk.emulator()
    real, real_open = os.open, builtins.open

    def watched(path: Any, *rest: Any, **more: Any) -> int:
        assert "state.bin" in str(path) or not str(path).startswith(("/dev/", head)), path
        return real(path, *rest, **more)

    def watched_too(path: Any, *rest: Any, **more: Any) -> Any:
        assert not str(path).startswith("/dev/tt") and str(path) != head, path
        return real_open(path, *rest, **more)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(os, "open", watched)
    monkeypatch.setattr(builtins, "open", watched_too)
    monkeypatch.setattr(socket, "create_connection", never)
    monkeypatch.setattr("pumpctl.emulator.edge.bench.open_local", never)
    assert the_head(desk, head)
    assert desk.run("doctor").code == 0
    with pytest.raises(AssertionError):
        os.open(head, os.O_RDWR)  # the watch is awake


def test_the_pump_that_was_here_last_and_known_pumps(desk: Desk, head: str) -> None:
    serial = desk.emulator(frozen=False)
    (pump,) = desk.data("list")["pumps"]
    assert (pump["serial"], pump["model"], pump["operators"]) == (serial, "SP40", ["nurse"])
    assert pump["last_port"] == "emu://ward"
    assert pump["last_seen"].startswith("20")
    seen = desk.home / "pumps" / serial / "seen"
    assert seen.stat().st_mode & 0o077 == 0
    link = str(Path(desk.data("list")["ports"][0]["links"][0]))
    for name in (head, link):  # by whatever name it was reached
        seen.write_text(seen.read_text("ascii").replace(pump["last_port"], name), "ascii")
        assert the_head(desk, head)["last_pump"] == serial
        pump["last_port"] = name
    out = desk.run("list").out
    assert f"pump {serial} was here 20" in out
    assert all(len(line) <= 80 for line in out.splitlines() if "/tmp" not in line)
    for damaged in ("", "{}", '{"port": 1, "at": "", "model": ""}', '{"port": "\\u001b"}'):
        seen.write_text(damaged, "ascii")
        assert desk.data("list")["pumps"][0]["last_seen"] is None
    desk.pump("status")
    assert desk.data("list")["pumps"][0]["last_port"] == "emu://ward"


def test_a_home_that_takes_no_note_disturbs_nobody(desk: Desk) -> None:
    serial = desk.emulator()
    seen = desk.home / "pumps" / serial / "seen"
    seen.unlink()
    seen.mkdir()
    (seen / "in the way").write_text("")
    assert desk.pump("status")["delivery"] == "minimum"
    assert desk.data("list")["pumps"][0]["last_seen"] is None


def test_in_use_by_a_pumpctl_of_this_home(desk: Desk, head: str) -> None:
    with Locks(desk.home / "locks") as locks:
        locks.take("port", head)
        locks.take("port", "emu://ward")
        desk.emulator("ward2")
        told = the_head(desk, head)["in_use"]
        assert (told["process"], told["pumpctl"]) == (os.getpid(), True)
        assert f"IN USE by pumpctl, process {os.getpid()}" in desk.run("list").out
    assert the_head(desk, head)["in_use"] is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_in_use_by_another_program(desk: Desk, head: str) -> None:
    code = "import os, sys; os.open(sys.argv[1], 2 | os.O_NOCTTY); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, head], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"1\n"
        told = the_head(desk, head)["in_use"]
        assert (told["process"], told["pumpctl"]) == (other.pid, False)
        other.kill()
        other.wait()


def test_not_permitted_says_whose_it_is(
    desk: Desk, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = ports.Access(False, "dialout", by_group=True, member=False)
    monkeypatch.setattr(ports, "access_to", lambda _: access)
    told = the_head(desk, head)
    assert (told["permitted"], told["group"]) == (False, "dialout")
    assert "NOT PERMITTED: it is for group dialout" in desk.run("list").out
    assert "not permitted, group dialout" in desk.run("doctor").out


def test_emulators_free_frozen_served(desk: Desk) -> None:
    desk.emulator("b", frozen=False)
    desk.emulator("a")
    first, second = desk.data("list")["emulators"]
    assert [first["port"], second["port"]] == ["emu://a", "emu://b"]
    assert [first["frozen"], second["frozen"]] == [True, False]
    assert first["served_at"] is None and first["in_use"] is None
    with served(desk.home, "b") as url:
        assert desk.data("list")["emulators"][1]["served_at"] == url
        assert f"served at {url}" in desk.run("list").out
    assert desk.data("list")["emulators"][1]["served_at"] is None


def test_a_killed_process_holds_nothing(desk: Desk) -> None:
    code = (
        "import sys, pathlib\nfrom pumpctl.transport.lock import Locks\n"
        "locks = Locks(pathlib.Path(sys.argv[1]) / 'locks')\nlocks.take('port', 'emu://ward')\n"
        "print(1, flush=True)\ninput()"
    )
    desk.emulator()
    with subprocess.Popen(
        [command()[0], "-c", code, str(desk.home)],
        env=environment(desk.home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"1\n"
        (pump,) = desk.data("list")["emulators"]
        assert pump["in_use"]["process"] == other.pid
        error = desk.refused(4, "PORT_BUSY", "--port", "emu://ward", "status")
        assert f"process {other.pid}" in error["message"]
        other.kill()
        other.wait()
    assert desk.data("list")["emulators"][0]["in_use"] is None


def test_an_empty_home_and_no_ports(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    assert desk.data("list") == {"ports": [], "emulators": [], "pairings": [], "pumps": []}
    assert desk.run("list").out.count("none") == 3
    assert not desk.home.exists()


def test_ports_are_in_the_order_that_people_count(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"/dev/ttyUSB{n}" for n in (10, 2, 1)]
    monkeypatch.setattr(list_ports, "comports", lambda: [ListPortInfo(name) for name in names])
    assert [one["port"] for one in desk.data("list")["ports"]] == names[::-1]


# --- doctor ----------------------------------------------------------------------------------


def test_doctor_holds_the_given_port_to_what_the_system_says(
    desk: Desk, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.json("--port", f"{head}?baud=9600", "doctor")["ok"]
    missing = desk.json("--port", "/dev/ttyUSB77", "doctor", code=4)
    assert missing["error"]["code"] == "PORT_MISSING"
    access = ports.Access(False, "dialout", by_group=True, member=False)
    monkeypatch.setattr("pumpctl.workflows.look.health.access_to", lambda _: access)
    monkeypatch.setattr("pumpctl.transport.refused.access_to", lambda _: access)
    denied = desk.json("--port", head, "doctor", code=4)
    assert denied["error"]["code"] == "PORT_DENIED"
    assert "usermod -aG dialout" in denied["error"]["hint"]
    assert desk.json("--port", "/dev/ttyS0?baud=fast", "doctor", code=2)["error"]


def test_doctor_tells_of_a_slow_latency_timer(
    desk: Desk, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "_latency", lambda _: 16)
    assert "latency timer of 16 ms" in " ".join(desk.run("doctor").out.split())
    assert the_head(desk, head)["usb"]["latency_timer"] == "16 ms"
    monkeypatch.setattr(ports, "_latency", lambda _: 1)
    assert "latency timer" not in desk.run("doctor").out
