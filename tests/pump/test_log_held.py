"""What a session holds of a pump's log: each entry under its own number, or not at all."""

from __future__ import annotations

import pytest

from pumpctl.pump.log_held import HeldLog, LogBatch
from pumpctl.wire.codes import LogKind
from pumpctl.wire.logentry import LogEntry, pack


def raw(number: int) -> bytes:
    return pack(LogEntry(number, 1, LogKind.HOUR, 0, number, 0, 0, 5, 1, bytes(20)))


def held(*numbers: int) -> HeldLog:
    log = HeldLog()
    log.keep(LogBatch(numbers[0], tuple(raw(n) for n in numbers), 1, 20))
    return log


def test_what_was_fetched_is_told_again() -> None:
    again = held(10, 11, 12).batch(11, 5)
    assert again == LogBatch(11, (raw(11), raw(12)), 1, 20)
    assert held(10, 11, 12).batch(9, 5) is None
    assert held(10, 11, 12).batch(13, 5) is None


@pytest.mark.requirement("TEL-04")
def test_behind_a_lost_entry_none_stands_under_anothers_number() -> None:
    log = held(10, 12, 13)  # the pump has lost entry 11
    for number in range(9, 14):
        found = log.batch(number, 1)
        assert found is None or found.entries == (raw(number),), number
