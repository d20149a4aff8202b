"""`status --check` for monitoring scripts: which alarm ends it with 10, and what does not."""

from __future__ import annotations

import pytest

from pumpctl.station.journal import Journal
from tests.helpers.desk import Desk
from tests.helpers.served import listening


@pytest.mark.requirement("ALM-02")
def test_check_ends_with_10_and_says_which(desk: Desk) -> None:
    desk.emulator()
    calm = desk.json("--port", "emu://ward", "status", "--check", "any")
    assert calm["ok"] and calm["data"]["alarms"] == []
    desk.data("emulator", "fault", "ward", "stall")
    desk.advance("2h")
    for level in ("any", "critical"):
        document = desk.json("--port", "emu://ward", "status", "--check", level, code=10)
        assert document["schema"] == "pumpctl.status/1"
        assert document["error"]["code"] == "ALARM_ACTIVE"
        assert document["error"]["changed"] == "no"
        assert document["data"]["alarms"][0]["code"] == "MOTOR_STALL"
    ran = desk.run("--port", "emu://ward", "status", "--check", "any")
    assert ran.code == 10 and "→ Nothing is given. Watch for withdrawal" in ran.out
    assert desk.json("--port", "emu://ward", "status")["ok"], "unasked it is no failure"


@pytest.mark.requirement("PMP-03")
def test_check_of_a_low_reservoir_is_not_critical(desk: Desk) -> None:
    desk.emulator("ward", "--volume", "1 mL")
    desk.advance("1h")
    desk.json("--port", "emu://ward", "status", "--check", "any", code=10)
    assert desk.json("--port", "emu://ward", "status", "--check", "critical")["ok"]


def test_check_of_a_pump_that_cannot_be_asked(desk: Desk) -> None:
    desk.emulator()
    desk.refused(4, "PORT_MISSING", "--port", "/dev/nothing-here", "status", "--check", "any")
    with listening(lambda client: None) as url:
        desk.refused(5, "LINE_LOST", "--port", url, "status", "--check", "any")


@pytest.mark.requirement("BOL-05")
def test_an_unresolved_operation_is_no_alarm_and_is_told(desk: Desk) -> None:
    desk.emulator()
    serial = desk.json("--port", "emu://ward", "status")["pump"]["serial"]
    with Journal(desk.home / "journal.sqlite3") as journal:
        journal.append(
            "intent", at="2026-03-02T09:00:00Z", pump=serial, operation="ab" * 16,
            body={"kind": "program"},
        )  # fmt: skip
    document = desk.json("--port", "emu://ward", "status", "--check", "any")
    assert document["ok"] and document["data"]["unresolved"]["operation"] == "ab" * 16
    assert "UNRESOLVED" in [one["code"] for one in document["warnings"]]
