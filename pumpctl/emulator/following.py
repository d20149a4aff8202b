"""What the control block means: the plan of delivery, and what a commit does to the rest.

A commit is real when the control block is written; the always-on domain follows
it here, right after the commit or, where the power went in between, at the next
start. Every change has a number, so that it is followed exactly once. Nothing
here decides whether a change is wise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpctl.emulator.acts.readback import stored_message
from pumpctl.emulator.body.fluid import PL_PER_NL, Plug, PlugFlow, free, pure
from pumpctl.emulator.engine.exact import ZERO
from pumpctl.emulator.engine.plan import Plan
from pumpctl.emulator.engine.schedule import Due, Schedule, flow_of
from pumpctl.emulator.memory import implant_record, slots
from pumpctl.emulator.memory.control import NO_SLOT
from pumpctl.emulator.memory.implant import LOW_ALARM
from pumpctl.emulator.memory.retained import Bolus
from pumpctl.emulator.memory.stored import Twin
from pumpctl.wire.codes import AlarmCode, BolusKind, Holds
from pumpctl.wire.fields import WireError
from pumpctl.wire.messages_acts import StageLimits
from pumpctl.wire.messages_implant import ImplantRecord
from pumpctl.wire.program import Program, program_hash

if TYPE_CHECKING:
    from pumpctl.emulator.core import Core
    from pumpctl.wire.limit_table import LimitTable


# --- what lies in flash ------------------------------------------------------------------


def record_of(core: Core) -> ImplantRecord:
    """The implant's record; with both copies bad, one that knows nothing but the model."""
    found = implant_record.record_in(core.records[core.control.record_pair])
    return implant_record.unknown(core.implant) if found is None else found


def table_of(core: Core) -> LimitTable | None:
    """The table of limits in force, or None where none was received or both copies are bad."""
    pair = core.control.limits_pair
    return None if pair == NO_SLOT else table_in(core.limit_pairs[pair])


def table_in(pair: Twin) -> LimitTable | None:
    """The table of a pair, or None where neither copy holds one."""
    payload = pair.read().payload
    if payload is None:
        return None
    from pumpctl.wire.limit_table import table_from  # only where there is a table

    try:
        message = stored_message(payload)
        return table_from(message.table) if isinstance(message, StageLimits) else None
    except (WireError, TypeError):
        return None


def limits_lost(core: Core) -> bool:
    """Are both copies of an installed table bad?"""
    return core.control.limits_pair != NO_SLOT and core.limit_table is None


def program_of(core: Core) -> Program | None:
    """The running program; None where neither copy is good, or they hold another one.

    The control block says its hash, so that bytes which were staged into a slot are
    never taken for what was activated.
    """
    program = slots.program_in(core.slots[core.control.running])
    if program is None or program_hash(program) != core.control.program_hash:
        return None
    return program


# --- what is delivered --------------------------------------------------------------------


def played(core: Core) -> Schedule | None:
    """What is to be played now: in a bridge the old program, by the old concentration."""
    program, bridging = core.program, core.control.bridging
    if core.on_fallback or program is None:
        return None
    if bridging is None:
        return Schedule(program, core.implant.least_flow)
    if bridging.plays != NO_SLOT:
        old = slots.program_in(core.slots[bridging.plays])
        if old is None:  # lost: the fallback, and no other dose in its place
            return None
        program = old
    return Schedule(program, core.implant.least_flow, bridging.concentration)


