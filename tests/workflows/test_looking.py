"""`status` → `data`: a bridge that runs, and a sensor beside the estimate."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pumpctl.quantities import Volume
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.state import Delivery, RunningBridge
from pumpctl.workflows.looking import front_arrives, status_data
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
