"""`alarm test` through the command line: what sounds, what is recorded, what a script gets."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from tests.helpers.desk import Desk


def written(desk: Desk) -> list[dict[str, Any]]:
    """What the journal holds of alarm tests."""
    rows = sqlite3.connect(desk.home / "journal.sqlite3")
    try:
        found = rows.execute(
            "SELECT body FROM journal_entries WHERE kind = 'alarm test' ORDER BY seq"
        ).fetchall()
    finally:
        rows.close()
    return [json.loads(body) for (body,) in found]


@pytest.mark.requirement("ALM-02")
def test_a_script_sounds_it_and_answers_later(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    before = desk.truth()
    told = desk.json("--port", "emu://ward", "alarm", "test")
    assert told["schema"] == "pumpctl.alarm.test/1"
    assert told["data"] | {"at": ""} == {
        "priority": "critical", "lasts": "5 s", "at": "", "heard": None,
    }  # fmt: skip
    assert desk.inspect()["sounding"] == {"priority": "critical", "why": "test"}
    desk.advance("5 s")
    assert desk.inspect()["sounding"] is None
    assert desk.truth() == before._replace(log_next=before.log_next + 1)
    assert desk.pump("alarm", "test", "--heard", "yes")["heard"] is True
    assert [(body["step"], body["heard"]) for body in written(desk)] == [
        ("sounded", None),
        ("answered", True),
    ]
    assert len({body["test"] for body in written(desk)}) == 1


def test_not_heard_ends_with_ten_and_is_kept(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    desk.pump("alarm", "test", "--priority", "non-critical")
    told = desk.json("--port", "emu://ward", "alarm", "test", "--heard", "no", code=10)
    assert told["error"]["code"] == "ALARM_NOT_HEARD"
    assert told["data"]["heard"] is False
    assert told["data"]["priority"] == "non-critical"
    assert written(desk)[-1]["heard"] is False


def test_an_answer_needs_a_test_that_waits_for_one(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    port = ("--port", "emu://ward", "alarm", "test")
    desk.refused(2, "USAGE", *port, "--heard", "yes")
    desk.data(*port)
    desk.data(*port, "--heard", "yes")
    desk.refused(2, "USAGE", *port, "--heard", "no")  # it has been answered
    desk.data(*port)
    desk.advance("11 min")
    desk.refused(2, "USAGE", *port, "--heard", "yes")


@pytest.mark.requirement("ALM-02")
def test_a_real_alarm_is_named_and_no_test_sounds_over_it(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    desk.program()
    desk.data("emulator", "fault", "ward", "stall")
    desk.advance("1 h")
    with desk.untouched():
        error = desk.refused(10, "ALARM_ACTIVE", "--port", "emu://ward", "alarm", "test")
    assert "MOTOR_STALL" in error["message"]
    assert desk.inspect()["sounding"] == {"priority": "critical", "why": "MOTOR_STALL"}
    assert written(desk) == []


def test_the_pump_refuses_by_itself_an_alarm_that_came_in_between(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.emulator()
    desk.rehearse()
    desk.program()
    desk.data("emulator", "fault", "ward", "stall")
    desk.advance("1 h")
    from pumpctl.pump.pump import Pump

    state = Pump.state
    monkeypatch.setattr(Pump, "state", lambda self: state(self)._replace(alarms=()))
    error = desk.refused(6, "PUMP_REFUSED", "--port", "emu://ward", "alarm", "test")
    assert error["pump_code"] == "ALARM_RAISED"


@pytest.mark.parametrize("wrong", [("--priority", "loud"), ("--heard", "maybe")])
def test_words_that_it_does_not_know(desk: Desk, wrong: tuple[str, str]) -> None:
    desk.emulator()
    desk.refused(2, "USAGE", "--port", "emu://ward", "alarm", "test", *wrong)


def test_without_a_journal_nothing_sounds(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    for file in desk.home.glob("journal.sqlite3*"):
        file.unlink()
    (desk.home / "journal.sqlite3").mkdir()
    with desk.untouched():
        desk.refused(11, "STORE", "--port", "emu://ward", "alarm", "test")


def test_a_clock_that_was_set_back_lets_nobody_answer_for_an_old_test(desk: Desk) -> None:
    """By the station's clock the test lies ahead: how long ago it was nobody can say."""
    desk.emulator()
    desk.monkeypatch.setenv("PUMPCTL_NOW", "2026-05-04T12:00:00+00:00")
    desk.pump("alarm", "test")
    desk.monkeypatch.setenv("PUMPCTL_NOW", "2026-05-03T12:00:00+00:00")
    desk.refused(2, "USAGE", "--port", "emu://ward", "alarm", "test", "--heard", "yes")
