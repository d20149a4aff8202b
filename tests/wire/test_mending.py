"""Fragments with one or two flipped bits: put right by the station, and by nobody else."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire import mending
from pumpctl.wire.codes import Encoding, FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import (
    MOST_BODY,
    MOST_PAYLOAD,
    Deframer,
    Frame,
    Junk,
    decode_frame,
    encode_frame,
)
from pumpctl.wire.initiator import Answer
from pumpctl.wire.mending import FARTHEST, mended
from pumpctl.wire.messages import GetLog, Ping, Pong
from tests.wire.ends import Station, paired
from tests.wire.plain import checked, crc32c_bits, frame_body, stuff

PING, PONG = Ping(bytes(range(16))), Pong(bytes(range(16)))


def spoiled(body: bytes, *bits: int) -> bytes:
    """With these bits flipped, counted from the front."""
    damaged = bytearray(body)
    for bit in bits:
        damaged[bit // 8] ^= 0x80 >> bit % 8
    return bytes(damaged)


def body_of(size: int, seed: int = 0) -> bytes:
    """A record's fragment of so many bytes of payload, before stuffing."""
    return frame_body(0x63, 0x0102, 7, 3, 0, random.Random(seed + size).randbytes(size))


@pytest.mark.requirement("TEL-01")
@pytest.mark.parametrize("size", [0, 1, 32, 128, 511, MOST_PAYLOAD])
def test_every_flipped_bit_is_put_right(size: int) -> None:
    body = body_of(size)
    assert all(mended(spoiled(body, bit)) == body for bit in range(8 * len(body)))


@pytest.mark.requirement("TEL-01")
def test_every_two_flipped_bits_of_a_short_frame_are_put_right() -> None:
    body = body_of(4)
    pairs = list(combinations(range(8 * len(body)), 2))
    assert len(pairs) == 128 * 127 // 2
    assert all(mended(spoiled(body, *pair)) == body for pair in pairs)


@pytest.mark.requirement("TEL-01")
@pytest.mark.parametrize("size", [32, 128, MOST_PAYLOAD])
def test_two_flipped_bits_anywhere_are_put_right(size: int) -> None:
    rng, body = random.Random(size), body_of(size)
    for _ in range(600):
        pair = rng.sample(range(8 * len(body)), 2)
        assert mended(spoiled(body, *pair)) == body


def test_no_two_places_leave_the_same_trace() -> None:
    """What makes it unique: within 655 bytes no one, two, three or four bits go unseen.

    Syndromes are linear; so single and double ones that all differ are what it takes.
    They are told apart here by a second implementation of the check, for 60 bytes.
    """
    size = 60
    zero = crc32c_bits(bytes(size))
    single = [crc32c_bits(spoiled(bytes(size), bit)) ^ zero for bit in range(8 * size)]
    single += [1 << bit for bit in range(32)]
    traces = single + [one ^ other for one, other in combinations(single, 2)]
    assert len(set(traces)) == len(traces)
    assert 0 not in traces


