"""The implant's record and the table of limits in flash: pairs of pages of their own.

Which pair is in force is said by the control block, so that a revision is real
together with everything else of its activation, or not at all. What the values
mean for delivery is not known here.
"""

from __future__ import annotations

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.implant import MODELS, Implant, Model
from pumpctl.emulator.memory.stored import Twin
from pumpctl.wire.codes import Drug, Holds
from pumpctl.wire.fields import Reader, Struct, WireError
from pumpctl.wire.messages_implant import ImplantRecord, Part

TABLE_VERSION = 2
"""Of the line volumes that a new pump's record is made by (tubing 0.140 mL)."""
CATHETER_MODEL = "SC110"
TRIMMED_MM = 300
CATHETER = 208_000
"""nL: 110 cm less 30 cm, at 2.6 uL/cm."""

_RECORD = b"RECD"
_LIMITS = b"LIMT"
_STRUCT = Struct(ImplantRecord)


def records(flash: Flash) -> tuple[Twin, ...]:
    """The two pairs of the implant's record."""
    return tuple(Twin(flash, _RECORD, place) for place in image.RECORD)


def limit_pairs(flash: Flash) -> tuple[Twin, ...]:
    """The two pairs of the limit table: its staging message's bytes."""
    return tuple(Twin(flash, _LIMITS, place, image.LIMITS_PAGES) for place in image.LIMITS)


def first_record(model: Model, concentration: int, made_at: int) -> ImplantRecord:
    """Of a new built-in pump: implanted, line primed with what is in the reservoir."""
    drug = Part(Holds.DRUG, Drug.BACLOFEN, concentration)
    return ImplantRecord(
        table=TABLE_VERSION,
        tubing=model.tubing,
        catheter_model=CATHETER_MODEL,
        trimmed=TRIMMED_MM,
        catheter_low=CATHETER,
        catheter_high=CATHETER,
        tip_level="",
        tubing_holds=drug,
        catheter_holds=drug,
        recorded_at=made_at,
    )


def unknown(implant: Implant) -> ImplantRecord:
    """What is left where both copies of the record are bad: the model's tubing, nothing else."""
    nothing = Part(Holds.UNKNOWN, Drug.BACLOFEN, 0)
    tubing = MODELS[implant.model].tubing if implant.model in MODELS else 0
    return ImplantRecord(0, tubing, "", None, 0, CATHETER, "", nothing, nothing, implant.made_at)


def record_bytes(record: ImplantRecord) -> bytes:
    """What is stored of it."""
    out = bytearray()
    _STRUCT.put(record, out)
    return bytes(out)


def record_in(pair: Twin) -> ImplantRecord | None:
    """The record of a pair, or None where neither copy is good."""
    payload = pair.read().payload
    if payload is None:
        return None
    reader = Reader(payload)
    try:
        record = _STRUCT.get(reader)
        reader.finish()
    except WireError:
        return None
    return record


def line_contents(record: ImplantRecord) -> tuple[object, ...]:
    """All that it says of what is in the line: two records that agree in it move nothing."""
    return record.tubing, record.catheter_high, record.tubing_holds, record.catheter_holds


def line_volume(record: ImplantRecord) -> int:
    """nL from pump to tip, by the upper bound: what is awaited arrives no earlier."""
    return record.tubing + record.catheter_high
