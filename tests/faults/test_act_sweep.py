"""The sweep of acts in small, and that it can fail. In full: python -m tests.faults.act_sweep"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpctl.link.session import Link
from pumpctl.outcomes import OperationId, Refused, Unknown
from tests.faults import act_sweep
from tests.faults.act_kinds import KINDS, prepare
from tests.faults.strokes import Side

PER_ACT = 16


@pytest.mark.slow
@pytest.mark.requirement("BOL-06")
@pytest.mark.requirement("AUD-01")
@pytest.mark.parametrize("name", KINDS)
def test_every_act_is_struck_on_every_side(name: str, tmp_path: Path) -> None:
    made = prepare(name, tmp_path / "home")
    ran, there = act_sweep.sweep([made], PER_ACT, 5, tmp_path)
    assert {one.stroke.side for one in ran} == set(Side)
    assert len(ran) == min(PER_ACT, there)
    assert [(one.stroke, one.faults) for one in ran if one.faults] == []


@pytest.mark.requirement("BOL-06")
def test_a_station_that_takes_silence_for_a_no_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Link.change

    def sure(self: Link, message: Any) -> object:
        outcome = real(self, message)
        if isinstance(outcome, Unknown):
            return Refused(OperationId(message.operation), "NO_ANSWER", "surely not")
        return outcome

    monkeypatch.setattr(Link, "change", sure)
    ran, _ = act_sweep.sweep([prepare("program", tmp_path / "home")], None, 5, tmp_path)
    told = [fault for one in ran for fault in one.faults]
    assert any("says that nothing was changed" in fault for fault in told)


@pytest.mark.requirement("BOL-06")
def test_a_text_of_another_kind_or_another_end_is_found() -> None:
    def faults(act: str, kind: str, text: str, which: str) -> list[str]:
        told = {"resolved": [{"kind": kind, "explanation": text}]}
        return act_sweep.untrue(act, told, which)

    assert set(KINDS) - {"cancel", "change"} <= set(act_sweep.SAYS)
    for kind, (made, unmade) in act_sweep.SAYS.items():
        assert faults(kind, kind, made, "new") == faults(kind, kind, unmade, "old") == []
        assert faults(kind, kind, unmade, "new"), "the other end"
        assert faults(kind, "stop" if kind != "stop" else "bolus", made, "new"), "another kind"
        other = act_sweep.SAYS["clock" if kind != "clock" else "stop"]
        assert faults(kind, kind, f"{made}, {other[0]}", "new"), "two kinds in one"
