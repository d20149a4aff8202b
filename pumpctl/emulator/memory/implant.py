"""Models and the implant record: what is fixed when a pump is made.

The factory's absolutes live here (this project's own choices where no source is
named) and are copied into the record, so that a pump keeps those it was made
with. Nothing here changes delivery or asks for a key's use.
"""

from typing import Annotated, NamedTuple

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import Flash, FlashError
from pumpctl.emulator.memory.stored import Twin
from pumpctl.wire.fields import Many, Reader, Struct, UInt, WireError
from pumpctl.wire.vocabulary import U8, Hash32, Name, Ng, Nl, Random16, UtcMs, Yes

FIRMWARE = "1.0.0"
"""Version of this firmware, which is not that of the tool."""
FORMAT = 1


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


MODELS = {
    "SP40": Model("SP40", capacity=40_000_000, tubing=140_000),
    "SP20": Model("SP20", capacity=20_000_000, tubing=140_000),
}
CATHETER = 208_000
"""nL: 110 cm less 30 cm, at 2.6 uL/cm."""
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
    pulse: Nl
    least_flow: Nl
    """nL/day"""
    most_flow: Nl
    """nL/day"""
    most_daily: Ng
    concentrations: Annotated[tuple[int, ...], Many(UInt(4), 8)]
    tubing: Nl
    catheter: Nl
    private: Hash32
    """The pump's own X25519 key."""
    secret: Random16
    """Printed on the implant card."""

    @property
    def line(self) -> int:
        """Tubing and catheter, nL."""
        return self.tubing + self.catheter


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
        model.pulse,
        model.least_flow,
        model.most_flow,
        model.most_daily,
        model.concentrations,
        model.tubing,
        CATHETER,
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
