"""The emergency cards: one screen, this pump's facts or honestly none, and never a failure."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.urlhandler import protocol_socket

from pumpctl.cli import edge
from pumpctl.quantities import Duration
from pumpctl.therapy import emergency
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.look import emergency as cards
from tests.helpers.desk import ROOT, Desk
from tests.helpers.served import served

KINDS = ("overdose", "withdrawal")
PORT = ("--port", "emu://ward")


@pytest.fixture
def ward(desk: Desk) -> Desk:
    desk.emulator("ward", "--volume", "38 mL")
    desk.flex()
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    return desk


def lines_of(desk: Desk, *words: object) -> list[str]:
    """The screen, which is one of 80 × 24."""
    ran = desk.run(*words)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert len(lines) + len(ran.err.splitlines()) <= 24
    assert max(map(len, lines)) <= 80, max(lines, key=len)
    return lines


def later_by(desk: Desk, ms: int) -> None:
    """The station's clock is so much later from now on."""
    then = edge.wall().plus(ms)
    desk.monkeypatch.setattr(edge, "wall", lambda: then)


# --- with the pump ----------------------------------------------------------------------


@pytest.mark.requirement("STP-02")
def test_overdose_says_how_to_stop_first_and_what_this_pump_gives(ward: Desk) -> None:
    ward.monkeypatch.setenv("PUMPCTL_PORT", "emu://ward")
    lines = lines_of(ward, "emergency", "overdose")
    assert lines[1].startswith("1 STOP")
    assert lines[2].strip() == "pumpctl --port emu://ward stop --now"
    text = "\n".join(lines)
    # 38 mL × 2000 mcg/mL = 76 000 mcg; 438 mcg/day ÷ 2000 mcg/mL = 0.219 mL/day
    assert "438 mcg/day = 0.219 mL/day, flex" in text or "376 mcg/day = 0.188 mL/day" in text
    assert "baclofen 2000 mcg/mL" in text
    assert "38 mL = 76000 mcg of 40 mL" in text
    assert "alarms        none" in text
    for said in ("needle", "pocket fill", "Support breathing", "no antidote", "CSF", "12 to 96 h"):
        assert said in text
    assert "minimum" not in text.lower(), "minimum rate is not offered in an overdose"


def test_the_json_of_a_live_card(ward: Desk) -> None:
    document = ward.json(*PORT, "emergency", "overdose")
    assert document["schema"] == "pumpctl.emergency.overdose/1"
    assert document["warnings"] == []
    data, status = document["data"], ward.pump("status")
    assert data["live"] is True
    assert data["commands"] == {"stop": "pumpctl --port emu://ward stop --now"}
    facts = data["facts"]
    assert facts["rate"] == status["rate"]
    assert facts["concentration"] == "2000 mcg/mL"
    assert facts["reservoir_mass"] == "76000 mcg"
    assert facts["last_bolus"] is None
    assert all(step["source"] for step in data["guidance"]["steps"])


@pytest.mark.requirement("STP-03")
def test_withdrawal_of_a_stopped_pump_says_how_to_go_on(ward: Desk) -> None:
    ward.pump("stop", "--now")
    ward.advance("13h")
    lines = lines_of(ward, *PORT, "emergency", "withdrawal")
    text = "\n".join(lines)
    assert lines[lines.index("2 Restore delivery of the drug.") + 1].strip() == (
        "pumpctl --port emu://ward resume"
    )
    assert "13 h 00 min: the same dose needs an override" in text
    assert "even if it is mild" in text
    assert "minimum" not in text.lower()
    ward.advance("36h")  # 49 h in all
    text = "\n".join(lines_of(ward, *PORT, "emergency", "withdrawal"))
    assert "49 h 00 min: over 48 h: the old dose is refused" in text
    assert "STOPPED_TOO_LONG" in text
    assert "resume" not in text, "a command that is refused is no help"


def test_a_bolus_that_runs_is_told(ward: Desk) -> None:
    clock = Moment.parse(ward.pump("status")["clock"]["pump"])
    wait = (7 * 60 + 5 - clock.minute) % 1440  # five minutes into the bolus of 07:00
    ward.advance(f"{wait}min")
    data = ward.json(*PORT, "emergency", "overdose")["data"]
    assert data["facts"]["last_bolus"]["running"] is True
    text = "\n".join(lines_of(ward, *PORT, "emergency", "overdose"))
    assert "RUNNING, scheduled: " in text


