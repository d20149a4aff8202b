"""The kinds PROGRAM and RESUME: another program, or going on with the stored one."""

from __future__ import annotations

from pumpctl.emulator.acts import limits, outlook
from pumpctl.emulator.acts.act import Accepted, Act, Change
from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.acts.hard import factory
from pumpctl.emulator.acts.readback import program_readback
from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.engine.clock import HOUR_MS
from pumpctl.emulator.engine.figures import Figures
from pumpctl.emulator.engine.hunger import STOPPED_TOO_LONG_MS
from pumpctl.emulator.memory import slots
from pumpctl.emulator.memory.control import NO_SLOT, Bridging, Control
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Battery, Kind, LogKind, Mode, Refuse
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import Program, program_hash


def _judge_program(core: Core, asked: m.StageProgram) -> None:
    hard = outlook.hard_now(core)
    limits.check(asked.program, core.implant, hard)
    refuse_dead_cell(core)
    refuse_old_dose(core, asked.program)
    bridging = core.control.bridging
    if bridging is not None:
        refuse_increase(core, asked.program)
        bridging = bridging._replace(plays=NO_SLOT)
    ahead = outlook.with_program(core, asked.program, bridging)
    outlook.judge_flow_and_windows(core, ahead, hard)


def refuse_dead_cell(core: Core) -> None:
    """At the end of service nothing is started any more."""
    if core.engine.battery.state(core.clock.counter) is Battery.END_OF_SERVICE:
        raise Refused(Refuse.CRITICAL_ALARM, "end of service: this pump delivers no more")


def refuse_increase(core: Core, program: Program) -> None:
    """While the old fluid is at the tip a reduction is played, an increase is not (REF-08).

    After 48 h without drug nothing is increased: that is a restart, and has its own rule.
    """
    schedule = core.engine.plan.schedule
    if schedule is None or core.engine.starved:
        return
    if increases(program, schedule.program, core.implant.least_flow):
        raise Refused(Refuse.BRIDGE_RUNNING, "an increase waits until the new drug is at the tip")


def increases(program: Program, than: Program, least_flow: int) -> bool:
    """Does it give more than the other on any day, or in any hour of one?"""
    old, new = Figures(than, least_flow), Figures(program, least_flow)
    return any(
        new.day(day).plus(old.day(day).times(-1)).num > 0
        or new.largest_hour(day) > old.largest_hour(day)
        for day in range(7)
    )


RESTART = 200_000
"""ng/day: twice the largest screening dose, the most that a first day begins with."""


def refuse_old_dose(core: Core, program: Program) -> None:
    """After 48 h without drug the old dose does not come back, under whatever name (STP-03).

    Nor any other that is more than a start; what the fallback gives already may be programmed.
    """
    if not core.engine.starved or program.mode is Mode.MINIMUM_RATE:
        return
    old = slots.program_in(core.slots[core.control.running])
    if old is None:
        return
    figures = Figures(program, core.implant.least_flow)
    most = max(RESTART, _fallback_rate(core))
    same = program_hash(program) == core.control.program_hash
    if same or max(figures.day_dose(day) for day in range(7)) > most:
        raise Refused(
            Refuse.STOPPED_TOO_LONG,
            "48 h without drug: not the old dose again; program a starting dose",
        )


def _fallback_rate(core: Core) -> int:
    """ng/day that the fallback gives now; 0 where it is not in force, or lost."""
    if not core.on_fallback:
        return 0
    fallback = slots.fallback_in(core.fallbacks[core.control.fallback_pair])
    return 0 if fallback is None else fallback.rate


def _change_program(core: Core, control: Control, asked: m.StageProgram, how: Accepted) -> Change:
    bridging = control.bridging
    if bridging is not None:  # from here on the new masses, still by the old concentration
        control = control._replace(bridging=bridging._replace(plays=NO_SLOT))
    return assigned(core, with_program(core, control, asked.program, how), asked.tag, how)


def with_program(core: Core, control: Control, program: Program, how: Accepted) -> Control:
    """Another slot runs, with a fallback of its own that is in flash before the commit is."""
    pair = 1 - core.control.fallback_pair
    name = program_hash(program)
    fallback = slots.Fallback(
        program.fallback, program.drug, program.concentration, name, how.version
    )
    core.fallbacks[pair].write(slots.fallback_bytes(fallback))
    core.flash.flush()
    return control._replace(
        running=how.slot,
        fallback_pair=pair,
        program_hash=name,
        on_fallback=False,
        stopped_at=None,
    )


def assigned(core: Core, control: Control, tag: bytes, how: Accepted, *events: Event) -> Change:
    """A pump without a patient takes this one."""
    if core.control.tag is None:
        data = tag + bytes(12)
        events = (*events, Event(LogKind.PATIENT_ASSIGNED, how.version, 0, data))
    return Change(control._replace(tag=tag), events)


def _read_program(core: Core, stored: bytes, asked: m.StageProgram) -> m.ProgramReadback:
    return program_readback(Kind.PROGRAM, stored, asked.tag, asked.program, core.implant.least_flow)


# --- resume --------------------------------------------------------------------------------


def _judge_resume(core: Core, asked: StageResume) -> None:
    stopped = core.control.stopped_at
    if stopped is None:
        raise Refused(Refuse.NOT_STOPPED, "the pump is not stopped")
    starving = core.engine.starving_since
    since = stopped if starving is None else min(stopped, starving)
    if core.clock.counter - since > STOPPED_TOO_LONG_MS:
        raise Refused(
            Refuse.STOPPED_TOO_LONG,
            f"{(core.clock.counter - since) // HOUR_MS} h without drug: after 48 h "
            "the old dose is not resumed; program a starting dose",
        )
    program = _resumed(core)
    if asked.program_hash != core.control.program_hash:
        raise Refused(Refuse.HASH_MISMATCH, "the pump holds another program than this one")
    refuse_dead_cell(core)
    ahead = outlook.with_program(
        core, program, core.control.bridging, bridged_program(core, core.control.bridging)
    )
    # A lost table of limits must not keep a patient from the program that the pump holds.
    lost = outlook.limits_lost(core)
    hard = factory(core.implant, program.drug, program.concentration) if lost else None
    outlook.judge_flow_and_windows(core, ahead, hard)


def bridged_program(core: Core, bridging: Bridging | None) -> Program | None:
    """The program that a bridge plays; None: the running one's masses."""
    if bridging is None or bridging.plays == NO_SLOT:
        return None
    return slots.program_in(core.slots[bridging.plays])


def _resumed(core: Core) -> Program:
    program = slots.program_in(core.slots[core.control.running])
    if program is None or core.control.on_fallback:
        raise Refused(Refuse.FLASH, "the stored program is lost; a new one must be programmed")
    return program


def _read_resume(core: Core, stored: bytes, asked: StageResume) -> m.ProgramReadback:
    return program_readback(Kind.RESUME, stored, asked.tag, _resumed(core), core.implant.least_flow)


def _change_resume(_core: Core, control: Control, _asked: StageResume, _how: Accepted) -> Change:
    return Change(control._replace(stopped_at=None))  # it assigns nobody


PROGRAM = Act(Kind.PROGRAM, _judge_program, _read_program, _change_program)
RESUME = Act(Kind.RESUME, _judge_resume, _read_resume, _change_resume)
