"""The days ahead, against a walk minute by minute that is written apart and by another calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.quantities import Duration, Mass, Rate, Volume
from pumpctl.therapy.figures import daily_doses, largest_hour
from pumpctl.therapy.forecast import (
    Because,
    DayAhead,
    Due,
    Outlook,
    forecast,
    outlook,
    refill_due,
    side_by_side,
    whole_periods,
)
from pumpctl.therapy.moment import DAY_MS, Date, Moment
from pumpctl.therapy.program import PatientDose, Program
from tests.therapy.samples import even, flex, minimum

MONDAY = Moment.parse("2026-03-30T00:00:00+02:00")
AFTERNOON = Moment.parse("2026-04-01T14:07:00+02:00")
HOUR, DAY = Duration.parse("1 h"), Duration.parse("24 h")
ML40, ML2 = Volume.parse("40 mL"), Volume.parse("2 mL")
OWN = PatientDose(Mass.parse("50 mcg"), Duration.parse("5 min"), Duration.parse("4 h"), 4)


def ahead(
    program: Program, start: Moment = MONDAY, days: int = 14, volume: Volume = ML40
) -> Outlook:
    return outlook(program, volume, ML2, start, days, windows=(HOUR, DAY))


@pytest.mark.requirement("REF-05")
def test_a_continuous_program_day_by_day() -> None:
    told = ahead(even("480 mcg/day"), AFTERNOON, 3)
    first, second, third = told.days
    assert str(first.date) == "2026-04-01"  # 593 of its 1440 minutes are left
    assert (first.mass, first.volume) == (Mass(197_667), Volume(98_833))
    assert second == DayAhead(
        Date.parse("2026-04-02"), Mass(480_000), Volume(240_000), Mass(20_000),
        (Mass(20_000), Mass(480_000)), Volume(39_661_166), Volume(39_661_166),
    )  # fmt: skip
    assert third.left_scheduled == Volume(39_421_166), "rounded down: 39.4211666... mL"
    assert told.mass == Mass(480_000 * 2 + 197_667) and told.volume == Volume(578_833)
    assert told.low_date == Date.parse("2026-04-01").plus(158)
    assert told.empty_date == Date.parse("2026-04-01").plus(166)
    assert told.refill == Due(told.low_date.plus(-7), Because.LOW)
    assert told.battery is None and told.earliest == told.refill
    assert (told.start, told.windows) == (AFTERNOON, (HOUR, DAY))


def test_a_bolus_over_midnight_is_divided() -> None:
    late = flex([[(0, "10")]], [(0, 23 * 60 + 45, "30 mcg", "30 min")])
    told = ahead(late, days=8)
    assert [str(day.mass) for day in told.days][:3] == ["255 mcg", "255 mcg", "240 mcg"]
    assert [dose / 1_000 for dose in daily_doses(late)][:2] == [270, 240]
    assert told.days[0].largest_hour == told.days[1].windows[0] + Mass(15_000) == Mass(40_000)
    assert told.mass == Mass(8 * 240_000 + 30_000 + 15_000)


def test_the_reservoir_runs_empty_and_stays_so() -> None:
    told = ahead(even("1000 mcg/day"), days=5, volume=Volume.parse("1.25 mL"))
    assert [str(day.left_scheduled) for day in told.days] == [
        "0.75 mL", "0.25 mL", "0 mL", "0 mL", "0 mL",
    ]  # fmt: skip
    assert told.low_date == MONDAY.date and told.empty_date == MONDAY.date.plus(2)
    assert told.volume == Volume.parse("2.5 mL"), "the schedule goes on"


def test_patient_doses_are_counted_by_the_periods_that_have_begun() -> None:
    own = flex([[(0, "10")]], own=OWN)  # 0.12 mL and 0.1 mL a day
    midnight, noon = ahead(own, days=3), ahead(own, MONDAY.plus(DAY_MS // 2), 3)
    assert [str(day.left_with_patient_doses) for day in midnight.days] == [
        "39.78 mL", "39.56 mL", "39.34 mL",
    ]  # fmt: skip
    assert [str(day.left_with_patient_doses) for day in noon.days] == [
        "39.84 mL", "39.62 mL", "39.4 mL",
    ]  # fmt: skip
    assert [str(day.left_scheduled) for day in noon.days] == ["39.94 mL", "39.82 mL", "39.7 mL"]


@pytest.mark.requirement("REF-05")
def test_which_reason_is_the_earliest() -> None:
    low, start = MONDAY.date.plus(200), MONDAY
    assert refill_due(low, start) == Due(start.date.plus(180), Because.INTERVAL)
    assert refill_due(low.plus(-14), start) == Due(start.date.plus(179), Because.LOW)
    assert refill_due(low.plus(-13), start).because is Because.LOW, "of equal ones"
    assert refill_due(low, start, start.date.plus(180)).because is Because.INTERVAL
    assert refill_due(low, start, start.date.plus(179)).because is Because.EXPIRY
    assert refill_due(low, start, refill_days=90).date == start.date.plus(90)


@pytest.mark.requirement("REF-05")
def test_the_battery_may_come_first() -> None:
    def told(date: Date) -> Outlook:
        return outlook(
            even(), ML40, ML2, MONDAY, 1, windows=(), filled_at=MONDAY.plus(-10 * DAY_MS),
            expiry=MONDAY.date.plus(100), replace_by=date,
        )  # fmt: skip

    expiry = Due(MONDAY.date.plus(100), Because.EXPIRY)
    for days, first in ((99, Because.BATTERY), (100, Because.EXPIRY), (101, Because.EXPIRY)):
        date = MONDAY.date.plus(days)
        assert told(date).refill == expiry
        assert told(date).battery == Due(date, Because.BATTERY)
        assert told(date).earliest.because is first


def test_side_by_side() -> None:
    old, new = even("400 mcg/day"), even("450 mcg/day")
    pairs = side_by_side(ahead(old, AFTERNOON), ahead(new, AFTERNOON))
    assert len(pairs) == 14
    assert all(pair.date == pair.old.date == pair.new.date for pair in pairs)
    assert (str(pairs[1].old.mass), str(pairs[1].new.mass)) == ("400 mcg", "450 mcg")
    for other in (ahead(new, MONDAY), ahead(new, AFTERNOON, 13)):
        with pytest.raises(ValueError, match="different days"):
            side_by_side(ahead(old, AFTERNOON), other)


def test_no_days_and_windows_of_no_length_are_refused() -> None:
    for days, windows in ((0, (HOUR,)), (1, (HOUR, Duration(0)))):
        with pytest.raises(ValueError, match="at least one day"):
            outlook(even(), ML40, ML2, MONDAY, days, windows=windows)


def test_windows_of_any_length() -> None:
    program = flex([[(0, str(10 + day))] for day in range(7)])
    lengths = [1_000, DAY_MS, 7 * DAY_MS, 8 * DAY_MS, 15 * DAY_MS]
    told = outlook(program, ML40, ML2, MONDAY, 7, windows=tuple(Duration(each) for each in lengths))
    week = 24_000 * (10 + 11 + 12 + 13 + 14 + 15 + 16)
    assert told.days[6].windows == (
        Mass(5), Mass(16 * 24_000), Mass(week), Mass(week + 16 * 24_000),
        Mass(2 * week + 16 * 24_000),
    )  # fmt: skip
    assert told.days[0].windows[3] == Mass(week + 11 * 24_000), "it may start at any time of day"
    assert told.days[3].largest_hour == Mass(14_000), "at midnight the next day's rate begins"


def test_minimum_rate() -> None:
    told = ahead(minimum(), days=365)
    assert told.volume == Volume(365 * 48_000) and told.mass == Mass(365 * 96_000)


# --- a walk minute by minute ---------------------------------------------------------------------

UNIT = 1_440  # masses in 1/1440 ng: whole for steps, and for boluses over 5, 10 or 30 min


class Walk:
    """Four weeks of minutes from a Monday, each with its mass, added up one after the other."""

    def __init__(self, program: Program) -> None:
        week = [0] * 7 * 1_440
        for day, steps in enumerate(program.days):
            for minute in range(1_440):
                rate = [step.rate.quanta for step in steps if step.start <= minute][-1]
                week[day * 1_440 + minute] += rate
        for bolus in program.boluses:
            over = bolus.over.quanta // 60_000
            for minute in range(over):
                at = (bolus.day * 1_440 + bolus.at + minute) % (7 * 1_440)
                week[at] += bolus.dose.quanta * UNIT // over
        self.upto = [0, *accumulate(week * 4)]

    def between(self, start: int, end: int) -> int:
        return self.upto[end] - self.upto[start]

    def largest(self, window: int, start: int, end: int) -> int:
        return max(self.between(each, each + window) for each in range(start, end + 1))


programs = st.builds(
    lambda rates, boluses, own: flex(
        [[(0, str(a)), (at, str(b))] for a, at, b in rates],
        [(day, at, f"{dose} mcg", f"{over} min") for day, at, dose, over in boluses],
        OWN if own else None,
    ),
    st.lists(
        st.tuples(st.integers(1, 90), st.integers(1, 1439), st.integers(1, 90)),
        min_size=7, max_size=7,
    ),
    st.lists(
        st.tuples(
            st.integers(0, 6), st.integers(0, 1439), st.integers(1, 300),
            st.sampled_from([5, 10, 30]),
        ),
        max_size=6,
    ),
    st.booleans(),
)  # fmt: skip
starts = st.builds(
    lambda minutes, offset: Moment(1_774_828_800_000 + minutes * 60_000, offset),
    st.integers(0, 400 * 1_440),
    st.sampled_from([-480, 0, 120, 345]),
)


def half_up(part: int, whole: int) -> int:
    return (2 * part + whole) // (2 * whole)


@settings(max_examples=100, deadline=None)
@given(programs, starts, st.integers(1, 16), st.integers(0, 8_000_000), st.integers(1, 3 * 1440))
def test_agrees_with_a_walk_minute_by_minute(
    program: Program, start: Moment, days: int, volume: int, window: int
) -> None:
    told = outlook(
        program, Volume(volume), ML2, start, days, windows=(Duration(window * 60_000), HOUR)
    )
    walk = Walk(program)
    face = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=start.label_ms)
    since = face.hour * 60 + face.minute
    total = 0
    per_ng = program.concentration.quanta * UNIT
    own = OWN.dose.quanta * OWN.max_per_24h if program.patient_dose else 0
    for count, day in enumerate(told.days):
        date = face.date() + timedelta(days=count)
        first, last = date.weekday() * 1_440 + since, (date.weekday() + 1) * 1_440
        mass = walk.between(first, last)
        total += mass
        assert str(day.date) == date.isoformat()
        assert day.mass.quanta == half_up(mass, UNIT)
        assert day.volume.quanta == half_up(mass * 1_000, per_ng)
        assert day.largest_hour.quanta == -(-walk.largest(60, first, last) // UNIT)
        assert day.windows == (
            Mass(-(-walk.largest(window, first, last) // UNIT)), day.largest_hour,
        )  # fmt: skip
        left = Fraction(volume) - Fraction(total * 1_000, per_ng)
        assert day.left_scheduled.quanta == max(0, left // 1)
        minutes = (count + 1) * 1_440 - (face.hour * 60 + face.minute)
        begun = (minutes + 1_439) // 1_440
        left -= Fraction(begun * own * 1_000, program.concentration.quanta)
        assert day.left_with_patient_doses.quanta == max(0, left // 1)
        since = 0
    assert told.mass.quanta == half_up(total, UNIT)
    assert told.volume.quanta == half_up(total * 1_000, per_ng)


@settings(max_examples=60, deadline=None)
@given(programs, starts, st.lists(st.integers(0, 40_000_000), min_size=2, max_size=5))
def test_more_lasts_no_shorter_and_nothing_comes_back(
    program: Program, start: Moment, volumes: list[int]
) -> None:
    told = [ahead(program, start, 20, Volume(each)) for each in sorted(volumes)]
    for less, more in pairwise(told):
        assert less.low_date <= more.low_date and less.empty_date <= more.empty_date
        assert less.refill.date <= more.refill.date
    for each in told:
        assert each.low_date <= each.empty_date
        for before, after in pairwise(each.days):
            assert before.left_scheduled >= after.left_scheduled
            assert before.left_with_patient_doses >= after.left_with_patient_doses
            assert after.left_scheduled >= after.left_with_patient_doses


@settings(max_examples=60, deadline=None)
@given(programs, st.integers(0, 10_000_000))
def test_the_low_date_is_where_the_days_say(program: Program, volume: int) -> None:
    """From midnight, dates and 24-hour periods are the same days."""
    told = ahead(program, MONDAY, 120, Volume(volume))
    enough = [day for day in told.days if day.left_with_patient_doses >= ML2]
    assert told.low_date == MONDAY.date.plus(len(enough))
    assert len(enough) == whole_periods(program, Volume(volume), ML2, MONDAY)
    one = forecast(program, Volume(volume), ML2, MONDAY)
    assert (one.low_date, one.refill_by) == (told.low_date, told.refill.date)
    for day in told.days[:7]:
        assert day.largest_hour == largest_hour(program, day.date.weekday)


def test_the_rates_of_the_samples_are_whole() -> None:
    assert flex([[(0, "90")]]).days[0][0].rate == Rate(90 * 24_000)
