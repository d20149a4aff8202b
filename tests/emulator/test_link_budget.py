"""What may be spent on who has proved no key: bursts, back-off, a store for each lane."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.engine import battery
from pumpctl.emulator.engine import link_budget as lb
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS
from pumpctl.emulator.engine.link_budget import BudgetState, LinkBudget, fresh
from pumpctl.emulator.memory.control import MOST_KEYS
from pumpctl.wire.codes import FrameKind, Purpose
from pumpctl.wire.fields import Reader, Struct
from pumpctl.wire.initiator import Initiator
from pumpctl.wire.session import plain_frame

GREETING, HANDSHAKE = FrameKind.GREETING, FrameKind.HANDSHAKE
SIZES = {GREETING: lb.GREETING_BYTES, HANDSHAKE: lb.HANDSHAKE_BYTES}
OURS, THEIRS = b"our key.", b"another."
KEYS = [bytes([number]) * 8 for number in range(1, 1 + lb.LANES)]


def sent(
    budget: LinkBudget,
    kind: FrameKind,
    counter: int = 0,
    *,
    key: bytes | None = None,
    again: bool = False,
) -> bool:
    """A whole frame of nobody's session arrives; is it answered?

    What the strangers' lane is too poor to receive, the filter sees.
    """
    whole = budget.heard(SIZES[kind], counter) == SIZES[kind]
    return (whole or key is not None) and budget.admit(kind, counter, key=key, again=again)


def lane(budget: LinkBudget, key: bytes) -> lb.Lane:
    """Of a key that was asked for."""
    (found,) = (it for it in budget.held.keys if it.key == key)
    return found


def test_the_figures_of_a_frame_and_of_the_keys_are_those_of_the_pump() -> None:
    end = Initiator(entropy=bytes, purpose=Purpose.SESSION)
    assert len(end.greet()) == lb.GREETING_BYTES
    shake = plain_frame(HANDSHAKE, bytes(range(1, 49)))
    assert len(shake) == lb.HANDSHAKE_BYTES
    assert lb.LANES == MOST_KEYS


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
    tired = budget.held.strangers._replace(greetings=lb.FREE, next_at=quiet)
    again = LinkBudget(budget.held._replace(strangers=tired))
    assert sent(again, GREETING, 2 * quiet - 1_001)
    assert not sent(again, GREETING, 2 * quiet - 1_001), "a millisecond too soon"


@pytest.mark.requirement("SEC-07")
@given(st.sampled_from([None, OURS]), st.booleans(), st.integers(1, 6), st.integers(1, 6))
def test_a_station_that_proves_itself_never_meets_it(
    key: bytes | None, again: bool, greetings: int, shakes: int
) -> None:
    """Six of each: three sendings, each doubled by the line. Sixty sessions at one instant."""
    budget = LinkBudget(fresh(0))
    for _ in range(60):
        assert sent(budget, GREETING, key=key)
        assert all(sent(budget, GREETING, key=key, again=again) for _ in range(greetings - 1))
        assert sent(budget, HANDSHAKE, key=key)
        assert all(sent(budget, HANDSHAKE, key=key, again=True) for _ in range(shakes - 1))
        budget.authentic(0, key)
        assert all(it.energy == lb.BUDGET for it in (budget.held.strangers, *budget.held.keys))
    assert not budget.flooded(0)


@pytest.mark.requirement("SEC-07")
def test_a_key_that_is_proved_ends_every_wait() -> None:
    budget = LinkBudget(fresh(0))
    for _ in range(lb.FREE):
        sent(budget, GREETING)
    assert not sent(budget, GREETING)
    budget.authentic(0, OURS)
    assert [sent(budget, GREETING) for _ in range(lb.FREE)] == [True] * lb.FREE
    tired = spent()
    tired.authentic(0, OURS)
    assert not tired.held.asleep
    assert sent(tired, GREETING)


def test_a_key_gives_back_its_own_lane_and_a_local_act_every_one() -> None:
    budget = LinkBudget(fresh(0))
    for key in (OURS, THEIRS):
        for _ in range(lb.FREE):
            assert sent(budget, GREETING, key=key)
    budget.authentic(0, OURS)
    assert sent(budget, GREETING, key=OURS)
    assert not sent(budget, GREETING, key=THEIRS)
    budget.authentic(0)
    assert sent(budget, GREETING, key=THEIRS)


def test_without_the_refund_it_would() -> None:
    for key in (None, OURS):
        budget = LinkBudget(fresh(0))
        opened = 0
        while sent(budget, GREETING, key=key) and sent(budget, HANDSHAKE, key=key):
            opened += 1
        assert opened == lb.FREE


@pytest.mark.requirement("SEC-07")
@pytest.mark.parametrize("key", [None, OURS])
def test_a_resend_counts_as_its_original(key: bytes | None) -> None:
    budget = LinkBudget(fresh(0))
    for _ in range(lb.FREE - 1):
        assert sent(budget, GREETING, key=key)
    for _ in range(lb.RESENDS):
        assert sent(budget, GREETING, key=key, again=True)
    assert sent(budget, GREETING, key=key), "the resends took no place in the row"
    assert not sent(budget, GREETING, key=key), "the row was full"
    answered = [sent(budget, GREETING, key=key, again=True) for _ in range(lb.RESENDS + 1)]
    assert answered == [True] * lb.RESENDS + [False], "and then it is one like any other"


@pytest.mark.requirement("SEC-07")
def test_handshakes_are_taken_for_greetings_that_were_answered_only() -> None:
    budget = LinkBudget(fresh(0))
    assert not sent(budget, HANDSHAKE)
    for _ in range(3):
        assert sent(budget, GREETING)
    assert [sent(budget, HANDSHAKE) for _ in range(10)] == [True] * 8 + [False] * 2
    assert not sent(budget, HANDSHAKE, key=OURS)
    assert sent(budget, GREETING, key=OURS)
    assert [sent(budget, HANDSHAKE, key=OURS) for _ in range(34)] == [True] * 32 + [False] * 2


# --- lanes ---------------------------------------------------------------------------------


@pytest.mark.requirement("SEC-07")
@pytest.mark.requirement("STP-01")
def test_neither_strangers_nor_another_key_s_name_take_anything_from_a_key() -> None:
    budget = LinkBudget(fresh(0))
    for _ in range(3_000):
        sent(budget, GREETING)
        for _ in range(3):
            sent(budget, HANDSHAKE)
            sent(budget, GREETING, key=THEIRS)
            sent(budget, HANDSHAKE, key=THEIRS)
    assert budget.held.asleep
    assert not sent(budget, GREETING, key=THEIRS)
    ours = LinkBudget(fresh(0))
    for kind in (GREETING, HANDSHAKE, HANDSHAKE, *[GREETING] * lb.FREE):
        assert sent(budget, kind, key=OURS) == sent(ours, kind, key=OURS)
        assert lane(budget, OURS) == lane(ours, OURS)


@pytest.mark.requirement("SEC-07")
def test_a_greeting_that_is_answered_leaves_enough_to_try_a_handshake() -> None:
    budget = LinkBudget(fresh(0))
    counter = answered = 0
    while not budget.flooded(counter):  # whoever takes the key's name takes all that there is
        counter += MINUTE_MS
        if sent(budget, GREETING, counter, key=OURS):
            answered += 1
            assert lane(budget, OURS).energy >= 2 * lb.KEY_HANDSHAKE
            while lane(budget, OURS).energy >= 3 * lb.KEY_HANDSHAKE:
                if not sent(budget, HANDSHAKE, counter, key=OURS):
                    break
    assert answered > 2
    while not sent(budget, GREETING, counter, key=OURS):
        counter += 1_000
    assert sent(budget, HANDSHAKE, counter, key=OURS)
    assert sent(budget, HANDSHAKE, counter, key=OURS), "for each of two that are remembered"


@pytest.mark.requirement("SEC-07")
def test_a_key_s_lane_that_was_emptied_recovers_within_half_an_hour() -> None:
    budget = emptied(KEYS[:1])
    enough = (lb.KEY_GREETING + lb.KEY_LEFT) // lb.KEYS_REFILL
    assert enough < 26 * MINUTE_MS
    left = lane(budget, KEYS[0]).energy
    assert not LinkBudget(budget.held).admit(GREETING, enough - left - 1, key=KEYS[0])
    assert budget.admit(GREETING, enough - left, key=KEYS[0])


def emptied(keys: list[bytes]) -> LinkBudget:
    """These keys' lanes have nothing left for a greeting."""
    budget = LinkBudget(fresh(0))
    for key in keys:
        while budget.admit(GREETING, 0, key=key):
            while budget.admit(HANDSHAKE, 0, key=key):
                pass
    return budget


