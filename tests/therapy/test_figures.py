"""What programs add up to, by hand-computed examples."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpctl.quantities import Duration, Flow, Mass, Rate
from pumpctl.therapy import figures
from pumpctl.therapy.curve import HOUR_MS, WEEK_MS, Curve
from pumpctl.therapy.moment import DAY_MS
from pumpctl.therapy.program import PatientDose
from tests.therapy.samples import FLEX, even, flex, minimum, profile

OWN = PatientDose(Mass.parse("10 mcg"), Duration.parse("5 min"), Duration.parse("4 h"), 3)


def hour(*args: object, day: int = 0) -> str:
    return str(figures.largest_hour(flex(*args), day))  # type: ignore[arg-type]


def test_the_contracts_example_adds_up() -> None:
    program = profile(FLEX).program
    doses = [str(day.daily_dose) for day in figures.week(program)]
    assert doses == ["438 mcg/day"] * 5 + ["376 mcg/day"] * 2
    hours = [str(day.largest_hour) for day in figures.week(program)]
    assert hours == ["46 mcg"] * 5 + ["34 mcg"] * 2
    assert figures.largest_day(program) == 438_000 and figures.smallest_day(program) == 376_000
    assert str(figures.flow_of_largest_day(program)) == "0.219 mL/day"
    assert str(figures.largest_24h(program)) == "438 mcg"
    assert str(figures.largest_24h_with_patient_doses(program)) == "468 mcg"
    assert str(figures.daily_dose_rounded(program, 6)) == "376 mcg/day"


def test_w7_and_w21_flows() -> None:
    for dose, concentration, flow in (
        ("96.1 mcg/day", 2002, "0.048002 mL/day"),
        ("673.7 mcg/day", 2002, "0.336513 mL/day"),
        ("450 mcg/day", 2000, "0.225 mL/day"),
    ):
        assert figures.flow_of_largest_day(even(dose, concentration)) == Flow.parse(flow)


def test_w8_every_hour_is_24_times_every_morning() -> None:
    morning = flex([[(0, "1")]], [(day, 480, "60 mcg", "1 h") for day in range(7)])
    hourly = flex(
        [[(0, "1")]], [(day, at * 60, "60 mcg", "1 h") for day in range(7) for at in range(24)]
    )
    assert figures.daily_doses(morning)[0] == 84_000
    assert figures.daily_doses(hourly)[0] == 24_000 + 1_440_000
    assert figures.daily_doses(hourly)[0] - 24_000 == 24 * (84_000 - 24_000)


@pytest.mark.requirement("UNI-05")
def test_sums_are_exact_and_rounded_once() -> None:
    # 0.000125 mcg/h for one minute is 3/1440 ng: 480 of them are exactly 1 ng
    program = flex([[(0, "0.000125"), (480, "4")]])
    assert figures.daily_doses(program)[0] == 1 + Fraction(16 * 4_000)
    odd = flex([[(0, "0.000125"), (1, "4")]])
    assert figures.daily_doses(odd)[0] == Fraction(3, 1440) + Fraction(1439 * 96_000, 1440)
    assert figures.daily_dose_rounded(odd, 0) == Rate(95_933)


def test_minimum_rate_is_a_declared_dose() -> None:
    program = minimum()
    assert figures.daily_doses(program) == (Fraction(96_000),) * 7
    assert str(figures.largest_hour(program, 3)) == "4 mcg"
    assert figures.rate_at(program, 0, 77) == Rate(96_000)
    assert figures.flow_of_largest_day(program) == Flow(48_000)


def test_rate_at() -> None:
    program = profile(FLEX).program
    at = [str(figures.rate_at(program, 0, m).text_in("mcg/h")) for m in (0, 359, 360, 599, 600)]
    assert at == ["14 mcg/h", "14 mcg/h", "26 mcg/h", "26 mcg/h", "15 mcg/h"]
    assert figures.rate_at(program, 6, 1439).text_in("mcg/h") == "14 mcg/h"


@pytest.mark.requirement("LIM-05")
def test_the_largest_hour_slides() -> None:
    # two half-hours at 20 mcg/h around 8 o'clock: the window 07:30 to 08:30
    assert hour([[(0, "2"), (450, "20"), (510, "2")]]) == "20 mcg"
    # two boluses 50 minutes apart are in one window
    assert (
        hour([[(0, "2")]], [(0, 100, "5 mcg", "10 min"), (0, 150, "5 mcg", "10 min")]) == "12 mcg"
    )
    # 70 minutes from the first's begin to the second's end: 60 hold one, and most of the other
    assert hour([[(0, "2")]], [(0, 100, "5 mcg", "10 min"), (0, 160, "5 mcg", "10 min")]) == "7 mcg"
    # a bolus longer than the window counts by the part inside
    assert hour([[(0, "2")]], [(0, 100, "30 mcg", "3 h")]) == "12 mcg"


def test_the_largest_hour_belongs_to_the_day_in_which_it_starts() -> None:
    sunday_night = [(6, 1430, "30 mcg", "20 min")]
    assert hour([[(0, "2")]], sunday_night, day=6) == "32 mcg"
    assert hour([[(0, "2")]], sunday_night, day=0) == "17 mcg"  # from Monday 00:00 on
    assert hour([[(0, "2")]], sunday_night, day=1) == "2 mcg"
    monday_first = [(0, 0, "30 mcg", "20 min")]
    assert hour([[(0, "2")]], monday_first, day=6) == "32 mcg"  # from Sunday 23:20 on


def test_the_largest_hour_is_rounded_up() -> None:
    assert figures.largest_hour(even("0.001 mcg/day"), 0) == Mass(1)


def test_the_largest_24_hours_slide_over_midnight() -> None:
    late_then_early = [
        [(0, "2"), (720, "20")],
        [(0, "20"), (720, "2")],
        *[[(0, "2")]] * 5,
    ]
    program = flex(late_then_early)
    assert figures.largest_day(program) == 12 * 22_000
    assert str(figures.largest_24h(program)) == "480 mcg"
    with_own = flex(late_then_early, own=OWN)
    assert str(figures.largest_24h_with_patient_doses(with_own)) == "510 mcg"
    assert figures.patient_doses_24h(program) == Mass(0)


def test_the_curve_repeats_for_ever() -> None:
    program = profile(FLEX).program
    curve = Curve(program)
    week = curve.between(0, WEEK_MS)
    assert week == sum(figures.daily_doses(program))
    assert curve.between(-WEEK_MS, 0) == week
    start = 3 * DAY_MS + 12_345
    assert curve.between(start, start + 52 * WEEK_MS) == 52 * week
    assert curve.largest(WEEK_MS) == week
    assert curve.largest(HOUR_MS, 0, 0) == 14_000


def test_a_bolus_of_no_length_or_of_weeks_does_not_break_the_curve() -> None:
    none = flex([[(0, "2")]], [(0, 0, "5 mcg", "0 s")])
    assert Curve(none).between(0, WEEK_MS) == 7 * 48_000
    long = flex([[(0, "2")]], [(6, 1439, "5 mcg", "15 d")])
    assert Curve(long).between(0, WEEK_MS) == 7 * 48_000 + 5_000
