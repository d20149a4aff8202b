"""How each peer moves a file over a line: its command lines, and what ends it.

Every contender is a function of a line's settings, a folder of its own, the bytes to
move and a time limit in seconds. A peer that gives up, or delivers other bytes, says so.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks import peers
from benchmarks.line import Job, Relay, Transfer, judged, port
from benchmarks.relay import Settings, Spoiler

_LISTENING_S = 0.3
"""A receiver gets so long to open its port: what comes before is thrown away by it."""
_SMALL = 256
"""Bytes beyond the pipe's 4 KB that may wait to be sent: a UART's own."""
Move = Callable[[Settings, Path, bytes, float], Transfer]


class Contender(NamedTuple):
    """A peer in one setting."""

    name: str
    here: Callable[[], bool]
    move: Move


def raw(settings: Settings, folder: Path, data: bytes, limit: float) -> Transfer:
    """No protocol: write it all at one end, read it all at the other.

    The bytes that came are held against those that the line's own arithmetic says.
    """
    ideal = Spoiler(settings, "to client").spoil(data)
    with Relay(settings, folder) as relay:
        source, target = port(relay.server), port(relay.client)
        out = bytearray()
        begun = time.monotonic()
        writer = threading.Thread(target=_write, args=(source, data), daemon=True)
        writer.start()
        os.set_blocking(target, False)
        while len(out) < len(ideal) and time.monotonic() < begun + limit:
            try:
                out += os.read(target, 65_536)
            except BlockingIOError:
                time.sleep(0.0005)
        seconds = time.monotonic() - begun
        os.close(target)
        writer.join(5)
        os.close(source)
    if bytes(out) != ideal:
        return Transfer(None, f"the relay delivered {len(out)} bytes, and not those it should")
    return Transfer(seconds, "", relay.bits)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view[:4096]) :]


def zmodem(*more: str) -> Move:
    """Lrzsz's sz at the server's end, rz at ours.

    Timed until sz has ended: rz has then acknowledged the file's end. Its own end says
    nothing, for it may wait 30 s for a farewell.
    """

    def move(settings: Settings, folder: Path, data: bytes, limit: float) -> Transfer:
        (folder / "log").write_bytes(data)
        inbox = folder / "in"
        inbox.mkdir()
        line = settings._replace(fifo=_SMALL)
        ends = {name: f"pipe:{folder / name}" for name in ("client", "server")}
        with Relay(line, folder, **ends) as relay:
            rz = [peers.tool("rz") or "rz", "-q", "-y", "-b"]
            sz = [peers.tool("sz") or "sz", "-q", "-b", *more, "log"]
            with Job(rz, pipe=relay.client, cwd=inbox):
                time.sleep(_LISTENING_S)
                begun = time.monotonic()
                with Job(sz, pipe=relay.server, cwd=folder) as sender:
                    code = sender.wait(begun + limit)
                    seconds = time.monotonic() - begun
        why = "time limit" if code is None else "gave up"
        return judged(inbox / "log", data, seconds if code == 0 else None, why)

    return move


def kermit(*more: str) -> Move:
    """C-Kermit on both sides."""

    def words(line: str, *last: str) -> list[str]:
        common = (
            "set modem type none",
            f"set line {line}",
            "set speed 115200",
            "set carrier-watch off",
            "set flow none",
            "set file type binary",
            "set transfer display none",
            *more,
        )
        return [peers.tool("kermit") or "kermit", "-Y", "-H", "-C", ", ".join((*common, *last))]

    def move(settings: Settings, folder: Path, data: bytes, limit: float) -> Transfer:
        (folder / "log").write_bytes(data)
        inbox = folder / "in"
        inbox.mkdir()
        with Relay(settings, folder) as relay:
            receive = words(relay.client, "receive", "if fail exit 1", "exit 0")
            send = words(relay.server, f"send {folder / 'log'}", "if fail exit 1", "exit 0")
            with Job(receive, cwd=inbox) as receiver:
                time.sleep(_LISTENING_S)
                begun = time.monotonic()
                with Job(send, cwd=folder):
                    code = receiver.wait(begun + limit)
                    seconds = time.monotonic() - begun
        why = "time limit" if code is None else "gave up"
        came = next((file for file in inbox.iterdir() if file.is_file()), inbox / "log")
        return judged(came, data, seconds if code == 0 else None, why)

    return move


def served(server: str, client: str, *more: str) -> Move:
    """A server and a client out of `peers/`; the client tells its own seconds."""

    def move(settings: Settings, folder: Path, data: bytes, limit: float) -> Transfer:
        (folder / "log").write_bytes(data)
        came = folder / "came"
        with Relay(settings, folder) as relay:
            serve = [*peers.program(server), relay.server, str(folder / "log"), *more]
            with Job(serve, cwd=folder) as far:
                far.ready()
                read = [*peers.program(client), relay.client, str(came), str(len(data))]
                with Job(read, cwd=folder) as near:
                    code = near.wait(time.monotonic() + limit + 5)  # it starts, too
                    said = near.said() if code == 0 else ""
        why = "time limit" if code is None else "gave up"
        return judged(came, data, float(said) if code == 0 else None, why)

    return move


def _lrzsz() -> bool:
    return peers.tool("sz") is not None and peers.tool("rz") is not None


def _ckermit() -> bool:
    return peers.tool("kermit") is not None


def _package(name: str) -> Callable[[], bool]:
    return lambda: peers.has(name)


CONTENDERS = (
    Contender("zmodem (lrzsz)", _lrzsz, zmodem()),
    Contender("zmodem, window 2 KiB, subpackets of 256", _lrzsz, zmodem("-w2048", "-L256")),
    Contender("zmodem, subpackets of 32", _lrzsz, zmodem("-L32")),
    Contender("kermit (ckermit)", _ckermit, kermit()),
    Contender(
        "kermit, window 31, packets of 250",
        _ckermit,
        kermit("set window 31", "set receive packet-length 250", "set block 3"),
    ),
    Contender(
        "kermit, window 31, packets of 90",
        _ckermit,
        kermit("set window 31", "set receive packet-length 90", "set block 3"),
    ),
    Contender(
        "pymodbus, 125 registers", _package("pymodbus"), served("modbus_serve", "modbus_read")
    ),
    Contender("SMP, answers of 300", _package("smpclient"), served("smp_serve", "smp_read", "300")),
    Contender(
        "SMP, answers of 2000", _package("smpclient"), served("smp_serve", "smp_read", "2000")
    ),
)
