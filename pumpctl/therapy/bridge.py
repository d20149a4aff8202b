"""The bridge after a change of fluid: the old program goes on until the line is new.

After a refill with another concentration, or another drug, tubing and catheter
still hold the old one. Until their volume has passed, the pump plays the old
program at the old concentration, so that the same mass goes on leaving the tip.
It is metered by volume, counted from the injection, never by time (REF-08).
Line volumes come from the caller's table and record. Whether a bridge may be
left out, or run, is `checks/bridges`' matter; what happens with and without it is
computed in `bridge_effect`. Times are of the pump's clock face.
"""

from __future__ import annotations

from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Volume, round_down, round_up
from pumpctl.therapy.course import Course
from pumpctl.therapy.delivery import NOTHING, when_given
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.line import FREE, Holds, LineVolume, Mark
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Mode, Program, make_program
from pumpctl.therapy.state import Fluid, RunningBridge


class BridgeOrder(NamedTuple):
    """What the pump is told: at the old concentration until `volume` has passed."""

    volume: Volume
    """Of the line, counted from the injection."""
    passed: Volume
    """Displaced already when this was planned, whatever moved it."""
    old: Fluid

    @property
    def remaining(self) -> Volume:
        """Still to pass."""
        return self.volume - self.passed


class BridgePlan(NamedTuple):
    """A bridge, and everything that its consequences follow from."""

    order: BridgeOrder
    line: LineVolume
    """What the line's volume may be in truth."""
    played: Program
    """The old program, at the concentration that is at the tip."""
    new: Program
    starts: Moment
    ends: Fraction
    """The exact ms of the clock face at which the volume has passed."""
    running: Course = NOTHING
    """ng of a bolus that was already running: it goes on, and counts."""
    old_unknown: bool = False
    """Whether `played` gives the new program's masses, the old program being unknown."""

    @property
    def fluid(self) -> Fluid:
        """The reservoir's."""
        return Fluid(self.new.drug, self.new.concentration)

    @property
    def end(self) -> Moment:
        """`ends`, rounded down to 1 ms."""
        return self.starts.plus(round_down(self.ends) - self.starts.label_ms)

    @property
    def in_line(self) -> Fraction:
        """ng of the old drug that the line still holds, by the volume that is metered."""
        return Fraction(self.order.remaining.quanta * self.order.old.concentration.quanta, 1_000)


class NotNeeded(NamedTuple):
    """No bridge: the line holds the new fluid at its tip, or may: see `uncertain`."""

    why: str
    front: Moment | None = None
    """When it arrived, where it has displaced another since the injection; rounded down."""
    given: Fraction = Fraction(0)
    """ng of the new fluid that have left the tip since then; the most, where `uncertain`."""
    uncertain: BridgePlan | None = None
    """Where only the line's lower bound has passed: the bridge of nothing that is left,
    from which follows what the patient gets if the line is longer."""


class Impossible(NamedTuple):
    """No bridge can keep what the patient gets; `instead` says what can be done."""

    why: str
    instead: str


Planned = BridgePlan | NotNeeded | Impossible


def plan_bridge(
    old: Program | None,
    new: Program,
    held: Holds | None,
    line: LineVolume,
    *,
    injected: Moment,
    now: Moment,
    moved: Course = NOTHING,
    running: Course = NOTHING,
) -> Planned:
    """The bridge from what the line held at the injection to the new program's fluid.

    `held`: what tubing and catheter held then, None where not the same;
    `moved`: nL since the injection, whatever moved them (a prime, boluses, a
    program): it counts; `running`: ng still to come of a bolus. `old` is played by
    its masses, whatever concentration it was written for; where it is unknown and
    the drug is the same, the new program's masses are.
    """
    fluid = Fluid(new.drug, new.concentration)
    if held == fluid:
        return NotNeeded("same drug, same concentration")
    if not isinstance(held, Fluid):
        return _unfit(held)
    same_drug = held.drug == fluid.drug
    if not same_drug and not line.known:
        return Impossible(
            f"{held.drug} gives way to {fluid.drug}, and the line's volume is {line}: too short a "
            "bridge gives the old drug at the new flow, too long a one the new drug at the old",
            "find out the trimmed length, or empty the catheter and prime it",
        )
    if (old is None or old.drug != held.drug) and not same_drug:
        return Impossible(
            f"the line holds {held.drug}, and no program for it is known",
            "empty the catheter through its access port and prime it",
        )
    played = old if old is not None and old.drug == held.drug else new
    displaced = moved.between(injected.label_ms, now.label_ms)
    volume, passed = _metered(held, fluid, line, displaced)
    if passed >= volume:
        at = moved.when(volume.quanta, injected.label_ms)
        front = now if at is None else injected.plus(round_down(at) - injected.label_ms)
        beyond = max(Fraction(0), displaced - volume.quanta)
        given = beyond * fluid.concentration.quanta / 1_000
        if passed >= line.high:
            return NotNeeded("the line's volume has passed", front, given)
        rest = _planned(BridgeOrder(passed, passed, held), line, played, new, now, running)
        if isinstance(rest, Impossible):
            return rest
        return NotNeeded("the least that the line may hold has passed", front, given, rest)
    order = BridgeOrder(volume, passed, held)
    plan = _planned(order, line, played, new, now, running)
    return plan if isinstance(plan, Impossible) else plan._replace(old_unknown=played is not old)


