"""Staging and reading back: nothing that is delivered changes (PRG-01, PRG-02).

The staging message's own bytes go into the free slot; judgement, read-back and
later activation all start from what is stored there, whatever the kind. Making
it real is in `treat`; what a kind is, in the table below and its own module.
"""

from __future__ import annotations

from typing import Any

from pumpctl.emulator.acts import boluses, programs, refills, settings
from pumpctl.emulator.acts.act import Act
from pumpctl.emulator.acts.caller import Caller, Refused
from pumpctl.emulator.acts.readback import content_of, stored_message
from pumpctl.emulator.acts.staging import LASTS_MS, Drop, Staged
from pumpctl.emulator.core import Core
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Refuse
from pumpctl.wire.fields import WireError
from pumpctl.wire.message import encode
from pumpctl.wire.messages_acts import (
    StageBolus,
    StageBridge,
    StageClock,
    StageLimits,
    StagePatient,
    StageRefill,
    StageResume,
)
from pumpctl.wire.messages_implant import StageImplant

ACTS: dict[type, Act] = {
    m.StageProgram: programs.PROGRAM,
    StageResume: programs.RESUME,
    StageBolus: boluses.BOLUS,
    StageBridge: refills.BRIDGE,
    StageRefill: refills.REFILL,
    StageClock: settings.CLOCK,
    StagePatient: settings.PATIENT,
    StageImplant: settings.IMPLANT,
    StageLimits: settings.LIMITS,
}
"""Every kind of change that this pump can make."""
_NONCE = 8


def stage(core: Core, caller: Caller, asked: Any) -> m.Staged:
    """Judge it, store it twice, and give it a name and a nonce."""
    act = judge(core, asked)
    core.drop_staged(Drop.REPLACED)
    stored = encode(asked)
    slot = core.free_slot()
    core.slots[slot].write(stored)
    core.flash.flush()
    counter = core.clock.counter
    core.staged = Staged(
        act.kind, content_of(stored), slot, caller.session, core.entropy(_NONCE), counter, counter
    )
    core.last_drop = None
    return m.Staged(act.kind, core.staged.content, LASTS_MS, core.staged.nonce)


def judge(core: Core, asked: Any) -> Act:
    """Its kind; Refused where this pump must not have it now."""
    act = ACTS[type(asked)]
    tag = core.control.tag
    if act.patient and tag is not None and asked.tag != tag:
        raise Refused(Refuse.PATIENT_TAG, "this pump belongs to another patient's tag")
    act.judge(core, asked)
    return act


def stored_staging(core: Core, caller: Caller) -> tuple[Staged, bytes, Any]:
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


def readback(core: Core, caller: Caller, _asked: m.GetReadback) -> Any:
    """Computed from the stored bytes (PRG-04), by the kind."""
    staged, stored, message = stored_staging(core, caller)
    answer = ACTS[type(message)].readback(core, stored, message)
    core.staged = staged._replace(read_back=True)
    return answer


def discard(core: Core, caller: Caller, _asked: m.Discard) -> m.Discarded:
    """Forget what this session has staged."""
    own = core.staged is not None and core.staged.session == caller.session
    return m.Discarded(own and core.drop_staged(Drop.DISCARDED))
