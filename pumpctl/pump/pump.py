"""A paired pump with an open session: typed methods, values in and out.

It turns messages into values of the therapy floor and back. It decides nothing:
whether a program is wise, planned or confirmed is known to the floors above.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pumpctl.errors import Corrupt, ReadbackDiffers
from pumpctl.link import patience
from pumpctl.link.session import Link
from pumpctl.named import NamedTuple
from pumpctl.outcomes import OperationId, Outcome, StateVersion
from pumpctl.pump.encode import from_wire, program_hash
from pumpctl.pump.log_held import HeldLog, LogBatch
from pumpctl.pump.refusals import refused
from pumpctl.pump.told import PRIORITY, Identity, identity_of, in_doubt, state_of
from pumpctl.quantities import Duration, Mass
from pumpctl.therapy import state as s
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.wire import codes
from pumpctl.wire import messages as m
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_PAYLOAD
from pumpctl.wire.logbatch import unpack_batch
from pumpctl.wire.message import encode
from pumpctl.wire.messages_implant import GetImplant, Implant

if TYPE_CHECKING:
    from pumpctl.link.slices import Slice
    from pumpctl.pump.orders import Order
    from pumpctl.pump.readbacks import Readback
    from pumpctl.therapy.implanted import Implanted


class Staged(NamedTuple):
    """What the pump said of something staged; `content` is our own hash of what we sent."""

    content: bytes
    nonce: bytes
    expires_in: Duration


class Known(NamedTuple):
    """What the pump's ledger says of an operation id."""

    operation: OperationId
    result: str
    """`applied`, `void` or `absent`."""
    content: bytes
    state_version: StateVersion
    at_utc_ms: int
    delivered: Mass
    reaches_back_to: StateVersion


