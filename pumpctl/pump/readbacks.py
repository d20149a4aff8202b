"""What a pump says it will do with what is staged: one value for each kind of act.

Read from the answer's bytes, which stay beside it: the same staging gives the same
bytes, so that two read-backs can be compared, and a plan file holds them. Times are
on UTC. Nothing here knows a line or what is thought of the figures.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple
from pumpctl.pump.encode import drug_name, from_wire
from pumpctl.pump.implant import Recorded, recorded
from pumpctl.quantities import Concentration, Duration, Mass, Volume
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Fluid
from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts as acts
from pumpctl.wire.fields import WireError
from pumpctl.wire.message import decode, encode
from pumpctl.wire.messages_implant import ImplantReadback


class DayFigures(NamedTuple):
    """One day of a read-back."""

    daily_dose: Mass
    volume: Volume
    largest_hour: Mass


class ProgramBack(NamedTuple):
    """What the pump will give, computed by the pump from the bytes that it has stored."""

    kind: str
    """`program` or `resume`: what is staged."""

    raw: bytes
    """The answer's bytes."""
    content: bytes
    program_hash: bytes
    tag: bytes
    program: Program
    days: tuple[DayFigures, ...]
    largest_24h: Mass


class BolusBack(NamedTuple):
    """A bolus, and where its mass goes by plug flow."""

    kind: str
    raw: bytes
    content: bytes
    bolus: str
    """`single` or `prime`."""
    dose: Mass
    volume: Volume
    over: Duration
    past_tip: Mass
    stays_in_line: Mass
    largest_24h: Mass


class Bridged(NamedTuple):
    """A bridge: so much of the line, counted from the injection, of this old fluid."""

    volume: Volume
    old: Fluid


class BridgeBack(NamedTuple):
    """The repair of a forgotten bridge: what will be played, at the old concentration."""

    kind: str
    raw: bytes
    content: bytes
    bridge: Bridged
    since: int
    """The pump's pulses at the injection."""
    program_hash: bytes
    """Of the program that is played."""
    days: tuple[DayFigures, ...]


class RefillBack(NamedTuple):
    """A refill: volume, fluid, bridge and program, made real in one activation."""

    kind: str
    raw: bytes
    content: bytes
    program_hash: bytes
    volume: Volume
    filled_at: Moment
    since: int
    bridge: Bridged | None
    program: Program
    largest_day: Mass
    largest_hour: Mass
    largest_24h: Mass


class ClockBack(NamedTuple):
    """A shift of the pump's label, in ms, its new offset, and the boluses jumped over."""

    kind: str
    raw: bytes
    content: bytes
    shift_ms: int
    offset_min: int
    missed: int


class PatientBack(NamedTuple):
    """The short hash of the patient before and afterwards; None: nobody."""

    kind: str
    raw: bytes
    content: bytes
    old: bytes | None
    new: bytes | None


class ImplantBack(NamedTuple):
    """The record of the implant, as it will be kept, and the line's volume by its upper bound."""

    kind: str
    raw: bytes
    content: bytes
    record: Recorded
    line: Volume


Readback = ProgramBack | BolusBack | BridgeBack | RefillBack | ClockBack | PatientBack | ImplantBack

_WireBack = (
    m.ProgramReadback
    | acts.BolusReadback
    | acts.BridgeReadback
    | acts.RefillReadback
    | acts.ClockReadback
    | acts.PatientReadback
    | ImplantReadback
)
WIRE_BACKS: tuple[type[_WireBack], ...] = (
    m.ProgramReadback,
    acts.BolusReadback,
    acts.BridgeReadback,
    acts.RefillReadback,
    acts.ClockReadback,
    acts.PatientReadback,
    ImplantReadback,
)


def readback_of(raw: bytes) -> Readback:
    """The read-back in these bytes, as a plan file keeps them; WireError where they are none."""
    told = decode(raw, from_station=False)
    if not isinstance(told, WIRE_BACKS):
        raise WireError(f"{type(told).__name__} is no read-back")
    return readback_from(told)


def readback_from(told: _WireBack) -> Readback:
    """The answer as a value of the therapy floor."""
    kind, raw, content = told.kind.name.lower(), encode(told), told.content
    match told:
        case m.ProgramReadback():
            return ProgramBack(
                kind,
                raw,
                content,
                told.program_hash,
                told.tag,
                from_wire(told.program),
                _days(told.days),
                Mass(told.largest_24h),
            )
        case acts.BolusReadback():
            return BolusBack(
                kind,
                raw,
                content,
                told.bolus.name.lower(),
                Mass(told.dose),
                Volume(told.volume),
                Duration(told.over),
                Mass(told.past_tip),
                Mass(told.stays_in_line),
                Mass(told.largest_24h),
            )
        case acts.BridgeReadback():
            return BridgeBack(
                kind,
                raw,
                content,
                _bridged(told.bridge),
                told.since,
                told.program_hash,
                _days(told.days),
            )
        case acts.RefillReadback():
            return RefillBack(
                kind,
                raw,
                content,
                told.program_hash,
                Volume(told.volume),
                Moment(told.filled_at),
                told.since,
                None if told.bridge is None else _bridged(told.bridge),
                from_wire(told.program),
                Mass(told.largest_day),
                Mass(told.largest_hour),
                Mass(told.largest_24h),
            )
        case acts.ClockReadback():
            return ClockBack(kind, raw, content, told.shift, told.offset, told.missed)
        case acts.PatientReadback():
            return PatientBack(kind, raw, content, told.old, told.new)
        case ImplantReadback():
            return ImplantBack(kind, raw, content, recorded(told.record), Volume(told.line))


def _bridged(told: acts.Bridge) -> Bridged:
    old = Fluid(drug_name(told.old_drug), Concentration(told.old_concentration))
    return Bridged(Volume(told.volume), old)


def _days(told: tuple[m.DayFigures, ...]) -> tuple[DayFigures, ...]:
    return tuple(
        DayFigures(Mass(day.dose), Volume(day.volume), Mass(day.largest_hour)) for day in told
    )
