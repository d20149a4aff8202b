"""Lines over TCP: the bare socket of `socket://`, and a terminal server of `rfc2217://`.

What came before the far end hung up is read to its end before the line is lost.
What the bytes mean is not known here.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from contextlib import suppress
from time import sleep

from pumpctl.errors import PortBusy, PortError, PortMissing
from pumpctl.told_log import INFO, told
from pumpctl.transport.address import Address
from pumpctl.transport.line import READ_SIZE, LineLost, OpenLine
from pumpctl.transport.telnet import Telnet

_CONNECT_S = 5.0
_WRITE_S = 5.0
"""For the far end to take what is sent, and to take back a wish to send nothing."""


class SocketLine(OpenLine):
    """A TCP connection whose bytes are the line's."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(_WRITE_S)

    def write(self, data: bytes) -> None:
        """Hand all bytes to the connection; LineLost where it is gone or takes nothing."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise LineLost(f"the line broke while writing: {error}") from error

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        """What has come; see `Line`."""
        try:
            if not self._waits(seconds):
                return b""
            if gather:
                sleep(gather)
            data = self._socket.recv(READ_SIZE)
        except (OSError, ValueError) as error:  # ValueError: closed under it
            raise LineLost(f"the line broke while reading: {error}") from error
        if not data:
            raise LineLost("the line broke while reading: the far end hung up")
        return data

    def close(self) -> None:
        """Hang up; never fails."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._socket.close()

    def _waits(self, seconds: float) -> bool:
        return bool(select.select((self._socket,), (), (), max(0.0, seconds))[0])


class TelnetLine(SocketLine):
    """A serial port behind a terminal server of RFC 2217."""

    def __init__(
        self, connection: socket.socket, telnet: Telnet, monotonic: Callable[[], float]
    ) -> None:
        super().__init__(connection)
        self._telnet = telnet
        self._monotonic = monotonic
        self._early = bytearray()
        """Came while we waited to be allowed to write."""

    def write(self, data: bytes) -> None:
        """Hand all bytes to the server, once it takes any."""
        if self._telnet.suspended:
            self._await_resume()
        super().write(self._telnet.escaped(data))

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        """What has come from the line behind the server; see `Line`."""
        if self._early:
            data = bytes(self._early)
            self._early.clear()
            return data
        until = self._monotonic() + seconds
        while True:
            data = self._heard(max(0.0, until - self._monotonic()), gather)
            if data or self._monotonic() >= until:
                return data

    def agree(self, seconds: float) -> str | None:
        """Negotiate; what the server lacks, or None. What it said in words comes as PortBusy."""
        said = bytearray()
        until = self._monotonic() + seconds
        try:
            super().write(self._telnet.hello())
        except LineLost:
            return "it hung up"
        while not self._telnet.ready and self._telnet.refused is None:
            left = until - self._monotonic()
            if left <= 0:
                return self._telnet.missing
            try:
                said += self._heard(left, 0.0)
            except LineLost as error:
                if b"in use" in said:  # ser2net says so and hangs up
                    raise PortBusy(_words(said)) from error
                return _words(said) or "it hung up"
        return self._telnet.refused

    def _heard(self, seconds: float, gather: float) -> bytes:
        came = super().read(seconds, gather=gather)
        data, answer = self._telnet.hear(came)
        if answer:
            super().write(answer)
        return data

    def _await_resume(self) -> None:
        until = self._monotonic() + _WRITE_S
        while self._telnet.suspended:
            if self._monotonic() >= until:
                raise LineLost("the line broke while writing: the server takes no bytes")
            self._early += self._heard(0.05, 0.0)


def _words(said: bytearray) -> str:
    """What a server said in letters before it hung up."""
    return " ".join(said.decode("ascii", "ignore").split())[:80]


def connect(place: Address, monotonic: Callable[[], float]) -> SocketLine:
    """Open a TCP line; OSError where nobody listens, PortError where no serial port is there."""
    connection = socket.create_connection((place.host, place.tcp_port), timeout=_CONNECT_S)
    with suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if place.scheme == "socket":
        return SocketLine(connection)
    telnet = Telnet(place.baud, ignore_control=place.ignore_control)
    line = TelnetLine(connection, telnet, monotonic)
    try:
        fault = line.agree(place.timeout)
    except PortError as error:
        line.close()
        raise PortBusy(f"port {place.name} is in use: {error.message}") from error
    except BaseException:
        line.close()
        raise
    if fault is not None:
        line.close()
        raise PortMissing(
            f"no serial port answers at {place.name}: {fault}",
            hint="a bare TCP line is socket://HOST:PORT; docs/ports.md has a set-up of ser2net",
        )
    told(INFO, "%s: agreed, %d baud", place.name, place.baud)
    return line
