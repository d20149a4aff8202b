"""The pump's own limits: each with a program that just passes and one that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.acts import limits
from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.acts.hard import Hard, factory
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Drug, Mode, Refuse
from pumpctl.wire.program import PatientDose, Program, ScheduledBolus, Step
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex
from tests.emulator.test_limit_table import PUMP

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
    "a patient dose longer than a day": (
        Refuse.IMPLAUSIBLE,
        GOOD._replace(patient_dose=own(1_000, DAY + 1)),
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
    flash = image.WEAR * PAGE
    assert bytes(bench.store.image)[flash:] == before[flash:]


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


# --- what a table narrows -----------------------------------------------------------------

OWN = factory(PUMP, Drug.BACLOFEN, 500)
FULL = flex(
    300_000, 500_000, boluses=daily((420, 20_000, 10 * MINUTE)), patient=own(10_000, 5 * MINUTE)
)  # 420 000 ng a day, 430 000 with the patient's
MINIMUM = Program(1, Mode.MINIMUM_RATE, Drug.BACLOFEN, 500, LEAST, ((),) * 7, (), None, 0)


def code_of(program: Program, hard: Hard) -> Refuse:
    with pytest.raises(Refused) as refused:
        limits.check(program, PUMP, hard)
    return refused.value.code


@pytest.mark.requirement("LIM-05")
@pytest.mark.requirement("LIM-07")
@pytest.mark.parametrize(
    ("limit", "value", "code"),
    [
        ("most_rate", 500_000, Refuse.LIMIT_RATE),
        ("most_daily", 500_000, Refuse.LIMIT_DAILY_DOSE),  # a rate, by itself
        ("least_rate", -100_000, Refuse.LIMIT_RATE_LOW),
        ("window_day", 430_000, Refuse.LIMIT_WINDOW),
        ("window_hour", 32_500, Refuse.LIMIT_WINDOW),  # 12 500 of basal, and the bolus
        ("most_bolus", 20_000, Refuse.RANGE),
        ("most_patient_dose", 10_000, Refuse.RANGE),
        ("patient_lockout_least", -HOUR, Refuse.RANGE),
    ],
)
def test_each_limit_of_a_table_holds(limit: str, value: int, code: Refuse) -> None:
    """Just so much passes, and one more or less is refused; a least limit is given negative."""
    just: Hard = OWN._replace(**{limit: abs(value)})  # type: ignore[arg-type]
    beyond: Hard = OWN._replace(**{limit: abs(value - 1)})  # type: ignore[arg-type]
    limits.check(FULL, PUMP, just)
    assert code_of(FULL, beyond) is code


def test_a_day_of_basal_and_boluses() -> None:
    program = flex(400_000, boluses=daily((420, 20_000, 10 * MINUTE)))
    limits.check(program, PUMP, OWN._replace(most_daily=420_000))
    assert code_of(program, OWN._replace(most_daily=419_999)) is Refuse.LIMIT_DAILY_DOSE


def test_another_drug_than_the_reservoirs() -> None:
    other: Hard = OWN._replace(drug=None)  # type: ignore[arg-type]  # there is only one yet
    assert code_of(FULL, other) is Refuse.DRUG


def test_no_table_bars_the_minimum_rate() -> None:
    limits.check(MINIMUM, PUMP, OWN._replace(least_rate=LEAST + 1))
    assert code_of(MINIMUM, OWN._replace(most_rate=LEAST - 1)) is Refuse.LIMIT_RATE


@pytest.mark.parametrize(
    ("gate", "name"),
    [
        ("_fluid", "another concentration"),
        ("_plausible", "a bolus longer than a day"),
        ("spelling_fault", "equal neighbours"),
        ("_rates", "a basal below the minimum flow"),
        ("_flow", "a bolus above the maximum flow"),
        ("_mass", "a day above the daily dose"),
    ],
)
def test_without_its_gate_the_bad_program_passes(
    gate: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, bad = REFUSED[name]
    assert code_of(bad, OWN) is code
    monkeypatch.setattr(limits, gate, lambda *_: None)
    limits.check(bad, PUMP, OWN)


def test_without_the_look_at_each_bolus_a_large_one_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hard = OWN._replace(most_bolus=19_999)
    assert code_of(FULL, hard) is Refuse.RANGE
    monkeypatch.setattr(limits, "_single", lambda *_: None)
    limits.check(FULL, PUMP, hard)
