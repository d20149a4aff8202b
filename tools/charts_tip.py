"""Charts of docs/dosing/: what leaves the catheter's tip, beside what the pump counts.

Every line is computed by `pumpctl/therapy/`, from the profiles that ship; nothing
is drawn by hand. What the cases are stands on the pages. A case begins on a Monday
of its own, so that it can be drawn again on any day.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final

from pumpctl.quantities import Concentration, Duration, Length, Mass, Volume
from pumpctl.report.chart import HOUR_MS, Axis, Chart, Line, Panel
from pumpctl.therapy.bolus import BolusOrder, bolus_effect
from pumpctl.therapy.bridge import BridgePlan, plan_bridge
from pumpctl.therapy.bridge_effect import consequences
from pumpctl.therapy.course import Course, course_of
from pumpctl.therapy.delivery import in_volume, mass_text, time_text
from pumpctl.therapy.line import FREE, UNKNOWN, Event, ImplantRecord, LineVolume, line_parts
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.plug import LIMITS_OF_PLUG_FLOW, Plug, at_tip, push, switched
from pumpctl.therapy.prime import PrimePlan, plan_prime
from pumpctl.therapy.profile import read_profile_bytes
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Fluid

Points = tuple[tuple[int, Fraction], ...]

ROOT = Path(__file__).resolve().parent.parent
MONDAY: Final = Moment.parse("2026-03-02T00:00:00Z")
START: Final = MONDAY.label_ms
WEAK: Final = Fluid("baclofen", Concentration(500))
STRONG: Final = Fluid("baclofen", Concentration(2000))
IMPLANT: Final = ImplantRecord(
    pump_model="SP40",
    catheter_model="SC110",
    trimmed=Length.parse("30 cm"),
    tip_level="T10",
    table_version=2,
    tubing=WEAK,
    catheter=WEAK,
    changed=MONDAY,
    event=Event.PRIME,
)
"""The pages' implant: 0.14 + 0.208 mL."""
UNMIXED: Final = LIMITS_OF_PLUG_FLOW[0]


def program(name: str) -> Program:
    """The program of a profile that ships."""
    read = read_profile_bytes((ROOT / "profiles" / f"{name}.toml").read_bytes(), f"{name}.toml")
    if read.program is None:
        raise ValueError(f"{name}.toml means no program")
    return read.program


def points(course: Course, start: int, end: int, per: int) -> Points:
    """The rate of a course in ng as steps from nought: mcg in `per` ms."""
    times = sorted({start, *(time for time in course.breaks if start < time < end)})
    return tuple((time - start, course.rate(time) * per / 1_000) for time in times)


def elapsed(
    title: str, unit: str, end: int, lines: tuple[Line, ...], *, measure: str = "baclofen"
) -> Panel:
    """A panel of the time since a start; a title of more than 12 letters meets the legend."""
    return Panel(title, measure, unit, Axis.ELAPSED, 0, end, lines)


# --- bridge and line --------------------------------------------------------------------


def bridge_of(old: Program, new: Program, line: LineVolume) -> BridgePlan:
    """The bridge of a change that was programmed with the injection."""
    held = Fluid(old.drug, old.concentration)
    plan = plan_bridge(old, new, held, line, injected=MONDAY, now=MONDAY)
    if not isinstance(plan, BridgePlan):
        raise TypeError(f"no bridge: {plan.why}")
    return plan


def _tip(plan: BridgePlan, truth: Volume, end: int, *, bridged: bool) -> Course:
    """The ng that leave the tip of a line of this volume, with the bridge or without it."""
    horizon = START + end + DAY_MS
    moved = in_volume(course_of(plan.new, START, horizon), plan.fluid.concentration)
    if bridged:
        played = course_of(plan.played, START, horizon)
        moved = switched(in_volume(played, plan.order.old.concentration), moved, plan.ends)
    return at_tip((Plug(truth.quanta, plan.order.old),), moved, plan.fluid).course("baclofen")


def bridge() -> Chart:
    """W22, and the same backwards: with a bridge and without it."""
    weak, strong = program("bridge-old"), program("bridge-new")
    whole, end = line_parts(IMPLANT).whole, 8 * DAY_MS
    panels = []
    for old, new in ((weak, strong), (strong, weak)):
        plan = bridge_of(old, new, whole)
        (found,) = consequences(plan)
        told = {
            True: f"with a bridge, which lasts {time_text(plan.ends - START)}",
            False: f"without: {found.without}",
        }
        lines = tuple(
            Line(
                label,
                points(_tip(plan, whole.low, end, bridged=way), START, START + end, DAY_MS),
            )
            for way, label in told.items()
        )
        title = f"{old.concentration.quanta} → {new.concentration.quanta}"
        panels.append(elapsed(title, "mcg/day", end, lines))
    return Chart(
        "What leaves the catheter's tip after a change of concentration",
        (f"concentrations in mcg/mL; 100 mcg/day before and after; a line of {whole}",),
        tuple(panels),
        (UNMIXED,),
    )


