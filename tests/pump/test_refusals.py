"""A refusal of the pump is told with its code, its words, and what may be done next."""

from __future__ import annotations

import pytest

from pumpctl.pump.refusals import refused
from pumpctl.wire.codes import Refuse
from pumpctl.wire.messages import Refusal


@pytest.mark.parametrize("code", [each for each in Refuse if each is not Refuse.NONE])
def test_every_code_is_told(code: Refuse) -> None:
    error = refused("the pump will not take it", Refusal(code, "its own words"))
    assert (error.exit_code, error.pump_code, error.changed) == (6, code.name, "no")
    assert error.message == "the pump will not take it: its own words"
    bare = refused("the pump will not take it", Refusal(code, ""))
    assert bare.message == f"the pump will not take it: {code.name}"


def test_what_a_person_can_wait_for_or_do_is_said() -> None:
    assert "bolus cancel" in refused("no", Refusal(Refuse.BOLUS_RUNNING, "")).hint
    assert "reduction is possible" in refused("no", Refusal(Refuse.BRIDGE_RUNNING, "")).hint
    assert refused("no", Refusal(Refuse.MALFORMED, "")).hint == ""
