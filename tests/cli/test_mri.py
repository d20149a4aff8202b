"""`mri before` and `mri after` through the command line, against pumps whose time stands still.

The pump gives 480 mcg/day at 2000 mcg/mL: 0.24 mL/day, 2400 pulses of 100 nL, one in 36 s
and 100 in an hour. So ten pulses take 6 min.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from pumpctl.cli import edge
from pumpctl.cli.look import mri
from pumpctl.therapy.moment import DAY_MS, Moment
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, continuous

BEFORE = ("--port", "emu://ward", "mri", "before")
AFTER = ("--port", "emu://ward", "mri", "after")
DOSE = "480 mcg/day"
OWN = """
[program.patient_dose]
dose = "10 mcg"
over = "5 min"
lockout = "4 h"
max_per_24h = 3
"""


@pytest.fixture
def ward(desk: Desk) -> Desk:
    """A pump that gives its program, looked at by its own clock."""
    desk.emulator()
    desk.rehearse()
    desk.program(continuous(DOSE, fallback="300 mcg/day"))
    desk.advance("1 h")
    return desk


def scan(desk: Desk, lasts: str = "1 h", then: str = "90 min") -> None:
    """In the field for so long; so much later it is looked at."""
    desk.data("emulator", "fault", "ward", "mri", "--for", lasts)
    desk.advance(then)


def not_closed(desk: Desk, *more: object) -> dict[str, Any]:
    """`data` of an `mri after` that leaves the visit open."""
    told = desk.json(*AFTER, *more, code=10)
    assert told["schema"] == "pumpctl.mri.after/1"
    assert told["error"]["code"] == "MRI_NOT_CLOSED"
    assert told["error"]["changed"] == "no"
    data: dict[str, Any] = told["data"]
    assert data["closed"] is False
    return data


def ids(points: list[dict[str, str]]) -> list[str]:
    return [point["id"] for point in points]


def journal(desk: Desk) -> list[dict[str, Any]]:
    """What it holds of MRI visits."""
    rows = sqlite3.connect(desk.home / "journal.sqlite3")
    try:
        found = rows.execute("SELECT body FROM journal_entries WHERE kind = 'mri' ORDER BY seq")
        return [json.loads(body) for (body,) in found.fetchall()]
    finally:
        rows.close()


# --- a scan after which it resumes ---------------------------------------------------------


def test_a_scan_after_which_the_pump_resumes(ward: Desk) -> None:
    told = ward.json(*BEFORE)
    assert told["schema"] == "pumpctl.mri.before/1"
    before = told["data"]
    assert (before["ready"], before["obstacles"], before["reason"]) == (True, [], None)
    assert before["guidance"]["version"] == 1
    assert before["before"]["delivery"] == "delivering"
    assert before["before"]["rate"] == DOSE
    pulses = before["before"]["pulses"]
    scan(ward)
    first = not_closed(ward)
    assert ids(first["needed"]) == ["SECOND_LOOK"]
    assert first["pulses"] is None
    # 90 min are 150 pulses; 100 of them fell into the field. The motor is looked at every
    # 20 min of the counter, so a few more are lost until then.
    assert 0 < first["looks"][0]["pulses"] - pulses <= 50
    (stall,) = first["stalls"]
    assert stall["to"] is not None
    ward.advance("5 min")  # 8 pulses: too early
    early = not_closed(ward)
    assert ids(early["needed"]) == ["SECOND_LOOK"]
    assert early["pulses"] == {"due": "8.3", "moved": early["pulses"]["moved"]}
    assert early["look_again"] == first["look_again"]
    ward.advance("61 s")
    done = ward.data(*AFTER)
    assert (done["closed"], done["needed"], done["look_again"]) == (True, [], None)
    assert done["pulses"]["due"] == "10.0"  # 361 s / 36 s = 10.03
    assert abs(done["pulses"]["moved"] - 10) <= 1
    assert [look["verdict"] for look in done["looks"]] == ["first", "early", "closed"]
    assert [body["step"] for body in journal(ward)] == ["before", "look", "look", "look", "closed"]


def test_nothing_of_it_touches_the_pump(ward: Desk) -> None:
    with ward.untouched():
        ward.data(*BEFORE)
        not_closed(ward)


def test_the_second_look_may_be_waited_for(ward: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []

    def wait(ms: int) -> None:
        waits.append(ms)
        ward.advance(f"{ms // 1000 + 1} s")

    monkeypatch.setattr(mri, "_wait", wait)
    ward.data(*BEFORE)
    scan(ward)
    assert ward.data(*AFTER, "--wait")["closed"] is True
    assert waits == [6 * 60_000 + 1 + 1_000]


def test_a_wait_that_brings_nothing_closes_nothing(
    ward: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mri, "_wait", lambda ms: None)
    data = not_closed(ward, "--wait")
    assert [look["verdict"] for look in data["looks"]] == ["first", "early"]


def test_a_wait_is_silent_where_there_is_no_terminal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(edge, "ticker", lambda: now[0])
    monkeypatch.setattr(edge, "pause", lambda seconds: now.__setitem__(0, now[0] + seconds))
    mri._wait(2_500)
    assert now[0] == pytest.approx(2.5)
    assert desk.capsys.readouterr() == ("", "")


# --- one that does not resume ----------------------------------------------------------------


@pytest.mark.requirement("STP-03")
def test_failure_9_a_pump_that_was_alarming_does_not_resume(ward: Desk) -> None:
    """A pump that is alarming is held before the scan, and no visit closes until it delivers."""
    ward.data("emulator", "fault", "ward", "memory", "--count", "2")
    ward.advance("1 h")
    held = ward.json(*BEFORE, code=10)
    assert held["error"]["code"] == "MRI_HELD"
    assert held["data"]["ready"] is False
    assert ids(held["data"]["obstacles"]) == ["ALARM", "NOT_DELIVERING"]
    assert held["error"]["message"] == "do not scan yet: ALARM, NOT_DELIVERING"
    assert "may not resume" in held["data"]["obstacles"][0]["message"]
    urgent = ward.data(*BEFORE, "--reason", "cauda equina, cannot wait")
    assert (urgent["ready"], urgent["reason"]) == (True, "cauda equina, cannot wait")
    assert urgent["never_closed"] is None  # what was held back was no visit
    scan(ward, then="3 h")
    data = not_closed(ward)
    assert "STALLED" in ids(data["needed"])
    assert data["looks"][-1]["verdict"] == "fault"
    (stall,) = data["stalls"]
    assert stall["to"] is None
    assert data["without_drug"] == stall["lasts"]
    advice = " ".join(data["advice"])
    for words in ("12 to 96 h", "Never catch up", "NOTHING has been given for 2 h", "FALLBACK"):
        assert words in advice
    ward.advance("1 d")
    assert "STALLED" in ids(not_closed(ward, "--reason", "whatever")["needed"])  # no reason helps
    assert journal(ward)[0]["obstacles"] == ["ALARM", "NOT_DELIVERING"]
    assert "NOT CLOSED" in ward.run(*AFTER).out


@pytest.mark.requirement("STP-03")
def test_after_more_than_48_h_the_fallback_is_called_what_it_is(ward: Desk) -> None:
    ward.data(*BEFORE)
    scan(ward, lasts="50 h", then="49 h")
    still = not_closed(ward)
    assert {"STALLED", "FALLBACK", "ALARM"} <= set(ids(still["needed"]))
    assert still["fallback"] is not None
    ward.advance("2 h")  # the field is gone, the motor turns, at the fallback rate
    data = not_closed(ward)
    assert ids(data["needed"]) == ["FALLBACK", "ALARM"]
    assert data["looks"][-1]["delivery"] == "fallback"
    advice = " ".join(data["advice"])
    assert "the old dose may stop the breathing" in advice
    assert f"The FALLBACK rate, {data['fallback']['rate']}, is in force" in advice
    ward.advance("1 h")
    assert ids(not_closed(ward)["needed"]) == ["FALLBACK", "ALARM"]  # two looks change nothing


def test_a_motor_that_turns_without_moving_its_program_is_noticed(
    ward: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pump that says that it delivers, and gives half."""
    from pumpctl.pump.pump import Pump

    ward.data(*BEFORE)
    first = not_closed(ward)["looks"][0]["pulses"]
    ward.advance("10 min")  # 16.7 pulses
    state = Pump.state
    monkeypatch.setattr(Pump, "state", lambda self: state(self)._replace(pulses=first + 8))
    data = not_closed(ward)
    assert ids(data["needed"]) == ["PULSES", "SECOND_LOOK"]
    assert data["pulses"] == {"due": "16.7", "moved": 8}
    monkeypatch.undo()
    assert data["looks"][-1]["verdict"] == "first"


