"""The station's end, open to its bytes: sealing under any counter, answers with their frames.

`wire.initiator` hides what a conformance test must spoil, so this one is built
from the same parts and hides nothing. It knows no line and no time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pumpctl.conformance.faults import Broken
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_PAYLOAD, Frame, encode_frame
from pumpctl.wire.message import decode, encode
from pumpctl.wire.noise import Keys

_TURN = 1 << 16
"""A frame names its record's counter modulo this."""


class Own(NamedTuple):
    """This operator's keys, and the pump's: what a session is opened with."""

    private: bytes
    key: bytes
    """The short name of our public key."""
    pump: bytes
    psk: bytes


class Sealed(NamedTuple):
    """A request, ready for the line and for whoever wants to spoil it."""

    counter: int
    frames: tuple[Frame, ...]

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return on_line(self.frames)


class Answer(NamedTuple):
    """An authentic answer: to which request, under which counter, and its frames."""

    to: int
    counter: int
    message: Any
    frames: tuple[Frame, ...]


def on_line(frames: Iterable[Frame]) -> bytes:
    """Frames as bytes."""
    return b"".join(encode_frame(frame) for frame in frames)


def header(session: int, counter: int) -> bytes:
    """What a record's seal binds besides its text (section 6)."""
    return bytes([FrameKind.RECORD]) + session.to_bytes(2, "big") + counter.to_bytes(8, "big")


class Session:
    """One session after its handshake."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.number = int.from_bytes(keys.handshake_hash[:2], "big")
        self.next = 1
        """The counter of the next request; a test may jump ahead."""
        self._parts: dict[int, dict[int, Frame]] = {}
        self._highest = 0
        """The largest counter of the pump's that was authentic."""

    def seal(self, message: object, *, counter: int | None = None) -> Sealed:
        """A message, or bytes that need be none, under the next counter or a given one."""
        if counter is None:
            counter = self.next
            self.next += 1
        plain = message if isinstance(message, bytes) else encode(message)
        sealed = self._keys.send.seal(plain, header(self.number, counter), counter)
        low = counter % _TURN
        pieces = [sealed[at : at + MOST_PAYLOAD] for at in range(0, len(sealed), MOST_PAYLOAD)]
        return Sealed(
            counter,
            tuple(
                Frame(FrameKind.RECORD, self.number, low, place, place == len(pieces) - 1, piece)
                for place, piece in enumerate(pieces)
            ),
        )

    def take(self, frames: Iterable[Frame]) -> list[Answer]:
        """The answers that these frames complete. Broken where one cannot be read."""
        found = []
        for frame in frames:
            if frame.kind is not FrameKind.RECORD or frame.session != self.number:
                continue
            away = (frame.counter - self._highest + _TURN // 2) % _TURN - _TURN // 2
            counter = self._highest + away
            parts = self._parts.setdefault(counter, {})
            parts[frame.piece] = frame
            end = next((place for place, part in parts.items() if part.last), None)
            if end is None or any(place not in parts for place in range(end + 1)):
                continue
            del self._parts[counter]
            whole = tuple(parts[place] for place in range(end + 1))
            found.append(self._open(counter, whole))
            self._highest = max(self._highest, counter)
        return found

    def _open(self, counter: int, frames: tuple[Frame, ...]) -> Answer:
        sealed = b"".join(frame.payload for frame in frames)
        try:
            plain = self._keys.receive.open(sealed, header(self.number, counter), counter)
            message = decode(plain[8:], from_station=False)
        except WireError as error:
            raise Broken(f"an answer that cannot be read: {error}") from error
        return Answer(int.from_bytes(plain[:8], "big"), counter, message, frames)
