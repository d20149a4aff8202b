"""The arithmetic of programs against the counter of pulses: in small, and the counter by hand.

The whole of it is `python -m tests.oracles programs --count 1000000`; docs/exactness.md.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from random import Random

import pytest

from tests.oracles import weekly
from tests.oracles.draw_programs import a_program, an_instant
from tests.oracles.odometer import PULSE_NL, Pump, Reading, half_up, up
from tests.oracles.plain import DAY, HOUR, MINUTE, WEEK, Bolus, Program, monday, weekday
from tests.oracles.runner import run

SEED = 3
CASES = 1_200

STEPS = [(0, 14 * 24_000), (360, 26 * 24_000), (600, 15 * 24_000)]
FLEX = Program(
    mode="flex",
    concentration=2_000,
    days=[STEPS] * 5 + [[(0, 14 * 24_000)]] * 2,
    boluses=[
        Bolus(day=day, at=at, dose=20_000, over=10 * MINUTE)
        for day in range(7)
        for at in (420, 1_260)
    ],
    patient=None,
    low_alarm=2_000_000,
    fallback=216_000,
)
"""The profile of the format's own example: 438 mcg on working days, 376 at the weekend."""


def continuous(rate: int, concentration: int, boluses: list[Bolus] | None = None) -> Program:
    return Program(
        mode="continuous",
        concentration=concentration,
        days=[[(0, rate)]] * 7,
        boluses=boluses or [],
        patient=None,
        low_alarm=2_000_000,
        fallback=1,
    )


@pytest.mark.requirement("UNI-05")
@pytest.mark.requirement("REF-05")
def test_random_programs_agree_with_the_counter(capsys: pytest.CaptureFixture[str]) -> None:
    result = run("programs", CASES, SEED)
    with capsys.disabled():
        print(f"\n{result}", file=sys.stderr, flush=True)
    assert result.passed, str(result)
    assert result.cases == CASES


@pytest.mark.parametrize("one_by_one", [False, True])
def test_the_counter_by_hand(one_by_one: bool) -> None:
    found = weekly.week(FLEX, one_by_one=one_by_one)
    assert [Fraction(dose, found.unit) for dose in found.doses] == [438_000] * 5 + [376_000] * 2
    assert Fraction(found.total, found.unit) == 5 * 438_000 + 2 * 376_000
    # 07:00 to 08:00 at 26 mcg/h and a bolus; at the weekend 14 mcg/h and a bolus
    assert [Fraction(hour, found.unit) for hour in found.hours] == [46_000] * 5 + [34_000] * 2
    assert found.stepped == (0 if not one_by_one else found.stepped)
    assert not one_by_one or found.stepped > 7 * 1_800  # 0.188 mL a day at least, basal twice
    assert Fraction(found.largest_24h, found.unit) == 438_000


def test_one_pulse_after_the_other() -> None:
    """450 mcg/day at 2000 mcg/mL: 0.225 mL/day, 2250 pulses, one every 38.4 s."""
    start = monday(20_000 * DAY) + 7 * HOUR
    pump = Pump(continuous(450_000, 2_000), start, start + WEEK)
    readings = pump.run([start - 1, start + 38_399, start + 38_400, start + DAY, start + 2 * WEEK])
    assert readings[start - 1] == Reading(0, 0)
    assert readings[start + 38_399].pulses == 0
    assert readings[start + 38_400] == Reading(1, 0)
    assert readings[start + DAY] == Reading(2_250, 0)
    assert readings[start + 2 * WEEK].pulses == 7 * 2_250
    every = list(pump.pulses_at(start + DAY))
    assert every == [start + 38_400 * number for number in range(1, 2_251)]
    assert pump.instants_of({1, 2_250, 20_000}, start + DAY) == {1: every[0], 2_250: every[-1]}


def test_a_bolus_runs_over_midnight_and_counts_to_its_own_day() -> None:
    late = Bolus(day=6, at=1_410, dose=60_000, over=HOUR)
    found = weekly.week(continuous(24_000, 500, [late]), [30 * MINUTE])
    assert [Fraction(dose, found.unit) for dose in found.doses] == [24_000] * 6 + [84_000]
    # Monday's first half hour holds the rest of Sunday's bolus, and 500 ng of basal.
    assert Fraction(found.readings[30 * MINUTE], found.unit) == 30_500
    assert Fraction(found.hours[0], found.unit) == 31_000
    assert Fraction(found.hours[6], found.unit) == 61_000


@pytest.mark.parametrize("seed", range(40))
def test_steps_and_bulk_are_the_same(seed: int) -> None:
    dice = Random(seed)
    program, start = a_program(dice), an_instant(dice)
    program["concentration"] *= 500  # fewer pulses
    pump = Pump(program, start, start + HOUR)
    marks = [start + dice.randrange(2 * HOUR) for _ in range(20)]
    bulk, stepped = pump.run(marks), pump.run(marks, one_by_one=True)
    assert bulk == stepped
    alone = list(pump.pulses_at(start + 2 * HOUR))
    for mark, reading in bulk.items():
        assert sum(instant <= mark for instant in alone) == reading.pulses


@pytest.mark.parametrize("seed", range(6))
def test_a_largest_hour_lies_where_the_counter_says(seed: int) -> None:
    """Every second of a day, in place of the argument where a largest hour can lie."""
    program = a_program(Random(f"grid {seed}"))
    for bolus in program["boluses"]:
        bolus["over"] = max(1, bolus["over"] // 1_000) * 1_000
    found = weekly.week(program)
    assert weekly.by_grid(program, 1_000, 0, DAY, HOUR) == found.hours[0]


@pytest.mark.requirement("REF-05")
def test_periods_by_hand() -> None:
    """40 mL down to 2 mL at 450 mcg/day and 2000 mcg/mL: 0.225 mL/day, 168 days (W21)."""
    used, nl = weekly.taken_by_period(continuous(450_000, 2_000), 0)
    assert {each // nl for each in used} == {225_000}
    assert weekly.periods(used, 38_000_000 * nl) == 168
    assert weekly.periods(used, 168 * 225_000 * nl) == 168  # reached, not passed
    assert weekly.periods(used, 168 * 225_000 * nl - 1) == 167


def test_days_and_roundings() -> None:
    assert [weekday(day * DAY) for day in (0, 3, 4, 20_773)] == [
        3,
        6,
        0,
        0,
    ]  # 1970-01-01 a Thursday
    assert monday(20_773 * DAY + 5 * DAY + 1) == 20_773 * DAY  # 2026-11-16
    assert [half_up(number, 2) for number in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert [up(number, 2) for number in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert [half_up(1, 3), up(1, 3)] == [0, 1]
    assert PULSE_NL == 100
