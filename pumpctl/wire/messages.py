"""Messages of a session: look, stage, read back, activate, resolve.

What they mean and who must do what is said in docs/protocol.md; the docstring under a field
says only its unit and its catch. Those of keys are in `messages_keys`, of the alarm signal in
`messages_alarm`, of bolus, bridge, refill, clock, patient and limits in `messages_acts`.
"""

from typing import Annotated

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Op
from pumpctl.wire.fields import Many, Maybe, Struct
from pumpctl.wire.message import ANYONE, TREATS, answer, request
from pumpctl.wire.messages_alarm import AlarmSounds as AlarmSounds  # noqa: PLC0414
from pumpctl.wire.messages_alarm import AlarmTest as AlarmTest  # noqa: PLC0414
from pumpctl.wire.messages_keys import Grant as Grant  # noqa: PLC0414  (named here, too)
from pumpctl.wire.messages_keys import Granted as Granted  # noqa: PLC0414  (named here, too)
from pumpctl.wire.messages_keys import Pair as Pair  # noqa: PLC0414  (named here, too)
from pumpctl.wire.messages_keys import Paired as Paired  # noqa: PLC0414  (named here, too)
from pumpctl.wire.messages_keys import Unpair as Unpair  # noqa: PLC0414  (named here, too)
from pumpctl.wire.messages_keys import Unpaired as Unpaired  # noqa: PLC0414  (named here, too)
from pumpctl.wire.program import ProgramField
from pumpctl.wire.readbacks import DayFigures as DayFigures  # noqa: PLC0414  (named here, too)
from pumpctl.wire.vocabulary import (
    MOST_BATCH,
    U8,
    U16,
    U32,
    U64,
    AlarmCode,
    Battery,
    BolusKind,
    Delivery,
    Detail,
    Drug,
    Encoding,
    Hash32,
    Kind,
    LogBatch,
    MaybeMs,
    MaybeNl,
    MaybeTag,
    Ms,
    Name,
    Ng,
    NgPerDay,
    Nl,
    Nonce,
    OffsetMin,
    OpId,
    PgPerNl,
    Pieces,
    Priority,
    Random16,
    Refuse,
    Result,
    Role,
    TagHash,
    UtcMs,
    Yes,
)

# --- session -----------------------------------------------------------------


@request(Op.PING, roles=ANYONE, reply=Op.PONG)
class Ping(NamedTuple):
    """Is anyone there? Answered with the same token."""

    token: Random16


@answer(Op.PONG)
class Pong(NamedTuple):
    token: Random16


@request(Op.CLOSE, roles=ANYONE, reply=Op.CLOSED)
class Close(NamedTuple):
    """The station is done: the link session ends, and what is staged is dropped (PRG-06)."""


@answer(Op.CLOSED)
class Closed(NamedTuple):
    """The last record of a session."""


@answer(Op.REFUSAL)
class Refusal(NamedTuple):
    """The pump did not do it, and nothing changed."""

    code: Refuse
    detail: Detail


# --- look ----------------------------------------------------------------------


@request(Op.GET_IDENTITY, roles=ANYONE, reply=Op.IDENTITY)
class GetIdentity(NamedTuple):
    """Who are you, and who am I to you?"""


@answer(Op.IDENTITY)
class Identity(NamedTuple):
    serial: Name
    model: Name
    firmware: Name
    bench: Yes
    """True only for a pump in bench mode; a station's rehearsal clock needs it."""
    role: Role
    """What this session's key may do."""
    capacity: Nl
    pulse: Nl
    """Nominal volume of one motor pulse."""
    least_flow: Nl
    """nL/day, the model's minimum rate."""
    most_flow: Nl
    """nL/day, basal, bolus and patient dose together (LIM-06)."""
    tubing: Nl
    catheter: Nl


@request(Op.GET_STATUS, roles=ANYONE, reply=Op.STATUS)
class GetStatus(NamedTuple):
    """Everything that changes; a read, which writes nothing."""


