"""How long a reservoir lasts: low-reservoir date and refill date, rounded down.

Counted in whole 24-hour periods from the instant of the fill, the schedule
integrated by weekday (never averaged), with every permitted patient dose taken.
It knows no pump and no clock: volume, start and dates come from the caller.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from pumpctl.quantities import Flow, Volume, round_down
from pumpctl.therapy import practice
from pumpctl.therapy.curve import Curve
from pumpctl.therapy.figures import flow_of_largest_day, patient_doses_24h
from pumpctl.therapy.moment import DAY_MS, Date, Moment
from pumpctl.therapy.program import Program


class Forecast(NamedTuple):
    """The largest day's volume, and the dates that follow from it."""

    flow: Flow
    periods: int
    """Whole 24-hour periods until the alarm volume."""
    low_date: Date
    refill_by: Date


def forecast(
    program: Program,
    volume: Volume,
    low_alarm: Volume,
    start: Moment,
    filled_at: Moment | None = None,
    *,
    expiry: Date | None = None,
    refill_days: int = practice.REFILL_DAYS.value,
) -> Forecast:
    """Count from `start`, when `volume` was in the reservoir.

    `filled_at` is the fill from which the longest refill interval counts, where
    that was earlier than `start`; `expiry` is the drug's.
    """
    periods = whole_periods(program, volume, low_alarm, start)
    low_date = start.date.plus(periods)
    refill_by = min(
        low_date.plus(-practice.REFILL_BEFORE_LOW_DAYS.value),
        (filled_at or start).date.plus(refill_days),
        *([expiry] if expiry is not None else []),
    )
    return Forecast(flow_of_largest_day(program), periods, low_date, refill_by)


def whole_periods(program: Program, volume: Volume, low_alarm: Volume, start: Moment) -> int:
    """How many whole 24-hour periods from `start` leave at least the alarm volume.

    The week repeats: whole weeks are divided out, and at most six periods are
    stepped through.
    """
    if volume <= low_alarm:
        return 0
    usable = Fraction(
        (volume - low_alarm).quanta * program.concentration.quanta, 1_000
    )  # ng above the alarm volume
    curve = Curve(program)
    first = start.day * DAY_MS + start.label_ms % DAY_MS
    own = patient_doses_24h(program).quanta
    periods = [
        curve.between(first + day * DAY_MS, first + (day + 1) * DAY_MS) + own for day in range(7)
    ]
    weeks = round_down(usable / sum(periods))
    left = usable - weeks * sum(periods)
    return 7 * weeks + sum(1 for used in accumulate(periods) if used <= left)
