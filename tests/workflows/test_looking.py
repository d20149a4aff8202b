"""`status` → `data`: a bridge that runs, and a sensor beside the estimate."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.quantities import Volume
from pumpctl.therapy.state import Delivery, RunningBridge
from pumpctl.workflows.looking import status_data
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
