"""A refill in the pump: one activation, metered from the injection, and what is really inside."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, BolusKind, Delivery, Kind, LogKind, Refuse, Role
from pumpctl.wire.messages_acts import Bridge, RefillReadback, StageBolus, StageRefill
from pumpctl.wire.program import program_hash
from tests.emulator.roads import (
    CHAIN,
    LINE,
    act,
    alarms,
    at_100,
    code,
    done,
    given,
    logged,
    read_back,
    refill_of,
)
from tests.emulator.support import DAY, HOUR, MINUTE, MONDAY, TAG, Bench, daily, flex, op

NEW = flex(100_000, concentration=2000)
SINCE = 20_000
"""Pulses of ten days at 0.2 mL/day."""


# --- one activation -----------------------------------------------------------------------------


@pytest.mark.requirement("REF-03")
def test_one_activation_holds_volume_drug_concentration_bridge_program_and_fallback() -> None:
    bench = at_100()
    program = flex(110_000, concentration=2000, fallback=97_000)
    order = refill_of(program, SINCE, 500)._replace(filled_at=MONDAY + 5)
    made = done(bench, order)
    assert (made.kind, made.state_version, made.delivered) == (Kind.REFILL, 3, 0)
    status = bench.status()
    assert (status.reservoir, status.concentration, status.filled_at) == (
        40_000_000, 2000, MONDAY + 5,
    )  # fmt: skip
    assert status.program_hash == program_hash(program)
    assert status.bridge == m.RunningBridge(LINE, 0)
    assert status.delivery is Delivery.BRIDGE
    fallback = bench.core.fallbacks[bench.core.control.fallback_pair].read().payload
    assert (97_000).to_bytes(8, "big") in fallback
    accepted, filled, begun, head = bench.entries()[-4:]
    assert (accepted.kind, accepted.a, accepted.b) == (LogKind.ACTIVATED, 3, Kind.REFILL)
    assert (filled.kind, filled.a, filled.b) == (LogKind.REFILLED, 40_000_000, 2000)
    assert (begun.kind, begun.a, begun.b) == (LogKind.BRIDGE_STARTED, LINE, 500)
    assert filled.data == begun.data == op(2) + bytes(4)
    assert (head.kind, head.data[:16]) == (LogKind.CHAIN_HEAD, CHAIN[16:])


@pytest.mark.requirement("PRG-04")
def test_the_read_back_is_the_order_and_the_programs_figures() -> None:
    bench = at_100()
    order = refill_of(flex(100_000, 140_000, concentration=2000), SINCE - 7, 500)
    told = read_back(bench, order)
    assert isinstance(told, RefillReadback)
    assert (told.volume, told.filled_at, told.since) == (40_000_000, MONDAY, SINCE - 7)
    assert (told.bridge, told.program) == (order.bridge, order.program)
    assert told.program_hash == program_hash(order.program)
    # half a day of each: 120 000; the larger hour 140 000 / 24 = 5833.3, up
    assert (told.largest_day, told.largest_hour, told.largest_24h) == (120_000, 5_834, 120_000)


@pytest.mark.requirement("REF-02", "REF-03")
@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"volume": 40_000_001}, Refuse.RANGE),
        ({"since": SINCE + 1}, Refuse.RANGE),
        ({"program": flex(100_000, concentration=750)}, Refuse.CONCENTRATION),
        ({"program": flex(10_000, concentration=2000)}, Refuse.LIMIT_RATE_LOW),
        ({"bridge": Bridge(LINE, NEW.drug, 1000)}, Refuse.CONCENTRATION),
        ({"bridge": Bridge(LINE, NEW.drug, 2000)}, Refuse.CONCENTRATION),
        ({"bridge": Bridge(0, NEW.drug, 500)}, Refuse.RANGE),
        ({"bridge": Bridge(LINE - 1, NEW.drug, 500)}, Refuse.RANGE),
        ({"bridge": Bridge(LINE + 1, NEW.drug, 500)}, Refuse.RANGE),
        ({"tag": b"patient2"}, Refuse.PATIENT_TAG),
    ],
)
def test_what_is_refused_changes_nothing(wrong: dict[str, Any], refusal: Refuse) -> None:
    bench = at_100()
    before, operations = bench.status(), bench.core.flash_operations
    assert code(bench.ask(refill_of(NEW, SINCE, 500)._replace(**wrong))) is refusal
    assert bench.status() == before
    assert bench.core.flash_operations == operations


@pytest.mark.requirement("REF-02")
def test_capacity_is_the_models_own() -> None:
    bench = Bench(frozen=True, model="SP20")
    full = refill_of(flex(100_000), 0, drained=20_000_000, injected=20_000_000, volume=20_000_000)
    assert code(bench.ask(full._replace(volume=20_000_001))) is Refuse.RANGE
    assert isinstance(bench.ask(full), m.Staged)


@pytest.mark.requirement("REF-03")
def test_an_injection_before_the_last_one_is_a_slip() -> None:
    bench = at_100()
    done(bench, refill_of(flex(100_000), SINCE))
    bench.firmware.advance(DAY)
    assert code(bench.ask(refill_of(flex(100_000), SINCE - 1))) is Refuse.RANGE
    assert isinstance(bench.ask(refill_of(flex(100_000), SINCE)), m.Staged)


def test_a_pump_without_a_patient_takes_this_one() -> None:
    bench = Bench(frozen=True)
    done(bench, refill_of(NEW, 0))
    assert bench.status().tag == TAG
    (entry,) = logged(bench, LogKind.PATIENT_ASSIGNED)
    assert (entry.a, entry.data) == (2, TAG + bytes(12))


# --- metered from the injection -----------------------------------------------------------------


@pytest.mark.requirement("REF-03", "REF-08")
def test_a_refill_recorded_40_minutes_late_counts_from_the_injection() -> None:
    late, in_time = at_100(), at_100()
    done(in_time, refill_of(NEW, SINCE, 500))
    for bench in (late, in_time):
        bench.firmware.advance(40 * MINUTE)
    # 2000 pulses a day: in a 36th of a day 55 and a half; 5500 nL.
    done(late, refill_of(NEW, SINCE, 500))
    status = late.status()
    assert (status.pulses, status.reservoir) == (20_055, 39_994_500)
    assert status.bridge == m.RunningBridge(LINE, 5_500)
    assert (status.tip_concentration, status.front) == (500, LINE - 5_500)
    assert late.core.world.front == (LINE - 5_500) * 1_000
    for _ in range(5):
        assert given(late) == given(in_time)
        assert late.status().pulses == in_time.status().pulses
        assert late.status().reservoir == in_time.status().reservoir
        for bench in (late, in_time):
            bench.firmware.advance(12 * HOUR)


def test_more_pumped_since_than_there_was_leaves_nothing_and_not_less() -> None:
    bench = at_100()
    done(bench, refill_of(flex(100_000), 0, volume=1_900_000))
    assert bench.status().reservoir == 0
    assert AlarmCode.EMPTY_RESERVOIR in alarms(bench)


@pytest.mark.requirement("REF-05")
def test_the_low_alarm_comes_when_the_new_fill_says() -> None:
    """W21: 38 mL at 0.225 mL/day: 168 whole days, and 21 h 20 min."""
    bench = at_100()
    done(bench, refill_of(flex(450_000, concentration=2000), SINCE))
    bench.firmware.advance(168 * DAY + 21 * HOUR + 20 * MINUTE - 1)
    assert AlarmCode.LOW_RESERVOIR not in alarms(bench)
    bench.firmware.advance(1)
    assert bench.status().reservoir == 2_000_000
    assert AlarmCode.LOW_RESERVOIR in alarms(bench)


# --- what it ends, and what goes on -------------------------------------------------------------


def test_it_ends_a_stop_and_the_log_says_so_at_once() -> None:
    bench = at_100()
    bench.stop()
    bench.firmware.advance(3 * HOUR)
    done(bench, refill_of(NEW, SINCE, 500))
    assert bench.status().delivery is Delivery.BRIDGE
    kinds = [each.kind for each in bench.entries()[-5:]]
    assert kinds == [
        LogKind.ACTIVATED, LogKind.RESUMED, LogKind.REFILLED, LogKind.BRIDGE_STARTED,
        LogKind.CHAIN_HEAD,
    ]  # fmt: skip
    assert bench.entries()[-4].b == 3 * HOUR


def test_low_and_empty_are_judged_anew() -> None:
    bench = Bench(frozen=True, volume=1_000_000)
    bench.program(flex(100_000))
    bench.firmware.advance(5 * DAY)
    assert alarms(bench) == {AlarmCode.LOW_RESERVOIR, AlarmCode.EMPTY_RESERVOIR}
    done(bench, refill_of(flex(100_000), 10_000, volume=1_500_000))
    assert alarms(bench) == {AlarmCode.LOW_RESERVOIR}
    done(bench, refill_of(flex(100_000), 10_000), 3)
    assert alarms(bench) == set()
    assert len(logged(bench, LogKind.ALARM_RAISED)) == 2
    assert len(logged(bench, LogKind.ALARM_CLEARED)) == 2


def test_it_clears_a_battery_reset_but_no_lost_clock() -> None:
    bench = at_100()
    bench.core.lose_memory()
    bench.boot()
    assert alarms(bench) == {AlarmCode.BATTERY_RESET, AlarmCode.CLOCK_LOST}
    done(bench, refill_of(NEW, bench.status().pulses, 500))
    assert alarms(bench) == {AlarmCode.CLOCK_LOST}
    assert bench.status().reservoir == 40_000_000


@pytest.mark.requirement("REF-03")
def test_a_bolus_that_runs_goes_on_by_its_mass() -> None:
    """20 mcg over an hour from 8:00, the program changed with a refill at 8:30.

    8.5 h at 200 000 nL/day, then half an hour at 400 000; the bolus is 40 000 nL.
    Together 70 833 1/3 + 8333 1/3 + 40 000 = 119 166 2/3 nL.
    """
    bench = Bench(frozen=True)
    bench.program(flex(100_000, boluses=daily((480, 20_000, 60 * MINUTE))))
    bench.firmware.advance(8 * HOUR + 30 * MINUTE)
    done(bench, refill_of(flex(200_000), bench.status().pulses))
    running = bench.status().bolus
    assert running is not None
    assert (running.kind, running.given) == (BolusKind.SCHEDULED, 10_000)
    bench.firmware.advance(30 * MINUTE)
    assert bench.status().pulses == 1_191
    assert bench.core.engine.motor.carry == (200, 3)
    (ended,) = logged(bench, LogKind.BOLUS_ENDED)
    assert (ended.a, ended.b) == (20_000, 20_000)


@pytest.mark.requirement("REF-03", "BOL-03")
def test_an_ordered_bolus_goes_on_too_and_the_ledger_has_its_mass() -> None:
    bench = at_100()
    done(bench, StageBolus(TAG, BolusKind.SINGLE, 20_000, 10 * MINUTE), 5)
    bench.firmware.advance(4 * MINUTE)
    done(bench, refill_of(flex(200_000), bench.status().pulses), 6)
    bench.firmware.advance(6 * MINUTE)
    assert bench.get(m.GetOperation(op(5)), m.OperationReport).delivered == 20_000


@pytest.mark.requirement("REF-03", "BOL-04")
@pytest.mark.parametrize("old", [None, 500])
def test_another_fluid_waits_until_the_bolus_has_ended(old: int | None) -> None:
    """It was ordered for the old drug: at the new flow it would push out a quarter of that."""
    bench = at_100()
    done(bench, StageBolus(TAG, BolusKind.SINGLE, 20_000, 10 * MINUTE), 5)
    bench.firmware.advance(10 * MINUTE - 1)
    asked = refill_of(NEW, SINCE, old)
    assert code(bench.ask(asked)) is Refuse.BOLUS_RUNNING
    bench.firmware.advance(1)
    assert isinstance(bench.ask(asked), m.Staged)


# --- what is in the line ------------------------------------------------------------------------


@pytest.mark.requirement("REF-03")
def test_without_a_bridge_the_old_drug_goes_on_at_the_new_flow_for_days() -> None:
    """W22: 0.05 mL/day of 500 mcg/mL is 25 mcg/day, for 0.348 / 0.05 = 6.96 days."""
    bench = at_100()
    done(bench, refill_of(NEW, SINCE))
    status = bench.status()
    assert (status.tip_concentration, status.front, status.bridge) == (500, LINE, None)
    assert status.delivery is Delivery.DELIVERING
    for day in range(1, 7):
        before = given(bench)
        bench.firmware.advance(DAY)
        assert given(bench) - before == 25_000
        assert bench.status().front == LINE - day * 50_000
    bench.firmware.advance(DAY * 96 // 100)
    status = bench.status()
    assert (status.pulses - SINCE, status.tip_concentration, status.front) == (3_480, 2000, None)
    before = given(bench)
    bench.firmware.advance(DAY)
    assert given(bench) - before == 100_000


@pytest.mark.requirement("REF-03")
def test_without_a_bridge_downwards_it_is_an_overdose() -> None:
    """0.2 mL/day of 2000 mcg/mL is 400 mcg/day, for 0.348 / 0.2 days: 41.76 h."""
    bench = at_100(2000)
    done(bench, refill_of(flex(100_000), 5_000))
    for hours, most in ((24, 400_000), (17, 283_333)):
        before = given(bench)
        bench.firmware.advance(hours * HOUR)
        assert abs(given(bench) - before - most) <= 200  # one pulse
    bench.firmware.advance(46 * MINUTE)
    assert bench.status().front is None


def test_a_refill_of_the_same_fluid_begins_no_front() -> None:
    bench = at_100()
    for number, since in ((2, SINCE), (3, SINCE)):
        done(bench, refill_of(flex(100_000), since), number)
        assert bench.status().front is None
    done(bench, refill_of(NEW, SINCE, 500), 4)
    bench.firmware.advance(DAY)
    done(bench, refill_of(NEW, SINCE + 1_000), 5)  # in the bridge: the front is where it was
    assert bench.status().front == LINE - 200_000
    assert bench.status().tip_concentration == 500


@pytest.mark.requirement("PMP-03")
def test_drained_and_not_filled() -> None:
    bench = at_100()
    done(bench, refill_of(flex(100_000), SINCE, injected=0, volume=0))
    status = bench.status()
    assert (status.reservoir, status.delivery) == (0, Delivery.EMPTY)
    assert AlarmCode.EMPTY_RESERVOIR in alarms(bench)
    bench.firmware.advance(DAY)
    assert bench.status().pulses == SINCE + 2_000
    assert bench.core.world.air == 200_000_000
    done(bench, refill_of(flex(100_000), SINCE + 2_000, drained=0), 3)
    assert (bench.status().reservoir, alarms(bench)) == (40_000_000, set())


# --- the truth ----------------------------------------------------------------------------------


def filled(*faults: Fault, **how: int) -> Bench:
    bench = at_100()
    for fault in faults:
        bench.core.world.add(fault)
    done(bench, refill_of(NEW, SINCE, 500, **how))
    return bench


@pytest.mark.requirement("REF-01")
def test_what_was_not_drained_mixes() -> None:
    """8 of 38 mL of 500 stay: (8 x 500 + 32 x 2000) / 40 = 1700 mcg/mL."""
    bench = filled(drained=30_000_000, injected=32_000_000)
    reservoir = bench.core.world.reservoir
    assert (reservoir.volume, reservoir.concentration) == (40_000_000_000, 1_700)
    assert bench.status().concentration == 2000  # the pump sees none of it


@pytest.mark.requirement("REF-01")
def test_the_wrong_syringe() -> None:
    bench = filled(Fault(FaultKind.WRONG_FILL, 0, None, 500))
    assert bench.core.world.reservoir.concentration == 500
    bench.firmware.advance(41 * HOUR + 46 * MINUTE)
    before = given(bench)
    bench.firmware.advance(DAY)
    assert given(bench) - before == 25_000  # a quarter of 100 mcg/day (C5.6)


@pytest.mark.requirement("REF-01")
def test_a_pocket_fill() -> None:
    """1.5 mL of 40 go beside the reservoir: 3 mg of baclofen under the skin (C5.10)."""
    bench = filled(Fault(FaultKind.POCKET, 0, None, 1_500_000))
    assert bench.core.world.reservoir.volume == 38_500_000_000
    assert bench.core.world.spilled_volume == 1_500_000_000
    assert [each.mass for each in bench.core.world.spilled] == [3_000_000 * 1_000_000]
    assert bench.status().reservoir == 40_000_000


@pytest.mark.parametrize("restart", ["attach", "boot"])
def test_the_fill_is_followed_once_whatever_starts_again(restart: str) -> None:
    bench = filled()
    reservoir, line = bench.core.world.reservoir, bench.core.engine.line.plugs
    getattr(bench, restart)()
    assert bench.core.world.reservoir == reservoir
    assert bench.core.engine.line.plugs == line
    assert bench.status().reservoir == 40_000_000


def test_only_who_treats_may_refill() -> None:
    bench = at_100()
    order: StageRefill = refill_of(NEW, SINCE, 500)
    assert code(act(bench, order, role=Role.OBSERVER)) is Refuse.ROLE
    assert isinstance(act(bench, order, role=Role.ADMIN), m.Done)
