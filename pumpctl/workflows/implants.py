"""What the implant's record says of the line now: the pump's own record, and what came since.

The pump keeps the record; by which event it came about is known where this station
wrote it. What was recorded is not what the line holds for ever: the pump's reckoning
of its line says what has displaced it. Nothing here changes a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from pumpctl.pump.implant import Recorded
from pumpctl.quantities import Length, Volume, round_up
from pumpctl.station.journal import Journal
from pumpctl.therapy.implanted import Implanted
from pumpctl.therapy.line import (
    FREE,
    UNKNOWN,
    Event,
    Holds,
    ImplantRecord,
    LineParts,
    filled,
    holds_from,
    holds_text,
    line_parts,
)
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.workflows.course.pump_log import NotKnown, PumpLog

_BACK = (2 * DAY_MS, 60 * DAY_MS)
"""How far back the log is asked first: a record is made at a visit, and used at that visit."""


class Knows(Protocol):
    """What of a scene is asked here."""

    @property
    def state(self) -> PumpState:
        """Of the pump, fresh."""

    @property
    def implant(self) -> Implanted:
        """The record as the pump keeps it."""

    @property
    def log(self) -> PumpLog:
        """The newest part of the pump's log."""

    @property
    def journal(self) -> Journal:
        """This station's."""


# --- a record as plans and journal keep it -----------------------------------------------


def written(record: ImplantRecord) -> dict[str, Any]:
    """The record in strings and integers; `record_from` reads it back."""
    return {
        "pump_model": record.pump_model,
        "table_version": record.table_version,
        "catheter_model": _text(record.catheter_model),
        "trimmed": _text(record.trimmed),
        "tip_level": record.tip_level,
        "tubing_holds": holds_text(record.tubing),
        "catheter_holds": holds_text(record.catheter),
        "at_utc_ms": record.changed.utc_ms,
        "event": record.event.value,
    }


def record_from(kept: Mapping[str, Any]) -> ImplantRecord:
    """The record that `written` wrote; ValueError, KeyError or QuantityError for anything else."""
    model, trimmed = str(kept["catheter_model"]), str(kept["trimmed"])
    return ImplantRecord(
        pump_model=str(kept["pump_model"]),
        catheter_model=UNKNOWN if model == UNKNOWN.value else model,
        trimmed=UNKNOWN if trimmed == UNKNOWN.value else Length.parse(trimmed),
        tip_level=str(kept["tip_level"]),
        table_version=int(kept["table_version"]),
        tubing=holds_from(str(kept["tubing_holds"])),
        catheter=holds_from(str(kept["catheter_holds"])),
        changed=Moment(int(kept["at_utc_ms"])),
        event=Event(kept["event"]),
    )


def recorded_of(record: ImplantRecord, parts: LineParts | None = None) -> Recorded:
    """The record as a pump is told it; InputRefused where its table has no such line.

    Without `parts` its volumes are those of the table.
    """
    return Recorded(
        record.table_version,
        line_parts(record) if parts is None else parts,
        record.catheter_model,
        record.trimmed,
        record.tip_level,
        record.tubing,
        record.catheter,
        Moment(record.changed.utc_ms),
    )


def _text(value: object) -> str:
    return UNKNOWN.value if value is UNKNOWN else str(value)


# --- what the pump's record says ----------------------------------------------------------


def as_recorded(knows: Knows) -> ImplantRecord:
    """The pump's record as it was written, and by which event, where this station wrote it."""
    told = knows.implant
    record = ImplantRecord(
        pump_model=told.model,
        catheter_model=told.catheter_model,
        trimmed=told.trimmed,
        tip_level=told.tip_level,
        table_version=told.table_version,
        tubing=told.tubing,
        catheter=told.catheter,
        changed=told.recorded,
        event=UNKNOWN,
    )
    if first_record(told):
        return record._replace(event=Event.IMPLANT)
    kept = _ours(knows, record)
    return record if kept is None else record._replace(event=Event(kept["event"]))