def plan_of(core: Core) -> Plan:
    """The control block as the delivery engine takes it."""
    control, bridging = core.control, core.control.bridging
    at_tip = control.concentration if bridging is None else bridging.concentration
    plan = Plan(
        schedule=played(core),
        steady=ZERO,
        steady_rate=0,
        drug=control.drug,
        concentration=at_tip,
        reservoir_concentration=control.concentration,
        low_alarm=LOW_ALARM if core.program is None else core.program.low_alarm,
        stopped_at=control.stopped_at,
        bridge_end=None
        if bridging is None
        else bridging.since + -(-bridging.volume // core.implant.pulse),
    )
    if plan.schedule is not None:
        return plan
    fallback = slots.fallback_in(core.fallbacks[control.fallback_pair])
    if fallback is None:  # no built-in dose
        stopped = core.clock.counter if control.stopped_at is None else control.stopped_at
        return plan._replace(stopped_at=stopped)
    return plan._replace(steady=flow_of(fallback.rate, at_tip), steady_rate=fallback.rate)


# --- following a commit ---------------------------------------------------------------------


def follow(core: Core) -> None:
    """Do to the always-on domain what the control block says and it has not done yet."""
    _label(core)
    _record(core)
    _fill(core)
    core.program = program_of(core)
    core.limit_table = table_of(core)
    core.engine.set_plan(plan_of(core))
    _start(core)
    _cancel(core)
    _order(core)
    _over(core)


def _label(core: Core) -> None:
    label, clock, engine = core.control.label, core.clock, core.engine
    if label.number == core.done.label:
        return
    core.done = core.done._replace(label=label.number)
    new = label.utc_base + clock.counter + label.offset_min * 60_000
    jump = engine.turns.jump(engine.plan.schedule, new)
    clock.utc_base, clock.offset_min = label.utc_base, label.offset_min
    engine.turns.set_to(new)
    engine.hours_until = new // 3_600_000
    for due in jump.missed:
        engine.miss(due)
    if jump.late is not None:
        _give_late(core, jump.late)
    core.put_alarm(AlarmCode.CLOCK_LOST, False)


def _give_late(core: Core, late: Due) -> None:
    """Judged by the new label: by the old one this very bolus would lie ahead as well."""
    engine, running = core.engine, len(core.engine.boluses)
    if core.may_give(late.bolus.dose, late.bolus.over):
        engine.start_scheduled(late)
    else:
        engine.miss(late)
    if len(engine.boluses) > running:  # else it is as those that were only jumped over
        engine.turns.gave(late)


def _record(core: Core) -> None:
    """Another line, or other contents: what the pump believes begins anew.

    The world follows, as if what was recorded had been done, but where it knows better.
    """
    core.record_in_force = record_of(core)
    number = core.control.record_number
    if number == core.done.record:
        return
    core.done = core.done._replace(record=number)
    core.engine.line = PlugFlow(recorded_line(core, core.engine.batch))
    record, reservoir = core.record_in_force, core.world.reservoir
    if Holds.UNKNOWN not in (record.tubing_holds.holds, record.catheter_holds.holds):
        as_recorded = reservoir.mass == reservoir.volume * core.control.concentration
        core.world.reline(recorded_line(core, reservoir.batch if as_recorded else OTHER_BATCH))


def recorded_line(core: Core, batch: int) -> tuple[Plug, ...]:
    """The line as it is recorded, from the tip back; the reservoir's own fluid has this batch."""
    record, control = core.record_in_force, core.control
    found = []
    for volume, part, other in (
        (record.catheter_high * PL_PER_NL, record.catheter_holds, OTHER_BATCH - 1),
        (record.tubing * PL_PER_NL, record.tubing_holds, OTHER_BATCH - 2),
    ):
        own = (part.drug, part.concentration) == (control.drug, control.concentration)
        if part.holds is Holds.DRUG:
            name = batch if own else other
            found.append(pure(volume, part.drug, part.concentration, name))
        else:
            found.append(free(volume))
    return tuple(found)


OTHER_BATCH = 0xFFFF_FFFF
"""Of drug that was in the line before anything of this pump's reservoir. In catheter and
tubing that hold something else it is less by one and two: two fluids never count as one."""


def _fill(core: Core) -> None:
    """The reservoir was drained and filled; since the injection so much has been pumped."""
    fill, control, engine = core.control.fill, core.control, core.engine
    if fill.number == core.done.fill:
        return
    core.done = core.done._replace(fill=fill.number)
    pulses = max(0, engine.motor.pulses - fill.since)
    displaced = pulses * core.implant.pulse
    engine.reservoir = max(0, fill.volume - displaced)
    before = engine.line.plugs[-1]
    own = (before.drug, before.concentration) == (control.drug, control.concentration)
    if before.batch != engine.batch or not own:  # of the same fluid no front begins
        engine.batch += 1
    engine.line.replace_last(
        pure(displaced * PL_PER_NL, control.drug, control.concentration, engine.batch)
    )
    core.world.follow(
        drained=fill.drained * PL_PER_NL,
        injected=fill.injected * PL_PER_NL,
        drug=control.drug,
        concentration=control.concentration,
        since=pulses * core.world.pulse,
        counter=engine.world_time,
    )
    core.put_alarm(AlarmCode.BATTERY_RESET, False)
    core.put_alarm(AlarmCode.VOLUME_DISAGREES, False)


def _start(core: Core) -> None:
    """The motor begins anew, and a lost program's alarm is over."""
    if core.control.starts == core.done.start:
        return
    core.done = core.done._replace(start=core.control.starts)
    core.put_alarm(AlarmCode.MEMORY_BOTH_COPIES, False)
    core.world.restart_motor()
    core.engine.check_motor()


def _cancel(core: Core) -> None:
    """All that ran when it was cancelled ends; a cancel is followed before anything new begins."""
    if core.control.cancels == core.done.cancel:
        return
    core.done = core.done._replace(cancel=core.control.cancels)
    core.engine.end_boluses()


def _order(core: Core) -> None:
    """A bolus that somebody asked for was accepted: begin it, at that very instant."""
    order = core.control.order
    if order is None or order.number <= core.done.order:
        return
    core.done = core.done._replace(order=order.number)
    core.engine.give(
        Bolus(
            order.kind,
            order.dose,
            order.over,
            order.concentration,
            order.started,
            0,
            0,
            order.operation,
            0,
        )
    )
    if order.kind is BolusKind.PATIENT:
        core.engine.note_patient_start(order.started)


def _over(core: Core) -> None:
    """Whose order is over runs no more: its end was committed at this very instant."""
    order = core.control.order
    running = None if order is None else (order.kind, order.operation, order.started)
    for bolus in list(core.engine.boluses):
        own = (bolus.kind, bolus.operation, bolus.started)
        if bolus.kind is not BolusKind.SCHEDULED and own != running:
            core.engine.end(bolus)
