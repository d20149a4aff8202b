"""A pump that says "done", and is otherwise than was confirmed: exit 12, whatever it is (PRG-10).

What it reads back before is `test_lying_pump`'s matter.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pumpctl.pump.pump import Pump
from pumpctl.quantities import Concentration, Rate, Volume
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, PumpState
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous
from tests.helpers.visits import PORT, planned, refilled, token_of

W22 = continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL")
Lies = dict[str, Callable[[PumpState], dict[str, Any]]]

ml = Volume.parse


def ward(desk: Desk) -> None:
    """Ten days at 100 mcg/day of 500 mcg/mL: 38 mL are left."""
    desk.emulator("ward", "--concentration", "500 mcg/mL")
    desk.rehearse()
    desk.program(W22)
    desk.advance("10d")


def act_now(desk: Desk, lie: Callable[[PumpState], dict[str, Any]], path: Path) -> None:
    """Apply a plan on a pump that tells otherwise afterwards."""
    real, asked = Pump.state, list[int]()

    def otherwise(self: Pump) -> PumpState:
        asked.append(1)
        state = real(self)  # the first look is before the activation
        return state if len(asked) == 1 else state._replace(**lie(state))

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, "state", otherwise)
        words = (*PORT, "apply", path, "--confirm", token_of(path))
        document = desk.json(*words, code=12)
    assert (document["error"]["changed"], len(asked)) == ("yes", 2)


REFILLED: Lies = {
    "another volume of the bridge": lambda state: {
        "bridge": None if state.bridge is None else state.bridge._replace(volume=ml("0.2 mL"))
    },
    "less of the bridge has passed": lambda state: {
        "bridge": None if state.bridge is None else state.bridge._replace(passed=ml("0.1 mL"))
    },
    "no bridge": lambda _: {"bridge": None},
    "another volume": lambda state: {"reservoir": Volume(state.reservoir.quanta - 1)},
    "another fluid": lambda _: {"concentration": Concentration.parse("500 mcg/mL")},
    "another time": lambda state: {"filled_at": state.clock.plus(-1)},
    "another program": lambda state: {"program": state.program and fallen(state.program)},
    "another patient": lambda _: {"tag_hash": bytes(8)},
    "stopped": lambda _: {"delivery": Delivery.STOPPED},
    "empty": lambda _: {"delivery": Delivery.EMPTY},
    "on the fallback": lambda _: {"delivery": Delivery.FALLBACK},
    "nothing at all was done": lambda state: {
        "state_version": state.state_version - 1, "reservoir": ml("38 mL"), "bridge": None,
        "concentration": Concentration.parse("500 mcg/mL"),
    },
}  # fmt: skip


def fallen(program: Program) -> Program:
    """The same with another fallback."""
    return program._replace(fallback=Rate.parse("99 mcg/day"))


@pytest.mark.requirement("PRG-10")
@pytest.mark.parametrize("lie", REFILLED)
def test_after_a_refill(lie: str, desk: Desk) -> None:
    """The pump says done; what it tells then is not what was confirmed."""
    ward(desk)
    path, _ = planned(desk, "38 mL")
    act_now(desk, REFILLED[lie], path)


REPAIRED: Lies = {
    name: REFILLED[name]
    for name in (
        *("another volume of the bridge", "less of the bridge has passed", "no bridge"),
        *("another volume", "another time", "another program", "another patient"),
        *("stopped", "empty", "on the fallback"),
    )
} | {"another fluid": lambda _: {"concentration": Concentration.parse("1000 mcg/mL")}}


@pytest.mark.requirement("PRG-10")
@pytest.mark.requirement("REF-08")
@pytest.mark.parametrize("lie", REPAIRED)
def test_after_a_bridge_on_its_own(lie: str, desk: Desk) -> None:
    ward(desk)
    refilled(desk, "38 mL", bridge="none", reasons={"BRIDGE_LEFT_OUT": "rehearsal"})
    desk.advance("1d")
    path = desk.files / "bridge.plan.json"
    desk.pump("bolus", "bridge", "--plan-only", "-o", path)
    act_now(desk, REPAIRED[lie], path)