def metered(volume: Volume, passed: int, pulse: Volume) -> RunningBridge | None:
    """A bridge of which so many nL have passed, as a pump tells it; None once it is over.

    It is over with the pulse that reaches its volume, which may be a little beyond.
    """
    end = -(-volume.quanta // pulse.quanta) * pulse.quanta
    return None if passed >= end else RunningBridge(volume, Volume(min(passed, volume.quanta)))


def replan_bridge(
    bridge: RunningBridge,
    at_tip_now: Fluid,
    reduced: Program,
    now: Moment,
    running: Course = NOTHING,
) -> BridgePlan | Impossible:
    """A program that takes the place of the one a running bridge leads to (a reduction).

    A new plan from what the line holds now: what is left of the old fluid is
    played with the new program's masses, and what has passed stays counted.
    """
    line = LineVolume(bridge.volume, bridge.volume)
    order = BridgeOrder(bridge.volume, bridge.volume - bridge.remaining, at_tip_now)
    return _planned(order, line, reduced, reduced, now, running)


def _unfit(held: Mark | None) -> Impossible:
    """The line does not hold one known drug, so there is no old dose to keep."""
    if held is FREE:
        return Impossible("the line is free of drug", "prime it: there is no old drug to bridge")
    what = "differs in tubing and catheter" if held is None else "is unknown"
    return Impossible(
        f"what the line holds {what}",
        "empty the catheter through its access port, record that, and prime it",
    )


def _metered(held: Fluid, fluid: Fluid, line: LineVolume, moved: Fraction) -> tuple[Volume, Volume]:
    """The volume to meter and what has passed of it, where either is uncertain.

    The end of a bridge changes the flow by the ratio of the concentrations. Upwards
    it falls: ended too late, the stronger drug is at the tip while the old, higher
    flow goes on, an overdose; so the lower bound. Downwards it rises: ended too
    early, the old, stronger drug is pushed at the new flow; so the upper bound.
    Either way what is left of the error is too little, not too much.
    """
    if fluid.concentration > held.concentration:
        return line.low, Volume(round_up(moved))
    return line.high, Volume(round_down(moved))


def _planned(
    order: BridgeOrder,
    line: LineVolume,
    old: Program,
    new: Program,
    now: Moment,
    running: Course,
) -> BridgePlan | Impossible:
    played = at_fluid(old, order.old)
    mass = Fraction(order.remaining.quanta * order.old.concentration.quanta, 1_000)
    ends = when_given(played, mass, now.label_ms, running)
    if ends is None or not any(daily_doses(new)):
        return Impossible("a program that gives nothing moves nothing", "program a dose")
    return BridgePlan(order, line, played, new, now, ends, running)


def at_fluid(program: Program, fluid: Fluid) -> Program:
    """The same masses of another fluid; minimum rate is a flow, and stays that flow."""
    if program.mode is Mode.MINIMUM:
        return make_program(
            Mode.MINIMUM, fluid.drug, fluid.concentration, low_alarm=program.low_alarm
        )
    return program._replace(drug=fluid.drug, concentration=fluid.concentration)
