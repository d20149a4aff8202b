"""A bolus where the line, a bridge or the pump itself is in the way; what the patient would get."""

from __future__ import annotations

import pytest

from pumpctl.cli import context
from pumpctl.emulator.acts import boluses as emulated
from pumpctl.emulator.core import Core
from pumpctl.outcomes import Applied, OperationId
from pumpctl.pump.orders import order_refill
from pumpctl.pump.readbacks import Bridged
from pumpctl.quantities import Concentration, Volume
from pumpctl.therapy.patient import tag_hash
from pumpctl.therapy.state import Fluid
from pumpctl.workflows.visit import visit
from tests.helpers.boluses import PORT, Day, even
from tests.helpers.desk import Desk
from tests.helpers.lines import record, said

TWENTY = ("bolus", "single", "20 mcg", "--over", "10 min")
LINE = Volume.parse("0.348 mL")


def refilled(day: Day, strength: int) -> None:
    """A refill of another concentration, its bridge begun: staged and activated as it comes."""
    context.begin({"port": "emu://ward", "home": str(day.desk.home), "operator": "nurse"})
    with visit(context.station(), changes=True) as opened:
        state = opened.state()
        assert state.program is not None
        order = order_refill(
            state.program._replace(concentration=Concentration(strength)),
            tag_hash(state.serial, "P-0417"),
            drained=state.reservoir,
            injected=Volume.parse("40 mL"),
            volume=Volume.parse("40 mL"),
            filled_at=state.clock,
            since=state.pulses,
            bridge=Bridged(LINE, Fluid(state.drug, state.concentration)),
        )
        staged = opened.pump.stage(order)
        opened.pump.readback()
        operation = OperationId(bytes(range(16)))
        outcome = opened.pump.activate(operation, staged, state.state_version, bytes(32))
        assert isinstance(outcome, Applied)


@pytest.mark.requirement("REF-08")
@pytest.mark.requirement("BOL-04")
def test_none_while_a_bridge_runs(desk: Desk) -> None:
    day = Day(desk)
    day.program(even())
    refilled(day, 1_000)
    assert desk.pump("status")["delivery"] == "bridge"
    assert "BOLUS_ORDER_BRIDGE" in day.hard(*TWENTY)
    desk.monkeypatch.setattr("pumpctl.workflows.acts.boluses.check_bolus", lambda *_, **__: ())
    error = day.refused(*TWENTY, code=6, name="PUMP_REFUSED")
    assert error["pump_code"] == "BRIDGE_RUNNING", "the pump by itself (LIM-01)"


@pytest.mark.requirement("REF-08")
def test_after_it_a_bolus_is_of_the_new_concentration(desk: Desk) -> None:
    # 0.348 mL at 240 ÷ 2000 = 0.12 mL/day: 2.9 days. Then 1000 mcg/mL: 20 mcg are 0.02 mL.
    day = Day(desk)
    day.program(even())
    refilled(day, 1_000)
    day.wait("70 h")
    assert desk.pump("status")["delivery"] == "delivering"
    path, told = day.plan(*TWENTY, "--override", "BOLUS_PAST_UNKNOWN=the pump's log was read")
    assert told["readback"]["volume"] == told["new"]["volume"] == "0.02 mL"
    desk.apply(path, told["confirm"])
    before = day.delivered
    day.wait("1 h")
    assert day.delivered - before in (30, 30 - 1 / 10, 30 + 1 / 10)


@pytest.mark.requirement("CNF-01")
def test_a_line_that_is_free_of_drug_is_told(desk: Desk) -> None:
    # The catheter, (110 - 30) x 0.0026 = 0.208 mL, is free of drug. Of 20 mcg, 0.01 mL, nothing
    # passes the tip. The drug is there when the bolus and 0.12 mL/day have moved 0.208 mL:
    # 0.198 ÷ 0.12 = 1.65 days after Monday 00:00.
    day = Day(desk)
    record(desk, *said(tubing="2000 mcg/mL"))
    day.program(even())
    _, told = day.plan(*TWENTY)
    assert (told["readback"]["past_tip_dose"], told["readback"]["stays_in_line_dose"]) == (
        "0 mcg",
        "20 mcg",
    )
    assert told["new"]["reaches_dose"] == "0 mcg"
    assert told["new"]["front_arrives"] == "2026-03-24T15:36:00Z"
    found = {each["id"]: (each["severity"], each["value"]) for each in told["findings"]}
    assert found["BOLUS_ORDER_FRONT"] == ("soft", "0 mcg")
    assert told["confirm"] is None
    screen = desk.run(*PORT, *TWENTY, "--plan-only").out
    assert "0 mcg (0 %) while it runs" in screen
    assert "drug at the tip from    2026-03-24 15:36" in screen


@pytest.mark.requirement("CNF-01")
def test_half_of_a_bolus_passes_the_tip(desk: Desk) -> None:
    # 0.204 of the 0.208 mL have gone by after 0.204 ÷ 0.12 = 1.7 days = 40.8 h. Of the bolus's 0.01
    # mL 0.004 mL push water out, 0.006 mL of 2000 mcg/mL are 12 mcg.
    day = Day(desk)
    record(desk, *said(tubing="2000 mcg/mL"))
    day.program(even())
    day.wait("40 h 48 min")
    path, told = day.plan(*TWENTY, "--override", "BOLUS_ORDER_FRONT=known")
    assert (told["readback"]["past_tip_dose"], told["readback"]["stays_in_line_dose"]) == (
        "12 mcg",
        "8 mcg",
    )
    desk.apply(path, told["confirm"])
    day.wait("10 min")
    # With 10/6 mcg of basal 0.0008 3 mL more have been moved: 13.6 mcg in whole pulses.
    assert float(day.delivered) == 13.6


@pytest.mark.requirement("BOL-04")
def test_none_during_a_self_test(desk: Desk) -> None:
    """The station cannot see one: the pump's refusal is told by its code."""
    day = Day(desk)
    day.program(even())
    real = emulated.refuse_by_state

    def testing(core: Core) -> None:
        core.testing = True
        real(core)

    desk.monkeypatch.setattr(emulated, "refuse_by_state", testing)
    error = day.refused(*TWENTY, code=6, name="PUMP_REFUSED")
    assert error["pump_code"] == "SELF_TEST"
