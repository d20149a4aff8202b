"""The pump's implant record as a value of the therapy floor.

Apart from `pump`, as `encode` and `entries` are. Decides nothing: what the record
means for a prime or a bridge is known to `therapy/`.
"""

from __future__ import annotations

from fractions import Fraction

from pumpctl.errors import Corrupt
from pumpctl.pump.encode import drug_name
from pumpctl.quantities import Concentration, Length, Volume
from pumpctl.therapy.implanted import Implanted
from pumpctl.therapy.line import FREE, UNKNOWN, Holds, LineParts, LineVolume
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Fluid
from pumpctl.wire import codes
from pumpctl.wire.messages_implant import Implant, Part

_PL_PER_NL = 1_000


def implanted(told: Implant) -> Implanted:
    """What the message says, its times on UTC; Corrupt where it contradicts itself."""
    record = told.record
    if record.catheter_low > record.catheter_high:
        raise Corrupt("the pump's implant record has a catheter of less than no volume")
    catheter = LineVolume(Volume(record.catheter_low), Volume(record.catheter_high))
    return Implanted(
        told.model,
        told.serial,
        Fraction(told.calibration, _PL_PER_NL),
        Moment(told.made_at),
        told.tag,
        record.table,
        LineParts(Volume(record.tubing), catheter),
        record.catheter_model or UNKNOWN,
        UNKNOWN if record.trimmed is None else Length(record.trimmed),
        record.tip_level,
        _holds(record.tubing_holds),
        _holds(record.catheter_holds),
        Moment(record.recorded_at),
    )


def _holds(part: Part) -> Holds:
    """A fluid, free of drug, or unknown: also a drug of which nobody knows how strong it is."""
    if part.holds is codes.Holds.FREE:
        return FREE
    if part.holds is codes.Holds.UNKNOWN or not part.concentration:
        return UNKNOWN
    return Fluid(drug_name(part.drug), Concentration(part.concentration))
