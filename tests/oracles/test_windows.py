"""The dose-window rule against looking at every window: in small, and histories by hand.

The whole of it is `python -m tests.oracles windows --count 1000000`; docs/exactness.md.
"""

from __future__ import annotations

import sys
from random import Random

import pytest

from tests.oracles import judge_windows, sliding
from tests.oracles.draw_histories import a_history
from tests.oracles.plain import DAY, HOUR, MINUTE, WEEK, Bolus, Program
from tests.oracles.runner import run
from tests.oracles.sliding import Given, Grid, History, Run
from tests.oracles.tally import DIFFERENCES, Tally

SEED = 3
CASES = 2_500
MONDAY = 20_773 * DAY
"""2026-11-16."""


def program(*steps: tuple[int, int], boluses: tuple[Bolus, ...] = ()) -> Program:
    """Every day the same; rates in ng/min."""
    return Program(
        mode="flex",
        concentration=500,
        days=[[(start, rate * 1_440) for start, rate in steps]] * 7,
        boluses=[*boluses],
        patient=None,
        low_alarm=0,
        fallback=1,
    )


PER_MINUTE = program((0, 1_000))
"""Basal 1 mcg/min."""

PUBLISHED = History(
    grid=MINUTE,
    runs=[Run(program=PER_MINUTE, start=MONDAY, end=MONDAY + 5 * MINUTE)],
    boluses=[],
    stops=[],
    now=MONDAY + 5 * MINUTE,
    ahead=PER_MINUTE,
    bolus=Given(at=MONDAY + 5 * MINUTE, over=MINUTE, dose=10_000),
    lengths=[HOUR],
)
"""Started five minutes ago; a bolus of 10 on top, limit 65 in 60 min: at minute 65 it is 70."""

RESUMED_WITHIN_A_BOLUS = History(
    grid=30 * MINUTE,
    runs=[],
    boluses=[],
    stops=[],
    now=MONDAY + 30 * MINUTE,
    ahead=program(
        (0, 10), (180, 100), (240, 10),
        boluses=(Bolus(day=0, at=0, dose=24_000, over=4 * HOUR),),
    ),
    bolus=None,
    lengths=[HOUR],
)  # fmt: skip
"""On Mondays 00:00 to 04:00 a bolus of 100 ng/min, and from 03:00 to 04:00 a basal of 100.

Resumed at 00:30 the bolus is left out this Monday. The largest hour, 12,000 ng, is 03:00 to
04:00 of the *next* Monday: it starts more than a week after the decision.
"""


def differences(history: History, limits: list[int]) -> list[str]:
    tally = Tally()
    judge_windows.compare("by hand", history, Random(0), tally, limits)
    return tally.told


def most(history: History, length: int = HOUR) -> int:
    """The largest window in whole ng, by both methods of the oracle."""
    unit = sliding.unit_of(history)
    found = Grid(history, unit).worst(length).most
    assert sliding.straight(history, unit, length).most == found
    assert found % unit == 0
    return found // unit


@pytest.mark.requirement("LIM-05")
def test_random_histories_agree_on_every_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    result = run("windows", CASES, SEED)
    with capsys.disabled():
        print(f"\n{result}", file=sys.stderr, flush=True)
    assert result.passed, str(result)
    assert result.cases == CASES


@pytest.mark.requirement("LIM-05")
def test_the_published_counterexample() -> None:
    unit = sliding.unit_of(PUBLISHED)
    grid = Grid(PUBLISHED, unit)
    assert most(PUBLISHED) == 70_000
    assert grid.looked_back(HOUR) + 10_000 * unit <= 65_000 * unit  # what let it pass
    for limit in (65_000, 69_999, 70_000, 70_001):
        assert not differences(PUBLISHED, [limit])


@pytest.mark.requirement("LIM-05")
def test_a_largest_window_more_than_a_week_away() -> None:
    assert most(RESUMED_WITHIN_A_BOLUS) == 12_000
    for limit in (6_600, 11_999, 12_000):
        assert not differences(RESUMED_WITHIN_A_BOLUS, [limit])


@pytest.mark.requirement("LIM-05")
def test_a_window_that_has_ended_is_not_judged_and_the_next_ms_is() -> None:
    """60 mcg in the hour before the last minute: the window 1 ms later holds 1 ms less of them."""
    heavy = Given(at=MONDAY, over=HOUR, dose=60_000)
    history = History(
        grid=MINUTE, runs=[], boluses=[heavy], stops=[], now=MONDAY + HOUR, ahead=None,
        bolus=None, lengths=[HOUR],
    )  # fmt: skip
    unit = sliding.unit_of(history)
    worst = Grid(history, unit).worst(HOUR)
    assert worst.most == 60_000 * unit - 60_000 * (unit // HOUR)
    assert worst == sliding.straight(history, unit, HOUR)
    assert not differences(history, [59_999])
    assert not differences(history, [60_000])


def test_a_stop_gives_up_what_runs_and_a_change_of_program_does_not() -> None:
    slow = program((0, 0), boluses=(Bolus(day=0, at=0, dose=60_000, over=HOUR),))
    half = MONDAY + 30 * MINUTE
    history = History(
        grid=30 * MINUTE, runs=[Run(program=slow, start=MONDAY, end=half)], boluses=[],
        stops=[], now=half, ahead=program((0, 0)), bolus=None, lengths=[HOUR],
    )  # fmt: skip
    unit = sliding.unit_of(history)
    changed = Grid(history, unit)
    history["stops"] = [half]
    stopped = Grid(history, unit)
    assert changed.worst(HOUR).after == 30_000 * unit
    assert stopped.worst(HOUR).after == 0
    assert changed.looked_back(HOUR) == stopped.looked_back(HOUR) == 30_000 * unit


@pytest.mark.parametrize("seed", range(60))
def test_two_methods_of_the_oracle(seed: int) -> None:
    tries = (a_history(Random(f"methods {seed} {number}")) for number in range(20))
    history = next(each for each in tries if each["grid"])
    unit = sliding.unit_of(history)
    grid = Grid(history, unit)
    for length in history["lengths"]:
        assert grid.worst(length) == sliding.straight(history, unit, length)


def test_two_weeks_hold_no_more_than_the_oracle_followed() -> None:
    """Beyond its horizon nothing new comes: looked at for another week, on a grid of minutes."""
    for seed in range(12):
        history = a_history(Random(f"horizon {seed}"))
        if not history["grid"] or history["ahead"] is None:
            continue
        unit, length = sliding.unit_of(history), history["lengths"][-1]
        found = sliding.straight(history, unit, length).most
        far = sliding.last_start(history) + WEEK
        assert sliding.straight(history, unit, length, far).most == found


def test_a_difference_is_told() -> None:
    tally = Tally()
    tally.same("history 1/2", "most", 3, 4)
    assert tally.counts[DIFFERENCES] == 1
    assert tally.told == ["history 1/2: most: the oracle has 3, pumpctl 4"]
