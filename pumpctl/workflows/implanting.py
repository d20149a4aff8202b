"""The implant's record as people and scripts write and read it, and what follows from it.

What was said becomes an act on the one road; showing changes nothing and needs no
library. Volumes come from the table alone (REF-04).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from pumpctl.errors import InputRefused, UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Length, Volume
from pumpctl.station.journal import Journal
from pumpctl.therapy.bridge import Impossible
from pumpctl.therapy.implanted import Calibration, Implanted
from pumpctl.therapy.line import (
    TABLES,
    UNKNOWN,
    Event,
    Holds,
    ImplantRecord,
    LineParts,
    NotKnown,
    line_parts,
    revised,
    superseded,
    table_of,
)
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.prime import PrimePlan
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.workflows.acts.implants import ImplantAct, described_record
from pumpctl.workflows.acts.patients import PatientAct
from pumpctl.workflows.acts.primes import PrimeAct, prime_act, prime_now
from pumpctl.workflows.course.pump_log import PumpLog
from pumpctl.workflows.decide.patient_records import checked_tag
from pumpctl.workflows.implants import (
    as_recorded,
    first_record,
    moved_since_record,
    record_of,
)
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit, visit

T = TypeVar("T")
SAID: Final = tuple(event for event in Event if event not in (Event.PRIME, Event.FRONT))
"""Events that a person may report; of the others the pump knows."""


class Said(NamedTuple):
    """What a person says of an implant; None: nothing is said of it."""

    catheter_model: str | NotKnown | None = None
    trimmed: Length | NotKnown | None = None
    tip_level: str | None = None
    """Empty: unknown."""
    tubing: Holds | None = None
    catheter: Holds | None = None
    calibration: Calibration | NotKnown | None = None
    table_version: int | None = None
    """None: the newest."""


class Line(NamedTuple):
    """What is known of the line on this pump; enough for `record_of`."""

    state: PumpState
    implant: Implanted
    log: PumpLog
    journal: Journal


class LineShown(NamedTuple):
    """A record, and what follows from it."""

    state: PumpState
    implant: Implanted
    recorded: ImplantRecord
    """As it was written."""
    now: ImplantRecord
    """What the line holds now."""
    moved: Volume
    """Since it was written."""
    corrected: tuple[LineParts, LineParts] | None
    """The record's volumes and the newest table's, where they differ."""
    prime: PrimePlan | Impossible | None
    """None where the record's volumes are of no table."""
    first: bool
    """Whether nobody has written a record yet."""


@contextmanager
def line_on(open_visit: Visit) -> Iterator[Line]:
    """What is asked of the line on the pump of this visit; nothing is changed."""
    state = open_visit.state()
    with Journal(open_visit.station.home.journal) as journal:
        yield Line(state, open_visit.pump.implant(), PumpLog(open_visit.pump, state), journal)


def look(station: Station) -> LineShown:
    """The record of the pump on the station's port, and what follows. Changes nothing."""
    with visit(station, changes=False) as open_visit, line_on(open_visit) as line:
        raw, first = as_recorded(line), first_record(line.implant)
        now, moved = record_of(line), moved_since_record(line)
        try:
            corrected, prime = superseded(raw), prime_now(line)[1]
        except InputRefused:  # a record that was lost names no table
            corrected, prime = None, None
        running = line.state.bolus
        if running is not None:
            prime = Impossible(f"a {running.kind} bolus is running", "ask again when it has ended")
        return LineShown(line.state, line.implant, raw, now, moved, corrected, prime, first)


def record_act(said: Said) -> Callable[[Visit], ImplantAct]:
    """Write the record after an implant: everything is said, "unknown" too."""

    def made(open_visit: Visit) -> ImplantAct:
        with line_on(open_visit) as line:
            record = ImplantRecord(
                pump_model=line.state.model,
                catheter_model=_said(said.catheter_model),
                trimmed=_said(said.trimmed),
                tip_level=said.tip_level or "",
                table_version=_version(said),
                tubing=_said(said.tubing),
                catheter=_said(said.catheter),
                changed=_now(open_visit, line),
                event=Event.IMPLANT,
            )
            return _act(line, record, said)

    return made


def revise_act(event: Event, said: Said) -> Callable[[Visit], ImplantAct]:
    """Revise it after an event: what that touches and nobody states is unknown from then on."""

    def made(open_visit: Visit) -> ImplantAct:
        with line_on(open_visit) as line:
            now = _held_now(line)
            other_pump = event is Event.REPLACEMENT and first_record(line.implant)
            if other_pump:  # nobody has told the new pump of the catheter
                now = now._replace(catheter_model=UNKNOWN, trimmed=UNKNOWN, tip_level="")
            record = revised(
                now,
                event,
                _now(open_visit, line),
                tubing=said.tubing,
                catheter=said.catheter,
                trimmed=said.trimmed,
            )
            model, tip = said.catheter_model, said.tip_level
            record = record._replace(
                pump_model=line.state.model,
                catheter_model=record.catheter_model if model is None else model,
                tip_level=record.tip_level if tip is None else tip,
                table_version=_version(said),
            )
            if model is UNKNOWN:
                record = record._replace(trimmed=UNKNOWN)
            return _act(line, record, said)

    return made


def assign_act(tag: str | None) -> Callable[[Visit], PatientAct]:
    """Assign the pump to this patient; None: to nobody. UsageError for what is no tag."""
    if tag is not None:
        checked_tag(tag)

    def made(open_visit: Visit) -> PatientAct:
        return PatientAct(open_visit.serial, tag or "", open_visit.state().program)

    return made


def priming_act(open_visit: Visit) -> PrimeAct:
    """The prime that the record allows now."""
    with line_on(open_visit) as line:
        return prime_act(line)


def event_from(text: str) -> Event:
    """The event that somebody names; UsageError for any other word."""
    said = " ".join(text.split()).lower()
    for event in SAID:
        if event is not Event.IMPLANT and event.value == said:
            return event
    raise UsageError(
        f"--event {text!r:.60}: no such event",
        hint=", ".join(event.value for event in SAID if event is not Event.IMPLANT),
    )


def _act(line: Line, record: ImplantRecord, said: Said) -> ImplantAct:
    line_parts(record)  # InputRefused here and now for models and lengths of no table
    return ImplantAct(
        record=record,
        printed=UNKNOWN if said.calibration is None else said.calibration,
        pulses=line.state.pulses,
        before=described_record(record_of(line), line.implant.parts),
        running=line.state.program,
    )


def _held_now(line: Line) -> ImplantRecord:
    """The record, with unknown where the pump has partly filled what it names."""
    record, moved = record_of(line), moved_since_record(line)
    reservoir = Fluid(line.state.drug, line.state.concentration)
    if not moved or record.holds == reservoir:
        return record
    tubing = record.tubing if record.tubing == reservoir else UNKNOWN
    return record._replace(tubing=tubing, catheter=UNKNOWN)


def _version(said: Said) -> int:
    if said.table_version is None:
        return TABLES[-1].version
    return table_of(said.table_version).version


def _now(open_visit: Visit, line: Line) -> Moment:
    """The station's clock, on UTC; later than the pump was made, as `first_record` asks."""
    return Moment(max(open_visit.now().utc_ms, line.implant.made.utc_ms + 1))


def _said(value: T | None) -> T | NotKnown:
    return UNKNOWN if value is None else value
