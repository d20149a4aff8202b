"""Models, and what is fixed when a pump is made: identity, absolutes, calibration, keys.

The factory's absolutes live here (this project's own choices where no source is
named) and are copied into the pump, so that it keeps those it was made with.
What is recorded of the implant later is in `implant_record`. Nothing here
changes delivery or asks for a key's use.
"""

from typing import Annotated

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import Flash, FlashError
from pumpctl.emulator.memory.stored import Twin
from pumpctl.named import NamedTuple
from pumpctl.wire.fields import Many, Reader, Struct, UInt, WireError
from pumpctl.wire.vocabulary import U8, U32, Hash32, Name, Ng, Nl, Random16, UtcMs, Yes

FIRMWARE = "1.1.0"
"""Version of this firmware, which is not that of the tool."""
FORMAT = 2


class Model(NamedTuple):
    """What pumps of one model have in common."""

    name: str
    capacity: int
    """nL"""
    tubing: int
    """nL; a versioned table per model, corrected once by a vendor"""
    pulse: int = 100
    """nL, nominal"""
    least_flow: int = 48_000
    """nL/day: the flow range of pumps of this kind is 0.048 to 24 mL/day"""
    most_flow: int = 24_000_000
    most_daily: int = 3_000_000
    """ng in any 24 hours; this project's choice"""
    concentrations: tuple[int, ...] = (500, 1000, 2000)
    """pg/nL of baclofen: the closed list that is supplied for pumps"""
    sensor: bool = False
    """Does it sense its reservoir's volume? Most pumps of this kind only compute it."""


MODELS = {
    "SP40": Model("SP40", capacity=40_000_000, tubing=140_000),
    "SP40S": Model("SP40S", capacity=40_000_000, tubing=140_000, sensor=True),
    "SP20": Model("SP20", capacity=20_000_000, tubing=140_000),
}
LOW_ALARM = 2_000_000
"""nL, in the factory's minimum-rate program."""


class Implant(NamedTuple):
    """One pump, as it was made. Written once."""

    format: U8
    model: Name
    serial: Name
    made_at: UtcMs
    bench: Yes
    frozen: Yes
    """Its time moves only by `advance`; a rehearsal's pump."""
    capacity: Nl
    sensor: Yes
    pulse: Nl
    """Nominal; everything is metered by it."""
    calibration: U32
    """The factory's measurement of it, pL."""
    least_flow: Nl
    """nL/day"""
    most_flow: Nl
    """nL/day"""
    most_daily: Ng
    concentrations: Annotated[tuple[int, ...], Many(UInt(4), 8)]
    private: Hash32
    """The pump's own X25519 key."""
    secret: Random16
    """Printed on the implant card."""


_STRUCT = Struct(Implant)
_MARK = b"IMPL"


def made(
    model: Model,
    *,
    serial: str,
    made_at: int,
    bench: bool,
    frozen: bool,
    private: bytes,
    secret: bytes,
) -> Implant:
    """The record of a new pump of this model."""
    return Implant(
        FORMAT,
        model.name,
        serial,
        made_at,
        bench,
        frozen,
        model.capacity,
        model.sensor,
        model.pulse,
        model.pulse * 1_000,
        model.least_flow,
        model.most_flow,
        model.most_daily,
        model.concentrations,
        private,
        secret,
    )


def twin(flash: Flash) -> Twin:
    """Where the record lies."""
    return Twin(flash, _MARK, image.IMPLANT)


def write(flash: Flash, implant: Implant) -> None:
    """At the factory only."""
    out = bytearray()
    _STRUCT.put(implant, out)
    twin(flash).write(bytes(out))
    flash.flush()


def read(flash: Flash) -> Implant:
    """The record; FlashError where neither copy is good, as then there is no pump."""
    payload = twin(flash).read().payload
    if payload is None:
        raise FlashError("both copies of the implant record are bad")
    reader = Reader(payload)
    try:
        implant = _STRUCT.get(reader)
        reader.finish()
    except WireError as error:
        raise FlashError(f"the implant record cannot be read: {error}") from error
    if implant.format != FORMAT:
        raise FlashError(f"an implant record of format {implant.format}")
    return implant
