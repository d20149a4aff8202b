"""A paired pump with an open session: typed methods, values in and out.

It turns messages into values of the therapy floor and back. It decides nothing:
whether a program is wise, planned or confirmed is known to the floors above.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from pumpctl.errors import Corrupt, ReadbackDiffers
from pumpctl.link import patience
from pumpctl.link.session import Link
from pumpctl.outcomes import OperationId, Outcome, StateVersion
from pumpctl.pump.encode import drug_name, from_wire
from pumpctl.pump.implant import implanted
from pumpctl.pump.orders import Order
from pumpctl.pump.readbacks import WIRE_BACKS, Readback, readback_from
from pumpctl.pump.refusals import refused
from pumpctl.quantities import Concentration, Duration, Flow, Mass, Rate, Volume
from pumpctl.therapy import state as s
from pumpctl.therapy.implanted import Implanted
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.wire import codes
from pumpctl.wire import messages as m
from pumpctl.wire.fields import WireError
from pumpctl.wire.logbatch import unpack_batch
from pumpctl.wire.message import encode
from pumpctl.wire.messages_implant import GetImplant, Implant

_DELIVERY = {code: s.Delivery(code.name.lower()) for code in codes.Delivery}
_PRIORITY = {
    codes.Priority.CRITICAL: s.Priority.CRITICAL,
    codes.Priority.NONCRITICAL: s.Priority.NON_CRITICAL,
}
_BATTERY = {
    codes.Battery.GOOD: s.BatteryState.OK,
    codes.Battery.ELECTIVE_REPLACEMENT: s.BatteryState.ELECTIVE_REPLACEMENT,
    codes.Battery.END_OF_SERVICE: s.BatteryState.END_OF_SERVICE,
}


class Identity(NamedTuple):
    """What never changes about a pump, and the role that it grants this key."""

    serial: str
    model: str
    firmware: str
    bench: bool
    role: str
    capacity: Volume
    pulse: Volume
    least_flow: Flow
    most_flow: Flow
    tubing: Volume
    catheter: Volume


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


class LogBatch(NamedTuple):
    """Entries of the log as they lie in the pump, 80 bytes each."""

    first: int
    entries: tuple[bytes, ...]
    held_from: int
    next: int


class Pump:
    """One open session."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._identity: Identity | None = None

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
        return Identity(
            told.serial,
            told.model,
            told.firmware,
            told.bench,
            told.role.name.lower(),
            Volume(told.capacity),
            Volume(told.pulse),
            Flow(told.least_flow),
            Flow(told.most_flow),
            Volume(told.tubing),
            Volume(told.catheter),
        )

    # --- look ---------------------------------------------------------------------

    def program(self) -> tuple[Program, bytes]:
        """The running program and its hash, as the pump reports it."""
        told = self._link.ask(m.GetProgram(), m.ProgramReport)
        return from_wire(told.program), told.program_hash

    def clock(self) -> Moment:
        """The pump's clock, and nothing else."""
        told = self._link.ask(m.GetStatus(), m.Status)
        return Moment(told.time, told.offset)

    def _stored_program(self) -> tuple[Program | None, bytes | None]:
        """The program, or None where both stored copies are lost and the fallback runs."""
        told = self._link.try_ask(m.GetProgram(), m.ProgramReport)
        if isinstance(told, m.ProgramReport):
            return from_wire(told.program), told.program_hash
        if told.code is codes.Refuse.FLASH:
            return None, None
        raise refused("the pump will not tell its program", told)

    def state(self) -> s.PumpState:
        """Everything that an interrogation tells but the log. Reads only."""
        told = self._link.ask(m.GetStatus(), m.Status)
        program, program_hash = self._stored_program()
        if program_hash is not None and told.program_hash != program_hash:
            told = self._link.ask(m.GetStatus(), m.Status)  # changed between the two questions
        offset = told.offset

        def at(utc_ms: int) -> Moment:
            return Moment(utc_ms, offset)

        return s.PumpState(
            serial=self.identity.serial,
            model=self.identity.model,
            firmware=self.identity.firmware,
            bench=self.identity.bench,
            state_version=StateVersion(told.state_version),
            tag_hash=told.tag,
            delivery=_DELIVERY[told.delivery],
            program=program,
            program_hash=program_hash,
            drug=drug_name(told.drug),
            concentration=Concentration(told.concentration),
            reservoir=Volume(told.reservoir),
            capacity=self.identity.capacity,
            low_alarm=Volume(told.low_alarm),
            filled_at=at(told.filled_at),
            line=s.Line(
                Volume(told.line),
                s.Fluid(drug_name(told.tip_drug), Concentration(told.tip_concentration)),
                None if told.front is None else Volume(told.front),
            ),
            clock=at(told.time),
            counter_ms=told.counter,
            battery=s.Battery(
                _BATTERY[told.battery],
                at(told.replace_by).date if told.replace_by else None,
            ),
            alarms=tuple(
                s.Alarm(alarm.code.name, _PRIORITY[alarm.priority], alarm.cause, at(alarm.since))
                for alarm in told.alarms
            ),
            bolus=None
            if told.bolus is None
            else s.RunningBolus(
                told.bolus.kind.name.lower(),
                Mass(told.bolus.dose),
                Mass(told.bolus.given),
                at(told.bolus.started),
                at(told.bolus.ends),
            ),
            bridge=None
            if told.bridge is None
            else s.RunningBridge(Volume(told.bridge.volume), Volume(told.bridge.passed)),
            staged=None
            if told.staged is None
            else s.StagedState(told.staged.content, Duration(told.staged.expires_in)),
            patient_dose=None
            if told.patient_dose is None
            else s.PatientDoseState(
                told.patient_dose.left,
                at(told.time + told.patient_dose.next_in) if told.patient_dose.next_in else None,
            ),
            rate=Rate(told.rate),
            stopped_for=None if told.stopped_for is None else Duration(told.stopped_for),
            sensed=None if told.sensed is None else Volume(told.sensed),
            pulses=told.pulses,
            log_first=told.log_first,
            log_next=told.log_next,
            boot=told.boot,
        )

    def implant(self) -> Implanted:
        """The implant's record as the pump keeps it."""
        told = self._link.ask(GetImplant(), Implant)
        if told.serial != self._link.greeting.serial:
            raise Corrupt("the pump's greeting and its implant record disagree")
        return implanted(told)

    def log(self, first: int, most: int) -> LogBatch:
        """Up to `most` entries from number `first` on, each still with its own check."""
        told = self._link.ask(m.GetLog(first, most, codes.Encoding.DEFLATE), m.LogReport)
        raw = _unpacked(told)
        return LogBatch(told.first, raw, told.held_from, told.next)

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
        return self._link.change(
            m.Activate(operation, staged.content, state_version, staged.nonce, chain)
        )

    def stop(self, operation: OperationId, chain: bytes) -> Outcome:
        """Stop delivery now."""
        return self._link.change(m.Stop(operation, chain))

    def cancel_bolus(self, operation: OperationId, chain: bytes) -> Outcome:
        """End the running bolus; the basal program goes on."""
        return self._link.change(m.CancelBolus(operation, chain))

    def resolve(self, operation: OperationId) -> Known:
        """Ask what became of an id, and void it where the pump does not hold it."""
        return _known(self._link.ask(m.Resolve(operation), m.OperationReport, patience.STAGING))

    # --- the alarm signal ---------------------------------------------------------------

    def sound_alarm(self, priority: s.Priority) -> Duration:
        """Sound this signal as a test; for how long it sounds. PumpRefused during a real alarm."""
        asked = m.AlarmTest(next(code for code, word in _PRIORITY.items() if word is priority))
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