def line() -> Chart:
    """A schedule over a line that still holds a weaker drug, and no bridge."""
    told, whole, end = program("child-cerebral"), line_parts(IMPLANT).whole, 4 * DAY_MS
    new = told._replace(concentration=STRONG.concentration)
    plan = bridge_of(told, new, whole)
    counted, tip = course_of(new, START, START + end), _tip(plan, whole.low, end, bridged=False)
    lines = tuple(
        Line(label, points(course, START, START + end, HOUR_MS))
        for label, course in (("what leaves the tip", tip), ("as the pump counts it", counted))
    )
    case = (
        f"child-cerebral.toml, written for {STRONG.concentration}; the line of {whole} still "
        f"holds {WEAK.concentration}; no bridge"
    )
    return Chart(
        "A day's schedule, and what of it leaves the tip",
        (case,),
        (elapsed("From Monday", "mcg/h", end, lines),),
        (UNMIXED,),
    )


def line_unknown() -> Chart:
    """A bridge by the lower bound of a line whose trimmed length nobody wrote down."""
    end = 8 * DAY_MS
    whole = line_parts(IMPLANT._replace(trimmed=UNKNOWN)).whole
    plan = bridge_of(program("bridge-old"), program("bridge-new"), whole)
    lines = tuple(
        Line(
            f"if the line is {found.truth}: {found.bridged or 'as wanted'}",
            points(_tip(plan, found.truth, end, bridged=True), START, START + end, DAY_MS),
        )
        for found in consequences(plan)
    )
    case = (
        f"500 → 2000 mcg/mL at 100 mcg/day; the line is {whole}, so {plan.order.volume} are metered"
    )
    return Chart(
        "A bridge over a line of unknown length",
        (case,),
        (elapsed("At the tip", "mcg/day", end, lines),),
        (UNMIXED,),
    )


# --- single doses -----------------------------------------------------------------------


def boluses() -> Chart:
    """A supplemental bolus, over a line that is new and over one that is not yet."""
    under, begins, end = program("flex"), START + 13 * HOUR_MS, START + 15 * HOUR_MS
    order = BolusOrder(Mass.parse("20 mcg"), Duration.parse("10 min"))
    first = begins - HOUR_MS
    counted = course_of(under._replace(boluses=()), first, end) + order.course(begins)
    moved = in_volume(counted, under.concentration)
    panels = []
    for title, ahead in (("Line new", 0), ("Line not new", 100_000)):
        train = (Plug(ahead, WEAK), Plug(348_000 - ahead, STRONG))
        tip = at_tip(train, moved, STRONG).course("baclofen")
        arrived = push(train, moved.between(first, begins), STRONG).contents
        effect = bolus_effect(order, under, arrived, MONDAY.plus(begins - START))
        lines = (
            Line(
                f"what leaves the tip: {mass_text(effect.reaches)} of the bolus",
                points(tip, first, end, HOUR_MS),
            ),
            Line(f"as the pump counts it: {order.dose}", points(counted, first, end, HOUR_MS)),
        )
        panels.append(elapsed(title, "mcg/h", end - first, lines))
    case = (
        "on top of flex.toml, Monday from 12:00; below, the line still holds 0.1 mL of "
        f"{WEAK.concentration} ahead of {STRONG.concentration}"
    )
    return Chart(
        f"A supplemental bolus of {order.dose} over {order.over}, at 60 min",
        (case,),
        tuple(panels),
        (UNMIXED,),
    )


def priming() -> Chart:
    """A new implant with the catheter primed, and without."""
    under, end = program("start-adult-spinal"), 3 * DAY_MS
    record = IMPLANT._replace(catheter=FREE)
    plan = plan_prime(record, WEAK, Volume(0))
    if not isinstance(plan, PrimePlan):
        raise TypeError(f"no prime: {plan.why}")
    parts = line_parts(record)
    now = (Plug(parts.catheter.low.quanta, None), Plug(parts.tubing.quanta, WEAK))
    primed = push(now, plan.volume.quanta, WEAK).contents
    moved = in_volume(course_of(under, START, START + end), under.concentration)
    lines = tuple(
        Line(
            label, points(at_tip(train, moved, WEAK).course("baclofen"), START, START + end, DAY_MS)
        )
        for label, train in (
            (f"with the catheter primed: {plan.volume}, {plan.dose}", primed),
            ("without", now),
        )
    )
    case = (
        f"100 mcg/day of {WEAK.concentration}; tubing primed before the implant, catheter of "
        f"{parts.catheter} free of drug"
    )
    return Chart(
        "What leaves the tip after an implant",
        (case,),
        (elapsed("At the tip", "mcg/day", end, lines),),
        (f"the prime itself, over {plan.over}, is not drawn", UNMIXED),
    )
