"""`link ping`: what it measures is what was done to the line, and nothing is written."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.edge import bench, faulting
from pumpctl.errors import NoAnswer
from pumpctl.link.session import Link
from pumpctl.transport.line import LineLost
from pumpctl.wire import messages as m
from pumpctl.workflows.line import pinging
from pumpctl.workflows.line.pinging import Counted, Pings, both_ways, from_pump, histogram
from tests.helpers.desk import Desk
from tests.helpers.served import served

WARD = ("--port", "emu://ward")


@contextmanager
def spoiled(desk: Desk, monkeypatch: pytest.MonkeyPatch, kind: str, share: str) -> Iterator[str]:
    """A served pump whose line is good until the session is open; its port."""
    desk.emulator(frozen=False)
    trips = pinging._trips
    asked = faulting.asked(kind, faulting.Words(percent=share))

    def now() -> int:
        return time.time_ns() // 1_000_000

    def after(*arguments: Any) -> Any:
        bench.fault(desk.home, "ward", asked, now=now, entropy=os.urandom)
        try:
            return trips(*arguments)
        finally:
            bench.clear(desk.home, "ward", kind, now=now, entropy=os.urandom)

    monkeypatch.setattr(pinging, "_trips", after)
    with served(desk.home, "ward") as url:
        yield url


def test_round_trips_of_a_sound_line(desk: Desk) -> None:
    desk.emulator()
    with desk.untouched():
        told = desk.pump("link", "ping", "--count", "12")
    assert (told["sent"], told["answered"], told["lost"]) == (12, 12, 0)
    trips = told["round_trips_us"]
    assert len(trips) == 12
    assert all(type(trip) is int and trip > 0 for trip in trips)
    assert (told["min_us"], told["max_us"]) == (min(trips), max(trips))
    assert told["median_us"] == sorted(trips)[5]
    assert told["frames_from_pump"] == 12
    assert told["frames_broken"] == told["frames_mended"] == 0
    assert sum(each["trips"] for each in told["histogram"]) == 12
    rate = told["bit_error_rate"]["from_pump"]
    # None wrong in 12 answers: below 3 / bits, with 95 % certainty.
    assert rate == {"estimate": "0", "below": f"{3 / (8 * told['bytes_from_pump']):.1e}"}


def test_a_lost_one_is_counted_and_ends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with spoiled(desk, monkeypatch, "drop", "10 %") as url:
        told = desk.data("--port", url, "link", "ping", "--count", "60", "--wait", "0.03 s")
    assert told["sent"] == 60
    assert told["round_trips_us"].count(None) == told["lost"] == 60 - told["answered"]
    assert 0 < told["lost"] < 40  # 19 % are expected: 11


def test_flipped_bits_are_estimated(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with spoiled(desk, monkeypatch, "corrupt", "500 ppm") as url:
        port = ("--port", url)
        told = desk.data(*port, "link", "ping", "--count", "300", "--wait", "0.03 s")
        out = desk.run(*port, "link", "ping", "--count", "100", "--wait", "0.03 s").out
    assert told["frames_mended"] > 0
    assert 1e-4 < float(told["bit_error_rate"]["from_pump"]["estimate"]) < 2e-3
    assert 1e-4 < float(told["bit_error_rate"]["both_ways_at_most"]["estimate"]) < 2e-3
    assert "an estimate" in out


def test_none_that_comes_back_is_no_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.emulator()
    ask = Link.ask

    def silent(self: Link, message: object, *rest: object) -> object:
        if isinstance(message, m.Ping):
            raise NoAnswer("silent")
        return ask(self, message, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Link, "ask", silent)
    document = desk.json(*WARD, "link", "ping", "--count", "3", code=5)
    assert document["error"]["code"] == "NO_ANSWER"
    assert document["data"]["round_trips_us"] == [None] * 3
    assert document["data"]["min_us"] is None
    ran = desk.run(*WARD, "link", "ping", "--count", "3")
    assert ran.code == 5
    assert "3 lost (100 %)" in ran.out


@pytest.mark.parametrize(
    ("error", "code", "name", "sent"),
    [(LineLost("gone"), 5, "LINE_LOST", 3), (KeyboardInterrupt(), 130, "INTERRUPTED", 2)],
)
def test_what_ends_it_leaves_what_was_measured(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    name: str,
    sent: int,
) -> None:
    desk.emulator()
    ask = Link.ask
    count = iter(range(9))

    def third(self: Link, message: object, *rest: object) -> object:
        if isinstance(message, m.Ping) and next(count) == 2:
            raise error
        return ask(self, message, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Link, "ask", third)
    document = desk.json(*WARD, "link", "ping", "--count", "9", code=code)
    assert document["error"]["code"] == name
    assert document["error"]["changed"] == "no"
    assert (document["data"]["sent"], document["data"]["answered"]) == (sent, 2)


def test_another_number_is_no_answer_to_a_ping(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.emulator()
    ask = Link.ask

    def wrong(self: Link, message: object, *rest: object) -> object:
        answer: Any = ask(self, message, *rest)  # type: ignore[arg-type]
        return m.Pong(bytes(16)) if isinstance(answer, m.Pong) else answer

    monkeypatch.setattr(Link, "ask", wrong)
    desk.refused(5, "CORRUPT", *WARD, "link", "ping")


@pytest.mark.parametrize(
    "words",
    [
        ("--count", "0"),
        ("--count", "100001"),
        ("--count", "many"),
        ("--wait", "2"),
        ("--wait", "0 s"),
        ("--wait", "2 min"),
        ("--wait", "2 mL"),
    ],
)
def test_words_that_it_does_not_take(desk: Desk, words: tuple[str, str]) -> None:
    desk.emulator()
    document = desk.json(*WARD, "link", "ping", *words, code=2)
    assert document["error"]["code"] in {"USAGE", "QUANTITY"}


def test_without_a_port_and_without_a_pump(desk: Desk) -> None:
    desk.refused(2, "USAGE", "link", "ping")
    desk.refused(4, "PORT_MISSING", *WARD, "link", "ping")


def test_the_screen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.emulator()
    ran = desk.run(*WARD, "link", "ping", "--count", "5")
    assert ran.code == 0
    assert "5 pings, 5 answered, 0 lost" in ran.out
    assert "round trip   min " in ran.out
    assert "█" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "\x1b" not in ran.out


# --- the arithmetic ------------------------------------------------------------------------


def pings(trips: tuple[int | None, ...], counted: Counted) -> Pings:
    return Pings("S", "M", trips, counted, None)


def test_the_estimate_by_hand() -> None:
    # 100 frames of 1000 bits, 10 of them wrong: 1 - 10/100 = (1 - p) ** 1000,
    # p = -ln(0.9) / 1000 = 1.0536e-4.
    told = from_pump(pings((1,) * 100, Counted(0, 12_500, 100, 4, 6)))
    assert told.rate == pytest.approx(1.0536e-4, rel=1e-4)
    assert told.below is None


def test_both_ways_by_hand() -> None:
    # 100 round trips, 20 lost, of the 80 answers 5 mended: 25 of 100 had an error. A trip
    # has 50 bytes to the pump and 10000 / 80 = 125 back, 1400 bits:
    # p = -ln(0.75) / 1400 = 2.0549e-4.
    trips = (1,) * 80 + (None,) * 20
    told = both_ways(pings(trips, Counted(5_000, 10_000, 80, 5, 0)))
    assert told.rate == pytest.approx(2.0549e-4, rel=1e-4)


@pytest.mark.parametrize(
    "counted", [Counted(100, 0, 0, 0, 0), Counted(100, 50, 1, 0, 1), Counted(0, 0, 0, 0, 0)]
)
def test_nothing_is_claimed_of_what_was_not_seen(counted: Counted) -> None:
    told = from_pump(pings((None, None), counted))
    assert told == (None, None)
    assert both_ways(pings((None, None), counted)) == (None, None)


def test_no_error_in_few_bits_says_little() -> None:
    assert from_pump(pings((1,), Counted(0, 0, 0, 0, 0))).rate is None
    assert from_pump(pings((1,), Counted(1, 1, 1, 0, 0))).below == 3 / 8


@given(st.lists(st.integers(0, 10**9), max_size=200).map(sorted))
def test_a_histogram_holds_every_trip_once(trips: list[int]) -> None:
    rows = histogram(tuple(trips))
    assert sum(row.trips for row in rows) == len(trips)
    assert len(rows) <= 12
    for row, below in zip(rows[1:], rows, strict=False):
        assert row.start == below.end
    for row in rows:
        assert row.trips == sum(row.start <= trip < row.end for trip in trips)


def test_steps_are_round_numbers() -> None:
    assert [row.start for row in histogram((120, 155, 260))] == [*range(120, 261, 20)]


def test_the_ticker_is_the_stations(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """µs exactly, by whatever the edge calls seconds."""
    desk.emulator()
    monkeypatch.setattr(pinging, "_trip", lambda *_: next(TRIPS))
    told = desk.pump("link", "ping", "--count", "4")
    assert told["round_trips_us"] == [1500, None, 2_000_001, 7]
    assert (told["min_us"], told["median_us"], told["max_us"]) == (7, 1500, 2_000_001)
    assert "0.007 ms" in desk.run(*WARD, "link", "ping", "--count", "1").out


TRIPS: Iterator[int | None] = iter([1500, None, 2_000_001, 7, 7])
