"""What stands at the far end of a pty when round trips are counted.

    python -m benchmarks.far_ends echo SIZE [PORT]     answers SIZE bytes for every SIZE bytes
    python -m benchmarks.far_ends wire                 a pump that is nothing but its session

Without a PORT a pty is made, and its name is the first line on stdout. `wire` reads
its keys as JSON from stdin: they are made for one measurement and open nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from pumpctl.wire import messages as m
from pumpctl.wire.greeting import MAJOR, MINOR, PumpGreeting, StationGreeting
from pumpctl.wire.responder import PeerKey, Request, Responder, Send

SERIAL = "SP40-000001"


def made() -> int:
    """Our side of a new pty, raw; says where the other one is."""
    import tty

    ours, theirs = os.openpty()
    tty.setraw(theirs)
    print(os.ttyname(theirs), flush=True)
    return ours


def echo(descriptor: int, size: int) -> None:
    """Until somebody ends this process."""
    came, answer = 0, b"\x01" * (size - 1) + b"\0"
    while True:
        came += len(os.read(descriptor, 4096))
        while came >= size:
            came -= size
            os.write(descriptor, answer)


def responder(private: bytes, peer: PeerKey) -> Callable[[bytes], bytes]:
    """What a pump says that only greets, opens sessions and answers a ping."""

    def greet(station: StationGreeting) -> PumpGreeting:
        zero = (0, 1, 1)
        version = "0.0"
        return PumpGreeting(
            MAJOR, MINOR, 0, "SP40", SERIAL, version, *zero, True, False, bytes(16), station.random
        )

    end = Responder(
        private_key=private,
        entropy=os.urandom,
        greet=greet,
        find_key=lambda name: peer if name == peer.key_id else None,
        pairing_psk=lambda: None,
    )

    def hear(data: bytes) -> bytes:
        out = b""
        for event in end.receive(data):
            if isinstance(event, Send):
                out += event.data
            elif isinstance(event, Request):
                told = event.message
                answer = m.Pong(told.token) if isinstance(told, m.Ping) else m.Closed()
                out += end.reply(event, answer)
        return out

    return hear


def main() -> None:
    """Serve until ended."""
    if sys.argv[1] == "echo":
        port = os.open(sys.argv[3], os.O_RDWR | os.O_NOCTTY) if sys.argv[3:] else made()
        echo(port, int(sys.argv[2]))
    keys = {name: bytes.fromhex(text) for name, text in json.load(sys.stdin).items()}
    hear = responder(keys["private"], PeerKey(keys["id"], keys["public"], keys["psk"]))
    port = made()
    while True:
        if answer := hear(os.read(port, 4096)):
            os.write(port, answer)


if __name__ == "__main__":
    main()