class RunningBolus(NamedTuple):
    """A bolus that is being given; `given` of `dose` so far."""

    kind: BolusKind
    dose: Ng
    given: Ng
    started: UtcMs
    ends: UtcMs


class RunningBridge(NamedTuple):
    """A bridge: so much volume of so much has passed."""

    volume: Nl
    passed: Nl


class StagedState(NamedTuple):
    """Staged, not active, and for how long still."""

    kind: Kind
    content: Hash32
    expires_in: Ms


class PatientState(NamedTuple):
    """Doses the patient may still take now, and the wait until the next."""

    left: U8
    next_in: Ms


class Alarm(NamedTuple):
    code: AlarmCode
    priority: Priority
    since: UtcMs
    cause: Detail


@answer(Op.STATUS)
class Status(NamedTuple):
    """The pump now. Times are labels; `counter` is the monotonic one."""

    time: UtcMs
    offset: OffsetMin
    counter: Ms
    boot: U32
    state_version: U64
    delivery: Delivery
    rate: NgPerDay
    """Basal rate that applies at this moment."""
    program_hash: Hash32
    drug: Drug
    concentration: PgPerNl
    """Of what is in the reservoir."""
    reservoir: Nl
    """As the pump computes it: an estimate."""
    sensed: MaybeNl
    """As a sensor reads it, where the pump has one; it never replaces the estimate."""
    low_alarm: Nl
    filled_at: UtcMs
    line: Nl
    """Tubing and catheter."""
    tip_drug: Drug
    tip_concentration: PgPerNl
    """Of what leaves the catheter's tip now."""
    front: MaybeNl
    """Volume until the reservoir's drug reaches the tip; nothing where it has."""
    pulses: U64
    bolus: Annotated[RunningBolus | None, Maybe(Struct(RunningBolus))]
    bridge: Annotated[RunningBridge | None, Maybe(Struct(RunningBridge))]
    staged: Annotated[StagedState | None, Maybe(Struct(StagedState))]
    patient_dose: Annotated[PatientState | None, Maybe(Struct(PatientState))]
    battery: Battery
    replace_by: UtcMs
    stopped_for: MaybeMs
    """Milliseconds since the stop; nothing where the pump is not stopped."""
    tag: MaybeTag
    log_first: U64
    log_next: U64
    alarms: Annotated[tuple[Alarm, ...], Many(Struct(Alarm), 16)]


@request(Op.GET_PROGRAM, roles=ANYONE, reply=Op.PROGRAM)
class GetProgram(NamedTuple):
    """The running program, from the bytes that the pump delivers by."""


@answer(Op.PROGRAM)
class ProgramReport(NamedTuple):
    program_hash: Hash32
    program: ProgramField


@request(Op.GET_OPERATION, roles=ANYONE, reply=Op.OPERATION)
class GetOperation(NamedTuple):
    """What became of this id? Asks only; writes nothing."""

    operation: OpId


@request(Op.RESOLVE, roles=TREATS, reply=Op.OPERATION)
class Resolve(NamedTuple):
    """The same, but an id that the pump does not hold is written down as void (BOL-03)."""

    operation: OpId


@answer(Op.OPERATION)
class OperationReport(NamedTuple):
    operation: OpId
    result: Result
    content: Hash32
    """Of what was activated; zeros where there is nothing to say."""
    state_version: U64
    """The pump's state version right after it; 0 where absent."""
    at: UtcMs
    delivered: Ng
    """What really was delivered, for a bolus."""
    reaches_back_to: U64
    """Every operation that made a state version above this one is still in the ledger."""


@request(Op.GET_LOG, roles=ANYONE, reply=Op.LOG)
class GetLog(NamedTuple):
    """Entries from `first` on, packed as `encoding`: at most `most`, and `room` bytes of them."""

    first: U64
    most: U16
    encoding: Encoding
    fragment: U16
    """Payload bytes of each of its frames but the last."""
    room: U16 = MOST_BATCH
    """Bytes of the batch at most: an answer takes no more of the line than it may."""


