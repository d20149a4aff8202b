"""`bolus bridge`: the repair of a forgotten bridge, its figures, and what it refuses."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pumpctl.quantities import Mass, Volume
from pumpctl.therapy.bridge import BridgePlan
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.acts.bridges import BridgeAct
from pumpctl.workflows.refill import bridging
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous, written
from tests.helpers.visits import PORT, ids, refilled, refused

LEFT_OUT = {"BRIDGE_LEFT_OUT": "rehearsal"}


def forgotten(desk: Desk, old: str = "500 mcg/mL", new: str = "2000 mcg/mL") -> None:
    """A pump at 100 mcg/day, refilled with another concentration, without its bridge."""
    desk.emulator("ward", "--concentration", old)
    desk.rehearse()
    desk.program(continuous("100 mcg/day", fallback="100 mcg/day", concentration=old))
    refilled(desk, "40 mL", "40 mL", new, bridge="none", reasons=LEFT_OUT)


def plan(desk: Desk) -> tuple[Path, dict[str, Any]]:
    """The repair's plan, and what was said of it."""
    path = desk.files / "bridge.plan.json"
    return path, desk.pump("bolus", "bridge", "--plan-only", "-o", path)


def repaired(desk: Desk) -> dict[str, Any]:
    """The whole road."""
    path, told = plan(desk)
    done = desk.pump("apply", path, "--confirm", told["confirm"])
    assert (done["outcome"], done["verified"]) == ("applied", True)
    return told


def given(desk: Desk) -> Mass:
    return Mass.parse(desk.inspect()["delivered"]["baclofen"])


def near(found: Mass, wanted: Fraction | int) -> bool:
    """The same mcg, but for less than one pulse of 2000 mcg/mL: 0.2 mcg."""
    return bool(abs(Fraction(found.quanta) - wanted * 1_000) <= 200)


@pytest.mark.requirement("REF-08")
@pytest.mark.requirement("REF-04")
@pytest.mark.parametrize(
    ("after", "passed", "left", "lasts"),
    [
        ("6h", "0.0125 mL", "0.3355 mL", Fraction(3355, 20)),  # 6/24 x 0.05; 0.3355 x 500 / 100 d
        ("2d", "0.1 mL", "0.248 mL", Fraction(2480, 20)),  # 2 x 0.05
        ("5d", "0.25 mL", "0.098 mL", Fraction(980, 20)),  # 5 x 0.05
    ],
)
def test_late_bridges_up(after: str, passed: str, left: str, lasts: Fraction, desk: Desk) -> None:
    """From 500 to 2000: `lasts` in hundredths of a day, left x 500 / 100 mcg/day."""
    forgotten(desk)
    desk.advance(after)
    before = given(desk)
    told = repaired(desk)
    bridge = told["new"]["bridge"]
    assert (bridge["volume"], bridge["passed"], bridge["left"]) == ("0.348 mL", passed, left)
    assert bridge["plays"] == "100 mcg/day"
    spell = Moment.parse(bridge["ends"]).utc_ms - Moment.parse(bridge["starts"]).utc_ms
    assert spell == lasts / 100 * 86_400_000
    assert bridge["without"].startswith("25 mcg/day instead of 100 mcg/day")
    assert told["change_percent"] is None, "the same program goes on"
    status = desk.pump("status")
    assert status["delivery"] == "bridge"
    desk.advance("10d")  # from the repair on the dose is what was ordered
    assert near(Mass(given(desk).quanta - before.quanta), 1000)
    assert desk.inspect()["delivery"] == "delivering"


@pytest.mark.requirement("REF-08")
def test_a_late_bridge_down(desk: Desk) -> None:
    """From 2000 to 500: 0.2 mL/day of the strong drug are 400 mcg/day until it is repaired.

    After 12 h 0.1 mL have passed, with 200 mcg; 0.248 x 2000 = 496 mcg last 4.96 d at 100.
    """
    forgotten(desk, "2000 mcg/mL", "500 mcg/mL")
    before = given(desk)
    desk.advance("12h")
    assert near(Mass(given(desk).quanta - before.quanta), 200)
    bridge = repaired(desk)["new"]["bridge"]
    assert (bridge["passed"], bridge["left"], bridge["lasts"]) == ("0.1 mL", "0.248 mL", "4 d 23 h")
    assert bridge["without"] == "400 mcg/day instead of 100 mcg/day for 29 h 45 min"
    desk.advance("10d")
    assert near(Mass(given(desk).quanta - before.quanta), 1200)


@pytest.mark.requirement("REF-08")
def test_what_is_no_forgotten_bridge_is_refused(desk: Desk) -> None:
    """The line is new, a bridge runs, the front has arrived, the pump is stopped."""
    words = (*PORT, "bolus", "bridge", "--plan-only")
    desk.emulator("ward", "--concentration", "500 mcg/mL")
    desk.rehearse()
    text = continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL")
    desk.program(text)
    with desk.untouched():
        assert "nothing to bridge" in desk.refused(3, "INPUT", *words)["message"]
    refilled(desk, "40 mL")
    assert "is running already" in desk.refused(3, "INPUT", *words)["message"]
    desk.advance("3d")
    refilled(desk, "39.589 mL", "40 mL", "500 mcg/mL", reference="ORD-2", bridge="none",
             reasons=LEFT_OUT)  # fmt: skip
    desk.pump("stop", "--now")
    assert "stopped" in desk.refused(3, "INPUT", *words)["message"]
    path = desk.files / "resume.json"
    told = desk.pump("resume", "--plan-only", "-o", path)
    desk.apply(path, told["confirm"])
    desk.advance("42h")
    assert "nothing to bridge" in desk.refused(3, "INPUT", *words)["message"]


