"""What a pull measures of its line, and how it drives it: weather, rate, waiting."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.link.line_rate import FIRST_ROUND_S, LEAST_RATE, LineRate
from pumpctl.link.pulling import slices
from pumpctl.link.slices import Slice
from pumpctl.link.weather import FRAGMENTS, OVERHEAD, Weather

FRAME = 192 + OVERHEAD


def seen(good: int = 0, mended: int = 0, lost: int = 0, size: int = FRAME) -> Weather:
    """Weather after so many frames of this size."""
    weather = Weather()
    weather.note(good=good, mended=mended, lost=lost, size=size * (good + mended + lost))
    return weather


def after(flips: float, size: int = 64 + OVERHEAD) -> Weather:
    """Weather in which frames of this size fared as so many flipped bits per bit let them.

    Of one hundred thousand frames: x flips in each, e^-x good, e^-x (x + x²/2) mended.
    """
    x = 8 * size * flips
    part = 1 / (1 + x + x * x / 2 + x**3 / 6 + x**4 / 24)  # e^-x
    good, mended = part, part * (x + x * x / 2)
    weather = Weather()
    for _ in range(40):  # in heaps: what was seen early counts less
        weather.note(
            good=round(100 * good), mended=round(100 * mended),
            lost=100 - round(100 * good) - round(100 * mended), size=100 * size,
        )  # fmt: skip
    return weather


# --- weather ------------------------------------------------------------------------------


def test_the_fragment_begins_small_and_is_the_largest_where_nothing_is_wrong() -> None:
    assert Weather().fragment() == 192
    assert seen(good=15).fragment() == 192
    assert seen(good=16).fragment() == FRAGMENTS[0] == 640


def test_one_flipped_bit_in_a_thousand_makes_fragments_of_about_a_hundred() -> None:
    # 79 bytes have 632 bits: x = 0.632, of a hundred frames 53 good and 44 mended.
    weather = after(1e-3)
    # The share that mends tells x exactly: √(1 + 2·44/53) - 1 = 0.632 → 0.632/632 = 1.0e-3.
    assert weather.flips == pytest.approx(1e-3, rel=0.05)
    assert weather.fragment() in (96, 128)


def test_one_flipped_bit_in_a_hundred_thousand_leaves_them_as_long_as_can_be() -> None:
    # 655 bytes have 5240 bits: x = 0.05; all but x³/6 = 2e-5 of them come or mend.
    assert after(1e-5, 640 + OVERHEAD).fragment() == 640


def test_bytes_that_are_cut_or_swallowed_make_them_short_too() -> None:
    # Nothing mended and every fifth lost: no flipped bit explains that.
    assert seen(good=80, lost=20).flips == 0
    assert seen(good=80, lost=20).fragment() < 640
    assert seen(good=40, lost=60).fragment() < seen(good=80, lost=20).fragment()


@settings(derandomize=True, max_examples=300)
@given(st.integers(20, 180), st.integers(0, 90), st.integers(0, 90), st.integers(0, 90))
def test_more_errors_never_make_longer_fragments(frames: int, a: int, b: int, lost: int) -> None:
    fewer, more = sorted((a, b))
    more, fewer = min(more, frames - 1), min(fewer, frames - 1)
    at_most = seen(good=frames - fewer, mended=fewer, lost=0).fragment()
    assert seen(good=frames - more, mended=more, lost=0).fragment() <= at_most
    few, many = sorted((lost % frames, (lost + a) % frames))
    assert seen(good=frames - many, lost=many).fragment() <= (
        seen(good=frames - few, lost=few).fragment()
    )


def test_a_line_that_gets_better_is_believed() -> None:
    weather = after(1e-3)
    short = weather.fragment()
    for _ in range(12):  # each halving of what was: 100 frames twice
        weather.note(good=200, mended=0, lost=0, size=200 * FRAME)
    assert short < 200 < weather.fragment() == 640
    assert weather.loss < 0.01


def test_the_share_of_losses() -> None:
    assert Weather().loss == 0
    assert seen(good=15, mended=3, lost=2).loss == pytest.approx(0.1)  # 2 of 20


# --- rate ---------------------------------------------------------------------------------


def test_the_rate_is_what_came_in_the_time_it_took() -> None:
    line = LineRate(0.0)
    assert (line.measured, line.taken) == (0.0, 960)  # 9600 baud until it is known
    line.note(500, 1.0, 9.0)  # begins the count: nobody knows since when these were under way
    line.note(100, 1.01, 9.0)
    assert line.measured == 0.0  # 10 ms are too short to tell
    line.note(130, 1.02, 9.0)
    assert line.measured == pytest.approx(230 / 0.02)


def test_more_counts_at_once_and_less_by_an_eighth() -> None:
    line = LineRate(0.0)
    line.note(1, 1.0, 9.0)
    line.note(500, 1.25, 9.0)
    assert line.taken == pytest.approx(2000)
    line.note(250, 1.5, 9.0)  # 1000 bytes/s: (7 x 2000 + 1000) / 8
    assert line.taken == pytest.approx(1875)
    line.note(1000, 1.75, 9.0)
    assert line.taken == pytest.approx(4000)


def test_a_pause_is_no_slow_line_and_no_line_is_slower_than_the_slowest() -> None:
    line = LineRate(0.0)
    line.note(1, 1.0, 0.5)
    line.note(500, 1.25, 0.5)
    line.note(7, 60.0, 0.5)  # nothing was under way in that minute
    line.note(500, 60.25, 0.5)
    assert line.measured == pytest.approx(2000)
    slow = LineRate(0.0)
    slow.note(1, 1.0, 9.0)
    slow.note(1, 2.0, 9.0)
    assert slow.measured == LEAST_RATE


def test_the_round_trip_is_the_shortest_but_for_an_eighth() -> None:
    line = LineRate(0.0)
    assert line.round_s == FIRST_ROUND_S
    line.answered(5.0)  # nobody had asked on an idle line
    assert line.round_s == FIRST_ROUND_S
    line.probe(6.0)
    line.answered(6.05)
    assert line.round_s == pytest.approx(0.05)
    line.probe(7.0)
    line.answered(7.45)
    assert line.round_s == pytest.approx(0.1)  # (7 x 0.05 + 0.45) / 8
    line.answered(9.0)  # one answer tells it, not those behind
    assert line.round_s == pytest.approx(0.1)


# --- over a line --------------------------------------------------------------------------


class Script:
    """A stream and its line: what each step says, what is sent and asked for."""

    gather = 0.004

    def __init__(self, *steps: tuple[bytes, list[Slice]]) -> None:
        self._steps = list(steps)
        self.happened: list[object] = []

    @property
    def done(self) -> bool:
        return not self._steps

    def send(self, now: float) -> bytes:
        self.happened.append("send")
        return b"ask"

    def wait(self, now: float) -> float:
        return 0.5

    def receive(self, data: bytes, now: float) -> list[Slice]:
        return self._steps.pop(0)[1]

    def write(self, data: bytes) -> None:
        self.happened.append(data)

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        self.happened.append((seconds, gather))
        return self._steps[0][0]

    def close(self) -> None:
        raise AssertionError("the line is its owner's to close")


def test_what_came_meanwhile_is_heard_before_silence_is_judged() -> None:
    one, two = Slice(1, 2, ()), Slice(2, 3, ())
    script = Script((b"12345", [one]), (b"123", [two]), (b"", []), (b"1", []))
    passed: list[int] = []
    found = []
    for each in slices(script, script, lambda: 0.0, passed.append):  # type: ignore[arg-type]
        found.append(each)
        script.happened.append("kept")
    assert found == [one, two]
    # After a slice was kept: heard without waiting, until nothing comes; only then sent.
    assert script.happened == [
        "send", b"ask", (0.5, 0.004), "kept", (0, 0), "kept", (0, 0), "send", b"ask", (0.5, 0.004),
    ]  # fmt: skip
    assert passed == [3, 5, 3, 0, 3, 1]
