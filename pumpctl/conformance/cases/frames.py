"""Frames: what is none is dropped without a word, and the next good one is taken (section 2).

Each spoils one thing of a PING that would be answered otherwise, so that a receiver
which does not look at that thing is seen to answer.
"""

from __future__ import annotations

import struct

from cobs import cobs
from google_crc32c import value as crc32c

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case, expect
from pumpctl.wire import messages as m
from pumpctl.wire.frames import MOST_STUFFED, Frame, encode_frame
from pumpctl.wire.noise import TAG_SIZE

_LAST = 0x8000
"""The top bit of a length: a record's last fragment."""


def _body(frame: Frame, **changed: int) -> bytes:
    """A frame before stuffing, its check right; fields as given where they are."""
    value = {"kind": int(frame.kind), "length": len(frame.payload), **changed}
    length = value["length"] | (_LAST if frame.last else 0)
    body = struct.pack(">BHHBH", value["kind"], frame.session, frame.counter, frame.piece, length)
    body += frame.payload
    return body + int(crc32c(body)).to_bytes(4, "big")


def _stuffed(body: bytes) -> bytes:
    return bytes(cobs.encode(body)) + b"\0"


def _ping(bench: Bench) -> Frame:
    return bench.session.seal(m.Ping(bench.talk.entropy(16))).frames[0]


@case("L2-crc", "A frame whose CRC-32C is wrong by one bit is dropped.")
def crc(bench: Bench) -> None:
    for bit in (0, 13, 31):
        body = bytearray(_body(_ping(bench)))
        body[-1 - bit // 8] ^= 1 << bit % 8
        bench.silent(_stuffed(bytes(body)), "a frame with a wrong CRC")


@case("L2-cobs", "Stuffing that points beyond the delimiter is dropped.")
def stuffing(bench: Bench) -> None:
    stuffed = bytearray(_stuffed(_body(_ping(bench))))
    place = 0
    while place + stuffed[place] < len(stuffed) - 1:
        place += stuffed[place]
    stuffed[place] += 1  # the last block now claims a byte more than there is
    bench.silent(bytes(stuffed), "a frame with broken stuffing")


@case("L2-length", "A frame whose length is not what is there is dropped.")
def length(bench: Bench) -> None:
    for off in (-1, 1, 200, 0x4000):
        frame = _ping(bench)
        data = _stuffed(_body(frame, length=len(frame.payload) + off))
        bench.silent(data, "a frame with a wrong length")


@case("L2-kind", "A frame of an unknown kind is dropped.")
def kind(bench: Bench) -> None:
    for unknown in (0x00, 0x4C, 0x62, 0xFF):
        data = _stuffed(_body(_ping(bench), kind=unknown))
        bench.silent(data, "a frame of an unknown kind")


@case("P24-flips", "A frame with one or two flipped bits is dropped: a pump puts nothing right.")
def flips(bench: Bench) -> None:
    for bits in ((70,), (7, 200), (100, 101), (3, 340)):
        body = bytearray(_body(_ping(bench)))
        for bit in bits:
            body[bit // 8] ^= 1 << bit % 8
        bench.silent(_stuffed(bytes(body)), f"a frame with {len(bits)} flipped bits")


@case("L2-oversize", "A frame of more than 640 bytes of payload is dropped.")
def oversize(bench: Bench) -> None:
    frame = _ping(bench)
    for size in (641, 700):
        longer = bench.session.seal(bytes(size - TAG_SIZE)).frames
        joined = b"".join(piece.payload for piece in longer)
        data = _stuffed(_body(frame._replace(counter=longer[0].counter, payload=joined)))
        bench.silent(data, f"a frame of {size} bytes of payload")


@case("L2-short", "Fewer bytes than any frame has are dropped.")
def short(bench: Bench) -> None:
    for size in (0, 1, 7, 11):
        body = bytes(range(1, 1 + max(0, size - 4)))
        data = _stuffed(body + int(crc32c(body)).to_bytes(4, "big"))
        bench.silent(data, "less than a frame")


@case("L2-delimiters", "Any number of delimiters may stand between two frames.")
def delimiters(bench: Bench) -> None:
    frame = encode_frame(_ping(bench))
    answers = bench.after(b"\0" * 40 + frame + b"\0" * 7)
    expect(bool(answers), "a PING behind delimiters was not answered")


@case("L2-pieces", "A frame that comes byte by byte is taken when it is whole.")
def pieces(bench: Bench) -> None:
    data = encode_frame(_ping(bench))
    for byte in data[:-1]:
        bench.talk.send(bytes([byte]))
    expect(bool(bench.after(data[-1:])), "a PING in single bytes was not answered")


@case("L2-several", "Several frames that come at once are all taken.")
def several(bench: Bench) -> None:
    pings = [bench.session.seal(m.Ping(bytes(16))) for _ in range(3)]
    heard = bench.after(b"".join(ping.data for ping in pings))
    answers = bench.session.take(heard)
    expect(len(heard) == 3, f"{len(heard)} of 3 PINGs were answered")
    expect(len(answers) <= 3, "more answers than requests")


@case("L2-resync", "After garbage of any length the frame behind the next delimiter is taken.")
def resync(bench: Bench) -> None:
    for size in (1, 12, MOST_STUFFED, MOST_STUFFED + 1, 5000):
        noise = bench.talk.entropy(size).replace(b"\0", b"\x55")
        ping = encode_frame(_ping(bench))
        heard = bench.after(noise + b"\0" + ping)
        expect(len(heard) == 1, f"after {size} bytes of garbage a PING was not answered")


@case("L2-overrun", "More than 655 bytes without a delimiter are dropped up to the next one.")
def overrun(bench: Bench) -> None:
    data = encode_frame(_ping(bench))
    noise = b"\x55" * (MOST_STUFFED + 1)
    bench.silent(noise + data, "a frame at the end of an overlong run")
    expect(bool(bench.after(data)), "the same frame behind a delimiter was not answered")