@answer(Op.LOG)
class LogReport(NamedTuple):
    """`entries` whole entries from `first` on; `held_from` and `next` say what there is."""

    first: U64
    entries: U16
    held_from: U64
    next: U64
    encoding: Encoding
    batch: LogBatch


@request(Op.REPEAT, roles=ANYONE, reply=Op.LOG)
class Repeat(NamedTuple):
    """Send these fragments of an answer again; answered by them, and by nothing else."""

    counter: U64
    """Of the answer's record, in the pump's direction."""
    pieces: Pieces


@request(Op.RELEASE_LOG, roles=ANYONE, reply=Op.LOG_RELEASED)
class ReleaseLog(NamedTuple):
    """This station has everything below `below` durably (TEL-05)."""

    below: U64


@answer(Op.LOG_RELEASED)
class LogReleased(NamedTuple):
    below: U64


# --- stage, read back, activate -----------------------------------------------------


@request(Op.STAGE_PROGRAM, roles=TREATS, reply=Op.STAGED, stages=True)
class StageProgram(NamedTuple):
    """Put a program into the staged slot. Nothing that is delivered changes."""

    tag: TagHash
    """The patient; a pump without one takes it at activation, another one refuses."""
    program: ProgramField


@answer(Op.STAGED)
class Staged(NamedTuple):
    """Stored. `content` is SHA-256 of the staging message's bytes as they lie in flash."""

    kind: Kind
    content: Hash32
    expires_in: Ms
    nonce: Nonce
    """Activation carries it back; for a bolus it is good for 30 s only (BOL-07)."""


@request(Op.DISCARD, roles=TREATS, reply=Op.DISCARDED)
class Discard(NamedTuple):
    """Forget what is staged. Done also where there is nothing."""


@answer(Op.DISCARDED)
class Discarded(NamedTuple):
    had: Yes


READBACKS = (
    Op.PROGRAM_READBACK,
    Op.BOLUS_READBACK,
    Op.BRIDGE_READBACK,
    Op.REFILL_READBACK,
    Op.CLOCK_READBACK,
    Op.PATIENT_READBACK,
    Op.LIMITS_READBACK,
    Op.IMPLANT_READBACK,
)


@request(Op.GET_READBACK, roles=TREATS, reply=READBACKS)
class GetReadback(NamedTuple):
    """What will the pump do with what is staged? Answered by the kind's read-back."""


@answer(Op.PROGRAM_READBACK)
class ProgramReadback(NamedTuple):
    """Computed from the stored bytes alone (PRG-04); the same bytes for the same staging."""

    kind: Kind
    content: Hash32
    program_hash: Hash32
    tag: TagHash
    program: ProgramField
    days: Annotated[tuple[DayFigures, ...], Many(Struct(DayFigures), most=7, least=7)]
    largest_24h: Ng
    """The most in any 24 h with all patient doses taken, rounded up."""


@request(Op.ACTIVATE, roles=TREATS, reply=Op.DONE, therapy=True)
class Activate(NamedTuple):
    """Make the staged change real, once, in exactly the state it was planned for (PRG-05)."""

    operation: OpId
    content: Hash32
    state_version: U64
    nonce: Nonce
    chain: Hash32
    """Head of the station's journal with the intent in it; the pump's log keeps it."""


@request(Op.STOP, roles=TREATS, reply=Op.DONE, therapy=True)
class Stop(NamedTuple):
    """Stop delivery now. Nothing but a missing pairing or role refuses it (STP-01)."""

    operation: OpId
    chain: Hash32
    """Zeros where no journal could be written."""


@request(Op.CANCEL_BOLUS, roles=TREATS, reply=Op.DONE, therapy=True)
class CancelBolus(NamedTuple):
    """End the running bolus; the basal program goes on."""

    operation: OpId
    chain: Hash32


@answer(Op.DONE)
class Done(NamedTuple):
    """Durable. `repeated`: this id had been applied before, and was not applied again."""

    operation: OpId
    kind: Kind
    state_version: U64
    at: UtcMs
    delivered: Ng
    repeated: Yes
