"""The one table of alarms, and the board of those that are raised.

Each alarm has a priority, a cause in words, and what delivery does about it
(ALM-01): stop only where going on is worse than withdrawal. When an alarm is
raised or cleared is decided where its condition is known.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from pumpctl.emulator.memory.retained import Raised
from pumpctl.wire.codes import AlarmCode, LogKind, Priority


class Reaction(Enum):
    """What delivery does."""

    CONTINUE = "continue"
    FALLBACK = "fallback rate"
    STOP = "stop"


class AlarmSpec(NamedTuple):
    """What is known of an alarm before it is raised."""

    priority: Priority
    cause: str
    reaction: Reaction
    clears: str


ALARMS: dict[AlarmCode, AlarmSpec] = {
    AlarmCode.LOW_RESERVOIR: AlarmSpec(
        Priority.NONCRITICAL,
        "the computed reservoir volume is at or below the program's low-reservoir volume",
        Reaction.CONTINUE,
        "when the volume is above it",
    ),
    AlarmCode.EMPTY_RESERVOIR: AlarmSpec(
        Priority.CRITICAL,
        "the computed reservoir volume is zero; the motor goes on, withdrawal is near",
        Reaction.CONTINUE,
        "with a refill",
    ),
    AlarmCode.STOPPED_TOO_LONG: AlarmSpec(
        Priority.CRITICAL,
        "delivery has been stopped for 48 h or more; the old dose may not be resumed",
        Reaction.CONTINUE,
        "when delivery starts",
    ),
    AlarmCode.MEMORY_ONE_COPY: AlarmSpec(
        Priority.NONCRITICAL,
        "one of two stored copies was bad and has been written again from the other",
        Reaction.CONTINUE,
        "after 24 h in which every check was good",
    ),
    AlarmCode.MEMORY_BOTH_COPIES: AlarmSpec(
        Priority.CRITICAL,
        "both stored copies are bad; the fallback rate is given, or nothing where it is bad too",
        Reaction.FALLBACK,
        "when a new program is activated",
    ),
    AlarmCode.BATTERY_RESET: AlarmSpec(
        Priority.CRITICAL,
        "the always-on memory was lost; volumes and time were taken from the log",
        Reaction.CONTINUE,
        "with a refill",
    ),
}
"""Stall, battery and clock alarms join when what raises them is built."""


class AlarmBoard:
    """What is raised now. Tells the log of every change."""

    def __init__(
        self, raised: tuple[Raised, ...], record: Callable[[LogKind, int, int, bytes], None]
    ) -> None:
        self._raised = {each.code: each for each in raised}
        self._record = record

    @property
    def raised(self) -> tuple[Raised, ...]:
        """In the order in which they were raised."""
        return tuple(self._raised.values())

    def put(self, code: AlarmCode, on: bool, *, utc: int, counter: int) -> None:
        """Raise or clear; nothing happens where it is so already."""
        if on == (code in self._raised):
            return
        if on:
            self._raised[code] = Raised(code, utc, counter)
            kind = LogKind.ALARM_RAISED
        else:
            del self._raised[code]
            kind = LogKind.ALARM_CLEARED
        self._record(kind, code, ALARMS[code].priority, bytes(20))
