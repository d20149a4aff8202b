"""`bolus prime`: only what is free of drug, by hand-worked cases, and by the pump's own truth."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pumpctl.therapy.checks.primes import prime_check
from pumpctl.workflows.acts import primes
from tests.helpers import lines
from tests.helpers.desk import Desk
from tests.helpers.lines import PORT, said
from tests.therapy.samples import NOW, even


def delivered(desk: Desk) -> str:
    return str(desk.inspect()["delivered"].get("baclofen", "0 mcg"))


@pytest.mark.requirement("REF-09")
@pytest.mark.requirement("REF-04")
@pytest.mark.parametrize(
    ("strength", "words", "volume", "mass", "fills"),
    [
        # tubing primed before the implant: 800 mm x 260 nL = 208,000 nL; x 500 pg/nL = 104 mcg
        ("500 mcg/mL", said(), "0.208 mL", "104 mcg", "catheter"),
        # water in the tubing: 140,000 + 208,000 nL; x 500 = 174 mcg
        ("500 mcg/mL", said("free"), "0.348 mL", "174 mcg", "tubing and catheter"),
        # the same volume at 2000 mcg/mL: four times the mass, 4 x 104 = 416 mcg
        ("2000 mcg/mL", said("2000 mcg/mL"), "0.208 mL", "416 mcg", "catheter"),
        # trimmed by 23.5 cm: 865 mm x 260 nL = 224,900 nL; x 500 = 112.45 mcg
        ("500 mcg/mL", said(trimmed="23.5 cm"), "0.2249 mL", "112.45 mcg", "catheter"),
        # 301 mm cut: 799 x 260 = 207,740 nL; x 500 = 103.87 mcg: no whole number of pulses
        ("500 mcg/mL", said(trimmed="30.1 cm"), "0.20774 mL", "103.87 mcg", "catheter"),
    ],
)
def test_the_prime_fills_what_is_free_and_nothing_passes_the_tip(
    desk: Desk, strength: str, words: tuple[object, ...], volume: str, mass: str, fills: str
) -> None:
    desk.json("emulator", "new", "ward", "--pair", "--frozen", "--concentration", strength)
    desk.rehearse()
    lines.record(desk, *words)
    before = delivered(desk)
    told = lines.prime(desk)
    assert (told["new"]["volume"], told["new"]["fills"]) == (volume, fills)
    back = told["readback"]
    assert (back["dose"], back["stays_in_line_dose"], back["past_tip_dose"]) == (
        mass,
        mass,
        "0 mcg",
    )
    assert told["new"]["worst_past_tip_dose"] == mass
    assert desk.pump("status")["bolus"]["kind"] == "prime"
    # By its end the basal rate has moved 24.96 min x 48,000 nL/day = 832 nL beside it.
    desk.advance("20 min")
    assert delivered(desk) == before


@pytest.mark.requirement("REF-09")
@pytest.mark.parametrize(
    ("tubing", "catheter", "why"),
    [
        ("500 mcg/mL", "500 mcg/mL", "the catheter holds baclofen 500 mcg/mL"),
        ("500 mcg/mL", "2000 mcg/mL", "the catheter holds baclofen 2000 mcg/mL"),
        ("free", "unknown", "what the catheter holds is unknown"),
        ("unknown", "free", "what the tubing holds is unknown"),
    ],
)
def test_drug_or_nobody_knows_what_is_refused(
    desk: Desk, tubing: str, catheter: str, why: str
) -> None:
    lines.weak(desk)
    lines.record(desk, *said(tubing, catheter))
    with desk.untouched():
        error = desk.refused(3, "LIMIT_HARD", *PORT, "bolus", "prime", "--plan-only")
    assert [found["id"] for found in error["findings"]] == ["PRIME_REFUSED"]
    assert why in error["message"]


@pytest.mark.requirement("REF-09")
def test_a_second_prime_is_refused_and_so_is_a_plan_of_before(desk: Desk) -> None:
    lines.weak(desk)
    lines.record(desk, *said())
    early, _ = lines.plan(desk, "bolus", "prime", to="early.json")
    lines.prime(desk)
    desk.advance("50 min")
    error = desk.refused(3, "LIMIT_HARD", *PORT, "bolus", "prime", "--plan-only")
    assert "the catheter holds baclofen 500 mcg/mL" in error["message"]
    desk.refused(3, "PLAN_STALE", *PORT, "apply", early, "--confirm", lines.by_hand(early))
    shown = lines.show(desk)
    assert shown["prime"]["possible"] is False
    assert (shown["now"]["event"], shown["now"]["catheter_holds"]) == (
        "front at the tip",
        "baclofen 500 mcg/mL",
    )


@pytest.mark.requirement("REF-09")
@pytest.mark.parametrize("trimmed", ["30 cm", "30.1 cm"])
def test_right_after_a_prime_there_is_nothing_left_to_prime(desk: Desk, trimmed: str) -> None:
    lines.weak(desk)
    lines.record(desk, *said(trimmed=trimmed))
    lines.prime(desk)
    error = desk.refused(3, "LIMIT_HARD", *PORT, "bolus", "prime", "--plan-only")
    assert "BOLUS_ORDER_RUNNING" in {found["id"] for found in error["findings"]}
    desk.advance("25 min")  # it takes 24.96, or a little less
    error = desk.refused(3, "LIMIT_HARD", *PORT, "bolus", "prime", "--plan-only")
    assert [found["id"] for found in error["findings"]] == ["PRIME_REFUSED"]


@pytest.mark.requirement("REF-09")
def test_a_prime_that_was_cut_short_leaves_the_rest_to_be_primed(desk: Desk) -> None:
    lines.weak(desk)
    lines.record(desk, *said())
    lines.prime(desk)
    # 12 min of 24.96: 208,000 nL x 12 / 24.96 = 100,000 nL of the prime, and
    # 48,000 nL/day x 12 min = 400 nL of the basal rate: 100,400 nL, 1004 pulses.
    desk.advance("12 min")
    desk.pump("bolus", "cancel", "--now")
    path, told = lines.plan(desk, "bolus", "prime")
    # One pulse more for what is metered: 100,500. 208,000 - 100,500 = 107,500 nL, x 500 pg/nL.
    assert told["new"]["moved_since_record"] == "0.1005 mL"
    assert told["new"]["volume"] == "0.1075 mL"
    assert told["readback"]["stays_in_line_dose"] == "53.75 mcg"
    desk.apply(path, lines.by_hand(path))


@pytest.mark.requirement("REF-09")
@pytest.mark.requirement("REF-04")
def test_an_uncertain_length_takes_the_lower_bound(desk: Desk) -> None:
    lines.weak(desk)
    # Trimmed by nobody knows how much: between 0 and 286,000 nL. Water in the tubing is certain:
    # 140,000 nL x 500 pg/nL = 70 mcg, and up to 0.286 mL stay free.
    lines.record(desk, *said("free", trimmed="unknown"))
    told = desk.pump("bolus", "prime", "--plan-only")
    assert (told["new"]["volume"], told["new"]["unfilled"]) == ("0.14 mL", "0.286 mL")
    assert told["readback"]["dose"] == "70 mcg"
    assert [found["id"] for found in told["findings"] if found["severity"] == "soft"] == [
        "PRIME_UNCERTAIN"
    ]
    # With the tubing primed nothing at all is certain.
    lines.record(desk, *said(trimmed="unknown"), "--override", "IMPLANT_AGAIN=a rehearsal")
    error = desk.refused(3, "LIMIT_HARD", *PORT, "bolus", "prime", "--plan-only")
    assert "nothing of the line is certain" in error["message"]


@pytest.mark.requirement("REF-04")
@pytest.mark.requirement("REF-09")
def test_failure_4_a_prime_by_the_tubing_volume_of_before_the_correction(desk: Desk) -> None:
    """A prime's volume is never typed: it is the newest table's, and an older one needs a reason.

    0.199 instead of 0.140 mL: 59,000 nL too much, 29.5 mcg at 500 and 118 at 2000 mcg/mL.
    """
    lines.weak(desk)
    old = (*said("free", "free"), "--table", "1")
    error_words = (*PORT, "implant", "record", *old, "--plan-only")
    found = desk.json(*error_words)["data"]["findings"]
    assert [each["id"] for each in found] == ["IMPLANT_TABLE_OLD"]
    lines.record(desk, *old, "--override", "IMPLANT_TABLE_OLD=as it was written in 2015")
    shown = lines.show(desk)
    assert shown["superseded"] == {"line": "0.407 mL", "newest": "0.348 mL"}

    with desk.untouched():
        error = desk.refused(3, "LIMIT_HARD", *PORT, "bolus", "prime", "--plan-only")
    assert [each["id"] for each in error["findings"]] == ["LINE_TABLE_OLD"]
    # Without that check: 199,000 + 208,000 nL x 500 pg/nL = 203.5 mcg, 29.5 more than 174.
    desk.monkeypatch.delitem(prime_check.by_id, "LINE_TABLE_OLD")
    wrong = desk.pump("bolus", "prime", "--plan-only")
    assert wrong["readback"]["dose"] == "203.5 mcg"
    desk.monkeypatch.undo()
    desk.monkeypatch.setenv("PUMPCTL_HOME", str(desk.home))
    desk.monkeypatch.setenv("PUMPCTL_OPERATOR", "nurse")
    desk.rehearse()

    # Nothing was moved yet, so that the correction keeps what the line holds.
    lines.give(desk, "implant", "revise", "--event", "correction")
    assert lines.show(desk)["superseded"] is None
    right = desk.pump("bolus", "prime", "--plan-only")
    assert right["readback"]["dose"] == "174 mcg"


@pytest.mark.requirement("REF-09")
@pytest.mark.requirement("CNF-03")
def test_a_script_gets_no_token_and_nobody_is_asked_without_a_terminal(desk: Desk) -> None:
    lines.weak(desk)
    lines.record(desk, *said())
    path, told = lines.plan(desk, "bolus", "prime")
    assert told["confirm"] is None
    assert json.loads(path.read_text())["kind"] == "prime"
    with desk.untouched():
        desk.refused(9, "NOT_CONFIRMED", *PORT, "bolus", "prime")
        desk.refused(9, "NOT_CONFIRMED", "confirm", path)
        desk.refused(9, "NOT_CONFIRMED", *PORT, "apply", path, "--confirm", "AAAA-AAAA-AAAA-AAAA")


@pytest.mark.requirement("REF-09")
@pytest.mark.requirement("LIM-01")
def test_what_was_free_when_it_was_planned_may_hold_drug_when_it_is_applied(desk: Desk) -> None:
    lines.weak(desk)
    lines.record(desk, *said())
    path, _ = lines.plan(desk, "bolus", "prime")
    desk.advance("30 min")  # 1000 nL
    words = (*PORT, "apply", path, "--confirm", lines.by_hand(path))
    with desk.untouched():
        error = desk.refused(3, "LIMIT_HARD", *words)
    assert [found["id"] for found in error["findings"]] == ["PRIME_TOO_MUCH"]
    # Without the station's check the pump's own says the same.
    desk.monkeypatch.delitem(prime_check.by_id, "PRIME_TOO_MUCH")
    document: dict[str, Any] = desk.json(*words, code=6)
    assert document["error"]["pump_code"] == "RANGE"


@pytest.mark.requirement("REF-09")
def test_a_running_program_is_left_its_share_of_the_time_in_which_one_confirms(desk: Desk) -> None:
    lines.weak(desk)
    lines.record(desk, *said())
    text = desk.profile().read_text().replace("2000 mcg/mL", "500 mcg/mL")
    desk.program(text)
    path, told = lines.plan(desk, "bolus", "prime")
    moved = told["new"]["moved_since_record"]
    assert moved != "0 mL"
    desk.advance("9 min")
    desk.apply(path, lines.by_hand(path))


def test_the_allowance_is_what_the_program_gives_in_ten_minutes() -> None:
    # 500 mcg/day at 500 mcg/mL are 1,000,000 nL/day; x 10 / 1440 = 6944.4 nL, up: 6945.
    program = even("500 mcg/day", 500)
    assert primes.while_confirmed(program, NOW).quanta == 6_945
    assert primes.while_confirmed(None, NOW).quanta == 0
