"""Programs: one normal form for one meaning."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume, flow_of
from pumpctl.therapy.program import (
    MINIMUM_FLOW,
    Mode,
    PatientDose,
    Program,
    ScheduledBolus,
    Step,
    continuous,
    make_program,
    minimum_rate,
)
from tests.therapy.samples import FLEX, even, flex, minimum, profile

LOW = Volume.parse("2 mL")
C2000 = Concentration(2000)
RATE = Rate.parse("300 mcg/day")
OWN = PatientDose(Mass(10_000), Duration(300_000), Duration(14_400_000), 3)


def make(mode: Mode = Mode.FLEX, **other: Any) -> Program:
    parts: dict[str, Any] = {"low_alarm": LOW, "fallback": RATE, "days": continuous(RATE)}
    return make_program(mode, "baclofen", C2000, **(parts | other))


def test_equal_neighbours_are_merged() -> None:
    plain = make(days=[[Step(0, RATE)]])
    spelled = make(days=[[Step(0, RATE), Step(360, RATE), Step(720, RATE)]] * 7)
    assert spelled == plain and hash(spelled) == hash(plain)
    other = Rate(1)
    kept = make(days=[[Step(0, RATE), Step(60, other), Step(120, RATE)]])
    assert kept.days[0] == (Step(0, RATE), Step(60, other), Step(120, RATE))


def test_boluses_are_sorted() -> None:
    late = ScheduledBolus(0, 600, Mass(1), Duration(1))
    early = ScheduledBolus(0, 60, Mass(2), Duration(1))
    assert make(boluses=[late, early]) == make(boluses=[early, late])
    assert make(boluses=[late, early]).boluses == (early, late)


def test_minimum_rate_has_no_days_and_the_models_flow_as_its_fallback() -> None:
    program = minimum()
    assert program.days == ((),) * 7
    assert program.fallback == Rate.parse("96 mcg/day")
    for concentration in (1, 50, 500, 999, 2000):
        exact = minimum_rate(Concentration(concentration))
        assert flow_of(exact, Concentration(concentration)) == MINIMUM_FLOW


def test_time_of_day_matters_to_flex_and_to_boluses() -> None:
    assert profile(FLEX).program.by_time_of_day
    assert not even().by_time_of_day and not minimum().by_time_of_day
    bolus = ScheduledBolus(0, 60, Mass(1), Duration(1))
    assert make(Mode.CONTINUOUS, boluses=[bolus]).by_time_of_day


@pytest.mark.requirement("PRG-08")
@pytest.mark.parametrize(
    ("mode", "parts", "reason"),
    [
        (Mode.FLEX, {"days": [[Step(60, RATE)]]}, "begins at 00:00"),
        (Mode.FLEX, {"days": [[]]}, "begins at 00:00"),
        (Mode.FLEX, {"days": [[Step(0, RATE), Step(0, RATE)]]}, "rise"),
        (Mode.FLEX, {"days": [[Step(0, RATE), Step(90, RATE), Step(60, RATE)]]}, "rise"),
        (Mode.FLEX, {"days": [[Step(0, RATE), Step(1440, RATE)]]}, "rise"),
        (Mode.FLEX, {"days": [[Step(0, RATE)]] * 6}, "seven days, not 6"),
        (Mode.FLEX, {"days": []}, "seven days, not 0"),
        (Mode.FLEX, {"fallback": None}, "fallback"),
        (Mode.FLEX, {"boluses": [ScheduledBolus(7, 0, Mass(1), Duration(1))]}, "outside"),
        (Mode.FLEX, {"boluses": [ScheduledBolus(0, 1440, Mass(1), Duration(1))]}, "outside"),
        (Mode.CONTINUOUS, {"days": [[Step(0, RATE), Step(60, Rate(1))]]}, "one rate"),
        (Mode.CONTINUOUS, {"days": [[Step(0, RATE)]] * 6 + [[Step(0, Rate(1))]]}, "one rate"),
        (Mode.MINIMUM, {}, "no days"),
        (Mode.MINIMUM, {"days": ()}, "no days"),
        (Mode.MINIMUM, {"days": (), "fallback": None, "patient_dose": OWN}, "no days"),
    ],
)
def test_what_is_no_schedule_is_no_program(mode: Mode, parts: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make(mode, **parts)


def test_a_program_needs_a_concentration() -> None:
    with pytest.raises(ValueError, match="solution"):
        make_program(Mode.MINIMUM, "baclofen", Concentration(0), low_alarm=LOW)


def test_days_of_the_sample_helper() -> None:
    assert flex([[(0, "14")]]).days[3] == (Step(0, Rate.parse("14 mcg/h")),)
