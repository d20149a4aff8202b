"""Frames: what travels between two zero bytes.

A frame is COBS-stuffed and ends with 0x00. Inside: a header of 8 bytes, up to
640 bytes of payload, and CRC-32C of both. The length stands inside the checked
data (TEL-01). `Deframer` takes any bytes, resynchronises at the next zero, and
never holds more than one frame's worth.

    kind 1 | session 2 | counter 2 | piece 1 | last 1 bit, length 15 bits | payload | crc 4
"""

from __future__ import annotations

import struct

from cobs import cobs
from google_crc32c import value as crc32c

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.mending import mended

DELIMITER = b"\x00"
MOST_PAYLOAD = 640
_HEADER = struct.Struct(">BHHBH")
_LAST = 0x8000
STUFFING = 4
"""COBS and delimiter add at most so many bytes to a body, and mostly three to a full one."""
HEADER_SIZE = _HEADER.size
MOST_BODY = HEADER_SIZE + MOST_PAYLOAD + 4
MOST_STUFFED = MOST_BODY + MOST_BODY // 254 + 1
_KINDS = {int(kind): kind for kind in FrameKind}  # asked for each frame: an enum is slow to call


class Frame(NamedTuple):
    """One fragment of something: `piece` counts from 0, `last` marks the end."""

    kind: FrameKind
    session: int
    counter: int
    """The record's, modulo 65,536; `records` knows the rest of it."""
    piece: int
    last: bool
    payload: bytes


class Junk(NamedTuple):
    """Bytes between two delimiters that are no frame, and why."""

    why: str
    size: int


def encode_frame(frame: Frame) -> bytes:
    """A frame as bytes for the line, its delimiter included."""
    if len(frame.payload) > MOST_PAYLOAD:
        raise WireError(f"{len(frame.payload)} bytes of payload, at most {MOST_PAYLOAD}")
    body = (
        _HEADER.pack(
            frame.kind,
            frame.session,
            frame.counter,
            frame.piece,
            len(frame.payload) | (_LAST if frame.last else 0),
        )
        + frame.payload
    )
    stuffed: bytes = cobs.encode(body + crc32c(body).to_bytes(4, "big"))
    return stuffed + DELIMITER


def decode_frame(stuffed: bytes, *, mend: bool = False) -> Frame:
    """What stood between two delimiters; WireError for anything but a whole frame.

    With `mend`, a record's fragment with one or two flipped bits is put right. Only who
    opens the record afterwards may ask for that: its tag decides whether it was right.
    """
    if len(stuffed) > MOST_STUFFED:
        raise WireError("longer than any frame")
    try:
        body = cobs.decode(stuffed)
    except cobs.DecodeError as error:
        raise WireError(f"not stuffed: {error}") from error
    if len(body) < HEADER_SIZE + 4:
        raise WireError("shorter than any frame")
    if crc32c(body[:-4]) != int.from_bytes(body[-4:], "big"):
        whole = mended(body) if mend else None
        if whole is None or whole[0] != FrameKind.RECORD:
            raise WireError("the check fails")
        body = whole
    kind, session, counter, piece, length = _HEADER.unpack_from(body)
    last, length = length & _LAST != 0, length & ~_LAST
    if length != len(body) - HEADER_SIZE - 4 or length > MOST_PAYLOAD:
        raise WireError("the length does not fit")
    known = _KINDS.get(kind)
    if known is None:
        raise WireError(f"0x{kind:02X} is no kind of frame")
    return Frame(known, session, counter, piece, last, body[HEADER_SIZE:-4])


class Deframer:
    """Cuts a stream of bytes into frames, and says what was none."""

    __slots__ = ("_buffer", "_mend", "_skipping", "mended")

    def __init__(self, *, mend: bool = False) -> None:
        self._buffer = bytearray()
        self._skipping = 0
        self._mend = mend
        self.mended = 0
        """Frames whose check failed and that were put right."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        """Take what arrived; return what is complete, in order."""
        found: list[Frame | Junk] = []
        start = 0
        while (end := data.find(0, start)) >= 0:
            stuffed = data[start:end]
            start = end + 1
            if self._buffer:  # mostly a frame comes whole, and nothing is put together
                stuffed = bytes(self._buffer) + stuffed
                self._buffer.clear()
            if self._skipping or len(stuffed) > MOST_STUFFED:
                found.append(Junk("longer than any frame", self._skipping + len(stuffed)))
                self._skipping = 0
            elif stuffed:
                found.append(self._decode(stuffed))
        if start < len(data):
            self._keep(data[start:])
        return found

    def _keep(self, piece: bytes) -> None:
        if self._skipping:
            self._skipping += len(piece)
            return
        self._buffer += piece
        if len(self._buffer) > MOST_STUFFED:
            self._skipping = len(self._buffer)
            self._buffer.clear()

    def _decode(self, stuffed: bytes) -> Frame | Junk:
        try:
            return decode_frame(stuffed)
        except WireError as error:
            found = Junk(str(error), len(stuffed))
        if not self._mend:
            return found
        try:
            frame = decode_frame(stuffed, mend=True)
        except WireError:
            return found
        self.mended += 1
        return frame
