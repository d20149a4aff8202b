"""`patient assign|clear`: whose pump it is; the pump holds a hash, the journal too."""

from __future__ import annotations

import sqlite3

import pytest

from pumpctl.therapy.patient import tag_hash
from tests.helpers import lines
from tests.helpers.desk import Desk
from tests.helpers.lines import PORT


@pytest.mark.requirement("PRG-05")
def test_a_pump_is_assigned_reassigned_and_cleared(desk: Desk) -> None:
    serial = lines.weak(desk)
    before = desk.inspect()
    one, two = tag_hash(serial, "P-0417").hex(), tag_hash(serial, "P-0500").hex()
    told = lines.give(desk, "patient", "assign", "P-0417")
    assert (told["old"], told["new"]) == ({"patient": None}, {"patient": one})
    told = lines.give(desk, "patient", "assign", "P-0500")
    assert (told["readback"]["old"], told["readback"]["new"]) == (one, two)
    told = lines.give(desk, "patient", "clear")
    assert (told["old"], told["new"]) == ({"patient": two}, {"patient": None})
    after = desk.inspect()
    assert (after["program"], after["delivery"]) == (before["program"], before["delivery"])


def test_nothing_to_change_is_said_and_not_done(desk: Desk) -> None:
    lines.weak(desk)
    cleared = desk.refused(3, "INPUT", *PORT, "patient", "clear", "--plan-only")
    assert "nobody" in cleared["message"]
    lines.give(desk, "patient", "assign", "P-0417")
    again = desk.refused(3, "INPUT", *PORT, "patient", "assign", "P-0417", "--plan-only")
    assert "already" in again["message"]


@pytest.mark.parametrize("tag", ["", " ", "CHANGE-ME", "a\nb", "x" * 65])
def test_what_is_no_tag_is_refused(desk: Desk, tag: str) -> None:
    lines.weak(desk)
    with desk.untouched():
        desk.refused(2, "USAGE", *PORT, "patient", "assign", tag, "--plan-only")


@pytest.mark.requirement("CNF-02")
def test_a_pipe_cannot_confirm_it(desk: Desk) -> None:
    lines.weak(desk)
    with desk.untouched():
        desk.refused(9, "NOT_CONFIRMED", *PORT, "patient", "assign", "P-0417")
        desk.refused(9, "NOT_CONFIRMED", *PORT, "patient", "clear")


@pytest.mark.requirement("AUD-01")
def test_another_patients_program_is_refused_until_it_is_assigned(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    lines.give(desk, "patient", "assign", "P-9999")
    profile = desk.profile()
    words = (*PORT, "program", "plan", profile)
    error = desk.refused(3, "LIMIT_HARD", *words)
    assert "PATIENT_OTHER" in {found["id"] for found in error["findings"]}
    lines.give(desk, "patient", "clear")
    desk.json(*words)
    with sqlite3.connect(desk.home / "journal.sqlite3") as db:
        rows = [str(row) for row in db.execute("SELECT body FROM journal_entries")]
    db.close()
    assert not any("P-9999" in row for row in rows)
