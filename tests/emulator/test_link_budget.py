"""What strangers may cost: bursts, back-off, a budget, and that a paired station meets none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.engine import battery
from pumpctl.emulator.engine import link_budget as lb
from pumpctl.emulator.engine.battery import FULL, Battery
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS
from pumpctl.emulator.engine.link_budget import BudgetState, LinkBudget, fresh
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import Reader, Struct

GREETING, HANDSHAKE = FrameKind.GREETING, FrameKind.HANDSHAKE
MONDAY = 1_788_134_400_000
SIZES = {GREETING: 61, HANDSHAKE: 73}
"""Bytes on the line, delimiters included."""


def sent(budget: LinkBudget, kind: FrameKind, counter: int = 0) -> bool:
    """A whole frame of nobody's session arrives; is it answered?"""
    return budget.heard(SIZES[kind], counter) == SIZES[kind] and budget.admit(kind, counter)


@pytest.mark.requirement("SEC-07")
def test_a_burst_of_looks_at_one_instant_is_answered() -> None:
    budget = LinkBudget(fresh(5))
    answered = [sent(budget, GREETING, 5) for _ in range(100)]
    assert answered == [True] * 48 + [False] * 52
    assert not budget.flooded(5), "patience ended before the energy did"


@pytest.mark.requirement("SEC-07")
def test_beyond_the_burst_answers_come_ever_more_slowly() -> None:
    budget = LinkBudget(fresh(0))
    for _ in range(lb.FREE):
        assert sent(budget, GREETING)
    counter, waits = 0, []
    for _ in range(10):
        asked = counter
        while not sent(budget, GREETING, counter):
            counter += 1_000  # impatience does not make the wait longer
        waits.append(counter - asked)
    assert waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000]


def test_ten_quiet_minutes_end_a_row() -> None:
    budget = LinkBudget(fresh(0))
    for _ in range(lb.FREE):
        sent(budget, GREETING)
    quiet = lb.FIRST_WAIT_MS + lb.QUIET_MS
    assert sent(budget, GREETING, quiet)
    assert sent(budget, GREETING, quiet)
    again = LinkBudget(budget.held._replace(greetings=lb.FREE, next_at=quiet))
    assert sent(again, GREETING, 2 * quiet - 1_001)
    assert not sent(again, GREETING, 2 * quiet - 1_001), "a millisecond too soon"


@pytest.mark.requirement("SEC-07")
@given(st.integers(1, 6), st.integers(1, 6))
def test_a_station_with_a_key_never_meets_it(greetings: int, shakes: int) -> None:
    """Six of each: three sendings, each doubled by the line. Sixty sessions at one instant."""
    budget = LinkBudget(fresh(0))
    for _ in range(60):
        assert all(sent(budget, GREETING) for _ in range(greetings))
        assert all(sent(budget, HANDSHAKE) for _ in range(shakes))
        budget.authentic(0)
        assert budget.held.energy == lb.BUDGET
    assert not budget.flooded(0)


@pytest.mark.requirement("SEC-07")
def test_a_key_that_is_proved_ends_every_wait() -> None:
    budget = LinkBudget(fresh(0))
    for _ in range(lb.FREE):
        sent(budget, GREETING)
    assert not sent(budget, GREETING)
    budget.authentic(0)
    assert [sent(budget, GREETING) for _ in range(lb.FREE)] == [True] * lb.FREE
    tired = spent()
    tired.authentic(0)
    assert not tired.held.asleep
    assert sent(tired, GREETING)


def test_without_the_refund_it_would() -> None:
    budget = LinkBudget(fresh(0))
    opened = 0
    while sent(budget, GREETING) and sent(budget, HANDSHAKE):
        opened += 1
    assert opened == lb.FREE


@pytest.mark.requirement("SEC-07")
def test_handshakes_are_taken_for_greetings_that_were_answered_only() -> None:
    budget = LinkBudget(fresh(0))
    assert not sent(budget, HANDSHAKE)
    for _ in range(3):
        assert sent(budget, GREETING)
    assert [sent(budget, HANDSHAKE) for _ in range(10)] == [True] * 8 + [False] * 2


def spent(counter: int = 0) -> LinkBudget:
    """A budget that noise has used up."""
    budget, bytes_for_it = LinkBudget(fresh(counter)), lb.BUDGET // battery.RECEIVE
    assert budget.heard(bytes_for_it - 1, counter) == bytes_for_it - 1
    assert not budget.flooded(counter)
    assert budget.heard(100, counter) == 1, "the others fell on a receiver that sleeps"
    return budget


