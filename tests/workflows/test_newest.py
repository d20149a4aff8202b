"""The end of a log, from look to look: nothing twice, and what is missing is counted."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.errors import Corrupt, PumpRefused
from pumpctl.pump.log_held import LogBatch
from pumpctl.wire.codes import LogKind
from pumpctl.wire.logentry import LogEntry, pack
from pumpctl.workflows.look.newest import FIRST, MORE, LogTail
from tests.therapy.samples import pump as sample


def raw(number: int) -> bytes:
    return pack(LogEntry(number, 1, LogKind.HOUR, 0, number, 0, 0, 5, 1, bytes(20)))


class Held:
    """A pump's log: numbers 1 to `last`, sent in batches of at most 100."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.damaged: set[int] = set()
        self.lost: set[int] = set()
        """Not even sent: what a pump cannot read any more shows as a missing number."""
        self.first = 1
        self.failure: Exception | None = None
        self.skew = 0
        self.questions = 0

    @property
    def state(self) -> Any:
        return sample(log_first=self.first, log_next=self.last + 1)

    def log(self, first: int, most: int) -> LogBatch:
        self.questions += 1
        if self.failure is not None:
            raise self.failure
        there = [n for n in range(first + self.skew, self.last + 1) if n not in self.lost]
        numbers = there[: min(most, 100)]
        entries = tuple(raw(n)[:-1] + b"?" if n in self.damaged else raw(n) for n in numbers)
        return LogBatch(
            numbers[0] if numbers else self.last + 1, entries, self.first, self.last + 1
        )

    def follow(self, tail: LogTail) -> tuple[list[int], int, str | None]:
        found = tail.follow(self, self.state)  # type: ignore[arg-type]
        return [entry.number for entry in found.entries], found.left_out, found.failure


def test_the_newest_first_then_what_is_new() -> None:
    held, tail = Held(500), LogTail()
    assert held.follow(tail) == (list(range(373, 501)), 0, None)  # 500 − 128 = 372
    assert held.questions == 2  # 128 entries in batches of 100
    assert held.follow(tail) == ([], 0, None)
    assert held.questions == 2, "nothing new, nothing asked"
    held.last = 503
    assert held.follow(tail) == ([501, 502, 503], 0, None)
    assert len(tail.entries) == FIRST and tail.entries[-1].number == 503


def test_what_was_not_fetched_is_counted() -> None:
    held, tail = Held(10), LogTail()
    held.follow(tail)
    held.last = 10 + MORE + 7
    numbers, left_out, _ = held.follow(tail)
    assert (len(numbers), left_out) == (MORE, 7)
    assert numbers[-1] == held.last


def test_a_damaged_entry_is_left_out_and_counted() -> None:
    held, tail = Held(5), LogTail()
    held.damaged = {3}
    assert held.follow(tail) == ([1, 2, 4, 5], 1, None)


@pytest.mark.parametrize("lost", [{40}, {40, 41, 47}, {21}, {50}])
def test_an_entry_that_the_pump_has_lost_leaves_a_doubt_and_nothing_twice(lost: set[int]) -> None:
    held, tail = Held(50), LogTail()
    held.lost = lost
    numbers, left_out, _ = held.follow(tail)
    assert numbers == [n for n in range(1, 51) if n not in lost]  # no bolus: 128 back, to the first
    assert left_out == len(lost)
    assert tail.doubt(held.state) is not None, "what is lost could have been a bolus"


@pytest.mark.parametrize(
    "failure", [Corrupt("spoiled"), PumpRefused("not for you", pump_code="ROLE")]
)
def test_a_log_that_cannot_be_read_is_told_and_comes_later(failure: Exception) -> None:
    held, tail = Held(5), LogTail()
    held.failure = failure
    numbers, left_out, why = held.follow(tail)
    assert (numbers, left_out) == ([], 0) and why is not None
    held.failure = None
    assert held.follow(tail) == ([1, 2, 3, 4, 5], 0, None)


def test_another_log_than_before_begins_again() -> None:
    held, tail = Held(500), LogTail()
    held.follow(tail)
    held.last = 3
    assert held.follow(tail) == ([1, 2, 3], 0, None)
    assert [entry.number for entry in tail.entries] == [1, 2, 3]


def test_a_pump_that_answers_with_what_was_not_asked_ends_it() -> None:
    held, tail = Held(5), LogTail()
    held.skew = -1
    assert held.follow(tail) == ([], 5, None)
