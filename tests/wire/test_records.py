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
    MOST_PARTIAL,
    MOST_PLAIN,
    WINDOW,
    Arrived,
    Channel,
    Repeated,
)
from tests.wire.ends import channels


def frames(data: bytes) -> list[Frame]:
    """The frames of a record."""
    found = Deframer().feed(data)
    return [item for item in found if isinstance(item, Frame)]


def one_frame(channel: Channel, plain: bytes) -> Frame:
    """A record that is a single frame."""
    (frame,) = frames(channel.seal(plain)[1])
    return frame


@pytest.mark.parametrize("size", [0, 1, 496, 497, 1008, 1009, 5000, MOST_PLAIN])
def test_a_record_of_any_size_arrives(size: int) -> None:
    station, pump = channels()
    plain = random.Random(size).randbytes(size)
    counter, data = station.seal(plain)
    pieces = frames(data)
    assert len(pieces) == max(1, -(-(size + TAG_SIZE) // MOST_PAYLOAD)) <= MOST_FRAGMENTS
    results = [pump.take(piece) for piece in pieces]
    assert results == [None] * (len(pieces) - 1) + [Arrived(counter, plain)]


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
    _, data = station.seal(plain)
    for _ in range(200):
        for piece in frames(data):
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
    ("counter", "piece"),
    [(0, 0), (MOST_COUNTER + 1, 0), (2**64 - 1, 0), (1, MOST_FRAGMENTS), (1, 255)],
)
def test_fragments_outside_of_any_record(counter: int, piece: int) -> None:
    _, pump = channels()
    with pytest.raises(WireError, match="outside"):
        pump.take(Frame(FrameKind.RECORD, pump.session, counter, piece, True, b"x"))


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
    st.just(0x01020304),
    st.sampled_from([0, 1, 1, 2, 3, 64, 65, 66, 2**62, MOST_COUNTER, 2**64 - 1]),
    st.integers(0, 40),
    st.booleans(),
    st.binary(max_size=MOST_PAYLOAD),
)


@pytest.mark.requirement("SEC-07")
@given(st.lists(FORGED, max_size=30), st.lists(FORGED, max_size=1))
def test_forged_fragments_never_lock_a_record_out(forged: list[Frame], late: list[Frame]) -> None:
    station, pump = channels()
    plain = bytes(range(256)) * 5
    counter, data = station.seal(plain)

    def take(frame: Frame) -> object:
        try:
            return pump.take(frame)
        except WireError:
            return None
        finally:
            assert len(pump._partial) <= MOST_PARTIAL
            assert all(len(parts) <= MOST_FRAGMENTS for parts in pump._partial.values())

    for frame in forged:
        assert not isinstance(take(frame), Arrived)
    first, *rest = frames(data)
    taken = [take(frame) for frame in (first, *late, *rest)]
    taken += [take(frame) for frame in frames(data)]  # one resend heals whatever was in the way
    assert taken.count(Arrived(counter, plain)) == 1


@pytest.mark.requirement("SEC-07")
def test_forged_ends_and_far_counters_do_not_stay_in_the_way() -> None:
    station, pump = channels()
    for counter in range(MOST_COUNTER - 3, MOST_COUNTER + 1):
        pump.take(Frame(FrameKind.RECORD, pump.session, counter, 0, False, b"forged"))
    pump.take(Frame(FrameKind.RECORD, pump.session, 1, 30, True, b"a forged end"))
    plain = bytes(1500)
    _, data = station.seal(plain)
    assert [pump.take(frame) for frame in frames(data)][-1] == Arrived(1, plain)


@pytest.mark.requirement("SEC-07")
def test_a_later_fragment_wins_over_a_forged_end_before_it() -> None:
    station, pump = channels()
    plain = bytes(1500)
    first, second, third = frames(station.seal(plain)[1])
    pump.take(second._replace(last=True, payload=b"a forged end"))
    assert [pump.take(frame) for frame in (third, first, second)][-1] == Arrived(1, plain)
