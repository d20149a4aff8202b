"""What can be staged, as the messages that stage it: one function for each kind of act.

Values of the therapy floor in, a message out, and nothing is sent: the bytes are the
order, and their hash names it before and after (PRG-05). Decides nothing.
"""

from __future__ import annotations

from typing import Literal

from pumpctl.pump.encode import drug_code, to_wire
from pumpctl.pump.implant import Recorded, record_message
from pumpctl.pump.readbacks import Bridged
from pumpctl.quantities import Duration, Mass, Volume
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts as acts
from pumpctl.wire.codes import BolusKind
from pumpctl.wire.messages_implant import StageImplant

Order = (
    m.StageProgram
    | acts.StageResume
    | acts.StageBolus
    | acts.StageBridge
    | acts.StageRefill
    | acts.StageClock
    | acts.StagePatient
    | StageImplant
)
"""`tag` of each that has one: eight bytes of serial and patient's tag (`therapy.patient`)."""


def order_program(program: Program, tag: bytes) -> Order:
    """A program that becomes the running one."""
    return m.StageProgram(tag, to_wire(program))


def order_resume(program_hash: bytes, tag: bytes) -> Order:
    """Going on with the program that the pump holds."""
    return acts.StageResume(tag, program_hash)


def order_bolus(kind: Literal["single", "prime"], dose: Mass, over: Duration, tag: bytes) -> Order:
    """A dose of the reservoir's drug, evenly over a time, on top of the program."""
    return acts.StageBolus(tag, BolusKind[kind.upper()], dose.quanta, over.quanta)


def order_bridge(bridge: Bridged, since: int, tag: bytes) -> Order:
    """The repair of a forgotten bridge; `since`: the pump's pulses at the injection."""
    return acts.StageBridge(tag, _bridge(bridge), since)


def order_refill(
    program: Program,
    tag: bytes,
    *,
    drained: Volume,
    injected: Volume,
    volume: Volume,
    filled_at: Moment,
    since: int,
    bridge: Bridged | None,
) -> Order:
    """A refill: its volume, fluid, bridge and program in one (REF-03)."""
    return acts.StageRefill(
        tag,
        drained.quanta,
        injected.quanta,
        volume.quanta,
        filled_at.utc_ms,
        since,
        None if bridge is None else _bridge(bridge),
        to_wire(program),
    )


def order_clock(shift_ms: int, offset_min: int) -> Order:
    """Shift the pump's label by so much, and give it this offset from UTC."""
    return acts.StageClock(shift_ms, offset_min)


def order_patient(tag: bytes | None) -> Order:
    """Assign the pump to a patient, or to nobody."""
    return acts.StagePatient(tag)


def order_implant(record: Recorded, tag: bytes) -> Order:
    """Revise the implant's record."""
    return StageImplant(tag, record_message(record))


def _bridge(bridge: Bridged) -> acts.Bridge:
    old = bridge.old
    return acts.Bridge(bridge.volume.quanta, drug_code(old.drug), old.concentration.quanta)
