"""The station's arithmetic against the pump's: two calculations that share no code.

They meet at read-back; where they differed by a quantum there would be no plan.
A longer run: `python -m tests.property.test_two_minds COUNT SEED`.
"""

from __future__ import annotations

import random
import sys

import pytest

from pumpctl import quantities
from pumpctl.emulator.engine.figures import Figures
from pumpctl.pump.encode import to_wire
from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy import figures
from pumpctl.therapy.program import (
    Mode,
    PatientDose,
    Program,
    ScheduledBolus,
    Step,
    make_program,
)

LEAST_FLOW = 48_000
IN_THE_SUITE = 400


def any_program(chance: random.Random) -> Program:
    """A program with odd rates, odd durations and boluses that may overlap midnight."""
    days = []
    boluses = []
    for day in range(7):
        starts = [0, *sorted(chance.sample(range(1, 1440), chance.randint(0, 12)))]
        days.append([Step(start, Rate(chance.randint(1, 10**9))) for start in starts])
        boluses += [
            ScheduledBolus(
                day, at, Mass(chance.randint(1, 50_000)), Duration(chance.randint(1, 8 * 3_600_000))
            )
            for at in chance.sample(range(1440), chance.randint(0, 4))
        ]
    dose = PatientDose(Mass(10), Duration(1000), Duration(3_600_000), 3)
    return make_program(
        Mode.FLEX,
        "baclofen",
        Concentration(chance.choice([500, 1000, 2000])),
        low_alarm=Volume(2_000_000),
        fallback=Rate(10**8),
        days=days,
        boluses=boluses,
        patient_dose=chance.choice([None, dose]),
    )


def differences(count: int, seed: int) -> list[tuple[Program, str]]:
    """Programs on which the two disagree in any figure, and in which."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        program = any_program(chance)
        pump = Figures(to_wire(program), LEAST_FLOW)
        for day in figures.week(program):
            if pump.day_dose(day.day) != day.daily_dose.quanta:
                found.append((program, f"dose of day {day.day}"))
            if pump.largest_hour(day.day) != day.largest_hour.quanta:
                found.append((program, f"largest hour of day {day.day}"))
        if pump.largest_24h() != figures.largest_24h_with_patient_doses(program).quanta:
            found.append((program, "largest 24 h"))
    return found


@pytest.mark.requirement("LIM-01")
@pytest.mark.requirement("PRG-04")
def test_station_and_pump_agree_on_random_programs() -> None:
    assert differences(IN_THE_SUITE, seed=20260101) == []


def test_a_disagreement_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "round_up", lambda value: quantities.round_up(value) + 1)
    assert len(differences(3, seed=1)) >= 3 * 7


if __name__ == "__main__":
    counted, seeded = int(sys.argv[1]), int(sys.argv[2])
    print(f"{counted} programs, {len(differences(counted, seeded))} differences")
