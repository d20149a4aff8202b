"""How long a reservoir lasts, day by day, and by when a refill or a new pump is due.

Dates are counted in whole 24-hour periods from the instant of the fill, the
schedule integrated by weekday (never averaged), with every permitted patient
dose taken; they are rounded down, and the earliest one counts. The days of an
outlook are those of the pump's clock face. It knows no pump and no clock:
volume, start and dates come from the caller.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from itertools import accumulate

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Flow, Mass, Volume, round_down, round_half_up, round_up
from pumpctl.therapy import practice
from pumpctl.therapy.curve import HOUR_MS, WEEK_MS, Curve
from pumpctl.therapy.figures import flow_of_largest_day, patient_doses_24h
from pumpctl.therapy.moment import DAY_MS, Date, Moment
from pumpctl.therapy.program import Program

MOST_PERIODS = 36_524
"""A century. A program that gives next to nothing would else last beyond any calendar."""


class Forecast(NamedTuple):
    """The largest day's volume, and the dates that follow from it."""

    flow: Flow
    periods: int
    """Whole 24-hour periods until the alarm volume."""
    low_date: Date
    refill_by: Date


class Because(Enum):
    """Why something is due on a date."""

    LOW = "low reservoir"
    INTERVAL = "longest refill interval"
    EXPIRY = "expiry of the drug"
    BATTERY = "replacement of the pump"


class Due(NamedTuple):
    """A date that must not be missed, and what sets it."""

    date: Date
    because: Because


class DayAhead(NamedTuple):
    """One day of the pump's clock, from midnight to midnight; the first begins at the start.

    Mass and volume are what the schedule gives between the two midnights, half
    up: a bolus that runs over midnight is divided, other than in `daily_dose`. The
    largest hour and windows, up to 1 ng, are those that start on this day; patient
    doses are in none of these. What is left at the day's end is rounded down.
    """

    date: Date
    mass: Mass
    volume: Volume
    largest_hour: Mass
    windows: tuple[Mass, ...]
    """In the order of `Outlook.windows`."""
    left_scheduled: Volume
    left_with_patient_doses: Volume
    """With as many patient doses as each 24 hours from the start permit."""


class Outlook(NamedTuple):
    """The days ahead, what they add up to (half up, once), and what is due when.

    The schedule is followed to the last day, as if the reservoir never ran empty.
    """

    start: Moment
    windows: tuple[Duration, ...]
    days: tuple[DayAhead, ...]
    mass: Mass
    volume: Volume
    low_date: Date
    empty_date: Date
    """As `low_date`, but for the last drop in place of the alarm volume."""
    refill: Due
    battery: Due | None

    @property
    def earliest(self) -> Due:
        """What is due first: the refill or the pump."""
        return min((self.refill, *([self.battery] if self.battery else [])), key=_date)


class Beside(NamedTuple):
    """One day under two programs."""

    date: Date
    old: DayAhead
    new: DayAhead


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
    refill = refill_due(low_date, filled_at or start, expiry, refill_days)
    return Forecast(flow_of_largest_day(program), periods, low_date, refill.date)


def refill_due(
    low_date: Date,
    filled_at: Moment,
    expiry: Date | None = None,
    refill_days: int = practice.REFILL_DAYS.value,
) -> Due:
    """By when to refill: the earliest of three dates; of equal ones the reservoir's."""
    dates = [
        Due(low_date.plus(-practice.REFILL_BEFORE_LOW_DAYS.value), Because.LOW),
        Due(filled_at.date.plus(refill_days), Because.INTERVAL),
    ]
    if expiry is not None:
        dates.append(Due(expiry, Because.EXPIRY))
    return min(dates, key=_date)


def whole_periods(program: Program, volume: Volume, low_alarm: Volume, start: Moment) -> int:
    """How many whole 24-hour periods from `start` leave at least the alarm volume.

    0 where it is at the alarm already, whatever would be given; `MOST_PERIODS`
    where it would be more, or for ever.
    """
    return _periods(Curve(program), program, volume, low_alarm, start)


def outlook(
    program: Program,
    volume: Volume,
    low_alarm: Volume,
    start: Moment,
    days: int,
    *,
    windows: tuple[Duration, ...],
    filled_at: Moment | None = None,
    expiry: Date | None = None,
    replace_by: Date | None = None,
    refill_days: int = practice.REFILL_DAYS.value,
) -> Outlook:
    """The next `days` dates of the pump's clock, that of `start` (from then on) among them.

    `windows` are the lengths whose largest mass is wanted. The other arguments are
    those of `forecast`; `replace_by` is the date of `battery`. ValueError for less
    than one day, and for a window of no length.
    """
    if days < 1 or not all(windows):
        raise ValueError("an outlook has at least one day, and windows that last")
    curve = Curve(program)
    of_volume = Fraction(1_000, program.concentration.quanta)  # nL per ng
    unit = curve.scale * program.concentration.quanta
    full = volume.quanta * unit  # all volumes below in 1/unit nL, so that nothing is rounded
    own = patient_doses_24h(program).quanta * curve.scale * 1_000
    in_day = start.label_ms % DAY_MS
    known: dict[tuple[int, int], _Day] = {}
    rows, used = [], 0
    for count in range(days):
        date, since = start.date.plus(count), 0 if count else in_day
        key = (date.weekday, since)
        day = known.get(key)
        if day is None:
            day = known[key] = _day(curve, *key, windows, of_volume)
        used += day.scaled
        periods = -(-((count + 1) * DAY_MS - in_day) // DAY_MS)  # those that have begun
        rows.append(
            DayAhead(
                date,
                *day.figures,
                Volume(max(0, full - used * 1_000) // unit),
                Volume(max(0, full - used * 1_000 - own * periods) // unit),
            )
        )
    total = Fraction(used, curve.scale)
    low_date = start.date.plus(_periods(curve, program, volume, low_alarm, start))
    return Outlook(
        start=start,
        windows=windows,
        days=tuple(rows),
        mass=Mass(round_half_up(total)),
        volume=Volume(round_half_up(total * of_volume)),
        low_date=low_date,
        empty_date=start.date.plus(_periods(curve, program, volume, Volume(0), start)),
        refill=refill_due(low_date, filled_at or start, expiry, refill_days),
        battery=Due(replace_by, Because.BATTERY) if replace_by is not None else None,
    )


def side_by_side(old: Outlook, new: Outlook) -> tuple[Beside, ...]:
    """The same days under two programs; ValueError where they are not the same days."""
    if [day.date for day in old.days] != [day.date for day in new.days]:
        raise ValueError("two outlooks of different days cannot stand beside each other")
    pairs = zip(old.days, new.days, strict=True)
    return tuple(Beside(before.date, before, after) for before, after in pairs)


class _Day(NamedTuple):
    """What every such weekday gives: only seven of them are ever computed, and the first."""

    scaled: int
    """The mass in 1/scale ng."""
    figures: tuple[Mass, Volume, Mass, tuple[Mass, ...]]


def _day(
    curve: Curve, weekday: int, since: int, windows: tuple[Duration, ...], of_volume: Fraction
) -> _Day:
    start, end = weekday * DAY_MS + since, (weekday + 1) * DAY_MS
    exact = curve.between(start, end)
    lengths = {HOUR_MS, *(each.quanta for each in windows)}
    most = {each: Mass(round_up(_largest(curve, each, start, end))) for each in lengths}
    mass, volume = Mass(round_half_up(exact)), Volume(round_half_up(exact * of_volume))
    of_windows = tuple(most[each.quanta] for each in windows)
    return _Day(int(exact * curve.scale), (mass, volume, most[HOUR_MS], of_windows))


def _largest(curve: Curve, window: int, start: int, end: int) -> Fraction:
    """As `Curve.largest`; of a window beyond a week the whole weeks hold the same anywhere."""
    weeks, rest = divmod(window, WEEK_MS)
    return weeks * curve.between(0, WEEK_MS) + (curve.largest(rest, start, end) if rest else 0)


def _periods(
    curve: Curve, program: Program, volume: Volume, low_alarm: Volume, start: Moment
) -> int:
    """The week repeats: whole weeks are divided out, at most six periods are stepped through."""
    if volume <= low_alarm:
        return 0
    usable = Fraction(
        (volume - low_alarm).quanta * program.concentration.quanta, 1_000
    )  # ng above the alarm volume
    first = start.day * DAY_MS + start.label_ms % DAY_MS
    own = patient_doses_24h(program).quanta
    periods = [
        curve.between(first + day * DAY_MS, first + (day + 1) * DAY_MS) + own for day in range(7)
    ]
    week = sum(periods)
    if week * MOST_PERIODS < usable * 7:
        return MOST_PERIODS
    weeks = round_down(usable / week)
    left = usable - weeks * week
    return 7 * weeks + sum(1 for used in accumulate(periods) if used <= left)


def _date(due: Due) -> Date:
    return due.date
