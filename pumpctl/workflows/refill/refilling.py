"""A refill's whole road: what should be inside, what the visit means, plan, apply, once.

The file and the guided sequence both come through here. `worked_out` says what a visit
means on a pump; `plan_refill` and `push_refill` take it along the one road.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pumpctl.errors import InputRefused, WrongPump
from pumpctl.quantities import Volume
from pumpctl.station.journal import Journal
from pumpctl.therapy.bridge import BridgePlan, Impossible, at_fluid
from pumpctl.therapy.checks.pause import pause_of
from pumpctl.therapy.checks.registry import PumpCase
from pumpctl.therapy.draft import draft_of
from pumpctl.therapy.moment import Date
from pumpctl.therapy.practice import STOPPED_HARD
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill import pocket_limit
from pumpctl.therapy.residual import Level
from pumpctl.therapy.state import Delivery, Fluid, PumpState
from pumpctl.workflows.acts.act import Act
from pumpctl.workflows.acts.refills import RefillAct, bridged_as_told
from pumpctl.workflows.refill.case import bridge_plan_of
from pumpctl.workflows.refill.level import Counted, counted_at, level_of
from pumpctl.workflows.refill.measured import Measured
from pumpctl.workflows.refill.once import (
    Recorded,
    Repeated,
    expiry_inside,
    refuse_repeated,
    unsettled,
)
from pumpctl.workflows.refill.visit import RefillVisit
from pumpctl.workflows.road.applying import AppliedPlan
from pumpctl.workflows.road.gates import pass_gates
from pumpctl.workflows.road.planning import Planned
from pumpctl.workflows.road.programs import Confirms, plan_act, push_act
from pumpctl.workflows.road.scene import Scene
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit

Done = AppliedPlan | Recorded
"""A refill that was applied now, or one of this order that was applied before."""


def refill_act(told: RefillVisit) -> Callable[[Visit], Act]:
    """What makes the act of this visit on the pump of an open session.

    Raises Repeated where this order was applied before, RefillConflict where with other
    content, InputRefused for what is no refill of this pump.
    """

    def made(visit: Visit) -> Act:
        with Journal(visit.station.home.journal) as journal:
            try:
                refuse_repeated(journal, visit.serial, told)
            except Repeated as repeated:
                raise Repeated(_as_held(repeated.recorded, visit.state())) from None
            pass_gates("refill", visit, journal)  # what is unknown decides before what is asked
            return worked_out(told, Scene(visit, journal, _brought(told)))

    return made


def plan_refill(station: Station, told: RefillVisit, *, keep: Path | None) -> Planned | Recorded:
    """Plan it; where this order was applied before, what is on record instead."""
    try:
        return plan_act(only(station, told.serial), refill_act(told), told.reasons, keep=keep)
    except Repeated as repeated:
        return repeated.recorded


def push_refill(
    station: Station, told: RefillVisit, confirms: Confirms, *, keep: Path | None
) -> Done:
    """Plan, confirm and apply it in one go; what is on record where it was applied before."""
    try:
        return push_act(
            only(station, told.serial), refill_act(told), told.reasons, confirms, keep=keep
        )
    except Repeated as repeated:
        return repeated.recorded


def only(station: Station, serial: str | None) -> Station:
    """The same station, which refuses any pump but this one."""
    if serial is None:
        return station
    if station.only not in (None, serial):
        raise WrongPump(f"the visit is for pump {serial}, not {station.only}")
    return station._replace(only=serial)


# --- from what was told to what it means ----------------------------------------------------


def worked_out(told: RefillVisit, scene: Scene) -> RefillAct:
    """The act, with everything that is measured for it."""
    state = scene.state
    if told.given_up is not None and state.delivery is Delivery.STOPPED:
        raise InputRefused(
            "the pump is stopped, and an activation would start it with the program it holds",
            hint="write the volume down; record it when delivery has been resumed",
        )
    program = _program_after(told, state)
    level, counted = level_of(scene), _counted(told, scene)
    if level.fill is not None and counted.pulses < level.fill.pulses:
        raise InputRefused(
            f"the injection would lie before the last fill, of {level.fill.at.label()}",
            hint="is the time right, or was that refill recorded already?",
        )
    filled_at = state.clock
    if told.injected is not None and told.injected.at is not None:
        filled_at = state.clock.plus(told.injected.at.utc_ms - scene.now.utc_ms)
    elif told.injected is None and state.filled_at is not None:
        filled_at = state.filled_at  # the drug inside is as old as it was
    expected = level.expected(counted.pulses)
    left = expected if told.drained is None else told.left
    injected = Volume(0) if told.injected is None else told.injected.volume
    measured = Measured(
        volume=left + injected,
        since=counted.pulses,
        drained_since=_drained_since(told, level, counted.pulses),
        off=counted.off,
        filled_at=filled_at,
        pulses=state.pulses,
        planned=state.clock,
        per_pulse=scene.visit.pump.identity.pulse,
        own=state.reservoir,
        fill=level.fill,
        fluid=Fluid(state.drug, state.concentration),
        sensed=None,
        bridge=None,
        restart=_restarts(program, scene),
        expiry=_expiry(told, left, scene),
        unsettled=unsettled(scene.journal, state),
    )
    measured = measured._replace(sensed=_sensed(told, measured, state))
    line = bridge_plan_of(told, measured, program, scene)
    if told.without_bridge and not isinstance(line, BridgePlan | Impossible):
        raise InputRefused(
            "there is no bridge to be left out",
            hint="leave `bridge` out: drug and concentration stay, or the line is new already",
        )
    measured = measured._replace(bridge=bridged_as_told(told, line))
    return RefillAct(told, measured, program, line, state)


def _as_held(recorded: Recorded, state: PumpState) -> Recorded:
    """With whether the pump still holds that fill."""
    filled = None if state.filled_at is None else state.filled_at.utc_ms
    holds = recorded.measured["filled_at_utc_ms"] == filled
    return recorded._replace(model=state.model, holds=holds)


def _brought(told: RefillVisit) -> Program | None:
    return None if told.program is None else told.program[1]


def _program_after(told: RefillVisit, state: PumpState) -> Program:
    """What runs afterwards: the new program, or the same masses of what goes in."""
    if (told.drawn is None or told.injected is None) and told.given_up is None:
        raise InputRefused("a refill that was not given up says what went in")
    if told.drained is None and told.given_up is None:
        raise InputRefused("a refill that was not given up says what was drained")
    if told.program is not None:
        return told.program[1]
    if state.program is None:
        raise InputRefused(
            "the pump names no program that could go on: it has lost its program, or was more "
            "than 48 h without drug",
            hint="name a profile in [program]",
        )
    if told.drawn is None or told.injected is None:
        return state.program
    return at_fluid(state.program, Fluid(told.drawn.name, told.drawn.concentration))


def _counted(told: RefillVisit, scene: Scene) -> Counted:
    """The pump's pulses at the injection; now, where it was now or nothing went in."""
    injected, pulses = told.injected, scene.state.pulses
    if injected is None or (injected.at is None and injected.since is None):
        return Counted(pulses, Volume(0))
    if injected.since is None:
        return counted_at(scene, injected.at or scene.now)
    if injected.since > pulses:
        raise InputRefused("the injection would lie ahead of the pump's own count")
    return Counted(injected.since, Volume(0))


