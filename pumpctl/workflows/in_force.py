"""Which program was in force when: from what a pump does now back, change by change.

The pump's log says when which operation changed what; which program it brought is
not in there. The newest is the one that the pump holds, earlier ones are in the
intents of this station's journal, with the one that each of them replaced. Every
state version must be accounted for, and every program named: otherwise it is said
why it cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pumpctl.outcomes import OperationId
from pumpctl.pump.encode import program_of
from pumpctl.quantities import Flow, Rate
from pumpctl.station.journal import Journal
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.past import Ordered, prescribed
from pumpctl.therapy.program import Mode, Program, continuous, make_program
from pumpctl.therapy.state import Delivery, PumpState
from pumpctl.wire.fields import WireError
from pumpctl.workflows.pump_log import NotKnown, PumpLog, number_of, version_of

_BRINGS_A_PROGRAM = {"PROGRAM", "REFILL"}
_CHANGES_NO_PROGRAM = {"BOLUS", "CANCEL", "CLOCK", "IMPLANT", "LIMITS", "PATIENT"}
_NO_THERAPY = {"paired", "unpaired", "granted"}


class Brought(NamedTuple):
    """What the journal tells of an operation: the program it brought, and the one before."""

    program: Program | None
    before: Program | None


class _Slot:
    """A program that was in force; empty until somebody is found who can name it."""

    def __init__(self, program: Program | None) -> None:
        self.program = program


Span = tuple[int, _Slot | None]
"""From this count on; None: stopped."""


def in_force(
    log: PumpLog, state: PumpState, journal: Journal, least: Flow, since: int
) -> tuple[Ordered, ...]:
    """All that was in force since this count and, before it, back to the last dose that ran.

    That one is told as of the oldest entry that was read of it, however long it had run.
    `least` is the model's minimum flow. Raises NotKnown where something cannot be told.
    """
    spans = list(_Walk(log, state, journal, least).back_to(since))  # only then all are named
    return tuple(Ordered(at, slot.program if slot else None) for at, slot in reversed(spans))


class _Walk:
    """One way back. `_slot` and `_stopped` are what was in force after the change it stands at."""

    def __init__(self, log: PumpLog, state: PumpState, journal: Journal, least: Flow) -> None:
        self._log, self._state, self._journal, self._least = log, state, journal, least
        fallback = state.delivery is Delivery.FALLBACK
        self._slot = _Slot(None if fallback else state.program)
        self._stopped = state.delivery is Delivery.STOPPED
        self._stopped_at: int | None = None
        if state.stopped_for is not None:
            self._stopped_at = state.counter_ms - state.stopped_for.quanta

    def back_to(self, since: int) -> Iterator[Span]:
        """The newest first; a slot that is still empty is filled before this ends."""
        self._log.since(since)
        version, until = int(self._state.state_version), self._state.counter_ms
        while True:
            begun = self._log.naming(version)
            if begun is not None and begun.counter_ms < min(until, since + 1) and self._doses:
                yield begun.counter_ms, self._slot
                return
            change = self._log.maker(version)
            if change is None:  # as it was made, at the model's minimum rate
                self._slot.program = self._slot.program or self._steady(None)
                yield self._log.oldest.counter_ms, None if self._stopped else self._slot
                return
            what = _kind(change)
            if what is not None:
                before = self._name(change, what)
                yield change.counter_ms, None if self._stopped else self._slot
                if change.counter_ms < min(until, since + 1) and self._doses:
                    return
                self._step_over(change, what, before)
                until = change.counter_ms
            version -= 1

    @property
    def _doses(self) -> bool:
        """Whether a prescribed dose ran here, and it is known which."""
        return not self._stopped and prescribed(self._slot.program) is not None

    def _name(self, change: LogEntry, what: str) -> _Slot:
        """Fill the slot with what the change brought; the slot of what was before it."""
        if what == "fallback":
            rate = number_of(change, "rate_ng_per_day")
            self._slot.program = self._slot.program or self._steady(rate)
            return _Slot(None)
        self._stopped = what == "stopped"
        if what != "program":
            return self._slot
        brought = self._brought(change.operation)
        self._slot.program = self._slot.program or brought.program
        if self._slot.program is None:
            raise NotKnown("another station changed the program, and it is not known here to what")
        if brought.program not in (None, self._slot.program):
            raise NotKnown("the journal and the pump do not agree about a program")
        return _Slot(brought.before)

    def _step_over(self, change: LogEntry, what: str, before: _Slot) -> None:
        """To what was in force before the change. A stop counts from the first of several."""
        at = change.counter_ms
        if what in ("stopped", "fallback"):
            self._stopped = self._stopped and self._stopped_at is not None and self._stopped_at < at
        else:
            resumed = self._log.after(change)
            self._stopped = resumed is not None and resumed.kind == "resumed"
            if resumed is not None and self._stopped:
                self._stopped_at = at - number_of(resumed, "stopped_for_ms")
        self._slot = before

    def _brought(self, operation: OperationId | None) -> Brought:
        """What the journal's intent says of an operation; nothing where it is not our own."""
        for entry in self._journal.entries(operation=str(operation)):
            if entry.kind == "intent" and entry.pump == self._state.serial:
                found = (entry.body.get(key) for key in ("program_bytes", "old_program_bytes"))
                return Brought(*map(_read, found))
        return Brought(None, None)

    def _steady(self, rate: int | None) -> Program:
        """A rate that no schedule ordered: the fallback's (ng/day), or the model's minimum."""
        state = self._state
        least = self._least.quanta * state.concentration.quanta // 1_000
        program = make_program(
            Mode.MINIMUM, state.drug, state.concentration, low_alarm=state.low_alarm
        )._replace(fallback=Rate(least if rate is None else rate))
        if rate is None or rate <= least:
            return program
        return program._replace(mode=Mode.CONTINUOUS, days=continuous(Rate(rate)))


def _kind(change: LogEntry) -> str | None:
    """What a change of the state version was to therapy; None: nothing. NotKnown for others."""
    operation = change.get("operation_kind")
    if change.kind in ("stopped", "fallback"):
        return change.kind
    if operation in _BRINGS_A_PROGRAM:
        return "program"
    if operation == "RESUME":
        return "resume"
    if change.kind in _NO_THERAPY or operation in _CHANGES_NO_PROGRAM:
        return None
    raise NotKnown(f"the pump's log does not tell what made state version {version_of(change)}")


def _read(written: object) -> Program | None:
    """A program as the journal keeps it; None where it keeps none."""
    try:
        return program_of(bytes.fromhex(written)) if isinstance(written, str) else None
    except (ValueError, WireError):
        return None
