"""After an activation: the pump is interrogated again and compared field by field (PRG-10).

What an act brings, its act says; what no such act may touch stands here, once. A
pump that says "done" is not believed: any difference is an error to act on now.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.errors import ActNow
from pumpctl.outcomes import Applied
from pumpctl.pump.encode import program_hash
from pumpctl.quantities import Volume
from pumpctl.therapy.figures import rate_at
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, Fluid, PumpState
from pumpctl.workflows.acts.act import Act, GivesDose, KeepsRecord, Pair
from pumpctl.workflows.visit import Visit

_BY_SCHEDULE = frozenset({Delivery.DELIVERING, Delivery.MINIMUM, Delivery.BOLUS})
"""What a pump does while its basal rate is its program's."""


def verify(visit: Visit, before: PumpState, act: Act, outcome: Applied) -> PumpState:
    """Interrogate again and compare; ActNow for any difference."""
    try:
        state, pulse = visit.state(), visit.pump.identity.pulse
        own: list[Pair] = []
        if isinstance(act, GivesDose):
            own += act.verify_dose(state, visit.pump.operation(outcome.operation).delivered)
        if isinstance(act, KeepsRecord):
            own += act.verify_record(visit.pump.implant())
    except (Exception, KeyboardInterrupt) as error:  # whatever it was, the pump did change
        raise ActNow(f"the pump applied it, but could not be asked again: {error!s}") from error
    common: list[Pair] = [
        ("state version", outcome.state_version, state.state_version),
        ("state version's step", before.state_version + 1, state.state_version),
        ("patient", act.tag_after(before), state.tag_hash),
    ]
    if act.program is not None:
        common += _running(act.program, state)
    for what, expected, found in (
        *common,
        *act.verify(before, state),
        *_untouched(act, before, state, pulse),
        *own,
    ):
        if expected != found:
            detail = f": {state.delivery.value}" if what == "delivery" else ""
            raise ActNow(f"the pump was changed, but its {what} is not what was planned{detail}")
    return state


def _running(program: Program, state: PumpState) -> Iterator[Pair]:
    """The program that is stored, and the rate that it gives at this minute."""
    yield "program", program, state.program
    yield "program hash", program_hash(program), state.program_hash
    yield "drug", Fluid(program.drug, program.concentration), _fluid(state)
    if state.delivery in _BY_SCHEDULE and state.bridge is None:
        clock = state.clock
        yield "basal rate", rate_at(program, clock.day, clock.minute), state.rate


def _untouched(act: Act, before: PumpState, after: PumpState, pulse: Volume) -> Iterator[Pair]:
    """What belongs to other kinds of act: a refill's volume, a record's line, a clock's offset."""
    if act.kind != "clock":
        yield "clock's offset", before.clock.offset_min, after.clock.offset_min
    if act.kind != "implant":
        yield "line's volume", before.line.volume, after.line.volume
    if act.kind == "refill":
        return
    yield "fluid", _fluid(before), _fluid(after)
    yield "time of the fill", _filled(before), _filled(after)
    pumped = (after.pulses - before.pulses) * pulse.quanta
    left = Volume(max(0, before.reservoir.quanta - pumped))
    yield "reservoir", left, after.reservoir
    if act.kind != "bridge" and before.bridge is not None:
        ended = after.bridge is None and pumped >= before.bridge.remaining.quanta
        volume = None if after.bridge is None else after.bridge.volume
        yield "bridge", before.bridge.volume, before.bridge.volume if ended else volume


def _fluid(state: PumpState) -> Fluid:
    return Fluid(state.drug, state.concentration)


def _filled(state: PumpState) -> int | None:
    """By UTC: another offset of the clock is no other fill."""
    return None if state.filled_at is None else state.filled_at.utc_ms
