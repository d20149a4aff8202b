"""Opening a port: what it is called, and why it cannot be opened, told apart."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from pumpctl.errors import PortBusy, PortDenied, PortMissing, UsageError
from pumpctl.transport.line import SerialLine, open_line, scheme_of
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


def opened(url: str, home: Path) -> SerialLine:
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
    assert scheme_of(url) == scheme


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
    assert "group" in caught.value.hint


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
        with pytest.raises(PortBusy, match="in use"):
            opened(pty[1], tmp_path)
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


def test_reading_waits_no_longer_than_told(tmp_path: Path, pty: tuple[int, str]) -> None:
    ticks = iter(range(1000))
    line = open_line(pty[1], around(tmp_path), lambda: next(ticks) / 100)
    assert line.read(0.05) == b""
    assert next(ticks) <= 10
    line.close()


@pytest.mark.parametrize("act", ["read", "write"])
def test_a_line_that_goes_away_is_lost_and_nothing_else(
    act: str, tmp_path: Path, pty: tuple[int, str]
) -> None:
    """Whatever the system calls it (an input/output error, termios.error), it is LineLost."""
    from pumpctl.transport.line import LineLost

    line = opened(pty[1], tmp_path)
    os.close(pty[0])
    with pytest.raises(LineLost):
        line.read(0.2) if act == "read" else line.write(b"hello")
    line.close()


def test_a_driver_that_cannot_drain_is_lost(
    tmp_path: Path, pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyserial lets termios.error through from tcdrain, and that is no OSError."""
    import termios

    from pumpctl.transport.line import LineLost

    line = opened(pty[1], tmp_path)

    def hung_up(_: int) -> None:
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr(termios, "tcdrain", hung_up)
    with pytest.raises(LineLost):
        line.write(b"hello")
    line.close()


# --- socket:// ------------------------------------------------------------------------------------


def test_a_socket_line(tmp_path: Path) -> None:
    import socket

    from pumpctl.transport.line import LineLost

    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = opened(f"socket://127.0.0.1:{listener.getsockname()[1]}", tmp_path)
        peer, _ = listener.accept()
        line.write(b"ping")
        assert peer.recv(10) == b"ping"
        big = bytes(range(256)) * 64
        peer.sendall(big)
        got, calls = b"", 0
        while len(got) < len(big):
            piece = line.read(2.0)
            assert piece
            got += piece
            calls += 1
        assert got == big
        assert calls < 200, "not a byte at a time"
        peer.close()
        with pytest.raises(LineLost):
            line.read(0.5)
        line.close()
