"""The relay breaks a line at exactly the byte that it was told."""

from __future__ import annotations

import socket
import threading

import pytest

from pumpctl.wire.codes import FrameKind
from pumpctl.wire.frames import Frame, encode_frame
from tests.faults.relay import Cut, Direction, Key, Relay, Victim

FRAMES = [encode_frame(Frame(FrameKind.RECORD, 7, n, 0, True, bytes(20 + n))) for n in (1, 2, 3)]
SECOND = Key(Direction.TO_PUMP, FrameKind.RECORD, 2, 0)


class Pump(threading.Thread):
    """Takes what comes until the line is hung up, and says nothing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.taken = b""
        self.start()

    def run(self) -> None:
        with self._listener:
            line, _ = self._listener.accept()
        with line:
            while data := line.recv(4096):
                self.taken += data


def send(relay: Relay, data: bytes) -> bytes:
    """All at once; what came back until the line was hung up."""
    address = ("127.0.0.1", int(relay.url.rpartition(":")[2]))
    back = b""
    with socket.create_connection(address, timeout=10) as station:
        station.sendall(data)
        station.shutdown(socket.SHUT_WR)
        while data := station.recv(4096):
            back += data
    return back


@pytest.mark.parametrize("offset", [0, 1, 17, -2, -1])
@pytest.mark.parametrize("after", [False, True])
def test_a_cut_passes_on_all_bytes_before_it_and_none_behind(offset: int, after: bool) -> None:
    pump, killed = Pump(), list[Victim]()

    def kill(victim: Victim) -> int:
        killed.append(victim)
        return 0

    relay = Relay(pump.port, cut=Cut(SECOND, offset, after, Victim.PUMP), kill=kill)
    send(relay, b"\0" + b"".join(FRAMES))
    relay.finish()
    pump.join(10)
    start = 1 + len(FRAMES[0])
    place = start + offset + (len(FRAMES[1]) if offset < 0 else 0)
    assert len(pump.taken) == place + after
    assert killed == [Victim.PUMP]
    assert relay.hit is not None
    assert relay.hit.key == SECOND
    assert relay.hit.start == start


def test_without_a_cut_everything_passes_and_is_counted() -> None:
    pump = Pump()
    relay = Relay(pump.port)
    whole = b"\0" + b"".join([*FRAMES, FRAMES[2]])
    send(relay, whole)
    relay.finish()
    pump.join(10)
    assert pump.taken == whole
    assert relay.passed[-1].end == len(whole)
    assert [each.again for each in relay.passed] == [False, False, False, True]
    assert relay.hit is None
