"""Which program was in force when: from what a pump does now back, change by change.

The pump's log says when which operation changed what; which program it brought is
not in there. The newest is the one that the pump holds, earlier ones are in the
intents of this station's journal, with the one that each of them replaced. Every
state version must be accounted for, and every program named: otherwise it is said
why it cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from pumpctl.named import NamedTuple
from pumpctl.outcomes import OperationId
from pumpctl.pump.encode import program_of
from pumpctl.quantities import Flow, Rate
from pumpctl.station.journal import Entry
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.past import Ordered, prescribed
from pumpctl.therapy.program import Mode, Program, continuous, make_program
from pumpctl.therapy.state import Delivery, PumpState
from pumpctl.wire.fields import WireError
from pumpctl.workflows.course.pump_log import NotKnown, PumpLog, number_of, version_of

BRINGS_A_PROGRAM = {"PROGRAM", "REFILL"}
"""Kinds of operation, as the log names them, with which a program comes."""
_CHANGES_NO_PROGRAM = {"BOLUS", "CANCEL", "CLOCK", "IMPLANT", "LIMITS", "PATIENT"}
_NO_THERAPY = {"paired", "unpaired", "granted"}

What = Literal["program", "resume", "stopped", "fallback"]
"""What a change of the state version was to therapy."""


class Journaled(Protocol):
    """A journal, as far as it is asked here."""

    def entries(self, *, pump: str | None = None, operation: str | None = None) -> list[Entry]:
        """Entries in order, all or of one pump or operation."""
        ...


class Brought(NamedTuple):
    """What the journal tells of an operation: the program it brought, and the one before."""

    program: Program | None
    before: Program | None


class _Slot:
    """A program that was in force; empty until somebody is found who can name it."""

    def __init__(self, program: Program | None) -> None:
        self.program = program
        self.assumed = False
        """Whether it is only what a pump of this model is made with."""


class _Span(NamedTuple):
    at: int
    slot: _Slot | None
    """None: stopped."""
    began: LogEntry | None
    """Where it began; None: earlier than is known."""
    by: What | None
    """What made it; None: nothing that is known, or the pump's maker."""
    seen: LogEntry | None
    """The oldest entry that is known of it."""


class Stretch(NamedTuple):
    """From one change to the next: what was in force."""

    began: LogEntry | None
    """The log's entry of its beginning; None: earlier than is known."""
    by: What | None
    """What began it; None: nothing that is known, or the pump's maker."""
    program: Program | None
    """None: stopped."""
    assumed: bool
    """Whether the program is only what a pump of this model is made with."""
    seen: LogEntry | None
    """The oldest entry of the log that is known of it."""


class Course(NamedTuple):
    """All that can be told of what was in force, the oldest first."""

    stretches: tuple[Stretch, ...]
    neutral: tuple[LogEntry, ...]
    """Changes that brought no program, among them a clock that was set and a patient."""
    missing: str | None
    """Why nothing is known of what was before them; None: they reach back to the beginning."""


def in_force(
    log: PumpLog, state: PumpState, journal: Journaled, least: Flow, since: int
) -> tuple[Ordered, ...]:
    """All that was in force since this count and, before it, back to the last dose that ran.

    That one is told as of the oldest entry that was read of it, however long it had run.
    `least` is the model's minimum flow. Raises NotKnown where something cannot be told.
    """
    log.since(since)
    spans = list(_Walk(log, state, journal, least).back_to(since))  # only then all are named
    return tuple(
        Ordered(each.at, each.slot.program if each.slot else None) for each in reversed(spans)
    )


def all_in_force(log: PumpLog, state: PumpState, journal: Journaled, least: Flow) -> Course:
    """Everything that was in force, as far back as it can be told; never an error."""
    walk = _Walk(log, state, journal, least)
    missing: str | None = None
    try:
        spans = list(walk.back_to(None))
    except NotKnown as error:
        missing = str(error)
        spans = [*walk.told, *walk.begun_earlier()]
    named = list[Stretch]()
    for span in spans:  # the newest first: the first that nobody can name ends it
        if span.slot is not None and span.slot.program is None:
            break
        slot = span.slot or _Slot(None)
        named.append(Stretch(span.began, span.by, slot.program, slot.assumed, span.seen))
    return Course(tuple(reversed(named)), tuple(walk.neutral), missing)


class _Walk:
    """One way back. `_slot` and `_stopped` are what was in force after the change it stands at."""

    def __init__(self, log: PumpLog, state: PumpState, journal: Journaled, least: Flow) -> None:
        self.told: list[_Span] = []
        self.neutral: list[LogEntry] = []
        self._unnamed = True
        self._version = int(state.state_version)
        self._log, self._state, self._journal, self._least = log, state, journal, least
        fallback = state.delivery is Delivery.FALLBACK
        self._slot = _Slot(None if fallback else state.program)
        self._stopped = state.delivery is Delivery.STOPPED
        self._stopped_at: int | None = None
        if state.stopped_for is not None:
            self._stopped_at = state.counter_ms - state.stopped_for.quanta

    def back_to(self, since: int | None) -> Iterator[_Span]:
        """The newest first; a slot that is still empty is filled before this ends.

        It ends with the last dose that ran at this count, or with the pump's first entry.
        """
        for span in self._back_to(since):
            self.told.append(span)
            yield span

    def begun_earlier(self) -> Iterator[_Span]:
        """After a NotKnown: what was in force where it stands, if nothing contradicts it."""
        if self._unnamed:
            seen = self._log.naming(self._version)
            yield _Span(0, None if self._stopped else self._slot, None, None, seen)

    def _back_to(self, since: int | None) -> Iterator[_Span]:
        until = self._state.counter_ms
        while True:
            version = self._version
            begun = self._log.naming(version)
            if begun is not None and self._enough(begun, until, since):
                yield _Span(begun.counter_ms, self._slot, None, None, begun)
                return
            change = self._log.maker(version)
            if change is None:  # as it was made, at the model's minimum rate
                if self._slot.program is None:
                    self._slot.program, self._slot.assumed = self._steady(None), True
                oldest = self._log.oldest
                slot = None if self._stopped else self._slot
                yield _Span(oldest.counter_ms, slot, oldest, None, oldest)
                return
            what = _kind(change)
            if what is None:
                self.neutral.append(change)
            else:
                self._unnamed = False
                before = self._name(change, what)
                slot = None if self._stopped else self._slot
                yield _Span(change.counter_ms, slot, change, what, change)
                if self._enough(change, until, since):
                    return
                self._step_over(change, what, before)
                self._unnamed = True
                until = change.counter_ms
            self._version -= 1

    def _enough(self, begun: LogEntry, until: int, since: int | None) -> bool:
        """Whether a dose ran at this count that began no later than with this entry."""
        return since is not None and begun.counter_ms < min(until, since + 1) and self._doses

    @property
    def _doses(self) -> bool:
        """Whether a prescribed dose ran here, and it is known which."""
        return not self._stopped and prescribed(self._slot.program) is not None

    def _name(self, change: LogEntry, what: What) -> _Slot:
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

    def _step_over(self, change: LogEntry, what: What, before: _Slot) -> None:
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


def _kind(change: LogEntry) -> What | None:
    """What a change of the state version was to therapy; None: nothing. NotKnown for others."""
    operation = change.get("operation_kind")
    if change.kind == "stopped":
        return "stopped"
    if change.kind == "fallback":
        return "fallback"
    if operation in BRINGS_A_PROGRAM:
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
