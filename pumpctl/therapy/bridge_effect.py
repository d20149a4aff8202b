"""What leaves the tip with a bridge and without it, day by day, as numbers to decide by.

By plug flow, for each volume that the line may have in truth. "Counted" is what
the pump believes that it gives; where the tip gives something else, that is a
spell, with its length. It judges nothing.
"""

from __future__ import annotations

from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Rate, Volume, round_down, round_up
from pumpctl.therapy.bridge import BridgePlan
from pumpctl.therapy.course import Course, course_of
from pumpctl.therapy.curve import WEEK_MS
from pumpctl.therapy.delivery import NOTHING, dose_text, in_volume, time_text
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.plug import Contents, Masses, Plug, Tip, at_tip, contents, switched
from pumpctl.therapy.program import Mode, Program, Step
from pumpctl.therapy.state import Fluid


class Spell(NamedTuple):
    """A time in which the patient gets another dose than the pump counts."""

    start: Moment
    """Rounded down to 1 ms; `lasts` is exact."""
    lasts: Fraction
    drug: str
    given: Fraction
    """ng past the tip"""
    counted_drug: str
    counted: Fraction
    """ng by the pump's own account"""

    @property
    def too_much(self) -> bool:
        """Whether more leaves than is counted, or another drug than that."""
        return self.drug != self.counted_drug or self.given > self.counted

    def __str__(self) -> str:
        """`25 mcg/day instead of 100 mcg/day for 6 d 23 h`; mean doses."""
        given, counted = dose_text(self.given, self.lasts), dose_text(self.counted, self.lasts)
        if self.drug != self.counted_drug:
            given, counted = f"{given} of {self.drug}", f"{counted} of {self.counted_drug}"
        return f"{given} instead of {counted} for {time_text(self.lasts)}"


class DayAtTip(NamedTuple):
    """24 hours from the planning on: ng past the tip, and ng as the pump counts."""

    start: Moment
    bridged: Masses
    bridged_counted: Masses
    without: Masses
    without_counted: Masses


class Consequence(NamedTuple):
    """With the bridge and without it, if the line's volume is this one."""

    truth: Volume
    without: Spell | None
    """None where the front has arrived already."""
    bridged: Spell | None
    """None where the volume that is metered is the true one."""
    days: tuple[DayAtTip, ...]
    """Until the new fluid is at the tip in either case."""


def consequences(plan: BridgePlan) -> tuple[Consequence, ...]:
    """One for each volume that the line may have: one, or its two bounds."""
    return tuple(_consequence(plan, truth) for truth in plan.line.bounds)


def worst_without(plan: BridgePlan) -> Spell:
    """The longest spell that leaving the bridge out can bring; there is one in any plan."""
    spells = [each.without for each in consequences(plan) if each.without is not None]
    return max(spells, key=lambda spell: spell.lasts)


class _Way(NamedTuple):
    """One way to go on: ng as the pump counts them, and what leaves the tip."""

    counted: tuple[tuple[str, Course], ...]
    tip: Tip

    def counted_between(self, start: int, end: int) -> Masses:
        return tuple((drug, course.between(start, end)) for drug, course in self.counted)


def _consequence(plan: BridgePlan, truth: Volume) -> Consequence:
    start = plan.starts.label_ms
    left = max(0, truth.quanta - plan.order.passed.quanta)
    line = contents([Plug(left, plan.order.old), Plug(truth.quanta - left, plan.fluid)])
    # The new program alone, begun when the bridge ends, has moved by then what is left.
    needed = Fraction(left * plan.fluid.concentration.quanta, 1_000)
    weeks = round_up(needed / sum(daily_doses(plan.new))) + 1
    horizon = round_up(plan.ends) + weeks * WEEK_MS
    without, bridged = _without(plan, line, horizon), _bridged(plan, line, horizon)
    fronts = [front.at for way in (without, bridged) for front in way.tip.fronts]
    days = [
        DayAtTip(
            plan.starts.plus(day - start),
            bridged.tip.between(day, day + DAY_MS),
            bridged.counted_between(day, day + DAY_MS),
            without.tip.between(day, day + DAY_MS),
            without.counted_between(day, day + DAY_MS),
        )
        for day in range(start, round_up(max([plan.ends, *fronts])), DAY_MS)
    ]
    alone = without.tip.fronts[0].at if left else Fraction(start)
    return Consequence(
        truth,
        _spell(plan, Fraction(start), alone, left),
        _after_bridge(plan, bridged.tip, left),
        tuple(days),
    )


def _spell(plan: BridgePlan, start: Fraction, end: Fraction, volume: int) -> Spell | None:
    """So many nL of the old fluid leave at the new flow."""
    return _made(plan, start, end, volume, plan.order.old, plan.fluid)


def _after_bridge(plan: BridgePlan, tip: Tip, left: int) -> Spell | None:
    """The bridge ends before the true front arrives, or after it."""
    start = Fraction(plan.starts.label_ms)
    front = tip.fronts[0].at if left else start
    beyond = left - plan.order.remaining.quanta
    if beyond > 0:
        return _spell(plan, plan.ends, front, beyond)
    return _made(plan, front, plan.ends, -beyond, plan.fluid, plan.order.old)


def _made(
    plan: BridgePlan, start: Fraction, end: Fraction, volume: int, given: Fluid, counted: Fluid
) -> Spell | None:
    if not volume:
        return None
    begins = plan.starts.plus(round_down(start) - plan.starts.label_ms)
    masses = [Fraction(volume * each.concentration.quanta, 1_000) for each in (given, counted)]
    return Spell(begins, end - start, given.drug, masses[0], counted.drug, masses[1])


def _without(plan: BridgePlan, line: Contents, horizon: int) -> _Way:
    """The new program from now on, while the line still holds the old fluid."""
    counted = course_of(plan.new, plan.starts.label_ms, horizon) + plan.running
    moved = in_volume(counted, plan.fluid.concentration)
    return _Way(((plan.fluid.drug, counted),), at_tip(line, moved, plan.fluid))


def _bridged(plan: BridgePlan, line: Contents, horizon: int) -> _Way:
    """The old program until the bridge ends, then the new one.

    A bolus that is running at that instant goes on at its rate of mass, counted at
    the new concentration; one of the new program begins only from then on.
    """
    start, last, first = plan.starts.label_ms, round_down(plan.ends), round_up(plan.ends)
    before = course_of(plan.played, start, first) + plan.running
    rest = course_of(_boluses_of(plan.played), start, first) + plan.running
    basal = course_of(plan.new._replace(boluses=()), last, first)
    after = basal + course_of(plan.new, first, horizon) + rest
    moved = switched(
        in_volume(before, plan.order.old.concentration),
        in_volume(after, plan.fluid.concentration),
        plan.ends,
    )
    old, new = plan.order.old.drug, plan.fluid.drug
    counted = (
        ((new, switched(before, after, plan.ends)),)
        if old == new
        else (
            (old, switched(before, NOTHING, plan.ends)),
            (new, switched(NOTHING, after, plan.ends)),
        )
    )
    return _Way(counted, at_tip(line, moved, plan.fluid))


def _boluses_of(program: Program) -> Program:
    """The scheduled boluses alone, on top of nothing."""
    return program._replace(mode=Mode.FLEX, days=((Step(0, Rate(0)),),) * 7)