# --- what may come in between ------------------------------------------------------------------


def test_another_program_than_before_needs_a_reason(ward: Desk) -> None:
    ward.data(*BEFORE)
    not_closed(ward)
    ward.program(continuous("460 mcg/day", fallback="300 mcg/day"))
    data = not_closed(ward)
    assert ids(data["needed"]) == ["SECOND_LOOK", "PROGRAM"]
    ward.advance("10 min")
    assert ids(not_closed(ward)["needed"]) == ["PROGRAM"]
    done = ward.data(*AFTER, "--reason", "lowered after the scan, Dr. Roe")
    assert ids(done["accepted"]) == ["PROGRAM"]
    assert done["closed"] is True
    assert journal(ward)[-1]["reason"] == "lowered after the scan, Dr. Roe"


@pytest.mark.requirement("TIM-02")
def test_a_clock_that_is_not_what_it_was_needs_a_reason(
    ward: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pumpctl.pump.pump import Pump

    ward.data(*BEFORE)
    state = Pump.state

    def shifted(self: Pump) -> Any:
        told = state(self)
        return told._replace(clock=told.clock.plus(61_000))

    monkeypatch.setattr(Pump, "state", shifted)
    assert ids(not_closed(ward)["needed"]) == ["SECOND_LOOK", "CLOCK"]
    ward.advance("7 min")
    assert ids(not_closed(ward)["needed"]) == ["CLOCK"]
    assert ward.data(*AFTER, "--reason", "set by the ward")["closed"] is True


def flexible(desk: Desk, until: str) -> None:
    """A flex program with doses of the patient's own; its clock shows this hour next."""
    desk.emulator()
    desk.rehearse()
    desk.program(FLEX + OWN)
    hour, minute = map(int, until.split(":"))
    due = (hour * 60 + minute) * 60_000
    now = Moment.parse(desk.inspect()["time"]).label_ms
    desk.advance(f"{(due - now) % DAY_MS // 1_000 + 1} s")


def test_a_dose_of_the_patient_s_own_counts(desk: Desk) -> None:
    """10 mcg are 50 pulses; 10 min at 15 mcg/h are 12.5 (one second more or less: 0.02)."""
    flexible(desk, "12:00")
    not_closed(desk)
    desk.data("emulator", "press", "ward", "--patient-dose")
    desk.advance("10 min")
    done = desk.data(*AFTER)
    assert done["closed"] is True
    assert done["pulses"]["due"] == "62.5"
    assert abs(done["pulses"]["moved"] - 62) <= 1


def test_the_rest_of_a_bolus_that_runs_counts(desk: Desk) -> None:
    """At 07:05:01 the bolus of 07:00 has half of its 100 pulses to go, less those of 1 s or 2;
    15 min at 26 mcg/h are 32.5."""
    flexible(desk, "07:05")
    first = not_closed(desk)
    assert first["looks"][0]["delivery"] == "bolus"
    desk.advance("15 min")
    done = desk.data(*AFTER)
    assert done["closed"] is True
    assert 82 <= float(done["pulses"]["due"]) <= 82.5
    assert abs(done["pulses"]["moved"] - 82) <= 1


def test_a_running_bolus_holds_a_scan_up(desk: Desk) -> None:
    flexible(desk, "07:05")
    held = desk.json(*BEFORE, code=10)
    assert ids(held["data"]["obstacles"]) == ["BOLUS"]
    assert "07:10" in held["data"]["obstacles"][0]["message"]
    desk.advance("5 min")
    assert desk.data(*BEFORE)["ready"] is True


def test_a_scan_without_a_record_before_it_is_possible_and_said(ward: Desk) -> None:
    data = not_closed(ward)
    assert data["before"] is None
    assert any("nothing was recorded before" in note for note in data["notes"])
    ward.advance("7 min")
    assert ward.data(*AFTER)["closed"] is True
    again = not_closed(ward)  # a closed visit is over: this is another one
    assert any("was closed at" in note for note in again["notes"])


def test_another_pump_than_the_one_that_was_scanned(ward: Desk) -> None:
    ward.data(*BEFORE)
    scanned = ward.inspect()["serial"]
    ward.emulator("other")
    other = ("--port", "emu://other", "mri", "after")
    ward.refused(5, "WRONG_PUMP", *other, "--pump", scanned)
    data = ward.json(*other, code=10)["data"]
    assert data["before"] is None
    assert any(scanned in note for note in data["notes"])


def test_a_visit_that_was_never_closed_is_told(ward: Desk) -> None:
    first = ward.data(*BEFORE)
    assert first["never_closed"] is None
    assert ward.data(*BEFORE)["never_closed"] == first["before"]["at"]


@pytest.mark.requirement("AUD-03")
def test_without_a_journal_there_is_no_visit(ward: Desk) -> None:
    for file in ward.home.glob("journal.sqlite3*"):
        file.unlink()
    (ward.home / "journal.sqlite3").mkdir()
    for words in (BEFORE, AFTER):
        ward.refused(11, "STORE", *words)


def test_a_reason_of_blanks_is_none(ward: Desk) -> None:
    ward.refused(2, "USAGE", *BEFORE, "--reason", "  ")


def test_the_screens_fit_80_columns(ward: Desk) -> None:
    texts = [ward.run(*BEFORE).out]
    scan(ward, then="45 min")
    texts.append(ward.run(*AFTER).out)
    ward.advance("1 h")
    texts.append(ward.run(*AFTER).out)
    ward.advance("7 min")
    texts.append(ward.run(*AFTER).out)
    assert all(len(line) <= 80 for text in texts for line in text.splitlines())
    heads = [text.splitlines()[1] for text in texts]
    assert heads == [
        "MRI: nothing speaks against a scan",
        "MRI visit: NOT CLOSED, delivery is not shown",
        "MRI visit: NOT CLOSED, the first of two looks",
        "MRI visit: CLOSED. The pump delivers again.",
    ]


@pytest.mark.requirement("SEC-08")
def test_a_reason_that_names_the_patient_is_kept_without_the_name(ward: Desk) -> None:
    ward.run(*BEFORE, "--reason", "P-0417 cannot wait")
    assert journal(ward)[-1]["reason"] == "[tag left out] cannot wait"
    assert b"P-0417" not in b"".join(
        path.read_bytes() for path in ward.home.glob("journal.sqlite3*")
    )
