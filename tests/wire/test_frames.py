"""Frames on a bad line: what is damaged is dropped, and the next whole frame is found."""

from __future__ import annotations

from itertools import combinations

import pytest
from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import (
    MOST_PAYLOAD,
    MOST_STUFFED,
    Deframer,
    Frame,
    Junk,
    decode_frame,
    encode_frame,
)
from tests.wire.golden import conversations, hexed, records
from tests.wire.plain import checked, frame_bytes, stuff

FRAMES = st.builds(
    Frame,
    st.sampled_from(list(FrameKind)),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**16 - 1),
    st.integers(0, 255),
    st.booleans(),
    st.binary(max_size=MOST_PAYLOAD),
)


def golden_frames() -> list[bytes]:
    """Every hand-written frame, every line of the conversations, every message framed."""
    lines = [hexed(record["line"]) for record in records("frames.toml")]
    for conversation in conversations().values():
        lines += [line for name, line in conversation["derived"].items() if "line_" in name]
    for family in ("session", "look", "stage", "acts", "keys"):
        for record in records(f"messages_{family}.toml"):
            payload = hexed(record["hex"])
            if len(payload) <= MOST_PAYLOAD:
                lines.append(frame_bytes(0x63, 0x0102, 1, 0, 1, payload))
    return [line.strip(b"\0") + b"\0" for line in lines]


def accepted(line: bytes) -> list[Frame]:
    """The frames that a receiver takes from a line that a delimiter follows."""
    return [item for item in Deframer().feed(line + b"\0") if isinstance(item, Frame)]


@given(FRAMES)
def test_what_is_framed_is_read_and_agrees_with_a_second_hand(frame: Frame) -> None:
    line = encode_frame(frame)
    assert line.endswith(b"\0")
    assert line.count(0) == 1
    assert len(line) - 1 <= MOST_STUFFED
    assert decode_frame(line[:-1]) == frame
    assert frame_bytes(*frame) == line


@given(st.binary(max_size=700))
def test_stuffing_by_hand_is_what_the_library_does(data: bytes) -> None:
    assert stuff(data) == cobs.encode(data)


@pytest.mark.parametrize("size", [253, 254, 255, 508, 509])
def test_stuffing_around_a_full_block(size: int) -> None:
    for data in (b"\1" * size, b"\1" * size + b"\0", b"\0" + b"\1" * size):
        assert stuff(data) == cobs.encode(data)
        assert cobs.decode(stuff(data)) == data


def test_the_largest_frame() -> None:
    frame = Frame(FrameKind.RECORD, 0xFFFF, 0xFFFF, 255, True, b"\xff" * MOST_PAYLOAD)
    assert decode_frame(encode_frame(frame)[:-1]) == frame
    with pytest.raises(WireError, match="payload"):
        encode_frame(frame._replace(payload=b"\xff" * (MOST_PAYLOAD + 1)))


@pytest.mark.requirement("TEL-01")
def test_every_single_bit_flip_is_refused() -> None:
    tried = 0
    for line in golden_frames():
        whole = accepted(line)
        assert len(whole) == 1
        for bit in range(8 * len(line)):
            damaged = bytearray(line)
            damaged[bit // 8] ^= 1 << bit % 8
            assert all(frame in whole for frame in accepted(bytes(damaged)))
            tried += 1
    print(f"{tried} single-bit flips in {len(golden_frames())} golden frames: 0 altered accepted")
    assert tried > 30_000


@pytest.mark.requirement("TEL-01")
def test_every_double_bit_flip_of_short_frames_is_refused() -> None:
    tried = 0
    short = [line for line in golden_frames() if len(line) <= 64]
    for line in short:
        whole = accepted(line)
        masks = [(bit // 8, 1 << bit % 8) for bit in range(8 * len(line))]
        for (at, mask), (other_at, other_mask) in combinations(masks, 2):
            damaged = bytearray(line)
            damaged[at] ^= mask
            damaged[other_at] ^= other_mask
            try:
                frame = decode_frame(bytes(damaged).partition(b"\0")[0])
            except WireError:
                pass
            else:
                assert frame in whole
            if 0 in damaged[:-1]:
                assert all(each in whole for each in accepted(bytes(damaged)))
            tried += 1
    print(f"{tried} double-bit flips in {len(short)} golden frames: 0 altered accepted")
    assert tried > 500_000


def body(*, kind: int = 0x63, length: int = 0x8001, payload: bytes = b"x") -> bytes:
    """A frame's bytes before stuffing, with its check, right or wrong as asked."""
    return checked(bytes([kind]) + bytes(5) + length.to_bytes(2, "big") + payload)


@pytest.mark.requirement("TEL-01")
@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (body(kind=0x00), "no kind"),
        (body(kind=0x62), "no kind"),
        (body(length=0x8000), "length"),
        (body(length=0x8002), "length"),
        (body(length=0x0002), "length"),
        (body(length=0xC001), "length"),
        (body(length=0x8281, payload=bytes(641)), "longer|length"),
        (body()[:-2], "shorter"),
        (checked(bytes(7)), "shorter"),
        (b"", "shorter"),
        (body()[:-1] + bytes([body()[-1] ^ 1]), "check"),
    ],
)
def test_a_wrong_frame_with_a_right_check_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        decode_frame(stuff(raw))


def test_bytes_that_are_not_stuffed_are_refused() -> None:
    with pytest.raises(WireError, match="not stuffed"):
        decode_frame(b"\x05ab")
    with pytest.raises(WireError, match="longer"):
        decode_frame(b"\x01" * (MOST_STUFFED + 1))


@pytest.mark.requirement("TEL-07")
@given(st.lists(st.binary(max_size=1500), max_size=6))
def test_noise_never_raises_and_the_next_frame_but_one_is_found(noise: list[bytes]) -> None:
    deframer = Deframer()
    for piece in noise:
        deframer.feed(piece)
        assert len(deframer._buffer) <= MOST_STUFFED
    frame = Frame(FrameKind.RECORD, 1, 2, 0, True, b"after the noise")
    found = deframer.feed(b"\0" + encode_frame(frame))
    assert found[-1] == frame


@given(st.lists(FRAMES, max_size=5), st.data())
def test_frames_are_found_however_the_line_is_cut(frames: list[Frame], data: st.DataObject) -> None:
    line = b"\0".join(encode_frame(frame) for frame in frames)
    deframer = Deframer()
    found: list[Frame | Junk] = []
    while line:
        size = data.draw(st.integers(1, len(line)))
        found += deframer.feed(line[:size])
        line = line[size:]
    assert found == frames


def test_what_is_too_long_is_counted_and_skipped() -> None:
    deframer = Deframer()
    frame = Frame(FrameKind.RECORD, 1, 2, 0, True, b"x")
    for _ in range(1000):
        assert deframer.feed(b"\x01" * 1000) == []
        assert len(deframer._buffer) <= MOST_STUFFED
    assert deframer.feed(b"\0" + encode_frame(frame)) == [
        Junk("longer than any frame", 1_000_000),
        frame,
    ]
