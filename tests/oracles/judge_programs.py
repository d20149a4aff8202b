"""Random programs, given to the odometer and to the real code, and the figures compared.

Every figure must be equal: what the real code leaves exact as a fraction, what it rounds
after the one rounding that docs/protocol.md states for it. "Within a quantum" would let a
rounding in the wrong direction pass.

What is stepped pulse by pulse: of every program a stretch of real time, of an hour to nine
days, a quarter of it and again a quarter where it has more than MOST pulses; and of a share
WEEK_BY_PULSES the whole week, where that has no more than MOST. The weeks of the others are
run by the same counter, which takes at once all pulses that are due until the rate next
changes. Windows are looked at where the counter's rate changes; in the shares *_GRID also at
every minute of the week, every second of a day, every ms around the worst.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from random import Random

from pumpctl.therapy import course, curve, figures
from tests.oracles import judge_forecast, odometer, weekly
from tests.oracles.case import Case, real_program
from tests.oracles.draw_programs import a_program, an_instant
from tests.oracles.plain import DAY, HOUR, MINUTE, SECOND, WEEK, Program, steps_of
from tests.oracles.tally import CASES, Tally

WEEK_BY_PULSES = 0.3
"""Share of programs whose week is run pulse by pulse, where it has no more than MOST of them."""
MOST = 40_000
"""Pulses stepped in one run: beyond it a shorter stretch is taken."""
MINUTE_GRID = 0.05
"""Share in which a window at every minute of the week is looked at."""
SECOND_GRID = 0.003
"""Share in which a window at every second of a day is looked at."""
MS_GRID = 0.05
"""Share in which a window at every ms around the largest hour is looked at."""
EVERY_PULSE = 200
"""Where a stretch has no more pulses than this, the instant of every one is compared."""

REQUIRED = (
    *("minimum-rate", "continuous", "flex"),
    *("all days alike", "days that differ", "days of 13 steps", "steps"),
    *("a step of rate 0", "concentrations supplied", "other concentrations"),
    *("scheduled boluses", "boluses across midnight", "boluses across Sunday's end"),
    *("boluses that overlap", "boluses longer than an hour", "boluses off the second"),
    *("with patient doses", "weeks run pulse by pulse", "stretches run pulse by pulse"),
    *("of these a day or more", "pulses stepped one by one", "stretches with every pulse timed"),
    *("instants of pulses compared", "pulses that never come", "windows at every minute"),
    *("windows at every second", "windows at every ms", "masses between two instants"),
    *judge_forecast.REQUIRED,
)


def judge(seed: int, index: int, tally: Tally) -> None:
    """Draw one program, compute it twice, compare."""
    dice = Random(f"program {seed} {index}")
    data = a_program(dice)
    case = Case(f"program {seed}/{index}", data, real_program(data), dice, tally)
    tally.add(CASES)
    count_classes(data, tally)
    figures_of_the_week(case)
    real_time(case)
    judge_forecast.judge(case)


def count_classes(data: Program, tally: Tally) -> None:
    """What kind of program this is."""
    tally.add(data["mode"])
    days = [steps_of(data, day) for day in range(7)]
    tally.add("days that differ" if any(day != days[0] for day in days) else "all days alike")
    tally.add("days of 13 steps", sum(len(day) == 13 for day in days))
    tally.add("steps", sum(map(len, days)))
    tally.add("a step of rate 0", any(not rate for day in days for _, rate in day))
    supplied = data["concentration"] in (500, 1_000, 2_000)
    tally.add("concentrations supplied" if supplied else "other concentrations")
    tally.add("with patient doses", data["patient"] is not None)
    spans = []
    for bolus in data["boluses"]:
        start = bolus["day"] * DAY + bolus["at"] * MINUTE
        spans.append((start, start + bolus["over"]))
        tally.add("boluses across midnight", spans[-1][1] > (bolus["day"] + 1) * DAY)
        tally.add("boluses across Sunday's end", spans[-1][1] > WEEK)
        tally.add("boluses longer than an hour", bolus["over"] > HOUR)
        tally.add("boluses off the second", bolus["over"] % SECOND != 0)
    spans.sort()
    tally.add("scheduled boluses", len(spans))
    tally.add(
        "boluses that overlap",
        sum(one[1] > two[0] for one, two in pairwise(spans)),
    )


def figures_of_the_week(case: Case) -> None:
    """Each day's dose, the week's, the largest hour of each day, the largest 24 h, the flow."""
    data, program, dice, tally = case.data, case.program, case.dice, case.tally
    week_flow = sum(weekly.doses(data)[0]) // odometer.pulse_of(data, odometer.unit_of(data))
    one_by_one = dice.random() < WEEK_BY_PULSES and week_flow <= MOST
    instants = [dice.randrange(-WEEK, 3 * WEEK) for _ in range(4)]
    week = weekly.week(data, [time % WEEK for time in instants], one_by_one)
    unit, concentration = week.unit, data["concentration"]
    if one_by_one:
        tally.add("weeks run pulse by pulse")
        tally.add("pulses stepped one by one", week.stepped)
    case.same(
        "the week is the sum of its days (the oracle against itself)", sum(week.doses), week.total
    )

    exact = figures.daily_doses(program)
    shown = figures.week(program)
    for day in range(7):
        dose = week.doses[day]
        case.exact(f"dose of day {day}", dose, unit, exact[day])
        case.same(
            f"dose shown of day {day}", odometer.half_up(dose, unit), shown[day].daily_dose.quanta
        )
        hour = odometer.up(week.hours[day], unit)
        case.same(f"largest hour of day {day}", hour, shown[day].largest_hour.quanta)
    largest = max(week.doses)
    case.exact("largest day", largest, unit, figures.largest_day(program))
    case.exact("smallest day", min(week.doses), unit, figures.smallest_day(program))
    flow = odometer.half_up(largest * 1_000, unit * concentration)
    case.same("flow of the largest day", flow, figures.flow_of_largest_day(program).quanta)

    patient = data["patient"]
    by_patient = patient["dose"] * patient["most"] if patient else 0
    day_long = odometer.up(week.largest_24h, unit)
    real_curve = curve.Curve(program)
    case.same("largest 24 h", day_long, figures.largest_24h(program, real_curve).quanta)
    case.same(
        "largest 24 h with patient doses",
        day_long + by_patient,
        figures.largest_24h_with_patient_doses(program, real_curve).quanta,
    )
    case.exact("the week's mass", week.total, unit, real_curve.between(0, WEEK))

    for one, two in (sorted(instants[:2]), sorted(instants[2:])):
        mass = (two // WEEK - one // WEEK) * week.total
        mass += week.readings[two % WEEK] - week.readings[one % WEEK]
        case.exact(f"mass from {one} to {two}", mass, unit, real_curve.between(one, two))
        tally.add("masses between two instants")
    day, minute = dice.randrange(7), dice.randrange(1_440)
    rate = next(rate for start, rate in reversed(steps_of(data, day)) if start <= minute)
    real_rate = figures.rate_at(program, day, minute).quanta
    case.same(f"basal of day {day}, minute {minute}", rate, real_rate)
    grids(case, week)


def grids(case: Case, week: weekly.Week) -> None:
    """In a share of programs, windows at every minute, second or ms: looked at, not reasoned."""
    data, dice, tally = case.data, case.dice, case.tally
    most = max(week.hours)
    overs = [bolus["over"] for bolus in data["boluses"]]
    if dice.random() < MINUTE_GRID:
        seen = weekly.by_grid(data, MINUTE, 0, WEEK, HOUR)
        meets = not any(over % MINUTE for over in overs)
        case.same("an hour at every minute", True, seen == most if meets else seen <= most)
        tally.add("windows at every minute", WEEK // MINUTE + 1)
    if dice.random() < SECOND_GRID:
        day = week.hours.index(most)
        seen = weekly.by_grid(data, SECOND, day * DAY, (day + 1) * DAY, HOUR)
        meets = not any(over % SECOND for over in overs)
        case.same("an hour at every second", True, seen == most if meets else seen <= most)
        tally.add("windows at every second", DAY // SECOND + 1)
    if dice.random() < MS_GRID:
        first, last = max(0, week.worst - 30), min(WEEK, week.worst + 30)
        seen = weekly.by_ms(data, first, last, HOUR)
        case.same("an hour at every ms around the largest", most, seen)
        tally.add("windows at every ms", last - first + 1)


def real_time(case: Case) -> None:
    """A program that starts at some instant of the calendar: masses, volumes, pulses in time."""
    data, dice, tally = case.data, case.dice, case.tally
    start = an_instant(dice)
    length = dice.choice((HOUR * dice.randint(1, 12), HOUR * dice.randint(1, 12), DAY,
                          dice.randint(1, DAY), dice.randint(DAY, 9 * DAY)))  # fmt: skip
    pump = odometer.Pump(data, start, start + length)
    over = start + length + DAY
    while (total := pump.run([over])[over]).pulses > MOST and length > MINUTE:
        length //= 4
        pump = odometer.Pump(data, start, start + length)
        over = start + length + DAY
    instants = sorted(dice.randrange(start - HOUR, start + length + HOUR) for _ in range(2))
    readings = pump.run([*instants, start - 1, start, start + length, over], True)
    tally.add("stretches run pulse by pulse")
    tally.add("of these a day or more", length >= DAY)
    case.same("the same pulses in bulk (the oracle against itself)", total, readings[over])

    mass = course.course_of(case.program, start, start + length)
    volume = mass.scaled(Fraction(1_000, data["concentration"]))
    nl = pump.pulse // odometer.PULSE_NL
    for one, two in ((instants[0], instants[1]), (start, start + length), (start - 1, over)):
        moved = pump.total(readings[two]) - pump.total(readings[one])
        case.exact(f"mass from {one} to {two}", moved, pump.unit, mass.between(one, two))
        case.exact(f"volume from {one} to {two}", moved, nl, volume.between(one, two))
        tally.add("masses between two instants")
    pulses = total.pulses
    case.same("pulses due in all", pulses, volume.upto(over) // odometer.PULSE_NL)

    if pulses <= EVERY_PULSE:
        every = dict(enumerate(pump.pulses_at(over), start=1))
        tally.add("stretches with every pulse timed")
    else:
        every = pump.instants_of(
            {1, pulses, dice.randint(1, pulses), dice.randint(1, pulses)}, over
        )
    for number, instant in every.items():
        due = volume.when(number * odometer.PULSE_NL, start)
        case.same(f"instant of pulse {number} since {start}", instant, due)
    tally.add("instants of pulses compared", len(every))
    never = volume.when((pulses + 1) * odometer.PULSE_NL, start)
    case.same("instant of the pulse after the last", None, never)
    tally.add("pulses that never come")
    tally.add("pulses stepped one by one", pump.stepped)
