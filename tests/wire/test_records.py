"""Records on a line that loses, doubles and reorders: each is taken once, or not at all."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_PAYLOAD, Deframer, Frame
from pumpctl.wire.noise import TAG_SIZE
from pumpctl.wire.records import (
    MOST_COUNTER,
    MOST_FRAGMENTS,
    MOST_OUTSTANDING,
    MOST_PARTIAL,
    MOST_PLAIN,
    MOST_SEALED,
    WINDOW,
    Arrived,
    Channel,
    Repeated,
)
from tests.wire.ends import channels


def frames(lines: tuple[bytes, ...]) -> list[Frame]:
    """The frames of a record."""
    found = Deframer().feed(b"".join(lines))
    return [item for item in found if isinstance(item, Frame)]


def held(parts: dict[int, Frame]) -> int:
    """Bytes of an unfinished record."""
    return sum(len(part.payload) for part in parts.values())


def one_frame(channel: Channel, plain: bytes) -> Frame:
    """A record that is a single frame."""
    (frame,) = frames(channel.seal(plain)[1])
    return frame


@pytest.mark.parametrize("size", [0, 1, 496, 497, 1008, 1009, 5000, MOST_PLAIN])
def test_a_record_of_any_size_arrives(size: int) -> None:
    station, pump = channels()
    plain = random.Random(size).randbytes(size)
    counter, lines = station.seal(plain)
    pieces = frames(lines)
    assert len(pieces) == len(lines) == -(-(size + TAG_SIZE) // MOST_PAYLOAD)
    results = [pump.take(piece) for piece in pieces]
    assert results == [None] * (len(pieces) - 1) + [Arrived(counter, plain)]


@pytest.mark.parametrize(
    ("size", "asked", "made"),
    [
        # sealed text (16 more than the plain) over 256 frames, rounded up, is the least size
        (1000, 32, 32),
        (1000, 33, 33),
        (1000, 511, 511),
        (1000, 640, 640),
        (1000, 0, 32),
        (1000, 31, 32),
        (1000, 641, 640),
        (1000, 65_535, 640),
        (8176, 32, 32),  # 8192 = 256 x 32
        (8177, 32, 33),  # 8193 / 256 = 32.004
        (MOST_PLAIN, 32, 65),  # 16 400 / 256 = 64.06
        (MOST_PLAIN, 640, 640),
    ],
)
def test_fragments_have_the_size_that_was_asked_for(size: int, asked: int, made: int) -> None:
    station, pump = channels()
    plain = random.Random(size).randbytes(size)
    lines = station.seal(plain, asked)[1]
    pieces = frames(lines)
    assert [frame.piece for frame in pieces] == list(range(-(-(size + TAG_SIZE) // made)))
    assert len(pieces) <= MOST_FRAGMENTS
    assert {len(frame.payload) for frame in pieces[:-1]} <= {made}
    assert 0 < len(pieces[-1].payload) <= made
    random.Random(1).shuffle(pieces)
    assert [each for piece in pieces if (each := pump.take(piece))] == [Arrived(1, plain)]


@pytest.mark.requirement("TEL-07")
def test_a_record_of_256_pieces_is_taken_and_a_longer_one_is_none() -> None:
    station, pump = channels()
    lines = station.seal(bytes(MOST_PLAIN), 32)[1]
    assert len(frames(lines)) == 253  # 16 400 / 65
    # By hand into 256 pieces: 255 of 64 bytes and one of 80.
    sealed = b"".join(frame.payload for frame in frames(lines))
    assert len(sealed) == 255 * 64 + 80 == MOST_SEALED
    cut = [sealed[at : at + 64] for at in range(0, 255 * 64, 64)] + [sealed[-80:]]
    hand = [
        Frame(FrameKind.RECORD, pump.session, 1, place, place == 255, piece)
        for place, piece in enumerate(cut)
    ]
    assert pump.take(hand[255]) is None
    assert pump.take(hand[0]._replace(payload=bytes(64 + 1))) is None  # forged, a byte too long
    for frame in hand[1:254]:
        assert pump.take(frame) is None
    with pytest.raises(WireError, match="longer"):
        pump.take(hand[254])
    assert pump._partial == {}
    assert [pump.take(frame) for frame in hand][-1] == Arrived(1, bytes(MOST_PLAIN))


@pytest.mark.parametrize("unfinished", [MOST_PARTIAL, MOST_OUTSTANDING])
def test_as_many_unfinished_records_are_kept_as_were_asked_for(unfinished: int) -> None:
    station, pump = channels()
    pump = Channel(pump._keys, unfinished=unfinished)
    waiting = [frames(station.seal(bytes(700))[1]) for _ in range(unfinished + 1)]
    for first, _ in waiting[:-1]:
        assert pump.take(first) is None
    assert pump.take(waiting[0][0]) is None  # touched again: now the second is the oldest
    assert pump.take(waiting[-1][0]) is None
    assert [pump.waits_for(counter) for counter in (1, 2, 3)] == [True, False, True]
    assert pump.take(waiting[1][1]) is None
    assert not pump.waits_for(3)
    assert pump.take(waiting[0][1]) == Arrived(1, bytes(700))
    assert len(pump._partial) <= unfinished


def test_a_record_of_one_frame_displaces_nothing() -> None:
    station, pump = channels()
    waiting = [frames(station.seal(bytes(700))[1]) for _ in range(MOST_PARTIAL)]
    for first, _ in waiting:
        assert pump.take(first) is None
    assert pump.take(one_frame(station, b"whole")) == Arrived(MOST_PARTIAL + 1, b"whole")
    assert [pump.take(last) for _, last in waiting] == [
        Arrived(counter, bytes(700)) for counter in range(1, MOST_PARTIAL + 1)
    ]


def test_what_is_held_of_an_unfinished_record_is_told() -> None:
    station, pump = channels()
    pieces = frames(station.seal(bytes(300), 32)[1])  # 316 bytes: nine of 32, one of 28
    assert len(pieces) == 10
    assert pump.pieces_of(1) == (0, None)
    for place in (0, 3, 8):
        pump.take(pieces[place])
    assert pump.pieces_of(1) == (0b1_0000_1001, None)
    pump.take(pieces[9])
    assert pump.pieces_of(1) == (0b11_0000_1001, 9)
    for frame in pieces:
        pump.take(frame)
    assert pump.pieces_of(1) == (0, None)
    assert not pump.waits_for(1)


def test_a_record_that_is_too_long_is_not_sealed() -> None:
    station, _ = channels()
    with pytest.raises(WireError, match="at most"):
        station.seal(bytes(MOST_PLAIN + 1))
    assert station.seal(b"next")[0] == 1


@pytest.mark.requirement("SEC-01")
def test_counters_begin_at_one_and_never_repeat() -> None:
    station, _ = channels()
    assert [station.seal(b"x")[0] for _ in range(100)] == list(range(1, 101))
    station._next = MOST_COUNTER
    assert station.seal(b"x")[0] == MOST_COUNTER
    with pytest.raises(WireError, match="used up"):
        station.seal(b"x")


@pytest.mark.requirement("SEC-02")
@given(st.lists(st.integers(0, 199), max_size=400), st.integers(0, 2**32))
def test_the_window_takes_each_record_once(order: list[int], seed: int) -> None:
    station, pump = channels()
    sealed = [one_frame(station, bytes([number])) for number in range(200)]
    rng = random.Random(seed)
    near = [min(199, max(0, step // 3 + rng.randint(-70, 70))) for step in range(600)]
    taken: set[int] = set()
    for number in order + near:
        counter = number + 1
        fresh = counter not in taken and counter > max(taken, default=0) - WINDOW
        result = pump.take(sealed[number])
        assert result == (Arrived(counter, bytes([number])) if fresh else Repeated(counter))
        if fresh:
            taken.add(counter)


def test_the_edge_of_the_window() -> None:
    station, pump = channels()
    sealed = [one_frame(station, b"") for _ in range(WINDOW + 1)]
    assert pump.take(sealed[WINDOW]) == Arrived(WINDOW + 1, b"")
    assert pump.take(sealed[0]) == Repeated(1)  # 64 below: too old to know
    assert pump.take(sealed[1]) == Arrived(2, b"")  # 63 below
    assert pump.take(sealed[1]) == Repeated(2)


@pytest.mark.requirement("TEL-03")
@given(st.integers(0, 2**32))
def test_fragments_in_any_order_and_doubled(seed: int) -> None:
    station, pump = channels()
    rng = random.Random(seed)
    plains = [rng.randbytes(rng.randint(0, 3000)) for _ in range(MOST_PARTIAL)]
    line = [piece for plain in plains for piece in frames(station.seal(plain)[1])]
    line += rng.choices(line, k=len(line) // 2)
    rng.shuffle(line)
    arrived = [result for piece in line if isinstance(result := pump.take(piece), Arrived)]
    assert {each.counter: each.plain for each in arrived} == dict(enumerate(plains, 1))
    assert len(arrived) == len(plains)


@pytest.mark.requirement("TEL-03")
@given(st.integers(0, 2**32))
def test_a_resend_fills_the_gaps(seed: int) -> None:
    station, pump = channels()
    rng = random.Random(seed)
    plain = rng.randbytes(4000)
    pieces = frames(station.seal(plain)[1])
    for _ in range(200):
        for piece in pieces:
            if rng.random() < 0.3:
                continue
            if pump.take(piece) == Arrived(1, plain):
                return
    pytest.fail("never complete")


@pytest.mark.requirement("SEC-01")
def test_what_is_bound_to_a_record_cannot_be_changed() -> None:
    station, pump = channels()
    frame = one_frame(station, b"plain")
    for bit in range(8 * len(frame.payload)):
        payload = bytearray(frame.payload)
        payload[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError, match="authentication"):
            pump.take(frame._replace(payload=bytes(payload)))
    with pytest.raises(WireError, match="authentication"):
        pump.take(frame._replace(counter=2))
    with pytest.raises(WireError, match="authentication"):
        station.take(frame)  # reflected to its sender
    assert pump.take(frame) == Arrived(1, b"plain")


def test_a_record_of_another_session_is_not_authentic() -> None:
    station, pump = channels()
    pump.session ^= 1
    with pytest.raises(WireError, match="authentication"):
        pump.take(one_frame(station, b"x"))


@pytest.mark.requirement("TEL-07")
@pytest.mark.parametrize(
    ("highest", "low"),
    [(0, 0), (0, 0x8000), (0, 0xFFFF), (100, 0), (MOST_COUNTER, 0), (MOST_COUNTER, 0x7FFE)],
)
def test_fragments_outside_of_any_record(highest: int, low: int) -> None:
    _, pump = channels()
    pump.highest = highest
    with pytest.raises(WireError, match="outside"):
        pump.take(Frame(FrameKind.RECORD, pump.session, low, 0, True, b"x"))
    assert pump._partial == {}


@pytest.mark.requirement("TEL-07")
def test_an_authentic_record_of_too_many_bytes_is_refused() -> None:
    station, pump = channels()
    sealed = station._keys.send.seal(bytes(MOST_PLAIN + 1), station._header(1), 1)
    pieces = [sealed[at : at + MOST_PAYLOAD] for at in range(0, len(sealed), MOST_PAYLOAD)]
    *most, end = [
        Frame(FrameKind.RECORD, pump.session, 1, index, index == len(pieces) - 1, piece)
        for index, piece in enumerate(pieces)
    ]
    assert not any(pump.take(frame) for frame in most)
    with pytest.raises(WireError, match="longer"):
        pump.take(end)


FORGED = st.builds(
    Frame,
    st.just(FrameKind.RECORD),
    st.just(0x0102),
    st.sampled_from([0, 1, 1, 2, 3, 64, 65, 66, 0x7FFF, 0x8000, 0xFFFF]),
    st.integers(0, 255),
    st.booleans(),
    st.binary(max_size=MOST_PAYLOAD),
)


@pytest.mark.requirement("SEC-07")
@given(st.lists(FORGED, max_size=30), st.lists(FORGED, max_size=1))
def test_forged_fragments_never_lock_a_record_out(forged: list[Frame], late: list[Frame]) -> None:
    station, pump = channels()
    plain = bytes(range(256)) * 5
    counter, lines = station.seal(plain)

    def take(frame: Frame) -> object:
        try:
            return pump.take(frame)
        except WireError:
            return None
        finally:
            assert len(pump._partial) <= MOST_PARTIAL
            assert sum(map(held, pump._partial.values())) <= MOST_PARTIAL * MOST_SEALED

    for frame in forged:
        assert not isinstance(take(frame), Arrived)
    first, *rest = frames(lines)
    taken = [take(frame) for frame in (first, *late, *rest)]
    taken += [take(frame) for frame in frames(lines)]  # one resend heals whatever was in the way
    assert taken.count(Arrived(counter, plain)) == 1


@pytest.mark.requirement("TEL-07")
@pytest.mark.parametrize("unfinished", [MOST_PARTIAL, MOST_OUTSTANDING])
def test_unfinished_records_are_bounded_in_bytes(unfinished: int) -> None:
    rng = random.Random(unfinished)
    _, pump = channels()
    pump = Channel(pump._keys, unfinished=unfinished)
    refused = 0
    for _ in range(4000):
        size, low = rng.choice((0, 1, 32, 640)), rng.randrange(1, 200)
        frame = Frame(
            FrameKind.RECORD, pump.session, low, rng.randrange(256), False, rng.randbytes(size)
        )
        try:
            assert pump.take(frame) is None
        except WireError:
            refused += 1
        sizes = [held(parts) for parts in pump._partial.values()]
        assert len(sizes) <= unfinished
        assert max(sizes, default=0) <= MOST_SEALED
    for piece in range(256):  # one record alone, of fragments that never end
        frame = Frame(FrameKind.RECORD, pump.session, 7, piece, False, bytes(640))
        try:
            pump.take(frame)
        except WireError:
            refused += 1
        assert sum(map(held, pump._partial.values())) <= unfinished * MOST_SEALED
    assert refused >= 256 // 33


@pytest.mark.requirement("SEC-07")
def test_forged_ends_and_far_counters_do_not_stay_in_the_way() -> None:
    station, pump = channels()
    for counter in range(0x7FFC, 0x8000):
        pump.take(Frame(FrameKind.RECORD, pump.session, counter, 0, False, b"forged"))
    pump.take(Frame(FrameKind.RECORD, pump.session, 1, 255, True, b"a forged end"))
    plain = bytes(1500)
    _, lines = station.seal(plain)
    assert [pump.take(frame) for frame in frames(lines)][-1] == Arrived(1, plain)


@pytest.mark.requirement("SEC-07")
def test_a_later_fragment_wins_over_a_forged_end_before_it() -> None:
    station, pump = channels()
    plain = bytes(1500)
    first, second, third = frames(station.seal(plain)[1])
    pump.take(second._replace(last=True, payload=b"a forged end"))
    assert [pump.take(frame) for frame in (third, first, second)][-1] == Arrived(1, plain)
