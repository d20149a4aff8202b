"""The pump's end of a serial line: a pseudo terminal, or a TCP port of this computer.

Both look alike to the server: what came, what to send. An end says itself which
descriptors are to be watched, before it closes one: the number of a closed one may
be the next client's. Bytes that nobody takes are dropped beyond a bound, as on a
wire. What they mean is not known here.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from pumpctl.errors import PortBusy, PortError, StoreError, UsageError

_READ = 4096
"""A turn's worth: who sends without end takes no more than that from the others."""
_MOST_WAITING = 1 << 18
_LOOPBACK = ("127.0.0.1", "localhost")


class Watch(Protocol):
    """What the server watches for an end."""

    def reading(self, descriptor: int) -> None: ...
    def writing(self, descriptor: int, wanted: bool) -> None: ...
    def forget(self, descriptor: int) -> None: ...


class End(Protocol):
    """What the server needs of a line. `ready` are descriptors on which something happened."""

    where: str

    def read(self, ready: Collection[int]) -> bytes: ...
    def welcome(self, ready: Collection[int]) -> None: ...
    def lost(self) -> bool: ...
    def send(self, data: bytes) -> None: ...
    def flush(self) -> None: ...
    def hang_up(self) -> None: ...
    def close(self) -> None: ...


class _Outbox:
    """What waits to be sent on a descriptor that takes as much as it likes."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._waiting = bytearray()
        self._watched = False
        """Is room to write watched for? Told only where it changes."""

    def put(self, data: bytes) -> None:
        """Keep it within bounds."""
        if len(self._waiting) + len(data) <= _MOST_WAITING:
            self._waiting += data

    def flush(self, descriptor: int, write: Callable[[bytes], int]) -> None:
        """Write what is taken now, and have the rest watched for. OSError is the caller's."""
        if not self._waiting:
            return
        with contextlib.suppress(BlockingIOError, InterruptedError):
            del self._waiting[: write(bytes(self._waiting))]
        if bool(self._waiting) is not self._watched:
            self._watched = bool(self._waiting)
            self._watch.writing(descriptor, self._watched)

    def clear(self) -> None:
        """Nobody is there to take it, and nothing is watched for."""
        self._waiting.clear()
        self._watched = False


class TcpEnd:
    """One client at a time; a further one is accepted and closed at once."""

    def __init__(self, host: str, port: int, watch: Watch) -> None:
        if host not in _LOOPBACK:
            raise UsageError(
                f"an emulator listens on 127.0.0.1 only, not on {host}",
                hint="a pump without a body is no reason to open a port to the network",
            )
        try:
            self._listener = socket.create_server(("127.0.0.1", port))
        except OverflowError as error:
            raise UsageError(f"{port} is no TCP port") from error
        except PermissionError as error:
            raise PortError(f"port {port} may not be opened by this user") from error
        except OSError as error:
            raise PortBusy(f"port {port} of 127.0.0.1 is in use") from error
        self._listener.setblocking(False)
        self._watch = watch
        self._watch.reading(self._listener.fileno())
        self._client: socket.socket | None = None
        self._out = _Outbox(watch)
        self._lost = False
        self.where = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def read(self, ready: Collection[int]) -> bytes:
        """What the client sent."""
        if self._client is None or self._client.fileno() not in ready:
            return b""
        try:
            data = self._client.recv(_READ)
        except BlockingIOError:
            return b""
        except OSError:
            self.hang_up()
            return b""
        if not data:
            self.hang_up()
        return data

    def welcome(self, ready: Collection[int]) -> None:
        """Let a new client in, or turn it away; asked once the old one's bytes are answered."""
        if self._listener.fileno() not in ready or self._has_more_to_read():
            return
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        if self._client is not None:
            client.close()
            return
        client.setblocking(False)
        with contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self._watch.reading(client.fileno())

    def lost(self) -> bool:
        """Has a client gone since this was last asked?"""
        lost, self._lost = self._lost, False
        return lost

    def send(self, data: bytes) -> None:
        """Send now what can be sent, keep the rest within bounds."""
        if self._client is not None:
            self._out.put(data)
            self.flush()

    def flush(self) -> None:
        """Send more of what waits."""
        if self._client is None:
            return
        try:
            self._out.flush(self._client.fileno(), self._client.send)
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the client's connection; another one may come."""
        if self._client is not None:
            self._watch.forget(self._client.fileno())
            self._client.close()
            self._client = None
            self._out.clear()
            self._lost = True

    def close(self) -> None:
        """Hang up and stop listening."""
        self.hang_up()
        self._watch.forget(self._listener.fileno())
        self._listener.close()

    def _has_more_to_read(self) -> bool:
        """Bytes of the client that is there. One that has gone is hung up on: no reason to refuse.

        A new client waits for them, since behind them may stand the old one's end.
        """
        if self._client is None:
            return False
        try:
            if self._client.recv(1, socket.MSG_PEEK):
                return True
        except BlockingIOError:
            return False
        except OSError:
            pass
        self.hang_up()
        return False


