"""An implant's record and fluids for the tests of line, prime, bridge and bolus."""

from __future__ import annotations

from typing import Any

from pumpctl.quantities import Concentration, Length, Volume
from pumpctl.therapy.line import FREE, Event, ImplantRecord, LineVolume
from pumpctl.therapy.state import Fluid
from tests.therapy.samples import NOW

WEAK = Fluid("baclofen", Concentration(500))
STRONG = Fluid("baclofen", Concentration(2000))
OTHER = Fluid("morphine", Concentration(1000))


def implant(**other: Any) -> ImplantRecord:
    """A 40 mL pump, a catheter trimmed by 30 cm: 0.14 + 0.208 mL, all of it free of drug."""
    record = ImplantRecord(
        pump_model="SP40",
        catheter_model="SC110",
        trimmed=Length.parse("30 cm"),
        tip_level="T10",
        table_version=2,
        tubing=FREE,
        catheter=FREE,
        changed=NOW.plus(-20 * 86_400_000),
        event=Event.IMPLANT,
    )
    return record._replace(**other)


def volumes(low: str, high: str | None = None) -> LineVolume:
    """One volume, or two bounds."""
    return LineVolume(Volume.parse(low), Volume.parse(high or low))
