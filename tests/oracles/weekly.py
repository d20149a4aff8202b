"""What a program's week adds up to, and how long a reservoir lasts, read off the counter.

The second half of the oracle: `odometer` counts pulses, this file says where to read the
counter. Nothing of pumpctl is imported here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from tests.oracles.odometer import EPOCH, PULSE_NL, Boluses, Pump, steady
from tests.oracles.plain import DAY, HOUR, WEEK, Program


class Week(NamedTuple):
    """What an endlessly repeated week adds up to. Masses and volumes are exact."""

    unit: int
    doses: list[int]
    """Of each day, in parts of 1 ng: its basal and the boluses that start on it."""
    total: int
    hours: list[int]
    """Of each day, the most in any 60 minutes that start on it."""
    largest_24h: int
    worst: int
    """Where a largest hour starts, in ms from the Monday."""
    readings: dict[int, int]
    """What was pumped until these instants of the week, in parts of 1 ng."""
    stepped: int
    """How many pulses were taken one by one."""


def week(program: Program, also_at: Iterable[int] = (), one_by_one: bool = False) -> Week:
    """Run one week and read the counter wherever a largest window can begin or end.

    The mass in a sliding window grows and falls evenly as long as neither of its ends
    crosses a change of the rate. So as a function of its start it has its greatest value
    where its start or its end is at a change, or where the search begins or ends.
    `by_grid` looks without that argument.
    """
    pump = steady(program)
    changes = [time for time in pump.changes if EPOCH <= time <= EPOCH + WEEK + DAY]
    midnights = [EPOCH + day * DAY for day in range(8)]
    inside = [time for time in changes if time <= EPOCH + WEEK]
    starts = {
        length: sorted(
            {*midnights, *inside}.union(
                time - length for time in changes if EPOCH <= time - length <= EPOCH + WEEK
            )
        )
        for length in (HOUR, DAY)
    }
    marks = {time + add for length, all_of in starts.items() for time in all_of
             for add in (0, length)}  # fmt: skip
    marks.update(EPOCH + time for time in also_at)
    readings = pump.run(marks, one_by_one)
    total = {time: pump.total(reading) for time, reading in readings.items()}
    hours = []
    worst, worst_at = -1, EPOCH
    for day in range(7):
        low = bisect_left(starts[HOUR], midnights[day])
        high = bisect_left(starts[HOUR], midnights[day + 1])
        most, at = max((total[time + HOUR] - total[time], time)
                       for time in starts[HOUR][low : high + 1])  # fmt: skip
        hours.append(most)
        if most > worst:
            worst, worst_at = most, at
    own, stepped = doses(program, one_by_one)
    return Week(
        unit=pump.unit,
        doses=own,
        total=total[EPOCH + WEEK] - total[EPOCH],
        hours=hours,
        largest_24h=max(total[time + DAY] - total[time] for time in starts[DAY]),
        worst=worst_at - EPOCH,
        readings={time: total[EPOCH + time] for time in also_at},
        stepped=pump.stepped + stepped,
    )


def doses(program: Program, one_by_one: bool = False) -> tuple[list[int], int]:
    """Each day's own dose: what its basal pumps until midnight, and its boluses in whole.

    In parts of 1 ng; and how many pulses were taken one by one.
    """
    basal = Pump(program, EPOCH, EPOCH + WEEK, Boluses(EPOCH, EPOCH))
    midnights = range(EPOCH, EPOCH + WEEK + DAY, DAY)
    readings = basal.run(midnights, one_by_one)
    total = [basal.total(readings[midnight]) for midnight in midnights]
    own = [after - before for before, after in pairwise(total)]
    for bolus in program["boluses"]:
        own[bolus["day"]] += bolus["dose"] * basal.unit
    return own, basal.stepped


def by_grid(program: Program, grid: int, first: int, last: int, length: int) -> int:
    """The most in any window that starts at first, first + grid, … last: no argument, only looks.

    `first` and `last` are ms from the Monday; `length` is a multiple of `grid`.
    """
    pump = steady(program)
    marks = range(EPOCH + first, EPOCH + last + length + 1, grid)
    readings = pump.run(marks)
    total = [pump.total(readings[time]) for time in marks]
    far = length // grid
    return max(after - before for before, after in zip(total, total[far:], strict=False))


def periods(used: list[int], left: int) -> int:
    """Walk 24-hour periods while what they take is there; reaching the alarm is allowed.

    `left` is what lies above the alarm volume; `used` is what each of the seven periods of
    a week takes, which is not nothing in all of them.
    """
    count = 0
    while left >= used[count % 7]:
        left -= used[count % 7]
        count += 1
    return count


def taken_by_period(program: Program, start: int) -> tuple[list[int], int]:
    """What the seven 24-hour periods from `start` take, and how much 1 nL is, in the same parts.

    The schedule was running before; the patient takes every permitted dose.
    """
    pump = steady(program)
    cuts = [(start + count * DAY - EPOCH) % WEEK + EPOCH for count in range(7)]
    readings = pump.run({*cuts, *(cut + DAY for cut in cuts)})
    patient = program["patient"]
    by_patient = patient["dose"] * patient["most"] * pump.unit if patient else 0
    used = [
        pump.total(readings[cut + DAY]) - pump.total(readings[cut]) + by_patient for cut in cuts
    ]
    return used, pump.pulse // PULSE_NL


def by_ms(program: Program, first: int, last: int, length: int) -> int:
    """The most in any window that starts at one of these ms of the week."""
    pump = steady(program)
    marks = range(EPOCH + first, EPOCH + last + 1)
    readings = pump.run({*marks, *(mark + length for mark in marks)})
    return max(pump.total(readings[mark + length]) - pump.total(readings[mark]) for mark in marks)