@pytest.mark.requirement("SEC-07")
def test_where_the_budget_is_spent_there_is_silence_and_an_alarm_that_clears() -> None:
    budget = spent()
    assert budget.flooded(0)
    assert not sent(budget, GREETING)
    assert not budget.admit(GREETING, 0), "beside a running session neither"
    last = 30_000
    assert budget.heard(1_000_000, last) == 0
    assert budget.held.energy == last * lb.REFILL, "asleep, nothing costs anything"
    enough = 2 * lb.GREETING // lb.REFILL
    assert not spent().admit(GREETING, enough), "not for one, before there is for a session"
    assert budget.flooded(last + 10 * MINUTE_MS - 1)
    assert not budget.flooded(last + 10 * MINUTE_MS)


@pytest.mark.requirement("SEC-07")
def test_it_listens_again_when_there_is_enough_for_a_session() -> None:
    wake = lb.AWAKE // lb.REFILL
    assert wake == 5 * MINUTE_MS + 7_500
    assert not sent(spent(), GREETING, wake - 1)
    budget = spent()
    for kind in (GREETING, GREETING, HANDSHAKE):
        assert sent(budget, kind, wake)
    budget.authentic(wake)
    assert budget.held.energy == lb.BUDGET
    assert budget.flooded(wake), "the alarm stays until it has been quiet"
    full = spent()
    assert sent(full, GREETING, lb.BUDGET // lb.REFILL)
    assert full.held.energy == lb.BUDGET - SIZES[GREETING] * battery.RECEIVE - lb.GREETING


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["noise", "greeting", "handshake"]),
        st.integers(0, 40_000),
        st.integers(0, HOUR_MS),
    ),
    max_size=60,
)


@pytest.mark.requirement("SEC-07")
@given(STEPS)
def test_no_stranger_takes_more_than_the_budget_and_what_refills(
    steps: list[tuple[str, int, int]],
) -> None:
    budget, counter, cost = LinkBudget(fresh(0)), 0, 0
    for what, size, wait in steps:
        counter += wait
        cost += budget.heard(size, counter) * battery.RECEIVE
        if what != "noise" and budget.admit(FrameKind[what.upper()], counter):
            cost += lb.GREETING if what == "greeting" else lb.HANDSHAKE
        assert cost <= lb.BUDGET + counter * lb.REFILL
        assert 0 <= budget.held.energy <= lb.BUDGET


@given(STEPS)
def test_what_is_kept_can_be_stored_and_goes_on_the_same(
    steps: list[tuple[str, int, int]],
) -> None:
    struct = Struct(BudgetState)
    one = other = LinkBudget(fresh(0))
    counter = 0
    for what, size, wait in steps:
        counter += wait
        out = bytearray()
        struct.put(other.held, out)
        other = LinkBudget(struct.get(Reader(bytes(out))))
        if what == "noise":
            assert one.heard(size, counter) == other.heard(size, counter)
        else:
            kind = FrameKind[what.upper()]
            assert sent(one, kind, counter) == sent(other, kind, counter)
        assert one.held == other.held
        one = LinkBudget(one.held)


@pytest.mark.requirement("SEC-07")
def test_the_cell_outlasts_its_seven_years_under_an_attack_that_never_ends() -> None:
    cell = Battery(FULL, made_at=MONDAY)
    cell._use(lb.BUDGET)
    seven = battery.years_later(MONDAY, 7) - MONDAY
    for counter in range(DAY_MS, seven, DAY_MS):
        cell.idle(DAY_MS)
        cell.pulses(10_000)
        cell.bytes(received=200, sent=1_300)  # an interrogation of 10 kB a week
        cell._use(lb.REFILL * DAY_MS)
        cell.look(counter)
    assert cell.held.ends_at is not None
    assert cell.held.ends_at >= seven - DAY_MS
    assert cell.held.charge > 0


def test_without_a_budget_noise_alone_empties_it_within_days() -> None:
    cell = Battery(FULL, made_at=MONDAY)
    days = 0
    while cell.held.charge:
        cell.idle(DAY_MS)
        cell.bytes(received=10_000 * DAY_MS // 1_000)  # 10 kB a second, all received
        days += 1
    print(f"{days} days")
    assert days < 10
