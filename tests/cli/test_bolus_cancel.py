"""`bolus cancel`: the short way, which nothing bars; what was really given is told."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.errors import StoreError
from pumpctl.link.session import Link
from pumpctl.outcomes import OperationId, Refused, Unknown
from pumpctl.pump.pump import Pump
from pumpctl.station.journal import Journal
from pumpctl.workflows.road import cancelling
from tests.helpers.boluses import PORT, Day, bolus_of, even
from tests.helpers.desk import Desk
from tests.workflows.test_stopping import opened

CANCEL = ("bolus", "cancel", "--now")


@pytest.fixture
def day(desk: Desk) -> Day:
    """20 mcg over 10 minutes, of which 4 have passed."""
    made = Day(desk)
    made.program(even())
    made.bolus("20 mcg")
    made.wait("4 min")
    return made


@pytest.mark.requirement("STP-01")
@pytest.mark.requirement("BOL-08")
def test_it_ends_the_bolus_and_says_what_was_given(day: Day) -> None:
    ran = day.desk.run(*PORT, *CANCEL)
    assert ran.code == 0
    # 20 mcg x 4 ÷ 10
    assert "single bolus CANCELLED: 8 mcg of 20 mcg was given" in ran.out
    assert "delivering" in ran.out
    day.wait("56 min")
    # 10 mcg/h for an hour, and the 8.
    assert day.delivered == 18


@pytest.mark.requirement("STP-01")
def test_the_document_of_a_script(day: Day) -> None:
    ordered = day.desk.inspect()["operations"][-1]["operation"]
    told = day.desk.pump(*CANCEL)
    assert told == {
        "operation": told["operation"],
        "outcome": "applied",
        "state_version": 5,
        "verified": True,
        "delivery": "delivering",
        "delivered": "8 mcg",
        "ended": [{"kind": "single", "dose": "20 mcg", "given": "8 mcg", "operation": ordered}],
    }
    with Journal(day.desk.home / "journal.sqlite3") as journal:
        intent, outcome = journal.entries(operation=told["operation"])
    assert (intent.body["kind"], outcome.body["delivered"]) == ("bolus cancel", "8 mcg")


@pytest.mark.requirement("STP-01")
def test_it_can_be_repeated_and_where_nothing_runs_it_says_so(day: Day) -> None:
    version = day.desk.pump(*CANCEL)["state_version"]
    for _ in range(2):
        again = day.desk.pump(*CANCEL)
        assert (again["delivered"], again["ended"]) == ("0 mcg", [])
        assert again["state_version"] == version, "nothing was changed"
    assert "No bolus was running" in day.desk.run(*PORT, *CANCEL).out


@pytest.mark.requirement("STP-01")
def test_every_bolus_that_runs_ends_a_scheduled_one_too(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("270 mcg/day", bolus_of("30 mcg", "30 min", "01:00")))
    day.wait("1 h 10 min")
    told = day.desk.pump(*CANCEL)
    assert [(each["kind"], each["given"]) for each in told["ended"]] == [("scheduled", "10 mcg")]
    assert told["ended"][0]["operation"] is None


@pytest.mark.requirement("STP-01")
@pytest.mark.requirement("CNF-02")
def test_without_a_terminal_it_asks_nobody_and_does_nothing(day: Day) -> None:
    with day.desk.untouched():
        error = day.desk.refused(9, "NOT_CONFIRMED", *PORT, "bolus", "cancel")
    assert "--now" in error["hint"]


@pytest.mark.requirement("STP-01")
@pytest.mark.requirement("AUD-03")
def test_no_journal_no_library_and_nothing_unknown_bars_it(day: Day) -> None:
    opened(day.desk, day.serial)

    def full(*_: object, **__: object) -> None:
        raise StoreError("database or disk is full")

    day.desk.monkeypatch.setattr(Journal, "append", full)
    document = day.desk.json(*PORT, *CANCEL)
    assert document["data"]["delivered"] == "8 mcg"
    (warning,) = (each for each in document["warnings"] if each["code"] == "UNRECORDED")
    assert document["data"]["operation"] in warning["message"]


@pytest.mark.requirement("STP-01")
@pytest.mark.requirement("BOL-05")
def test_it_is_recorded_later(day: Day) -> None:
    real = Journal.append

    def full(*_: object, **__: object) -> None:
        raise StoreError("database or disk is full")

    day.desk.monkeypatch.setattr(Journal, "append", full)
    operation = day.desk.pump(*CANCEL)["operation"]
    day.desk.monkeypatch.setattr(Journal, "append", real)
    day.bolus("20 mcg")
    with Journal(day.desk.home / "journal.sqlite3") as journal:
        assert [each.kind for each in journal.entries(operation=operation)] == ["intent", "outcome"]


@pytest.mark.requirement("BOL-06")
@pytest.mark.parametrize("outcome", ["unknown", "refused"])
def test_an_unknown_or_refused_cancel_says_so(outcome: str, day: Day) -> None:
    def answer(_: Link, asked: Any) -> Any:
        operation = OperationId(asked.operation)
        if outcome == "unknown":
            return Unknown(operation, "no answer")
        return Refused(operation, "NO_BOLUS", "no bolus runs")

    day.desk.monkeypatch.setattr(Link, "change", answer)
    code = 7 if outcome == "unknown" else 6
    error = day.desk.json(*PORT, *CANCEL, code=code)["error"]
    assert error["changed"] == ("unknown" if outcome == "unknown" else "no")
    if outcome == "unknown":
        assert "again" in error["hint"]
    else:
        assert error["pump_code"] == "NO_BOLUS"


@pytest.mark.requirement("PRG-10")
@pytest.mark.parametrize("removed", [False, True])
def test_a_pump_that_says_done_and_runs_on(removed: bool, day: Day) -> None:
    real = Link.change

    def lies(self: Link, asked: Any) -> Any:
        from pumpctl.outcomes import Applied, StateVersion

        return Applied(OperationId(asked.operation), StateVersion(4))

    if removed:
        day.desk.monkeypatch.setattr(cancelling, "_refuse_running", lambda *_: None)
    day.desk.monkeypatch.setattr(Link, "change", lies)
    document = day.desk.json(*PORT, *CANCEL, code=0 if removed else 12)
    if not removed:
        assert "8 mcg of 20 mcg" in document["error"]["message"]
    day.desk.monkeypatch.setattr(Link, "change", real)
    assert day.desk.inspect()["delivery"] == "bolus"


def test_a_log_that_cannot_be_read_is_no_reason_to_fail(day: Day) -> None:
    from pumpctl.errors import PumpRefused

    def refuses(*_: object) -> None:
        raise PumpRefused("this key may not", pump_code="ROLE")

    day.desk.monkeypatch.setattr(Pump, "log", refuses)
    told = day.desk.pump(*CANCEL)
    assert (told["delivered"], told["ended"]) == ("8 mcg", None)


@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize("how", ["stall", "reboot"])
def test_what_a_partial_bolus_gave_is_in_status_and_log(how: str, day: Day) -> None:
    """Not cancelled but cut short: by a motor that stands still, by a loss of power."""
    if how == "stall":  # for 3 of the 6 minutes that are left: 8 + 6 of 20
        day.desk.data("emulator", "fault", "ward", "stall", "--for", "3min")
        day.wait("16 min")
    else:
        day.desk.data("emulator", "fault", "ward", "reboot")
    last = day.desk.pump("status")["last_bolus"]
    assert (last["given"], last["partial"]) == ("14 mcg" if how == "stall" else "8 mcg", True)
    day.desk.pump("logs", "pull")
    shown = day.desk.run("--pump", day.serial, "logs", "show", "--kind", "bolus_ended").out
    assert f"CUT SHORT: {last['given']} given of 20 mcg" in shown
