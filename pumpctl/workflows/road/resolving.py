"""Resolve: what became of an operation of which nobody knows?

The pump's ledger is asked, and an id that it does not hold is voided there, so
that nothing late can apply. Where the ledger does not reach back to the plan,
the log decides; where that does not either, it stays unknown (BOL-03).
"""

from __future__ import annotations

from contextlib import suppress

from pumpctl.errors import LinkError, OutcomeUnknown, PortError, PumpRefused, StoreError
from pumpctl.named import NamedTuple
from pumpctl.outcomes import OperationId
from pumpctl.pump.entries import log_entry
from pumpctl.pump.pump import Known
from pumpctl.quantities import Mass
from pumpctl.station.journal import Entry, Journal
from pumpctl.station.unrecorded import Unrecorded
from pumpctl.therapy.state import PumpState
from pumpctl.wire.fields import WireError
from pumpctl.workflows.road.became import GIVEN, MayBe, kind_of, may_be, told_applied, told_refused
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit, visit

_BATCH = 400
_APPLYING = {"activated", "stopped", "resumed"}


class Resolution(NamedTuple):
    """The truth about one operation, or what may be true."""

    operation: str
    pump: str
    kind: str
    at: str
    """When it was sent, by the station's clock."""
    outcome: str
    """`applied`, `refused` or `unknown`."""
    state_version: int | None
    explanation: str
    delivered: Mass | None = None
    """What a bolus really gave, where it was one."""
    may_be: MayBe | None = None
    """Only while it is unknown."""


class Resolved(NamedTuple):
    """What came of asking."""

    found: tuple[Resolution, ...]
    """Of every open operation of this pump; of all, where no pump could be asked."""
    elsewhere: tuple[Entry, ...]
    """Open operations of other pumps."""
    state: PumpState | None
    """The pump as it is now."""
    error: OutcomeUnknown | None
    """Why something stays unknown, if anything does."""


def open_operations(station: Station, journal: Journal) -> list[Entry]:
    """Unresolved operations of the pump that was asked for, or of any."""
    Unrecorded(station.home.root).record(journal)
    return journal.unresolved(station.only)


def resolve(station: Station, journal: Journal) -> Resolved:
    """Resolve every open operation of the pump on the line; nothing found where none is open.

    What stays unknown is told with what may be true, and `error` says why. Raises
    StoreError where the truth cannot be written down.
    """
    waiting = open_operations(station, journal)
    fault = journal.fault()
    if fault is not None:
        station.tell(f"the journal is damaged ({fault}): an operation may be missing in it")
    if not waiting:
        return Resolved((), (), None, None)
    try:
        with visit(station, changes=True) as open_visit:
            return _resolve_on(open_visit, journal, waiting)
    except (PortError, LinkError, PumpRefused) as error:
        return Resolved(
            tuple(_unknown(each, error.message) for each in waiting),
            (),
            None,
            _not_known(waiting, error.message),
        )


def _resolve_on(open_visit: Visit, journal: Journal, waiting: list[Entry]) -> Resolved:
    here = [entry for entry in waiting if entry.pump == open_visit.serial]
    elsewhere = tuple(entry for entry in waiting if entry.pump != open_visit.serial)
    if not here:
        why = f"it is on pump {waiting[0].pump}, and {open_visit.serial} is on this line"
        error = _not_known(waiting, why, "connect the right pump, then run pumpctl resolve")
        return Resolved(tuple(_unknown(each, why) for each in waiting), (), None, error)
    found: list[Resolution] = []
    state: PumpState | None = None
    lost: str | None = None
    with suppress(LinkError, PumpRefused):  # it explains what follows; the truth needs it not
        state = open_visit.state()
    for entry in here:
        if lost is None:
            try:
                found.append(_resolve_one(open_visit, journal, entry, state))
                continue
            except (LinkError, PumpRefused) as error:
                lost = error.message
        found.append(_unknown(entry, lost))
    unknown = [one for one in found if one.outcome == "unknown"]
    error_ = None
    if unknown:
        still = [entry for entry in here if entry.operation in {one.operation for one in unknown}]
        error_ = _not_known(still, unknown[0].explanation)
    return Resolved(tuple(found), elsewhere, state, error_)


def _resolve_one(
    open_visit: Visit, journal: Journal, entry: Entry, state: PumpState | None
) -> Resolution:
    """Ask, judge, explain, write down."""
    known = open_visit.pump.resolve(OperationId.from_text(str(entry.operation)))
    judged = _judge(open_visit, entry, known)
    if judged is None:
        return _unknown(entry, "neither the pump's ledger nor its log reach back to it")
    applied, why = judged
    kind, outcome = kind_of(entry), "applied" if applied else "refused"
    held = known.result == "applied"
    delivered = known.delivered if held and kind in GIVEN else None
    if applied and kind in GIVEN and not held:
        explanation = f"{why}; the ledger no longer says how much was given: see pumpctl logs show"
    elif applied:
        explanation = f"{why}: {told_applied(entry, known.delivered, state)}"
    else:
        explanation = f"{why}: {told_refused(entry, state)}"
    body: dict[str, object] = {
        "outcome": outcome,
        "state_version": known.state_version,
        "operator": open_visit.station.operator,
        "why": explanation,
    }
    if delivered is not None:
        body["delivered"] = str(delivered)
    try:
        journal.append(
            "resolved",
            at=str(open_visit.now()),
            pump=entry.pump,
            operation=entry.operation,
            body=body,
        )
    except StoreError as error:
        error.changed = "yes" if applied else "no"
        raise
    return Resolution(
        str(entry.operation),
        entry.pump,
        kind,
        entry.at,
        outcome,
        known.state_version,
        explanation,
        delivered,
    )


def _unknown(entry: Entry, why: str) -> Resolution:
    return Resolution(
        str(entry.operation),
        entry.pump,
        kind_of(entry),
        entry.at,
        "unknown",
        None,
        why,
        may_be=may_be(entry),
    )


def _not_known(waiting: list[Entry], why: str, hint: str | None = None) -> OutcomeUnknown:
    first = waiting[0]
    more = f" (and {len(waiting) - 1} more)" if len(waiting) > 1 else ""
    return OutcomeUnknown(
        f"operation {first.operation} on pump {first.pump}{more} stays unknown: {why}",
        hint=hint
        or "watch the patient as said above, and run pumpctl resolve when the pump can be reached",
    )


def _judge(open_visit: Visit, entry: Entry, known: Known) -> tuple[bool, str] | None:
    """Whether it was applied, and how that is known; None: it stays unknown."""
    if known.result == "applied":
        return True, f"the pump applied it, as state version {known.state_version}"
    told = entry.body.get("state_version")
    planned = told if isinstance(told, int) else 0  # then only the whole log can say no
    if known.reaches_back_to <= planned:
        return False, "the pump did not apply it, and has voided it so that it never will"
    logged = _in_log(open_visit, known.operation, planned)
    if logged is None:
        return None
    if logged:
        return True, "the pump's log holds its activation; other changes followed"
    return False, "the pump's log reaches back to it and does not hold it"


def _in_log(open_visit: Visit, operation: OperationId, planned: int) -> bool | None:
    """Does the log hold the activation? None where it does not reach back far enough."""
    number, end = open_visit.pump.log_range()
    reaches = number <= 1
    while number < end:
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
