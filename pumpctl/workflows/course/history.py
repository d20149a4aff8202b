"""Which programs a pump ran, from when to when and by whom, and what happened meanwhile.

The pump's log and this station's journal together (`in_force`); where no pump
answers, what the journal alone knows, by the station's clock. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.errors import StoreError
from pumpctl.named import NamedTuple
from pumpctl.pump.encode import program_hash, program_of
from pumpctl.quantities import Rate
from pumpctl.station.journal import Entry, Journal
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import PumpState
from pumpctl.wire.fields import WireError
from pumpctl.workflows.course.in_force import Course, Stretch, all_in_force
from pumpctl.workflows.course.pump_log import PumpLog
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit, visit


class By(NamedTuple):
    """Who did it: the operation, and its operator where this station's journal knows it."""

    operation: str
    operator: str | None
    """None: another station."""
    reason: str = ""


class Event(NamedTuple):
    """What happened while a program was in force."""

    what: str
    """`stopped`, `resumed`, `refilled` or `fallback`."""
    at: Moment
    counter_ms: int
    by: By | None
    """None: the pump itself."""
    rate: Rate | None = None
    """Of the fallback."""


class Held(NamedTuple):
    """A program, for as long as it was the pump's. Times are the pump's clock face."""

    program: Program
    hash: bytes | None
    """None: not told by anybody, but what a pump of this model is made with."""
    begin: Moment | None
    """None: earlier than is known."""
    begin_counter_ms: int | None
    end: Moment | None
    """None: it is in force."""
    end_counter_ms: int | None
    by: By | None
    """Which operation brought it; None: nothing that is known, or the pump's maker."""
    events: tuple[Event, ...]


class Face(NamedTuple):
    """From this count on the pump's clock was so far ahead of its counter, in ms of UTC."""

    counter_ms: int
    shift_ms: int
    set_here: bool = False


class History(NamedTuple):
    """What is known of the programs of one pump."""

    serial: str
    model: str
    held: tuple[Held, ...]
    """The newest first."""
    incomplete: str | None
    """Why it ends where it ends; None: it reaches back to the pump's first entry."""
    course: Course
    faces: tuple[Face, ...]
    """What the pump's clock showed, the oldest first."""
    state: PumpState


class Ours:
    """This station's entries of one pump, read once; none where the journal cannot be read."""

    def __init__(self, station: Station, serial: str) -> None:
        self._all: list[Entry] = []
        if not station.home.journal.exists():
            return
        try:
            with Journal(station.home.journal) as journal:
                self._all = journal.entries(pump=serial)
        except StoreError as error:
            station.tell(f"{error.message}: who did what from here is not shown")

    def entries(self, *, pump: str | None = None, operation: str | None = None) -> list[Entry]:
        """Entries in order, all or of one operation."""
        return [
            each
            for each in self._all
            if pump in (None, each.pump) and operation in (None, each.operation)
        ]

    def by(self, operation: str) -> By:
        """Who it was, and why where that was asked."""
        found = By(operation, None)
        for entry in self.entries(operation=operation):
            if entry.kind == "intent":
                found = found._replace(operator=str(entry.body.get("operator") or "") or None)
            reason = entry.body.get("reason") if entry.kind in ("intent", "reason") else None
            if isinstance(reason, str) and reason:
                found = found._replace(reason=reason)
        return found


# --- the history ------------------------------------------------------------------------


def history(station: Station) -> History:
    """Every program that the pump on the line ran, as far back as it can be told. Reads only."""
    with visit(station, changes=False) as open_visit:
        return history_of(open_visit)


def history_of(open_visit: Visit, state: PumpState | None = None) -> History:
    """The same in a visit that is open."""
    state = open_visit.state() if state is None else state
    ours = Ours(open_visit.station, open_visit.serial)
    log, least = PumpLog(open_visit.pump, state), open_visit.pump.identity.least_flow
    course = all_in_force(log, state, ours, least)
    held = tuple(_held(course.stretches, ours))
    faces = (*_faces(log, course), Face(state.counter_ms, state.clock.utc_ms - state.counter_ms))
    return History(state.serial, state.model, held[::-1], course.missing, course, faces, state)


