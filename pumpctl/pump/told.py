"""What a pump tells of itself, as values of the therapy floor: identity and state.

Nothing is asked here, and nothing decided.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple
from pumpctl.outcomes import StateVersion
from pumpctl.pump.encode import drug_name
from pumpctl.quantities import Concentration, Duration, Flow, Mass, Rate, Volume
from pumpctl.therapy import state as s
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.wire import codes
from pumpctl.wire import messages as m

_DELIVERY = {code: s.Delivery(code.name.lower()) for code in codes.Delivery}
PRIORITY = {
    codes.Priority.CRITICAL: s.Priority.CRITICAL,
    codes.Priority.NONCRITICAL: s.Priority.NON_CRITICAL,
}
_BATTERY = {
    codes.Battery.GOOD: s.BatteryState.OK,
    codes.Battery.ELECTIVE_REPLACEMENT: s.BatteryState.ELECTIVE_REPLACEMENT,
    codes.Battery.END_OF_SERVICE: s.BatteryState.END_OF_SERVICE,
}
_MEMORY = {
    codes.AlarmCode.MEMORY_ONE_COPY,
    codes.AlarmCode.MEMORY_BOTH_COPIES,
    codes.AlarmCode.BATTERY_RESET,
}
"""Alarms after which the stored program is read again, whatever its hash."""


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


def identity_of(told: m.Identity) -> Identity:
    """IDENTITY as a value."""
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


def state_of(
    identity: Identity, told: m.Status, program: Program | None, stored_hash: bytes | None
) -> s.PumpState:
    """STATUS as a value, with the program that was asked for beside it."""
    offset = told.offset

    def at(utc_ms: int) -> Moment:
        return Moment(utc_ms, offset)

    return s.PumpState(
        serial=identity.serial,
        model=identity.model,
        firmware=identity.firmware,
        bench=identity.bench,
        state_version=StateVersion(told.state_version),
        tag_hash=told.tag,
        delivery=_DELIVERY[told.delivery],
        program=program,
        program_hash=stored_hash,
        drug=drug_name(told.drug),
        concentration=Concentration(told.concentration),
        reservoir=Volume(told.reservoir),
        capacity=identity.capacity,
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
            s.Alarm(alarm.code.name, PRIORITY[alarm.priority], alarm.cause, at(alarm.since))
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


def in_doubt(now: m.Status) -> bool:
    """Whether the stored program may be another than the one that STATUS names."""
    return now.delivery is codes.Delivery.FALLBACK or any(
        alarm.code in _MEMORY for alarm in now.alarms
    )
