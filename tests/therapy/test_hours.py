"""A program laid out in time: nothing is lost, whatever the steps and boluses."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings

from pumpctl.quantities import Concentration, Mass, Rate
from pumpctl.therapy import figures
from pumpctl.therapy.curve import HOUR_MS, Curve
from pumpctl.therapy.hours import (
    Stretch,
    alike_days,
    boluses_of,
    even_day,
    hours,
    largest_hour_start,
    stretches,
    volume_half_up,
    week_stretches,
)
from pumpctl.therapy.moment import DAY_MS
from pumpctl.therapy.program import Program
from tests.property.test_program_properties import programs
from tests.therapy.samples import FLEX, even, flex, minimum, profile


def test_the_day_of_the_contract() -> None:
    program = profile(FLEX).program
    assert stretches(program, 0) == (
        Stretch(0, 360, Rate.parse("14 mcg/h")),
        Stretch(360, 600, Rate.parse("26 mcg/h")),
        Stretch(600, 1440, Rate.parse("15 mcg/h")),
    )
    assert [each.mass for each in stretches(program, 0)] == [84_000, 104_000, 210_000]
    table = hours(program, 0)
    assert [hour.basal for hour in table] == [14_000] * 6 + [26_000] * 4 + [15_000] * 14
    assert [at for at, hour in enumerate(table) if hour.boluses] == [7, 21]
    assert table[7].mass == 46_000 and table[21].mass == 35_000
    assert alike_days(program) == ((0, 1, 2, 3, 4), (5, 6))
    assert not even_day(program, 0) and not even_day(program, 5), "boluses make a day uneven"


def test_steps_inside_an_hour_are_shared_out_by_minutes() -> None:
    program = flex([[(0, "12"), (390, "24"), (400, "6")]])
    table = hours(program, 3)
    assert table[5].basal == 12_000
    assert table[6].basal == 6_000 + 4_000 + 2_000, "30, 10 and 20 minutes"
    assert table[7].basal == 6_000


def test_minimum_rate_is_one_stretch_of_its_declared_flow() -> None:
    program = minimum(500)
    assert stretches(program, 6) == (Stretch(0, 1440, Rate.parse("24 mcg/day")),)
    assert {hour.mass for hour in hours(program, 6)} == {1_000}
    assert even_day(program, 6) and alike_days(program) == (tuple(range(7)),)
    assert week_stretches(program) == ((0, Rate.parse("24 mcg/day")),)


def test_days_are_alike_only_where_every_program_agrees() -> None:
    old = flex([[(0, "10")]] * 3 + [[(0, "12")]] * 4)
    new = flex([[(0, "10")], [(0, "9")]] * 3 + [[(0, "10")]])
    assert alike_days(old, new) == ((0, 2), (1,), (3, 5), (4, 6))
    by_bolus = flex([[(0, "10")]], [(1, 60, "5 mcg", "1 min"), (4, 60, "5 mcg", "2 min")])
    assert alike_days(by_bolus) == ((0, 2, 3, 5, 6), (1,), (4,))


def test_the_largest_hour_is_found_where_it_first_is() -> None:
    program = profile(FLEX).program
    assert largest_hour_start(program, 0) == (6 * 60 + 10) * 60_000, "the bolus ends it"
    assert largest_hour_start(even(), 2) == 0
    late = flex([[(0, "10")], [(0, "20")]] * 3 + [[(0, "10")]])
    assert largest_hour_start(late, 0) == DAY_MS, "it begins with the next midnight"


def test_volume_is_rounded_half_up_once() -> None:
    assert str(volume_half_up(Mass.parse("20 mcg").quanta, Concentration(2000))) == "0.01 mL"
    assert volume_half_up(Fraction(3, 2), Concentration(1000)).quanta == 2
    assert volume_half_up(Fraction(4, 3), Concentration(1000)).quanta == 1


@pytest.mark.requirement("UNI-05")
@settings(max_examples=150)
@given(programs())
def test_nothing_is_lost(program: Program) -> None:
    """Steps, and hours, and boluses of a day add up to its dose to the last fraction."""
    week = week_stretches(program)
    total = Fraction(0)
    for day, dose in enumerate(figures.daily_doses(program)):
        given_by = stretches(program, day)
        assert given_by[0].start == 0 and given_by[-1].end == 1440
        assert all(left.end == right.start for left, right in pairwise(given_by))
        boluses = sum(bolus.dose.quanta for bolus in boluses_of(program, day))
        assert sum((each.mass for each in given_by), Fraction(boluses)) == dose
        assert sum((hour.mass for hour in hours(program, day)), Fraction(0)) == dose
        total += dose - boluses
    ends = [time for time, _ in week[1:]] + [7 * DAY_MS]
    spans = zip(week, ends, strict=True)
    assert sum(Fraction(rate.quanta * (end - at), DAY_MS) for (at, rate), end in spans) == total


@settings(max_examples=60)
@given(programs())
def test_the_marked_hour_holds_the_largest_mass(program: Program) -> None:
    curve = Curve(program)
    for day in range(7):
        start = largest_hour_start(program, day, curve)
        first = day * DAY_MS
        assert 0 <= start <= DAY_MS
        held = curve.between(first + start, first + start + HOUR_MS)
        assert held == curve.largest(HOUR_MS, first, first + DAY_MS)


@settings(max_examples=60)
@given(programs(), programs())
def test_every_day_is_in_one_group(one: Program, other: Program) -> None:
    groups = alike_days(one, other)
    assert sorted(day for days in groups for day in days) == list(range(7))
    for days in groups:
        for program in (one, other):
            assert len({hours_key(program, day) for day in days}) == 1


def hours_key(program: Program, day: int) -> tuple[Fraction, ...]:
    return tuple(hour.mass for hour in hours(program, day))
