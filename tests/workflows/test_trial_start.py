"""The trial on record when a new patient's first dose is planned: START_DOSE speaks by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpctl.workflows.course import past
from tests.helpers.clinic import Clock
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous, spoiled
from tests.helpers.ward import PORT

TAG = "P-0417"


@pytest.fixture
def clinic(desk: Desk) -> Desk:
    """A new pump of 500 mcg/mL, and a patient whom 50 mcg helped for 7 hours: start 100."""
    Clock(desk.monkeypatch, "2026-03-10T09:00:00+01:00")
    at = "2026-03-02T09:00:00+01:00"
    desk.data("trial", TAG, "--inject", "50 mcg", "--at", at, "--years", 34)
    desk.data("trial", TAG, "--response", "yes", "--effect", "7 h")
    desk.emulator("ward", "--concentration", "500 mcg/mL")
    return desk


def new(daily: int, history: str = "new") -> str:
    text = continuous(
        f"{daily} mcg/day", fallback=f"{daily * 3 // 4} mcg/day", concentration="500 mcg/mL"
    )
    return spoiled('"established"', f'"{history}"', text)


def start_dose(desk: Desk, text: str) -> tuple[int, list[tuple[str, str | None]]]:
    """How a plan ends, and what START_DOSE says: severity and limit."""
    words = (*PORT, "program", "plan", desk.profile(text), "-o", desk.files / "plan.json")
    ran = desk.run(*words, "--json")
    told = ran.document
    found = told["error"]["findings"] if "error" in told else told["data"]["findings"]
    return ran.code, [(one["severity"], one["limit"]) for one in found if one["id"] == "START_DOSE"]


@pytest.mark.requirement("LIM-09")
def test_a_start_is_held_against_this_patients_trial(clinic: Desk) -> None:
    """2 x 50 = 100 mcg/day by the trial; 2 x 100 = 200 by the label's largest injection."""
    assert start_dose(clinic, new(300)) == (3, [("hard", "200 mcg/day")])
    assert start_dose(clinic, new(150)) == (0, [("soft", "100 mcg/day")])
    assert start_dose(clinic, new(101)) == (0, [("soft", "100 mcg/day")])
    assert start_dose(clinic, new(100)) == (0, [])


@pytest.mark.requirement("LIM-09")
def test_a_bad_reaction_halves_it(clinic: Desk) -> None:
    clinic.data("trial", TAG, "--response", "yes", "--bad-reaction")
    assert start_dose(clinic, new(100)) == (0, [("soft", "50 mcg/day")])
    assert start_dose(clinic, new(50)) == (0, [])


@pytest.mark.requirement("LIM-09")
def test_the_profile_that_the_trial_writes_is_planned_without_a_word(clinic: Desk) -> None:
    file = clinic.files / "first.toml"
    words = ("--start-profile", file, "--origin", "spinal", "--fallback", "75 mcg/day")
    clinic.data("trial", TAG, *words)
    assert start_dose(clinic, Path(file).read_text("utf-8")) == (0, [])


@pytest.mark.requirement("LIM-09")
def test_without_looking_it_up_150_would_pass(clinic: Desk) -> None:
    clinic.monkeypatch.setattr(past, "start_on_record", lambda *_: None)
    assert start_dose(clinic, new(150)) == (0, [])


def test_another_patients_trial_or_another_history_tells_nothing(clinic: Desk) -> None:
    assert start_dose(clinic, spoiled(TAG, "P-0999", new(150))) == (0, [])
    assert start_dose(clinic, new(150, "transferred")) == (0, [])


def test_a_trial_that_cannot_be_read_is_said_and_refuses_nobody(clinic: Desk) -> None:
    clinic.monkeypatch.setattr(
        "pumpctl.workflows.decide.trials.body_of", lambda _: {"what": "scan"}
    )
    clinic.json("trial", TAG, "--response", "yes", "--effect", "7 h")
    assert start_dose(clinic, new(150)) == (0, [])
    words = (*PORT, "program", "plan", clinic.profile(new(150)), "-o", clinic.files / "p.json")
    assert "the trial on record cannot be read" in clinic.run(*words).err
