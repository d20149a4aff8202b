"""Staging and reading back: nothing that is delivered changes (PRG-01, PRG-02).

The staging message's own bytes go into the free slot; judgement, read-back and
later activation all start from what is stored there. Making it real is in
`treat`.
"""

from __future__ import annotations

from pumpctl.emulator.acts import limits
from pumpctl.emulator.acts.caller import Caller, Refused
from pumpctl.emulator.acts.readback import Stageable, content_of, program_readback, stored_message
from pumpctl.emulator.acts.staging import LASTS_MS, Drop, Staged
from pumpctl.emulator.core import Core
from pumpctl.emulator.engine.clock import HOUR_MS
from pumpctl.emulator.engine.delivery import STOPPED_TOO_LONG_MS
from pumpctl.emulator.engine.schedule import Schedule
from pumpctl.emulator.memory import slots
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Kind, Refuse
from pumpctl.wire.fields import WireError
from pumpctl.wire.message import encode
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import Program

_NONCE = 8


def stage(core: Core, caller: Caller, asked: Stageable) -> m.Staged:
    """Judge it, store it twice, and give it a name and a nonce."""
    judge(core, asked)
    core.drop_staged(Drop.REPLACED)
    stored = encode(asked)
    slot = core.free_slot()
    core.slots[slot].write(stored)
    core.flash.flush()
    counter = core.clock.counter
    kind = Kind.PROGRAM if isinstance(asked, m.StageProgram) else Kind.RESUME
    core.staged = Staged(
        kind, content_of(stored), slot, caller.session, core.entropy(_NONCE), counter, counter
    )
    core.last_drop = None
    return m.Staged(kind, core.staged.content, LASTS_MS, core.staged.nonce)


def judge(core: Core, asked: Stageable) -> Program:
    """The program that it leads to; Refused where this pump must not have it now."""
    tag = core.control.tag
    if tag is not None and asked.tag != tag:
        raise Refused(Refuse.PATIENT_TAG, "this pump belongs to another patient's tag")
    if isinstance(asked, StageResume):
        return _judge_resume(core, asked)
    program = asked.program
    limits.check(program, core.implant, core.control.drug, core.control.concentration)
    limits.check_running(
        Schedule(program, core.implant.least_flow),
        core.engine.boluses,
        core.implant,
        local=core.clock.local,
        counter=core.clock.counter,
    )
    return program


def _judge_resume(core: Core, asked: StageResume) -> Program:
    stopped = core.control.stopped_at
    if stopped is None:
        raise Refused(Refuse.NOT_STOPPED, "the pump is not stopped")
    program = slots.program_in(core.slots[core.control.running])
    if program is None or core.control.on_fallback:
        raise Refused(Refuse.FLASH, "the stored program is lost; a new one must be programmed")
    if asked.program_hash != core.control.program_hash:
        raise Refused(Refuse.HASH_MISMATCH, "the pump holds another program than this one")
    if core.clock.counter - stopped > STOPPED_TOO_LONG_MS:
        raise Refused(
            Refuse.STOPPED_TOO_LONG,
            f"stopped for {(core.clock.counter - stopped) // HOUR_MS} h: after 48 h without drug "
            "the old dose is not resumed; program a starting dose",
        )
    return program


def stored_staging(core: Core, caller: Caller) -> tuple[Staged, bytes, Stageable]:
    """What this session has staged, read from flash; Refused where there is nothing."""
    staged = core.staged
    if staged is None or staged.session != caller.session:
        if core.last_drop in (Drop.EXPIRED, Drop.IDLE):
            raise Refused(Refuse.STAGE_EXPIRED, "what was staged has expired")
        raise Refused(Refuse.NOTHING_STAGED, "nothing is staged in this session")
    twin = core.slots[staged.slot]
    found = twin.read()
    if found.good == 1:
        twin.repair()
    if found.payload is None or content_of(found.payload) != staged.content:
        core.drop_staged(Drop.DAMAGED)
        raise Refused(Refuse.FLASH, "what was staged cannot be read any more")
    try:
        return staged, found.payload, stored_message(found.payload)
    except (WireError, TypeError) as error:
        core.drop_staged(Drop.DAMAGED)
        raise Refused(Refuse.FLASH, "what was staged cannot be read any more") from error


def readback(core: Core, caller: Caller, _asked: m.GetReadback) -> m.ProgramReadback:
    """Computed from the stored bytes alone (PRG-04)."""
    staged, stored, message = stored_staging(core, caller)
    program = message.program if isinstance(message, m.StageProgram) else judge(core, message)
    core.staged = staged._replace(read_back=True)
    return program_readback(staged.kind, stored, message.tag, program, core.implant.least_flow)


def discard(core: Core, caller: Caller, _asked: m.Discard) -> m.Discarded:
    """Forget what this session has staged."""
    own = core.staged is not None and core.staged.session == caller.session
    return m.Discarded(own and core.drop_staged(Drop.DISCARDED))
