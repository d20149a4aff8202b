"""Resolve: what became of an operation of which nobody knows?

The pump's ledger is asked, and an id that it does not hold is voided there, so
that nothing late can apply. Where the ledger does not reach back to the plan,
the log decides; where that does not either, it stays unknown (BOL-03).
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from pumpctl.errors import LinkError, OutcomeUnknown, PortError, PumpRefused, StoreError
from pumpctl.outcomes import OperationId
from pumpctl.pump.entries import log_entry
from pumpctl.pump.pump import Known
from pumpctl.station.journal import Entry, Journal
from pumpctl.station.unrecorded import Unrecorded
from pumpctl.therapy.state import PumpState
from pumpctl.wire.fields import WireError
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit, visit

_BATCH = 400
_APPLYING = {"activated", "stopped", "resumed"}


class Resolution(NamedTuple):
    """The truth about one operation."""

    operation: str
    pump: str
    outcome: str
    """`applied` or `refused`."""
    state_version: int
    explanation: str
    state: PumpState | None


def open_operations(station: Station, journal: Journal) -> list[Entry]:
    """Unresolved operations of the pump that was asked for, or of any."""
    Unrecorded(station.home.root).record(journal)
    return journal.unresolved(station.only)


def resolve(station: Station, journal: Journal) -> list[Resolution]:
    """Resolve every open operation of the pump on the line; [] where none is open.

    Raises OutcomeUnknown while the truth is not known: no answer from the pump,
    or neither ledger nor log reach back far enough.
    """
    waiting = open_operations(station, journal)
    if not waiting:
        return []
    try:
        with visit(station, changes=True) as open_visit:
            return _resolve_on(open_visit, journal, waiting)
    except (PortError, LinkError, PumpRefused) as error:
        first = waiting[0]
        raise OutcomeUnknown(
            f"operation {first.operation} on pump {first.pump} stays unknown: {error.message}",
            hint="the pump runs the old or the new program, each whole: watch for signs of "
            "overdose and of withdrawal, and run pumpctl resolve when the pump can be reached",
        ) from error


def _resolve_on(open_visit: Visit, journal: Journal, waiting: list[Entry]) -> list[Resolution]:
    here = [entry for entry in waiting if entry.pump == open_visit.serial]
    if not here:
        raise OutcomeUnknown(
            f"the open operation is on pump {waiting[0].pump}; {open_visit.serial} is on this line",
            hint="connect the right pump, then run pumpctl resolve",
        )
    found = []
    for entry in here:
        operation = OperationId.from_text(str(entry.operation))
        known = open_visit.pump.resolve(operation)
        outcome, explanation = _judge(open_visit, entry, known)
        try:
            journal.append(
                "resolved",
                at=str(open_visit.now()),
                pump=entry.pump,
                operation=entry.operation,
                body={
                    "outcome": outcome,
                    "state_version": known.state_version,
                    "operator": open_visit.station.operator,
                    "why": explanation,
                },
            )
        except StoreError as error:
            error.changed = "yes" if outcome == "applied" else "no"
            raise
        found.append(
            Resolution(
                str(entry.operation), entry.pump, outcome, known.state_version, explanation, None
            )
        )
    with suppress(LinkError, PumpRefused):  # the truth is written; this is for the eye
        found[-1] = found[-1]._replace(state=open_visit.state())
    return found


def _judge(open_visit: Visit, entry: Entry, known: Known) -> tuple[str, str]:
    if known.result == "applied":
        return (
            "applied",
            f"the pump applied it, and is at state version {known.state_version} since",
        )
    planned = int(entry.body["state_version"])
    if known.reaches_back_to <= planned:
        return "refused", "the pump did not apply it, and has voided it: it never will"
    logged = _in_log(open_visit, known.operation, planned)
    if logged is None:
        raise OutcomeUnknown(
            f"operation {entry.operation} stays unknown: "
            "neither the pump's ledger nor its log reach back to it"
        )
    if logged:
        return "applied", "the pump's log holds its activation; other changes followed"
    return "refused", "the pump's log reaches back to it and does not hold it"


def _in_log(open_visit: Visit, operation: OperationId, planned: int) -> bool | None:
    """Does the log hold the activation? None where it does not reach back far enough."""
    state = open_visit.state()
    number, reaches = state.log_first, state.log_first <= 1
    while number < state.log_next:
        batch = open_visit.pump.log(number, _BATCH)
        if batch.first != number:
            return None
        for raw in batch.entries:
            try:
                entry = log_entry(raw)
            except WireError:
                return None
            if entry.number != number:
                return None  # one that is missing could be the one that matters
            number += 1
            version = entry.get("state_version")
            if isinstance(version, int) and version <= planned:
                reaches = True
            if entry.operation == operation and entry.kind in _APPLYING:
                return True
        if not batch.entries:
            return None
    return False if reaches else None
