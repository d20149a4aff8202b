"""The kinds REFILL and BRIDGE: another fill, and the old drug that is still in the line.

A refill is one activation of volume, drug, concentration, bridge, program and
fallback (REF-03). A bridge plays the program that ran before, by the old
concentration, until the line's volume has been displaced since the injection,
counted in pulses (REF-08). On its own it repairs one that was forgotten.
"""

from __future__ import annotations

from pumpctl.emulator.acts import limits, outlook
from pumpctl.emulator.acts.act import Accepted, Act, Change
from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.acts.hard import Hard
from pumpctl.emulator.acts.programs import (
    assigned,
    bridged_program,
    increases,
    refuse_dead_cell,
    refuse_increase,
    refuse_old_dose,
    with_program,
)
from pumpctl.emulator.acts.readback import content_of, day_figures
from pumpctl.emulator.body.fluid import PL_PER_NL
from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.engine.figures import Figures
from pumpctl.emulator.memory import slots
from pumpctl.emulator.memory.control import NO_SLOT, Bridging, Control, Fill
from pumpctl.wire.codes import Kind, LogKind, Refuse
from pumpctl.wire.messages_acts import (
    Bridge,
    BridgeReadback,
    RefillReadback,
    StageBridge,
    StageRefill,
)
from pumpctl.wire.program import Program, program_hash

_ZEROS = bytes(4)


# --- refill --------------------------------------------------------------------------------


def _judge_refill(core: Core, asked: StageRefill) -> None:
    implant, control, program = core.implant, core.control, asked.program
    if asked.volume > implant.capacity:
        raise Refused(Refuse.RANGE, "the volume is above the capacity")
    if max(asked.drained, asked.injected) > 2 * implant.capacity:
        raise Refused(Refuse.RANGE, "volumes that no reservoir of this pump can have held")
    if not control.fill.since <= asked.since <= core.engine.motor.pulses:
        raise Refused(Refuse.RANGE, "an injection before the last one, or one still to come")
    hard = outlook.hard_for(core, program.drug, program.concentration)
    limits.check(program, implant, hard)
    refuse_dead_cell(core)
    refuse_old_dose(core, program)
    bridge = asked.bridge
    if bridge is not None:
        _judge_bridge(core, bridge, program)
    running = control.bridging
    same = (program.drug, program.concentration) == (control.drug, control.concentration)
    if running is not None and bridge is None and not same:
        raise Refused(Refuse.BRIDGE_RUNNING, "a bridge is running: bring one of the same old drug")
    if core.engine.boluses and not same:
        raise Refused(Refuse.BOLUS_RUNNING, "a bolus is running that was ordered for the old drug")
    bridging = _refilled_bridge(core, control, asked, bytes(16))
    old = bridged_program(core, bridging)
    if running is not None and old is None:
        refuse_increase(core, program)  # this one would be played from here on
    _judge_ahead(core, program, bridging, old, hard)


def _judge_ahead(
    core: Core, program: Program, bridging: Bridging | None, old: Program | None, hard: Hard
) -> None:
    if bridging is not None:  # whenever it ends
        limits.check_switch(old or program, program, bridging.concentration, core.implant)
    ahead = outlook.with_program(core, program, bridging, old)
    outlook.judge_flow_and_windows(core, ahead, hard)


def _judge_volume(core: Core, volume: int) -> None:
    """A bridge is as long as the line that is recorded, somewhere between its bounds (REF-04)."""
    record = core.record_in_force
    least, most = record.tubing + record.catheter_low, record.tubing + record.catheter_high
    if not volume > 0 or not least <= volume <= most:
        raise Refused(Refuse.RANGE, f"the line that is recorded holds {least} to {most} nL")


def _judge_bridge(core: Core, bridge: Bridge, program: Program) -> None:
    control, tip = core.control, core.engine.line.tip
    at_tip = control.bridging or control
    _judge_volume(core, bridge.volume)
    if tip.mass and tip.concentration != bridge.old_concentration:
        raise Refused(
            Refuse.CONCENTRATION,
            f"{tip.concentration} mcg/mL is at the tip, not {bridge.old_concentration}",
        )
    if bridge.old_drug is not program.drug:
        raise Refused(Refuse.DRUG, "another drug than the program's cannot be metered by it")
    if (bridge.old_drug, bridge.old_concentration) != (at_tip.drug, at_tip.concentration):
        raise Refused(
            Refuse.CONCENTRATION,
            f"the fluid before was {at_tip.concentration} mcg/mL, not {bridge.old_concentration}",
        )


def _refilled_bridge(
    core: Core, control: Control, asked: StageRefill, operation: bytes
) -> Bridging | None:
    """The bridge after this refill: its own, or the one that goes on.

    The old fluid reaches the tip's end when it does, whatever is injected behind it.
    After two days without drug the old dose does not come back through a bridge:
    the new program's masses are played (STP-03).
    """
    bridge, running = asked.bridge, control.bridging
    no_old_dose = core.on_fallback or core.engine.starved
    if running is not None:
        return running._replace(plays=NO_SLOT) if no_old_dose else running
    if bridge is None:
        return None
    plays = NO_SLOT if no_old_dose else control.running
    return Bridging(
        bridge.volume, asked.since, bridge.old_drug, bridge.old_concentration, plays, operation
    )