if sys.platform != "win32":
    import tty

    class PtyEnd:
        """A pseudo terminal in raw mode with a link to it at a path of the user's choice."""

        def __init__(self, path: Path, folder: Path, watch: Watch) -> None:
            self._path = path
            self._note = folder / "pty.json"
            self._take_place()
            self._master, self._slave = os.openpty()
            try:
                # The slave stays open here, so that the line outlives each of its users.
                tty.setraw(self._slave)
                os.set_blocking(self._master, False)
                self._target = os.ttyname(self._slave)
                note = {"path": str(path.absolute()), "target": self._target}
                self._note.write_text(json.dumps(note), "utf-8")
                path.symlink_to(self._target)
            except OSError as error:
                os.close(self._master)
                os.close(self._slave)
                raise StoreError(f"no link to a pseudo terminal at {path}: {error}") from error
            self._watch = watch
            self._watch.reading(self._master)
            self._out = _Outbox(watch)
            self._lost = False
            self.where = str(path)

        def _take_place(self) -> None:
            """Only a link that a killed server of this very emulator left may be replaced."""
            path = self._path
            if not path.is_symlink() and not path.exists():
                return
            stale = None
            with contextlib.suppress(OSError, ValueError):
                stale = json.loads(self._note.read_text("utf-8"))
            ours = path.is_symlink() and stale == {
                "path": str(path.absolute()),
                "target": str(path.readlink()),
            }
            if not ours:
                raise UsageError(f"{path} exists already", hint="choose a path that is free")
            try:
                path.unlink()
            except OSError as error:
                raise StoreError(f"{path} cannot be replaced: {error}") from error

        def read(self, ready: Collection[int]) -> bytes:
            """What came."""
            if self._master not in ready:
                return b""
            try:
                return os.read(self._master, _READ)
            except (BlockingIOError, InterruptedError):
                return b""
            except OSError as error:
                raise PortError(f"the pseudo terminal broke: {error}") from error

        def welcome(self, ready: Collection[int]) -> None:
            """Nobody can see who opens the other end."""

        def lost(self) -> bool:
            """Was it hung up since this was last asked? Nobody can see whether it is open."""
            lost, self._lost = self._lost, False
            return lost

        def send(self, data: bytes) -> None:
            """Send now what can be sent, keep the rest within bounds."""
            self._out.put(data)
            self.flush()

        def flush(self) -> None:
            """Send more of what waits."""
            try:
                self._out.flush(self._master, lambda data: os.write(self._master, data))
            except OSError as error:
                raise PortError(f"the pseudo terminal broke: {error}") from error

        def hang_up(self) -> None:
            """What waits is gone; there is no other way to tell the far end."""
            self._out.clear()
            self._watch.writing(self._master, wanted=False)
            self._lost = True

        def close(self) -> None:
            """Take the link away and close both sides."""
            with contextlib.suppress(OSError):
                if self._path.is_symlink() and str(self._path.readlink()) == self._target:
                    self._path.unlink()
                self._note.unlink(missing_ok=True)
            self._watch.forget(self._master)
            os.close(self._master)
            os.close(self._slave)

else:

    class PtyEnd:
        """There are no pseudo terminals here."""

        where = ""

        def __init__(self, _path: Path, _folder: Path, _watch: Watch) -> None:
            raise UsageError("no pseudo terminals on this system", hint="use --tcp 127.0.0.1:0")
