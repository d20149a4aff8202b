"""A frame names its counter modulo 65,536: what the receiver makes of it, and of old records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import Frame, decode_frame
from pumpctl.wire.records import MOST_COUNTER, WINDOW, Arrived, Channel, Repeated
from tests.wire.ends import channels
from tests.wire.plain import frame_bytes

TURN = 65_536


def moved(to: int) -> tuple[Channel, Channel]:
    """A session in which `to` records were sent and taken already."""
    station, pump = channels()
    station._next = to + 1
    pump.highest, pump._seen = to, (1 << WINDOW) - 1
    return station, pump


def one(channel: Channel, plain: bytes) -> Frame:
    """A record of one frame."""
    (line,) = channel.seal(plain)[1]
    return decode_frame(line[:-1])


@given(st.integers(0, MOST_COUNTER), st.integers(-(TURN // 2), TURN // 2 - 1))
def test_the_nearest_counter_is_found(highest: int, away: int) -> None:
    _, pump = channels()
    pump.highest = highest
    assert pump.full_counter((highest + away) % TURN) == highest + away


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("turns", [1, 2, 1000, 2**40])
def test_a_session_goes_on_where_the_low_bits_begin_again(turns: int) -> None:
    before = turns * TURN - 3
    station, pump = moved(before)
    for number in range(1, 8):
        frame = one(station, bytes([number]))
        assert frame.counter == (before + number) % TURN
        assert pump.take(frame) == Arrived(before + number, bytes([number]))
        assert pump.take(frame) == Repeated(before + number)


def test_the_seal_binds_the_whole_counter_and_the_frame_its_end() -> None:
    station, pump = moved(3 * TURN + 0x1233)
    (line,) = station.seal(b"plain")[1]
    associated = bytes.fromhex("63 0102 0000000000031234")
    sealed = pump._keys.receive  # the same key, at the other end
    frame = decode_frame(line[:-1])
    assert sealed.open(frame.payload, associated, 3 * TURN + 0x1234) == b"plain"
    assert line == frame_bytes(0x63, 0x0102, 0x1234, 0, 1, frame.payload)


@pytest.mark.requirement("SEC-02")
@pytest.mark.parametrize("ago", [TURN, 2 * TURN, TURN - 1])
def test_a_record_of_a_turn_ago_is_not_taken_for_a_new_one(ago: int) -> None:
    station, pump = channels()
    old = one(station, b"an old request")
    assert pump.take(old) == Arrived(1, b"an old request")
    pump.highest, pump._seen = ago, 1  # everything below the highest looks fresh
    with pytest.raises(WireError, match="authentication"):
        pump.take(old)
    station._next = ago + 2
    assert pump.take(one(station, b"a new one")) == Arrived(ago + 2, b"a new one")


@pytest.mark.requirement("SEC-02")
def test_a_record_of_a_turn_ago_that_looks_like_one_that_was_taken_is_not_opened() -> None:
    station, pump = channels()
    old = one(station, b"an old request")
    pump.take(old)
    pump.highest, station._next = TURN - 1, TURN
    for number in range(10):
        pump.take(one(station, bytes([number])))
    # Its low bits are those of counter 65,537, which was taken: at most an answer is repeated.
    assert pump.take(old) == Repeated(TURN + 1)


def test_a_late_frame_is_put_to_its_record_across_the_turn() -> None:
    station, pump = moved(TURN - 2)
    late, *rest = (one(station, bytes([number])) for number in range(WINDOW))
    for number, frame in enumerate(rest, 1):
        assert pump.take(frame) == Arrived(TURN - 1 + number, bytes([number]))
    assert late.counter == TURN - 1
    assert pump.take(late) == Arrived(TURN - 1, bytes([0]))  # 63 behind the highest
    assert pump.take(late) == Repeated(TURN - 1)
    station._next = TURN + WINDOW
    assert pump.take(one(station, b"")) == Arrived(TURN + WINDOW, b"")
    again = late._replace(counter=TURN - 1)
    assert pump.take(again) == Repeated(TURN - 1)  # 65 behind: too old to know


def test_fragments_that_began_before_the_turn_are_one_record() -> None:
    station, pump = moved(TURN - 3)
    waiting = [decode_frame(line[:-1]) for line in station.seal(bytes(1500))[1]]
    assert [pump.take(frame) for frame in waiting[:2]] == [None, None]
    for number in range(3):
        assert pump.take(one(station, b"x")) == Arrived(TURN - 1 + number, b"x")
    assert pump.take(waiting[2]) == Arrived(TURN - 2, bytes(1500))


def test_a_counter_that_was_left_far_behind_or_leapt_far_ahead_is_not_met() -> None:
    station, pump = moved(100)
    station._next = 100 + TURN // 2 - 1
    assert pump.take(one(station, b"as far as it goes")) is not None
    station, pump = moved(100)
    station._next = 100 + TURN // 2
    frame = one(station, b"one too far: read as 32,768 behind")
    with pytest.raises(WireError, match="outside"):
        pump.take(frame)


@given(st.integers(0, MOST_COUNTER), st.integers(0, TURN - 1), st.binary(max_size=40))
def test_no_forged_counter_raises_anything_else(highest: int, low: int, payload: bytes) -> None:
    _, pump = channels()
    pump.highest = highest
    try:
        taken = pump.take(Frame(FrameKind.RECORD, pump.session, low, 0, True, payload))
    except WireError:
        return
    assert taken is None or isinstance(taken, Repeated)
