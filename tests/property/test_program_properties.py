"""Programs against a second calculation: millisecond intervals, summed one by one."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy import figures
from pumpctl.therapy.curve import Curve
from pumpctl.therapy.moment import DAY_MS
from pumpctl.therapy.program import Mode, Program, ScheduledBolus, Step, make_program

MINUTE = 60_000
HOUR = 60 * MINUTE
WEEK = 7 * DAY_MS

rates = st.integers(1, 50_000_000).map(Rate)
starts = st.lists(st.integers(1, 1439), max_size=6, unique=True).map(sorted)


@st.composite
def days(draw: st.DrawFn) -> list[Step]:
    return [Step(start, draw(rates)) for start in [0, *draw(starts)]]


boluses = st.lists(
    st.builds(
        ScheduledBolus,
        st.integers(0, 6),
        st.integers(0, 1439),
        st.integers(1, 10**8).map(Mass),
        st.integers(1, DAY_MS).map(Duration) | st.integers(1, 100).map(Duration),
    ),
    max_size=6,
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    week = draw(st.lists(days(), min_size=7, max_size=7) | days().map(lambda day: [day] * 7))
    return make_program(
        Mode.FLEX,
        "baclofen",
        Concentration(500),
        low_alarm=Volume(2_000_000),
        fallback=Rate(100_000),
        days=week,
        boluses=draw(boluses),
    )


def pieces(program: Program) -> list[tuple[int, int, Fraction]]:
    """(from, to, ng per ms) of everything that is given, laid out over four weeks."""
    found = []
    for turn in range(-2, 3):
        for day, steps in enumerate(program.days):
            base = turn * WEEK + day * DAY_MS
            ends = [step.start for step in steps[1:]] + [1440]
            for step, end in zip(steps, ends, strict=True):
                slope = Fraction(step.rate.quanta, DAY_MS)
                found.append((base + step.start * MINUTE, base + end * MINUTE, slope))
        for bolus in program.boluses:
            start = turn * WEEK + bolus.day * DAY_MS + bolus.at * MINUTE
            over = bolus.over.quanta
            found.append((start, start + over, Fraction(bolus.dose.quanta, over)))
    return found


def given_in(parts: list[tuple[int, int, Fraction]], start: int, end: int) -> Fraction:
    """The mass between two instants."""
    return sum(
        (slope * max(0, min(end, high) - max(start, low)) for low, high, slope in parts),
        Fraction(0),
    )


@pytest.mark.requirement("UNI-05")
@settings(max_examples=60, deadline=None)
@given(programs(), st.integers(-WEEK, WEEK), st.integers(0, WEEK))
def test_any_window_of_the_curve(program: Program, start: int, length: int) -> None:
    exact = given_in(pieces(program), start, start + length)
    assert Curve(program).between(start, start + length) == exact


@settings(max_examples=60, deadline=None)
@given(programs())
def test_daily_doses(program: Program) -> None:
    basal = pieces(program._replace(boluses=()))
    for day, dose in enumerate(figures.daily_doses(program)):
        own = sum(bolus.dose.quanta for bolus in program.boluses if bolus.day == day)
        assert dose == given_in(basal, day * DAY_MS, (day + 1) * DAY_MS) + own
        assert abs(figures.daily_dose_rounded(program, day).quanta - dose) <= Fraction(1, 2)


@pytest.mark.requirement("LIM-05")
@settings(max_examples=40, deadline=None)
@given(programs(), st.integers(0, 6), st.lists(st.integers(0, DAY_MS), max_size=60))
def test_no_hour_exceeds_the_largest_and_one_reaches_it(
    program: Program, day: int, tries: list[int]
) -> None:
    parts = pieces(program)
    base = day * DAY_MS
    largest = figures.largest_hour(program, day).quanta
    edges = {edge for low, high, _ in parts for edge in (low, high)}
    turns = [at for edge in edges for at in (edge, edge - HOUR) if base <= at <= base + DAY_MS]
    hours = [given_in(parts, at, at + HOUR) for at in turns]
    hours += [given_in(parts, base + at, base + at + HOUR) for at in tries]
    assert all(hour <= largest for hour in hours)
    assert largest - 1 < max(hours)


@settings(max_examples=25, deadline=None)
@given(programs(), st.lists(st.integers(0, WEEK), max_size=40))
def test_no_24_hours_exceed_the_largest(program: Program, tries: list[int]) -> None:
    parts = pieces(program)
    largest = figures.largest_24h(program).quanta
    assert all(given_in(parts, at, at + DAY_MS) <= largest for at in tries)
    assert largest >= sum(map(int, figures.daily_doses(program._replace(boluses=())))) // 7


@settings(deadline=None)
@given(programs())
def test_the_normal_form_is_stable(program: Program) -> None:
    again = make_program(
        program.mode,
        program.drug,
        program.concentration,
        low_alarm=program.low_alarm,
        fallback=program.fallback,
        days=program.days,
        boluses=reversed(program.boluses),
        patient_dose=program.patient_dose,
    )
    assert again == program
    for steps in program.days:
        assert all(one.rate != two.rate for one, two in pairwise(steps))
