"""`implant record|revise|show`: what the line holds, "unknown" as an answer, and what follows."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from pumpctl.station.plan import read_plan
from pumpctl.therapy.checks.implants import implant_check
from tests.helpers import lines
from tests.helpers.desk import Desk
from tests.helpers.lines import PORT, said


def contents(desk: Desk) -> tuple[str, str]:
    """Of tubing and catheter, now."""
    now = lines.show(desk)["now"]
    return now["tubing_holds"], now["catheter_holds"]


@pytest.mark.requirement("REF-04")
def test_a_record_is_kept_by_the_pump_and_read_from_it(desk: Desk) -> None:
    lines.weak(desk)
    first = lines.show(desk)
    assert (first["first"], first["event"]) == (True, "implant")
    before = desk.inspect()
    told = lines.record(desk, *said("free"))
    assert told["readback"]["line"]["volume"] == "0.348 mL"
    after, shown = desk.inspect(), lines.show(desk)
    assert after["program"] == before["program"]
    assert after["delivery"] == before["delivery"]
    assert shown["first"] is False
    assert shown["event"] == "implant"
    assert shown["line"] == {"volume": "0.348 mL", "at_least": "0.348 mL"}
    assert shown["catheter"]["tip_level"] == "T10"
    assert (shown["tubing"]["holds"], shown["catheter"]["holds"]) == ("free of drug",) * 2
    assert shown["calibration"] == "0.1 uL"


@pytest.mark.requirement("REF-04")
def test_unknown_is_an_answer_and_gives_bounds(desk: Desk) -> None:
    lines.weak(desk)
    words = said("unknown", "unknown", model="unknown", trimmed="unknown")
    told = lines.record(desk, *words)
    assert {found["id"] for found in told["findings"]} == {"IMPLANT_UNCERTAIN", "IMPLANT_UNKNOWN"}
    shown = lines.show(desk)
    # 0.14 mL of tubing, and at most 110 cm x 0.0026 mL/cm = 0.286 mL of catheter.
    assert shown["line"] == {"volume": "0.426 mL", "at_least": "0.14 mL"}
    assert shown["bridge"] == {"upwards": "0.14 mL", "downwards": "0.426 mL"}
    assert shown["prime"]["possible"] is False


def test_what_was_not_answered_is_asked_for(desk: Desk) -> None:
    lines.weak(desk)
    error = desk.refused(2, "USAGE", *PORT, "implant", "record", "--catheter", "SC110")
    for name in ("--trimmed", "--tubing-holds", "--catheter-holds", "--calibration"):
        assert name in error["message"]


@pytest.mark.requirement("REF-04")
@pytest.mark.requirement("UNI-02")
@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (said(trimmed="30"), 2, "QUANTITY"),
        (said("500"), 2, "QUANTITY"),
        (said(trimmed="111 cm"), 3, "INPUT"),
        (said(model="SC999"), 3, "INPUT"),
        ((*said(), "--tip", "back of the spine"), 2, "USAGE"),
    ],
)
def test_bad_answers_change_nothing(
    desk: Desk, words: tuple[object, ...], code: int, name: str
) -> None:
    lines.weak(desk)
    with desk.untouched():
        desk.refused(code, name, *PORT, "implant", "record", *words, "--plan-only")


@pytest.mark.requirement("LIM-07")
def test_a_concentration_that_is_on_no_list_is_refused(desk: Desk) -> None:
    lines.weak(desk)
    words = (*PORT, "implant", "record", *said("750 mcg/mL"), "--plan-only")
    error = desk.refused(3, "LIMIT_HARD", *words)
    assert [found["id"] for found in error["findings"]] == ["IMPLANT_DRUG"]
    desk.monkeypatch.delitem(implant_check.by_id, "IMPLANT_DRUG")
    document = desk.json(*words, code=6)  # the pump has a list of its own
    assert document["error"]["pump_code"] == "CONCENTRATION"


@pytest.mark.requirement("REF-04")
def test_another_constant_than_the_pumps_is_hard(desk: Desk) -> None:
    lines.weak(desk)
    words = (*PORT, "implant", "record", *said(calibration="0.1003 uL"), "--plan-only")
    error = desk.refused(3, "LIMIT_HARD", *words)
    assert [found["id"] for found in error["findings"]] == ["IMPLANT_CALIBRATION"]
    assert (error["findings"][0]["value"], error["findings"][0]["limit"]) == (
        "0.1003 uL",
        "0.1 uL",
    )
    desk.monkeypatch.delitem(implant_check.by_id, "IMPLANT_CALIBRATION")
    desk.json(*words)


@pytest.mark.requirement("REF-04")
def test_a_constant_that_nobody_compared_needs_a_reason(desk: Desk) -> None:
    lines.weak(desk)
    _, told = lines.plan(desk, "implant", "record", *said(calibration="unknown"))
    assert told["confirm"] is None
    assert [found["id"] for found in told["findings"]] == ["IMPLANT_CALIBRATION_UNCHECKED"]
    override = ("--override", "IMPLANT_CALIBRATION_UNCHECKED=package lost, asked the maker")
    lines.record(desk, *said(calibration="unknown"), *override)


@pytest.mark.requirement("REF-09")
@pytest.mark.parametrize(
    ("event", "more", "tubing", "catheter"),
    [
        ("catheter aspiration", (), "free of drug", "unknown"),
        ("catheter aspiration", ("--catheter-holds", "free"), "free of drug", "free of drug"),
        ("dye study", (), "free of drug", "unknown"),
        ("access port", (), "free of drug", "unknown"),
        ("revision", ("--trimmed", "35 cm"), "free of drug", "unknown"),
        ("pump replacement", ("--calibration", "0.1 uL"), "unknown", "unknown"),
        ("explant", (), "unknown", "unknown"),
        ("correction", (), "free of drug", "free of drug"),
    ],
)
def test_what_an_event_touches_and_nobody_states_is_unknown(
    desk: Desk, event: str, more: tuple[str, ...], tubing: str, catheter: str
) -> None:
    lines.weak(desk)
    lines.record(desk, *said("free"))
    lines.give(desk, "implant", "revise", "--event", event, *more)
    assert contents(desk) == (tubing, catheter)
    assert lines.show(desk)["event"] == event


@pytest.mark.requirement("REF-09")
def test_after_an_event_the_next_prime_goes_by_it(desk: Desk) -> None:
    lines.weak(desk)
    plan = (*PORT, "bolus", "prime", "--plan-only")
    desk.refused(3, "LIMIT_HARD", *plan)  # drug in the catheter
    words = ("implant", "revise", "--event", "catheter aspiration")
    lines.give(desk, *words, "--catheter-holds", "free")
    assert desk.json(*plan)["data"]["new"]["volume"] == "0.208 mL"
    lines.give(desk, *words)  # once more, and nobody says what is in it now
    desk.refused(3, "LIMIT_HARD", *plan)


@pytest.mark.requirement("REF-09")
def test_a_new_pump_on_a_catheter_with_drug_is_not_primed(desk: Desk) -> None:
    lines.weak(desk)
    held = ("--tubing-holds", "free", "--catheter-holds", "500 mcg/mL", "--calibration", "0.1 uL")
    lines.give(desk, "implant", "revise", "--event", "pump replacement", *held)
    shown = lines.show(desk)
    # Of the catheter nobody has told this pump.
    assert (shown["catheter"]["model"], shown["catheter"]["trimmed"]) == ("unknown", "unknown")
    error = desk.refused(3, "LIMIT_HARD", *PORT, "bolus", "prime", "--plan-only")
    assert "the catheter holds baclofen 500 mcg/mL" in error["message"]


@pytest.mark.requirement("REF-09")
def test_a_correction_does_not_make_a_line_free_into_which_drug_was_moved(desk: Desk) -> None:
    lines.weak(desk)
    lines.record(desk, *said())
    desk.advance("1 h")  # 2000 nL
    lines.give(desk, "implant", "revise", "--event", "correction", "--tip", "T9")
    assert contents(desk) == ("baclofen 500 mcg/mL", "unknown")
    lines.record(desk, *said(), "--override", "IMPLANT_AGAIN=rinsed in theatre")
    desk.advance("1 h")
    words = (*PORT, "implant", "revise", "--event", "correction", "--catheter-holds", "free")
    error = desk.refused(3, "LIMIT_HARD", *words, "--plan-only")
    found = {each["id"] for each in error["findings"]}
    assert found == {"IMPLANT_NOT_FREE", "IMPLANT_SAME"}
    # Without both a whole catheter would be primed once more; last of all the pump says no.
    for name in found:
        desk.monkeypatch.delitem(implant_check.by_id, name)
    lines.give(desk, *words[2:])
    document = desk.json(*PORT, "bolus", "prime", "--plan-only", code=6)
    assert "only 206000 nL at the tip are free of drug" in document["error"]["message"]


@pytest.mark.requirement("REF-09")
def test_a_catheter_that_was_rinsed_again_is_primed_again(desk: Desk) -> None:
    lines.weak(desk)
    lines.record(desk, *said())
    lines.prime(desk)
    desk.advance("2 h")
    free = ("--event", "catheter aspiration", "--catheter-holds", "free")
    error = desk.refused(3, "LIMIT_HARD", *PORT, "implant", "revise", *free, "--plan-only")
    assert [found["id"] for found in error["findings"]] == ["IMPLANT_SAME"]
    lines.give(desk, "implant", "revise", "--event", "catheter aspiration")
    lines.give(desk, "implant", "revise", *free)
    assert lines.prime(desk)["new"]["volume"] == "0.208 mL"


@pytest.mark.requirement("REF-09")
def test_no_record_is_written_while_a_bolus_runs(desk: Desk) -> None:
    lines.weak(desk)
    lines.record(desk, *said())
    lines.prime(desk)
    words = (*PORT, "implant", "revise", "--event", "dye study", "--plan-only")
    error = desk.refused(3, "LIMIT_HARD", *words)
    assert [found["id"] for found in error["findings"]] == ["IMPLANT_BOLUS_RUNNING"]
    desk.monkeypatch.delitem(implant_check.by_id, "IMPLANT_BOLUS_RUNNING")
    desk.json(*words)


@pytest.mark.requirement("AUD-01")
def test_the_journal_holds_event_and_record_and_no_tag(desk: Desk) -> None:
    lines.weak(desk)
    lines.give(desk, "patient", "assign", "P-0417")
    path, told = lines.plan(desk, "implant", "revise", "--event", "dye study")
    desk.apply(path, told["confirm"])
    order = read_plan(path).order
    assert order["event"] == "dye study"
    assert order["catheter_holds"] == "unknown"
    with sqlite3.connect(desk.home / "journal.sqlite3") as db:
        rows = [str(row) for row in db.execute("SELECT body FROM journal_entries")]
    db.close()
    assert any("dye study" in row for row in rows)
    assert not any("P-0417" in row for row in rows)


@pytest.mark.requirement("REF-04")
def test_a_record_of_another_station_counts_from_the_pumps_log(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines.weak(desk)
    lines.record(desk, *said())
    desk.advance("1 h")  # 2000 nL: 20 pulses, and one that is metered
    told: dict[str, Any] = lines.show(desk)
    assert (told["moved_since"], told["event"]) == ("0.0021 mL", "implant")
    from pumpctl.workflows import implants

    monkeypatch.setattr(implants, "_ours", lambda *_: None)
    other = lines.show(desk)
    assert (other["moved_since"], other["event"]) == ("0.0021 mL", "unknown")


def test_an_unknown_event_is_refused_with_the_list(desk: Desk) -> None:
    lines.weak(desk)
    error = desk.refused(2, "USAGE", *PORT, "implant", "revise", "--event", "lunch")
    assert "dye study" in error["hint"]
