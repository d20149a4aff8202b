"""What a pump would refuse the station refuses first, in words (LIM-01)."""

from __future__ import annotations

import pytest

from tests.helpers import lines
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous
from tests.helpers.visits import PORT, refilled

TWENTY = ("bolus", "single", "20 mcg", "--over", "10 min", "--plan-only")


def of(daily: str, concentration: str = "1000 mcg/mL") -> str:
    return continuous(daily, fallback="200 mcg/day", concentration=concentration)


def changed(desk: Desk, **more: object) -> None:
    """A pump at 300 mcg/day, half an hour after a refill with half the concentration."""
    desk.emulator()
    desk.rehearse()
    desk.program(of("300 mcg/day", "2000 mcg/mL"))
    desk.advance("30h")
    left = desk.pump("status")["reservoir"]["volume"]
    refilled(desk, left, "40 mL", "1000 mcg/mL", **more)
    desk.advance("30min")


def hard(desk: Desk, *words: object) -> list[str]:
    with desk.untouched():
        error = desk.refused(3, "LIMIT_HARD", *PORT, *words, "-o", desk.files / "no.json")
    return [each["id"] for each in error["findings"] if each["severity"] == "hard"]


@pytest.mark.requirement("REF-08")
@pytest.mark.requirement("LIM-01")
def test_an_increase_waits_for_the_end_of_the_bridge_and_a_reduction_does_not(desk: Desk) -> None:
    changed(desk)
    assert hard(desk, "program", "plan", desk.profile(of("300.001 mcg/day"))) == ["BRIDGE_INCREASE"]
    with desk.monkeypatch.context() as patch:
        patch.setattr("pumpctl.workflows.acts.programs.check_in_bridge", lambda *_: ())
        words = ("program", "plan", desk.profile(of("300.001 mcg/day")))
        refused = desk.refused(6, "PUMP_REFUSED", *PORT, *words)
        assert refused["pump_code"] == "BRIDGE_RUNNING", "the pump's own check"
    path, told = desk.plan(of("270 mcg/day"))
    assert desk.apply(path, told["confirm"])["delivery"] == "bridge"


@pytest.mark.requirement("REF-08")
def test_the_line_is_not_recorded_anew_under_a_bridge(desk: Desk) -> None:
    changed(desk)
    words = ("implant", "revise", "--event", "dye study", "--plan-only")
    assert hard(desk, *words) == ["IMPLANT_BRIDGE_RUNNING"]


@pytest.mark.requirement("BOL-04")
def test_no_bolus_while_the_line_holds_another_strength(desk: Desk) -> None:
    """The bridge was left out: 2000 mcg/mL is at the tip, and the pump counts 1000."""
    changed(desk, bridge="none", reasons={"BRIDGE_LEFT_OUT": "rehearsal"})
    assert hard(desk, *TWENTY) == ["BOLUS_ORDER_FRONT"]


@pytest.mark.requirement("REF-09")
def test_no_prime_behind_another_strength(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    lines.record(desk, *lines.said("500 mcg/mL"))
    assert hard(desk, "bolus", "prime", "--plan-only") == ["PRIME_TUBING_OTHER"]


@pytest.mark.requirement("STP-03")
def test_behind_a_stall_of_two_days_no_dose_near_the_old_one(desk: Desk) -> None:
    """300, then 50 h of stall; the fallback of 200 runs for 2 h: 280 is less, and no start."""
    desk.emulator()
    desk.rehearse()
    desk.program(of("300 mcg/day", "2000 mcg/mL"))
    desk.advance("30h")
    desk.data("emulator", "fault", "ward", "stall", "--for", "50h")
    desk.advance("52h")
    assert desk.pump("status")["delivery"] == "fallback"
    for dose in ("300 mcg/day", "280 mcg/day"):
        words = ("program", "plan", desk.profile(of(dose, "2000 mcg/mL")))
        assert "STOPPED_TOO_LONG" in hard(desk, *words)
    less = continuous("190 mcg/day", fallback="150 mcg/day")
    seen = "--override=ALARM_CRITICAL=seen"
    path, told = desk.plan(less, seen)
    assert (told["second"], told["confirm"] is None) == ([], False), "less than flows now"
    assert desk.apply(path, told["confirm"])["verified"]
