"""The cell and the calendar: how long a pump lives, and that its end is exact (C5.7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.engine import battery as cell
from pumpctl.emulator.engine.battery import (
    CELL,
    ELECTIVE_MS,
    FULL,
    RESERVE,
    Battery,
    BatteryState,
    reckoned,
    years_later,
)
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS
from pumpctl.therapy import battery as station
from pumpctl.therapy.moment import Date
from pumpctl.wire.codes import Battery as Code
from pumpctl.wire.fields import Reader, Struct

MONDAY = 1_788_134_400_000
"""2026-08-31T00:00Z."""
SEVEN = years_later(MONDAY, 7) - MONDAY
YEAR_MS = 365 * DAY_MS
EPOCH = dt.date(1970, 1, 1)

DATES = st.dates(EPOCH, dt.date(2400, 12, 31))
TIMES = st.integers(0, DAY_MS - 1)


def utc(date: dt.date, time: int = 0) -> int:
    return (date - EPOCH).days * DAY_MS + time


def date_of(label: int) -> Date:
    return Date.parse((EPOCH + dt.timedelta(label // DAY_MS)).isoformat())


# --- by when it must be replaced -----------------------------------------------------------


@given(DATES, TIMES, st.integers(0, 30))
def test_years_are_those_of_the_station(date: dt.date, time: int, years: int) -> None:
    later = years_later(utc(date, time), years)
    assert date_of(later) == station.years_later(Date.parse(date.isoformat()), years)
    assert later % DAY_MS == time


@pytest.mark.parametrize(
    ("made", "by"),
    [
        ("2024-02-29", "2031-02-28"),
        ("2024-03-01", "2031-03-01"),
        ("2025-02-28", "2032-02-28"),
        ("2025-03-01", "2032-03-01"),
        ("2096-02-29", "2103-02-28"),
        ("2099-12-31", "2106-12-31"),
        ("2026-01-01", "2033-01-01"),
    ],
)
def test_seven_years_by_the_calendar(made: str, by: str) -> None:
    label = utc(dt.date.fromisoformat(made), 1)
    assert str(date_of(Battery(FULL, made_at=label).replace_by(label))) == by


def _dates_that_differ(rule: Callable[[int], int]) -> int:
    dates = [dt.date(2020, 1, 1) + dt.timedelta(each) for each in range(1_500)]
    return sum(
        date_of(rule(utc(date)))
        != station.years_later(Date.parse(date.isoformat()), cell.SERVICE_YEARS)
        for date in dates
    )


def test_a_rule_of_days_would_be_found_out() -> None:
    assert _dates_that_differ(lambda made: years_later(made, 7)) == 0
    assert _dates_that_differ(lambda made: made + 7 * YEAR_MS) > 1_000
    assert _dates_that_differ(lambda made: made + 7 * YEAR_MS + 2 * DAY_MS) > 300


@given(DATES, TIMES, st.integers(0, 9 * 365))
def test_the_earlier_end_counts_as_it_does_at_the_station(
    made: dt.date, time: int, days: int
) -> None:
    made_at = utc(made, time)
    eri = days * DAY_MS
    pump = Battery(BatteryState(RESERVE, eri, eri + ELECTIVE_MS), made_at=made_at)
    told = station.replacement(date_of(made_at), date_of(made_at + eri))
    assert told is not None
    assert date_of(pump.replace_by(made_at)) == told.by


# --- how long it lasts ---------------------------------------------------------------------


def life(pulses_a_day: int, made_at: int = MONDAY) -> tuple[int, int]:
    """Counters at which elective replacement began, and service ended."""
    pump, counter = Battery(FULL, made_at=made_at), 0
    while not pump.ended(counter):
        edge = pump.next_edge(counter)
        pump.idle(edge - counter)
        pump.pulses(pulses_a_day * edge // DAY_MS - pulses_a_day * counter // DAY_MS)
        if edge // (7 * DAY_MS) > counter // (7 * DAY_MS):
            pump.bytes(received=2_000, sent=8_000)
        counter = edge
        pump.look(counter)
    state = pump.held
    assert state.eri_at is not None
    assert state.ends_at == counter
    return state.eri_at, counter


@pytest.mark.requirement("PMP-02")
def test_at_1_ml_a_day_the_calendar_counts_and_at_24_the_cell() -> None:
    elective, ended = life(10_000)
    assert ended == SEVEN
    assert elective == SEVEN - ELECTIVE_MS
    without_cap = (CELL - RESERVE) // (DAY_MS * cell.IDLE + 10_000 * cell.PULSE) + 90
    assert 7.8 * 365 < without_cap < 8.3 * 365
    elective, ended = life(240_000)
    print(f"24 mL a day: {ended // DAY_MS} days")
    assert ended == elective + ELECTIVE_MS
    assert 2 * YEAR_MS < ended < 3 * YEAR_MS


def test_the_reserve_lasts_its_90_days_at_the_largest_flow() -> None:
    pump = Battery(FULL._replace(charge=RESERVE), made_at=MONDAY)
    pump.look(0)
    assert pump.state(0) is Code.ELECTIVE_REPLACEMENT
    for day in range(90):
        assert not pump.ended(day * DAY_MS)
        pump.idle(DAY_MS)
        pump.pulses(240_000)
        pump.bytes(received=500_000, sent=100_000)  # an interrogation every day, and noise
        pump.look((day + 1) * DAY_MS)
    assert pump.held.charge > 0
    assert pump.ended(90 * DAY_MS)


# --- the edges are exact ---------------------------------------------------------------------


def test_by_age_it_ends_on_the_millisecond() -> None:
    pump = Battery(FULL, made_at=MONDAY)
    elective = SEVEN - ELECTIVE_MS
    pump.look(elective - 1)
    assert pump.state(elective - 1) is Code.GOOD
    assert pump.next_edge(elective - 1) == elective
    pump.look(elective + 5)  # seen late, begun in time
    assert pump.held.eri_at == elective
    assert pump.state(SEVEN - 1) is Code.ELECTIVE_REPLACEMENT
    assert pump.next_edge(SEVEN - 1) == SEVEN
    assert pump.state(SEVEN) is Code.END_OF_SERVICE


@given(
    st.integers(0, 3 * DAY_MS),
    st.integers(0, 240_000),
    st.lists(st.integers(1, 5 * DAY_MS), max_size=20),
)
def test_the_end_does_not_depend_on_who_looked_when(
    ahead: int, pulses_a_day: int, looks: list[int]
) -> None:
    """Once stepped from edge to edge only, once cut at any instants besides."""
    start = 4 * ELECTIVE_MS + 12_345
    a_day = DAY_MS * cell.IDLE + pulses_a_day * cell.PULSE
    charge = RESERVE + a_day * ahead // DAY_MS

    def run(cuts: set[int], until: int) -> BatteryState:
        pump, counter = Battery(FULL._replace(charge=charge), made_at=MONDAY), start
        while counter < until:
            step = min([pump.next_edge(counter), *(cut for cut in cuts if cut > counter), until])
            pump.idle(step - counter)
            pump.pulses(pulses_a_day * step // DAY_MS - pulses_a_day * counter // DAY_MS)
            counter = step
            pump.look(counter)
        return pump.held

    at, cuts = start, set()
    for each in looks:
        at += each
        cuts.add(at)
    end = start + 10 * DAY_MS
    plain = run(set(), end)
    assert run(cuts, end) == plain
    assert plain.eri_at is not None
    assert plain.eri_at % HOUR_MS == 0
    hourly = set(range(start - start % HOUR_MS, end, HOUR_MS))
    assert run(hourly, end) == plain, "no hour is skipped in which something would be found"


def test_ninety_days_are_never_begun_again() -> None:
    pump = Battery(FULL, made_at=MONDAY)
    pump.drain_to(100_000, 1_000)
    first = pump.held
    assert (first.eri_at, first.ends_at) == (1_000, 1_000 + ELECTIVE_MS)
    pump.drain_to(50_000, DAY_MS)
    pump.look(2 * DAY_MS)
    assert (pump.held.eri_at, pump.held.ends_at) == (first.eri_at, first.ends_at)


def test_a_cell_without_charge_ends_at_once() -> None:
    pump = Battery(FULL, made_at=MONDAY)
    pump.drain_to(0, 5)
    assert pump.ended(5)
    assert pump.replace_by(MONDAY) == MONDAY + 5
    assert pump.next_edge(5) == DAY_MS, "nothing more to find"
    used = Battery(BatteryState(1_000, 10, 10 + ELECTIVE_MS), made_at=MONDAY)
    used.pulses(1)
    used.look(HOUR_MS - 1)
    assert not used.ended(HOUR_MS - 1)
    used.look(HOUR_MS)
    assert used.ended(HOUR_MS)
    assert used.held.charge == 0


def test_a_fault_only_drains() -> None:
    pump = Battery(FULL, made_at=MONDAY)
    pump.drain_to(500_000, 0)
    assert pump.held.charge == CELL // 2
    pump.drain_to(900_000, 0)
    assert pump.held.charge == CELL // 2
    for ppm in (-1, 1_000_001):
        with pytest.raises(ValueError, match="millionths"):
            pump.drain_to(ppm, 0)


# --- what is kept ------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, HOUR_MS), st.integers(0, 10_000), st.integers(0, 999))))
def test_it_is_the_sum_of_what_was_used_whatever_the_order(
    uses: list[tuple[int, int, int]],
) -> None:
    one, other = Battery(FULL, made_at=MONDAY), Battery(FULL, made_at=MONDAY)
    for ms, pulses, size in uses:
        one.idle(ms)
        one.pulses(pulses)
        one.bytes(received=size, sent=2 * size)
        one.handshake()
    for ms, pulses, size in reversed(uses):
        other.handshake()
        other.bytes(received=size)
        other.bytes(sent=2 * size)
        other.pulses(pulses)
        other.idle(ms)
    assert one.held == other.held
    used = sum(
        ms * cell.IDLE + pulses * cell.PULSE + size * (cell.RECEIVE + 2 * cell.SEND)
        for ms, pulses, size in uses
    )
    assert CELL - one.held.charge == used + len(uses) * cell.HANDSHAKE
    out = bytearray()
    struct = Struct(BatteryState)
    struct.put(one.held, out)
    assert struct.get(Reader(bytes(out))) == one.held


@given(st.integers(1, 8 * 365), st.integers(0, 10_000_000))
def test_what_the_log_knows_is_never_more_than_what_is_left(days: int, pulses: int) -> None:
    pump = Battery(FULL, made_at=MONDAY)
    pump.idle(days * DAY_MS)
    pump.pulses(pulses)
    pump.bytes(received=500 * days, sent=2_000 * days)
    found = reckoned(counter=days * DAY_MS, pulses=pulses)
    assert found.charge <= pump.held.charge
    assert found.eri_at is found.ends_at is None
    again = reckoned(counter=days * DAY_MS, pulses=pulses, eri_at=7)
    assert again == BatteryState(found.charge, 7, 7 + ELECTIVE_MS)
