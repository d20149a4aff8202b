"""After suspected non-delivery the old dose comes back through no door (C5.5).

A patient who has had no drug for weeks no longer tolerates it. What a drain has shown holds
on where nothing could be filled in, where only the order or the concentration changes, and
for the push of the hour after.
"""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.therapy.checks.refills import refill_check
from pumpctl.workflows.course import past
from pumpctl.workflows.refill import level as refill_level
from pumpctl.workflows.refill import refilling
from tests.helpers.chair import DRUG, NEXT, ORDER, Ward
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous, written
from tests.helpers.visits import ids, planned, refilled, refused
from tests.helpers.ward import MINIMUM

pytestmark = pytest.mark.requirement("REF-01")

REDUCED = continuous("150 mcg/day", fallback="100 mcg/day")
DAILY = {"fallback": "400 mcg/day"}


@pytest.fixture
def ward(desk: Desk) -> Desk:
    """100 days of 400 mcg/day, 0.2 mL a day: 20 of 40 mL should be left."""
    desk.emulator()
    desk.rehearse()
    desk.program(continuous("400 mcg/day", **DAILY))
    desk.advance("100d")
    return desk


def reduced(desk: Desk, text: str = REDUCED) -> str:
    return written(desk.files / "reduced.toml", text).name


def settled(desk: Desk, text: str = REDUCED, drained: str = "36 mL", **more: Any) -> None:
    """Refilled with a reduced dose, each soft finding with its reason."""
    profile = reduced(desk, text)
    told = planned(desk, drained, profile=profile, **more)[1]
    reasons = dict.fromkeys(ids(told["findings"], "soft"), "kinked catheter, revised")
    refilled(desk, drained, profile=profile, reasons=reasons, **more)


def test_a_visit_that_found_no_port_hides_nothing(ward: Desk) -> None:
    """20 mL were set again on Monday, and nothing was measured: 36 drained on Tuesday are
    (40 - 36) / (40 - 19.8) = 19.8 % of what was programmed since the fill."""
    refilled(ward, None, given_up="port not found")
    ward.advance("1d")
    error = refused(ward, 3, "LIMIT_HARD", "36 mL", reference="O-2")
    assert ids(error["findings"], "hard") == ["REFILL_NON_DELIVERY"]
    told = planned(ward, "36 mL", reference="O-2", profile=reduced(ward))[1]["new"]
    assert (told["last_fill"], told["discrepancy"]["programmed"]) == ("40 mL", "20.2 mL")
    ward.monkeypatch.setattr(refill_level, "unmeasured", lambda *_: frozenset())
    told = planned(ward, "36 mL", reference="O-2")[1]
    assert ids(told["findings"], "hard") == [], "counted from Monday, the old dose goes on"


def test_what_a_drain_has_shown_holds_until_something_is_filled_in(ward: Desk) -> None:
    """36 mL drained, given up, and 0 mL are expected and drained at the next visit."""
    why = {"REFILL_DISCREPANCY": "catheter to be looked at first"}
    refilled(ward, "36 mL", given_up="no drug at hand", reasons=why)
    refilled(ward, None, given_up="port not found", reference="O-2")
    ward.advance("3h")
    error = refused(ward, 3, "LIMIT_HARD", "0 mL", reference="O-3")
    assert ids(error["findings"], "hard") == ["REFILL_NON_DELIVERY"]
    assert "found when the last refill was given up" in error["message"]
    with ward.monkeypatch.context() as patch:
        patch.setattr(refilling, "unsettled", lambda *_: None)
        told = planned(ward, "0 mL", reference="O-3")[1]
        assert ids(told["findings"], "hard") == [], "the old dose goes on"
    new = planned(ward, "0 mL", reference="O-3", profile=reduced(ward))[1]["new"]
    assert new["offer"]["had"] == "80 mcg/day"  # 4 of 20 mL
    settled(ward, drained="0 mL", reference="O-3")
    ward.advance("50d")  # 50 x 0.075 mL
    assert ids(planned(ward, "36.25 mL", reference="O-4")[1]["findings"], "soft") == []


def test_at_a_terminal_the_present_program_is_not_offered_either(desk: Desk) -> None:
    ward = Ward(desk)
    why = {"REFILL_DISCREPANCY": "catheter to be looked at first"}
    refilled(desk, "36 mL", given_up="no drug at hand", reasons=why)
    drained = (("Drained volume", "0 mL"),)
    ran = ward.ran(*ward.who, *ORDER, *drained, *DRUG, ("Type the path of a profile", "keep"))
    assert ran.code == 9
    assert "The OLD DOSE IS REFUSED" in ran.err
    assert NEXT[0][0] not in ran.err


