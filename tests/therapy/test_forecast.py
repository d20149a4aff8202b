"""How long a reservoir lasts: the worked cases, and days counted out one by one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.quantities import Duration, Flow, Mass, Rate, Volume, flow_of
from pumpctl.therapy.forecast import MOST_PERIODS, forecast, whole_periods
from pumpctl.therapy.moment import DAY_MS, Date, Moment
from pumpctl.therapy.program import PatientDose, Program
from tests.therapy.samples import FLEX, even, flex, minimum, profile

MONDAY = Moment.parse("2026-03-30T08:00:00Z")
OWN = PatientDose(Mass.parse("50 mcg"), Duration.parse("5 min"), Duration.parse("4 h"), 4)


def days(program: Program, volume: str, alarm: str, at: Moment = MONDAY) -> int:
    return whole_periods(program, Volume.parse(volume), Volume.parse(alarm), at)


@pytest.mark.requirement("REF-05")
def test_w4_and_w21() -> None:
    assert days(even("1000 mcg/day"), "20 mL", "0 mL") == 40  # 0.5 mL/day
    assert days(even("2000 mcg/day"), "20 mL", "0 mL") == 20  # 1.0 mL/day
    assert days(even("450 mcg/day"), "40 mL", "2 mL") == 168  # W21
    told = forecast(even("450 mcg/day"), Volume.parse("40 mL"), Volume.parse("2 mL"), MONDAY)
    assert str(told.flow) == "0.225 mL/day"
    assert told.low_date == Date.parse("2026-03-30").plus(168)
    assert str(told.low_date) == "2026-09-14" and str(told.refill_by) == "2026-09-07"


@pytest.mark.requirement("REF-05")
def test_the_earliest_date_counts() -> None:
    slow, start = even("200 mcg/day"), MONDAY.date
    volume, alarm = Volume.parse("40 mL"), Volume.parse("2 mL")
    told = forecast(slow, volume, alarm, MONDAY)
    assert told.periods == 380 and told.refill_by == start.plus(180)
    filled = MONDAY.plus(-100 * DAY_MS)
    assert forecast(slow, volume, alarm, MONDAY, filled).refill_by == start.plus(80)
    expiry = start.plus(30)
    assert forecast(slow, volume, alarm, MONDAY, filled, expiry=expiry).refill_by == expiry
    late = start.plus(900)
    assert forecast(slow, volume, alarm, MONDAY, expiry=late).refill_by == start.plus(180)


@pytest.mark.parametrize(("dose", "flow"), [("96.1", 48_002), ("673.7", 336_513)])
def test_w7(dose: str, flow: int) -> None:
    """0.0480 and 0.3365 mL/day, as published."""
    program = even(f"{dose} mcg/day", concentration=2002)
    told = forecast(program, Volume.parse("40 mL"), Volume.parse("2 mL"), MONDAY)
    assert told.flow == Flow(flow) == flow_of(Rate.parse(f"{dose} mcg/day"), program.concentration)


def test_a_program_that_gives_next_to_nothing_still_has_its_dates() -> None:
    for rate in ("0", "0.000125"):
        told = forecast(flex([[(0, rate)]]), Volume.parse("40 mL"), Volume.parse("2 mL"), MONDAY)
        assert told.periods == MOST_PERIODS and str(told.low_date) == "2126-03-30"
        assert str(told.refill_by) == "2026-09-26"
    assert days(minimum(), "2000 mL", "2 mL") == MOST_PERIODS
    assert days(minimum(), "1700 mL", "2 mL") == 35_375


def test_remaining_volume_and_dates_are_rounded_down() -> None:
    exact = even("1000 mcg/day")  # 0.5 mL/day
    assert days(exact, "7 mL", "2 mL") == 10
    assert days(exact, "6.999999 mL", "2 mL") == 9
    assert days(exact, "2.5 mL", "2 mL") == 1
    assert days(exact, "2.499999 mL", "2 mL") == 0
    assert days(exact, "2 mL", "2 mL") == 0
    assert days(exact, "1 mL", "2 mL") == 0


def test_periods_run_from_the_instant_of_the_fill() -> None:
    # all of Monday's dose after noon, none to speak of on other days
    burst = flex([[(0, "4"), (720, "100")], *[[(0, "4")]] * 6])
    noon = Moment.parse("2026-03-30T12:00:00Z")
    tuesday = noon.plus(DAY_MS)
    first = Fraction(12 * 100 + 12 * 4, 2000)
    volume = Volume(2_000_000 + int(first * 1_000_000))
    assert whole_periods(burst, volume, Volume.parse("2 mL"), noon) == 1
    assert whole_periods(burst, volume, Volume.parse("2 mL"), tuesday) == 6
    east = Moment(noon.utc_ms, 720)  # there it is Tuesday already
    assert whole_periods(burst, volume, Volume.parse("2 mL"), east) == 6


def test_every_permitted_patient_dose_is_counted() -> None:
    plain, own = flex([[(0, "12.5")]]), flex([[(0, "12.5")]], own=OWN)
    assert days(plain, "22 mL", "2 mL") == 133  # 300 mcg/day, 0.15 mL/day
    assert days(own, "22 mL", "2 mL") == 80  # 500 mcg/day, 0.25 mL/day


def test_minimum_rate() -> None:
    assert days(minimum(), "40 mL", "2 mL") == 791  # 38 / 0.048


def test_the_screen_of_the_contract() -> None:
    told = forecast(
        profile(FLEX).program,
        Volume.parse("38 mL"),
        Volume.parse("2 mL"),
        Moment.parse("2026-08-31T10:00:00+02:00"),
    )
    # a week with all patient doses: 5 x 468 + 2 x 406 = 3152 mcg, 1.576 mL
    assert told.periods == 7 * 22 + 5 and str(told.low_date) == "2027-02-06"


def brute(program: Program, usable_nl: int, at: Moment) -> int:
    """Day by day, each period minute by minute, boluses spread over their milliseconds."""
    own = program.patient_dose
    left = Fraction(usable_nl * program.concentration.quanta, 1_000)
    begin = at.day * DAY_MS + at.label_ms % DAY_MS
    count = 0
    while True:
        used = Fraction(own.dose.quanta * own.max_per_24h if own else 0)
        end = begin + DAY_MS
        for week in (-1, 0, 1):
            for day in range(7):
                base = (week * 7 + day) * DAY_MS
                steps = program.days[day]
                ends = [step.start for step in steps[1:]] + [1440]
                for step, until in zip(steps, ends, strict=True):
                    low = max(begin, base + step.start * 60_000)
                    high = min(end, base + until * 60_000)
                    used += Fraction(step.rate.quanta * max(0, high - low), DAY_MS)
                for bolus in program.boluses:
                    if bolus.day == day:
                        start, over = base + bolus.at * 60_000, bolus.over.quanta
                        inside = min(end, start + over) - max(begin, start)
                        used += Fraction(bolus.dose.quanta * max(0, inside), over)
        if used > left:
            return count
        left -= used
        count += 1
        begin = (begin + DAY_MS) % (7 * DAY_MS)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 200), min_size=7, max_size=7),
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 90), st.integers(1, 900)),
        max_size=4,
    ),
    st.integers(0, 8_000_000),
    st.integers(0, 7 * DAY_MS),
    st.booleans(),
)
def test_agrees_with_days_counted_one_by_one(
    rates: list[int],
    boluses: list[tuple[int, int, int, int]],
    usable: int,
    ahead: int,
    own: bool,
) -> None:
    program = flex(
        [[(0, str(rate)), (600, str(201 - rate))] for rate in rates],
        [(day, at, f"{dose} mcg", f"{over} s") for day, at, dose, over in boluses],
        OWN if own else None,
        concentration=500,
    )
    at = MONDAY.plus(ahead)
    alarm = Volume.parse("2 mL")
    assert whole_periods(program, alarm + Volume(usable), alarm, at) == brute(program, usable, at)