def _expiry(told: RefillVisit, left: Volume, scene: Scene) -> Date | None:
    """Of what is inside afterwards: of what went in, and of what is left of the old."""
    dates = []
    if left:
        dates.append(expiry_inside(scene.journal, scene.state))
    if told.drawn is not None and told.injected is not None:
        dates.append(told.drawn.expiry)
    return min((each for each in dates if each is not None), default=None)


def _drained_since(told: RefillVisit, level: Level, since: int) -> int:
    """The pump's pulses at the drain; as at the injection where nobody read them between."""
    at, first = told.drained_since, None if level.fill is None else level.fill.pulses
    fits = at is not None and at <= level.pulses and (first is None or at >= first)
    return at if at is not None and fits else since


def _restarts(program: Program, scene: Scene) -> bool:
    """More than 48 h without drug: the pump brings no old dose back through a bridge."""
    case = PumpCase(draft_of(program), scene.library, program, scene.state, scene.now, scene.past)
    pause = pause_of(case)
    return pause is not None and pause.length > STOPPED_HARD.value


def _sensed(told: RefillVisit, measured: Measured, state: PumpState) -> Volume | None:
    """What the sensor shows of the refill, at the injection.

    A sensor that shows what was inside before has seen nothing of the refill yet; it
    is asked again when the pump knows of it (`RefillAct.verify`).
    """
    if told.injected is None:
        return None
    if told.injected.sensed is not None:
        return told.injected.sensed
    if state.sensed is None:
        return None
    limit = pocket_limit(state.capacity).value.quanta
    if abs(state.sensed.quanta - state.reservoir.quanta) <= limit:
        return None
    return state.sensed + measured.displaced
