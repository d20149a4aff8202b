"""The relay's arithmetic, on a clock of the test's own."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.relay import NS, Direction, Settings, Spoiler

DATA = random.Random(7).randbytes(4000)


def _delivered(line: Direction, tick: int) -> tuple[bytes, int]:
    """Everything that is under way, and when the last of it came, woken up so often."""
    out, now = b"", 0
    while line.due() is not None:
        now += tick
        out += line.take(now)
    return out, now


def test_a_quarter_of_a_mebibyte_takes_as_long_as_its_bits() -> None:
    # 262144 bytes x 10 bits / 115200 bit/s = 22.755555... s, and 20 ms on top.
    settings = Settings()
    line = Direction(settings, "way")
    line.put(0, bytes(262_144))
    arrived = []
    while (due := line.due()) is not None:
        arrived.append((due, len(line.take(due))))
    assert sum(size for _, size in arrived) == 262_144
    assert arrived[-1][0] == -(-262_144 * 10 * NS // 115_200) + 20_000_000 == 22_775_555_556
    # Every byte on its own place: the thousandth no sooner and no later.
    assert arrived[999][0] == -(-1000 * 10 * NS // 115_200) + 20_000_000


def test_late_wake_ups_do_not_add_up() -> None:
    slow, fast = (Direction(Settings(), "way") for _ in range(2))
    for line in (slow, fast):
        line.put(0, DATA)
    first, end = _delivered(slow, 7_000_000)
    second, _ = _delivered(fast, 100_000)
    assert first == second == DATA
    assert end - Settings().wire_ns(len(DATA)) - 20_000_000 < 7_000_000
    assert slow.latest_ns <= 7_000_000


def test_bytes_written_in_pieces_leave_without_a_pause() -> None:
    line = Direction(Settings(latency_us=0), "way")
    for piece in range(4):  # each before the one before has left: 10 bytes need 868 us
        line.put(piece * 800_000, DATA[10 * piece : 10 * piece + 10])
    end = Settings().wire_ns(40)
    assert line.take(end - 1) == DATA[:39]
    assert line.take(end) == DATA[39:40]
    line.put(end + 1_000_000, b"x")  # after a pause the schedule begins anew
    assert line.due() == end + 1_000_000 + Settings().wire_ns(1)


def test_a_full_buffer_has_no_room_and_drains_at_the_lines_rate() -> None:
    line = Direction(Settings(fifo=100), "way")
    assert line.room(0) == 100
    line.put(0, bytes(100))
    assert line.room(0) == 0
    assert line.room(Settings().wire_ns(30)) == 30


@given(st.lists(st.integers(1, 700), max_size=20), st.integers(0, 5))
def test_what_is_spoiled_depends_on_the_byte_and_not_on_the_cutting(
    cuts: list[int], seed: int
) -> None:
    settings = Settings(ber=1e-3, drop=2e-3, duplicate=2e-3, seed=seed)
    whole = Spoiler(settings, "way")
    wanted = whole.spoil(DATA)
    pieces, at, out = Spoiler(settings, "way"), 0, b""
    for size in [*cuts, len(DATA)]:
        out += pieces.spoil(DATA[at : at + size])
        at += size
    assert out == wanted
    assert (pieces.flipped, pieces.dropped) == (whole.flipped, whole.dropped)


def test_a_clean_line_changes_nothing_and_a_bad_one_what_was_asked() -> None:
    assert Spoiler(Settings(), "way").spoil(DATA) == DATA
    # 262144 bytes have 2097152 bits: 209.7 flipped at 1e-4, one standard deviation is 14.5.
    flips = [Spoiler(Settings(ber=1e-4, seed=seed), "way") for seed in range(10)]
    for each in flips:
        each.spoil(bytes(262_144))
    total = sum(each.flipped for each in flips)
    assert abs(total - 2097) < 4 * 46  # ten of them: 45.8
    spoiled = Spoiler(Settings(ber=1e-4), "way").spoil(bytes(262_144))
    assert sum(byte.bit_count() for byte in spoiled) == flips[1].flipped  # its seed is 1, too


def test_lost_and_doubled_bytes() -> None:
    lossy = Spoiler(Settings(drop=0.01), "way")
    assert len(lossy.spoil(DATA)) == len(DATA) - lossy.dropped
    double = Spoiler(Settings(duplicate=0.01), "way")
    assert len(double.spoil(DATA)) == len(DATA) + double.doubled
    assert lossy.dropped > 10
    assert double.doubled > 10


def test_ways_and_seeds_differ() -> None:
    seen = {
        Spoiler(Settings(ber=1e-3, seed=seed), way).spoil(DATA)
        for seed in (1, 2)
        for way in ("to server", "to client")
    }
    assert len(seen) == 4


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_that_is_none(rate: float) -> None:
    with pytest.raises(ValueError, match="no probability"):
        Spoiler(Settings(drop=rate), "way")
