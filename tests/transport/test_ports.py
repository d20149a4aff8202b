"""Opening a port: what it is called, and why it cannot be opened, told apart."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from pumpctl.errors import PortBusy, PortDenied, PortMissing, UsageError
from pumpctl.transport.address import address
from pumpctl.transport.line import LineLost, OpenLine, open_line
from pumpctl.transport.surroundings import Surroundings

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

HOLD = """
import sys, serial
port = serial.serial_for_url(sys.argv[1], exclusive=True)
print("held", flush=True)
sys.stdin.read()
"""


def around(home: Path) -> Surroundings:
    return Surroundings(home, lambda: time.time_ns() // 1_000_000, os.urandom)


def opened(url: str, home: Path) -> OpenLine:
    return open_line(url, around(home), time.monotonic)


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """The master's descriptor and the slave's path."""
    master, slave = os.openpty()
    yield master, os.ttyname(slave)
    os.close(slave)
    with contextlib.suppress(OSError):
        os.close(master)


# --- what a port is called --------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("/dev/ttyUSB0", "device"),
        ("./tty0", "device"),
        ("COM3", "device"),
        ("socket://127.0.0.1:7001", "socket"),
        ("rfc2217://host:2217", "rfc2217"),
        ("emu://ward-3", "emu"),
    ],
)
def test_schemes(url: str, scheme: str) -> None:
    assert address(url).scheme == scheme


@pytest.mark.parametrize(
    "url", ["http://host", "emu://", "loop://", "spy:///dev/x", "://x", "EMU://w"]
)
def test_what_is_no_port(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        opened(url, tmp_path)


# --- missing, denied, busy: three different things ----------------------------------------


@pytest.mark.parametrize("url", ["/dev/no-such-tty", "./nowhere/tty0", "socket://127.0.0.1:1"])
def test_missing(url: str, tmp_path: Path) -> None:
    with pytest.raises(PortMissing):
        opened(url, tmp_path)


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a tty")
    with pytest.raises(PortMissing):
        opened(str(tmp_path / "file"), tmp_path)


def test_a_dead_link_is_missing(tmp_path: Path) -> None:
    (tmp_path / "tty0").symlink_to("/dev/pts/no-more")
    with pytest.raises(PortMissing):
        opened(str(tmp_path / "tty0"), tmp_path)


def test_denied(tmp_path: Path, pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def not_for_you(path: object, *rest: object, **more: object) -> int:
        if str(path) == pty[1]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *rest, **more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(os, "open", not_for_you)
    with pytest.raises(PortDenied, match="may not open") as caught:
        opened(pty[1], tmp_path)
    assert "group" in caught.value.hint  # which one, and what to type: test_port_errors.py


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may open everything")
def test_denied_by_the_system(tmp_path: Path, pty: tuple[int, str]) -> None:
    Path(pty[1]).chmod(0)
    with pytest.raises(PortDenied):
        opened(pty[1], tmp_path)


def test_busy_where_another_process_holds_it(tmp_path: Path, pty: tuple[int, str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, pty[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(PortBusy, match="in use") as caught:
            opened(pty[1], tmp_path)
        if sys.platform.startswith("linux"):
            assert f"process {holder.pid}" in caught.value.message
        holder.kill()
        holder.wait()
    opened(pty[1], tmp_path).close()


def test_we_hold_it_against_others(tmp_path: Path, pty: tuple[int, str]) -> None:
    line = opened(pty[1], tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", HOLD, pty[1]], capture_output=True, check=False, timeout=30
    )
    line.close()
    assert done.returncode == 1
    assert b"exclusively lock" in done.stderr


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, PortMissing),
        (errno.ENODEV, PortMissing),
        (errno.ENXIO, PortMissing),
        (errno.EACCES, PortDenied),
        (errno.EPERM, PortDenied),
        (errno.EBUSY, PortBusy),
        (errno.EAGAIN, PortBusy),
    ],
)
def test_errors_of_the_system(
    number: int, kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: object) -> None:
        raise serial.SerialException(number, os.strerror(number))

    monkeypatch.setattr(serial.Serial, "open", fails)
    with pytest.raises(kind):
        opened("/dev/ttyS7", tmp_path)


# --- the built-in pump ----------------------------------------------------------------------


def test_emulator_missing_and_busy(tmp_path: Path) -> None:
    from pumpctl.emulator.edge import bench

    with pytest.raises(PortMissing):
        opened("emu://ward", tmp_path)
    host = around(tmp_path)
    bench.create(tmp_path, "ward", now=host.now, entropy=host.entropy)
    line = opened("emu://ward", tmp_path)
    with pytest.raises(PortBusy):
        opened("emu://ward", tmp_path)
    line.close()
    opened("emu://ward", tmp_path).close()


@pytest.mark.parametrize("url", ["emu://../ward", "emu://a/b", "emu://..", "emu://%2e%2e"])
def test_an_emulator_has_a_name_and_no_path(url: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, PortMissing)):
        opened(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- a line in use ----------------------------------------------------------------------------


def test_bytes_pass_both_ways(tmp_path: Path, pty: tuple[int, str]) -> None:
    every = bytes(range(256)) * 8
    line = opened(pty[1], tmp_path)
    line.write(every)
    heard = b""
    while len(heard) < len(every):
        heard += os.read(pty[0], 4096)
    assert heard == every
    os.write(pty[0], every)
    back = b""
    while len(back) < len(every):
        piece = line.read(2.0)
        assert piece
        back += piece
    assert back == every
    assert line.read(0.01) == b""
    line.close()
    line.close()


def test_nothing_came(tmp_path: Path, pty: tuple[int, str]) -> None:
    with opened(pty[1], tmp_path) as line:
        for seconds in (0.0, 0.01, -1.0):
            assert line.read(seconds) == b""
            assert line.read(seconds, gather=0.01) == b""


@pytest.mark.parametrize("act", ["read", "write"])
def test_a_line_that_goes_away_is_lost_and_nothing_else(
    act: str, tmp_path: Path, pty: tuple[int, str]
) -> None:
    """Whatever the system calls it (an input/output error, termios.error), it is LineLost."""
    line = opened(pty[1], tmp_path)
    os.close(pty[0])
    with pytest.raises(LineLost):
        line.read(0.2) if act == "read" else line.write(b"hello")
    line.close()


@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize("pyserial_reads", [False, True])
def test_a_device_that_takes_bytes_and_sends_none_holds_nobody(
    pyserial_reads: bool,
    tmp_path: Path,
    pty: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To wait until the last bit has left has no end there: a stop would never be told unknown."""
    import termios

    def for_ever(_: int) -> None:
        raise AssertionError("it may wait for ever")

    line = lines_of(pty[1], tmp_path, pyserial_reads=pyserial_reads)
    monkeypatch.setattr(termios, "tcdrain", for_ever)
    line.write(b"hello")
    assert line.read(0.0) == b""
    line.close()
    assert os.read(pty[0], 16) == b"hello"


