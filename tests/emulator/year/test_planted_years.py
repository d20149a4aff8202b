"""An engine with one fault is seen by the stories, each fault by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pumpctl.emulator import following, keeping
from pumpctl.emulator.body.world import World
from pumpctl.emulator.core import Core
from pumpctl.emulator.engine import turns
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS
from pumpctl.emulator.engine.delivery import Delivery
from pumpctl.emulator.engine.exact import ZERO, Ratio
from pumpctl.emulator.engine.motor import Motor
from pumpctl.emulator.engine.plan import Plan
from pumpctl.emulator.engine.schedule import Due, Schedule
from pumpctl.emulator.engine.turns import Turns
from pumpctl.emulator.memory.retained import Metering
from pumpctl.wire.codes import Drug
from tests.emulator.year.sweep import story
from tests.oracles.tally import DIFFERENCES

Patch = pytest.MonkeyPatch
SEED = 11
STORIES = 30


def carry_dropped_at_midnight(patch: Patch) -> None:
    happen = Delivery._happen

    def forgetful(self: Delivery) -> None:
        happen(self)
        if self.clock.local % DAY_MS == 0:
            self.motor.carry = ZERO

    patch.setattr(Delivery, "_happen", forgetful)


def a_stall_made_up(patch: Patch) -> None:
    run = Motor.run

    def hoarding(self: Motor, flow: Ratio, ms: int, *, turns: bool = True) -> int:
        owed = self.carry.plus(flow.times(ms))
        due = run(self, flow, ms, turns=turns)
        if not turns:
            self.carry = owed
        return due

    patch.setattr(Motor, "run", hoarding)


def a_stop_made_up(patch: Patch) -> None:
    flow = Delivery.flow

    def hoarding(self: Delivery) -> Ratio:
        if self.plan.stopped_at is not None and self.plan.schedule is not None:
            demand = self.plan.schedule.flow(self.clock.local)
            self.motor.carry = self.motor.carry.plus(demand.times(1))
        return flow(self)

    patch.setattr(Delivery, "flow", hoarding)


def _planned(patch: Patch, change: Callable[[Plan], Plan]) -> None:
    plan_of = following.plan_of
    patch.setattr(following, "plan_of", lambda core: change(plan_of(core)))


def a_bridge_one_pulse_late(patch: Patch) -> None:
    _planned(
        patch,
        lambda plan: plan._replace(
            bridge_end=None if plan.bridge_end is None else plan.bridge_end + 1
        ),
    )


def the_tips_concentration_in_the_reservoir(patch: Patch) -> None:
    """Flow is right, and the mass that the pump believes in is not."""
    _planned(patch, lambda plan: plan._replace(reservoir_concentration=plan.concentration))


def a_bridge_metered_by_the_new_concentration(patch: Patch) -> None:
    played = following.played

    def hasty(core: Core) -> Schedule | None:
        schedule = played(core)
        return schedule and Schedule(schedule.program, core.implant.least_flow)

    patch.setattr(following, "played", hasty)


def a_syringe_of_another_concentration(patch: Patch) -> None:
    inject = World._inject

    def mistaken(self: World, volume: int, drug: Drug, concentration: int, counter: int) -> int:
        wrong = 1000 if concentration == 2000 else concentration
        return inject(self, volume, drug, wrong, counter)

    patch.setattr(World, "_inject", mistaken)


def boluses_repeated_after_a_clock_set_back(patch: Patch) -> None:
    patch.setattr(Turns, "_keep", lambda self, span: None)


def a_bolus_half_a_day_late(patch: Patch) -> None:
    patch.setattr(turns, "LATE_MS", 12 * HOUR_MS)


def every_late_bolus_missed(patch: Patch) -> None:
    patch.setattr(turns, "LATE_MS", -1)


def boluses_from_behind_a_bridge(patch: Patch) -> None:
    """At the end of a bridge the next program gives what it had scheduled in the last hours."""
    end_bridge = keeping.end_bridge

    def greedy(core: Core) -> None:
        end_bridge(core)
        core.engine.turns.until -= 3 * HOUR_MS

    patch.setattr(keeping, "end_bridge", greedy)


def no_fallback_after_a_stall(patch: Patch) -> None:
    patch.setattr(Core, "starved", lambda self: None)


def a_restart_that_repeats_boluses(patch: Patch) -> None:
    metering = Delivery.metering

    def forgetful(self: Delivery) -> Metering:
        saved = metering(self)
        return saved._replace(turn_until=saved.turn_until - 3 * HOUR_MS)

    patch.setattr(Delivery, "metering", forgetful)


def scheduled_boluses_that_give_way(patch: Patch) -> None:
    start = Delivery.start_scheduled

    def polite(self: Delivery, due: Due) -> None:
        if not self.boluses:
            start(self, due)

    patch.setattr(Delivery, "start_scheduled", polite)


def a_refill_that_counts_from_its_record(patch: Patch) -> None:
    fill = following._fill

    def late(core: Core) -> None:
        since = core.engine.motor.pulses
        control = core.control
        core.control = control._replace(fill=control.fill._replace(since=since))
        fill(core)
        core.control = control

    patch.setattr(following, "_fill", late)


PLANTED = {
    carry_dropped_at_midnight: 0,
    a_stall_made_up: 0,
    a_stop_made_up: 0,
    a_bridge_one_pulse_late: 0,
    the_tips_concentration_in_the_reservoir: 0,
    a_bridge_metered_by_the_new_concentration: 0,
    a_syringe_of_another_concentration: 0,
    boluses_repeated_after_a_clock_set_back: 10,
    a_bolus_half_a_day_late: 17,
    every_late_bolus_missed: 42,
    boluses_from_behind_a_bridge: 0,
    no_fallback_after_a_stall: 35,
    a_restart_that_repeats_boluses: 6,
    scheduled_boluses_that_give_way: 29,
    a_refill_that_counts_from_its_record: 0,
}
"""The story from which on it is looked for: one of those by which it is seen."""


@pytest.mark.requirement("UNI-05")
@pytest.mark.parametrize(("plant", "first"), PLANTED.items())
def test_a_planted_fault_is_seen(
    plant: Callable[[Patch], None], first: int, monkeypatch: Patch
) -> None:
    plant(monkeypatch)
    for number in range(first, first + STORIES):
        tally, _ = story(SEED, number, None)
        if tally.counts[DIFFERENCES]:
            print(f"story {number}: {tally.told[0]}")
            return
    pytest.fail(f"{STORIES} stories, and the fault was not seen")
