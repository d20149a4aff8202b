"""The package's own reckoning against the pump's firmware and against plain sums."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.conformance import reckoning
from pumpctl.emulator.engine.figures import Figures
from pumpctl.wire.codes import Drug, Mode
from pumpctl.wire.program import PatientDose, Program, ScheduledBolus, Step
from tests.emulator.support import DAY, HOUR, MINUTE, MONDAY, daily, flex

LEAST_FLOW = 48_000


@st.composite
def steps(draw: st.DrawFn) -> tuple[Step, ...]:
    starts = {0} | draw(st.sets(st.integers(1, 1439), max_size=4))
    return tuple(Step(start, draw(st.integers(1, 3_000_000))) for start in sorted(starts))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Any flex week: dense or empty, boluses over midnight and over Sunday."""
    places = draw(
        st.sets(st.tuples(st.integers(0, 6), st.integers(0, 1439)), max_size=4).map(sorted)
    )
    boluses = tuple(
        ScheduledBolus(day, at, draw(st.integers(1, 10**6)), draw(st.integers(1, DAY)))
        for day, at in places
    )
    patient = draw(
        st.none()
        | st.builds(PatientDose, st.integers(1, 10**5), st.just(1), st.just(1), st.just(4))
    )
    days = tuple(draw(steps()) for _ in range(7))
    concentration = draw(st.sampled_from([500, 1000, 2000]))
    return Program(1, Mode.FLEX, Drug.BACLOFEN, concentration, 1, days, boluses, patient, 0)


@pytest.mark.requirement("PRG-04")
@settings(max_examples=60, deadline=None)
@given(programs())
def test_it_agrees_with_the_pump(program: Program) -> None:
    pump = Figures(program, LEAST_FLOW)
    ours = reckoning.days(program)
    for day in range(7):
        assert ours[day].dose == pump.day_dose(day)
        assert ours[day].volume == pump.day_volume(day)
        assert ours[day].largest_hour == pump.largest_hour(day)
    assert reckoning.largest_24h(program) == pump.largest_24h()


@pytest.mark.requirement("UNI-05")
def test_figures_that_were_worked_out_by_hand() -> None:
    half = flex(300_000, 300_001)
    assert reckoning.day_dose(half, 0) == Fraction(600_001, 2)
    assert reckoning.days(half)[0].dose == 300_001
    late = flex(240_000, boluses=daily((1430, 60_000, 20 * MINUTE)))
    # 60 minutes from 23:30 on: 10 mcg of basal and the whole bolus
    assert reckoning.days(late)[0].largest_hour == 10_000 + 60_000
    assert reckoning.largest_24h(late) == 240_000 + 60_000


def test_the_rate_follows_the_label() -> None:
    program = flex(300_000, 500_000)
    assert reckoning.rate_at(program, MONDAY) == 300_000
    assert reckoning.rate_at(program, MONDAY + 12 * HOUR) == 500_000
    assert reckoning.rate_at(program, MONDAY + 12 * HOUR - 1) == 300_000
    assert reckoning.rate_at(program, MONDAY - 1) == 500_000


@pytest.mark.parametrize(("value", "rounded"), [("1/2", 1), ("-1/2", 0), ("3/2", 2), ("4/3", 1)])
def test_half_is_rounded_up(value: str, rounded: int) -> None:
    assert reckoning.half_up(Fraction(value)) == rounded
