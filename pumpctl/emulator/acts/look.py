"""Answers to questions: identity, status, program, operation, log. Nothing is written here.

Every function takes the core and the caller and returns a message. What changes
something lives in `treat` and `keys`.
"""

from __future__ import annotations

from pumpctl.emulator.acts import patient_dose
from pumpctl.emulator.acts.caller import Caller, Refused
from pumpctl.emulator.body.fluid import PL_PER_NL
from pumpctl.emulator.core import Core
from pumpctl.emulator.engine.alarms import ALARMS
from pumpctl.emulator.memory import ledger, slots
from pumpctl.emulator.memory.implant import FIRMWARE, LOW_ALARM
from pumpctl.emulator.memory.implant_record import line_volume
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Delivery, Mode, Refuse, Result, Role
from pumpctl.wire.logbatch import MOST_ENTRIES, pack_batch
from pumpctl.wire.messages_implant import GetImplant, Implant
from pumpctl.wire.program import program_hash

_MOST_ALARMS = 16


def ping(_core: Core, _caller: Caller, asked: m.Ping) -> m.Pong:
    """The same token back."""
    return m.Pong(asked.token)


def identity(core: Core, caller: Caller, _asked: m.GetIdentity) -> m.Identity:
    """What is fixed, and what this key may do."""
    implant = core.implant
    return m.Identity(
        implant.serial,
        implant.model,
        FIRMWARE,
        implant.bench,
        caller.role or Role.OBSERVER,
        implant.capacity,
        implant.pulse,
        implant.least_flow,
        implant.most_flow,
        core.record_in_force.tubing,
        core.record_in_force.catheter_high,
    )


def implant(core: Core, _caller: Caller, _asked: GetImplant) -> Implant:
    """What is implanted, as it was recorded last."""
    fixed = core.implant
    return Implant(
        fixed.model,
        fixed.serial,
        fixed.calibration,
        fixed.made_at,
        core.control.tag,
        core.record_in_force,
    )


def delivery_now(core: Core) -> Delivery:
    """What the pump is doing, in one word: the one that matters most."""
    engine = core.engine
    if engine.plan.stopped_at is not None:
        return Delivery.STOPPED
    if engine.stalled_since is not None:
        return Delivery.STALLED
    if core.on_fallback:
        return Delivery.FALLBACK
    if engine.reservoir == 0:
        return Delivery.EMPTY
    if engine.boluses:
        return Delivery.BOLUS
    if core.control.bridging is not None:
        return Delivery.BRIDGE
    if core.program is not None and core.program.mode is Mode.MINIMUM_RATE:
        return Delivery.MINIMUM
    return Delivery.DELIVERING


def status(core: Core, _caller: Caller, _asked: m.GetStatus) -> m.Status:
    """Everything that changes."""
    engine, clock, control = core.engine, core.clock, core.control
    tip = engine.line.tip
    front = engine.line.front(engine.batch)
    stopped = engine.plan.stopped_at
    return m.Status(
        time=clock.utc,
        offset=clock.offset_min,
        counter=clock.counter,
        boot=core.boot,
        state_version=control.state_version,
        delivery=delivery_now(core),
        rate=engine.rate(),
        program_hash=control.program_hash,
        drug=control.drug,
        concentration=control.concentration,
        reservoir=engine.reservoir,
        sensed=core.world.sensed(engine.world_time),
        low_alarm=core.program.low_alarm if core.program is not None else LOW_ALARM,
        filled_at=control.filled_at,
        line=line_volume(core.record_in_force),
        tip_drug=tip.drug,
        tip_concentration=tip.concentration,
        front=None if front is None else front // PL_PER_NL,
        pulses=engine.motor.pulses,
        bolus=_bolus(core),
        bridge=_bridge(core),
        staged=_staged(core),
        patient_dose=patient_dose.state(core),
        battery=engine.battery.state(clock.counter),
        replace_by=engine.battery.replace_by(clock.utc_base),
        stopped_for=None if stopped is None else clock.counter - stopped,
        tag=control.tag,
        log_first=core.log.first,
        log_next=core.log.next,
        alarms=tuple(
            m.Alarm(each.code, ALARMS[each.code].priority, each.since, ALARMS[each.code].cause)
            for each in engine.alarms.raised[:_MOST_ALARMS]
        ),
    )


def _bolus(core: Core) -> m.RunningBolus | None:
    """The bolus that ends last; several run at once only around an activation."""
    running = core.engine.boluses
    if not running:
        return None
    bolus = max(running, key=lambda each: each.started + each.over)
    return m.RunningBolus(
        bolus.kind,
        bolus.dose,
        core.engine.given(bolus).half_up(),
        core.clock.utc_of(bolus.started),
        core.clock.utc_of(bolus.started + bolus.over),
    )


def _bridge(core: Core) -> m.RunningBridge | None:
    bridging = core.control.bridging
    if bridging is None:
        return None
    passed = (core.engine.motor.pulses - bridging.since) * core.implant.pulse
    return m.RunningBridge(bridging.volume, min(passed, bridging.volume))


def _staged(core: Core) -> m.StagedState | None:
    staged = core.staged
    if staged is None:
        return None
    return m.StagedState(staged.kind, staged.content, staged.expires_in(core.clock.counter))


def program(core: Core, _caller: Caller, _asked: m.GetProgram) -> m.ProgramReport:
    """Decoded anew from the slot that is delivered."""
    stored = slots.program_in(core.slots[core.control.running])
    if stored is None or core.control.on_fallback:
        raise Refused(Refuse.FLASH, "the stored program is lost; the fallback rate is in force")
    return m.ProgramReport(program_hash(stored), stored)


def operation(core: Core, _caller: Caller, asked: m.GetOperation) -> m.OperationReport:
    """What the ledger says; asking leaves no trace."""
    return report(core, asked.operation)


def report(core: Core, operation_id: bytes) -> m.OperationReport:
    """The ledger's answer about an id."""
    control = core.control
    found = ledger.find(control.ledger, operation_id)
    if found is None:
        return m.OperationReport(
            operation_id, Result.ABSENT, bytes(32), 0, 0, 0, control.reaches_back_to
        )
    return m.OperationReport(
        operation_id,
        found.result,
        found.content,
        found.state_version,
        found.at,
        _delivered(core, found),
        control.reaches_back_to,
    )


def _delivered(core: Core, found: ledger.Entry) -> int:
    """Of a bolus that still runs, what it has given so far."""
    for bolus in core.engine.boluses:
        if bolus.operation == found.operation:
            return core.engine.given(bolus).half_up()
    return found.delivered


def log(core: Core, _caller: Caller, asked: m.GetLog) -> m.LogReport:
    """As many whole entries as fit into one record. A lost entry shows as a missing number."""
    entries = tuple(core.log.read(asked.first, min(asked.most, MOST_ENTRIES)))
    count, batch = pack_batch(asked.encoding, entries, asked.room)
    first = int.from_bytes(entries[0][:8], "big") if count else core.log.next
    return m.LogReport(first, count, core.log.first, core.log.next, asked.encoding, batch)


def not_kept(_core: Core, _caller: Caller, _asked: m.Repeat) -> m.LogReport:
    """An answer that is still kept is repeated before anybody is asked."""
    raise Refused(Refuse.NOT_FOUND, "that answer is not kept any more")
