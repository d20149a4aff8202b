"""Stop: the short way, which nothing may bar.

No plan, no gate, no library, no state version (STP-01). The journal is tried;
what it cannot take is told with the operation id, and is no reason to refuse.
"""

from __future__ import annotations

from pumpctl.errors import (
    ActNow,
    OutcomeUnknown,
    PumpRefused,
    StoreError,
    UsageError,
)
from pumpctl.named import NamedTuple
from pumpctl.outcomes import Applied, OperationId, Outcome, Refused, Unknown
from pumpctl.station.journal import GENESIS
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Delivery, PumpState
from pumpctl.workflows.road.applying import outcome_body
from pumpctl.workflows.road.recording import Record
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit


class Stopped(NamedTuple):
    """A pump that stands still."""

    operation: OperationId
    state_version: int
    state: PumpState
    unrecorded: str | None
    """Why the journal does not hold it, where it does not."""


def unbarred(station: Station) -> Station:
    """The same station without what could bar a stop: a clock or a capture that cannot be had."""
    if station.rehearsal not in (None, "pump"):
        try:
            Moment.parse(station.rehearsal)
        except UsageError as error:
            station.tell(f"PUMPCTL_NOW is ignored: {error.message}")
            station = station._replace(rehearsal=None)
    if station.capture is not None:
        from pumpctl.transport.capture import check_writable

        try:
            check_writable(station.capture)
        except StoreError as error:
            station.tell(f"no capture is written: {error.message}")
            station = station._replace(capture=None)
    return station


def stop(visit: Visit, reason: str | None) -> Stopped:
    """Stop delivery now. Safe to repeat.

    Raises OutcomeUnknown where no answer came (repeat it: stopping twice is
    stopping), PumpRefused for a missing pairing or role, ActNow where the pump
    said done and does not stand.
    """
    operation = OperationId(visit.station.entropy(OperationId.SIZE))
    record = Record(visit.station, visit.serial, operation)
    body: dict[str, object] = {
        "kind": "stop",
        "operator": visit.station.operator,
        "reason": reason,
        "state_version": visit.link.greeting.state_version,
        "rehearsal": visit.rehearsal,
    }
    head = record.write("intent", visit.now(), body) or GENESIS
    outcome = visit.pump.stop(operation, head)
    record.write("outcome", visit.now(), outcome_body(outcome))
    return _stopped(visit, operation, outcome, record.failure)


def record_reason(station: Station, stopped: Stopped, reason: str) -> str | None:
    """Write down why, asked afterwards; the failure's text where that cannot be."""
    record = Record(station, stopped.state.serial, stopped.operation)
    tag = stopped.state.tag_hash
    told: dict[str, object] = {
        "kind": "stop",
        "reason": reason,
        "tag": None if tag is None else tag.hex(),
    }
    record.write("reason", station.wall(), told)
    return record.failure


def _stopped(
    visit: Visit, operation: OperationId, outcome: Outcome, unrecorded: str | None
) -> Stopped:
    match outcome:
        case Unknown():
            raise OutcomeUnknown(
                f"nobody knows whether the pump stopped: {outcome.why}",
                hint="run pumpctl stop again: stopping twice is stopping; "
                "if telemetry fails, the reservoir can be emptied by needle",
            )
        case Refused():
            raise PumpRefused(
                f"the pump refused to stop: {outcome.detail or outcome.code}",
                pump_code=outcome.code,
            )
        case Applied():
            pass
    try:
        state = visit.pump.condition()
    except (Exception, KeyboardInterrupt) as error:  # whatever it was, the pump did change
        raise ActNow(
            f"the pump said that it stopped, but could not be asked again: {error}"
        ) from error
    if state.delivery is not Delivery.STOPPED:
        raise ActNow(f"the pump said that it stopped, but it is {state.delivery.value}")
    return Stopped(operation, outcome.state_version, state, unrecorded)