def test_the_table_agrees_with_the_check_bit_by_bit() -> None:
    places = {place: syndrome for syndrome, place in mending._syndromes().items()}
    assert len(places) == FARTHEST >= 8 * MOST_BODY
    rng = random.Random(2)
    for place in [*range(80), *rng.sample(range(FARTHEST), 40), FARTHEST - 1]:
        whole = bytes(FARTHEST // 8)
        damaged = spoiled(whole, FARTHEST - 1 - place)
        before = crc32c_bits(whole[:-4]) ^ int.from_bytes(whole[-4:], "big")
        after = crc32c_bits(damaged[:-4]) ^ int.from_bytes(damaged[-4:], "big")
        assert places[place] == before ^ after


@pytest.mark.requirement("TEL-07")
@given(st.binary(max_size=700))
def test_any_bytes_are_put_right_or_left(noise: bytes) -> None:
    if len(noise) < 5:
        return
    found = mended(noise)
    if found is None:
        return
    assert len(found) == len(noise) <= FARTHEST // 8
    assert crc32c_bits(found[:-4]).to_bytes(4, "big") == found[-4:]
    wrong = int.from_bytes(found, "big") ^ int.from_bytes(noise, "big")
    assert wrong.bit_count() in (0, 1, 2)


@pytest.mark.requirement("TEL-07")
def test_putting_right_takes_a_bounded_number_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = [0]

    class Counted(dict[int, int]):
        def get(self, key: int, default: object = None) -> object:  # type: ignore[override]
            looked[0] += 1
            return super().get(key, default)

    table = Counted(mending._syndromes())
    monkeypatch.setattr(mending, "_syndromes", lambda: table)
    rng = random.Random(3)
    hopeless = 0
    for _ in range(20):
        hopeless += mended(rng.randbytes(MOST_BODY)) is None
        assert looked[0] <= FARTHEST + 1
        looked[0] = 0
    assert hopeless > 15
    assert mended(rng.randbytes(FARTHEST // 8 + 1)) is None
    assert looked[0] == 0  # longer than it can be unique: not even tried


@pytest.mark.requirement("TEL-01")
def test_only_who_asks_for_it_has_a_frame_put_right() -> None:
    body = body_of(40)
    whole = decode_frame(stuff(body))
    line = stuff(spoiled(body, 100, 77))
    with pytest.raises(WireError, match="check"):
        decode_frame(line)
    assert decode_frame(line, mend=True) == whole
    assert [type(item) for item in Deframer().feed(line + b"\0")] == [Junk]
    station = Deframer(mend=True)
    assert station.feed(line + b"\0" + stuff(body) + b"\0") == [whole, whole]
    assert station.mended == 1


@pytest.mark.requirement("TEL-01")
@pytest.mark.parametrize("kind", [FrameKind.GREETING, FrameKind.HANDSHAKE])
def test_a_greeting_or_a_handshake_is_never_put_right(kind: FrameKind) -> None:
    body = frame_body(kind, 0, 0, 0, 1, bytes(range(48)))
    for bit in range(8 * len(body)):
        line = stuff(spoiled(body, bit)) + b"\0"
        deframer = Deframer(mend=True)
        assert [type(item) for item in deframer.feed(line)] == [Junk]
        assert deframer.mended == 0


@pytest.mark.requirement("TEL-01")
def test_what_is_put_right_is_checked_like_any_other_frame() -> None:
    longer = checked(bytes.fromhex("63 0102 0007 03 8003") + b"xx")  # three announced, two there
    with pytest.raises(WireError, match="length"):
        decode_frame(stuff(spoiled(longer, 70)), mend=True)


@pytest.mark.requirement("TEL-01")
def test_a_pump_puts_nothing_right() -> None:
    station, pump = paired()
    station.connect(pump)
    _, data = station.end.request(PING)
    body = cobs.decode(data.strip(b"\0"))
    for bit in range(8 * len(body)):
        assert pump.hear(stuff(spoiled(body, bit)) + b"\0") == b""
    assert pump.requests == []
    assert pump.hear(data)


@pytest.mark.requirement("TEL-03")
@pytest.mark.parametrize("flips", [1, 2])
def test_an_answer_with_flipped_bits_is_heard(flips: int) -> None:
    rng = random.Random(flips)
    station, pump = paired()
    station.connect(pump)
    for number in range(1, 201):
        counter, data = station.end.request(PING)
        body = cobs.decode(pump.hear(data).strip(b"\0"))
        line = stuff(spoiled(body, *rng.sample(range(8 * len(body)), flips))) + b"\0"
        assert station.end.feed(line) == [Answer(counter, PONG, number)]
        assert station.end.mended == number


@pytest.mark.requirement("TEL-01")
@pytest.mark.parametrize("size", [0, 30, MOST_PAYLOAD])
def test_three_flipped_bits_are_noticed_and_left(size: int) -> None:
    """Distance 6: no other whole frame is within two bits of what three flips made."""
    rng, body = random.Random(size), body_of(size)
    for _ in range(400):
        assert mended(spoiled(body, *rng.sample(range(8 * len(body)), 3))) is None


@pytest.mark.requirement("TEL-01")
@pytest.mark.parametrize("flips", [3, 4, 5, 6, 9])
def test_more_flips_are_never_handed_on_as_authentic(flips: int) -> None:
    """Some are put wrong: then the check is right, and the record's tag is not."""
    rng = random.Random(flips)
    station, pump = paired()
    station.connect(pump)
    (line,) = pump_frames(pump.hear(station.end.request(PING)[1]))
    body = cobs.decode(line)
    for _ in range(3000):
        damaged = stuff(spoiled(body, *rng.sample(range(8 * len(body)), flips))) + b"\0"
        assert not any(isinstance(event, Answer) for event in station.end.feed(damaged))
    assert [event.message for event in answers(station, line + b"\0")] == [PONG]


@pytest.mark.requirement("TEL-01")
def test_what_is_put_wrong_fails_at_the_tag() -> None:
    """Five flips from a whole frame may be one from another: made here, so the tag is asked."""
    station, pump = paired()
    station.connect(pump)
    (line,) = pump_frames(pump.hear(station.end.request(PING)[1]))
    body = cobs.decode(line)
    forged = checked(spoiled(body[:-4], 70, 100, 101))  # another frame with a right check
    near = stuff(spoiled(forged, 90)) + b"\0"
    (event,) = station.end.feed(near)
    assert isinstance(event, Junk)
    assert event.why == "authentication fails"
    assert station.end.mended == 1
    assert [event.message for event in answers(station, line + b"\0")] == [PONG]


@pytest.mark.requirement("TEL-03")
def test_a_long_answer_on_a_line_with_flips_needs_no_resend() -> None:
    rng = random.Random(9)
    station, pump = paired()
    station.connect(pump)
    _, data = station.end.request(GetLog(1, 1, Encoding.RAW, 32))
    lines = [
        stuff(spoiled(cobs.decode(one), rng.randrange(160))) for one in pump_frames(pump.hear(data))
    ]
    found = [event for line in lines for event in answers(station, line + b"\0")]
    assert len(found) == 1
    assert station.end.mended == len(lines)


def test_a_frame_of_the_most_bytes_is_put_right_through_the_whole_road() -> None:
    frame = Frame(FrameKind.RECORD, 0xFFFF, 0xFFFF, 255, True, b"\xff" * MOST_PAYLOAD)
    body = cobs.decode(encode_frame(frame)[:-1])
    assert len(body) == MOST_BODY
    assert decode_frame(stuff(spoiled(body, 0, 8 * MOST_BODY - 1)), mend=True) == frame


def pump_frames(data: bytes) -> list[bytes]:
    """Frames of a pump, still stuffed."""
    return [line for line in data.split(b"\0") if line]


def answers(station: Station, data: bytes) -> list[Answer]:
    """What a station takes as answers."""
    return [event for event in station.end.feed(data) if isinstance(event, Answer)]
