"""Lines over TCP: a bare socket, and a terminal server by pyserial in front of a pump."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pumpctl.errors import PortBusy, PortMissing
from pumpctl.transport.line import LineLost, OpenLine, open_line
from pumpctl.transport.surroundings import Surroundings
from tests.helpers.desk import Desk
from tests.helpers.served import listening, served
from tests.helpers.terminal_server import terminal_server

EVERY = bytes(range(256)) * 64


def opened(url: str) -> OpenLine:
    return open_line(url, Surroundings(Path("none"), lambda: 0, os.urandom), time.monotonic)


def all_of(line: OpenLine, size: int) -> tuple[bytes, int]:
    """So many bytes, and how many readings they took."""
    got, calls = b"", 0
    while len(got) < size:
        piece = line.read(5.0)
        assert piece
        got += piece
        calls += 1
    return got, calls


def written(line: OpenLine, times: int) -> None:
    """More than any buffer holds."""
    for _ in range(times):
        line.write(EVERY)


def echo(client: socket.socket) -> None:
    """Send back what comes, until it hangs up."""
    while data := client.recv(4096):
        client.sendall(data)


def saying(what: bytes) -> Callable[[socket.socket], None]:
    """Say this, and hang up."""

    def act(client: socket.socket) -> None:
        client.sendall(what)
        client.shutdown(socket.SHUT_WR)
        while client.recv(4096):
            pass

    return act


# --- socket:// --------------------------------------------------------------------------


def test_bytes_pass_both_ways_over_a_socket() -> None:
    with listening(echo) as url, opened(url) as line:
        line.write(EVERY)
        got, calls = all_of(line, len(EVERY))
        assert got == EVERY
        assert calls < 200, "not a byte at a time"
        assert line.read(0.01) == b""


def test_what_came_before_the_far_end_hung_up_is_read_to_its_end() -> None:
    with listening(saying(EVERY)) as url, opened(url) as line:
        got, _ = all_of(line, len(EVERY))
        assert got == EVERY
        with pytest.raises(LineLost, match="hung up"):
            line.read(5.0)


def test_writing_to_a_line_that_is_gone() -> None:
    with listening(lambda client: None) as url, opened(url) as line:
        with pytest.raises(LineLost, match="reading"):
            line.read(5.0)
        with pytest.raises(LineLost, match="writing"):
            written(line, 1000)


def test_a_line_that_was_closed_is_lost_and_closes_again() -> None:
    with listening(echo) as url:
        line = opened(url)
        line.close()
        line.close()
        with pytest.raises(LineLost):
            line.read(0.01)
        with pytest.raises(LineLost):
            line.write(b"x")


def test_a_far_end_that_takes_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    from pumpctl.transport import network

    monkeypatch.setattr(network, "_WRITE_S", 0.05)
    stay = socket.socketpair()

    def deaf(_: socket.socket) -> None:
        stay[0].recv(1)

    with listening(deaf) as url, opened(url) as line:
        with pytest.raises(LineLost, match="writing"):
            written(line, 10_000)
        stay[1].send(b"\0")
    for end in stay:
        end.close()


def test_gathered_bytes_come_in_one_reading() -> None:
    def dribble(client: socket.socket) -> None:
        for _ in range(20):
            client.sendall(b"0123456789")
            time.sleep(0.002)
        client.recv(1)

    with listening(dribble) as url, opened(url) as line:
        assert line.read(5.0, gather=1.0) == b"0123456789" * 20
        assert line.read(0.01, gather=1.0) == b"", "nothing comes: nothing is waited for"


# --- rfc2217:// ------------------------------------------------------------------------


def test_a_terminal_server_passes_every_byte_and_takes_the_rate() -> None:
    with listening(echo) as far, terminal_server(far) as server:
        with opened(f"{server.url}?baud=9600") as line:
            assert server.port.baudrate == 9600
            assert (server.port.bytesize, server.port.parity, server.port.stopbits) == (8, "N", 1)
            line.write(EVERY)
            got, calls = all_of(line, len(EVERY))
        assert got == EVERY
        assert calls < 200, "not a byte at a time"


def test_a_pump_behind_a_terminal_server(desk: Desk) -> None:
    """The whole road through it, twice, the rate told and not told."""
    serial = desk.emulator(frozen=False)
    with served(desk.home, "ward") as url, terminal_server(url) as server:
        for more in ("", "?baud=38400", "?baud=9600&ign_set_control", "?timeout=5&poll_modem"):
            told = desk.json("--port", server.url + more, "status")
            assert told["pump"]["serial"] == serial
        plan = desk.files / "plan.json"
        made = desk.data("--port", server.url, "program", "plan", desk.profile(), "-o", plan)
        applied = desk.data("--port", server.url, "apply", plan, "--confirm", made["confirm"])
        assert (applied["outcome"], applied["verified"]) == ("applied", True)
        kept = json.loads((desk.home / "pumps" / serial / "seen").read_text("ascii"))
        assert kept["port"] == server.url


def test_a_server_that_hangs_up_is_a_lost_line() -> None:
    def last_words(client: socket.socket) -> None:
        client.recv(1)
        client.sendall(b"the last words")

    with listening(last_words) as far, terminal_server(far) as server, opened(server.url) as line:
        line.write(b"?")
        assert all_of(line, 14)[0] == b"the last words"
        with pytest.raises(LineLost):
            line.read(5.0)


def test_a_server_that_speaks_no_rfc2217_is_no_serial_port() -> None:
    with listening(echo) as url:
        place = url.replace("socket", "rfc2217") + "?timeout=1"
        with pytest.raises(PortMissing, match="no serial port answers") as caught:
            opened(place)
    assert "?timeout" not in caught.value.message
    with listening(lambda client: None) as url, pytest.raises(PortMissing, match="hung up"):
        opened(url.replace("socket", "rfc2217"))


def test_a_server_whose_port_is_in_use_is_busy() -> None:
    """As ser2net says it."""
    with (
        listening(saying(b"Port already in use\r\n")) as url,
        pytest.raises(PortBusy, match="already in use"),
    ):
        opened(url.replace("socket", "rfc2217"))


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    for scheme in ("socket", "rfc2217"):
        with pytest.raises(PortMissing, match="nothing listens at"):
            opened(f"{scheme}://127.0.0.1:{number}")