def _read_refill(core: Core, stored: bytes, asked: StageRefill) -> RefillReadback:
    figures = Figures(asked.program, core.implant.least_flow)
    return RefillReadback(
        kind=Kind.REFILL,
        content=content_of(stored),
        program_hash=program_hash(asked.program),
        volume=asked.volume,
        filled_at=asked.filled_at,
        since=asked.since,
        bridge=asked.bridge,
        program=asked.program,
        largest_day=max(figures.day_dose(day) for day in range(7)),
        largest_hour=max(figures.largest_hour(day) for day in range(7)),
        largest_24h=figures.largest_24h(),
    )


def _change_refill(core: Core, control: Control, asked: StageRefill, how: Accepted) -> Change:
    program, before = asked.program, control
    bridging = _refilled_bridge(core, control, asked, how.operation)
    keep = before.previous if before.bridging is not None else before.running
    control = with_program(core, control, program, how)._replace(
        previous=NO_SLOT if core.on_fallback else keep,
        drug=program.drug,
        concentration=program.concentration,
        filled_at=asked.filled_at,
        fill=Fill(before.fill.number + 1, asked.drained, asked.injected, asked.volume, asked.since),
        bridging=bridging,
    )
    events = [Event(LogKind.REFILLED, asked.volume, program.concentration, how.operation + _ZEROS)]
    if asked.bridge is not None and before.bridging is None:
        events.append(_begun(asked.bridge, how))
    return assigned(core, control, asked.tag, how, *events)


def _begun(bridge: Bridge, how: Accepted) -> Event:
    data = how.operation + _ZEROS
    return Event(LogKind.BRIDGE_STARTED, bridge.volume, bridge.old_concentration, data)


# --- a bridge on its own ----------------------------------------------------------------------


def _judge_repair(core: Core, asked: StageBridge) -> None:
    if core.control.bridging is not None:
        raise Refused(Refuse.BRIDGE_RUNNING, "a bridge is running already")
    if core.on_fallback:
        raise Refused(Refuse.FLASH, "the stored program is lost; a new one must be programmed")
    bridge, fill, control = asked.bridge, core.control.fill, core.control
    if asked.since != fill.since:
        raise Refused(Refuse.RANGE, f"the last injection was at {fill.since} pulses")
    _judge_volume(core, bridge.volume)
    if bridge.old_drug is not control.drug:
        raise Refused(Refuse.DRUG, "another drug than the program's cannot be metered by it")
    if bridge.old_concentration == control.concentration:
        raise Refused(Refuse.IMPLAUSIBLE, "the same fluid before and after needs no bridge")
    tip = core.engine.line.tip
    if (tip.drug, tip.concentration) != (bridge.old_drug, bridge.old_concentration):
        raise Refused(
            Refuse.CONCENTRATION,
            f"{tip.concentration} mcg/mL is at the tip, not {bridge.old_concentration}",
        )
    refuse_beyond_front(core, asked)
    bridging, program = _repaired(core, asked, bytes(16)), core.program
    if program is not None:
        _judge_ahead(
            core, program, bridging, bridged_program(core, bridging), outlook.hard_now(core)
        )


def refuse_beyond_front(core: Core, asked: StageBridge) -> None:
    """The new drug must not reach the tip before it ends: it would be metered as the old one.

    After a second refill of the same fluid the front is older than the last injection.
    """
    engine = core.engine
    passed = (engine.motor.pulses - asked.since) * core.implant.pulse
    front = engine.line.front(engine.batch) or 0
    if (asked.bridge.volume - passed) * PL_PER_NL > front:
        raise Refused(Refuse.RANGE, f"the new drug is {front // PL_PER_NL} nL from the tip")


def _repaired(core: Core, asked: StageBridge, operation: bytes) -> Bridging:
    """It plays the program that ran before the refill, where that gives no more than the new one.

    A dose that was lowered since does not come back through a bridge.
    """
    control, bridge = core.control, asked.bridge
    plays = NO_SLOT
    if control.previous != NO_SLOT and core.program is not None and not core.engine.starved:
        old = slots.program_in(core.slots[control.previous])
        if (
            old is not None
            and old.concentration == bridge.old_concentration
            and not increases(old, core.program, core.implant.least_flow)
        ):
            plays = control.previous
    return Bridging(
        bridge.volume, asked.since, bridge.old_drug, bridge.old_concentration, plays, operation
    )


def _read_repair(core: Core, stored: bytes, asked: StageBridge) -> BridgeReadback:
    bridging = _repaired(core, asked, bytes(16))
    played = bridged_program(core, bridging) or core.program
    if played is None:
        raise Refused(Refuse.FLASH, "the stored program is lost")
    figures = Figures(played, core.implant.least_flow)
    return BridgeReadback(
        kind=Kind.BRIDGE,
        content=content_of(stored),
        bridge=asked.bridge,
        since=asked.since,
        program_hash=program_hash(played),
        days=day_figures(figures, bridging.concentration),
    )


def _change_repair(core: Core, control: Control, asked: StageBridge, how: Accepted) -> Change:
    bridging = _repaired(core, asked, how.operation)
    return Change(control._replace(bridging=bridging), (_begun(asked.bridge, how),))


REFILL = Act(Kind.REFILL, _judge_refill, _read_refill, _change_refill)
BRIDGE = Act(Kind.BRIDGE, _judge_repair, _read_repair, _change_repair)