def first_record(told: Implanted) -> bool:
    """Whether it is still the one that the pump was made with: nobody has recorded anything."""
    return told.recorded.utc_ms == told.made.utc_ms


def record_of(knows: Knows) -> ImplantRecord:
    """The record, and what the line holds now as far as whole fluids go.

    What was recorded holds until the pump's own reckoning of its line shows another
    fluid at the tip: then what was recorded there has been displaced (`Event.FRONT`).
    While a first fluid is still on its way the record stays as it is, and
    `moved_since_record` says how far it has come. What cannot be told is unknown.
    """
    record, state = as_recorded(knows), knows.state
    line, reservoir = state.line, Fluid(state.drug, state.concentration)
    now = state.clock
    if line.front_remaining is None and line.at_tip == reservoir:
        if record.holds == reservoir:
            return record
        return filled(record, Event.FRONT, now, reservoir)
    at_tip: Holds = line.at_tip if line.at_tip.concentration else FREE
    if at_tip is FREE:
        if record.catheter in (FREE, UNKNOWN):
            return record
        return filled_with(record, now, UNKNOWN)  # the tubing's water has come to the tip
    if at_tip == record.catheter:
        return record
    if at_tip == record.tubing and not _all_displaced(knows):
        return filled_with(record, now, UNKNOWN)  # its own plug is passing
    return filled_with(record, now, at_tip)


def filled_with(record: ImplantRecord, at: Moment, holds: Holds) -> ImplantRecord:
    """The record once what it said of the line's contents has been displaced."""
    return record._replace(tubing=holds, catheter=holds, changed=at, event=Event.FRONT)


def _all_displaced(knows: Knows) -> bool:
    """Whether the recorded contents had left the line before the reservoir's fluid began."""
    line = knows.state.line
    ahead = line.volume if line.front_remaining is None else line.front_remaining
    begun = line.volume.quanta - ahead.quanta
    whole = knows.implant.parts.whole.high.quanta
    return moved_since_record(knows).quanta >= whole + max(0, begun)


def moved_since_record(knows: Knows) -> Volume:
    """Everything that the pump has moved since its record was written, rounded up.

    Counted in pulses from the entry of the pump's log, or from the count of our own
    plan where that is less; one pulse more for what is metered and not yet pushed.
    Where the log does not tell, every pulse there ever was: too much is the safe side,
    as so much less is primed.
    """
    state = knows.state
    since = min(_since(knows), state.pulses)
    pulses = state.pulses - since
    return Volume(round_up(knows.implant.per_pulse * (pulses + 1))) if pulses else Volume(0)


def _since(knows: Knows) -> int:
    """The pump's pulses when the record began to hold."""
    told = knows.implant
    if first_record(told):
        return 0
    entry = _entry(knows)
    if entry is None:
        return 0
    kept = _ours(knows, as_recorded(knows)._replace(event=UNKNOWN))
    return entry.pulses if kept is None else min(entry.pulses, int(kept["pulses"]))


def _entry(knows: Knows) -> LogEntry | None:
    """The log's newest entry of a record that was written; None where it is not to be had."""
    state, log = knows.state, knows.log
    starts = [max(0, state.counter_ms - back) for back in _BACK]
    for start in (*starts, 0):
        entries: tuple[LogEntry, ...] = ()
        try:
            entries = log.since(start)
        except NotKnown:
            with suppress(NotKnown, ValueError):  # the log is younger than that: what there is
                entries = log.since(log.oldest.counter_ms)
        found = [entry for entry in entries if entry.kind == "implant_set"]
        if found:
            return found[-1]
    return None


def _ours(knows: Knows, record: ImplantRecord) -> Mapping[str, Any] | None:
    """Our own intent of this very record, if it is ours."""
    wanted = written(record._replace(event=UNKNOWN))
    del wanted["event"]
    for entry in reversed(knows.journal.entries(pump=knows.state.serial)):
        if entry.kind != "intent" or entry.body.get("kind") != "implant":
            continue
        kept = entry.body.get("order")
        if isinstance(kept, dict) and all(kept.get(name) == wanted[name] for name in wanted):
            return kept
    return None
