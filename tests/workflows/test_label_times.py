"""The label's rules of time on the whole road: start, wait, increase, stop, begin again.

Pumps are frozen and time passes by `advance`; the station's clock is the pump's,
but where a test says otherwise.
"""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.station.journal import Journal
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.workflows.course.past import Told
from pumpctl.workflows.road import applying, scene
from tests.helpers.desk import Desk
from tests.helpers.ward import (
    MINIMUM,
    PORT,
    elsewhere,
    lost_journal,
    of,
    refused,
    taken,
    told_ids,
    warned,
)

# --- the first 24 hours -------------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
def test_no_increase_in_a_new_patient_s_first_24_hours(ward: Desk) -> None:
    ward.program(of(150, "new"))
    ward.advance("1439 min")
    assert refused(ward, of(165, "new")) == ["FIRST_24H"]
    ward.advance("1 min")
    ward.program(of(165, "new"))
    assert ward.pump("status")["program"]["daily_dose"] == "165 mcg/day"


@pytest.mark.requirement("LIM-09")
def test_the_first_24_hours_are_not_asked_of_the_established(ward: Desk) -> None:
    ward.program(of(240))
    ward.advance("1 h")
    ward.program(of(260))


@pytest.mark.requirement("LIM-09")
def test_a_pump_that_waited_on_the_shelf_begins_with_its_first_dose(ward: Desk) -> None:
    ward.advance("300d")
    ward.program(of(150, "new"))
    ward.advance("23 h")
    assert refused(ward, of(160, "new")) == ["FIRST_24H"]


@pytest.mark.requirement("LIM-09")
def test_a_starting_dose_is_one_also_where_the_pump_has_a_patient(ward: Desk) -> None:
    taken(ward, MINIMUM)
    assert refused(ward, of(210, "new")) == ["START_DOSE"]
    ward.program(of(200, "new"))


# --- one increase in 24 hours -------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
def test_one_increase_in_24_hours(ward: Desk) -> None:
    ward.program(of(240))
    ward.advance("30 h")
    ward.program(of(260))
    ward.advance("10 h")
    assert refused(ward, of(280)) == ["INCREASE_24H"]
    ward.advance("839 min")
    assert refused(ward, of(280)) == ["INCREASE_24H"]
    ward.advance("1 min")
    ward.program(of(280))


@pytest.mark.requirement("LIM-09")
def test_without_the_course_the_second_increase_passes(ward: Desk) -> None:
    ward.program(of(240))
    ward.advance("30 h")
    ward.program(of(260))
    with ward.monkeypatch.context() as patch:
        patch.setattr(scene, "past_of", lambda *_: Told(None))
        path, told = ward.plan(of(280))
    words = (*PORT, "apply", path, "--confirm", told["confirm"])
    with ward.untouched():
        error = ward.refused(3, "LIMIT_HARD", *words)
    assert [one["id"] for one in error["findings"]] == ["INCREASE_24H"], "asked again, and seen"
    ward.monkeypatch.setattr(scene, "past_of", lambda *_: Told(None))
    assert ward.json(*words)["data"]["outcome"] == "applied"


@pytest.mark.requirement("LIM-09")
def test_a_mistaken_reduction_is_corrected_within_the_hour(ward: Desk) -> None:
    ward.program(of(240))
    ward.advance("30 h")
    ward.program(of(264))
    ward.advance("5 h")
    ward.program(of(220))
    ward.advance("50 min")
    assert refused(ward, of(265)) == ["INCREASE_24H"]
    ward.program(of(264))


@pytest.mark.requirement("LIM-09")
def test_a_reduction_is_never_blocked(ward: Desk) -> None:
    ward.program(of(150, "new"))
    ward.program(of(140, "new"))
    ward.advance("30 h")
    ward.program(of(160, "new"))
    ward.program(of(140, "new"))
    ward.pump("stop", "--now")
    assert ward.inspect()["delivery"] == "stopped"
    with elsewhere(ward):
        taken(ward, of(120, "new"))
        taken(ward, of(110, "new"))
    ward.program(of(100, "new"))


@pytest.mark.requirement("LIM-09")
def test_no_clock_moves_the_rule(ward: Desk) -> None:
    """Neither the station's, wherever it stands, nor the label: elapsed time is the pump's."""
    ward.program(of(240))
    ward.advance("30 h")
    ward.program(of(260))
    ward.advance("10 h")
    for days in (-3, 1, 400):
        shown = Moment.parse(ward.inspect()["time"]).plus(days * DAY_MS)
        ward.monkeypatch.setenv("PUMPCTL_NOW", str(shown))
        assert refused(ward, of(280)) == ["INCREASE_24H"]
    ward.monkeypatch.delenv("PUMPCTL_NOW")
    assert refused(ward, of(280)) == ["INCREASE_24H"]


# --- several stations ---------------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
def test_an_increase_by_another_station_counts(ward: Desk) -> None:
    """A plan of before it is stale; a new one is held against it."""
    ward.program(of(240))
    ward.advance("30 h")
    path, told = ward.plan(of(250), to="before.json")
    with elsewhere(ward):
        ward.program(of(260))
    with ward.untouched():
        ward.refused(3, "PLAN_STALE", *PORT, "apply", path, "--confirm", told["confirm"])
    ward.advance("9 min")
    assert refused(ward, of(280)) == ["INCREASE_24H"]
    assert warned(ward, of(260)) == ""
    ward.advance("24 h")
    ward.program(of(280))


