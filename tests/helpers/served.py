"""Emulators served over TCP from a thread, and a relay that can spoil what passes."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pumpctl.emulator.edge import bench


@contextmanager
def served(home: Path, name: str) -> Iterator[str]:
    """Serve an emulator of this home from a thread; the URL of its port."""
    stopper = bench.Stopper()
    ready = threading.Event()
    places: list[str] = []

    def told(place: str) -> None:
        places.append(place)
        ready.set()

    def run() -> None:
        bench.serve(
            home,
            name,
            tcp=("127.0.0.1", 0),
            ready=told,
            now=lambda: time.time_ns() // 1_000_000,
            entropy=os.urandom,
            stopper=stopper,
        )

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield places[0]
    finally:
        stopper.stop()
        thread.join(10)
        stopper.close()
        assert not thread.is_alive()


@contextmanager
def listening(act: Callable[[socket.socket], None]) -> Iterator[str]:
    """A TCP server for one client, which does this with it; the URL of its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def run() -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, suppress(OSError):
            act(client)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"socket://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        thread.join(15)
        assert not thread.is_alive()


@contextmanager
def relayed(url: str, *, forward: int, back: int | None = None) -> Iterator[str]:
    """A relay to a served pump that hangs up after so many bytes forward, or back."""

    def act(client: socket.socket) -> None:
        host, port = url.removeprefix("socket://").split(":")
        with socket.create_connection((host, int(port))) as pump:
            threads = [
                threading.Thread(target=_pump_bytes, args=(client, pump, forward), daemon=True),
                threading.Thread(target=_pump_bytes, args=(pump, client, back), daemon=True),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)

    with listening(act) as place:
        yield place


def _pump_bytes(source: socket.socket, target: socket.socket, most: int | None) -> None:
    left = most
    with suppress(OSError):
        while left is None or left > 0:
            data = source.recv(4096)
            if not data:
                break
            if left is not None:
                data = data[:left]
                left -= len(data)
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
