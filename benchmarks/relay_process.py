"""The relay as a process of its own, so that what it costs is not its users'.

    python -m benchmarks.relay_process --client END --server END [--ber 1e-5 ...]

END is `pty:PATH` (a pty is made, PATH links to it), `pipe:PATH` (a program reads
PATH.in and writes PATH.out), `listen` (a TCP port of this machine, for one client) or
`tcp:PORT` (connects there once a client has come). A pty takes 20 KB before a writer
has to wait; whoever sends without a window gets a pipe, which takes 4 KB as a driver
of a serial port does, and a small --fifo. The
first line on stdout says where the ends are; when its input ends, or a TCP end hangs
up, what is still under way is delivered, and the last line says what was carried.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import json
import os
import select
import socket
import sys
import termios
import time
import tty
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.relay import Direction, Settings

TICK_NS = 1_000_000
"""Bytes are handed over this often at most, as a receiver with a small buffer does."""
_READ = 4096
_SMALL = 4096


class End:
    """A descriptor that never blocks."""

    def __init__(
        self,
        descriptor: int,
        place: str,
        *,
        keep: Sequence[int | socket.socket] = (),
        out: int | None = None,
    ) -> None:
        """`out`: where to write, if that is another one than is read."""
        self.descriptor = descriptor
        self.out = descriptor if out is None else out
        for each in {self.descriptor, self.out}:
            os.set_blocking(each, False)
        self.place = place
        self._keep = keep
        self.pending = bytearray()
        """Has arrived, and nobody has read it."""
        self.closed = False

    def read(self, most: int) -> bytes:
        """What was written to this end."""
        try:
            data = os.read(self.descriptor, min(most, _READ))
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno not in {errno.EIO, errno.ECONNRESET, errno.EPIPE}:
                raise
            data = b""
        if not data:
            self.closed = True
        return data

    def write(self, data: bytes) -> None:
        """Hand over what has arrived, as far as it is read."""
        self.pending += data
        if not self.pending or self.closed:
            return
        try:
            del self.pending[: os.write(self.out, self.pending)]
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True


def pty_end(path: Path) -> End:
    """A raw pty; `path` links to the side that a program opens as its port."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    mode = termios.tcgetattr(theirs)
    mode[4] = mode[5] = termios.B115200
    termios.tcsetattr(theirs, termios.TCSANOW, mode)
    path.unlink(missing_ok=True)
    path.symlink_to(os.ttyname(theirs))
    return End(ours, str(path), keep=(theirs,))  # kept open: a port that is closed is no hang-up


def pipe_end(path: Path) -> End:
    """Two pipes of a page each, which no program's end can close."""
    descriptors = []
    for suffix in (".out", ".in"):
        pipe = path.with_name(path.name + suffix)
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe, 0o600)
        descriptors.append(os.open(pipe, os.O_RDWR))
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            fcntl.fcntl(descriptors[-1], fcntl.F_SETPIPE_SZ, _SMALL)
    return End(descriptors[0], str(path), out=descriptors[1])


def tcp_end(made: socket.socket, place: str) -> End:
    """A connected socket."""
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return End(made.fileno(), place, keep=(made,))


def ready(place: dict[str, str]) -> None:
    print(json.dumps(place), flush=True)


def ends(client: str, server: str) -> tuple[End, End]:
    """Both ends; says where they are as soon as somebody may come."""
    made: list[End | None] = [None, None]
    listener: socket.socket | None = None
    where = {}
    for number, (name, text) in enumerate((("client", client), ("server", server))):
        kind, _, rest = text.partition(":")
        if kind == "pty":
            end = pty_end(Path(rest))
            made[number], where[name] = end, end.place
        elif kind == "pipe":
            end = pipe_end(Path(rest))
            made[number], where[name] = end, end.place
        elif kind == "listen" and number == 0:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            where[name] = f"socket://127.0.0.1:{listener.getsockname()[1]}"
        elif kind == "tcp" and number == 1:
            where[name] = f"socket://127.0.0.1:{rest}"
        else:
            raise SystemExit(f"relay: {text!r} is no {name} end")
    ready(where)
    if listener is not None:
        accepted, _ = listener.accept()
        listener.close()
        made[0] = tcp_end(accepted, where["client"])
    if made[1] is None:
        port = int(server.partition(":")[2])
        made[1] = tcp_end(socket.create_connection(("127.0.0.1", port)), where["server"])
    first, second = made
    assert first is not None
    assert second is not None
    return first, second


def carry(settings: Settings, client: End, server: End) -> dict[str, object]:
    """Run until somebody has had enough; what was carried."""
    ways = (
        (client, server, Direction(settings, "to server")),
        (server, client, Direction(settings, "to client")),
    )
    stdin: int | None = sys.stdin.fileno()
    while True:
        now = time.monotonic_ns()
        for _, target, line in ways:
            target.write(line.take(now))
        busy = any(line.due() is not None for _, _, line in ways)
        if (stdin is None or client.closed or server.closed) and not busy:
            break
        wakes = [due for _, _, line in ways if (due := line.due()) is not None]
        full = [source for source, _, line in ways if line.room(now) <= 0]
        wait = None if not wakes else max(min(wakes) - now, TICK_NS) / 1e9
        if full:
            wait = TICK_NS / 1e9 if wait is None else min(wait, 2 * TICK_NS / 1e9)
        readers = [e.descriptor for e in (client, server) if not e.closed and e not in full]
        writers = [e.out for e in (client, server) if e.pending and not e.closed]
        came, _, _ = select.select(
            readers + ([stdin] if stdin is not None else []), writers, [], wait
        )
        now = time.monotonic_ns()
        for source, _, line in ways:
            if source.descriptor in came:
                line.put(now, source.read(line.room(now)))
        if stdin in came and not os.read(0, 1):
            stdin = None
    told: dict[str, object] = {"cpu_s": time.process_time()}
    for name, (_, _, line) in zip(("to_server", "to_client"), ways, strict=True):
        told[name] = {
            "bytes": line.carried,
            "flipped": line.spoiler.flipped,
            "dropped": line.spoiler.dropped,
            "doubled": line.spoiler.doubled,
            "latest_us": line.latest_ns // 1_000,
        }
    return told


def main(arguments: Sequence[str]) -> int:
    """Serve one line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay_process", description=__doc__)
    parser.add_argument("--client", required=True)
    parser.add_argument("--server", required=True)
    for name, value in Settings._field_defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    given = vars(parser.parse_args(arguments))
    client, server = ends(given.pop("client"), given.pop("server"))
    told = carry(Settings(**given), client, server)
    with suppress(BrokenPipeError):
        print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