@given(st.lists(st.integers(1, 97), max_size=300), st.integers(1, lb.LANES))
def test_what_keys_share_is_shared_evenly_and_nothing_is_lost(steps: list[int], many: int) -> None:
    budget = emptied(KEYS[:many])
    before = [it.energy for it in budget.held.keys]
    counter = 0
    for step in steps:
        counter += step
        budget.heard(0, counter)
    gained = [it.energy - had for it, had in zip(budget.held.keys, before, strict=True)]
    assert set(gained) == {sum(steps) * lb.KEYS_REFILL // many}
    assert sum(gained) + budget.held.spare == sum(steps) * lb.KEYS_REFILL


def test_a_lane_that_is_full_and_rested_is_not_kept_and_an_old_one_makes_room() -> None:
    budget = LinkBudget(fresh(0))
    for at, key in enumerate([*KEYS, OURS]):
        assert sent(budget, GREETING, at, key=key)
    assert {it.key for it in budget.held.keys} == {*KEYS[1:], OURS}
    budget.authentic(20, OURS)
    sent(budget, GREETING, 20 + lb.QUIET_MS - 1)
    assert lane(budget, OURS).energy == lb.BUDGET
    sent(budget, GREETING, 20 + lb.QUIET_MS)
    assert OURS not in {it.key for it in budget.held.keys}
    sent(budget, GREETING, DAY_MS)
    assert budget.held.keys == ()


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
    assert budget.held.strangers.energy == last * lb.REFILL, "asleep, nothing costs anything"
    enough = 2 * lb.GREETING // lb.REFILL
    assert not spent().admit(GREETING, enough), "not for one, before there is for a session"
    late = lb.AWAKE // lb.REFILL
    assert budget.heard(1, late - 1) == 0
    assert budget.flooded(late - 1 + 10 * MINUTE_MS - 1)
    assert not budget.flooded(late - 1 + 10 * MINUTE_MS)


@pytest.mark.requirement("SEC-07")
def test_it_listens_again_when_there_is_enough_for_a_session() -> None:
    wake = lb.AWAKE // lb.REFILL
    assert wake == 10 * MINUTE_MS + 15_000
    assert not sent(spent(), GREETING, wake - 1)
    budget = spent()
    for kind in (GREETING, GREETING, HANDSHAKE):
        assert sent(budget, kind, wake)
    again = spent()
    assert again.flooded(wake - 1), "the alarm stays while strangers are not heard"
    assert not again.flooded(wake)
    assert not again.held.strangers.energy, "to ask does not need the line"
    full = spent()
    assert sent(full, GREETING, lb.BUDGET // lb.REFILL)
    used = SIZES[GREETING] * battery.RECEIVE + lb.GREETING
    assert full.held.strangers.energy == lb.BUDGET - used
    assert lb.BUDGET // lb.REFILL == 8 * HOUR_MS + 20 * MINUTE_MS


PRICES = {
    (GREETING, False): battery.SEND * 120,
    (GREETING, True): battery.SEND * 120,
    (HANDSHAKE, False): battery.HANDSHAKE + battery.SEND * 75,
    (HANDSHAKE, True): battery.SEND * 75,
}
"""nJ of an answer, by frame and whether it is in memory; written here once more."""

STEPS = st.lists(
    st.tuples(
        st.sampled_from([None, GREETING, HANDSHAKE]),
        st.sampled_from([None, None, *KEYS]),
        st.booleans(),
        st.integers(0, 40_000),
        st.integers(0, HOUR_MS),
    ),
    max_size=60,
)


@pytest.mark.requirement("SEC-07")
@given(STEPS, st.integers(1, 20))
def test_nobody_takes_more_than_the_lanes_hold_and_what_refills(
    steps: list[tuple[FrameKind | None, bytes | None, bool, int, int]], times: int
) -> None:
    budget, counter, cost, keys = LinkBudget(fresh(0)), 0, 0, set()
    for kind, key, again, size, wait in steps * times:
        counter += wait // times
        if kind is None:
            cost += budget.heard(size, counter) * battery.RECEIVE
            continue
        filtered = SIZES[kind] - budget.heard(SIZES[kind], counter)
        cost += (SIZES[kind] - filtered) * battery.RECEIVE
        if budget.admit(kind, counter, key=key, again=again):
            assert key is not None or not filtered, "no stranger passes the filter"
            cost += PRICES[kind, again] + filtered * battery.RECEIVE
            keys.add(key)
        lanes = 1 + len(keys - {None})
        assert cost <= lanes * lb.BUDGET + counter * (lb.REFILL + lb.KEYS_REFILL)
        assert all(0 <= it.energy <= lb.BUDGET for it in (budget.held.strangers, *budget.held.keys))


@given(STEPS)
def test_what_is_kept_can_be_stored_and_goes_on_the_same(
    steps: list[tuple[FrameKind | None, bytes | None, bool, int, int]],
) -> None:
    struct = Struct(BudgetState)
    one = other = LinkBudget(fresh(0))
    counter = 0
    for kind, key, again, size, wait in steps:
        counter += wait
        out = bytearray()
        struct.put(other.held, out)
        other = LinkBudget(struct.get(Reader(bytes(out))))
        if kind is None:
            assert one.heard(size, counter) == other.heard(size, counter)
        else:
            answered = sent(one, kind, counter, key=key, again=again)
            assert sent(other, kind, counter, key=key, again=again) == answered
        assert one.held == other.held
        one = LinkBudget(one.held)
