"""What an emergency card must never claim: of a log that has a hole, of a pump that is another's,
of a clock that ran back; and the longest one is one screen."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pumpctl.cli import context
from pumpctl.cli.look import emergency as cards_screen
from pumpctl.errors import Corrupt, PumpRefused, VersionSkew
from pumpctl.therapy import emergency
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.look import emergency as cards
from pumpctl.workflows.look import newest
from tests.cli.test_emergency import KINDS, PORT, later_by, lines_of, ward
from tests.helpers.desk import Desk

__all__ = ["ward"]


# --- what must never be claimed --------------------------------------------------------------


def spoilt(desk: Desk, count: int) -> None:
    """So many of the newest entries of the log cannot be read any more."""
    real = newest._whole

    def without_the_last(raw: tuple[bytes, ...], first: int) -> tuple[list[LogEntry], int]:
        whole, following = real(raw, first)
        return whole[:-count], following

    desk.monkeypatch.setattr(newest, "_whole", without_the_last)


def test_a_log_that_cannot_be_read_whole_is_no_last_bolus(ward: Desk) -> None:
    """A damaged entry could have been a bolus: nobody says that there was none."""
    assert "none among the newest" in "\n".join(lines_of(ward, *PORT, "emergency", "overdose"))
    spoilt(ward, 1)
    text = " ".join("\n".join(lines_of(ward, *PORT, "emergency", "overdose")).split())
    assert "last bolus NOT KNOWN: 1 of the log's newest entries cannot be read" in text
    assert "none among the newest" not in text
    document = ward.json(*PORT, "status")
    assert document["data"]["last_bolus_doubt"].startswith("1 of the log's newest")
    assert [one["code"] for one in document["warnings"]] == ["LOG_UNREADABLE"]
    assert "NOT KNOWN" in ward.run(*PORT, "status").out
    ward.pump("interrogate")  # and what is kept says it, too
    assert "NOT KNOWN" in "\n".join(lines_of(ward, "emergency", "overdose"))


def test_what_was_sent_is_told_though_the_clock_was_set_back(ward: Desk) -> None:
    ward.pump("interrogate")
    later_by(ward, -3_600_000)
    ward.pump("stop", "--now")
    data = ward.data("emergency", "withdrawal")
    assert len(data["since"]) == 1 and data["since"][0].startswith("stop, ")
    assert data["age"] is None, "how old it is nobody can say"
    assert "by a clock ahead of this one" in "\n".join(lines_of(ward, "emergency", "withdrawal"))


@pytest.mark.requirement("STP-03")
def test_no_resume_by_a_pause_whose_age_nobody_knows(ward: Desk) -> None:
    ward.pump("stop", "--now")
    ward.pump("interrogate")
    later_by(ward, -3_600_000)
    assert "resume" not in ward.data("emergency", "withdrawal")["commands"]
    text = " ".join(" ".join(lines_of(ward, "emergency", "withdrawal")).split())
    assert "0 min then; how long ago that was nobody knows" in text
    assert "may be resumed" not in text


def test_a_journal_with_a_senseless_time_is_no_failure(ward: Desk) -> None:
    ward.pump("interrogate")
    ward.pump("stop", "--now")
    with closing(sqlite3.connect(ward.home / "journal.sqlite3")) as db, db:
        db.execute("UPDATE journal_entries SET at = 'yesterday'")
    (since,) = ward.json("emergency", "overdose")["data"]["since"]
    assert since.startswith("NOT KNOWN: ")


@pytest.mark.parametrize("error", [VersionSkew, Corrupt, PumpRefused])
def test_a_pump_that_answers_badly_is_no_other_pump(error: type[Exception], desk: Desk) -> None:
    """The station knows one pump. Another one, which is paired too, greets and then fails."""
    desk.emulator()
    desk.pump("interrogate")
    stranger = desk.json("emulator", "new", "other", "--frozen", "--pair")["data"]["serial"]

    def fail(*_: object) -> None:
        raise error("it went wrong")

    desk.monkeypatch.setattr(cards, "look", fail)
    document = desk.json("--port", "emu://other", "emergency", "overdose")
    assert document["data"]["facts"] is None, document["pump"]
    assert stranger in document["warnings"][0]["message"]


def longest(kind: str, *, live: bool) -> cards.Card:
    """Everything at once: more than any pump has had."""
    at, now = (Moment.parse(f"2026-11-{day}T10:00:00+00:00") for day in (23, 26))
    bolus = {
        "kind": "scheduled", "dose": "20.125 mcg", "given": "12.062 mcg", "started": str(at),
        "ended": str(at), "running": False, "partial": True,
    }  # fmt: skip
    codes = "STOPPED_TOO_LONG", "BATTERY_RESET", "CLOCK_LOST", "MEMORY_BOTH_COPIES", "LOW_RESERVOIR"
    data = {
        "delivery": "stopped", "rate": None, "stopped_for": "13 h", "bridge": None,
        "program": {"daily_dose": "438.125 mcg/day", "mode": "flex"},
        "drug": {"name": "baclofen", "concentration": "2000 mcg/mL"},
        "line": {"at_tip": {"concentration": "500 mcg/mL"}},
        "last_bolus": bolus, "last_bolus_doubt": "12 of the log's newest entries cannot be read",
        "reservoir": {"volume": "37.1234 mL", "capacity": "40 mL"},
        "alarms": [{"code": code} for code in codes], "unresolved": {"operation": "x"},
    }  # fmt: skip
    done = "bolus cancel, outcome NOT KNOWN, 2026-11-23 12:00"
    card = cards.Card(
        emergency.GUIDANCE[kind], now, "SP40-000123", "SP40", data, now if live else at, live
    )
    return card if live else card._replace(since=(done, done, done), why="no answer " * 12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("live", [True, False])
def test_the_longest_card_is_one_screen_and_leaves_out_no_figure(
    kind: str, live: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = longest(kind, live=live)
    monkeypatch.setattr(context, "port", lambda: None)
    command = "stop" if kind == "overdose" else "interrogate"
    cards_screen._show(card, ((command, f"pumpctl --port PORT {command}"),))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert card.data is not None
    for fact in emergency.facts(card.data, card.age):
        assert fact.text in text, fact
    assert live or "(and 1 before)" in text or text.count("since then") == 1


@pytest.mark.requirement("SEC-03")
def test_a_pump_with_all_keys_taken_says_what_is_left(desk: Desk) -> None:
    made = desk.json("emulator", "new", "ward", "--frozen", "--pair")["data"]
    card = desk.files / "card.txt"
    card.write_text(made["pairing_secret"], "utf-8")
    ran, paired = desk.run("list"), 1  # one came with --pair
    while ran.code == 0:
        desk.data("emulator", "press", "ward")
        desk.monkeypatch.setenv("PUMPCTL_OPERATOR", f"nurse{paired}")
        ran = desk.run(*PORT, "pair", "--secret-file", card)
        paired += ran.code == 0
    assert (paired, ran.code) == (16, 6)
    assert "pumpctl unpair" in ran.err and "by needle" in ran.err
