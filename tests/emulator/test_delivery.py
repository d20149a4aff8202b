"""Pulses, fluid and events, against an oracle of exact fractions that walks minute by minute."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from pumpctl.emulator.engine.exact import ratio
from pumpctl.emulator.engine.motor import Motor
from pumpctl.quantities import Mass
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, BolusKind, Delivery, LogKind
from pumpctl.wire.program import Program, ScheduledBolus, Step
from tests.emulator.support import DAY, HOUR, MINUTE, MONDAY, TAG, Bench, daily, flex, op

PULSE = 100


def demanded(program: Program, start: int, end: int) -> Fraction:
    """Exact nL from one local label to another, by another way than the pump's."""
    total = Fraction(0)
    for day in range(start // DAY - 1, end // DAY + 1):
        weekday = (day - MONDAY // DAY) % 7
        steps = program.days[weekday]
        ends = [step.start for step in steps[1:]] + [1440]
        for step, until in zip(steps, ends, strict=True):
            low = max(start, day * DAY + step.start * MINUTE)
            high = min(end, day * DAY + until * MINUTE)
            if high > low:
                total += Fraction(step.rate * (high - low), DAY)
        for bolus in program.boluses:
            begins = day * DAY + bolus.at * MINUTE
            if bolus.day == weekday and begins > start - 1:
                part = min(max(end - begins, 0), bolus.over)
                total += Fraction(bolus.dose * part, bolus.over)
    return total * 1000 / program.concentration


def random_program(rng: random.Random, concentration: int = 500) -> Program:
    days = []
    for _ in range(7):
        starts = [0, *sorted(rng.sample(range(1, 1440), rng.randrange(0, 12)))]
        steps: list[Step] = []
        for start in starts:
            rate = rng.randrange(24 * concentration * 2 // 1000 * 1000, 1_200_000)
            if not steps or steps[-1].rate != rate:
                steps.append(Step(start, rate))
        days.append(tuple(steps))
    boluses = []
    for day in range(7):
        boluses += [
            ScheduledBolus(
                day, at, rng.randrange(1_000, 40_000), rng.randrange(5 * MINUTE, 40 * MINUTE)
            )
            for at in sorted(rng.sample(range(0, 1440, 40), rng.randrange(0, 4)))
        ]
    return flex(concentration=concentration)._replace(days=tuple(days), boluses=tuple(boluses))


@pytest.mark.requirement("UNI-05")
@pytest.mark.parametrize("seed", range(6))
def test_pulses_match_the_schedule_over_seven_days(seed: int) -> None:
    rng = random.Random(seed)
    concentration = (500, 1000, 2000)[seed % 3]
    bench = Bench(concentration=concentration, frozen=True)
    program = random_program(rng, concentration)
    bench.program(program)
    worst = 0
    while bench.core.clock.counter < 7 * DAY:
        bench.firmware.advance(rng.randrange(1, 9 * HOUR))
        due = demanded(program, MONDAY, MONDAY + bench.core.clock.counter)
        owed = due - bench.core.engine.motor.pulses * PULSE
        assert 0 <= owed < PULSE, "exactly the whole pulses that are due"
        assert Fraction(*bench.core.engine.motor.carry) == owed
        worst = max(worst, bench.core.engine.motor.pulses)
    assert worst > 1000


def test_how_time_is_cut_into_pieces_changes_nothing() -> None:
    program = flex(300_000, 700_000, boluses=daily((430, 20_000, 10 * MINUTE)))
    whole, pieces = Bench(frozen=True), Bench(frozen=True)
    whole.program(program)
    pieces.program(program)
    whole.firmware.advance(3 * DAY + 12_345)
    rng = random.Random(1)
    left = 3 * DAY + 12_345
    while left:
        step = min(left, rng.randrange(1, 2 * HOUR))
        pieces.firmware.advance(step)
        pieces.attach()
        left -= step
    assert whole.core.engine.motor.carry == pieces.core.engine.motor.carry
    assert whole.entries() == pieces.entries()


@pytest.mark.requirement("PRG-02")
def test_staging_leaves_the_pulse_train_as_it_was() -> None:
    program = flex(300_000, 700_000, boluses=daily((430, 20_000, 10 * MINUTE)))
    treated, control = Bench(frozen=True), Bench(frozen=True)
    for bench in (treated, control):
        bench.program(program)
    other = flex(900_000)
    for step in range(40):
        staged = treated.stage(other)
        treated.ask(m.GetReadback())
        treated.activate(staged, 7, version=4711)  # refused
        if step % 3:
            treated.ask(m.Discard())
        for bench in (treated, control):
            bench.firmware.advance(17 * MINUTE + 31)
            bench.core.catch_up()
        assert treated.core.engine.motor.pulses == control.core.engine.motor.pulses
        assert treated.core.engine.motor.carry == control.core.engine.motor.carry


def test_the_carry_goes_across_an_activation() -> None:
    bench = Bench(frozen=True)
    first, second = flex(300_007), flex(700_011)
    bench.program(first)
    bench.firmware.advance(5 * HOUR + 777)
    bench.program(second, 2)
    bench.firmware.advance(5 * HOUR + 333)
    middle = MONDAY + 5 * HOUR + 777
    due = demanded(first, MONDAY, middle) + demanded(second, middle, middle + 5 * HOUR + 333)
    assert bench.core.engine.motor.pulses == due // PULSE
    assert Fraction(*bench.core.engine.motor.carry) == due % PULSE


@pytest.mark.requirement("BOL-08")
def test_a_running_bolus_goes_on_when_a_program_is_activated() -> None:
    bench = Bench(frozen=True)
    first = flex(300_000, boluses=daily((60, 20_000, 30 * MINUTE)))
    bench.program(first)
    bench.firmware.advance(70 * MINUTE)
    bench.program(flex(400_000), 2)
    status = bench.status()
    assert status.delivery is Delivery.BOLUS
    assert status.bolus == m.RunningBolus(
        BolusKind.SCHEDULED, 20_000, 6_667, MONDAY + HOUR, MONDAY + 90 * MINUTE
    )
    bench.firmware.advance(DAY - 70 * MINUTE)
    boluses = [e for e in bench.entries() if e.kind is LogKind.BOLUS_ENDED]
    assert [(e.a, e.b) for e in boluses] == [(20_000, 20_000)]
    due = demanded(first, MONDAY, MONDAY + 70 * MINUTE)
    due += demanded(flex(400_000), MONDAY + 70 * MINUTE, MONDAY + DAY)
    due += Fraction(20_000 * 2 * 2, 3)
    assert bench.core.engine.motor.pulses == due // PULSE


@pytest.mark.requirement("TIM-03")
def test_a_scheduled_bolus_is_given_at_most_once() -> None:
    """A program activated in the very minute gives its bolus not a second time."""
    bench = Bench(frozen=True)
    bench.program(flex(300_000, boluses=daily((60, 20_000, 5 * MINUTE))))
    bench.firmware.advance(HOUR)
    bench.program(flex(310_000, boluses=daily((60, 20_000, 5 * MINUTE))), 2)
    bench.boot()
    bench.firmware.advance(DAY - HOUR)
    started = [e for e in bench.entries() if e.kind is LogKind.BOLUS_STARTED]
    assert len(started) == 1


def test_a_bolus_from_sunday_runs_into_monday() -> None:
    program = flex(300_000, boluses=(ScheduledBolus(6, 1430, 20_000, 20 * MINUTE),))
    bench = Bench(frozen=True, start=MONDAY - DAY)
    bench.program(program)
    bench.firmware.advance(DAY + HOUR)
    ended = next(e for e in bench.entries() if e.kind is LogKind.BOLUS_ENDED)
    assert ended.time == MONDAY + 10 * MINUTE
    assert ended.b == 20_000


def test_the_schedule_follows_the_local_label() -> None:
    bench = Bench(frozen=True, offset_min=-90)
    bench.program(flex(300_000, boluses=daily((0, 20_000, 10 * MINUTE))))
    bench.firmware.advance(DAY)
    started = [e for e in bench.entries() if e.kind is LogKind.BOLUS_STARTED]
    assert [e.time for e in started] == [MONDAY + 90 * MINUTE]
    hours = [e.time for e in bench.entries() if e.kind is LogKind.HOUR]
    assert len(hours) == 24
    assert hours[0] == MONDAY + 30 * MINUTE


def test_one_record_an_hour_with_the_pulses_so_far() -> None:
    bench = Bench(frozen=True)
    program = flex(300_000, 700_000)
    bench.program(program)
    bench.firmware.advance(7 * DAY)
    hours = [e for e in bench.entries() if e.kind is LogKind.HOUR]
    assert [e.time for e in hours] == [MONDAY + n * HOUR for n in range(1, 7 * 24 + 1)]
    for each in hours:
        assert each.pulses == demanded(program, MONDAY, each.time) // PULSE
        assert each.a == 40_000_000 - each.pulses * PULSE
        assert each.b == 2
        assert int.from_bytes(each.data[:8], "big") == each.pulses * 50
        assert int.from_bytes(each.data[8:12], "big") == 500
        assert int.from_bytes(each.data[12:], "big") in (300_000, 700_000)


# --- the motor on its own ------------------------------------------------


def test_the_motor_knows_to_the_millisecond_when_a_pulse_is_due() -> None:
    rng = random.Random(3)
    motor = Motor(pulse=100, pulses=0, lost=0, carry=ratio(0))
    for _ in range(300):
        flow = ratio(rng.randrange(1, 10**6), rng.randrange(10**6, 10**9))
        wanted = rng.randrange(1, 40)
        wait = motor.until(flow, wanted)
        assert wait is not None
        before = motor.pulses
        motor.run(flow, wait - 1)
        assert motor.pulses < before + wanted
        motor.run(flow, 1)
        assert motor.pulses == before + wanted
    assert motor.until(ratio(0), 1) is None


def test_the_carry_stays_bounded_whatever_is_cancelled() -> None:
    motor = Motor(pulse=100, pulses=0, lost=0, carry=ratio(0))
    rng = random.Random(5)
    total = Fraction(0)
    for _ in range(400):
        num, den = rng.randrange(1, 10**6), rng.randrange(10**6, 10**9) | 1
        motor.run(ratio(num, den), 777)
        total += Fraction(num * 777, den)
    assert motor.carry.den.bit_length() <= 1100
    assert motor.pulses == total // 100


def test_mass_past_the_tip_is_exact() -> None:
    from pumpctl.emulator.edge.inspection import inspect_core

    bench = Bench(frozen=True, concentration=2000)
    bench.program(flex(400_000, concentration=2000))
    bench.firmware.advance(10 * DAY)
    seen = inspect_core(bench.core, "x")
    assert seen.pulses == 20_000
    assert seen.delivered == {"baclofen": Mass(4_000_000)}
    assert seen.pumped.quanta == 2_000_000
    assert seen.reservoir == seen.estimate


# --- alarms ---------------------------------------------------------------------------------


@pytest.mark.requirement("PMP-03")
def test_a_computed_zero_raises_an_alarm_and_does_not_stop_the_motor() -> None:
    bench = Bench(frozen=True, volume=3_000_000)
    bench.program(flex(500_000))  # 1 mL a day
    bench.firmware.advance(DAY - 1)
    assert bench.status().alarms == ()
    bench.firmware.advance(1)
    (low,) = bench.status().alarms
    assert (low.code, low.since) == (AlarmCode.LOW_RESERVOIR, MONDAY + DAY)
    bench.firmware.advance(2 * DAY)
    status = bench.status()
    assert [each.code for each in status.alarms] == [
        AlarmCode.LOW_RESERVOIR,
        AlarmCode.EMPTY_RESERVOIR,
    ]
    assert status.alarms[1].since == MONDAY + 3 * DAY
    assert (status.delivery, status.reservoir) == (Delivery.EMPTY, 0)
    bench.firmware.advance(DAY)
    assert bench.status().pulses == 40_000
    assert bench.core.world.pumped == 3_000_000_000


def test_the_low_alarm_follows_the_program() -> None:
    bench = Bench(frozen=True, volume=3_000_000)
    bench.program(flex(500_000, low_alarm=4_000_000))
    assert [each.code for each in bench.status().alarms] == [AlarmCode.LOW_RESERVOIR]
    bench.program(flex(500_000, low_alarm=1_000_000), 2)
    assert bench.status().alarms == ()
    kinds = [e.kind for e in bench.entries()]
    assert kinds.count(LogKind.ALARM_RAISED) == kinds.count(LogKind.ALARM_CLEARED) == 1


def test_a_new_pump_runs_at_the_minimum_rate() -> None:
    bench = Bench(frozen=True)
    bench.firmware.advance(DAY)
    status = bench.status()
    assert (status.delivery, status.pulses, status.rate) == (Delivery.MINIMUM, 480, 24_000)
    assert bench.get(m.GetProgram(), m.ProgramReport).program.fallback == 24_000
    assert status.tag is None


def test_a_month_of_a_flex_program_is_quick_and_complete() -> None:
    bench = Bench(frozen=True)
    bench.program(flex(*range(300_000, 313_000, 1_000), boluses=daily((60, 5_000, MINUTE * 9))))
    bench.firmware.advance(30 * DAY)
    kinds = [e.kind for e in bench.entries()]
    assert kinds.count(LogKind.HOUR) == 720
    assert kinds.count(LogKind.BOLUS_STARTED) == kinds.count(LogKind.BOLUS_ENDED) == 30


def test_the_tag_comes_with_the_first_program() -> None:
    bench = Bench()
    bench.program(flex())
    assert bench.status().tag == TAG
    assert [e.kind for e in bench.entries()].count(LogKind.PATIENT_ASSIGNED) == 1
    assert bench.core.control.ledger[-1].operation == op(1)
