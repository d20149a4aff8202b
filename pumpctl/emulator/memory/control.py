"""The control block: the single place where a change becomes real.

It lies alternately at two places, each twice, with a sequence number; the
newest valid one is in force. Everything that must change together is in it, so
that one write is the whole commit. What a change means is not known here.
"""

from typing import Annotated

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.ledger import MOST as MOST_OPERATIONS
from pumpctl.emulator.memory.ledger import Entry
from pumpctl.emulator.memory.stored import Found, Twin
from pumpctl.named import NamedTuple
from pumpctl.wire.fields import Fixed, Many, Maybe, Reader, Struct, WireError
from pumpctl.wire.logentry import SIZE as LOG_ENTRY_SIZE
from pumpctl.wire.vocabulary import (
    U8,
    U32,
    U64,
    BolusKind,
    Drug,
    Hash32,
    KeyId,
    MaybeMs,
    MaybeTag,
    Ms,
    Name,
    Ng,
    Nl,
    OffsetMin,
    OpId,
    PgPerNl,
    PublicKey,
    Role,
    UtcMs,
    Yes,
)

MOST_KEYS = 16
MOST_ENTRIES = 8
NO_SLOT = 0xFF


class PairedKey(NamedTuple):
    """A key that may speak with this pump, what it may do, and what it has of the log."""

    key_id: KeyId
    public: PublicKey
    psk: Hash32
    role: Role
    operator: Name
    station: Name
    released: U64
    """This station holds every entry of the log below this number (TEL-05)."""


class Label(NamedTuple):
    """What the wall clock says. A clock set makes a new one."""

    number: U32
    utc_base: UtcMs
    """Label when the counter was 0."""
    offset_min: OffsetMin


class Fill(NamedTuple):
    """The last recorded refill."""

    number: U32
    drained: Nl
    injected: Nl
    volume: Nl
    """In the reservoir right after the injection."""
    since: U64
    """Pulses at the injection."""


class Bridging(NamedTuple):
    """A bridge: the old fluid is at the tip until `volume` has been displaced (REF-08)."""

    volume: Nl
    since: U64
    """Pulses at the injection."""
    drug: Drug
    concentration: PgPerNl
    """Of the old fluid; everything is metered by it."""
    plays: U8
    """Index of the slot whose program is played; NO_SLOT: the running one's masses."""
    operation: OpId


class Order(NamedTuple):
    """The bolus that somebody asked for and that runs: a clinician's, or the patient's own.

    Its end takes it away, together with what the ledger says of it.
    """

    number: U32
    operation: OpId
    """Zeros where the patient asked."""
    kind: BolusKind
    dose: Ng
    over: Ms
    concentration: PgPerNl
    started: Ms
    """Counter."""


class Control(NamedTuple):
    """All that is durable and changes. Slots and the fallback pair are only named here."""

    sequence: U64
    state_version: U64
    running: U8
    """Index of the slot that is delivered."""
    previous: U8
    """Index of the slot that ran before the last refill: what a bridge plays; or NO_SLOT."""
    fallback_pair: U8
    program_hash: Hash32
    drug: Drug
    """Of what is in the reservoir; only a refill changes it."""
    concentration: PgPerNl
    filled_at: UtcMs
    fill: Annotated[Fill, Struct(Fill)]
    bridging: Annotated[Bridging | None, Maybe(Struct(Bridging))]
    order: Annotated[Order | None, Maybe(Struct(Order))]
    orders: U32
    """How many boluses were ever accepted: the number of the last order."""
    label: Annotated[Label, Struct(Label)]
    record_pair: U8
    record_number: U32
    """How often the line, or what it holds, was recorded anew."""
    limits_pair: U8
    """Index of the pair that holds the table in force, or NO_SLOT."""
    limits_version: U32
    limits_key: Annotated[bytes | None, Maybe(Fixed(32))]
    """The key that the last table named for the next one."""
    stopped_at: MaybeMs
    """Counter at the stop; nothing while the pump delivers."""
    starts: U32
    """How often an activation has started the motor anew."""
    cancels: U32
    """How often an operator has ended all boluses that ran."""
    on_fallback: Yes
    """The program was lost (PRG-07), or 48 h went without delivery in a stall (STP-03)."""
    tag: MaybeTag
    ledger: Annotated[tuple[Entry, ...], Many(Struct(Entry), MOST_OPERATIONS)]
    reaches_back_to: U64
    keys: Annotated[tuple[PairedKey, ...], Many(Struct(PairedKey), MOST_KEYS)]
    most_role: Role
    """The most that a pairing after the first is granted."""
    entries: Annotated[tuple[bytes, ...], Many(Fixed(LOG_ENTRY_SIZE), MOST_ENTRIES)]
    """What the log says of this very commit; recovery appends what a power cut kept out."""


_STRUCT = Struct(Control)
_MARK = b"CTRL"


def _unpack(payload: bytes | None) -> Control | None:
    if payload is None:
        return None
    reader = Reader(payload)
    try:
        control = _STRUCT.get(reader)
        reader.finish()
    except WireError:
        return None
    return control


class ControlStore:
    """The two places. `write` never touches the one in force."""

    def __init__(self, flash: Flash) -> None:
        self._flash = flash
        self._places = tuple(
            Twin(flash, _MARK, place, image.CONTROL_PAGES) for place in image.CONTROL
        )

    def read(self) -> Control | None:
        """The newest valid one, or None where all four copies are bad."""
        found = [_unpack(place.read().payload) for place in self._places]
        return max((each for each in found if each), key=lambda each: each.sequence, default=None)

    def write(self, control: Control) -> None:
        """Commit: when this returns, the change is real."""
        out = bytearray()
        _STRUCT.put(control, out)
        self._places[control.sequence % 2].write(bytes(out))
        self._flash.flush()

    def check(self, control: Control) -> Found:
        """How the copies of the one in force are."""
        return self._places[control.sequence % 2].read()

    def cut_while_writing(self, control: Control) -> bool:
        """Was the second copy simply never finished?"""
        return self._places[control.sequence % 2].second_never_finished()

    def repair(self, control: Control) -> None:
        """Write its bad copy again."""
        self._places[control.sequence % 2].repair()
