"""`program history`, `program show --at`, going back: told truly, planned like any program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpctl.station.journal import Journal
from pumpctl.workflows.course import going_back
from pumpctl.workflows.course.history import history_of
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous

PORT = ("--port", "emu://ward")


def dose(daily: str) -> str:
    """A profile of this many mcg a day, with a fallback that no check minds."""
    return continuous(f"{daily} mcg/day", fallback="96 mcg/day")


def push(desk: Desk, daily: str, *more: object) -> str:
    """Put it on the pump; the program's hash."""
    desk.program(dose(daily), *more)
    return str(desk.inspect()["program"]["hash"])


def history(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.pump("program", "history")["programs"]
    return found


@pytest.fixture
def lived(desk: Desk) -> Desk:
    """100 mcg/day for 30 h, then 110, stopped after 5 h for 3 h, and 3 h more."""
    desk.emulator()
    desk.rehearse()
    push(desk, "100")
    desk.advance("30h")
    push(desk, "110")
    desk.advance("5h")
    desk.pump("stop", "--now", "--reason", "before surgery")
    desk.advance("3h")
    told = desk.pump("resume", "--plan-only", "-o", desk.files / "resume.json")
    desk.apply(desk.files / "resume.json", told["confirm"])
    desk.advance("3h")
    return desk


# --- history --------------------------------------------------------------------------------


def test_every_program_with_its_times_and_who_brought_it(lived: Desk) -> None:
    """By the pump's counter: 30 h, stopped at 35 h, resumed at 38 h."""
    document = lived.json(*PORT, "program", "history")
    assert document["schema"] == "pumpctl.program.history/1"
    newest, older, made = document["data"]["programs"]
    assert document["data"]["incomplete"] is None
    assert [each["daily_dose"] for each in (newest, older, made)] == [
        "110 mcg/day", "100 mcg/day", "96 mcg/day",
    ]  # fmt: skip
    assert [each["mode"] for each in (newest, made)] == ["continuous", "minimum-rate"]
    assert {each["concentration"] for each in (newest, older, made)} == {"2000 mcg/mL"}
    assert (newest["from_counter"], newest["to_counter"], newest["to"]) == ("30 h", None, None)
    assert (older["to_counter"], older["to"]) == ("30 h", newest["from"])
    assert newest["hash"] == lived.inspect()["program"]["hash"]
    assert newest["operator"] == older["operator"] == "nurse"
    assert (made["operation"], made["operator"]) == (None, None)
    events = newest["events"]
    assert [(each["event"], each["counter"]) for each in events] == [
        ("stopped", "35 h"), ("resumed", "38 h"),
    ]  # fmt: skip
    assert (events[0]["operator"], events[0]["reason"]) == ("nurse", "before surgery")
    assert older["events"] == []


def test_history_for_people(lived: Desk) -> None:
    ran = lived.run(*PORT, "program", "history")
    assert ran.code == 0
    assert all(len(line) <= 80 for line in ran.out.splitlines()), ran.out
    assert ran.out.index("110 mcg/day") < ran.out.index("100 mcg/day")
    assert "STOPPED by nurse" in ran.out
    assert "before surgery" in ran.out
    assert "everything since the pump was made" in ran.out
    for each in history(lived):
        assert each["hash"][:12] in ran.out


def test_history_changes_nothing(lived: Desk) -> None:
    with lived.untouched():
        history(lived)
        lived.pump("program", "show", "--at", history(lived)[0]["from"])


def test_a_program_of_another_station(lived: Desk) -> None:
    """Without our journal the present one is known from the pump, and those before are not."""
    for file in lived.home.glob("journal.sqlite3*"):
        file.unlink()
    data = lived.pump("program", "history")
    (only,) = data["programs"]
    assert (only["daily_dose"], only["operator"]) == ("110 mcg/day", None)
    assert only["operation"]
    assert "another station" in data["incomplete"]
    text = lived.run(*PORT, "program", "history").out
    assert "another station" in text
    assert "It ends here" in text


@pytest.mark.requirement("AUD-03")
def test_a_journal_that_cannot_be_read_bars_no_reading(lived: Desk) -> None:
    for file in lived.home.glob("journal.sqlite3*"):
        file.unlink()
    (lived.home / "journal.sqlite3").write_bytes(b"garbage" * 1000)
    document = lived.json(*PORT, "program", "history")
    assert document["data"]["programs"][0]["daily_dose"] == "110 mcg/day"
    assert any("journal" in one["message"] for one in document["warnings"])


def test_without_a_pump_the_journal_s_own_orders(lived: Desk) -> None:
    document = lived.json("--port", "emu://none", "program", "history", code=4)
    assert document["error"]["changed"] == "no"
    data = document["data"]
    assert "no pump answered" in data["incomplete"]
    assert [each["daily_dose"] for each in data["programs"]] == ["110 mcg/day", "100 mcg/day"]
    assert data["programs"][1]["to"] == data["programs"][0]["from"]
    assert [each["unknown"] for each in data["programs"]] == [False, False]
    assert "NO PUMP ANSWERED" in lived.run("--port", "emu://none", "program", "history").out


def test_without_a_pump_and_without_a_journal(desk: Desk) -> None:
    document = desk.json("--port", "emu://none", "program", "history", code=4)
    assert document["data"]["programs"] == []
    assert not (desk.home / "journal.sqlite3").exists()


# --- show --at ------------------------------------------------------------------------------


def at(desk: Desk, time: str) -> dict[str, Any]:
    return desk.pump("program", "show", "--at", time)


def moved(time: str, hours: int) -> str:
    from pumpctl.therapy.moment import Moment

    return str(Moment.parse(time).plus(hours * 3_600_000))


def test_show_at_a_time(lived: Desk) -> None:
    """100 mcg/day until 30 h; 110 from then; stopped from 35 h to 38 h."""
    begun = history(lived)[1]["from"]
    for hours, daily, then in (
        (29, "100 mcg/day", "running"),
        (30, "110 mcg/day", "running"),
        (34, "110 mcg/day", "running"),
        (35, "110 mcg/day", "stopped"),
        (37, "110 mcg/day", "stopped"),
        (38, "110 mcg/day", "running"),
        (41, "110 mcg/day", "running"),
    ):
        told = at(lived, moved(begun, hours))
        assert (told["daily_dose"], told["then"]) == (daily, then), hours
    assert "STOPPED" in lived.run(*PORT, "program", "show", "--at", moved(begun, 36)).out
    now = lived.pump("program", "show")
    assert now["hash"] == at(lived, moved(begun, 41))["hash"]


def test_a_time_that_is_none_before_all_or_to_come(lived: Desk) -> None:
    begun = history(lived)[2]["from"]
    error = lived.refused(3, "INPUT", *PORT, "program", "show", "--at", moved(begun, -1))
    assert "before what is known" in error["message"]
    error = lived.refused(3, "INPUT", *PORT, "program", "show", "--at", moved(begun, 42))
    assert "future" in error["message"]
    for bad in ("yesterday", "2026-01-01", "2026-01-01T10:00:00", ""):
        lived.refused(2, "USAGE", *PORT, "program", "show", "--at", bad)


def test_the_same_instant_by_another_offset(lived: Desk) -> None:
    """10:00Z is 12:00+02:00: the instant counts."""
    from pumpctl.therapy.moment import Moment

    begun = Moment.parse(history(lived)[0]["from"])
    shown = str(begun._replace(offset_min=120))
    assert at(lived, shown)["daily_dose"] == "110 mcg/day"


# --- going back -----------------------------------------------------------------------------


def back(desk: Desk, digits: str, *more: object) -> dict[str, Any]:
    return desk.pump("program", "plan", "--back-to", digits, "-o", desk.files / "b.json", *more)


def test_going_back_is_a_plan_like_any_other(lived: Desk) -> None:
    earlier = history(lived)[1]["hash"]
    before = lived.inspect()
    told = back(lived, earlier[:8])
    assert lived.inspect()["program"] == before["program"], "a plan changes nothing"
    assert (told["old"]["daily_dose"], told["new"]["daily_dose"]) == ("110 mcg/day", "100 mcg/day")
    assert told["new"]["hash"] == earlier
    done = lived.apply(lived.files / "b.json", told["confirm"])
    assert done["verified"] is True
    assert lived.inspect()["program"]["hash"] == earlier
    assert [each["hash"] for each in history(lived)[::2]] == [earlier, earlier]


def test_going_back_by_push_plan_only_and_by_more_digits(lived: Desk) -> None:
    earlier = history(lived)[1]["hash"]
    for digits in (earlier, earlier.upper(), earlier[:20]):
        told = lived.pump(
            "program", "push", "--back-to", digits, "--plan-only", "-o", lived.files / "b.json"
        )
        assert told["new"]["hash"] == earlier


def test_going_back_keeps_the_patient_of_the_pump_and_no_tag(lived: Desk) -> None:
    before = lived.inspect()
    told = back(lived, history(lived)[1]["hash"][:8])
    assert "P-0417" not in (lived.files / "b.json").read_text("utf-8")
    lived.apply(lived.files / "b.json", told["confirm"])
    assert lived.inspect().get("patient") == before.get("patient")
    lived.plan(dose("110"))  # the pump is still this patient's


@pytest.mark.requirement("LIM-09")
def test_going_back_up_is_an_increase_within_24_hours(desk: Desk) -> None:
    """120, then 100 for 30 h, then 110: an hour later 120 would be the second increase."""
    desk.emulator()
    desk.rehearse()
    highest = push(desk, "120")
    desk.advance("30h")
    push(desk, "100")
    desk.advance("30h")
    push(desk, "110")
    desk.advance("1h")
    words = ("program", "plan", "--back-to", highest[:8], "-o", desk.files / "b.json")
    document = desk.run(*PORT, *words, "--json").document
    found = document["data"]["findings"] if document["ok"] else document["error"]["findings"]
    assert "INCREASE_24H" in {each["id"] for each in found}
    assert not document["ok"] or document["data"]["confirm"] is None


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--back-to", "abc"),
        ("--back-to", "1234567"),
        ("--back-to", "nothexxx"),
        ("--back-to", ""),
        ("--back-to", "0" * 65),
        ("FILE", "--back-to", "12345678"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "push"])
