"""Which scheduled boluses have had their turn: counted, not walked; kept while there is room."""

from __future__ import annotations

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from pumpctl.emulator.engine.clock import DAY_MS
from pumpctl.emulator.engine.schedule import Due, Schedule
from pumpctl.emulator.engine.turns import LATE_MS, MOST_MISSED, Jump, Turns
from pumpctl.emulator.memory.retained import Span
from pumpctl.wire.messages_acts import StageClock
from pumpctl.wire.program import ScheduledBolus
from tests.emulator.roads import done, read_back
from tests.emulator.support import HOUR, MINUTE, MONDAY, daily, flex
from tests.emulator.test_clock_set import YEAR, missed, running


@pytest.mark.requirement("TIM-03")
def test_a_jump_of_centuries_is_counted_and_not_walked() -> None:
    bench = running(flex(72_000, boluses=daily(*((60 * hour, 100, MINUTE) for hour in range(24)))))
    assert read_back(bench, StageClock(7_900 * YEAR, 0)).missed == 7_900 * 365 * 24
    done(bench, StageClock(7_900 * YEAR, 0))
    assert len(missed(bench)) == MOST_MISSED


def walked(turns: Turns, schedule: Schedule, new: int) -> Jump:
    """The same, bolus by bolus."""
    found: list[Due] = []
    due = schedule.next_bolus(turns.until)
    while due is not None and due.start <= new:
        if not any(span.first <= due.start <= span.last for span in turns.served):
            found.append(due)
        due = schedule.next_bolus(due.start)
    count = len(found)
    late = found.pop() if found and new - found[-1].start <= LATE_MS else None
    return Jump(late, tuple(found[-MOST_MISSED:]), count)


SLOTS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 1439)), min_size=1, max_size=9, unique=True
)
LABELS = st.integers(0, 3_000).map(lambda hours: MONDAY + hours * HOUR)


@settings(max_examples=300, deadline=None)
@for_any(SLOTS, st.lists(st.tuples(LABELS, st.integers(0, 900)), max_size=5), LABELS, LABELS)
def test_counting_agrees_with_walking(
    slots: list[tuple[int, int]], spans: list[tuple[int, int]], until: int, new: int
) -> None:
    boluses = tuple(ScheduledBolus(day, at, 1_000, MINUTE) for day, at in sorted(slots))
    schedule = Schedule(flex(100_000, boluses=boluses), 48_000)
    served = tuple(Span(first, first + hours * HOUR) for first, hours in spans)
    turns = Turns(served, until, until)
    assert turns.jump(schedule, new) == walked(turns, schedule, new)


def test_sixteen_ranges_are_kept_and_the_furthest_past_goes_first() -> None:
    turns = Turns((), 0, HOUR)
    for day in range(1, 18):
        turns.set_to(day * DAY_MS)
        turns.reach(day * DAY_MS + HOUR)
    assert turns.served == tuple(Span(day * DAY_MS, day * DAY_MS + HOUR) for day in range(1, 17))
    turns.set_to(0)  # now all lie ahead: the furthest is wanted last
    assert turns.served[0] == Span(DAY_MS, DAY_MS + HOUR)
    assert turns.served[-1] == Span(16 * DAY_MS, 16 * DAY_MS + HOUR)
    assert len(turns.served) == 16
