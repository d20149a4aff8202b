"""A broken frame is explained by the bits that were really flipped, and noise by none."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.flips import flip_in_stuffing, flip_that_split, flips_in_body
from pumpctl.wire.frames import MOST_STUFFED, Frame, decode_frame, encode_frame

FRAME = Frame(FrameKind.RECORD, 0x1A2B, 7, 0, True, bytes(range(40)) + bytes(20))
STUFFED = encode_frame(FRAME)[:-1]


def flipped(data: bytes, *bits: int) -> bytes:
    number = int.from_bytes(data, "big")
    for bit in bits:
        number ^= 1 << bit
    return number.to_bytes(len(data), "big")


def is_frame(data: bytes) -> bool:
    try:
        decode_frame(data)
    except WireError:
        return False
    return True


def test_every_single_flip_of_a_frame_is_explained() -> None:
    for bit in range(8 * len(STUFFED)):
        wrong = flipped(STUFFED, bit)
        pieces = [piece for piece in wrong.split(b"\0") if piece]
        assert not any(is_frame(piece) for piece in pieces)
        if len(pieces) == 1 and len(wrong) == len(pieces[0]):
            assert flips_in_body(wrong) == 1 or flip_in_stuffing(wrong), bit
        elif len(pieces) == 2:
            assert flip_that_split(*pieces), bit


def test_two_flips_in_the_body_are_counted() -> None:
    dice = random.Random(6)
    seen = 0
    plain = encode_frame(FRAME._replace(payload=b"\xa5" * 60))[:-1]
    for _ in range(300):
        wrong = flipped(plain, *dice.sample(range(8 * len(plain)), 2))
        found = flips_in_body(wrong)
        assert found in (None, 2)
        seen += found == 2
    assert seen > 150  # the others hit the stuffing, or made a delimiter


def test_a_delimiter_that_was_hit_joined_two_frames() -> None:
    other = encode_frame(FRAME._replace(counter=8))[:-1]
    for bit in range(8):
        joined = STUFFED + bytes([1 << bit]) + other
        told = flip_in_stuffing(joined)
        assert told is not None
        assert "joined" in told


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x02\x00", bytes(4), b"\xff" * 2000])
def test_what_never_was_a_frame_is_explained_by_nothing(data: bytes) -> None:
    assert flips_in_body(data) is None
    assert flip_in_stuffing(data) is None
    assert flip_that_split(data, data) is None


@given(st.binary(max_size=2 * MOST_STUFFED + 10))
def test_any_bytes_are_safe(data: bytes) -> None:
    flips_in_body(data)
    flip_that_split(data, data[:3])


@given(st.binary(max_size=40))
def test_noise_is_no_frame(data: bytes) -> None:
    assert flip_in_stuffing(data) is None