def test_back_to_that_cannot_be_understood(
    command: str, words: tuple[str, ...], desk: Desk
) -> None:
    desk.emulator()
    file = desk.profile(dose("100"))
    given = [file if word == "FILE" else word for word in words]
    with desk.untouched():
        desk.refused(
            2, "USAGE", *PORT, "program", command, *given, "-o", desk.files / "b.json",
            *(("--plan-only",) if command == "push" else ()),
        )  # fmt: skip
    assert not (desk.files / "b.json").exists()


def test_back_to_what_never_ran_what_runs_and_what_another_station_brought(lived: Desk) -> None:
    newest = history(lived)[0]["hash"]
    words = (*PORT, "program", "plan", "-o", lived.files / "b.json", "--back-to")
    with lived.untouched():
        assert "ran no program" in lived.refused(3, "INPUT", *words, "0" * 8)["message"]
        assert "that the pump holds" in lived.refused(3, "INPUT", *words, newest[:8])["message"]
        earlier = history(lived)[1]["hash"]
        for file in lived.home.glob("journal.sqlite3*"):
            file.unlink()
        error = lived.refused(3, "INPUT", *words, earlier[:8])
        assert "another station" in error["message"]


def test_two_programs_with_the_same_beginning(lived: Desk) -> None:
    """Eight digits name one of a few programs; where they do not, more are wanted."""
    real = history_of

    def alike(open_visit: Any) -> Any:
        found = real(open_visit)
        one, *rest = [each for each in found.held if each.end is not None]
        assert one.hash is not None
        twin = one._replace(hash=one.hash[:4] + bytes(28))
        return found._replace(held=(*found.held, twin, *rest))

    lived.monkeypatch.setattr(going_back, "history_of", alike)
    error = lived.refused(
        3, "INPUT", *PORT, "program", "plan", "-o", lived.files / "b.json",
        "--back-to", history(lived)[1]["hash"][:8],
    )  # fmt: skip
    assert "2 programs" in error["message"]


