"""The implant's record as a pump keeps it: what is in the patient, and what the line holds.

A value only. What a station's own record says, and which volumes follow from which
table, is in `line`; nothing here knows how a pump was asked, or what is done about
a difference between the two.
"""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from pumpctl.named import NamedTuple
from pumpctl.quantities import Length, Quantity
from pumpctl.therapy.line import Holds, LineParts, NotKnown
from pumpctl.therapy.moment import Moment


class Calibration(Quantity):
    """What one pulse moves, in pL: the factory's constant, printed on a pump's package."""

    __slots__ = ()
    KIND = "a calibration constant"
    UNITS: ClassVar[dict[str, int]] = {"uL": 1_000_000}
    FOREIGN: ClassVar[dict[str, int]] = {"mL": 10**9, "nL": 1_000, "pL": 1}


class Implanted(NamedTuple):
    """A pump and its line. The volumes are those that the pump goes by (REF-04)."""

    model: str
    serial: str
    per_pulse: Fraction
    """nL: the factory's calibration constant, to be checked against the package."""
    made: Moment
    tag_hash: bytes | None
    """Eight bytes of serial and patient tag; None where no patient is assigned."""
    table_version: int
    """The version of the table from which the volumes came."""
    parts: LineParts
    catheter_model: str | NotKnown
    trimmed: Length | NotKnown
    tip_level: str
    """`T10`; empty where nobody wrote it down."""
    tubing: Holds
    catheter: Holds
    recorded: Moment
    """When the record was last revised."""

    @property
    def calibration(self) -> Calibration:
        """`per_pulse` as it is printed on the package; whole pL, as the pump tells it."""
        return Calibration(int(self.per_pulse * 1_000))