@pytest.mark.parametrize("kind", KINDS)
def test_it_changes_nothing(kind: str, ward: Desk) -> None:
    with ward.untouched():
        ward.run(*PORT, "emergency", kind)


# --- without ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrogation_of_three_days_ago_says_so(kind: str, ward: Desk) -> None:
    ward.pump("interrogate")
    asked = edge.wall()
    later_by(ward, 3 * 86_400_000 + 1)
    ward.monkeypatch.setenv("COLUMNS", "80")
    lines = lines_of(ward, "emergency", kind)
    text = "\n".join(lines)
    assert "3 days ago: may have changed" in text
    assert asked.label()[:10] in text
    assert "rate then" in text and "rate now" not in text
    document = ward.json("emergency", kind)
    assert [one["code"] for one in document["warnings"]] == ["NOT_LIVE"]
    assert document["data"]["live"] is False
    assert document["data"]["age"] == "3 d"
    assert document["data"]["facts"]["concentration"] == "2000 mcg/mL"


@pytest.mark.requirement("STP-03")
def test_a_pause_that_ran_then_is_judged_with_the_time_since(ward: Desk) -> None:
    """Stopped for 1 h when it was asked, 60 h ago: what may be resumed is not as it was then."""
    ward.pump("stop", "--now")
    ward.advance("1h")
    ward.pump("interrogate")
    later_by(ward, 60 * 3_600_000)
    text = " ".join(" ".join(lines_of(ward, "emergency", "withdrawal")).split())
    assert "1 h 00 min then, 61 h 00 min if it still stands: over 48 h: the old dose is re" in text
    # The same without the time since, which is what must not be said:
    data = {"stopped_for": "1 h", "delivery": "stopped"}
    told = {fact.key: fact.text for fact in emergency.facts(data, Duration(0))}
    assert told["stopped_for"] == "1 h 00 min: the same dose may be resumed"


def test_what_this_station_did_since_is_told(ward: Desk) -> None:
    ward.pump("interrogate")
    ward.pump("stop", "--now")
    since = ward.data("emergency", "overdose")["since"]
    assert len(since) == 1 and since[0].startswith("stop, ")
    text = "\n".join(lines_of(ward, "emergency", "overdose"))
    assert "since then    stop, " in text


def test_a_line_that_is_dead_leaves_the_last_interrogation(ward: Desk) -> None:
    ward.pump("interrogate")
    data = ward.json("--port", "/dev/nothing-here", "emergency", "overdose")["data"]
    assert data["live"] is False and data["facts"]["concentration"] == "2000 mcg/mL"
    assert data["commands"]["stop"] == "pumpctl --port /dev/nothing-here stop --now"


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_home_has_the_guidance_alone(kind: str, desk: Desk) -> None:
    text = "\n".join(lines_of(desk, "emergency", kind))
    assert "No facts of a pump" in text and "delivery  " not in text
    document = desk.json("emergency", kind)
    assert document["data"]["facts"] is None and document["pump"] is None
    assert document["data"]["guidance"]["steps"]
    assert not desk.home.exists(), "nothing is made for it"


def test_of_two_pumps_one_must_be_named(desk: Desk) -> None:
    serials = [desk.emulator(name) for name in ("ward", "other")]
    for name in ("ward", "other"):
        desk.pump("interrogate", name=name)
    document = desk.json("emergency", "overdose")
    assert document["data"]["facts"] is None
    assert all(serial in document["warnings"][0]["message"] for serial in serials)
    named = desk.json("--pump", serials[1], "emergency", "overdose")
    assert named["pump"]["serial"] == serials[1]
    assert named["data"]["facts"] is not None


def test_another_patients_pump_is_never_shown_for_the_one_that_answers(desk: Desk) -> None:
    """The station knows one pump; another one, not paired, is on the line."""
    known = desk.emulator()
    desk.pump("interrogate")
    desk.json("emulator", "new", "stranger", "--frozen")
    document = desk.json("--port", "emu://stranger", "emergency", "overdose")
    assert document["data"]["facts"] is None, document["pump"]
    assert "pair first" in document["warnings"][0]["message"]
    # A pump that was named and is not the one on the line: its own record, marked as old.
    document = desk.json("--port", "emu://stranger", "--pump", known, "emergency", "overdose")
    assert document["pump"]["serial"] == known
    assert document["data"]["live"] is False


