"""What is learnt of a line: bounds from above, which noise and doubles make no smaller."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.link.pace import FRAME, LONGEST_TRIP_S, SLOWEST_BYTE_S, Pace


def learnt(*, out: int, back: int, seconds: float, pieces: int = 1, sendings: int = 1) -> Pace:
    pace = Pace()
    pace.learn(out=out, back=back, pieces=pieces, sendings=sendings, seconds=seconds)
    return pace


def test_before_anything_is_known_it_is_the_slowest_line() -> None:
    pace = Pace()
    assert pace.bytes_s(120) == pytest.approx(1.0)  # 1200 baud are 120 bytes a second
    assert pace.frame_s(120) == pytest.approx(1.0)
    assert pace.trip_s == 0


@given(
    baud=st.integers(1_200, 921_600),
    latency_ms=st.integers(0, 500),
    exchanges=st.lists(st.tuples(st.integers(30, 5_000), st.integers(40, 9_000)), min_size=1),
)
def test_what_is_learnt_is_never_less_than_what_is_true(
    baud: int, latency_ms: int, exchanges: list[tuple[int, int]]
) -> None:
    pace = Pace()
    for out, back in exchanges:
        seconds = (out + back) * 10 / baud + 2 * latency_ms / 1000
        pace.learn(out=out, back=back, pieces=1, sendings=1, seconds=seconds)
        assert pace.byte_s >= 10 / baud * 0.999_999
        assert pace.byte_s <= SLOWEST_BYTE_S
        assert pace.trip_s <= min(seconds, LONGEST_TRIP_S)


def test_a_larger_exchange_tells_the_rate_better() -> None:
    # At 115200 baud with 20 ms each way: 165 bytes take 14.3 + 40 ms, 4200 bytes 365 + 40 ms.
    pace = learnt(out=52, back=113, seconds=0.0543)
    assert pace.byte_s == pytest.approx(0.0543 / 165)
    pace.learn(out=45, back=4_155, pieces=9, sendings=1, seconds=0.4046)
    assert pace.byte_s == pytest.approx(0.4046 / 4_200)
    assert pace.trip_s == pytest.approx(0.0543), "the shortest"


def test_doubles_of_an_earlier_answer_make_no_line_faster() -> None:
    """Two answers of 1000 bytes: the second comes in the time of the next request."""
    pace = learnt(out=45, back=1_000, sendings=2, seconds=2.0)
    pace.learn(out=45, back=1_055, pieces=2, sendings=1, seconds=0.1)
    assert pace.byte_s == pytest.approx(0.1 / 100), "45 out, and 55 back that are its own"
    pace.learn(out=45, back=55, pieces=1, sendings=1, seconds=0.05)
    assert pace.byte_s == pytest.approx(0.05 / 100), "and of the one after that all count"


@pytest.mark.parametrize(
    ("back", "pieces", "sendings", "whole"),
    [
        (110, 3, 1, True),  # a gateway that hands over three frames
        (110, 4, 1, False),  # a device that hands out what it has
        (110, 4, 2, True),  # two answers, perhaps
        (FRAME + 1, 9, 1, True),  # a large answer is many frames
    ],
)
def test_whether_frames_come_whole(back: int, pieces: int, sendings: int, whole: bool) -> None:
    pace = learnt(out=45, back=back, seconds=0.5, pieces=pieces, sendings=sendings)
    assert pace.whole_frames is whole
    assert pace.frame_s(100) == (pace.bytes_s(100) if whole else 0)
