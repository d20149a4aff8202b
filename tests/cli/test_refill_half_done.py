"""A refill that was injected and not confirmed: nothing else is given until it is ended."""

from __future__ import annotations

import pytest

from pumpctl.workflows.road import gates
from tests.helpers.chair import CONFIRM, DRAINED, DRUG, INJECT, KEEP, NEXT, ORDER, Ward
from tests.helpers.desk import Desk

PORT = ("--port", "emu://ward")
BOLUS = ("bolus", "single", "10 mcg", "--over", "10 min", "--plan-only")


@pytest.fixture
def ward(desk: Desk) -> Ward:
    return Ward(desk)


@pytest.mark.requirement("REF-03")
@pytest.mark.requirement("REF-06")
def test_what_was_injected_bars_every_dose_until_the_pump_knows(ward: Ward, desk: Desk) -> None:
    ran = ward.ran(*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP, *INJECT, *NEXT)
    assert ran.code == 9
    seen = desk.pump("status")
    assert seen["refill_unfinished"].startswith("40 mL of 2000 mcg/mL injected at ")
    assert "UNFINISHED REFILL" in desk.run(*PORT, "status").out
    with desk.untouched():
        error = desk.refused(10, "REFILL_UNFINISHED", *PORT, *BOLUS)
    assert "40 mL" in error["message"]
    desk.pump("clock")
    ran = ward.ran(("Patient's tag", "P-0417"), *CONFIRM)
    assert ran.code == 0, ran.err
    assert desk.pump("status")["refill_unfinished"] is None
    desk.pump(*BOLUS)


def test_without_the_gate_a_dose_is_planned_on_a_volume_that_is_not_there(
    ward: Ward, desk: Desk
) -> None:
    ward.ran(*ward.who, *ORDER, *DRAINED)
    told = desk.pump("status")["refill_unfinished"]
    assert told.startswith("20 mL drained at ") and "nothing injected" in told
    desk.refused(10, "REFILL_UNFINISHED", *PORT, *BOLUS)
    kept = tuple(each for each in gates.GATES["bolus"] if each is not gates.no_refill_half_done)
    desk.monkeypatch.setattr(gates, "GATES", {**gates.GATES, "bolus": kept})
    assert desk.pump(*BOLUS)["confirm"]


def test_before_the_needle_nothing_is_barred(ward: Ward, desk: Desk) -> None:
    ward.ran(*ward.who, *ORDER)
    assert desk.pump("status")["refill_unfinished"] is None
    desk.pump(*BOLUS)
