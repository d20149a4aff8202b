"""Whole stories of a pump against the exact integral, in small; and the oracle by hand.

The whole of it is `python -m tests.emulator.year --count 200 --jobs 2`.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from pumpctl.wire.codes import Drug, Mode
from pumpctl.wire.program import Program, ScheduledBolus, Step
from tests.emulator.year.demand import DAY, HOUR, MINUTE, Bolus, Ended
from tests.emulator.year.hunger import Hunger
from tests.emulator.year.oracle import Oracle
from tests.emulator.year.slugs import Fluids, fluid
from tests.emulator.year.sweep import REQUIRED, YEAR, run
from tests.oracles.test_independence import imports_of

HERE = Path(__file__).parent
SEED = 11
MONDAY = 4 * DAY
"""1970-01-05."""
LINE = 350_000_000


@pytest.mark.slow
@pytest.mark.requirement("UNI-05")
@pytest.mark.requirement("STP-03")
@pytest.mark.requirement("REF-08")
@pytest.mark.requirement("TIM-01")
@pytest.mark.requirement("TIM-03")
def test_stories_of_some_weeks_agree_to_the_pulse() -> None:
    result = run(12, SEED, days=None)
    print(result)
    assert result.passed
    assert result.tally.counts["days"] >= 12 * 29
    assert len(result.tally.missing(REQUIRED)) <= 3
    assert result.worst.pulses == 0


@pytest.mark.slow
@pytest.mark.requirement("UNI-05")
@pytest.mark.requirement("REF-08")
def test_two_whole_years_agree_to_the_pulse() -> None:
    result = run(2, SEED, first=100, days=YEAR)
    print(result)
    assert result.passed
    assert result.tally.counts["days"] >= 2 * YEAR
    assert result.worst.pulses == 0


@pytest.mark.parametrize("name", ["demand", "hunger", "oracle", "slugs"])
def test_the_oracle_shares_nothing_with_the_emulator(name: str) -> None:
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    of_pumpctl = {each for each in imports_of(source) if each.startswith("pumpctl")}
    assert of_pumpctl <= {"pumpctl.wire.codes", "pumpctl.wire.program"}
    assert "float" not in source


# --- the oracle by hand -----------------------------------------------------------------


def program(rate: int, *boluses: ScheduledBolus, concentration: int = 500) -> Program:
    days = ((Step(0, rate),),) * 7
    return Program(
        1, Mode.FLEX, Drug.BACLOFEN, concentration, rate // 2, days, boluses, None, 2_000_000
    )


def oracle(first: Program) -> Oracle:
    return Oracle(first, filled=20_000_000, line=LINE, pulse=100_000, label=MONDAY)


def state(pump: Oracle) -> tuple[int | None, ...]:
    """Pulses given, lost, until when the bridge runs, stalled since, on the fallback."""
    bridge = None if pump.bridge is None else pump.bridge.ends
    return pump.given, pump.lost, bridge, pump.stalled, pump.fallback


def test_100_mcg_a_day_are_2000_pulses_and_no_rest() -> None:
    pump = oracle(program(100_000))
    pump.run(DAY - 1)
    assert pump.given == 1999
    pump.run(DAY)
    assert (pump.given, pump.estimate) == (2000, 19_800_000)
    assert pump.due == 200_000
    assert pump.world.passed == 200_000_000 * 500
    assert pump.pulses_at(DAY // 2) == 1000


def test_a_bolus_is_given_once_and_late_at_most_two_hours() -> None:
    pump = oracle(program(100_000, ScheduledBolus(0, 600, 50_000, 10 * MINUTE)))
    pump.clock(9 * HOUR, 2 * HOUR)
    pump.run(9 * HOUR + 7 * MINUTE)
    assert pump.started == [Bolus(9 * HOUR, 50_000, 10 * MINUTE, "scheduled", MONDAY + 10 * HOUR)]
    assert pump.given == 2000 * (9 * 60 + 7) // 1440 + 700
    pump.clock(10 * HOUR, -2 * HOUR)
    pump.run(20 * HOUR)
    assert len(pump.started) == 1
    assert pump.ended == [Ended(9 * HOUR + 10 * MINUTE, 50_000, 50_000)]
    other = oracle(program(100_000, ScheduledBolus(0, 600, 50_000, 10 * MINUTE)))
    other.clock(9 * HOUR, 3 * HOUR + 1)
    other.run(20 * HOUR)
    assert not other.started


def test_what_is_due_in_a_stall_is_lost_and_after_48_h_the_fallback_runs() -> None:
    pump = oracle(program(144_000))  # two pulses a minute
    pump.hold(HOUR, 2 * HOUR + 1, field=False)
    pump.run(2 * HOUR)
    assert state(pump) == (120, 120, None, HOUR + MINUTE // 2, False)
    pump.run(2 * HOUR + MINUTE)
    assert state(pump) == (122, 120, None, HOUR + MINUTE // 2, False)
    pump.run(2 * HOUR + 20 * MINUTE)
    assert state(pump) == (160, 120, None, None, False)
    pump.hold(10 * HOUR, 90 * HOUR, field=False)
    pump.run(58 * HOUR)
    lost = 120 + 48 * 120
    assert state(pump) == (1080, lost, None, 10 * HOUR + MINUTE // 2, False)
    pump.run(58 * HOUR + MINUTE // 2)
    assert state(pump) == (1080, lost + 1, None, 10 * HOUR + MINUTE // 2, True)
    before = pump.due
    pump.run(59 * HOUR + MINUTE // 2)
    assert pump.due - before == 60 * 100


def test_some_hours_of_delivery_do_not_end_a_time_without_drug() -> None:
    hunger = Hunger()
    hunger.note(0, delivers=True)
    assert hunger.since(HOUR) is None
    hunger.note(HOUR, delivers=False)
    hunger.note(30 * HOUR, delivers=True)
    hunger.note(36 * HOUR - 1, delivers=False)
    assert hunger.since(40 * HOUR) == HOUR
    hunger.note(40 * HOUR, delivers=True)
    assert not hunger.for_two_days(45 * HOUR)
    assert hunger.since(46 * HOUR - 1) == HOUR
    assert hunger.since(46 * HOUR) is None
    hunger.note(50 * HOUR, delivers=False)
    assert hunger.since(60 * HOUR) == 50 * HOUR
    assert hunger.for_two_days(98 * HOUR)


def test_a_bridge_ends_with_the_pulse_that_completes_its_volume() -> None:
    pump = oracle(program(144_000, concentration=1000))  # a pulse a minute
    pump.run(10 * MINUTE)
    pump.refill(
        30 * MINUTE,
        program(288_000, concentration=2000),
        volume=20_000_000,
        since=10,
        bridge=(4_950, 1000),
        by_record=(19_999_000, 20_000_000),
    )
    assert state(pump) == (30, 0, 60, None, False)
    pump.run(60 * MINUTE - 1)
    assert state(pump) == (59, 0, 60, None, False)
    pump.run(60 * MINUTE)
    assert state(pump) == (60, 0, None, None, False)
    pump.run(61 * MINUTE)
    assert state(pump) == (61, 0, None, None, False)  # 288 mcg/day at 2000: a pulse a minute
    assert pump.world.passed == 61 * 100_000 * 1000  # the line still holds the old fluid
    assert pump.estimate == 20_000_000 - 51 * 100


def test_a_line_lets_out_what_came_in_first() -> None:
    fluids = Fluids(1_000, 100, 500)
    assert fluids.drain(5_000) == 1_000
    fluids.fill(1_000, 2_000)
    fluids.pump(60)
    assert fluids.passed == 60 * 500
    fluids.pump(60)
    assert fluids.passed == 100 * 500 + 20 * 2_000
    fluids.pump(2_000)
    assert fluids.passed == 100 * 500 + 1_000 * 2_000
    assert fluids.volume == 0
    assert fluid(3, 500).cut(1) == ((1, Fraction(500), False), (2, Fraction(1000), False))
