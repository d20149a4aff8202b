"""The patient's own doses and boluses that were cut short, in `status` and in the log."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.therapy.moment import Moment
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous

OWN = """
[program.patient_dose]
dose = "10 mcg"
over = "5 min"
lockout = "4 h"
max_per_24h = 3
"""


@pytest.fixture
def ward(desk: Desk) -> Desk:
    """A frozen pump of 2000 mcg/mL that gives 240 mcg a day and three doses of 10 mcg."""
    desk.emulator()
    desk.rehearse()
    text = continuous().replace("[reservoir]", f"{OWN}\n[reservoir]")
    assert text != continuous()
    desk.program(text)
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    return desk


def press(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.data("emulator", "press", "ward", "--patient-dose")
    return dict(found["patient_dose"])


def logged(desk: Desk, kind: str) -> list[dict[str, Any]]:
    desk.pump("logs", "pull")
    return list(desk.data("logs", "show", "--kind", kind)["entries"])


def later(start: str, ms: int) -> str:
    return str(Moment.parse(start).plus(ms))


@pytest.mark.requirement("BOL-04")
def test_what_is_left_and_until_when_it_is_locked(ward: Desk) -> None:
    status = ward.pump("status")
    assert status["patient_dose"] == {"left": 3, "next_at": None}
    assert status["patient_dose_settings"] == {
        "dose": "10 mcg", "over": "5 min", "lockout": "4 h", "max_per_24h": 3,
    }  # fmt: skip
    screen = ward.run("--port", "emu://ward", "status").out
    assert "10 mcg over 5 min, lockout 4 h, at most 3 in 24 h" in screen
    assert "3 of 3 left" in [line.strip() for line in screen.splitlines()]

    assert press(ward)["given"] is True
    start = status["clock"]["pump"]
    # 5 min of bolus, then 4 h of lockout from its end: 245 min = 14 700 000 ms.
    status = ward.pump("status")
    assert status["patient_dose"] == {"left": 2, "next_at": later(start, 14_700_000)}
    assert status["bolus"]["kind"] == "patient"
    assert status["last_bolus"]["running"] is True
    screen = ward.run("--port", "emu://ward", "status").out
    assert "2 of 3 left, locked until " in screen
    assert "(4 h after the last bolus)" in screen


@pytest.mark.requirement("BOL-04")
def test_taken_and_refused_doses_are_in_the_log_with_the_reason(ward: Desk) -> None:
    assert press(ward)["given"] is True
    assert press(ward)["refused"] == "BOLUS_RUNNING"
    ward.advance("5min")
    assert press(ward)["refused"] == "LOCKOUT"
    (taken,) = logged(ward, "patient_dose")
    assert taken["fields"] == {"dose": "10 mcg", "over": "5 min"}
    assert taken["text"] == "patient takes a dose: 10 mcg over 5 min"
    running, locked = logged(ward, "patient_refused")
    assert running["fields"]["refused"] == "BOLUS_RUNNING"
    assert locked["fields"] == {"refused": "LOCKOUT", "next_in": "4 h"}
    assert locked["text"] == (
        "patient's dose REFUSED: too early, or the most of 24 h is taken; next in 4 h 00 min"
    )
    shown = ward.run("logs", "show", "--last", "4").out
    assert "patient's dose REFUSED: a bolus runs" in shown
    assert "patient bolus ended: 10 mcg given" in shown


@pytest.mark.requirement("BOL-08")
def test_a_bolus_that_a_stop_cut_short_tells_what_was_really_given(ward: Desk) -> None:
    assert press(ward)["given"] is True
    ward.advance("2min")  # 10 mcg × 2/5 = 4 mcg
    ward.pump("stop", "--now")
    (ended,) = logged(ward, "bolus_ended")
    assert (ended["fields"]["dose"], ended["fields"]["given"]) == ("10 mcg", "4 mcg")
    assert ended["text"] == "patient bolus CUT SHORT: 4 mcg given of 10 mcg ordered"
    last = ward.pump("status")["last_bolus"]
    assert (last["dose"], last["given"], last["partial"]) == ("10 mcg", "4 mcg", True)
    assert last["ended"] == later(last["started"], 120_000)
    screen = ward.run("--port", "emu://ward", "status").out
    assert "patient, CUT SHORT: 4 mcg of 10 mcg given" in screen


@pytest.mark.requirement("BOL-04")
def test_after_the_third_none_is_left_until_the_first_is_a_day_old(ward: Desk) -> None:
    start = ward.pump("status")["clock"]["pump"]
    for _ in range(3):
        assert press(ward)["given"] is True
        ward.advance("5h")
    status = ward.pump("status")
    assert status["patient_dose"] == {"left": 0, "next_at": later(start, 86_400_000)}
    screen = ward.run("--port", "emu://ward", "status").out
    assert "none of 3 left until " in screen