class Pump:
    """One open session."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._identity: Identity | None = None
        self._held: tuple[Program, bytes] | None = None
        self._implant: Implanted | None = None
        self._log = HeldLog()

    @property
    def identity(self) -> Identity:
        """Who it is, asked once; a stop does without."""
        if self._identity is None:
            self._identity = self._identify()
        return self._identity

    @property
    def bench(self) -> bool:
        """In bench mode, said inside the authenticated session."""
        return self.identity.bench

    def _identify(self) -> Identity:
        told = self._link.ask(m.GetIdentity(), m.Identity)
        if told.serial != self._link.greeting.serial:
            raise Corrupt("the pump's greeting and its identity disagree")
        return identity_of(told)

    # --- look ---------------------------------------------------------------------

    def program(self) -> tuple[Program, bytes]:
        """The running program and its hash, as the pump reports it."""
        return self._take(self._link.ask(m.GetProgram(), m.ProgramReport))

    def expect(self, program: Program) -> None:
        """`state` may take this for the running program where STATUS names its hash.

        It must be one that this pump has told before. Whatever changes therapy ends it: what
        runs after an act is always asked for.
        """
        self._held = program, program_hash(program)

    def clock(self) -> Moment:
        """The pump's clock, and nothing else."""
        told = self._link.ask(m.GetStatus(), m.Status)
        return Moment(told.time, told.offset)

    def log_range(self) -> tuple[int, int]:
        """The number of the oldest entry in the log, and the one that the next will have."""
        told = self._link.ask(m.GetStatus(), m.Status)
        return told.log_first, told.log_next

    def _take(self, told: m.ProgramReport) -> tuple[Program, bytes]:
        program = from_wire(told.program)
        if program_hash(program) == told.program_hash:
            self._held = program, told.program_hash
        return program, told.program_hash

    def _stored_program(self, now: m.Status) -> tuple[Program | None, bytes | None]:
        """The program, or None where both stored copies are lost and the fallback runs.

        One that this session holds is not fetched again while STATUS names its hash, the
        one under which it was activated. A memory that is in doubt is always asked.
        """
        held = self._held
        if held is not None and held[1] == now.program_hash and not in_doubt(now):
            return held
        told = self._link.try_ask(m.GetProgram(), m.ProgramReport)
        if isinstance(told, m.ProgramReport):
            return self._take(told)
        if told.code is codes.Refuse.FLASH:
            return None, None
        raise refused("the pump will not tell its program", told)

    def state(self) -> s.PumpState:
        """Everything that an interrogation tells but the log. Reads only."""
        told = self._link.ask(m.GetStatus(), m.Status)
        program, stored_hash = self._stored_program(told)
        if stored_hash is not None and told.program_hash != stored_hash:
            told = self._link.ask(m.GetStatus(), m.Status)  # changed between the two questions
        return state_of(self.identity, told, program, stored_hash)

    def condition(self) -> s.PumpState:
        """The same for whom the program does not matter: it is not asked for, and stands as None.

        After a stop or a cancel, neither of which touches it, nobody waits for its bytes.
        """
        told = self._link.ask(m.GetStatus(), m.Status)
        return state_of(self.identity, told, None, told.program_hash)

    def implant(self) -> Implanted:
        """The implant's record as the pump keeps it; nothing but an act of ours changes it."""
        from pumpctl.pump.implant import implanted  # a look asks for neither this nor a read-back

        if self._implant is None:
            told = self._link.ask(GetImplant(), Implant)
            if told.serial != self._link.greeting.serial:
                raise Corrupt("the pump's greeting and its implant record disagree")
            self._implant = implanted(told)
        return self._implant

    def log(self, first: int, most: int) -> LogBatch:
        """Up to `most` entries from number `first` on, each still with its own check."""
        held = self._log.batch(first, most)
        if held is not None:
            return held
        asked = m.GetLog(first, most, codes.Encoding.DIFFERENCE, MOST_PAYLOAD)
        told = self._link.ask(asked, m.LogReport)
        raw = _unpacked(told)
        return self._log.keep(LogBatch(told.first, raw, told.held_from, told.next))

    def stream_log(self, first: int, until: int) -> Iterator[Slice]:
        """Entries from `first` to before `until`, slice by slice, as fast as the line allows."""
        return self._link.stream_log(first, until)

    def release_log(self, below: int) -> None:
        """Tell the pump that this station has everything below, durably (TEL-05)."""
        self._link.ask(m.ReleaseLog(below), m.LogReleased)

    def operation(self, operation: OperationId) -> Known:
        """What the ledger says of an id; writes nothing."""
        return _known(self._link.ask(m.GetOperation(operation), m.OperationReport))

    # --- stage, read back, activate ---------------------------------------------------

    def stage(self, order: Order) -> Staged:
        """Put an order into the staged slot; PumpRefused where the pump will not have it."""
        answer = self._link.try_ask(order, m.Staged, patience.STAGING)
        if isinstance(answer, m.Refusal):
            raise refused("the pump will not take it", answer)
        if answer.content != hashlib.sha256(encode(order)).digest():
            raise ReadbackDiffers("the pump stored other bytes than were sent")
        return Staged(answer.content, answer.nonce, Duration(answer.expires_in))

    def readback(self) -> Readback:
        """What the pump will do with what is staged."""
        from pumpctl.pump.readbacks import WIRE_BACKS, readback_from

        told = self._link.try_ask(m.GetReadback(), object, patience.STAGING)
        if isinstance(told, m.Refusal):
            raise refused("the pump will not say what it would do", told)
        if not isinstance(told, WIRE_BACKS):
            raise Corrupt(f"the pump answered {type(told).__name__} where a read-back was asked")
        return readback_from(told)

    def discard(self) -> None:
        """Forget what is staged."""
        self._link.ask(m.Discard(), m.Discarded, patience.STAGING)

    def activate(
        self, operation: OperationId, staged: Staged, state_version: StateVersion, chain: bytes
    ) -> Outcome:
        """The one therapy message of the road. The intent must be in the journal by now."""
        return self._change(
            m.Activate(operation, staged.content, state_version, staged.nonce, chain)
        )

    def stop(self, operation: OperationId, chain: bytes) -> Outcome:
        """Stop delivery now."""
        return self._change(m.Stop(operation, chain))

    def cancel_bolus(self, operation: OperationId, chain: bytes) -> Outcome:
        """End the running bolus; the basal program goes on."""
        return self._change(m.CancelBolus(operation, chain))

    def _change(self, message: m.Activate | m.Stop | m.CancelBolus) -> Outcome:
        self._held = self._implant = None  # a pump that says "done" is not believed (PRG-10)
        return self._link.change(message)

    def resolve(self, operation: OperationId) -> Known:
        """Ask what became of an id, and void it where the pump does not hold it."""
        return _known(self._link.ask(m.Resolve(operation), m.OperationReport, patience.STAGING))

    # --- the alarm signal ---------------------------------------------------------------

    def sound_alarm(self, priority: s.Priority) -> Duration:
        """Sound this signal as a test; for how long it sounds. PumpRefused during a real alarm."""
        asked = m.AlarmTest(next(code for code, word in PRIORITY.items() if word is priority))
        told = self._link.ask(asked, m.AlarmSounds, patience.STAGING)
        if told.priority is not asked.priority:
            raise Corrupt("the pump sounds another signal than was asked for")
        return Duration(told.lasts)

    # --- keys ---------------------------------------------------------------------------

    def unpair(self, key: bytes) -> None:
        """Have the pump forget a key."""
        self._link.ask(m.Unpair(key), m.Unpaired, patience.STAGING)

    def grant(self, key: bytes, role: str) -> None:
        """Have the pump give another key this role; PumpRefused unless an admin asks (SEC-06)."""
        asked = m.Grant(key, codes.Role[role.upper()])
        told = self._link.ask(asked, m.Granted, patience.STAGING)
        if (told.key, told.role) != (asked.key, asked.role):
            raise Corrupt("the pump granted something else than was asked")


def _known(told: m.OperationReport) -> Known:
    return Known(
        OperationId(told.operation),
        told.result.name.lower(),
        told.content,
        StateVersion(told.state_version),
        told.at,
        Mass(told.delivered),
        StateVersion(told.reaches_back_to),
    )


def _unpacked(told: m.LogReport) -> tuple[bytes, ...]:
    try:
        return unpack_batch(told.encoding, told.batch, told.entries)
    except WireError as error:
        raise Corrupt(f"the pump's log cannot be read: {error}") from error
