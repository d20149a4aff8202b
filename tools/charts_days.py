"""Charts of docs/dosing/: days and weeks, as what is left, given or drained in them.

Computed by `pumpctl/therapy/` from the profiles that ship, as in `charts_tip`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from pumpctl.quantities import Percent, Volume
from pumpctl.report.chart import HOUR_MS, Chart, Line
from pumpctl.therapy import practice
from pumpctl.therapy.compare import percent_text
from pumpctl.therapy.course import course_of
from pumpctl.therapy.forecast import outlook
from pumpctl.therapy.moment import DAY_MS
from pumpctl.therapy.refill import Discrepancy
from pumpctl.therapy.trend import trend
from pumpctl.therapy.weaning import weaning
from tools.charts_tip import MONDAY, START, Points, elapsed, points, program

_ML = 1_000_000
"""nL"""


def fallback() -> Chart:
    """A Monday on which both stored copies of the program are lost at 14:00."""
    prescribed = program("flex")._replace(boluses=())
    lost, end = 14 * HOUR_MS, DAY_MS
    wanted = points(course_of(prescribed, START, START + end), START, START + end, HOUR_MS)
    rate = Fraction(prescribed.fallback.quanta * HOUR_MS, DAY_MS * 1_000)
    given = (*(each for each in wanted if each[0] < lost), (lost, rate))
    lines = (
        Line(f"what the pump gives; the fallback is {prescribed.fallback}", given),
        Line("the program", wanted),
    )
    return Chart(
        "The fallback: both copies of the program are lost at 14:00",
        ("flex.toml, Monday from 00:00; its boluses, which are not drawn, end with the program",),
        (elapsed("Monday", "mcg/h", end, lines, measure="basal rate"),),
    )


def forecast() -> Chart:
    """How a reservoir empties, by schedule and with all patient doses."""
    under, volume, days = program("patient-doses"), Volume.parse("20 mL"), 60
    told = outlook(under, volume, under.low_alarm, MONDAY, days, windows=())

    def falling(lefts: list[Volume]) -> Points:
        starts = [volume, *lefts[:-1]]
        return tuple((at * DAY_MS, Fraction(left.quanta, _ML)) for at, left in enumerate(starts))

    alarm = Fraction(under.low_alarm.quanta, _ML)
    lines = (
        Line("by schedule", falling([day.left_scheduled for day in told.days])),
        Line(
            "with every permitted patient dose",
            falling([day.left_with_patient_doses for day in told.days]),
        ),
        Line(f"alarm volume {under.low_alarm}", ((0, alarm),)),
    )
    case = (
        f"patient-doses.toml from {told.start.date}; low reservoir {told.low_date}, refill by "
        f"{told.refill.date}"
    )
    return Chart(
        f"What is left of {volume}",
        (case,),
        (elapsed("Reservoir", "mL", days * DAY_MS, lines, measure="left"),),
        ("each step is what is left when the day begins",),
    )


FILLED: Final = Volume.parse("18 mL")
EXPECTED: Final = Volume.parse("4 mL")
DRAINED: Final = tuple(map(Volume.parse, ("3.4 mL", "2.4 mL", "2.2 mL", "2.3 mL")))
"""At four refills in a row."""


def refill() -> Chart:
    """Delivered to programmed at four refills, beside the limits."""
    apart = 45 * DAY_MS
    refills = [Discrepancy(FILLED, EXPECTED, each) for each in DRAINED]
    told = trend(refills)
    ratios = tuple((at * apart, (each.ratio or 0) * 100) for at, each in enumerate(refills))
    limits = (
        ("over-infusion above 114.5 %", practice.RATIO_HIGH.value),
        ("under-delivery below 85.5 %", practice.RATIO_LOW.value),
        ("suspected non-delivery below 70 %", practice.RATIO_NOT_DELIVERED.value),
    )
    lines = (
        Line("delivered of what was programmed, from fill to fill", ratios),
        *(Line(label, ((0, limit * 100),)) for label, limit in limits),
    )
    drained = ", ".join(map(str, DRAINED))
    return Chart(
        "Four refills, each within the band, and a trend",
        (
            f"{FILLED} filled in, {EXPECTED} expected each time; drained {drained}",
            f"the last three: {told.drift.value}; median {percent_text(1, told.median or 1)}",
        ),
        (elapsed("Ratio", "%", len(refills) * apart, lines, measure="delivered"),),
    )


def weaned() -> Chart:
    """The steps of a weaning, day by day."""
    begins, start = 2, program("weaning")
    steps = weaning(start, Percent.parse("20 %"), 2, None, MONDAY.date.plus(begins))
    first = Fraction(start.days[0][0].rate.quanta, 1_000)
    given = [
        (step.date.number - MONDAY.date.number, Fraction(step.dose.quanta, 1_000)) for step in steps
    ]
    line = Line("", tuple((day * DAY_MS, dose) for day, dose in ((0, first), *given)))
    end = (given[-1][0] + 6) * DAY_MS
    last = steps[-1].dose
    return Chart(
        "A weaning: 20 % less every 2 d, to minimum rate",
        (f"weaning.toml, {start.concentration}; {len(steps)} programs, each pushed by itself",),
        (elapsed("Daily dose", "mcg/day", end, (line,)),),
        (f"the last is minimum rate, {last} at {start.concentration}: a flow, not a stop",),
    )