def test_without_that_check_it_would_be_shown(desk: Desk) -> None:
    known = desk.emulator()
    desk.pump("interrogate")
    desk.json("emulator", "new", "stranger", "--frozen")
    kept = cards._kept
    desk.monkeypatch.setattr(
        cards, "_kept", lambda station, serial, *, alone: kept(station, None, alone=True)
    )
    document = desk.json("--port", "emu://stranger", "emergency", "overdose")
    assert document["pump"]["serial"] == known


def damage(desk: Desk, body: str) -> None:
    with closing(sqlite3.connect(desk.home / "records.sqlite3")) as db, db:
        db.execute("UPDATE interrogations SET body = ?", (body,))


@pytest.mark.parametrize("body", ["", "[]", "no json", "{}", '{"rate": "12 parsecs"}'])
def test_a_record_that_is_damaged_is_no_failure(body: str, ward: Desk) -> None:
    ward.pump("interrogate")
    damage(ward, body)
    for kind in KINDS:
        document = ward.json("emergency", kind)
        assert document["data"]["guidance"]["steps"]
        assert ward.run("emergency", kind).code == 0


@pytest.mark.parametrize("what", ["records.sqlite3", "journal.sqlite3"])
def test_a_store_that_cannot_be_read_is_no_failure(what: str, ward: Desk) -> None:
    ward.pump("interrogate")
    for file in ward.home.glob(f"{what}*"):
        file.unlink()
    (ward.home / what).write_bytes(b"no database at all" * 100)
    assert ward.json("emergency", "overdose")["ok"]


def test_a_rehearsal_that_makes_no_sense_bars_nothing(ward: Desk) -> None:
    ward.monkeypatch.setenv("PUMPCTL_NOW", "yesterday")
    assert ward.json(*PORT, "emergency", "overdose")["data"]["live"] is True


# --- from the implant card alone ----------------------------------------------------------


@pytest.fixture
def elsewhere(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A patient's pump of another clinic, on a line: its port, and the card's file."""
    quick = SimpleNamespace(sleep=lambda seconds: None)  # pyserial sleeps after each socket
    monkeypatch.setattr(protocol_socket, "time", quick)
    other = desk.files / "other-clinic"
    monkeypatch.setenv("PUMPCTL_HOME", str(other))
    made = desk.json("emulator", "new", "patient", "--pair")
    card = desk.files / "card.txt"
    card.write_text(made["data"]["pairing_secret"], "utf-8")
    monkeypatch.setenv("PUMPCTL_OPERATOR", "doctor")
    with served(other, "patient") as url:
        desk.data("emulator", "press", "patient")
        monkeypatch.setenv("PUMPCTL_HOME", str(desk.home))
        yield url, card


@pytest.mark.requirement("SEC-03")
@pytest.mark.requirement("SEC-06")
def test_an_emergency_department_with_the_card_alone_looks_and_stops(
    desk: Desk, elsewhere: tuple[str, Path]
) -> None:
    url, card = elsewhere
    assert not desk.home.exists()
    desk.monkeypatch.setenv("PUMPCTL_PORT", url)
    before = desk.json("emergency", "overdose")
    assert before["data"]["facts"] is None, "not paired yet, and yet the guidance comes"
    paired = desk.data("pair", "--secret-file", card)
    assert paired["role"] == "clinician", "a later pairing gets no more, and it is enough"
    assert desk.data("status")["delivery"] == "minimum"
    told = desk.json("emergency", "overdose")
    assert told["data"]["live"] is True
    assert told["data"]["commands"]["stop"] == f"pumpctl --port {url} stop --now"
    stopped = desk.data("stop", "--now")
    assert (stopped["outcome"], stopped["delivery"]) == ("applied", "stopped")
    assert not (desk.home / "operators" / "known").exists(), "nobody was set up for it"


# --- the page --------------------------------------------------------------------------


def page() -> str:
    return (ROOT / "docs" / "emergency.md").read_text("utf-8")


def test_the_page_says_what_the_cards_say() -> None:
    text = " ".join(page().split())
    for guidance in emergency.GUIDANCE.values():
        for step in guidance.steps:
            assert step.text.rstrip(":") in text, step.text
