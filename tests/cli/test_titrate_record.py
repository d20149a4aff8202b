"""What `titrate` writes down and looks up: responses, the last increase, clocks that change."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pumpctl.cli.decide import titrate_record
from pumpctl.therapy.checks.registry import pump_check
from pumpctl.therapy.patient import tag_hash
from tests.helpers.clinic import Clock
from tests.helpers.desk import ROOT, Desk
from tests.helpers.profiles import spoiled, written
from tests.helpers.ward import PORT, of

START = ROOT / "profiles" / "start-adult-spinal.toml"
SEEN = "2026-03-02T18:00:00+01:00"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, "2026-03-03T09:00:00+01:00")


def record(desk: Desk, answer: str, *more: object, at: str = SEEN) -> dict[str, Any]:
    return desk.data("titrate", START, "--record-response", answer, "--at", at, *more)


# --- responses ------------------------------------------------------------------------------


@pytest.mark.usefixtures("clock")
def test_a_response_is_written_down_and_shown(desk: Desk) -> None:
    told = record(desk, "same", "--note", "tone as before")
    assert told["recorded"] == 1
    told = record(desk, "better", "--side-effects", "drowsy at noon", at="2026-03-03T08:00+01:00")
    assert told["recorded"] == 2
    assert [each["response"] for each in told["responses"]] == ["same", "better"]
    shown = desk.data("titrate", START)
    assert shown["responses"] == told["responses"] and shown["recorded"] is None
    one = shown["responses"][0]
    assert (one["at"], one["daily_dose"], one["note"]) == (SEEN, "100 mcg/day", "tone as before")
    assert one["program"] == desk.data("profile", "check", START)["hash"]
    assert one["operator"] == "nurse"
    ran = desk.run("titrate", START)
    assert "drowsy at noon" in ran.out and "better at 100 mcg/day" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    content = b"".join(each.read_bytes() for each in desk.home.glob("journal.sqlite3*"))
    assert b"P-0640" not in content and tag_hash("", "P-0640").hex().encode() in content


@pytest.mark.usefixtures("clock")
def test_a_mistaken_response_is_replaced(desk: Desk) -> None:
    record(desk, "worse")
    told = record(desk, "better", "--replace", 1, "--reason", "the wrong line")
    assert [(each["number"], each["response"]) for each in told["responses"]] == [(2, "better")]
    error = ("titrate", START, "--record-response", "same", "--replace", 1, "--reason", "again")
    desk.refused(2, "USAGE", *error)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "words",
    [
        ("--record-response", "good"),
        ("--record-response", ""),
        ("--record-response", "better", "--at", "2026-03-03T09:01+01:00"),
        ("--record-response", "better", "--at", "2026-03-03T08:00"),
        ("--record-response", "better", "--by", "10 %"),
        ("--record-response", "better", "--last-increase", SEEN),
        ("--record-response", "better", "--note", "P-0640 is well"),
        ("--record-response", "better", "--note", "x" * 201),
        ("--record-response", "better", "--replace", "1"),
        ("--record-response", "better", "--reason", "for nothing"),
        ("--side-effects", "drowsy"),
        ("--note", "well"),
        ("--replace", "1"),
    ],
    ids=str,
)
def test_what_cannot_be_written_down(words: tuple[str, ...], desk: Desk) -> None:
    desk.refused(2, "USAGE", "titrate", START, *words)
    assert desk.data("titrate", START)["responses"] == []


# --- the last increase ------------------------------------------------------------------------


def at_home(desk: Desk, clock: Clock, raised_at: str) -> Path:
    """A ward whose pump runs 240 mcg/day by 24 h and more, and then 260; the last profile."""
    desk.emulator()
    desk.program(of(240))
    desk.advance("30 h")
    clock.shows(raised_at)
    desk.program(of(260))
    return written(desk.files / "now.toml", of(260))


def early(desk: Desk, file: Path, *more: object) -> str:
    """Why an increase is refused; nothing is written, and a reduction is not refused."""
    out = desk.files / "next.toml"
    error = desk.refused(3, "LIMIT_HARD", "titrate", file, "--by", "5 %", "-o", out, *more)
    assert not out.exists()
    assert desk.data("titrate", file, "--reduce-by", "5 %", *more)["proposal"]["file"] is None
    return str(error["message"])


def planned(desk: Desk, daily: int) -> list[str]:
    """The hard findings of a plan, or none."""
    words = (*PORT, "program", "plan", desk.profile(of(daily)), "-o", desk.files / "p.json")
    ran = desk.run(*words, "--json").document
    found = ran["error"]["findings"] if "error" in ran else []
    return [one["id"] for one in found]


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize(
    ("first", "raised", "too_soon", "in_time", "hours"),
    [
        # Forward, 2026-03-29: 09:10+01:00 is 08:10Z; 24 h later 08:10Z is 10:10+02:00.
        # The face shows 09:10 already after 23 h.
        ("2026-03-27T03:10:00+01:00", "2026-03-28T09:10:00+01:00",
         "2026-03-29T09:10:00+02:00", "2026-03-29T10:10:00+02:00", ("23 h", "1 h")),
        # Back, 2026-10-25: 09:10+02:00 is 07:10Z; 24 h later 07:10Z is 08:10+01:00.
        # The face shows 08:10, yet it is a whole day.
        ("2026-10-23T03:10:00+02:00", "2026-10-24T09:10:00+02:00",
         "2026-10-25T07:10:00+01:00", "2026-10-25T08:10:00+01:00", ("23 h", "1 h")),
        # No change: 2026-11-22 09:10, the next day at 09:10.
        ("2026-11-21T03:10:00+01:00", "2026-11-22T09:10:00+01:00",
         "2026-11-23T08:10:00+01:00", "2026-11-23T09:10:00+01:00", ("23 h", "1 h")),
    ],
    ids=["forward", "back", "even"],
)  # fmt: skip
def test_24_h_over_a_clock_change(
    first: str, raised: str, too_soon: str, in_time: str, hours: tuple[str, str],
    desk: Desk, clock: Clock,
) -> None:  # fmt: skip
    clock.shows(first)
    file = at_home(desk, clock, raised)
    seen = desk.data("titrate", file)
    assert (seen["last_increase"], seen["last_increase_from"]) == (raised, "journal")
    assert seen["same_program"] is True
    assert f"{raised}, from this station's" in desk.run("titrate", file).out
    for by, now in zip(hours, (too_soon, in_time), strict=True):
        desk.advance(by)
        clock.shows(now)
        if now == too_soon:
            assert "at most one increase in 24 h" in early(desk, file)
            assert planned(desk, 273) == ["INCREASE_24H"]
    out = desk.files / "next.toml"
    told = desk.data("titrate", file, "--by", "5 %", "-o", out)["proposal"]
    assert told["daily_dose"] == "273 mcg/day"  # 260 x 21/20
    assert planned(desk, 273) == []


@pytest.mark.requirement("LIM-09")
def test_a_station_clock_that_is_wrong_is_caught_by_the_pumps_counter(
    desk: Desk, clock: Clock
) -> None:
    """The station's clock is put 2 h ahead: 22 h are 24 h on its face, not on the pump's."""
    clock.shows("2026-11-21T03:10:00+01:00")
    file = at_home(desk, clock, "2026-11-22T09:10:00+01:00")
    desk.advance("22 h")
    clock.shows("2026-11-23T09:10:00+01:00")
    assert desk.data("titrate", file, "--by", "5 %")["proposal"]["daily_dose"] == "273 mcg/day"
    assert planned(desk, 273) == ["INCREASE_24H"]
    with desk.monkeypatch.context() as patch:
        patch.delitem(pump_check.by_id, "INCREASE_24H")
        assert planned(desk, 273) == [], "without the check it would pass"
    desk.advance("2 h")
    assert planned(desk, 273) == []


@pytest.mark.requirement("LIM-09")
def test_a_station_clock_that_was_put_back_does_not_shorten_the_day(
    desk: Desk, clock: Clock
) -> None:
    """Raised at 09:10, then put back by a day: the increase lies ahead, and still counts."""
    clock.shows("2026-11-21T03:10:00+01:00")
    file = at_home(desk, clock, "2026-11-22T09:10:00+01:00")
    clock.shows("2026-11-21T10:00:00+01:00")
    assert "2026-11-23T09:10:00+01:00" in early(desk, file)


@pytest.mark.requirement("LIM-09")
def test_an_option_only_makes_it_stricter(desk: Desk, clock: Clock) -> None:
    clock.shows("2026-11-21T03:10:00+01:00")
    raised = "2026-11-22T09:10:00+01:00"
    file = at_home(desk, clock, raised)
    clock.shows("2026-11-23T09:09:00+01:00")
    assert "2026-11-23T09:10:00" in early(desk, file, "--last-increase", "2026-11-01T09:00+01:00")
    seen = desk.data("titrate", file, "--last-increase", "2026-11-01T09:00+01:00")
    assert (seen["last_increase"], seen["last_increase_from"]) == (raised, "journal")
    later = "2026-11-23T08:00:00+01:00"
    seen = desk.data("titrate", file, "--last-increase", later)
    assert (seen["last_increase"], seen["last_increase_from"]) == (later, "option")
    assert seen["earliest"] == "2026-11-24T08:00:00+01:00"
    desk.monkeypatch.setattr(titrate_record, "_later", lambda one, other: one or other)
    past = ("--last-increase", "2026-11-01T09:00+01:00")
    assert desk.data("titrate", file, "--by", "5 %", *past)["proposal"], "the option would win"


@pytest.mark.requirement("LIM-09")
def test_a_reduction_and_going_back_are_no_increase(desk: Desk, clock: Clock) -> None:
    clock.shows("2026-11-21T03:10:00+01:00")
    desk.emulator()
    desk.program(of(260))
    desk.advance("30 h")
    clock.passes("30 h")
    desk.program(of(240))
    desk.advance("1 h")
    clock.passes("1 h")
    desk.program(of(260))
    file = written(desk.files / "now.toml", of(260))
    seen = desk.data("titrate", file)
    assert seen["last_increase"] is None and seen["same_program"] is True
    other = written(desk.files / "other.toml", of(250))
    assert desk.data("titrate", other)["same_program"] is False
    assert "not the program that was last put" in " ".join(desk.run("titrate", other).out.split())


@pytest.mark.requirement("LIM-09")
def test_the_first_day_of_a_new_patient_counts_from_the_journal(desk: Desk, clock: Clock) -> None:
    clock.shows("2026-11-21T09:00:00+01:00")
    desk.emulator()
    desk.program(of(150, "new"))
    file = written(desk.files / "now.toml", of(150, "new"))
    clock.shows("2026-11-22T08:59:00+01:00")
    assert "no increase in the first 24 h" in early(desk, file)
    clock.shows("2026-11-22T09:00:00+01:00")
    assert desk.data("titrate", file, "--by", "5 %")["proposal"]["daily_dose"] == "157.5 mcg/day"


def test_another_patients_pump_tells_nothing(desk: Desk, clock: Clock) -> None:
    clock.shows("2026-11-21T03:10:00+01:00")
    at_home(desk, clock, "2026-11-22T09:10:00+01:00")
    other = written(desk.files / "o.toml", spoiled("P-0417", "P-0418", of(260)))
    seen = desk.data("titrate", other)
    assert seen["last_increase"] is None and seen["same_program"] is None


def test_a_rehearsal_counts_only_once_its_time_has_come(desk: Desk, clock: Clock) -> None:
    clock.shows("2026-11-21T03:10:00+01:00")
    desk.rehearse()
    file = at_home(desk, clock, "2026-11-21T03:20:00+01:00")
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    assert desk.data("titrate", file)["last_increase"] is None
    clock.shows("2026-11-22T12:00:00+01:00")
    seen = desk.data("titrate", file)
    assert seen["last_increase"].startswith("2026-11-22T08:10:00") and seen["earliest"]
    assert "(a rehearsal)" in desk.run("titrate", file).out


@pytest.mark.requirement("LIM-09")
def test_an_increase_of_which_nobody_knows_counts(desk: Desk, clock: Clock) -> None:
    """The intent is in the journal, its outcome is not: the pump may have been changed."""
    clock.shows("2026-11-21T03:10:00+01:00")
    raised = "2026-11-22T09:10:00+01:00"
    file = at_home(desk, clock, raised)
    with sqlite3.connect(desk.home / "journal.sqlite3") as db:
        last = db.execute("SELECT max(seq) FROM journal_entries WHERE kind = 'outcome'").fetchone()
        assert db.execute("DELETE FROM journal_entries WHERE seq >= ?", last).rowcount == 1
    db.close()
    seen = desk.data("titrate", file)
    assert (seen["last_increase"], seen["last_increase_unknown"]) == (raised, True)
    assert "NOT KNOWN whether it was applied" in " ".join(early_screen(desk, file).split())


def early_screen(desk: Desk, file: Path) -> str:
    ran = desk.run("titrate", file, "--by", "5 %")
    assert ran.code == 3
    return ran.out


def test_w3_a_day_is_told_by_the_hour_too(desk: Desk) -> None:
    """300/24 = 12.5; 800/24 = 33 1/3, shown to 0.001 mcg/h."""
    for daily, hourly in ((300, "12.5 mcg/h"), (800, "33.333 mcg/h")):
        file = written(desk.files / "o.toml", of(daily))
        assert f"{daily} mcg/day = {hourly} = " in desk.run("titrate", file).out
