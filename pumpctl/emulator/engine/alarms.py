"""The one table of alarms, and the board of those that are raised.

Each alarm has a priority, a cause in words, and what delivery does about it
(ALM-01): stop only where going on is worse than withdrawal. When an alarm is
raised or cleared is decided where its condition is known.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from pumpctl.emulator.memory.retained import Raised
from pumpctl.named import NamedTuple
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
    """For people; STATUS carries it."""
    reaction: Reaction
    why: str
    """Why this reaction, and no other."""
    clears: str

    @property
    def blocks_bolus(self) -> bool:
        """Are boluses that somebody asks for refused while it is raised? (BOL-04)"""
        return self.priority is Priority.CRITICAL


ALARMS: dict[AlarmCode, AlarmSpec] = {
    AlarmCode.LOW_RESERVOIR: AlarmSpec(
        Priority.NONCRITICAL,
        "the computed reservoir volume is at or below the program's low-reservoir volume",
        Reaction.CONTINUE,
        "what is left is meant to be given until the refill",
        "when the volume is above it",
    ),
    AlarmCode.EMPTY_RESERVOIR: AlarmSpec(
        Priority.CRITICAL,
        "the computed reservoir volume is zero; the motor goes on, withdrawal is near",
        Reaction.CONTINUE,
        "the volume is computed, not seen: there may be drug left, and air does less harm "
        "than withdrawal (PMP-03)",
        "with a refill",
    ),
    AlarmCode.ELECTIVE_REPLACEMENT: AlarmSpec(
        Priority.NONCRITICAL,
        "the cell is low, or its seven years end in 90 days; the pump stops 90 days later",
        Reaction.CONTINUE,
        "the cell's reserve lasts 90 days at any flow",
        "never: the pump is replaced",
    ),
    AlarmCode.END_OF_SERVICE: AlarmSpec(
        Priority.CRITICAL,
        "the pump has reached the end of its service and has stopped; withdrawal is near",
        Reaction.STOP,
        "a motor on a dying cell cannot meter: it may lose pulses or run away unnoticed, and "
        "an overdose is worse than a withdrawal announced 90 days before",
        "never: the pump is replaced",
    ),
    AlarmCode.MOTOR_STALL: AlarmSpec(
        Priority.CRITICAL,
        "the motor does not turn; nothing is given, and what is lost is never made up",
        Reaction.CONTINUE,
        "a stall may end by itself, after a magnet for one; then the schedule goes on at its "
        "current place (STP-03)",
        "at the next check of the motor that sees it turn",
    ),
    AlarmCode.STOPPED_TOO_LONG: AlarmSpec(
        Priority.CRITICAL,
        "nothing has been given for 48 h or more, by a stop or a stall; the old dose is unsafe",
        Reaction.FALLBACK,
        "after a stall the fallback rate: whoever had no drug for so long may stop breathing "
        "at the old dose; a stop stays a stop until somebody resumes (STP-03)",
        "when delivery starts; after a stall, when a program is activated",
    ),
    AlarmCode.MEMORY_ONE_COPY: AlarmSpec(
        Priority.NONCRITICAL,
        "a stored copy was bad and was written again, or one that delivery can do without is lost",
        Reaction.CONTINUE,
        "what is delivered is whole and agrees with its check",
        "after 24 h in which every check was good",
    ),
    AlarmCode.MEMORY_BOTH_COPIES: AlarmSpec(
        Priority.CRITICAL,
        "both stored copies are bad, or the arithmetic is; the fallback rate is given if it "
        "is whole, or else nothing",
        Reaction.FALLBACK,
        "nobody knows the program any more; the prescriber's fallback keeps off withdrawal, "
        "and without it there is no dose to invent (PRG-07)",
        "when a new program is activated",
    ),
    AlarmCode.BATTERY_RESET: AlarmSpec(
        Priority.CRITICAL,
        "the always-on memory was lost; volume, pulses and time were taken from the log",
        Reaction.CONTINUE,
        "the program is in flash and whole; only what is known of the volumes is uncertain",
        "with a refill",
    ),
    AlarmCode.CLOCK_LOST: AlarmSpec(
        Priority.NONCRITICAL,
        "the time of day is uncertain; the schedule may run shifted",
        Reaction.CONTINUE,
        "delivery is timed by the counter, so that no day's dose changes, only its hours; a "
        "bolus does not depend on the label (TIM-01)",
        "when the clock is set",
    ),
    AlarmCode.LINK_FLOOD: AlarmSpec(
        Priority.NONCRITICAL,
        "so much came from strangers that the pump has stopped listening to them",
        Reaction.CONTINUE,
        "delivery does not depend on the line (PMP-01)",
        "after 10 min in which nobody was turned away for want of energy",
    ),
    AlarmCode.VOLUME_DISAGREES: AlarmSpec(
        Priority.NONCRITICAL,
        "sensed and computed reservoir volume are too far apart; one of them is wrong",
        Reaction.CONTINUE,
        "nobody knows which is wrong: a sensor that lies must not stop a therapy (C5.8)",
        "when they agree again, or with a refill",
    ),
}
"""Every alarm that the wire knows; a test demands it."""


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

    @property
    def critical(self) -> bool:
        """Is a critical alarm raised? Then boluses that somebody asks for are refused."""
        return bool(self._raised) and any(ALARMS[code].blocks_bolus for code in self._raised)

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

    def know(self, code: AlarmCode, on: bool, *, utc: int, counter: int) -> None:
        """The same where the log says it already."""
        if on:
            self._raised.setdefault(code, Raised(code, utc, counter))
        else:
            self._raised.pop(code, None)
