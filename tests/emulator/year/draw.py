"""Random programs and moments of a story. Doses are kept so small that only states refuse them.

However boluses of a schedule, a clinician, a patient and a clock set lie on one
another, flow and windows stay within the factory's limits, so that an oracle need
not know those.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from pumpctl.wire.codes import Drug, Mode
from pumpctl.wire.program import PatientDose, Program, ScheduledBolus, Step
from tests.emulator.year.demand import DAY, HOUR, LEAST_FLOW, MINUTE

CONCENTRATIONS = (500, 1000, 2000)
MOST_RATE = 1_800_000
SLOW = 36
"""ms for each ng of a bolus: below 5 mL/day in any line."""
_GRID = 40


def _rate(dice: Random, concentration: int) -> int:
    least = LEAST_FLOW * concentration // 1000
    most = dice.choice((2 * least, 300_000, 900_000, MOST_RATE))
    rate = dice.randint(least, max(least, most))
    return rate // 1000 * 1000 + 1000 if dice.random() < 0.3 else rate


def _day(dice: Random, concentration: int) -> tuple[Step, ...]:
    starts = [0, *sorted(dice.sample(range(1, 1440), dice.choice((0, 1, 2, 5, 12))))]
    steps: list[Step] = []
    for start in starts:
        rate = _rate(dice, concentration)
        if not steps or steps[-1].rate != rate:
            steps.append(Step(start, rate))
    return tuple(steps)


def a_dose(dice: Random, most: int) -> tuple[int, int]:
    """(ng, ms); the time is as odd as it likes to be."""
    dose = dice.randint(500, most)
    return dose, dice.randint(dose * SLOW, dose * SLOW + 12 * MINUTE)


def _boluses(dice: Random) -> tuple[ScheduledBolus, ...]:
    found = []
    for day in range(7):
        places = sorted(dice.sample(range(0, 1440, _GRID), dice.choice((0, 1, 2, 4))))
        found += [ScheduledBolus(day, at, *a_dose(dice, 40_000)) for at in places]
    return tuple(found)


def a_program(dice: Random, concentration: int) -> Program:
    """Of any mode."""
    low_alarm = dice.choice((1, 2, 4)) * 1_000_000
    least = LEAST_FLOW * concentration // 1000
    kind = dice.random()
    if kind < 0.06:
        return the_least(concentration, low_alarm)
    continuous = kind < 0.2
    kinds = [_day(dice, concentration) for _ in range(dice.choice((1, 1, 2, 4)))]
    days = tuple(dice.choice(kinds) for _ in range(7))
    if continuous:
        days = ((Step(0, _rate(dice, concentration)),),) * 7
    patient = None
    if dice.random() < 0.6:
        patient = PatientDose(
            *a_dose(dice, 20_000), dice.randint(10 * MINUTE, 8 * HOUR), dice.randint(1, 8)
        )
    return Program(
        1,
        Mode.CONTINUOUS if continuous else Mode.FLEX,
        Drug.BACLOFEN,
        concentration,
        dice.randint(least, max(least, 200_000)),
        days,
        _boluses(dice) if dice.random() < (0.3 if continuous else 0.8) else (),
        patient,
        low_alarm,
    )


def the_least(concentration: int, low_alarm: int = 2_000_000) -> Program:
    """Minimum rate."""
    rate = LEAST_FLOW * concentration // 1000
    return Program(
        1, Mode.MINIMUM_RATE, Drug.BACLOFEN, concentration, rate, ((),) * 7, (), None, low_alarm
    )


def a_start(dice: Random, concentration: int) -> Program:
    """A starting dose, after days without drug."""
    least = LEAST_FLOW * concentration // 1000
    rate = dice.randint(least, 190_000)
    days = ((Step(0, rate),),) * 7
    return the_least(concentration)._replace(mode=Mode.CONTINUOUS, fallback=least, days=days)


def a_reduction(dice: Random, program: Program, concentration: int) -> Program | None:
    """The same, but less of everything; None where the flow would be below the least."""
    parts = dice.randint(5, 9)
    days = tuple(
        tuple(Step(step.start, step.rate * parts // 10) for step in steps) for steps in program.days
    )
    least = LEAST_FLOW * concentration // 1000
    merges = any(one.rate == other.rate for steps in days for one, other in pairwise(steps))
    if merges or not days[0] or any(step.rate < least for steps in days for step in steps):
        return None
    fallback = max(least, program.fallback)
    return program._replace(days=days, concentration=concentration, fallback=fallback)


def a_gap(dice: Random) -> int:
    """ms until the next thing happens."""
    most = dice.choice((20 * 1000, 30 * MINUTE, 3 * HOUR, DAY, DAY, 2 * DAY, 4 * DAY))
    return dice.randint(1, most)


def a_stall(dice: Random) -> int:
    """ms for which the motor stands; some are so long that the fallback takes over."""
    least, most = dice.choice(
        ((MINUTE, HOUR), (MINUTE, HOUR), (HOUR, 12 * HOUR), (12 * HOUR, 47 * HOUR),
         (49 * HOUR, 80 * HOUR))
    )  # fmt: skip
    return dice.randint(least, most)


def a_shift(dice: Random) -> tuple[int, int]:
    """(ms, minutes of another offset): drift, daylight saving, a journey, a slip."""
    kind = dice.random()
    if kind < 0.3:
        return dice.randint(-5 * MINUTE, 5 * MINUTE), 0
    if kind < 0.5:
        return 0, dice.choice((-60, 60))
    if kind < 0.7:
        return dice.choice((-1, 1)) * HOUR + dice.randint(-3000, 3000), 0
    if kind < 0.85:
        return dice.randint(-12 * HOUR, 12 * HOUR), dice.choice((0, 0, -480, 330))
    if kind < 0.97:
        return dice.randint(-4 * DAY, 9 * DAY), 0
    return 365 * DAY + dice.randint(0, HOUR), 0
