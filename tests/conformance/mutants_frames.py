"""Mutants of frames: a receiver that leaves one check out, or loses its place."""

from __future__ import annotations

import struct
from typing import Any

from cobs import cobs
from google_crc32c import value as crc32c

from pumpctl.wire import responder as responder_module
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_STUFFED, Deframer, Frame, Junk
from pumpctl.wire.responder import Responder, Send
from pumpctl.wire.session import plain_frame
from tests.conformance.line_tools import receives
from tests.conformance.mutate import Patch, breaks


def _lenient_cobs(data: bytes) -> bytes:
    """Takes a last block that claims more than there is."""
    out, place = bytearray(), 0
    while place < len(data):
        code = data[place]
        out += data[place + 1 : place + code]
        place += code
        if code < 255 and place < len(data):
            out.append(0)
    return bytes(out)


def _decode(stuffed: bytes, without: str) -> Frame:
    """A receiver that leaves one check out."""
    if without != "size" and len(stuffed) > MOST_STUFFED:
        raise WireError("longer than any frame")
    body = _lenient_cobs(stuffed) if without == "cobs" else bytes(cobs.decode(stuffed))
    if len(body) < 12 or (
        without != "crc" and crc32c(body[:-4]) != int.from_bytes(body[-4:], "big")
    ):
        raise WireError("no frame")
    kind, session, counter, piece, length = struct.unpack_from(">BHHBH", body)
    last, length = length & 0x8000 != 0, length & 0x7FFF
    if without not in ("length", "size") and (length != len(body) - 12 or length > 640):
        raise WireError("the length does not fit")
    if without == "kind" and kind not in set(FrameKind):
        kind = FrameKind.RECORD
    return Frame(FrameKind(kind), session, counter, piece, last, body[8:-4])


class _Loose(Deframer):
    """Whole runs between delimiters, decoded by a lenient decoder."""

    without = ""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        self._buffer += data
        found: list[Frame | Junk] = []
        while (end := self._buffer.find(0)) >= 0:
            run = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if not run:
                continue
            try:
                found.append(_decode(run, self.without))
            except (WireError, ValueError, cobs.DecodeError) as error:
                found.append(Junk(str(error), len(run)))
        return found


def _deframes(name: str, cls: type[Deframer]) -> None:
    breaks(name)(lambda patch: patch.setattr(responder_module, "Deframer", cls))


for _check, _name in (
    ("crc", "L2-crc"),
    ("cobs", "L2-cobs"),
    ("length", "L2-length"),
    ("kind", "L2-kind"),
    ("size", "L2-oversize"),
):
    _deframes(_name, type("_Loose", (_Loose,), {"without": _check}))


class _Mends(Deframer):
    """Puts flipped bits right, as only a station may."""

    def __init__(self) -> None:
        super().__init__(mend=True)


class _AfterNothing(Deframer):
    """Drops the frame behind two delimiters."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        doubled = b"\0\0" in data
        found = super().feed(data)
        return found[1:] if doubled else found


class _OneRead(Deframer):
    """Wants a frame in one read."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        found = super().feed(data)
        self._buffer.clear()
        return found


class _First(Deframer):
    """Sees one frame of a read."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        return super().feed(data)[:1]


class _Shy(Deframer):
    """Loses the frame behind garbage."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        found, kept, last = super().feed(data), [], False
        for item in found:
            if not last:
                kept.append(item)
            last = isinstance(item, Junk)
        return kept


class _Circular(Deframer):
    """Begins again in the middle of an overlong run."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        size = MOST_STUFFED + 1  # as it may come from a line
        pieces = (data[at : at + size] for at in range(0, len(data), size))
        return [item for piece in pieces for item in super(_Circular, self).feed(piece)]

    def _keep(self, piece: bytes) -> None:
        self._buffer += piece
        if len(self._buffer) > MOST_STUFFED:
            del self._buffer[: MOST_STUFFED + 1]


_deframes("P24-flips", _Mends)
_deframes("L2-delimiters", _AfterNothing)
_deframes("L2-pieces", _OneRead)
_deframes("L2-several", _First)
_deframes("L2-resync", _Shy)
_deframes("L2-overrun", _Circular)


@breaks("L2-short")
def _answers_noise(patch: Patch) -> None:
    def change(_self: Responder, _data: bytes, events: list[Any]) -> list[Any]:
        noise = any(isinstance(event, Junk) for event in events)
        return [*events, Send(plain_frame(FrameKind.GREETING, b""))] if noise else events

    receives(patch, change)
