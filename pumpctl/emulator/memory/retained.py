"""The always-on domain: what moves with every instant and is never in flash.

A real pump keeps it in memory that does not lose its power. Here it is two
alternating copies at the front of the state file, each with a sequence number
and a check, written whole; the newest good one counts. Everything in it is a
value; what it means is known to the rooms that it comes from.
"""

from typing import Annotated, NamedTuple

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE, Store
from pumpctl.emulator.memory.stored import seal, unseal
from pumpctl.wire.fields import Blob, Fixed, Many, Reader, SInt, Struct, UInt, WireError
from pumpctl.wire.vocabulary import (
    U16,
    U32,
    U64,
    AlarmCode,
    BolusKind,
    Drug,
    Ms,
    Ng,
    Nl,
    OffsetMin,
    PgPerNl,
    UtcMs,
    Yes,
)

BigInt = Annotated[bytes, Blob(160)]
"""An integer of any size that a carry may need, big-endian."""
Picolitres = Annotated[int, UInt(8)]
Femtograms = Annotated[int, UInt(8)]


class Bolus(NamedTuple):
    """A bolus that is being given, metered at the concentration it began with."""

    kind: BolusKind
    dose: Ng
    over: Ms
    concentration: PgPerNl
    started: Ms
    """Counter."""
    day: U32
    """Local date, in days since 1970-01-01; with `minute` a scheduled bolus's identity."""
    minute: U16
    operation: Annotated[bytes, Fixed(16)]


class Plug(NamedTuple):
    """A piece of the line, filled with one fluid."""

    volume: Picolitres
    drug: Drug
    concentration: PgPerNl


class Given(NamedTuple):
    """Mass of one drug past the tip since the pump was made."""

    drug: Drug
    mass: Femtograms


class Raised(NamedTuple):
    """An alarm that has not been cleared."""

    code: AlarmCode
    since: UtcMs
    counter: Ms


class Retained(NamedTuple):
    """The whole domain at one instant."""

    boot: U32
    counter: Ms
    utc_base: UtcMs
    """Label when the counter was 0."""
    offset_min: OffsetMin
    host_offset: Annotated[int, SInt(8)]
    """Counter less host time, of a pump that is not frozen."""
    target: Ms
    """Counter to which a frozen pump has been told to go."""
    pulses: U64
    carry_num: BigInt
    carry_den: BigInt
    reservoir: Nl
    """The pump's own estimate."""
    contents: Picolitres
    """What is really there."""
    pumped: Picolitres
    line: Annotated[tuple[Plug, ...], Many(Struct(Plug), 16)]
    """From the tip back to the pump."""
    given: Annotated[tuple[Given, ...], Many(Struct(Given), 8)]
    boluses: Annotated[tuple[Bolus, ...], Many(Struct(Bolus), 8)]
    boluses_until: U64
    """Local label up to which scheduled boluses have had their turn (at most once each)."""
    hours_until: U64
    """Local hour up to which hour records are written."""
    alarms: Annotated[tuple[Raised, ...], Many(Struct(Raised), 16)]
    pairing_until: Ms
    """Counter; 0 where pairing is closed."""
    staged: Yes
    log_next: U64
    flash_operations: U64
    checked_at: Ms


_STRUCT = Struct(Retained)
_MARK = b"RTND"


class RetainedStore:
    """The two copies."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sequence = 0

    def read(self) -> Retained | None:
        """The newest good copy, or None where both are bad."""
        best: Retained | None = None
        for page in image.RETAINED:
            payload = unseal(_MARK, self._store.read(page * PAGE, PAGE))
            if payload is None:
                continue
            sequence = int.from_bytes(payload[:8], "big")
            reader = Reader(payload[8:])
            try:
                retained = _STRUCT.get(reader)
                reader.finish()
            except WireError:
                continue
            if best is None or sequence > self._sequence:
                best, self._sequence = retained, sequence
        return best

    def write(self, retained: Retained) -> None:
        """Replace the older copy."""
        sequence = self._sequence + 1
        out = bytearray(sequence.to_bytes(8, "big"))
        _STRUCT.put(retained, out)
        page = image.RETAINED[sequence % 2]
        self._store.write(page * PAGE, seal(_MARK, bytes(out)))
        self._sequence = sequence
