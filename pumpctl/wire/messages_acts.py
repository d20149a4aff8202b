"""Messages of the clinic's other acts: bolus, bridge, refill, resume, clock, patient, limits.

Each is a staging message and its read-back; activation is the one `Activate`.
A pump says in the feature bits of its greeting which of them it can stage;
others it refuses as UNSUPPORTED.
"""

from typing import Annotated

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Op
from pumpctl.wire.fields import Blob, Many, Maybe, Struct
from pumpctl.wire.message import ADMINISTERS, TREATS, answer, request
from pumpctl.wire.program import ProgramField
from pumpctl.wire.readbacks import DayFigures
from pumpctl.wire.vocabulary import (
    U32,
    U64,
    BolusKind,
    Detail,
    Drug,
    Hash32,
    Kind,
    MaybeTag,
    Ms,
    Ng,
    Nl,
    OffsetMin,
    PgPerNl,
    Shift,
    TagHash,
    UtcMs,
    Yes,
)


@request(Op.STAGE_RESUME, roles=TREATS, reply=Op.STAGED, stages=True)
class StageResume(NamedTuple):
    """Go on with the stored program; read back as PROGRAM_READBACK of that program."""

    tag: TagHash
    program_hash: Hash32
    """Of the program to go on with: the running slot must hold it."""


@request(Op.STAGE_BOLUS, roles=TREATS, reply=Op.STAGED, stages=True)
class StageBolus(NamedTuple):
    """A single or priming bolus, on top of the program."""

    tag: TagHash
    kind: BolusKind
    dose: Ng
    over: Ms


@answer(Op.BOLUS_READBACK)
class BolusReadback(NamedTuple):
    kind: Kind
    content: Hash32
    bolus: BolusKind
    dose: Ng
    volume: Nl
    over: Ms
    past_tip: Ng
    """Mass that passes the catheter's tip, by plug flow."""
    stays_in_line: Ng
    largest_24h: Ng


class Bridge(NamedTuple):
    """The old program at the old concentration, until `volume` has passed since the injection."""

    volume: Nl
    old_drug: Drug
    old_concentration: PgPerNl


@request(Op.STAGE_BRIDGE, roles=TREATS, reply=Op.STAGED, stages=True)
class StageBridge(NamedTuple):
    """The repair of a forgotten bridge."""

    tag: TagHash
    bridge: Annotated[Bridge, Struct(Bridge)]
    since: U64
    """The pump's pulses at the injection; what they have displaced since counts."""


@answer(Op.BRIDGE_READBACK)
class BridgeReadback(NamedTuple):
    """What will be played: the days' masses, and their volumes at the old concentration."""

    kind: Kind
    content: Hash32
    bridge: Annotated[Bridge, Struct(Bridge)]
    since: U64
    program_hash: Hash32
    """Of the program that is played."""
    days: Annotated[tuple[DayFigures, ...], Many(Struct(DayFigures), most=7, least=7)]


@request(Op.STAGE_REFILL, roles=TREATS, reply=Op.STAGED, stages=True)
class StageRefill(NamedTuple):
    """Volume, drug, concentration, bridge, program and fallback, in one activation (REF-03)."""

    tag: TagHash
    drained: Nl
    injected: Nl
    volume: Nl
    """In the reservoir afterwards."""
    filled_at: UtcMs
    since: U64
    """The pump's pulses at the injection: volume and bridge are metered from there."""
    bridge: Annotated[Bridge | None, Maybe(Struct(Bridge))]
    program: ProgramField


@answer(Op.REFILL_READBACK)
class RefillReadback(NamedTuple):
    kind: Kind
    content: Hash32
    program_hash: Hash32
    volume: Nl
    filled_at: UtcMs
    since: U64
    bridge: Annotated[Bridge | None, Maybe(Struct(Bridge))]
    program: ProgramField
    largest_day: Ng
    largest_hour: Ng
    largest_24h: Ng


@request(Op.STAGE_CLOCK, roles=TREATS, reply=Op.STAGED, stages=True)
class StageClock(NamedTuple):
    """Shift the pump's label, and give it this offset; the counter times delivery all the same.

    A difference and no time of day: a plan that is applied an hour later is still right.
    """

    shift: Shift
    offset: OffsetMin


@answer(Op.CLOCK_READBACK)
class ClockReadback(NamedTuple):
    kind: Kind
    content: Hash32
    shift: Shift
    offset: OffsetMin
    missed: U32
    """Scheduled boluses that the change would jump over now."""


@request(Op.STAGE_PATIENT, roles=TREATS, reply=Op.STAGED, stages=True)
class StagePatient(NamedTuple):
    """Assign the pump to a patient's tag, or clear it."""

    tag: MaybeTag


@answer(Op.PATIENT_READBACK)
class PatientReadback(NamedTuple):
    kind: Kind
    content: Hash32
    old: MaybeTag
    new: MaybeTag


@request(Op.STAGE_LIMITS, roles=ADMINISTERS, reply=Op.STAGED, stages=True)
class StageLimits(NamedTuple):
    """A signed table of hard limits, its version never going down."""

    version: U32
    table: Annotated[bytes, Blob(4096)]
    signature: Annotated[bytes, Blob(128)]


@answer(Op.LIMITS_READBACK)
class LimitsReadback(NamedTuple):
    kind: Kind
    content: Hash32
    version: U32
    accepted: Yes
    why: Detail
