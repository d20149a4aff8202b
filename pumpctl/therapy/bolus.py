"""A bolus that a clinician orders: what it moves, what it adds at the tip, what it meets.

A dose given evenly over a time, on top of the program, which it leaves alone
(BOL-08). The pump counts it at the reservoir's concentration; what reaches the
patient is what the line holds at the tip, which differs while a front is on its
way. Whether it may be given is `checks/boluses`' matter. Times are of the pump's
clock face.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from itertools import pairwise

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass, volume_of
from pumpctl.therapy.course import Course, Piece, course_of
from pumpctl.therapy.curve import WEEK_MS
from pumpctl.therapy.delivery import greatest_rate, in_volume, when_moved
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.plug import Contents, Masses, at_tip, mass_of, volume_in
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.state import Fluid


class BolusKind(Enum):
    """A pump gives both alike; the words tell people what the dose comes on top of."""

    SINGLE = "single"
    """On top of minimum rate."""
    SUPPLEMENTAL = "supplemental"
    """On top of a program that doses the patient."""


class BolusOrder(NamedTuple):
    """So much drug, evenly over so long."""

    dose: Mass
    over: Duration

    def course(self, start: int) -> Course:
        """ng from `start` on; ValueError for a dose in no time."""
        return Course([Piece(start, start + self.over.quanta, self.dose.quanta)])


class BolusEffect(NamedTuple):
    """What an order does, exactly: volumes nL, flows nL/day, masses ng."""

    kind: BolusKind
    volume: Fraction
    """Of the dose, at the reservoir's concentration."""
    flow: Fraction
    """Of the bolus alone."""
    greatest_flow: Fraction
    """While it runs, with all that runs under it."""
    moved: Fraction
    """By everything, while it runs."""
    ends: Moment
    adds: Masses
    """What leaves the tip while it runs, beyond what would leave without it, per drug."""
    reaches: Fraction
    """The same, of the reservoir's drug: what the patient gets of the dose."""
    ahead: Fraction
    """Of what lies in the line before the reservoir's fluid; nothing where that is at the tip."""
    front: Moment | None
    """When that has left, the bolus counted; None where there is nothing, or it never leaves."""
    meets: Moment | None
    """The first scheduled bolus that would begin before this one has ended."""


class Scheduled(NamedTuple):
    """A scheduled bolus that is to come."""

    at: Moment
    dose: Mass


def kind_of(program: Program) -> BolusKind:
    """Single on top of minimum rate, else supplemental."""
    return BolusKind.SINGLE if program.mode is Mode.MINIMUM else BolusKind.SUPPLEMENTAL


def bolus_effect(order: BolusOrder, program: Program, line: Contents, start: Moment) -> BolusEffect:
    """What an order does that starts at this instant; ValueError for a dose in no time.

    `program` runs under it, `line` is what lies between the pump and the tip.
    """
    begins, ends = start.label_ms, start.label_ms + order.over.quanta
    fluid = Fluid(program.drug, program.concentration)
    bolus = in_volume(order.course(begins), program.concentration)
    under = in_volume(course_of(program, begins, ends), program.concentration)
    without = at_tip(line, under, fluid)
    with_it = at_tip(line, under + bolus, fluid)
    adds = tuple(
        (drug, mass - mass_of(without.between(begins, ends), drug))
        for drug, mass in with_it.between(begins, ends)
    )
    ahead = _ahead(line, fluid)
    return BolusEffect(
        kind=kind_of(program),
        volume=volume_of(order.dose, program.concentration),
        flow=bolus.rate(begins) * DAY_MS,
        greatest_flow=greatest_rate(under + bolus, begins, ends),
        moved=(under + bolus).between(begins, ends),
        ends=start.plus(order.over.quanta),
        adds=adds,
        reaches=mass_of(adds, fluid.drug),
        ahead=ahead,
        front=when_moved(program, ahead, start, order.course(begins)) if ahead else None,
        meets=_meets(order, program, start),
    )


def patient_train(program: Program, since: int, until: int) -> Course:
    """ng of the patient's own doses, taken as early as they may be from `since` on.

    Each a lockout after the end of the one before, and 24 hours after the one that
    was the maximum before; those that begin before `until`. An upper bound: what
    was taken before `since`, and what scheduled boluses delay, is not deducted.
    """
    own = program.patient_dose
    if own is None or not own.over:
        return Course(())
    apart, starts = (own.over + own.lockout).quanta, list[int]()
    begins = since
    while begins < until and own.max_per_24h:
        starts.append(begins)
        begins += apart
        if len(starts) >= own.max_per_24h:
            begins = max(begins, starts[-own.max_per_24h] + DAY_MS)
    return Course(Piece(at, at + own.over.quanta, own.dose.quanta) for at in starts)


def added_at_tip(added: Course, program: Program, line: Contents, start: int, until: int) -> Course:
    """ng of the reservoir's drug at the tip beyond what the pump counts for `program`.

    While the line holds a stronger fluid of it, `program` itself adds to that, and
    `added` is more than itself. Never less than nothing at any time.
    """
    fluid = Fluid(program.drug, program.concentration)
    under = course_of(program, start, until)
    tip = at_tip(line, in_volume(under + added, program.concentration), fluid).course(fluid.drug)
    edges = {start, until, *tip.breaks, *under.breaks}
    times = sorted(time for time in edges if start <= time <= until)
    return Course(
        Piece(
            begins, ends, max(Fraction(0), tip.between(begins, ends) - under.between(begins, ends))
        )
        for begins, ends in pairwise(times)
    )


def _ahead(line: Contents, fluid: Fluid) -> Fraction:
    """The nL between the tip and the fluid that reaches from there to the pump."""
    behind = line[-1].volume if line and line[-1].fluid == fluid else 0
    return volume_in(line) - behind


def next_scheduled(program: Program, start: Moment) -> Scheduled | None:
    """The first scheduled bolus at or after this instant."""
    in_week = start.day * DAY_MS + start.label_ms % DAY_MS
    waits = [
        ((bolus.day * DAY_MS + bolus.at * MINUTE_MS - in_week) % WEEK_MS, bolus.dose)
        for bolus in program.boluses
    ]
    wait, dose = min(waits, key=lambda each: each[0], default=(None, None))
    return None if wait is None or dose is None else Scheduled(start.plus(wait), dose)


def _meets(order: BolusOrder, program: Program, start: Moment) -> Moment | None:
    """The first scheduled bolus that begins while the order runs."""
    first = next_scheduled(program, start)
    ends = start.plus(order.over.quanta)
    return first.at if first is not None and first.at.utc_ms < ends.utc_ms else None
