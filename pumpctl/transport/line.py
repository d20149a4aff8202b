"""What a line is to everybody above: write bytes, read what has come, close.

`open_line` chooses who carries them: a device (pyserial opens it), a TCP socket, a
terminal server, or the built-in pump. Why a port cannot be opened is told apart
here: missing, not permitted, busy.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from pumpctl.errors import NoAnswer, PortError
from pumpctl.transport.address import Address, address
from pumpctl.transport.surroundings import Surroundings

READ_SIZE = 65_536
"""At most so much in one reading: more than any driver keeps."""


class Line(Protocol):
    """A duplex stream of bytes.

    `read` waits up to `seconds` for the first byte and returns what has come, or b"".
    With `gather` it then lets so many seconds more pass before it takes what has come:
    a long transfer wakes the processor once for many bytes, and not for each. Nobody
    who waits for a short answer asks for that.
    """

    def write(self, data: bytes) -> None: ...
    def read(self, seconds: float, *, gather: float = 0.0) -> bytes: ...
    def close(self) -> None: ...


class LineLost(NoAnswer):
    """The line went away while it was in use."""

    code = "LINE_LOST"
    default_hint = "the cable, the head or the emulator is gone; check it and try again"


class OpenLine(ABC):
    """A line that is closed where its block ends."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Put all bytes on the line; LineLost where it is gone."""

    @abstractmethod
    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        """What has come; see `Line`. LineLost where the line is gone."""

    @abstractmethod
    def close(self) -> None:
        """Give the port back; never fails."""

    def __enter__(self) -> OpenLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_line(url: str, around: Surroundings, monotonic: Callable[[], float]) -> OpenLine:
    """Open a port by its URL.

    Raises PortMissing, PortDenied or PortBusy, each its own message, and
    UsageError for what is no URL of a port.
    """
    place = address(url)
    if place.scheme == "emu":
        from pumpctl.transport.emulated import open_emulated

        return open_emulated(place, around, monotonic)
    try:
        if place.scheme == "device":
            from pumpctl.transport.device import open_device

            return open_device(place, monotonic)
        from pumpctl.transport.network import connect

        return connect(place, monotonic)
    except OSError as error:
        raise _told_apart(place, error) from error


def _told_apart(place: Address, error: OSError) -> PortError:
    from pumpctl.transport import refused

    text, number = str(error), error.errno
    if place.scheme != "device":
        return refused.unreachable(place, error.strerror or text)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in text:
        return refused.missing(place)
    if number in (errno.EACCES, errno.EPERM):
        return refused.denied(place)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text or "Access is" in text:
        return refused.busy(place)
    return refused.unusable(place, text)
