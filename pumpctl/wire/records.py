"""Records: authenticated messages, cut into frames and put together again.

A record is sealed with ChaCha20-Poly1305 under its direction's key and an
explicit counter that never repeats; kind, session and counter are bound to it.
Its frames may be lost, doubled or late: fragments of a byte-identical resend
fill the gaps, and a record is taken once (replay window of 64, SEC-01). A frame
names its counter modulo 65,536; the record's is the one nearest to the last.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_PAYLOAD, Frame, encode_frame
from pumpctl.wire.noise import TAG_SIZE, Keys

MOST_PLAIN = 16_384
MOST_SEALED = MOST_PLAIN + TAG_SIZE
MOST_FRAGMENTS = 256
LEAST_FRAGMENT = 32
"""Bytes; a smaller one would be less than half payload on the line."""
WINDOW = 64
MOST_PARTIAL = 4
MOST_OUTSTANDING = 8
"""Requests for the log that a station may have open; so many answers a pump keeps."""
MOST_KEPT_BYTES = 65_536
"""Of the sealed answers that a pump must keep, and a station may have open."""
MOST_COUNTER = (1 << 63) - 1
_RECORD = bytes([FrameKind.RECORD])


class Arrived(NamedTuple):
    """A whole, authentic record, for the first time."""

    counter: int
    plain: bytes


class Repeated(NamedTuple):
    """The end of a record that was taken before: its sender has not seen our answer."""

    counter: int


class Channel:
    """Both directions of one session after its handshake."""

    __slots__ = ("_keys", "_next", "_partial", "_seen", "_unfinished", "highest", "session")

    def __init__(self, keys: Keys, unfinished: int = MOST_PARTIAL) -> None:
        """`unfinished` records at most are kept while they wait for fragments."""
        self._keys = keys
        self._unfinished = unfinished
        self.session = int.from_bytes(keys.handshake_hash[:2], "big")
        self._next = 1
        self.highest = 0
        """The largest counter that was authentic."""
        self._seen = 1  # bit n: counter highest - n was taken; 0 itself is never used
        self._partial: dict[int, dict[int, Frame]] = {}

    def seal(self, plain: bytes, fragment: int = MOST_PAYLOAD) -> tuple[int, tuple[bytes, ...]]:
        """A record's counter and its frames, ready for the line (and for a resend).

        `fragment` is the payload of each frame but the last, in bytes; it is made as large
        as it must be for the record to fit into the frames that it may have.
        """
        if len(plain) > MOST_PLAIN:
            raise WireError(f"{len(plain)} bytes in a record, at most {MOST_PLAIN}")
        counter = self._next
        if counter > MOST_COUNTER:
            raise WireError("the session is used up")
        self._next += 1
        sealed = self._keys.send.seal(plain, self._header(counter), counter)
        size = min(max(fragment, LEAST_FRAGMENT, -(-len(sealed) // MOST_FRAGMENTS)), MOST_PAYLOAD)
        pieces = [sealed[at : at + size] for at in range(0, len(sealed), size)]
        last, low = len(pieces) - 1, counter & 0xFFFF
        return counter, tuple(
            encode_frame(Frame(FrameKind.RECORD, self.session, low, index, index == last, piece))
            for index, piece in enumerate(pieces)
        )

    def full_counter(self, low: int) -> int:
        """The counter that ends in these 16 bits and is nearest to the highest taken."""
        return self.highest + (low - self.highest + 0x8000) % 0x10000 - 0x8000

    def waits_for(self, counter: int) -> bool:
        """Are there fragments of a record that is not whole yet?"""
        return counter in self._partial

    def pieces_of(self, counter: int) -> tuple[int, int | None]:
        """Of an unfinished record: a bit for each fragment held, and its last one if known."""
        parts = self._partial.get(counter, {})
        held = 0
        for index in parts:
            held |= 1 << index
        return held, next((index for index, part in parts.items() if part.last), None)

    def take(self, frame: Frame) -> Arrived | Repeated | None:
        """Take a frame of this session; None while its record is not whole.

        Raises WireError where a record is not authentic or cannot be one.
        """
        counter = self.full_counter(frame.counter)
        if not 0 < counter <= MOST_COUNTER:
            raise WireError("a fragment outside of any record")
        if not self._fresh(counter):
            return Repeated(counter) if frame.last else None
        if frame.last and not frame.piece and counter not in self._partial:
            return self._opened(counter, frame.payload)  # whole as it came, as most are
        parts = self._collect(counter, frame)
        if sum(len(part.payload) for part in parts.values()) > MOST_SEALED:
            del self._partial[counter]
            raise WireError("longer than any record")
        end = next((index for index, part in parts.items() if part.last), None)
        if end is None or len(parts) <= end:
            while len(self._partial) > self._unfinished:
                del self._partial[next(iter(self._partial))]
            return None
        del self._partial[counter]
        return self._opened(counter, b"".join(parts[index].payload for index in range(end + 1)))

    def _opened(self, counter: int, sealed: bytes) -> Arrived:
        plain = self._keys.receive.open(sealed, self._header(counter), counter)
        self._mark(counter)
        return Arrived(counter, plain)

    def _collect(self, counter: int, frame: Frame) -> dict[int, Frame]:
        """Put a fragment to the others of its record, and return them all.

        Fragments are not authenticated one by one, so a forged one must not stay in the
        way: the newest wins over what contradicts it, and (in `take`) the record that was touched
        least recently makes room. One resend then heals, or two
        where a forged one made the record fail to open.
        """
        parts = self._partial.pop(counter, {})
        end = next((index for index, part in parts.items() if part.last), None)
        if frame.last:
            parts = {index: part for index, part in parts.items() if index <= frame.piece}
        if end is not None and end < frame.piece:
            del parts[end]
        parts[frame.piece] = frame
        self._partial[counter] = parts
        return parts

    def _header(self, counter: int) -> bytes:
        return _RECORD + self.session.to_bytes(2, "big") + counter.to_bytes(8, "big")

    def _fresh(self, counter: int) -> bool:
        behind = self.highest - counter
        return behind < 0 or (behind < WINDOW and not self._seen >> behind & 1)

    def _mark(self, counter: int) -> None:
        ahead = counter - self.highest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, WINDOW) | 1) & ((1 << WINDOW) - 1)
            self.highest = counter
        else:
            self._seen |= 1 << -ahead
