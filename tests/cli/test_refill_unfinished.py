"""Guided refills that were broken off: gone on with, taken over, ended, found to be over."""

from __future__ import annotations

import pytest

from pumpctl.errors import StoreError
from pumpctl.station.journal import Journal
from pumpctl.workflows.refill.answers import Values
from pumpctl.workflows.refill.asking import Asking
from pumpctl.workflows.refill.steps import Step, Steps
from tests.helpers.chair import CONFIRM, DRAINED, DRUG, INJECT, KEEP, NEXT, ORDER, Chair, Ward
from tests.helpers.desk import Desk


@pytest.fixture
def ward(desk: Desk) -> Ward:
    """400 mcg/day of 2000 mcg/mL: 20 of 40 mL are left."""
    return Ward(desk)


def test_before_the_needle_a_visit_may_begin_anew(ward: Ward) -> None:
    assert ward.ran(*ward.who, *ORDER).code == 9
    ran = ward.ran(ward.who[0], ('Type "go on" or "anew"', "anew"), ward.who[1], ORDER[0])
    assert ran.code == 9
    assert ward.steps() == [
        *("begun", "prescriber", "reference", "closed", "begun", "prescriber"),
    ]


def test_a_visit_of_another_tag_is_never_gone_on_with(desk: Desk) -> None:
    """A pump without a patient holds no tag that the first one could be held against."""
    serial = desk.emulator("ward", "--volume", "40 mL")
    desk.rehearse()
    chair = Chair(desk)
    card = ("implant card", serial)
    assert chair.ran(("Patient's tag", "P-0471"), card, *ORDER).code == 9
    again = (("Patient's tag", "P-0417"), ('Type "anew"', "go on"), ('Type "anew"', "anew"), card)
    ran = chair.ran(*again, *ORDER, ("Drained", "40 mL"))
    assert "another tag" in ran.err
    assert "this refill assigns it" in ran.err
    ran = chair.ran(("Patient's tag", "P-0471"), ('Type "end it"', "end it"), ("Why", "wrong tag"))
    assert "DRAINED" in ran.err


@pytest.mark.requirement("REF-06")
def test_somebody_else_s_visit_is_taken_over_or_ended_by_words(ward: Ward) -> None:
    assert ward.ran(*ward.who, *ORDER, *DRAINED).code == 9
    ward.desk.pump("operator", "list")
    with Journal(ward.desk.home / "journal.sqlite3") as journal:
        entry = journal.entries()[-1]
        body = {**entry.body, "step": "closed", "values": {"how": "handed over"}}
        journal.append("visit", at=entry.at, pump=entry.pump, operation=None, body=body)
        for each in [one for one in journal.entries() if one.kind == "visit"][:-1]:
            body = {**each.body, "visit": "beef", "operator": "anna"}
            journal.append("visit", at=each.at, pump=each.pump, operation=None, body=body)
    ran = ward.ran(ward.who[0], ('Type "go on" or "end it"', "y"), ('Type "go on"', "go on"), *DRUG)
    assert "DRAINED" in ran.err
    assert "by anna" in ran.err
    ran = ward.ran(
        *(ward.who[0], ('Type "go on" or "end it"', "end it"), ("Why is it ended", "wrong pump"))
    )
    assert ran.code == 9
    assert ward.bodies()[-1]["values"] == {"how": "wrong pump"}


@pytest.mark.requirement("REF-06")
@pytest.mark.requirement("AUD-01")
@pytest.mark.parametrize("forgets", [False, True])
def test_the_end_that_was_not_written_down(forgets: bool, ward: Ward) -> None:
    """The pump has it, and says so; without the operation's id nobody could tell which it was."""
    written = Asking.answer

    def full(self: Asking, step: Step, values: Values) -> Steps:
        if step is Step.CLOSED:
            raise StoreError("disk full")
        if step is Step.CONFIRMED and forgets:
            return self.told
        return written(self, step, values)

    with ward.desk.monkeypatch.context() as patched:
        patched.setattr(Asking, "answer", full)
        whole = (*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP, *INJECT, *NEXT, *CONFIRM)
        ran = ward.ran(*whole)
    assert ran.code == 0, ran.err
    assert "disk full" in ran.err
    before = ward.desk.truth()
    again = ward.ran(*(ward.who if forgets else ()))
    assert (again.code, "ORD-7 was applied before" in again.out) == (
        (9, False) if forgets else (0, True)
    )
    assert ("filled since, by another act" in again.err) == forgets
    assert ward.desk.truth() == before


@pytest.mark.requirement("REF-06")
def test_a_visit_is_over_when_the_pump_was_filled_by_another_act(ward: Ward) -> None:
    assert ward.ran(*ward.who, *ORDER, *DRAINED).code == 9
    with Journal(ward.desk.home / "journal.sqlite3") as journal:
        found = [one for one in journal.entries() if one.kind == "visit"]
        body = {**found[-1].body, "step": "closed", "values": {"how": "moved"}}
        journal.append("visit", at=found[0].at, pump=ward.serial, operation=None, body=body)
        for each in found:
            body = {**each.body, "visit": "beef"}
            if each.body["step"] == "begun":
                body["values"] = {**each.body["values"], "filled_at": "1"}
            journal.append("visit", at=each.at, pump=ward.serial, operation=None, body=body)
    ran = ward.ran(*ward.who, ORDER[0])
    assert "filled since, by another act" in ran.err
    assert ward.steps()[-3:] == ["closed", "begun", "prescriber"]


@pytest.mark.requirement("REF-06")
def test_a_visit_is_over_when_the_pump_is_filled_while_somebody_thinks(ward: Ward) -> None:
    """Another terminal, with a file of another order: nothing is planned on top of it."""
    from tests.helpers.visits import refilled

    ask, done = ward.chair._ask, list[str]()

    def meanwhile(prompt: str) -> str:
        if "Next refill visit" in prompt:
            refilled(ward.desk, "20 mL", reference="O-2")
            done.append(prompt)
        return ask(prompt)

    from pumpctl.cli.refill import prompts as refill_prompts

    ward.desk.monkeypatch.setattr(refill_prompts, "ask", meanwhile)
    ran = ward.ran(*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP, *INJECT, *NEXT)
    assert done
    assert (ran.code, "filled since this visit began" in ran.err) == (3, True)
    assert [one["kind"] for one in ward.desk.inspect()["operations"]].count("refill") == 1
    assert "filled since, by another act" in ward.ran(*ward.who).err


@pytest.mark.requirement("REF-01")
def test_a_drain_of_yesterday_is_held_against_what_was_expected_then(ward: Ward) -> None:
    """0.2 mL that the pump counted since came out of an empty reservoir."""
    assert ward.ran(*ward.who, *ORDER, *DRAINED).code == 9
    ward.desk.advance("1d")
    on = (ward.who[0], ('Type "go on" or "end it"', "go on"))
    ran = ward.ran(*on, *DRUG, *KEEP, *INJECT, *NEXT, *CONFIRM)
    assert ran.code == 0, ran.err
    with Journal(ward.desk.home / "journal.sqlite3") as journal:
        order = [one.body["order"] for one in journal.entries() if one.kind == "intent"][-1]
    measured = order["measured"]
    assert (measured["expected"], measured["counted"]) == ("20 mL", "20000000")
    assert measured["since"] - measured["drained_since"] == 2000
    assert (measured["volume"], order["told"]["drained"]) == ("40 mL", "20 mL")