def _held(stretches: tuple[Stretch, ...], ours: Ours) -> Iterator[Held]:
    """The oldest first: stretches of one program together, with what happened meanwhile."""
    open_: Held | None = None
    earlier: tuple[Event, ...] = ()
    for each in stretches:
        event = _event(each, open_, ours)
        if each.program is None and open_ is None:
            earlier += () if event is None else (event,)  # a stop of what runs after the resume
        elif event is not None and open_ is not None:
            open_ = open_._replace(events=(*open_.events, event))
        elif each.program is not None:
            if open_ is not None and each.began is not None:
                yield open_._replace(end=each.began.time, end_counter_ms=each.began.counter_ms)
            open_ = _begun(each, each.program, ours)
            if event is not None:
                open_ = open_._replace(events=(*earlier, event))
    if open_ is not None:
        yield open_


def _begun(stretch: Stretch, program: Program, ours: Ours) -> Held:
    """A program from its beginning on; of one that was only resumed that is not known."""
    told = stretch.by != "fallback" and not stretch.assumed
    hashed = program_hash(program) if told else None
    began = stretch.began
    if began is None or stretch.by == "resume":
        return Held(program, hashed, None, None, None, None, None, ())
    by = None if began.operation is None else ours.by(str(began.operation))
    return Held(program, hashed, began.time, began.counter_ms, None, None, by, ())


def _event(stretch: Stretch, open_: Held | None, ours: Ours) -> Event | None:
    """What the beginning of a stretch was to the program of before; None: it brings another."""
    began, program = stretch.began, stretch.program
    if began is None:
        return None
    by = None if began.operation is None else ours.by(str(began.operation))
    what = {"resume": "resumed", "stopped": "stopped"}.get(stretch.by or "")
    if open_ is not None:
        if stretch.by == "fallback":
            what = "fallback"
        elif program == open_.program and began.get("operation_kind") == "REFILL":
            what = "refilled"
    if what is None:
        return None
    rate = program.fallback if what == "fallback" and program is not None else None
    return Event(what, began.time, began.counter_ms, by, rate)


def _faces(log: PumpLog, course: Course) -> Iterator[Face]:
    """What the clock showed at every change that is known."""
    seen = {each.number: each for each in course.neutral}
    seen |= {each.seen.number: each.seen for each in course.stretches if each.seen is not None}
    for _, entry in sorted(seen.items()):
        shown, set_here = entry.time.utc_ms, entry.get("operation_kind") == "CLOCK"
        if set_here:  # the change itself is the next entry
            after = log.after(entry)
            new = None if after is None else after.get("new_utc_ms")
            shown = new if isinstance(new, int) else shown
        yield Face(entry.counter_ms, shown - entry.counter_ms, set_here)


# --- without a pump -------------------------------------------------------------------------


class Noted(NamedTuple):
    """A change that this station made, as its journal tells. `at` is the station's clock."""

    pump: str
    what: str
    """`program`, `refill`, `resume` or `stop`."""
    at: Moment
    program: Program | None
    by: By
    unknown: bool
    """Nobody knows yet whether the pump did it."""


def journal_alone(station: Station) -> tuple[Noted, ...]:
    """What was put on pumps from here, or on `--pump`: pump by pump, the newest first.

    Raises StoreError where the journal cannot be read.
    """
    if not station.home.journal.exists():
        return ()
    with Journal(station.home.journal) as journal:
        entries = journal.entries(pump=station.only)
    noted = list(_noted(entries))
    noted.reverse()
    return tuple(sorted(noted, key=lambda each: each.pump))


def _noted(entries: list[Entry]) -> Iterator[Noted]:
    open_ = {
        each.operation: str(each.body.get("outcome"))
        for each in entries
        if each.kind in ("outcome", "resolved")
    }
    for entry in entries:
        what = entry.body.get("kind")
        if entry.kind != "intent" or what not in ("program", "refill", "resume", "stop"):
            continue
        outcome = open_.get(entry.operation, "unknown")
        if outcome != "refused" and entry.operation is not None:
            by = By(entry.operation, str(entry.body.get("operator") or "") or None)
            program = _read(entry.body.get("program_bytes"))
            yield Noted(entry.pump, what, Moment.parse(entry.at), program, by, outcome != "applied")


def _read(written: object) -> Program | None:
    """A program as the journal keeps it; None where it keeps none."""
    try:
        return program_of(bytes.fromhex(written)) if isinstance(written, str) else None
    except (ValueError, WireError):
        return None
