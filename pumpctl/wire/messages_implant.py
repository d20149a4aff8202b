"""The implant's record in the pump: line, catheter and what they hold; looked at and revised.

What is fixed when a pump is made (model, serial, calibration) is told, never set.
Revising it is an act like any other: staged, read back, activated.
"""

from typing import Annotated

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Op
from pumpctl.wire.fields import Maybe, Struct, UInt
from pumpctl.wire.message import ANYONE, TREATS, answer, request
from pumpctl.wire.vocabulary import (
    U16,
    U32,
    Drug,
    Hash32,
    Holds,
    Kind,
    MaybeTag,
    Name,
    Nl,
    PgPerNl,
    TagHash,
    UtcMs,
)

MaybeMm = Annotated[int | None, Maybe(UInt(4))]


class Part(NamedTuple):
    """What a part of the line holds; drug and concentration count where it holds drug."""

    holds: Holds
    drug: Drug
    concentration: PgPerNl
    """0 where it holds no drug, or nobody knows."""


class ImplantRecord(NamedTuple):
    """The line from pump to tip. Volumes come from a versioned table, never typed (REF-04)."""

    table: U16
    """Version of the table of line volumes."""
    tubing: Nl
    catheter_model: Name
    """Empty where it is unknown."""
    trimmed: MaybeMm
    """mm cut off; nothing where nobody knows."""
    catheter_low: Nl
    """Bounds of the catheter's volume; equal where it is known."""
    catheter_high: Nl
    tip_level: Name
    """Of the spine, as "T10"; empty where it is unknown."""
    tubing_holds: Annotated[Part, Struct(Part)]
    catheter_holds: Annotated[Part, Struct(Part)]
    recorded_at: UtcMs


RecordField = Annotated[ImplantRecord, Struct(ImplantRecord)]


@request(Op.GET_IMPLANT, roles=ANYONE, reply=Op.IMPLANT)
class GetImplant(NamedTuple):
    """What is implanted, as the pump keeps it."""


@answer(Op.IMPLANT)
class Implant(NamedTuple):
    model: Name
    serial: Name
    calibration: U32
    """The factory's constant: true pL of one pulse; checked against the package."""
    made_at: UtcMs
    tag: MaybeTag
    record: RecordField


@request(Op.STAGE_IMPLANT, roles=TREATS, reply=Op.STAGED, stages=True)
class StageImplant(NamedTuple):
    """Revise the record: after an implant, a revision, an aspiration, a dye study."""

    tag: TagHash
    record: RecordField


@answer(Op.IMPLANT_READBACK)
class ImplantReadback(NamedTuple):
    kind: Kind
    content: Hash32
    record: RecordField
    line: Nl
    """Tubing and catheter, by the upper bound."""
