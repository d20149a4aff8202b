"""The read-back's figures against brute force, and that they come from stored bytes."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from pumpctl.emulator.engine.figures import Figures
from pumpctl.emulator.memory import slots
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.memory.image import SLOTS
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Refuse
from pumpctl.wire.message import encode
from pumpctl.wire.program import PatientDose, Program, ScheduledBolus, program_hash
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex
from tests.emulator.test_delivery import random_program

WEEK = 7 * DAY


def by_minutes(program: Program) -> list[Fraction]:
    """Cumulative ng at every minute of two weeks; boluses last whole minutes here."""
    per_minute = [Fraction(0)] * (14 * 1440)
    for turn in range(2):
        for day, steps in enumerate(program.days):
            ends = [step.start for step in steps[1:]] + [1440]
            for step, end in zip(steps, ends, strict=True):
                for minute in range(step.start, end):
                    per_minute[turn * 10080 + day * 1440 + minute] += Fraction(step.rate, 1440)
        for bolus in program.boluses:
            length = bolus.over // MINUTE
            for minute in range(length):
                at = (bolus.day * 1440 + bolus.at + minute) % 10080
                per_minute[turn * 10080 + at] += Fraction(bolus.dose, length)
    total = [Fraction(0)]
    for mass in per_minute:
        total.append(total[-1] + mass)
    return total


def up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


@pytest.mark.requirement("PRG-04")
@pytest.mark.parametrize("seed", range(8))
def test_the_figures_agree_with_brute_force(seed: int) -> None:
    program = random_program(random.Random(seed), 2000)
    program = program._replace(
        boluses=tuple(b._replace(over=b.over // MINUTE * MINUTE) for b in program.boluses)
    )
    figures = Figures(program, 48_000)
    total = by_minutes(program)
    for day in range(7):
        starts = range(day * 1440, day * 1440 + 1441)  # 24:00 can be approached at will
        assert figures.largest_hour(day) == up(max(total[at + 60] - total[at] for at in starts))
        steps = program.days[day]
        ends = [step.start for step in steps[1:]] + [1440]
        spans = zip(steps, ends, strict=True)
        basal = Fraction(sum(step.rate * (end - step.start) for step, end in spans), 1440)
        dose = basal + sum(bolus.dose for bolus in program.boluses if bolus.day == day)
        assert figures.day_dose(day) == half_up(dose)
        assert figures.day_volume(day) == half_up(dose * 1000 / 2000)
    most = max(total[at + 1440] - total[at] for at in range(10080))
    assert figures.largest_day() == up(most)


def test_a_window_runs_from_sunday_into_monday() -> None:
    late = ScheduledBolus(6, 1430, 20_000, 10 * MINUTE)
    early = ScheduledBolus(0, 0, 30_000, 10 * MINUTE)
    program = flex(240_000, boluses=(early, late))
    figures = Figures(program, 48_000)
    assert figures.largest_hour(6) == 10_000 + 50_000
    assert figures.largest_hour(0) == 10_000 + 30_000


def test_a_bolus_from_sunday_counts_to_the_day_in_which_it_starts() -> None:
    program = flex(240_000, boluses=(ScheduledBolus(6, 1430, 20_000, 20 * MINUTE),))
    figures = Figures(program, 48_000)
    assert [figures.day_dose(day) for day in range(7)] == [240_000] * 6 + [260_000]


def test_patient_doses_are_in_the_largest_24_h_only() -> None:
    own = PatientDose(10_000, 5 * MINUTE, 4 * HOUR, 3)
    with_doses = Figures(flex(240_000, patient=own), 48_000)
    assert with_doses.largest_24h() == 270_000
    assert with_doses.largest_hour(0) == 10_000
    assert with_doses.day_dose(0) == 240_000


def test_minimum_rate_at_every_concentration() -> None:
    for concentration, dose, hour in (
        (500, 24_000, 1_000),
        (1000, 48_000, 2_000),
        (2000, 96_000, 4_000),
    ):
        bench = Bench(concentration=concentration)
        figures = Figures(bench.core.program, 48_000)
        assert figures.day_dose(3) == dose
        assert figures.day_volume(3) == 48_000
        assert figures.largest_hour(3) == hour
        assert figures.largest_24h() == dose


@pytest.mark.requirement("PRG-04")
def test_the_read_back_is_computed_from_what_flash_holds() -> None:
    """Other bytes of the same length under a good check give another read-back, or none."""
    bench = Bench()
    program = flex(300_000, 500_000, boluses=daily((60, 5_000, 9 * MINUTE)))
    staged = bench.stage(program)
    first = bench.get(m.GetReadback(), m.ProgramReadback)
    assert (first.content, first.program, first.program_hash, first.tag) == (
        staged.content,
        program,
        program_hash(program),
        TAG,
    )
    other = program._replace(fallback=program.fallback + 1)
    slot = bench.core.slots[bench.core.free_slot()]
    slot.write(encode(m.StageProgram(TAG, other)))
    refused = bench.get(m.GetReadback(), m.Refusal)
    assert refused.code is Refuse.FLASH
    assert bench.status().staged is None


def test_the_same_staging_gives_the_same_read_back_bytes() -> None:
    bench = Bench()
    program = flex(300_000, 500_000)
    bench.stage(program)
    first = encode(bench.get(m.GetReadback(), m.ProgramReadback))
    bench.wait(59_000)
    bench.stage(program)
    assert encode(bench.get(m.GetReadback(), m.ProgramReadback)) == first


def test_one_bad_copy_of_the_staging_is_repaired_two_are_refused() -> None:
    bench = Bench()
    staged = bench.stage(flex())
    index = bench.core.free_slot()
    bench.store.write(SLOTS[index][0] * PAGE + 30, b"\x55\xaa")
    assert isinstance(bench.ask(m.GetReadback()), m.ProgramReadback)
    assert bench.core.slots[index].read().good == 2
    for page in SLOTS[index]:
        bench.store.write(page * PAGE + 30, b"\x55\xaa")
    answer = bench.activate(staged, 1)
    assert isinstance(answer, m.Refusal)
    assert answer.code is Refuse.FLASH
    assert bench.core.control.ledger == ()
    assert slots.program_in(bench.core.slots[bench.core.control.running]) is not None
