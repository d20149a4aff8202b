"""The pump's own limits: each with a program that just passes and one that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.wire import messages as m
from pumpctl.wire.codes import Mode, Refuse
from pumpctl.wire.program import PatientDose, Program, ScheduledBolus, Step
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex

GOOD = flex(300_000, 500_000, boluses=daily((420, 20_000, 10 * MINUTE)))
LEAST = 24_000  # ng/day at 500 mcg/mL
MOST = 3_000_000


def one_day(*steps: tuple[int, int]) -> Program:
    """The good program, with other steps on Wednesday."""
    days = list(GOOD.days)
    days[2] = tuple(Step(start, rate) for start, rate in steps)
    return GOOD._replace(days=tuple(days))


def with_bolus(*boluses: tuple[int, int, int, int]) -> Program:
    return GOOD._replace(boluses=tuple(ScheduledBolus(*each) for each in boluses))


def own(dose: int, over: int, lockout: int = HOUR, most: int = 1) -> PatientDose:
    return PatientDose(dose, over, lockout, most)


def answer(program: Program, **more: Any) -> Any:
    return Bench(**more).ask(m.StageProgram(TAG, program))


PASSES = {
    "the good one": GOOD,
    "the smallest basal": one_day((0, LEAST)),
    "a fallback at the minimum flow": GOOD._replace(fallback=LEAST),
    "boluses that touch": with_bolus((0, 0, 1_000, 10 * MINUTE), (0, 10, 1_000, 10 * MINUTE)),
    "sunday's bolus ends as monday's begins": with_bolus(
        (0, 0, 1_000, 10 * MINUTE), (6, 1430, 1_000, 10 * MINUTE)
    ),
    "the whole daily dose": flex(MOST, fallback=100_000),
    "a fallback of the whole daily dose": GOOD._replace(fallback=MOST),
    # 24 mL/day less 1 mL/day of basal leaves 23 mL/day, 11.5 mg/day, for ten minutes
    "a bolus at the maximum flow": flex(500_000, boluses=daily((60, 79_861, 10 * MINUTE))),
    "a low alarm at the capacity": GOOD._replace(low_alarm=40_000_000),
    "a patient dose": GOOD._replace(patient_dose=own(10_000, 5 * MINUTE)),
    "24 h with patient doses at the limit": flex(
        MOST - 40_000, patient=own(20_000, 10 * MINUTE, HOUR, 2)
    ),
}

REFUSED = {
    "a gap at midnight": (Refuse.IMPLAUSIBLE, one_day((1, 300_000))),
    "no steps": (Refuse.IMPLAUSIBLE, one_day()),
    "steps not sorted": (Refuse.IMPLAUSIBLE, one_day((0, 300_000), (600, 1), (500, 300_000))),
    "a step without length": (
        Refuse.IMPLAUSIBLE,
        one_day((0, 300_000), (500, 400_000), (500, 300_000)),
    ),
    "a step of nothing": (Refuse.IMPLAUSIBLE, one_day((0, 300_000), (500, 0))),
    "a bolus of nothing": (Refuse.IMPLAUSIBLE, with_bolus((0, 0, 0, MINUTE))),
    "a bolus in no time": (Refuse.IMPLAUSIBLE, with_bolus((0, 0, 1_000, 0))),
    "a bolus longer than a day": (Refuse.IMPLAUSIBLE, with_bolus((0, 0, 1_000, DAY + 1))),
    "boluses that overlap": (
        Refuse.IMPLAUSIBLE,
        with_bolus((0, 0, 1_000, 10 * MINUTE + 1), (0, 10, 1_000, 10 * MINUTE)),
    ),
    "sunday's bolus runs into monday's": (
        Refuse.IMPLAUSIBLE,
        with_bolus((0, 0, 1_000, 10 * MINUTE), (6, 1430, 1_000, 10 * MINUTE + 1)),
    ),
    "boluses not sorted": (
        Refuse.IMPLAUSIBLE,
        with_bolus((1, 0, 1_000, MINUTE), (0, 10, 1_000, MINUTE)),
    ),
    "two boluses at once": (
        Refuse.IMPLAUSIBLE,
        with_bolus((0, 10, 1_000, MINUTE), (0, 10, 1_000, MINUTE)),
    ),
    "a patient dose of nothing": (
        Refuse.IMPLAUSIBLE,
        GOOD._replace(patient_dose=own(0, MINUTE)),
    ),
    "a patient dose without lockout": (
        Refuse.IMPLAUSIBLE,
        GOOD._replace(patient_dose=own(1_000, MINUTE, 0)),
    ),
    "minimum rate with another fallback": (
        Refuse.IMPLAUSIBLE,
        GOOD._replace(mode=Mode.MINIMUM_RATE, days=((),) * 7, boluses=(), fallback=LEAST + 1),
    ),
    "another format": (Refuse.NOT_CANONICAL, GOOD._replace(format=2)),
    "equal neighbours": (Refuse.NOT_CANONICAL, one_day((0, 300_000), (60, 300_000))),
    "continuous with two steps": (
        Refuse.NOT_CANONICAL,
        GOOD._replace(mode=Mode.CONTINUOUS),
    ),
    "another concentration": (Refuse.CONCENTRATION, flex(concentration=2000)),
    "an unknown concentration": (Refuse.CONCENTRATION, flex(concentration=501)),
    "a low alarm above the capacity": (Refuse.RANGE, GOOD._replace(low_alarm=40_000_001)),
    "a basal below the minimum flow": (Refuse.LIMIT_RATE_LOW, one_day((0, LEAST - 1))),
    "a fallback below the minimum flow": (
        Refuse.LIMIT_RATE_LOW,
        GOOD._replace(fallback=LEAST - 1),
    ),
    "no fallback": (Refuse.LIMIT_RATE_LOW, GOOD._replace(fallback=0)),
    "a fallback above the maximum flow": (Refuse.LIMIT_RATE, GOOD._replace(fallback=12_000_001)),
    "a fallback above the daily dose": (
        Refuse.LIMIT_DAILY_DOSE,
        GOOD._replace(fallback=MOST + 1),
    ),
    "a bolus above the maximum flow": (
        Refuse.LIMIT_RATE,
        flex(500_000, boluses=daily((60, 79_862, 10 * MINUTE))),
    ),
    "bolus and patient dose above the maximum flow": (
        Refuse.LIMIT_RATE,
        flex(
            500_000,
            boluses=daily((60, 50_000, 10 * MINUTE)),
            patient=own(30_000, 10 * MINUTE),
        ),
    ),
    "a day above the daily dose": (
        Refuse.LIMIT_DAILY_DOSE,
        flex(MOST - 1_000, boluses=daily((60, 1_001, 10 * MINUTE))),
    ),
    "an evening and a morning above the daily dose": (
        Refuse.LIMIT_WINDOW,
        flex(MOST - 60_000)._replace(
            boluses=(
                ScheduledBolus(0, 1380, 40_000, 10 * MINUTE),
                ScheduledBolus(1, 60, 40_000, 10 * MINUTE),
            )
        ),
    ),
    "24 h with patient doses above the daily dose": (
        Refuse.LIMIT_WINDOW,
        flex(MOST - 40_000, patient=own(20_001, 10 * MINUTE, HOUR, 2)),
    ),
}


@pytest.mark.requirement("LIM-01")
@pytest.mark.parametrize("name", PASSES)
def test_passes(name: str) -> None:
    assert isinstance(answer(PASSES[name]), m.Staged)


@pytest.mark.requirement("LIM-03")
@pytest.mark.requirement("LIM-06")
@pytest.mark.requirement("PRG-08")
@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_and_changes_nothing(name: str) -> None:
    code, program = REFUSED[name]
    bench = Bench()
    before = bytes(bench.store.image)
    refusal = bench.ask(m.StageProgram(TAG, program))
    assert isinstance(refusal, m.Refusal)
    assert refusal.code is code, refusal.detail
    assert refusal.detail
    assert bytes(bench.store.image)[2 * 4096 :] == before[2 * 4096 :]


@pytest.mark.parametrize("concentration", [500, 1000, 2000])
def test_limits_are_masses_at_the_concentration(concentration: int) -> None:
    least = 48 * concentration
    good = flex(least, fallback=least, concentration=concentration)
    assert isinstance(answer(good, concentration=concentration), m.Staged)
    low = flex(least - 1, fallback=least, concentration=concentration)
    assert answer(low, concentration=concentration).code is Refuse.LIMIT_RATE_LOW


def test_the_smaller_model_has_the_smaller_capacity() -> None:
    assert answer(GOOD._replace(low_alarm=20_000_001), model="SP20").code is Refuse.RANGE


@pytest.mark.requirement("LIM-06")
def test_a_new_program_beside_a_running_bolus_stays_below_the_maximum_flow() -> None:
    bench = Bench(frozen=True)
    bench.program(flex(300_000, boluses=daily((60, 60_000, 20 * MINUTE))))
    bench.firmware.advance(65 * MINUTE)  # it runs at 8.64 mL/day until minute 80
    soon = flex(300_000, boluses=daily((70, 60_000, 9 * MINUTE)))  # 19.2 mL/day
    later = flex(300_000, boluses=daily((80, 60_000, 9 * MINUTE)))
    refusal = bench.ask(m.StageProgram(TAG, soon))
    assert isinstance(refusal, m.Refusal)
    assert refusal.code is Refuse.LIMIT_RATE
    assert isinstance(bench.ask(m.StageProgram(TAG, later)), m.Staged)
    bench.firmware.advance(15 * MINUTE)
    assert isinstance(bench.ask(m.StageProgram(TAG, soon)), m.Staged)


def test_another_patients_tag_is_refused() -> None:
    bench = Bench()
    bench.program(flex())
    refusal = bench.ask(m.StageProgram(b"patient2", flex()))
    assert isinstance(refusal, m.Refusal)
    assert refusal.code is Refuse.PATIENT_TAG
