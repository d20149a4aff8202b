"""The pump's end of a serial line: a pseudo terminal, or a TCP port of this computer.

Both look alike to the server: what to watch, what came, what to send. Bytes that
nobody takes are dropped beyond a bound, as on a wire. What they mean is not
known here.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import Protocol

from pumpctl.errors import PortBusy, PortError, StoreError, UsageError

_READ = 65536
_MOST_WAITING = 1 << 18
_LOOPBACK = ("127.0.0.1", "localhost")


class End(Protocol):
    """What the server needs of a line."""

    where: str

    def readers(self) -> list[int]: ...
    def writers(self) -> list[int]: ...
    def read(self, ready: list[int]) -> bytes: ...
    def lost(self) -> bool: ...
    def send(self, data: bytes) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class TcpEnd:
    """One client at a time; a further one is accepted and closed at once."""

    def __init__(self, host: str, port: int) -> None:
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
        self._client: socket.socket | None = None
        self._waiting = bytearray()
        self._lost = False
        self.where = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def readers(self) -> list[int]:
        """The listener, and the client where there is one."""
        own = [self._listener.fileno()]
        return own if self._client is None else [*own, self._client.fileno()]

    def writers(self) -> list[int]:
        """The client, while something waits for it."""
        return [] if self._client is None or not self._waiting else [self._client.fileno()]

    def read(self, ready: list[int]) -> bytes:
        """What the client sent; also lets a new one in, or turns it away."""
        data = b""
        if self._client is not None and self._client.fileno() in ready:
            try:
                data = self._client.recv(_READ)
            except BlockingIOError:
                data = b""
            except OSError:
                self._hang_up()
            else:
                if not data:
                    self._hang_up()
        if self._listener.fileno() in ready:
            self._accept()
        return data

    def lost(self) -> bool:
        """Has a client gone since this was last asked?"""
        lost, self._lost = self._lost, False
        return lost

    def send(self, data: bytes) -> None:
        """Send now what can be sent, keep the rest within bounds."""
        if self._client is not None and len(self._waiting) + len(data) <= _MOST_WAITING:
            self._waiting += data
            self.flush()

    def flush(self) -> None:
        """Send more of what waits."""
        if self._client is None or not self._waiting:
            return
        try:
            del self._waiting[: self._client.send(self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._hang_up()

    def close(self) -> None:
        """Hang up and stop listening."""
        self._hang_up()
        self._listener.close()

    def _accept(self) -> None:
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

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            self._waiting.clear()
            self._lost = True


if sys.platform != "win32":
    import tty

    class PtyEnd:
        """A pseudo terminal in raw mode with a link to it at a path of the user's choice."""

        def __init__(self, path: Path, folder: Path) -> None:
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
            self._waiting = bytearray()
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

        def readers(self) -> list[int]:
            """The master."""
            return [self._master]

        def writers(self) -> list[int]:
            """The master, while something waits."""
            return [self._master] if self._waiting else []

        def read(self, ready: list[int]) -> bytes:
            """What came."""
            if self._master not in ready:
                return b""
            try:
                return os.read(self._master, _READ)
            except (BlockingIOError, InterruptedError):
                return b""
            except OSError as error:
                raise PortError(f"the pseudo terminal broke: {error}") from error

        def lost(self) -> bool:
            """Nobody can see whether the other end is open."""
            return False

        def send(self, data: bytes) -> None:
            """Send now what can be sent, keep the rest within bounds."""
            if len(self._waiting) + len(data) <= _MOST_WAITING:
                self._waiting += data
                self.flush()

        def flush(self) -> None:
            """Send more of what waits."""
            if self._waiting:
                with contextlib.suppress(BlockingIOError, InterruptedError):
                    del self._waiting[: os.write(self._master, self._waiting)]

        def close(self) -> None:
            """Take the link away and close both sides."""
            with contextlib.suppress(OSError):
                if self._path.is_symlink() and str(self._path.readlink()) == self._target:
                    self._path.unlink()
                self._note.unlink(missing_ok=True)
            os.close(self._master)
            os.close(self._slave)

else:

    class PtyEnd:
        """There are no pseudo terminals here."""

        where = ""

        def __init__(self, _path: Path, _folder: Path) -> None:
            raise UsageError("no pseudo terminals on this system", hint="use --tcp 127.0.0.1:0")
