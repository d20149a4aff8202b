"""`status` → `data`: what is given now, a bridge that runs, a sensor beside the estimate."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pumpctl.quantities import Concentration, Rate, Volume
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.state import Delivery, RunningBridge
from pumpctl.workflows.look.looking import forecast_of, front_arrives, status_data
from tests.helpers.boluses import Day
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX
from tests.helpers.seen import seen


def data(**state: Any) -> dict[str, Any]:
    return status_data(seen(**state))


@pytest.mark.requirement("REF-08")
def test_a_running_bridge_is_its_volume_and_what_has_passed() -> None:
    bridge = RunningBridge(Volume.parse("0.348 mL"), Volume.parse("0.12 mL"))
    found = data(delivery=Delivery.BRIDGE, bridge=bridge)
    assert found["delivery"] == "bridge"
    assert found["bridge"] == {"volume": "0.348 mL", "passed": "0.12 mL"}
    assert data()["bridge"] is None


@pytest.mark.requirement("PMP-03")
def test_the_sensed_volume_replaces_nothing() -> None:
    without, found = data()["reservoir"], data(sensed=Volume.parse("29.1 mL"))["reservoir"]
    assert set(without) == {"volume", "capacity", "low_alarm", "low_date", "refill_by"}
    assert found == {**without, "sensed": "29.1 mL"}, "the estimate and its dates stay as they were"


def test_a_front_has_a_time_where_the_station_can_know_it() -> None:
    line = seen().state.line
    moved = line._replace(front_remaining=Volume.parse("0.1 mL"))
    assert data()["line"]["front_arrives"] is None
    state = seen(line=moved).state
    assert state.program is not None
    # The sample's day in volume, so the time is 0.1 mL of it, to the hour.
    arrives = front_arrives(state)
    assert arrives is not None
    daily = daily_doses(state.program)[0] * 1_000 / state.program.concentration.quanta
    expected = Fraction(100_000) / daily * 86_400_000
    assert abs(arrives.utc_ms - state.clock.utc_ms - expected) < 12 * 3_600_000
    assert data(line=moved)["line"]["front_arrives"] == str(arrives)
    bridge = RunningBridge(Volume.parse("0.348 mL"), Volume.parse("0.12 mL"))
    for unknown in ({"bridge": bridge}, {"delivery": Delivery.STOPPED}, {"program": None}):
        assert data(line=moved, **unknown)["line"]["front_arrives"] is None


# --- what is given now ----------------------------------------------------------------


@pytest.mark.requirement("PRG-07")
def test_the_fallback_has_its_rate_and_its_dates() -> None:
    found = data(delivery=Delivery.FALLBACK, program=None, program_hash=None)
    assert found["rate"] == "216 mcg/day"
    assert found["program"] is None
    # 28 mL of 2000 mcg/mL above the alarm, 216 mcg/day: 259 whole days.
    state = seen().state
    assert found["reservoir"]["low_date"] == str(state.clock.date.plus(259))
    assert found["reservoir"]["refill_by"] == str(state.clock.date.plus(160))  # 180 from the fill


def test_in_a_bridge_nobody_reckons_how_long_the_fallback_lasts() -> None:
    bridge = RunningBridge(Volume.parse("0.348 mL"), Volume.parse("0.12 mL"))
    found = data(delivery=Delivery.FALLBACK, program=None, program_hash=None, bridge=bridge)
    assert found["rate"] == "216 mcg/day"
    assert found["reservoir"]["low_date"] is found["reservoir"]["refill_by"] is None


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize("delivery", [Delivery.STOPPED, Delivery.STALLED])
@pytest.mark.parametrize("program", [True, False])
def test_where_nothing_is_moved_there_is_no_rate_and_no_date(
    delivery: Delivery, program: bool
) -> None:
    lost = {} if program else {"program": None, "program_hash": None}
    found = data(delivery=delivery, **lost)
    assert found["rate"] is None
    assert found["reservoir"]["low_date"] is found["reservoir"]["refill_by"] is None
    # Whatever rate the pump may name meanwhile, none applies.
    assert forecast_of(seen(delivery=delivery, **lost).state, Rate.parse("216 mcg/day")) is None


def test_without_drug_or_rate_there_is_no_date() -> None:
    state = seen(delivery=Delivery.FALLBACK, program=None).state
    rate = Rate.parse("216 mcg/day")
    assert forecast_of(state._replace(concentration=Concentration(0)), rate) is None
    assert forecast_of(state, None) is None
    assert forecast_of(state, rate) is not None


@pytest.mark.requirement("PRG-07")
def test_a_pump_that_lost_its_program_says_what_it_gives(desk: Desk) -> None:
    Day(desk)  # it begins at midnight, whenever this is run
    desk.program(FLEX)
    told = desk.pump("status")
    assert told["rate"] == "336 mcg/day", "14 mcg/h, at midnight"
    desk.data("emulator", "fault", "ward", "memory", "--count", "2")
    desk.advance("2 h")
    told = desk.pump("status")
    assert (told["delivery"], told["program"]) == ("fallback", None)
    assert told["rate"] == "216 mcg/day"
    assert told["reservoir"]["low_date"] is not None
    text = desk.run("--port", "emu://ward", "status").out
    assert "216 mcg/day (9 mcg/h)" in text


@pytest.mark.requirement("STP-03")
def test_a_stalled_pump_gives_nothing(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    desk.data("emulator", "fault", "ward", "stall")
    desk.advance("6 h")
    told = desk.pump("status")
    assert (told["delivery"], told["rate"]) == ("stalled", None)
    assert told["reservoir"]["low_date"] is None
    text = desk.run("--port", "emu://ward", "status").out
    assert "NOT running" in text
    assert "nothing: the motor stands still" in text
    desk.advance("50 h")  # now it is on the fallback as well, and gives nothing of that
    assert desk.pump("status")["rate"] is None
    desk.data("emulator", "fault", "ward", "clear", "stall")
    desk.advance("1 h")
    told = desk.pump("status")
    assert told["delivery"] == "fallback"
    assert told["rate"] == "96 mcg/day", "of minimum rate"