@pytest.mark.parametrize("pyserial_reads", [False, True])
def test_gathered_bytes_come_in_one_reading(
    pyserial_reads: bool, tmp_path: Path, pty: tuple[int, str]
) -> None:
    line = lines_of(pty[1], tmp_path, pyserial_reads=pyserial_reads)
    os.write(pty[0], b"first")
    thread = threading.Timer(0.05, os.write, (pty[0], b" and then"))
    thread.start()
    assert line.read(5.0, gather=1.0) == b"first and then"
    thread.join()
    line.close()


def lines_of(path: str, home: Path, *, pyserial_reads: bool) -> OpenLine:
    """A device read by us, or by pyserial as on Windows."""
    if not pyserial_reads:
        return opened(path, home)
    from pumpctl.transport.device import PyserialLine

    port = serial.Serial(path, timeout=0.02, write_timeout=5, exclusive=True)
    return PyserialLine(port, time.monotonic)


def test_a_com_port_as_pyserial_reads_it(tmp_path: Path, pty: tuple[int, str]) -> None:
    line = lines_of(pty[1], tmp_path, pyserial_reads=True)
    line.write(b"ping")
    assert os.read(pty[0], 100) == b"ping"
    assert line.read(0.01) == b""
    os.write(pty[0], b"pong")
    assert line.read(2.0) == b"pong"
    line.close()
    line.close()
    with pytest.raises(LineLost):
        line.read(0.01)
    with pytest.raises(LineLost):
        line.write(b"x")