@pytest.mark.requirement("REF-08")
def test_a_bridge_does_not_bring_it_back(desk: Desk) -> None:
    """500 mcg/mL at 400 mcg/day: the line holds 174 mcg, which a bridge would give in 10.4 h."""
    desk.emulator("ward", "--concentration", "500 mcg/mL")
    desk.rehearse()
    desk.program(continuous("400 mcg/day", concentration="500 mcg/mL", **DAILY))
    desk.advance("25d")
    error = refused(desk, 3, "LIMIT_HARD", "36 mL", profile=reduced(desk))
    assert ids(error["findings"], "hard") == ["BRIDGE_NON_DELIVERY"]
    # Without it 150 mcg/day of 2000 move a quarter of that out of the line: that may be.
    told = planned(desk, "36 mL", profile=reduced(desk), bridge="none")[1]
    assert "BRIDGE_LEFT_OUT" in ids(told["findings"], "soft")
    with desk.monkeypatch.context() as patch:
        patch.delitem(refill_check.by_id, "BRIDGE_NON_DELIVERY")
        new = planned(desk, "36 mL", profile=reduced(desk))[1]["new"]
        assert new["bridge"]["plays"] == "400 mcg/day"
    same = continuous("150 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL")
    settled(desk, same, concentration="500 mcg/mL")


def test_downwards_it_does_not_come_without_the_bridge_either(ward: Desk) -> None:
    """150 mcg/day of 500 are 0.3 mL/day: 600 mcg/day of the 2000 mcg/mL in the line."""
    profile = reduced(
        ward, continuous("150 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL")
    )
    for bridge in ("", "none"):
        error = refused(
            ward, 3, "LIMIT_HARD", "36 mL", "40 mL", "500 mcg/mL", profile=profile, bridge=bridge
        )
        assert ids(error["findings"], "hard") == ["BRIDGE_NON_DELIVERY"]
        assert ("600 mcg" if bridge else "400 mcg") in error["message"]


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize("minimum", [False, True])
def test_a_push_right_after_the_refill_does_not_bring_it_back(minimum: bool, ward: Desk) -> None:
    """With the refill therapy was begun again: no increase for a day, from minimum rate a start."""
    settled(ward, MINIMUM if minimum else REDUCED)
    ward.advance("1h")
    push = ward.profile(continuous("400 mcg/day", **DAILY), "old.toml")
    words = ("--port", "emu://ward", "program", "plan", push, "-o", ward.files / "push.json")
    name = "STOPPED_TOO_LONG" if minimum else "FIRST_24H"
    error = ward.refused(3, "LIMIT_HARD", *words)
    assert name in ids(error["findings"], "hard")
    with ward.monkeypatch.context() as patch:
        patch.setattr(past, "_undelivered", lambda *_: None)
        assert ids(ward.data(*words)["findings"], "hard") == [], "the old dose, at a reason"
    start = ward.profile(REDUCED, "start.toml")
    words = (*words[:4], start, *words[5:])
    assert ids(ward.data(*words)["findings"], "hard") == []


@pytest.mark.requirement("PRG-07")
def test_a_fallback_of_the_old_dose_needs_its_reason(ward: Desk) -> None:
    """A reduced program whose stored copies go bad would give it again."""
    high = reduced(ward, continuous("150 mcg/day", **DAILY))
    assert "FALLBACK_HIGH" in ids(planned(ward, "36 mL", profile=high)[1]["findings"], "soft")


def test_nor_does_a_visit_of_another_station_that_found_no_port(ward: Desk) -> None:
    """Its fill is what was left of the one before, by the pump's log alone."""
    refilled(ward, "20 mL")
    ward.advance("100d")
    refilled(ward, None, given_up="port not found", reference="O-2")
    for name in ("journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm"):
        (ward.home / name).unlink(missing_ok=True)
    ward.advance("2d")
    told = planned(ward, "36 mL", reference="O-3", profile=reduced(ward))[1]["new"]
    assert (told["last_fill"], told["discrepancy"]["programmed"]) == ("40 mL", "20.4 mL")
    error = refused(ward, 3, "LIMIT_HARD", "36 mL", reference="O-3")
    assert ids(error["findings"], "hard") == ["REFILL_NON_DELIVERY"]
