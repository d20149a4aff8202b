"""What lies ahead of this pump if something were accepted now, and whether limits allow it.

It puts together what `engine.ahead` wants: the plays of a bridge and of what comes
after it, running boluses, a candidate. The verdicts are those of `limits`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpctl.emulator.acts import hard as hards
from pumpctl.emulator.acts import limits
from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.acts.hard import Hard
from pumpctl.emulator.engine.ahead import Ahead, Asked, Play, Steady
from pumpctl.emulator.engine.exact import Ratio, ratio
from pumpctl.emulator.engine.schedule import Schedule
from pumpctl.emulator.following import limits_lost as limits_lost  # noqa: PLC0414 - acts ask here
from pumpctl.emulator.memory import slots
from pumpctl.emulator.memory.control import NO_SLOT, Bridging
from pumpctl.emulator.memory.retained import Span
from pumpctl.wire.codes import Drug, Refuse
from pumpctl.wire.program import Program

if TYPE_CHECKING:
    from pumpctl.emulator.core import Core

_MOST_STEPS = 200_000
"""Steps of a schedule that a bridge may take; its volume is bounded far below."""


def hard_now(core: Core) -> Hard:
    """The limits for what is in the reservoir."""
    return hard_for(core, core.control.drug, core.control.concentration)


def hard_for(core: Core, drug: Drug, concentration: int) -> Hard:
    """The limits for this fluid; Refused where it is not on the list, or the table is lost."""
    if limits_lost(core):
        raise Refused(Refuse.FLASH, "the table of limits is lost; an admin installs it again")
    return hards.hard_limits(core.implant, core.limit_table, drug, concentration)


def now(core: Core, bolus: Asked | None = None) -> Ahead:
    """What lies ahead as things are, with a bolus that would begin now."""
    return _ahead(core, _plays(core, core.clock.local), bolus)


def with_program(
    core: Core, program: Program, bridging: Bridging | None, old: Program | None = None
) -> Ahead:
    """What lies ahead once this program runs, behind this bridge (`old`: what that plays)."""
    plays = _bridged(core, program, bridging, old, core.clock.local)
    return _ahead(core, plays, None)


def with_label(core: Core, local: int) -> Ahead:
    """What lies ahead once the local label is this one: what was given keeps its own."""
    turns = core.engine.turns
    spans = (*turns.served, Span(turns.since, turns.until))
    return _ahead(core, _plays(core, local), None)._replace(local=local, served=spans)


def judge_flow_and_windows(core: Core, ahead: Ahead, hard: Hard | None = None) -> None:
    """Refused where flow or dose of any window to come would be above its limit (LIM-05, LIM-06).

    What was given already is no reason to refuse something that makes no window larger.
    """
    limits.check_flow(ahead, core.implant)
    without = now(core)
    limits.check_windows(core.engine.past, ahead, hard or hard_now(core), without)


def bridge_ends(schedule: Schedule, local: int, volume: Ratio) -> int:
    """The local label at which this schedule has displaced `volume` nL, up to 1 ms."""
    boluses: list[tuple[int, Ratio]] = []
    due = schedule.next_bolus(local)
    for _ in range(_MOST_STEPS):
        flow = schedule.flow(local)
        for end, extra in boluses:
            if end > local:
                flow = flow.plus(extra)
        edges = [schedule.next_change(local), *(end for end, _ in boluses if end > local)]
        if due is not None:
            edges.append(due.start)
        edge = min(edges)
        whole = flow.times(edge - local)
        left = volume.plus(whole.times(-1))
        if left.num <= 0:
            return local - (-volume.num * flow.den // (volume.den * flow.num))
        volume, local = left, edge
        while due is not None and due.start <= local:
            boluses.append((due.start + due.bolus.over, schedule.flow_of_bolus(due.bolus)))
            due = schedule.next_bolus(due.start)
        boluses = [each for each in boluses if each[0] > local]
    raise Refused(Refuse.IMPLAUSIBLE, "a bridge that never ends")


def _ahead(core: Core, plays: tuple[Play, ...], bolus: Asked | None) -> Ahead:
    engine = core.engine
    return Ahead(
        now=core.clock.counter,
        local=core.clock.local,
        plays=plays,
        running=tuple(engine.boluses),
        bolus=bolus,
        served=engine.turns.served,
    )


def _plays(core: Core, local: int) -> tuple[Play, ...]:
    plan = core.engine.plan
    if plan.stopped_at is not None:
        return ()
    if core.on_fallback or core.program is None:
        return (Play(Steady(plan.steady_rate), plan.concentration),)
    bridging = core.control.bridging
    old = None
    if bridging is not None and bridging.plays != NO_SLOT:
        old = slots.program_in(core.slots[bridging.plays])
    return _bridged(core, core.program, bridging, old, local)


def _bridged(
    core: Core, program: Program, bridging: Bridging | None, old: Program | None, local: int
) -> tuple[Play, ...]:
    least, implant = core.implant.least_flow, core.implant
    own = Play(Schedule(program, least), program.concentration)
    if bridging is None:
        return (own,)
    played = Schedule(old or program, least, bridging.concentration)
    end = bridging.since + -(-bridging.volume // implant.pulse)
    missing = ratio((end - core.engine.motor.pulses) * implant.pulse)
    missing = missing.plus(core.engine.motor.carry.times(-1))
    if missing.num <= 0:
        return (own,)
    until = bridge_ends(played, local, missing)
    return (Play(played, bridging.concentration, until), own)
