"""The screen of a pump: what it adds where a bridge runs or a sensor sees the reservoir."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.cli.screens import show_status
from pumpctl.quantities import Volume
from pumpctl.therapy.state import Delivery, RunningBridge
from tests.helpers.seen import seen


def screen(capsys: pytest.CaptureFixture[str], **state: Any) -> dict[str, str]:
    """The rows of the table, by their names."""
    show_status(seen(**state), full=False)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    rows = (line.split("  ", 1) for line in out.splitlines() if "  " in line)
    return {name.strip(): value.strip() for name, value in rows}


@pytest.mark.requirement("REF-08")
def test_a_running_bridge_says_how_far_it_has_come(capsys: pytest.CaptureFixture[str]) -> None:
    bridge = RunningBridge(Volume.parse("0.348 mL"), Volume.parse("0.12 mL"))
    rows = screen(capsys, delivery=Delivery.BRIDGE, bridge=bridge)
    assert rows["delivery"] == "bridge"
    assert rows["bridge"] == "0.12 of 0.348 mL of the old drug has passed"


@pytest.mark.requirement("PMP-03")
def test_a_sensed_volume_is_shown_beside_the_computed_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = screen(capsys, sensed=Volume.parse("29.1 mL"))
    assert rows["reservoir"] == "30 mL of 40 mL, alarm at 2 mL"
    assert rows["sensed"] == "29.1 mL, by the pump's sensor"


def test_without_either_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert not {"bridge", "sensed"} & set(screen(capsys))
