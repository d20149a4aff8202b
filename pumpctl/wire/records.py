"""Records: authenticated messages, cut into frames and put together again.

A record is sealed with ChaCha20-Poly1305 under its direction's key and an
explicit counter that never repeats; kind, session and counter are bound to it.
Its frames may be lost, doubled or late: fragments of a byte-identical resend
fill the gaps, and a record is taken once (replay window of 64, SEC-01).
"""

from __future__ import annotations

from typing import NamedTuple

from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_PAYLOAD, Frame, encode_frame
from pumpctl.wire.noise import TAG_SIZE, Keys

MOST_PLAIN = 16_384
MOST_FRAGMENTS = -(-(MOST_PLAIN + TAG_SIZE) // MOST_PAYLOAD)
WINDOW = 64
MOST_PARTIAL = 4
MOST_COUNTER = (1 << 63) - 1


class Arrived(NamedTuple):
    """A whole, authentic record, for the first time."""

    counter: int
    plain: bytes


class Repeated(NamedTuple):
    """The end of a record that was taken before: its sender has not seen our answer."""

    counter: int


class Channel:
    """Both directions of one session after its handshake."""

    __slots__ = ("_highest", "_keys", "_next", "_partial", "_seen", "session")

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.session = int.from_bytes(keys.handshake_hash[:4], "big")
        self._next = 1
        self._highest = 0
        self._seen = 1  # bit n: counter highest - n was taken; 0 itself is never used
        self._partial: dict[int, dict[int, Frame]] = {}

    def seal(self, plain: bytes) -> tuple[int, bytes]:
        """A record's counter and its frames, ready for the line (and for a resend)."""
        if len(plain) > MOST_PLAIN:
            raise WireError(f"{len(plain)} bytes in a record, at most {MOST_PLAIN}")
        counter = self._next
        if counter > MOST_COUNTER:
            raise WireError("the session is used up")
        self._next += 1
        sealed = self._keys.send.seal(plain, self._header(counter), counter)
        pieces = [sealed[at : at + MOST_PAYLOAD] for at in range(0, len(sealed), MOST_PAYLOAD)]
        last = len(pieces) - 1
        return counter, b"".join(
            encode_frame(
                Frame(FrameKind.RECORD, self.session, counter, index, index == last, piece)
            )
            for index, piece in enumerate(pieces)
        )

    def take(self, frame: Frame) -> Arrived | Repeated | None:
        """Take a frame of this session; None while its record is not whole.

        Raises WireError where a record is not authentic or cannot be one.
        """
        if frame.piece >= MOST_FRAGMENTS or not 0 < frame.counter <= MOST_COUNTER:
            raise WireError("a fragment outside of any record")
        if not self._fresh(frame.counter):
            return Repeated(frame.counter) if frame.last else None
        parts = self._collect(frame)
        end = next((index for index, part in parts.items() if part.last), None)
        if end is None or any(index not in parts for index in range(end + 1)):
            return None
        self._partial.pop(frame.counter, None)
        sealed = b"".join(parts[index].payload for index in range(end + 1))
        if len(sealed) > MOST_PLAIN + TAG_SIZE:
            raise WireError("longer than any record")
        plain = self._keys.receive.open(sealed, self._header(frame.counter), frame.counter)
        self._mark(frame.counter)
        return Arrived(frame.counter, plain)

    def _collect(self, frame: Frame) -> dict[int, Frame]:
        """Put a fragment to the others of its record, and return them all.

        Fragments are not authenticated one by one, so a forged one must not stay in the
        way: the newest wins over what contradicts it, and the record that was touched
        least recently makes room. A resend then always heals.
        """
        parts = self._partial.pop(frame.counter, {})
        for index, held in list(parts.items()):
            beyond_the_end = frame.last and index > frame.piece
            if beyond_the_end or (held.last and index < frame.piece):
                del parts[index]
        parts[frame.piece] = frame
        self._partial[frame.counter] = parts
        while len(self._partial) > MOST_PARTIAL:
            del self._partial[next(iter(self._partial))]
        return parts

    def _header(self, counter: int) -> bytes:
        return (
            bytes([FrameKind.RECORD]) + self.session.to_bytes(4, "big") + counter.to_bytes(8, "big")
        )

    def _fresh(self, counter: int) -> bool:
        behind = self._highest - counter
        return behind < 0 or (behind < WINDOW and not self._seen >> behind & 1)

    def _mark(self, counter: int) -> None:
        ahead = counter - self._highest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, WINDOW) | 1) & ((1 << WINDOW) - 1)
            self._highest = counter
        else:
            self._seen |= 1 << -ahead