@pytest.mark.requirement("REF-08")
def test_the_front_has_arrived_since_it_was_planned(desk: Desk) -> None:
    """Planned with 0.004 mL to go; an hour later, within the plan's life, the front is there."""
    forgotten(desk, "2000 mcg/mL", "500 mcg/mL")
    desk.advance("41h")
    desk.advance("30 min")
    path, told = plan(desk)
    assert told["new"]["bridge"]["left"] == "0.0022 mL"  # 0.348 - 41.5/24 x 0.2 = 0.0021(6)
    desk.advance("30 min")
    error = desk.refused(3, "INPUT", *PORT, "apply", path, "--confirm", told["confirm"])
    assert "nothing to bridge" in error["message"]
    assert desk.inspect()["delivery"] == "delivering"


@pytest.mark.requirement("REF-04")
def test_another_volume_than_the_record_s_is_refused_by_the_pump(desk: Desk) -> None:
    """Taken away: the volume from the record. The pump's own record then refuses."""
    forgotten(desk)
    real = bridging.plan_repair

    def longer(*given: Any) -> Any:
        line = real(*given)
        assert isinstance(line, BridgePlan)
        order = line.order
        return line._replace(order=order._replace(volume=order.volume + Volume.parse("0.1 mL")))

    desk.monkeypatch.setattr(bridging, "plan_repair", longer)
    with desk.untouched():
        error = desk.json(*PORT, "bolus", "bridge", "--plan-only", code=3)["error"]
        assert "0.348 mL" in error["message"]
        desk.monkeypatch.setattr(bridging, "_refuse_beyond_front", lambda *_: None)
        error = desk.refused(6, "PUMP_REFUSED", *PORT, "bolus", "bridge", "--plan-only")
    assert error["pump_code"] == "RANGE"


@pytest.mark.requirement("PRG-04")
def test_without_the_comparison_another_dose_would_be_played(desk: Desk) -> None:
    """The pump says what it will play; a station that does not compare would not notice."""
    forgotten(desk)
    real = bridging._before
    desk.monkeypatch.setattr(bridging, "_before", lambda *_: None)
    desk.json(*PORT, "bolus", "bridge", "--plan-only", code=8)
    desk.monkeypatch.setattr(BridgeAct, "compare", lambda *_: iter(()))
    assert desk.pump("bolus", "bridge", "--plan-only")["readback"]
    desk.monkeypatch.setattr(bridging, "_before", real)
    assert ids(plan(desk)[1]["findings"], "hard") == []


def test_its_screen_and_its_json(desk: Desk) -> None:
    forgotten(desk)
    desk.advance("2d")
    text = desk.run(*PORT, "bolus", "bridge", "--plan-only").out
    for words in ("0.348 mL of baclofen 500 mcg/mL", "0.1 mL, 0.248 mL to go",
                  "25 mcg/day instead of 100 mcg/day for 4 d 23 h"):  # fmt: skip
        assert words in text
    assert max(map(len, text.splitlines())) <= 80
    ran = desk.run(*PORT, "bolus", "bridge")
    assert ran.code == 9, "nobody is asked without a terminal"


@pytest.mark.requirement("REF-08")
def test_no_repair_behind_a_refill_that_was_given_up(desk: Desk) -> None:
    """It set the volume anew, and with it the pump's count of what has passed."""
    forgotten(desk)
    desk.advance("1d")
    refilled(desk, None, given_up="port not found", reference="O-2")
    error = desk.refused(3, "INPUT", *PORT, "bolus", "bridge", "--plan-only")
    assert "a refill was given up since" in error["message"]


@pytest.mark.requirement("REF-08")
def test_in_a_repair_an_increase_is_held_against_what_it_plays(desk: Desk) -> None:
    """The bridge of an earlier refill played 200 mcg/day; this one plays 100."""
    desk.emulator("ward", "--concentration", "500 mcg/mL")
    desk.rehearse()
    desk.program(continuous("200 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL"))
    refilled(desk, "40 mL", "40 mL", "1000 mcg/mL", reference="O-0")
    desk.advance("5d")
    low = continuous("100 mcg/day", fallback="100 mcg/day", concentration="1000 mcg/mL")
    desk.program(low, "--override", "DOSE_REDUCTION=rehearsal")
    desk.advance("2d")
    left = str(desk.inspect()["reservoir"])
    refilled(desk, left, "40 mL", "2000 mcg/mL", bridge="none", reasons=LEFT_OUT)
    repaired(desk)
    more = written(desk.files / "more.toml", continuous("118 mcg/day", fallback="100 mcg/day"))
    error = refused(desk, 3, "LIMIT_HARD", "40 mL", "40 mL", reference="O-2", profile=more.name)
    assert ids(error["findings"], "hard") == ["BRIDGE_INCREASE"]
