"""Stop, which nothing bars, and resume, which time without drug bars more and more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpctl.errors import StoreError
from pumpctl.station.journal import Journal
from pumpctl.workflows.road.gates import GATES, nothing_unresolved, version_known
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous

PORT = ("--port", "emu://ward")


def opened(desk: Desk, serial: str, operation: str = "ab" * 16) -> str:
    """Leave an operation of this pump unresolved."""
    journal = Journal(desk.home / "journal.sqlite3")
    journal.append(
        "intent",
        at="2026-01-01T00:00:00Z",
        pump=serial,
        operation=operation,
        body={"kind": "program", "state_version": 2},
    )
    journal.close()
    return operation


@pytest.mark.requirement("STP-01")
def test_stop_stops_and_says_what_follows(desk: Desk) -> None:
    desk.emulator()
    desk.program()
    desk.advance("10h")
    ran = desk.run(*PORT, "stop", "--now")
    assert ran.code == 0
    assert "withdrawal" in ran.out
    stopped = desk.inspect()
    assert stopped["delivery"] == "stopped"
    desk.advance("10h")
    assert desk.inspect()["pulses"] == stopped["pulses"]
    assert desk.pump("status")["delivery"] == "stopped"


@pytest.mark.requirement("STP-01")
def test_stop_is_idempotent(desk: Desk) -> None:
    desk.emulator()
    desk.program()
    first = desk.pump("stop", "--now")
    for _ in range(3):
        again = desk.pump("stop", "--now")
        assert (again["outcome"], again["verified"], again["delivery"]) == (
            "applied",
            True,
            "stopped",
        )
        assert again["operation"] != first["operation"]
    assert desk.inspect()["delivery"] == "stopped"


@pytest.mark.requirement("STP-01")
def test_stop_and_its_reason_are_in_the_journal(desk: Desk) -> None:
    desk.emulator()
    told = desk.pump("stop", "--now", "--reason", "overdose suspected")
    journal = Journal(desk.home / "journal.sqlite3")
    written = journal.entries(operation=told["operation"])
    journal.close()
    assert [entry.kind for entry in written] == ["intent", "outcome"]
    assert written[0].body["reason"] == "overdose suspected"
    assert written[1].body["outcome"] == "applied"


@pytest.mark.requirement("STP-01")
@pytest.mark.requirement("AUD-03")
@pytest.mark.parametrize("how", ["garbage", "folder", "append fails", "chain broken"])
def test_stop_works_without_a_journal(
    how: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.emulator()
    desk.program()
    path = desk.home / "journal.sqlite3"
    match how:
        case "garbage":
            _without_journal(path)
            path.write_bytes(b"garbage" * 1000)
        case "folder":
            _without_journal(path)
            path.mkdir()
        case "append fails":

            def full(*_: object, **__: object) -> None:
                raise StoreError("database or disk is full")

            monkeypatch.setattr(Journal, "append", full)
            monkeypatch.setattr(Journal, "fault", full)
        case _:
            import sqlite3

            db = sqlite3.connect(path)
            db.execute("UPDATE journal_entries SET at = 'x' WHERE seq = 1")
            db.commit()
            db.close()
    document = desk.json(*PORT, "stop", "--now")
    assert document["data"]["outcome"] == "applied"
    assert desk.inspect()["delivery"] == "stopped"
    codes = [warning["code"] for warning in document["warnings"]]
    if how == "chain broken":
        return
    assert codes == ["UNRECORDED"]
    assert document["data"]["operation"] in document["warnings"][0]["message"]
    with desk.untouched():
        desk.refused(11, "STORE", *PORT, "resume", "--plan-only", "-o", desk.files / "resume.json")
    assert desk.pump("status")["delivery"] == "stopped", "reading still works"


def _without_journal(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize("value", ["nonsense", "2030-01-01", "pump", "2030-01-01T00:00:00Z"])
def test_a_rehearsal_s_clock_never_bars_a_stop(value: str, desk: Desk) -> None:
    desk.emulator()
    desk.monkeypatch.setenv("PUMPCTL_NOW", value)
    assert desk.pump("stop", "--now")["outcome"] == "applied"


@pytest.mark.requirement("STP-01")
def test_a_capture_that_cannot_be_written_never_bars_a_stop(desk: Desk) -> None:
    desk.emulator()
    document = desk.json(*PORT, "--capture", desk.files / "no" / "where", "stop", "--now")
    assert document["data"]["outcome"] == "applied"
    assert any("capture" in one["message"] for one in document["warnings"])


# --- gates × commands -----------------------------------------------------------------


@pytest.mark.requirement("BOL-05")
def test_the_table_of_gates() -> None:
    assert GATES["stop"] == GATES["bolus cancel"] == ()
    for act, gates in GATES.items():
        if act not in ("stop", "bolus cancel"):
            assert set(gates) >= {nothing_unresolved, version_known}, act


@pytest.mark.requirement("BOL-05")
def test_an_unresolved_operation_bars_all_but_stop(desk: Desk) -> None:
    serial = desk.emulator()
    path, told = desk.plan()
    operation = opened(desk, serial)
    push = ["program", "push", desk.files / "visit.toml", "--plan-only", "-o", desk.files / "q"]
    with desk.untouched():
        for words in (
            ["program", "plan", desk.files / "visit.toml", "-o", desk.files / "q"],
            push,
            ["apply", path, "--confirm", told["confirm"]],
            ["resume", "--plan-only", "-o", desk.files / "q"],
        ):
            error = desk.refused(10, "UNRESOLVED", *PORT, *words)
            assert operation in error["message"]
            assert "resolve" in error["hint"]
    assert desk.pump("status")["unresolved"]["operation"] == operation
    assert "UNRESOLVED" in desk.run(*PORT, "status").out
    assert desk.pump("logs", "pull")["new"] > 0
    assert desk.pump("stop", "--now")["outcome"] == "applied"


@pytest.mark.requirement("BOL-05")
def test_an_unresolved_operation_bars_no_other_pump(desk: Desk) -> None:
    serial = desk.emulator()
    desk.emulator("other")
    opened(desk, serial)
    assert desk.plan(name="other")[1]["confirm"]


@pytest.mark.requirement("BOL-03")
def test_resolve_voids_what_the_pump_does_not_hold(desk: Desk) -> None:
    serial = desk.emulator()
    operation = opened(desk, serial)
    before = desk.truth()
    told = desk.pump("resolve")
    assert (told["operation"], told["outcome"], told["verified"]) == (operation, "refused", True)
    after = desk.truth()
    assert after.state_version == before.state_version, "voiding raises no state version"
    assert (after.program, after.pulses) == (before.program, before.pulses)
    assert desk.pump("resolve")["outcome"] is None
    assert desk.plan()[1]["confirm"]


@pytest.mark.requirement("BOL-03")
def test_a_voided_plan_never_applies(desk: Desk) -> None:
    serial = desk.emulator()
    path, told = desk.plan()
    opened(desk, serial, told["operation"])
    assert desk.pump("resolve")["outcome"] == "refused"
    for file in desk.home.glob("journal.sqlite3*"):
        file.unlink()
    with desk.untouched():
        desk.refused(3, "PLAN_USED", *PORT, "apply", path, "--confirm", told["confirm"])


def test_resolve_where_no_pump_can_be_reached(desk: Desk) -> None:
    serial = desk.emulator()
    desk.emulator("other")
    operation = opened(desk, serial)
    for port in ("emu://none", "/dev/no-such-tty", "emu://other"):
        document = desk.json("--port", port, "resolve", code=7)
        assert document["error"]["code"] == "OUTCOME_UNKNOWN"
        assert document["error"]["changed"] == "unknown"
        assert document["data"]["operation"] == operation
        assert document["data"]["outcome"] == "unknown"
    assert desk.pump("resolve")["outcome"] == "refused"


# --- resume (STP-03) ------------------------------------------------------------------


@pytest.fixture
def stopped(desk: Desk) -> Desk:
    """A pump that ran 240 mcg/day and was stopped just now."""
    desk.emulator()
    desk.rehearse()
    desk.program()
    desk.pump("stop", "--now")
    return desk


def resume(desk: Desk, *more: object) -> dict[str, Any]:
    return desk.pump("resume", "--plan-only", "-o", desk.files / "resume.json", *more)


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize("hours", ["1 min", "11h"])
def test_resume_below_12_hours(hours: str, stopped: Desk) -> None:
    stopped.advance(hours)
    before = stopped.inspect()
    told = resume(stopped)
    assert told["confirm"]
    done = stopped.apply(stopped.files / "resume.json", told["confirm"])
    assert done["outcome"] == "applied"
    after = stopped.inspect()
    assert after["delivery"] == "delivering"
    assert after["program"] == before["program"]


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize("hours", ["12h", "30h", "47h"])
def test_resume_after_12_to_48_hours_needs_an_override(hours: str, stopped: Desk) -> None:
    stopped.advance(hours)
    told = resume(stopped)
    assert told["confirm"] is None
    soft = {finding["id"] for finding in told["findings"] if finding["severity"] == "soft"}
    assert "STOPPED_LONG" in soft
    told = resume(stopped, *(f"--override={name}=on the ward, monitored" for name in sorted(soft)))
    assert told["confirm"]
    stopped.apply(stopped.files / "resume.json", told["confirm"])
    assert stopped.inspect()["delivery"] == "delivering"


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize("hours", ["49h", "10d"])
def test_resume_after_48_hours_is_refused(hours: str, stopped: Desk) -> None:
    stopped.advance(hours)
    with stopped.untouched():
        error = stopped.refused(
            3, "LIMIT_HARD", *PORT, "resume", "--plan-only", "-o", stopped.files / "resume.json"
        )
        assert "STOPPED_TOO_LONG" in {finding["id"] for finding in error["findings"]}
        stopped.refused(
            3, "LIMIT_HARD", *PORT, "resume", "--plan-only", "-o", stopped.files / "resume.json",
            "--override", "STOPPED_TOO_LONG=please",
        )  # fmt: skip
    assert not (stopped.files / "resume.json").exists()


@pytest.mark.requirement("STP-03")
def test_a_resume_that_was_planned_early_and_applied_late(stopped: Desk) -> None:
    """Planned at 47.5 hours, applied at 48.2: what was confirmed is not what is true now."""
    stopped.advance("2850 min")
    told = resume(stopped, "--override=STOPPED_LONG=a reason")
    assert told["confirm"]
    stopped.advance("45 min")
    with stopped.untouched():
        stopped.refused(
            3, "LIMIT_HARD", *PORT, "apply", stopped.files / "resume.json", "--confirm",
            told["confirm"],
        )  # fmt: skip


def test_resume_of_a_pump_that_is_not_stopped(desk: Desk) -> None:
    desk.emulator()
    desk.program()
    with desk.untouched():
        desk.refused(3, "INPUT", *PORT, "resume", "--plan-only", "-o", desk.files / "r.json")


def test_a_stopped_pump_may_get_a_new_program(stopped: Desk) -> None:
    """What it does then is said by the pump; it never pretends to deliver."""
    path, told = stopped.plan(continuous("200 mcg/day"))
    document = stopped.run(*PORT, "apply", path, "--confirm", told["confirm"] or "x", "--json")
    delivery = stopped.inspect()["delivery"]
    if document.code == 0:
        assert delivery == "delivering"
    elif document.code == 12:
        assert document.document["error"]["changed"] == "yes"
        assert delivery == "stopped"