@pytest.mark.requirement("LIM-09")
def test_what_two_changes_elsewhere_brought_is_not_guessed(ward: Desk) -> None:
    ward.program(of(240))
    ward.advance("60 h")
    with elsewhere(ward):
        ward.program(of(250))
        ward.advance("1 h")
        ward.program(of(220))
    told = warned(ward, of(230))
    assert told.startswith("another station changed the program, and it is not known here to what")
    assert told.endswith("ask when the dose was last increased")
    assert "LABEL_TIMES_UNKNOWN" in told_ids(ward, of(230, "new"))
    ward.advance("48 h")
    assert warned(ward, of(230)) == "", "by then no rule asks for it"


@pytest.mark.requirement("LIM-09")
def test_a_journal_that_was_lost(ward: Desk) -> None:
    ward.program(of(150, "new"))
    lost_journal(ward)
    assert refused(ward, of(160, "new")) == ["FIRST_24H"], "the pump's log holds the beginning"
    ward.advance("30 h")
    ward.program(of(160, "new"))
    lost_journal(ward)
    assert "is not known here to what" in warned(ward, of(170, "new"))
    assert "LABEL_TIMES_UNKNOWN" in told_ids(ward, of(170, "new"))
    ward.program(of(155, "new"))


@pytest.mark.requirement("LIM-09")
def test_a_second_increase_at_a_station_that_lost_its_journal_needs_a_reason(ward: Desk) -> None:
    """220 mcg/day at 30 h, 240 at 32 h: the log shows that something was done 2 h ago."""
    ward.program(of(200))
    ward.advance("30 h")
    ward.program(of(220))
    ward.advance("2 h")
    assert refused(ward, of(240)) == ["INCREASE_24H"]
    lost_journal(ward)
    _, planned = ward.plan(of(240))
    (seen,) = [each for each in planned["findings"] if each["id"] == "LABEL_TIMES_UNKNOWN"]
    assert seen["severity"] == "soft"
    assert "somebody changed the program 2 h ago" in seen["message"]
    assert planned["confirm"] is None
    _, lower = ward.plan(of(210))
    assert "LABEL_TIMES_UNKNOWN" not in {each["id"] for each in lower["findings"]}, "a reduction"
    ward.advance("22 h")
    _, later = ward.plan(of(240))
    assert later["confirm"] is not None, "24 h after whatever was done it is a note"


@pytest.mark.requirement("LIM-09")
def test_an_intent_without_its_program_is_no_guess(ward: Desk) -> None:
    """As a journal holds it that was written before programs were in it."""
    real = applying._body

    def older(*given: Any) -> dict[str, object]:
        return {key: each for key, each in real(*given).items() if not key.endswith("_bytes")}

    ward.monkeypatch.setattr(applying, "_body", older)
    ward.program(of(240))
    ward.program(of(250))
    assert "is not known here to what" in warned(ward, of(260))


@pytest.mark.requirement("LIM-09")
def test_a_journal_that_says_something_else_than_the_pump(ward: Desk) -> None:
    real = Journal.append

    def other(self: Journal, kind: Any, **more: Any) -> bytes:
        if kind == "intent":
            more["body"]["program_bytes"] = more["body"]["old_program_bytes"]
        return real(self, kind, **more)

    ward.monkeypatch.setattr(Journal, "append", other)
    ward.program(of(240))
    assert "do not agree about a program" in warned(ward, of(250))


# --- pauses -------------------------------------------------------------------------------


@pytest.mark.requirement("STP-03")
def test_a_minute_of_minimum_rate_does_not_hide_50_hours(ward: Desk) -> None:
    ward.program(of(240))
    ward.advance("10 h")
    ward.pump("stop", "--now")
    ward.advance("50 h")
    taken(ward, MINIMUM)
    ward.advance("1 min")
    assert refused(ward, of(240)) == ["STOPPED_TOO_LONG"]
    with elsewhere(ward):  # the station does not know the past; the pump does
        words = ("program", "plan", ward.profile(of(240)), "-o", ward.files / "no.json")
        assert ward.refused(6, "PUMP_REFUSED", *PORT, *words)["pump_code"] == "STOPPED_TOO_LONG"
    taken(ward, of(150))
    ward.advance("1 h")
    assert refused(ward, of(160)) == ["FIRST_24H"], "begun again"
    ward.advance("23 h")
    ward.program(of(160))


@pytest.mark.requirement("STP-03")
def test_months_at_minimum_rate_are_a_pause(ward: Desk) -> None:
    ward.program(of(240))
    ward.advance("10 h")
    taken(ward, MINIMUM)
    ward.advance("200d")
    assert refused(ward, of(240)) == ["STOPPED_TOO_LONG"]


@pytest.mark.requirement("STP-03")
def test_a_short_stop_is_none(ward: Desk) -> None:
    ward.program(of(240))
    ward.advance("30 h")
    ward.pump("stop", "--now")
    ward.advance("3 h")
    ward.pump("stop", "--now")
    told = ward.pump("resume", "--plan-only", "-o", ward.files / "resume.json")
    ward.apply(ward.files / "resume.json", told["confirm"])
    ward.advance("1 min")
    ward.program(of(260))
    assert refused(ward, of(280)) == ["INCREASE_24H"]


@pytest.mark.requirement("STP-03")
def test_an_empty_reservoir_is_a_pause(desk: Desk) -> None:
    desk.emulator("ward", "--volume", "0.12 mL")
    desk.rehearse()
    taken(desk, of(240))
    desk.advance("71 h")  # the last 47 of them without drug
    names = told_ids(desk, of(230))
    assert "STOPPED_LONG" in names
    desk.advance("2 h")
    assert refused(desk, of(240)) == ["STOPPED_TOO_LONG"]