def test_more_than_a_driver_keeps_is_written_whole(tmp_path: Path, pty: tuple[int, str]) -> None:
    big = bytes(range(256)) * 256
    heard = bytearray()

    def hear() -> None:
        while len(heard) < len(big):
            heard.extend(os.read(pty[0], 4096))

    thread = threading.Thread(target=hear)
    thread.start()
    with opened(pty[1], tmp_path) as line:
        line.write(big)
        thread.join(10)
    assert bytes(heard) == big


def test_a_device_that_takes_nothing_is_lost(
    tmp_path: Path, pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pumpctl.transport import device

    monkeypatch.setattr(device, "_WRITE_S", 0.05)
    with (
        opened(pty[1], tmp_path) as line,
        pytest.raises(LineLost, match="takes no bytes"),
    ):
        line.write(bytes(1 << 20))


# --- the rate, in the URL ------------------------------------------------------------------


@pytest.mark.parametrize(("more", "baud"), [("", 115_200), ("?baud=9600", 9600)])
def test_the_rate_reaches_the_device(
    more: str, baud: int, tmp_path: Path, pty: tuple[int, str]
) -> None:
    import termios

    with opened(pty[1] + more, tmp_path):
        slave = os.open(pty[1], os.O_RDWR | os.O_NOCTTY)
        told = termios.tcgetattr(slave)
        os.close(slave)
    assert told[4] == told[5] == getattr(termios, f"B{baud}")


@pytest.mark.parametrize(
    ("url", "name", "baud"),
    [
        ("/dev/ttyUSB0?baud=9600", "/dev/ttyUSB0", 9600),
        ("COM3?baud=9600", "COM3", 9600),
        ("rfc2217://host:2217?baud=57600", "rfc2217://host:2217", 57_600),
        ("rfc2217://host:2217/?ign_set_control&timeout=9", "rfc2217://host:2217", 115_200),
        ("rfc2217://[::1]:2217?poll_modem&logging=debug", "rfc2217://[::1]:2217", 115_200),
    ],
)
def test_locks_and_records_name_the_port_without_its_options(
    url: str, name: str, baud: int
) -> None:
    found = address(url)
    assert (found.name, found.baud) == (name, baud)
    assert "?" not in found.device


@pytest.mark.parametrize(
    "url",
    [
        *(f"/dev/ttyUSB0?baud={rate}" for rate in ("", "0", "fast", "-9600", "9600.0", "²")),
        *("/dev/ttyUSB0?baud=99999999999", "/dev/ttyUSB0?baud=9", "/dev/ttyUSB0?"),
        *("/dev/ttyUSB0?baud=9600&baud=9600", "/dev/ttyUSB0?speed=9600", "?baud=9600"),
        *("/dev/ttyUSB0?timeout=3", "socket://host:1?baud=9600", "emu://ward?baud=9600"),
        *(
            "rfc2217://host:1?timeout=soon",
            "rfc2217://host:1?timeout=0",
            "rfc2217://host?baud=9600",
        ),
        *("rfc2217://host:0", "rfc2217://host:99999", "socket://:1", "socket://host:x"),
    ],
)
def test_nonsense_in_a_port_is_a_usage_error(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        opened(url, tmp_path)
    assert caught.value.hint


def test_one_device_has_one_lock_whatever_it_is_called(
    tmp_path: Path, pty: tuple[int, str]
) -> None:
    (tmp_path / "head").symlink_to(pty[1])
    assert address(f"{tmp_path}/head?baud=9600").device == address(pty[1]).device == pty[1]
