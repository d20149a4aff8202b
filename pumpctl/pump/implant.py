"""The pump's implant record as a value of the therapy floor, and back.

Apart from `pump`, as `encode` and `entries` are. Decides nothing: what the record
means for a prime or a bridge is known to `therapy/`.
"""

from __future__ import annotations

from fractions import Fraction

from pumpctl.errors import Corrupt
from pumpctl.named import NamedTuple
from pumpctl.pump.encode import drug_code, drug_name
from pumpctl.quantities import Concentration, Length, Volume
from pumpctl.therapy.implanted import Implanted
from pumpctl.therapy.line import FREE, UNKNOWN, Holds, LineParts, LineVolume, NotKnown
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Fluid
from pumpctl.wire import codes
from pumpctl.wire.messages_implant import Implant, ImplantRecord, Part
from pumpctl.wire.quanta import Drug

_PL_PER_NL = 1_000


class Recorded(NamedTuple):
    """The part of an implant's record that is revised: the line, and what it holds."""

    table_version: int
    parts: LineParts
    catheter_model: str | NotKnown
    trimmed: Length | NotKnown
    tip_level: str
    tubing: Holds
    catheter: Holds
    at: Moment
    """On UTC."""


def recorded(record: ImplantRecord) -> Recorded:
    """What the pump's record says; Corrupt where it contradicts itself."""
    if record.catheter_low > record.catheter_high:
        raise Corrupt("the pump's implant record has a catheter of less than no volume")
    catheter = LineVolume(Volume(record.catheter_low), Volume(record.catheter_high))
    return Recorded(
        record.table,
        LineParts(Volume(record.tubing), catheter),
        record.catheter_model or UNKNOWN,
        UNKNOWN if record.trimmed is None else Length(record.trimmed),
        record.tip_level,
        _holds(record.tubing_holds),
        _holds(record.catheter_holds),
        Moment(record.recorded_at),
    )


def record_message(record: Recorded) -> ImplantRecord:
    """The same as the pump is told it."""
    model, trimmed = record.catheter_model, record.trimmed
    return ImplantRecord(
        table=record.table_version,
        tubing=record.parts.tubing.quanta,
        catheter_model=model if isinstance(model, str) else "",
        trimmed=trimmed.quanta if isinstance(trimmed, Length) else None,
        catheter_low=record.parts.catheter.low.quanta,
        catheter_high=record.parts.catheter.high.quanta,
        tip_level=record.tip_level,
        tubing_holds=_part(record.tubing),
        catheter_holds=_part(record.catheter),
        recorded_at=record.at.utc_ms,
    )


def implanted(told: Implant) -> Implanted:
    """What the message says, its times on UTC; Corrupt where it contradicts itself."""
    record = recorded(told.record)
    return Implanted(
        told.model,
        told.serial,
        Fraction(told.calibration, _PL_PER_NL),
        Moment(told.made_at),
        told.tag,
        record.table_version,
        record.parts,
        record.catheter_model,
        record.trimmed,
        record.tip_level,
        record.tubing,
        record.catheter,
        record.at,
    )


def _holds(part: Part) -> Holds:
    """A fluid, free of drug, or unknown: also a drug of which nobody knows how strong it is."""
    if part.holds is codes.Holds.FREE:
        return FREE
    if part.holds is codes.Holds.UNKNOWN or not part.concentration:
        return UNKNOWN
    return Fluid(drug_name(part.drug), Concentration(part.concentration))


def _part(holds: Holds) -> Part:
    if isinstance(holds, Fluid):
        return Part(codes.Holds.DRUG, drug_code(holds.drug), holds.concentration.quanta)
    kind = codes.Holds.FREE if holds is FREE else codes.Holds.UNKNOWN
    return Part(kind, Drug.BACLOFEN, 0)
