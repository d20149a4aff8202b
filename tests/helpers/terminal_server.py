"""A terminal server of RFC 2217 in front of a TCP line, by pyserial's own server part.

It knows nothing of this project's Telnet, so that the two ends are two readings of the RFC.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, cast

import serial
from serial import rfc2217


class _Client:
    """What pyserial's PortManager writes to."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)


class TerminalServer(NamedTuple):
    """A server that runs."""

    url: str
    port: Any
    """pyserial's loop://, whose settings are those that the client asked for."""


@contextmanager
def terminal_server(line: str) -> Iterator[TerminalServer]:
    """One client after the other, each connected with this socket:// line."""
    listener = socket.create_server(("127.0.0.1", 0))
    awake, wake = socket.socketpair()
    settings = serial.serial_for_url("loop://")

    def run() -> None:
        while True:
            ready, _, _ = select.select([listener, awake], [], [])
            if awake in ready:
                return
            client, _ = listener.accept()
            with client, suppress(OSError):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _serve(client, line, settings, awake)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield TerminalServer(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}", settings)
    finally:
        wake.send(b"\0")
        thread.join(10)
        for each in (listener, awake, wake, settings):
            each.close()
        assert not thread.is_alive()


def _serve(client: socket.socket, line: str, settings: Any, awake: socket.socket) -> None:
    host, _, number = line.removeprefix("socket://").rpartition(":")
    with socket.create_connection((host, int(number))) as far:
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        manager = rfc2217.PortManager(settings, cast(Any, _Client(client)))
        while True:
            ready, _, _ = select.select([client, far, awake], [], [])
            if awake in ready:
                return
            if client in ready:
                data = client.recv(4096)
                if not data:
                    return
                far.sendall(b"".join(manager.filter(data)))
            if far in ready:
                data = far.recv(4096)
                if not data:
                    return
                client.sendall(b"".join(manager.escape(data)))
