"""Bolus cancel: like a stop, the short way, which nothing may bar; the program goes on.

No plan, no gate, no library, no state version (STP-01). It ends whatever bolus runs, a
scheduled one too, and says what each had really given.
"""

from __future__ import annotations

from contextlib import suppress

from pumpctl.errors import ActNow, OutcomeUnknown, PumpctlError, PumpRefused
from pumpctl.named import NamedTuple
from pumpctl.outcomes import Applied, OperationId, Outcome, Refused, Unknown
from pumpctl.quantities import Mass
from pumpctl.station.journal import GENESIS
from pumpctl.therapy.boluses_seen import ENDED, LastBolus, last_bolus
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.state import PumpState
from pumpctl.workflows.look.newest import LogTail
from pumpctl.workflows.road.applying import outcome_body
from pumpctl.workflows.road.recording import Record
from pumpctl.workflows.visit import Visit


class Cancelled(NamedTuple):
    """A pump on which no bolus runs any more."""

    operation: OperationId
    state_version: int
    state: PumpState
    delivered: Mass
    """By all that were ended, as the pump says; nothing where none ran."""
    ended: tuple[LastBolus, ...] | None
    """What was ended, by the pump's log; None where the log could not be read."""
    unrecorded: str | None
    """Why the journal does not hold it, where it does not."""


def seen(visit: Visit) -> PumpState | None:
    """What runs, for the eye; None where it cannot be read, which never bars a cancel."""
    with suppress(PumpctlError):
        return visit.state()
    return None


def cancel(visit: Visit) -> Cancelled:
    """End every bolus that runs. Safe to repeat: where none runs, nothing is done.

    Raises OutcomeUnknown where no answer came (repeat it), PumpRefused for a missing
    pairing or role, ActNow where the pump said done and a bolus runs on.
    """
    operation = OperationId(visit.station.entropy(OperationId.SIZE))
    record = Record(visit.station, visit.serial, operation)
    body: dict[str, object] = {
        "kind": "bolus cancel",
        "operator": visit.station.operator,
        "state_version": visit.link.greeting.state_version,
        "rehearsal": visit.rehearsal,
    }
    head = record.write("intent", visit.now(), body) or GENESIS
    outcome = visit.pump.cancel_bolus(operation, head)
    told = outcome_body(outcome)
    if isinstance(outcome, Applied):
        told["delivered"] = str(outcome.delivered)
    record.write("outcome", visit.now(), told)
    return _cancelled(visit, operation, outcome, record.failure)


def _cancelled(
    visit: Visit, operation: OperationId, outcome: Outcome, unrecorded: str | None
) -> Cancelled:
    match outcome:
        case Unknown():
            raise OutcomeUnknown(
                f"nobody knows whether the bolus was cancelled: {outcome.why}",
                hint="run pumpctl bolus cancel again: it can be repeated; "
                "pumpctl stop ends a bolus, too, and all delivery with it",
            )
        case Refused():
            raise PumpRefused(
                f"the pump refused to cancel: {outcome.detail or outcome.code}",
                pump_code=outcome.code,
            )
        case Applied():
            pass
    tail = LogTail()
    try:
        state = visit.pump.condition()
        readable = tail.follow(visit.pump, state).failure is None
    except (Exception, KeyboardInterrupt) as error:  # whatever it was, the pump did answer
        raise ActNow(
            f"the pump said that no bolus runs, but could not be asked again: {error}"
        ) from error
    done = next((each for each in tail.entries if each.operation == operation), None)
    _refuse_running(state, done)
    ended = _ended(tail.entries, done) if readable and done is not None else None
    return Cancelled(operation, outcome.state_version, state, outcome.delivered, ended, unrecorded)


def _refuse_running(state: PumpState, done: LogEntry | None) -> None:
    """A bolus that began before the cancel must not run; a scheduled one may begin after it."""
    bolus = state.bolus
    if bolus is None:
        return
    if done is not None and bolus.started.utc_ms > done.time.utc_ms:
        return
    raise ActNow(
        f"the pump said that no bolus runs, but a {bolus.kind} bolus does: "
        f"{bolus.delivered} of {bolus.dose} given"
    )


def _ended(entries: tuple[LogEntry, ...], done: LogEntry) -> tuple[LastBolus, ...]:
    """What ended at the very instant of the cancel and after it, each with what it had given."""
    found = []
    for place, entry in enumerate(entries):
        after = entry.number > done.number and entry.counter_ms == done.counter_ms
        if after and entry.kind == ENDED:
            bolus = last_bolus(entries[: place + 1], None)
            if bolus is not None:
                found.append(bolus)
    return tuple(found)
