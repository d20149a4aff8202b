"""When a patient's dose was last raised, as this station's journal tells: without a pump.

From the programs that were put on this patient's pumps from here, and the stops
between. What is an increase is `past`'s one definition. The times are the station's
clock's, so that this is no more than what a person would look up; the pump's own
counter decides when a change is planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from pumpctl.named import NamedTuple
from pumpctl.pump.encode import from_wire
from pumpctl.therapy import label
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.past import Ordered, Past, prescribed
from pumpctl.therapy.patient import Patient, tag_hash
from pumpctl.therapy.practice import STOPPED_HARD
from pumpctl.therapy.program import Program
from pumpctl.wire.fields import WireError
from pumpctl.wire.program import program_from
from pumpctl.workflows.decide.patient_records import to_read

if TYPE_CHECKING:
    from pumpctl.station.journal import Entry
    from pumpctl.workflows.surroundings import Station

_BRINGS = ("program", "refill", "resume")
"""Kinds of operation after which the program of the intent is in force."""


class Told(NamedTuple):
    """An instant that the journal tells."""

    at: Moment
    unknown: bool
    """Nobody knows yet whether the pump was changed: the intent is there, no outcome."""
    rehearsal: bool
    """On a rehearsal's clock, of a pump in bench mode."""


class DoseHistory(NamedTuple):
    """What the journal tells of one patient's dose; None: nothing."""

    started: Told | None = None
    """When therapy began, or began again, where the label's first day is asked."""
    increased: Told | None = None
    latest: Program | None = None
    """The last program that was put on this patient's pump from here."""


class _Change(NamedTuple):
    """A change of what is in force; `program` None: stopped."""

    told: Told
    program: Program | None
    before: Program | None


def dose_history(station: Station, patient: Patient, now: Moment) -> DoseHistory:
    """Until `now`. A rehearsal that lies ahead of it has not been, and is left out.

    StoreError where the journal is damaged.
    """
    with to_read(station, "intent", patient.tag) as kept:
        entries = [] if kept is None else kept.journal.entries()
    pumps = dict.fromkeys(each.pump for each in entries if each.pump)
    changes = [
        list(_changes([each for each in entries if each.pump == pump], pump, patient.tag, now))
        for pump in pumps
    ]
    started: list[Told] = []
    increased: list[Told] = []
    for found in changes:
        for piece in _pieces(found):
            started += _starts(piece, patient.history)
            increased += _increases(piece)
    last = max((found[-1] for found in changes if found), key=_when, default=None)
    return DoseHistory(
        max(started, key=_at, default=None),
        max(increased, key=_at, default=None),
        None if last is None else last.program,
    )


def _at(told: Told) -> int:
    return told.at.utc_ms


def _when(change: _Change) -> int:
    return change.told.at.utc_ms


def _changes(entries: list[Entry], pump: str, tag: str, now: Moment) -> Iterator[_Change]:
    """Of this patient, in the order in which they were made."""
    ours, fates = tag_hash(pump, tag).hex(), dict(_fates(entries))
    running = False
    for entry in entries:
        body, fate = entry.body, fates.get(entry.operation)
        if entry.kind != "intent" or fate is None:
            continue
        told = Told(
            Moment.parse(fate.at),
            fate.body.get("outcome") != "applied",
            body.get("rehearsal") is True,
        )
        if told.rehearsal and told.at.utc_ms > now.utc_ms:
            continue
        if body.get("kind") == "stop" and running:
            yield _Change(told, None, None)
        elif body.get("kind") in _BRINGS:
            program = _program(body.get("program_bytes"))
            running = program is not None and body.get("tag") == ours
            if running:
                yield _Change(told, program, _program(body.get("old_program_bytes")))


def _fates(entries: Iterable[Entry]) -> Iterator[tuple[str | None, Entry]]:
    """The entry that tells when each operation took effect; none for one that did not.

    An outcome that was resolved later took effect when it was meant to, and one that is
    not known may have.
    """
    open_: dict[str | None, Entry] = {}
    for entry in entries:
        if entry.kind == "intent":
            open_[entry.operation] = entry
        elif entry.kind in ("outcome", "resolved") and entry.operation in open_:
            what = entry.body.get("outcome")
            if what == "refused":
                del open_[entry.operation]
            elif what == "applied":
                at = entry.at if entry.kind == "outcome" else open_[entry.operation].at
                open_[entry.operation] = entry._replace(at=at)
    yield from open_.items()


def _pieces(changes: list[_Change]) -> Iterator[list[_Change]]:
    """Cut where the station's clock ran back: no elapsed time reaches over that."""
    pairs = enumerate(pairwise(changes), 1)
    cuts = [number for number, (one, next_) in pairs if _when(next_) < _when(one)]
    for start, end in pairwise((0, *cuts, len(changes))):
        if start < end:
            yield changes[start:end]


def _increases(piece: list[_Change]) -> Iterator[Told]:
    """Every increase, by the one definition of it."""
    first = piece[0]
    ordered = [Ordered(_when(first) - DAY_MS, first.before)]
    ordered += [Ordered(_when(each), each.program) for each in piece]
    past = Past(tuple(ordered), began=None, flowed=None)
    raised = set(past.increases())
    return (each.told for each in piece if each.program and _when(each) in raised)


def _starts(piece: list[_Change], history: str | None) -> Iterator[Told]:
    """When a dose began: after none for a new patient, after more than 48 h without for all."""
    dosed = begun = prescribed(piece[0].before) is not None
    since: int | None = None
    for change in piece:
        gives = prescribed(change.program) is not None
        if gives and not dosed:
            pause = None if since is None else _when(change) - since
            if (not begun and history in label.NEW) or (
                pause is not None and pause > STOPPED_HARD.value.quanta
            ):
                yield change.told
            begun = True
        if dosed and not gives:
            since = _when(change)
        dosed = gives


def _program(written: object) -> Program | None:
    """A program as the journal keeps it; None where it keeps none."""
    try:
        return from_wire(program_from(bytes.fromhex(written))) if isinstance(written, str) else None
    except (ValueError, WireError):
        return None
