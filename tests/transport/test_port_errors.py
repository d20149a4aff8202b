"""What is said of a port that cannot be opened: the command that helps, near names, its holder."""

from __future__ import annotations

import grp
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pumpctl.transport import holders, ports, refused
from pumpctl.transport.address import address
from pumpctl.transport.holders import programs_with, this_process, who_is
from pumpctl.transport.lock import Locks, holder
from pumpctl.transport.ports import Access

if sys.platform == "win32":
    pytest.skip("devices as files", allow_module_level=True)

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
PORT = address("/dev/ttyUSB0")


def denied(monkeypatch: pytest.MonkeyPatch, access: Access, platform: str = "linux") -> str:
    """The hint for a port with this access."""
    monkeypatch.setattr(refused, "access_to", lambda _: access)
    monkeypatch.setattr(refused, "user_name", lambda: "nurse")
    monkeypatch.setattr(sys, "platform", platform)
    return refused.denied(PORT).hint


# --- not permitted ------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["dialout", "uucp"])
def test_the_group_and_the_very_command(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hint = denied(monkeypatch, Access(False, group, by_group=True, member=False))
    assert f"group {group}" in hint
    assert f"sudo usermod -aG {group} nurse" in hint


def test_a_member_since_today_has_to_log_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hint = denied(monkeypatch, Access(False, "dialout", by_group=True, member=True))
    assert "log out and in again" in hint and "usermod" not in hint


@pytest.mark.parametrize(
    ("group", "by_group"), [("dialout", False), ("root", True), ("wheel", True)]
)
def test_where_no_group_helps_a_rule_does(
    group: str, by_group: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told to make themselves a member of root."""
    hint = denied(monkeypatch, Access(False, group, by_group=by_group, member=False))
    assert "udev rule" in hint and "usermod" not in hint


def test_a_mac_has_a_command_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access(False, "wheelies", by_group=True, member=False)
    assert "dseditgroup -o edit -a nurse -t user wheelies" in denied(monkeypatch, access, "darwin")


def test_what_the_system_tells_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "device"
    file.write_bytes(b"")
    file.chmod(0o660)
    told = ports.access_to(str(file))
    assert told.group == grp.getgrgid(file.stat().st_gid).gr_name
    assert told.permitted and told.by_group
    file.chmod(0o600)
    assert not ports.access_to(str(file)).by_group
    assert ports.access_to(str(tmp_path / "none")) == Access(
        None, None, by_group=False, member=False
    )


# --- missing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "there", "near"),
    [
        ("/dev/ttyUSB0", ["/dev/ttyUSB1", "/dev/ttyS0"], "/dev/ttyUSB1"),
        ("/dev/ttyACM0", ["/dev/ttyS4"], "/dev/ttyS4"),
        ("/dev/ttyACM0", [f"/dev/tiny{n}" for n in range(9)], ""),
        ("/dev/ttyACM0", [], ""),
    ],
)
def test_near_names(
    asked: str, there: list[str], near: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, *there)
    error = refused.missing(address(asked))
    assert error.message == f"there is no port {asked}"
    assert f"there is {near}" in error.hint if near else error.hint == error.default_hint


def test_a_mac_is_told_the_other_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    has(monkeypatch, "/dev/cu.usbserial-1", "/dev/cu.Bluetooth")
    hint = refused.missing(address("/dev/tty.usbserial-1")).hint
    assert "/dev/cu.usbserial-1" in hint and "Bluetooth" not in hint


def test_a_dead_link_says_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "head").symlink_to("/dev/ttyUSB99")
    assert "leads to /dev/ttyUSB99" in refused.missing(address(str(tmp_path / "head"))).message


def has(monkeypatch: pytest.MonkeyPatch, *devices: str) -> None:
    """This computer has these ports."""
    from serial.tools import list_ports

    found = [SimpleNamespace(device=device) for device in devices]
    monkeypatch.setattr(list_ports, "comports", lambda: found)


# --- busy: whoever holds it ----------------------------------------------------------------

OPEN = (
    "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(1, flush=True); input()"
)


@LINUX
def test_another_program_with_the_device_open_is_named() -> None:
    master, slave = os.openpty()
    device = os.ttyname(slave)
    os.close(slave)
    assert programs_with({device}) == {}
    with subprocess.Popen(
        [sys.executable, "-c", OPEN, device], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"1\n"
        assert programs_with({device})[device].pid == other.pid
        error = refused.busy(address(device))
        assert f"process {other.pid}" in error.message and str(other.pid) in error.hint
        other.kill()
        other.wait()
    assert "another program" in refused.busy(address(device)).message
    os.close(master)


def test_a_lock_names_its_holder_until_it_is_released(tmp_path: Path) -> None:
    with Locks(tmp_path) as locks:
        assert holder(tmp_path, "port", "COM3") is None
        locks.take("port", "COM3")
        found = holder(tmp_path, "port", "COM3")
        assert found is not None and found.pid == os.getpid()
        assert holder(tmp_path, "pump", "COM3") is None
    assert holder(tmp_path, "port", "COM3") is None
    assert not list(tmp_path.glob("*.holder"))


@pytest.mark.parametrize(
    "note", ["", "[]", "{}", '{"pid": true}', '{"pid": -1}', '{"pid": "1"}', "\udcff", "nonsense"]
)
def test_a_note_that_is_no_note_names_nobody(note: str, tmp_path: Path) -> None:
    with Locks(tmp_path) as locks:
        locks.take("port", "COM3")
        (file,) = tmp_path.glob("*.holder")
        file.write_bytes(note.encode("utf-8", "surrogateescape"))
        assert holder(tmp_path, "port", "COM3") is None


def test_a_process_that_is_gone_or_another_one_holds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own: dict[str, Any] = this_process()
    assert json.loads(json.dumps(own)) == own
    assert who_is(own) is not None
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert who_is({"pid": done.pid, "began": ""}) is None
    monkeypatch.setattr(holders, "_began", lambda _: "another beginning")
    assert who_is(own) is None