def test_where_nobody_said_for_what_kind_of_patient(lived: Desk) -> None:
    """Another patient's plans do not say it; without that filter they would."""
    earlier = history(lived)[1]["hash"]
    words = (*PORT, "program", "plan", "-o", lived.files / "b.json", "--back-to", earlier[:8])
    real = Journal.entries

    def of_another(self: Journal, **given: Any) -> Any:
        return [
            each._replace(body={**each.body, "tag": "00" * 8}) if "tag" in each.body else each
            for each in real(self, **given)
        ]

    lived.monkeypatch.setattr(Journal, "entries", of_another)
    assert "what kind of patient" in lived.refused(3, "INPUT", *words)["message"]


def test_the_journal_holds_no_tag_after_going_back(lived: Desk) -> None:
    told = back(lived, history(lived)[1]["hash"][:8])
    lived.apply(lived.files / "b.json", told["confirm"])
    path: Path = lived.home / "journal.sqlite3"
    with Journal(path) as journal:
        assert journal.fault() is None
        assert all("P-0417" not in str(each) for each in journal.entries())


@pytest.mark.parametrize("tag", ["", " ", "   "])
def test_a_profile_without_a_tag_is_none(tag: str, lived: Desk) -> None:
    """Only going back names nobody: a file that does would go to whoever the pump holds."""
    text = dose("100").replace('tag = "P-0417"', f'tag = "{tag}"')
    ran = lived.run(*PORT, "program", "plan", lived.profile(text), "-o", lived.files / "n.json")
    assert ran.code == 3
    assert not (lived.files / "n.json").exists()
