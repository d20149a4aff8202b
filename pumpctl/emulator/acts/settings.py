"""The kinds CLOCK, PATIENT, IMPLANT and LIMITS: what is set and doses nothing by itself.

Each is an activation like any other: all or nothing, with an operation id and a
state version. What a clock set means for the schedule is in `engine.turns`.
"""

from __future__ import annotations

from pumpctl.emulator.acts import hard as hards
from pumpctl.emulator.acts import outlook
from pumpctl.emulator.acts.act import Accepted, Act, Change
from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.acts.readback import content_of
from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.engine.clock import MINUTE_MS
from pumpctl.emulator.memory import implant_record
from pumpctl.emulator.memory.control import NO_SLOT, Control, Label
from pumpctl.wire.codes import Holds, Kind, LogKind, Refuse
from pumpctl.wire.limit_table import LimitTable
from pumpctl.wire.messages_acts import (
    ClockReadback,
    LimitsReadback,
    PatientReadback,
    StageClock,
    StageLimits,
    StagePatient,
)
from pumpctl.wire.messages_implant import ImplantReadback, ImplantRecord, StageImplant

_LAST_LABEL = 253_402_300_800_000
"""10000-01-01T00:00Z: beyond it a label cannot be written as a date."""
_MOST_OFFSET_MIN = 14 * 60
_MOST_LINE = 2_000_000
"""nL: several times any line of a pump of this kind."""
_ZEROS = bytes(4)


# --- the clock (TIM-01 to TIM-03) -----------------------------------------------------


def _judge_clock(core: Core, asked: StageClock) -> None:
    if not core.implant.made_at <= core.clock.utc + asked.shift < _LAST_LABEL:
        raise Refused(Refuse.CLOCK, "a time before this pump was made, or beyond all dates")
    if abs(asked.offset) > _MOST_OFFSET_MIN:
        raise Refused(Refuse.CLOCK, "an offset from UTC that exists nowhere")
    local = core.clock.utc + asked.shift + asked.offset * MINUTE_MS
    control = core.control
    # Also with a lost table: a wrong clock must be put right.
    lost = outlook.limits_lost(core)
    hard = hards.factory(core.implant, control.drug, control.concentration) if lost else None
    outlook.judge_flow_and_windows(core, outlook.with_label(core, local), hard)


def _new_label(core: Core, asked: StageClock) -> Label:
    label = core.control.label
    return Label(label.number + 1, label.utc_base + asked.shift, asked.offset)


def _read_clock(core: Core, stored: bytes, asked: StageClock) -> ClockReadback:
    local = core.clock.utc + asked.shift + asked.offset * MINUTE_MS
    jump = core.engine.turns.jump(core.engine.plan.schedule, local)
    return ClockReadback(Kind.CLOCK, content_of(stored), asked.shift, asked.offset, jump.over)


def _change_clock(core: Core, control: Control, asked: StageClock, how: Accepted) -> Change:
    label, clock = _new_label(core, asked), core.clock
    offsets = b"".join(
        offset.to_bytes(2, "big", signed=True) for offset in (clock.offset_min, asked.offset)
    )
    event = Event(
        LogKind.CLOCK_SET, clock.utc, clock.utc + asked.shift, how.operation + offsets, label
    )
    return Change(control._replace(label=label), (event,))


# --- the patient ----------------------------------------------------------------------


def _judge_patient(_core: Core, _asked: StagePatient) -> None:
    """Nothing bars it: whose pump this is, a clinician says."""


def _read_patient(core: Core, stored: bytes, asked: StagePatient) -> PatientReadback:
    return PatientReadback(Kind.PATIENT, content_of(stored), core.control.tag, asked.tag)


def _change_patient(core: Core, control: Control, asked: StagePatient, how: Accepted) -> Change:
    none = bytes(8)
    data = (asked.tag or none) + (core.control.tag or none) + _ZEROS
    event = Event(LogKind.PATIENT_ASSIGNED, how.version, 0, data)
    return Change(control._replace(tag=asked.tag), (event,))


# --- the implant's record (REF-04) ----------------------------------------------------


def _judge_implant(core: Core, asked: StageImplant) -> None:
    record = asked.record
    if record.catheter_low > record.catheter_high:
        raise Refused(Refuse.IMPLAUSIBLE, "a catheter whose lower bound is above its upper one")
    if not 0 < implant_record.line_volume(record) <= _MOST_LINE:
        raise Refused(Refuse.RANGE, "a line without volume, or of more than any line holds")
    for part in (record.tubing_holds, record.catheter_holds):
        known = core.implant.concentrations if part.holds is Holds.DRUG else (0,)
        if part.concentration not in known:
            raise Refused(Refuse.CONCENTRATION, "a concentration that is not on this pump's list")
    if core.control.bridging is not None and _moves(core.record_in_force, record):
        raise Refused(Refuse.BRIDGE_RUNNING, "a bridge is metered by the line as it is recorded")


def _moves(old: ImplantRecord, new: ImplantRecord) -> bool:
    """Does it say anything else of what is in the line?"""
    return implant_record.line_contents(old) != implant_record.line_contents(new)


def _read_implant(_core: Core, stored: bytes, asked: StageImplant) -> ImplantReadback:
    line = implant_record.line_volume(asked.record)
    return ImplantReadback(Kind.IMPLANT, content_of(stored), asked.record, line)


def _change_implant(core: Core, control: Control, asked: StageImplant, how: Accepted) -> Change:
    pair = 1 - control.record_pair
    core.records[pair].write(implant_record.record_bytes(asked.record))
    core.flash.flush()
    number = control.record_number + _moves(core.record_in_force, asked.record)
    control = control._replace(record_pair=pair, record_number=number)
    event = Event(LogKind.IMPLANT_SET, how.version, 0, how.operation + _ZEROS)
    return Change(control, (event,))


# --- hard limits (LIM-07) -------------------------------------------------------------


def _table(core: Core, asked: StageLimits) -> LimitTable:
    control = core.control
    return hards.judge_table(
        asked,
        implant=core.implant,
        drug=control.drug,
        concentration=control.concentration,
        stored_version=control.limits_version,
        pinned=control.limits_key,
    )


def _judge_limits(core: Core, asked: StageLimits) -> None:
    _table(core, asked)


def _read_limits(core: Core, stored: bytes, asked: StageLimits) -> LimitsReadback:
    table = _table(core, asked)
    why = f"{len(table.rows)} rows; the next is signed by {table.next_key[:8].hex()}"
    return LimitsReadback(Kind.LIMITS, content_of(stored), table.version, True, why)


def _change_limits(core: Core, control: Control, asked: StageLimits, how: Accepted) -> Change:
    pair = 0 if control.limits_pair == NO_SLOT else 1 - control.limits_pair
    stored = core.slots[how.slot].read().payload or b""
    core.limit_pairs[pair].write(stored)
    core.flash.flush()
    old = control.limits_version
    control = control._replace(
        limits_pair=pair,
        limits_version=asked.version,
        limits_key=_table(core, asked).next_key,
    )
    event = Event(LogKind.LIMITS_SET, asked.version, old, how.operation + _ZEROS)
    return Change(control, (event,))


CLOCK = Act(Kind.CLOCK, _judge_clock, _read_clock, _change_clock, patient=False)
PATIENT = Act(Kind.PATIENT, _judge_patient, _read_patient, _change_patient, patient=False)
IMPLANT = Act(Kind.IMPLANT, _judge_implant, _read_implant, _change_implant)
LIMITS = Act(Kind.LIMITS, _judge_limits, _read_limits, _change_limits, patient=False)
