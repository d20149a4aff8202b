"""The repair of a forgotten bridge: what it would be on this pump, counted from the injection.

A refill changed the concentration and no bridge was programmed: the old fluid is at
the tip, metered as if it were the new one. The volume follows from the implant's
record, what has passed from the pump's pulses since the injection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpctl.errors import InputRefused
from pumpctl.named import NamedTuple
from pumpctl.pump.encode import program_of
from pumpctl.pump.readbacks import Bridged
from pumpctl.quantities import Volume
from pumpctl.station.journal import Journal
from pumpctl.therapy import figures
from pumpctl.therapy.bridge import BridgePlan, Impossible, NotNeeded, Planned, plan_bridge
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.delivery import NOTHING
from pumpctl.therapy.line import line_parts
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, Fluid, PumpState
from pumpctl.wire.fields import WireError
from pumpctl.workflows.implants import record_of
from pumpctl.workflows.refill.level import level_of
from pumpctl.workflows.refill.once import applied
from pumpctl.workflows.road.scene import Scene
from pumpctl.workflows.visit import Visit

if TYPE_CHECKING:
    from pumpctl.workflows.acts.bridges import BridgeAct


class Late(NamedTuple):
    """When the injection was, and when the repair was planned, by the pump's own counts."""

    since: int
    """Pulses at the injection."""
    pulses: int
    """When it was planned."""
    injected: Moment
    planned: Moment
    per_pulse: Volume
    before: Program | None
    """What ran before the refill; None where nobody here knows."""

    @property
    def displaced(self) -> Volume:
        """Since the injection."""
        return self.per_pulse * (self.pulses - self.since)


def bridge_act(visit: Visit) -> BridgeAct:
    """The repair on the pump of this session; InputRefused where there is nothing to repair."""
    from pumpctl.workflows.acts.bridges import BridgeAct  # it asks `plan_repair` again

    with Journal(visit.station.home.journal) as journal:
        scene = Scene(visit, journal, None)
        state = scene.state
        program = _needed(state)
        late = _late(scene, program)
        line = plan_repair(scene, late)
    if not isinstance(line, BridgePlan):
        raise _nothing(line)
    bridge = Bridged(line.order.volume, line.order.old)
    _refuse_beyond_front(state, line)
    before = late.before
    return BridgeAct(bridge, late, program, program if before is None else before, line)


def plan_repair(scene: Scene, late: Late) -> Planned:
    """The bridge from what was in the line at the injection, with what has passed since."""
    state, record = scene.state, record_of(scene)
    moved, start = NOTHING, late.injected
    if late.displaced:
        if start.label_ms >= late.planned.label_ms:  # the clock was set back since
            start = late.planned.plus(-1)
        moved = Course([Piece(start.label_ms, late.planned.label_ms, late.displaced.quanta)])
    return plan_bridge(
        late.before,
        _needed(state),
        state.line.at_tip,
        line_parts(record).whole,
        injected=start,
        now=late.planned,
        moved=moved,
    )


def _needed(state: PumpState) -> Program:
    """The program that goes on afterwards; InputRefused where nothing can be repaired."""
    tip, held = state.line.at_tip, Fluid(state.drug, state.concentration)
    if state.bridge is not None:
        raise InputRefused(
            f"a bridge is running already: {state.bridge.remaining} still to pass",
            hint="pumpctl status shows when the front arrives",
        )
    if tip == held or not tip.concentration:
        raise InputRefused(
            f"there is nothing to bridge: {held.drug} {held.concentration} fills the line"
            if tip == held
            else "there is nothing to bridge: no drug is at the tip",
            hint="a bridge belongs to a refill; on its own it repairs a forgotten one",
        )
    if state.delivery is Delivery.STOPPED:
        raise InputRefused("the pump is stopped", hint="pumpctl resume, then bolus bridge")
    if state.program is None:
        raise InputRefused(
            "the pump has lost its program", hint="program a new one, then bolus bridge"
        )
    return state.program


def _refuse_beyond_front(state: PumpState, line: BridgePlan) -> None:
    """The new drug would reach the tip before the bridge ends, metered as the old one."""
    ahead = state.line.front_remaining
    if ahead is not None and line.order.remaining > ahead:
        raise InputRefused(
            f"the front is {ahead} from the tip, and {line.order.remaining} would be metered: "
            "it was on its way before the last injection",
            hint="watch the patient until it has arrived; a second refill hid how far it is",
        )


def _nothing(line: NotNeeded | Impossible) -> InputRefused:
    if isinstance(line, Impossible):
        return InputRefused(f"no bridge is possible: {line.why}", hint=line.instead)
    return InputRefused(f"there is nothing to bridge: {line.why}")


def _late(scene: Scene, program: Program) -> Late:
    """Counted from the last fill, as the pump counts it."""
    state, level = scene.state, level_of(scene)
    if level.fill is None or state.filled_at is None:
        raise InputRefused(
            "when the last refill was is not known, so what has passed since is not",
            hint="watch the patient until the front has arrived",
        )
    filled_at = state.filled_at.utc_ms
    for each in applied(scene.journal, state.serial):
        if each.told["injected"] is None and each.measured["filled_at_utc_ms"] == filled_at:
            raise InputRefused(
                f"a refill was given up since, at {each.at}: from there on the pump counts anew, "
                "and no longer from the injection",
                hint="watch the patient until the front has arrived",
            )
    since, pulse = level.fill.pulses, scene.visit.pump.identity.pulse
    used = level.fill.volume.quanta - state.reservoir.quanta
    if state.reservoir and used >= 0 and used % pulse.quanta == 0:
        since = state.pulses - used // pulse.quanta  # the pump's own count of it
    return Late(since, state.pulses, state.filled_at, state.clock, pulse, _before(scene, program))


def _before(scene: Scene, program: Program) -> Program | None:
    """What ran before the refill, where our journal tells and it gives no more than `program`.

    A dose that was lowered since does not come back through a bridge; the pump holds it so.
    """
    state = scene.state
    for each in reversed(applied(scene.journal, state.serial)):
        if each.measured["filled_at_utc_ms"] != (state.filled_at or Moment(0)).utc_ms:
            continue
        try:
            old = program_of(bytes.fromhex(each.old_program or ""))
        except (ValueError, WireError):
            return None
        fits = old.concentration == state.line.at_tip.concentration
        return old if fits and not _gives_more(old, program) else None
    return None


def _gives_more(old: Program, new: Program) -> bool:
    """On any day, or in the largest hour of one."""
    doses = zip(figures.daily_doses(old), figures.daily_doses(new), strict=True)
    hours = zip(figures.week(old), figures.week(new), strict=True)
    return any(a > b for a, b in doses) or any(a.largest_hour > b.largest_hour for a, b in hours)
