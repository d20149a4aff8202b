"""How another process of this home reaches a pump that is being served.

One JSON line asks, one answers. The socket lies in the emulator's own folder; where
unix sockets are missing or its path is too long for one, it is a loopback TCP
port, and a file that only the owner can read holds port and token. What the
commands do is not known here.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pumpctl.errors import PortBusy, PumpctlError, StoreError, UsageError

_SOCKET = "control.sock"
_TICKET = "control.json"
_MOST_PATH = 100
"""Bytes; a unix socket's path has 104 to 108 of them, its end included."""
_MOST_LINE = 1 << 20
_SERVER_WAIT_S = 2
_CLIENT_WAIT_S = 300
"""An advance of years takes a while."""

Answer = Callable[[dict[str, Any]], Any]


def _unix_path(folder: Path) -> str | None:
    path = str(folder / _SOCKET)
    fits = len(os.fsencode(path)) <= _MOST_PATH
    return path if fits and hasattr(socket, "AF_UNIX") else None


def _read_line(connection: socket.socket) -> dict[str, Any]:
    data = bytearray()
    while not data.endswith(b"\n") and len(data) < _MOST_LINE:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    value = json.loads(data)
    return value if isinstance(value, dict) else {}


class ControlSocket:
    """The serving end. Made by the holder of the lock, so that what is there is stale."""

    def __init__(self, folder: Path, entropy: Callable[[int], bytes]) -> None:
        self._path = _unix_path(folder)
        self._ticket = folder / _TICKET
        self._token = entropy(16).hex()
        try:
            (folder / _SOCKET).unlink(missing_ok=True)
            self._ticket.unlink(missing_ok=True)
            self.socket = self._listen()
        except OSError as error:
            raise StoreError(f"no control socket can be made in {folder}: {error}") from error

    def _listen(self) -> socket.socket:
        if self._path is not None:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(self._path)
            Path(self._path).chmod(0o600)
        else:
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            descriptor = os.open(self._ticket, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump({"port": port, "token": self._token}, file)
        listener.listen(8)
        listener.setblocking(False)
        return listener

    def serve_one(self, answer: Answer) -> None:
        """Take one waiting question and answer it; a broken asker is none of our business."""
        try:
            connection, _ = self.socket.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(_SERVER_WAIT_S)
            asked = _read_line(connection)
            if self._path is None and not hmac.compare_digest(
                str(asked.get("token", "")).encode(), self._token.encode()
            ):
                return
            try:
                reply = {"ok": True, "value": answer(asked)}
            except PumpctlError as error:
                reply = {"ok": False, "message": error.message}
            connection.sendall(json.dumps(reply).encode() + b"\n")

    def close(self) -> None:
        """Nobody is reached any more."""
        self.socket.close()
        if self._path is not None:
            Path(self._path).unlink(missing_ok=True)
        self._ticket.unlink(missing_ok=True)


def ask(folder: Path, name: str, question: dict[str, Any]) -> Any:
    """Ask the process that holds this emulator; PortBusy where it cannot be asked."""
    try:
        with _connect(folder, question) as connection:
            connection.settimeout(_CLIENT_WAIT_S)
            connection.sendall(json.dumps(question).encode() + b"\n")
            reply = _read_line(connection)
    except (OSError, ValueError) as error:
        raise PortBusy(f"emulator {name} is held by a process that cannot be asked") from error
    if not reply.get("ok"):
        raise UsageError(str(reply.get("message", "the emulator refused")))
    return reply.get("value")


def _connect(folder: Path, question: dict[str, Any]) -> socket.socket:
    path = _unix_path(folder)
    if path is None:
        ticket = json.loads((folder / _TICKET).read_text("ascii"))
        question["token"] = ticket["token"]
        return socket.create_connection(("127.0.0.1", ticket["port"]), timeout=_SERVER_WAIT_S)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection
