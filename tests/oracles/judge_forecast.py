"""Dates and days ahead of a program, against the same counter of pulses.

The low date is found by walking 24-hour periods, the calendar is Python's own. What a row
of an outlook must hold is taken from the words of `DayAhead` and `Outlook`: figures of one
day of the pump's clock, the first beginning at the start; totals half up, windows up, what
is left down; the patient takes every permitted dose of every 24 hours that have begun.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from itertools import pairwise

from pumpctl.quantities import Duration, Volume
from pumpctl.therapy import forecast
from pumpctl.therapy.moment import Date, Moment
from tests.oracles import odometer, weekly
from tests.oracles.case import Case
from tests.oracles.draw_programs import an_instant
from tests.oracles.odometer import Boluses, Pump
from tests.oracles.plain import DAY, HOUR, MINUTE

OUTLOOKS = 0.06
"""Share of the programs of which days ahead are compared, too."""

REQUIRED = (
    *("forecasts", "of these the alarm is met exactly", "of these 1 nL short of a period"),
    *("of these below the alarm at the start", "24-hour periods walked", "outlooks"),
    *("days looked ahead", "of these in an outlook that begins within a day"),
)


def judge(case: Case) -> None:
    """Dates, and in a share the days ahead."""
    dates(case)
    if case.dice.random() < OUTLOOKS:
        outlook(case)


def dates(case: Case) -> None:
    """The low-reservoir date by walking periods, and the refill date by the calendar's own code."""
    data, dice, tally = case.data, case.dice, case.tally
    offset = 15 * dice.randint(-56, 56)
    label = an_instant(dice)
    used, nl = weekly.taken_by_period(data, label)
    if 0 in used:  # no pump takes a step of rate 0, and "until the alarm" has no one meaning then
        tally.add("forecasts left out, of programs that give nothing for 24 hours")
        return
    alarm = data["low_alarm"]
    target = dice.randint(0, 30) if dice.random() < 0.5 else dice.randint(0, 500)
    needed = sum(used) * (target // 7) + sum(used[: target % 7])
    about = sum(used) // nl + 1
    change = dice.choice((0, 0, -1, 1, dice.randint(-about, about)))
    volume = max(0, alarm + odometer.up(needed, nl) + change)
    left = (volume - alarm) * nl
    count = weekly.periods(used, left) if left >= 0 else 0
    tally.add("forecasts")
    tally.add("24-hour periods walked", count)
    tally.add("of these the alarm is met exactly", left == needed and count >= target > 0)
    tally.add("of these 1 nL short of a period", 0 < needed - left <= nl)
    tally.add("of these below the alarm at the start", left < 0)

    start = Moment(label - offset * MINUTE, offset)
    filled = label - dice.choice((0, dice.randrange(300 * DAY)))
    expiry = dice.choice((None, dice.randint(0, 600)))
    today = day_of(label)
    low = today + timedelta(days=count)
    refill = min(low - timedelta(days=7), day_of(filled) + timedelta(days=180))
    if expiry is not None:
        refill = min(refill, today + timedelta(days=expiry))
    found = forecast.forecast(
        case.program,
        Volume(volume),
        Volume(alarm),
        start,
        Moment(filled - offset * MINUTE, offset),
        expiry=None if expiry is None else Date(label // DAY + expiry),
    )
    case.same(f"whole periods of {volume} nL from {label}", count, found.periods)
    case.same("low date", low.isoformat(), str(found.low_date))
    case.same("refill by", refill.isoformat(), str(found.refill_by))
    direct = forecast.whole_periods(case.program, Volume(volume), Volume(alarm), start)
    case.same("whole periods by themselves", count, direct)


def day_of(label: int) -> date:
    """The date on a clock's face, by Python's own calendar."""
    return date(1970, 1, 1) + timedelta(days=label // DAY)


def outlook(case: Case) -> None:
    """Hold some days of one program against the counter."""
    data, dice, tally = case.data, case.dice, case.tally
    label = an_instant(dice)
    offset = 15 * dice.randint(-56, 56)
    days = dice.randint(1, 10)
    lengths = (dice.choice((DAY, 4 * HOUR)), dice.randint(1, 30 * HOUR))
    numbers = [label // DAY + count for count in range(days + 1)]
    cuts = [label, *(number * DAY for number in numbers[1:])]
    end = cuts[-1] + max(*lengths, HOUR)
    pump = Pump(data, label, end, Boluses(label - DAY, end))
    readings = pump.run([label, *cuts])
    total = [pump.total(readings[cut]) for cut in cuts]
    nl = pump.pulse // odometer.PULSE_NL
    volume = dice.choice((total[-1] // nl + dice.randint(0, 10**7), dice.randint(0, 40_000_000)))

    found = forecast.outlook(
        case.program,
        Volume(volume),
        Volume(data["low_alarm"]),
        Moment(label - offset * MINUTE, offset),
        days,
        windows=tuple(map(Duration, lengths)),
    )
    tally.add("outlooks")
    tally.add("days looked ahead", days)
    tally.add("of these in an outlook that begins within a day", days if label % DAY else 0)
    shown = [
        (
            str(row.date),
            row.mass.quanta,
            row.volume.quanta,
            row.largest_hour.quanta,
            *(window.quanta for window in row.windows),
            row.left_scheduled.quanta,
            row.left_with_patient_doses.quanta,
        )
        for row in found.days
    ]
    most = [windows(pump, cuts, length) for length in (HOUR, *lengths)]
    patient = data["patient"]
    own = patient["dose"] * patient["most"] * pump.unit if patient else 0
    expected = []
    for count in range(days):
        given = total[count + 1] - total[count]
        begun = -((label - cuts[count + 1]) // DAY)
        expected.append(
            (
                day_of(numbers[count] * DAY).isoformat(),
                odometer.half_up(given, pump.unit),
                odometer.half_up(given, nl),
                *(odometer.up(each[count], pump.unit) for each in most),
                max(0, (volume * nl - total[count + 1]) // nl),
                max(0, (volume * nl - total[count + 1] - own * begun) // nl),
            )
        )
    for mine, theirs in zip(expected, shown, strict=True):
        case.same(f"a day of the {days} from {label}", mine, theirs)
    sums = odometer.half_up(total[-1], pump.unit), odometer.half_up(total[-1], nl)
    case.same(
        f"mass and volume of {days} days from {label}",
        sums,
        (found.mass.quanta, found.volume.quanta),
    )


def windows(pump: Pump, cuts: list[int], length: int) -> list[int]:
    """The most in a window of this length that starts on each of the days between the cuts."""
    low, high = cuts[0], cuts[-1]
    starts = sorted(
        {time - back for time in pump.changes for back in (0, length)
         if low <= time - back <= high}.union(cuts)
    )  # fmt: skip
    readings = pump.run({*starts, *(start + length for start in starts)})
    held = [pump.total(readings[at + length]) - pump.total(readings[at]) for at in starts]
    return [
        max(held[bisect_left(starts, cut) : bisect_right(starts, until)])
        for cut, until in pairwise(cuts)
    ]
