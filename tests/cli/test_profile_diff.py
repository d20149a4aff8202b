"""`profile diff`: every change is told, in figures; a difference is no error."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.cli.test_profile_show import AT, HARD, NO_PROGRAM, OWN
from tests.helpers.desk import Desk, spawned
from tests.helpers.profiles import FLEX, continuous, spoiled


def changed(*pairs: tuple[str, str], text: str = FLEX) -> str:
    for old, new in pairs:
        text = spoiled(old, new, text)
    return text


NEW = changed(
    ("438 mcg/day", "449.5 mcg/day"),
    ('basal = "26 mcg/h"', 'basal = "28 mcg/h"'),
    ('{ from = "10:00"', '{ from = "11:00"'),
    ('"07:00", "21:00"', '"07:00", "20:00"'),
    ("216 mcg/day", "220 mcg/day"),
    ("2 mL", "3 mL"),
).replace('dose = "20 mcg"', 'dose = "18.25 mcg"')
NEW = NEW.replace("449.5 mcg/day", "455.5 mcg/day").replace("376 mcg/day", "372.5 mcg/day")


def compare(desk: Desk, old: str, new: str, *more: object) -> dict[str, Any]:
    paths = (desk.profile(old, "old.toml"), desk.profile(new, "new.toml"))
    return desk.data("profile", "diff", *paths, *more)


def text_of(desk: Desk, old: str, new: str, *more: object) -> str:
    paths = (desk.profile(old, "old.toml"), desk.profile(new, "new.toml"))
    ran = desk.run("profile", "diff", *paths, *more)
    assert ran.code == 0
    assert all(len(line) <= 80 for line in ran.out.splitlines() if str(desk.files) not in line)
    return "\n".join(" ".join(line.split()) for line in ran.out.splitlines())


def test_the_document(desk: Desk) -> None:
    document = desk.json(
        "profile", "diff", desk.profile(FLEX, "old.toml"), desk.profile(NEW, "new.toml")
    )
    assert (document["schema"], document["ok"]) == ("pumpctl.profile.diff/1", True)
    data = document["data"]
    assert data["same"] is False and data["forecast"] is None
    assert data["old"]["patient"] == data["new"]["patient"] == "P-0417"
    assert data["old"]["hash"] != data["new"]["hash"]
    assert data["old"]["drug"] == {"name": "baclofen", "concentration": "2000 mcg/mL"}
    assert [each["day"] for each in data["days"]] == [
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
    ]
    assert data["days"][0] == {
        "day": "mon",
        "old": "438 mcg/day",
        "new": "455.5 mcg/day",
        "change": "+17.5 mcg/day",
        "percent": "+4.0 %",
    }
    assert data["days"][6]["change"] == "-3.5 mcg/day"
    assert data["largest_hour"] == {
        "old": "46 mcg", "new": "46.25 mcg", "change": "+0.25 mcg", "percent": "+0.5 %",
    }  # fmt: skip
    assert data["flow"] == {"old": "0.219 mL/day", "new": "0.22775 mL/day"}
    week = data["hours"][0]
    assert week["days"] == ["mon", "tue", "wed", "thu", "fri"]
    assert week["hours"][0] == {
        "from": "00:00", "old": "14 mcg", "new": "14 mcg", "change": "0 mcg", "percent": "0 %",
    }  # fmt: skip
    assert week["hours"][10]["change"] == "+13 mcg"
    monday = [step for step in data["steps"] if step["day"] == "mon"]
    assert [(step["edit"], step["from"]) for step in monday] == [
        ("changed", "06:00"), ("removed", "10:00"), ("added", "11:00"),
    ]  # fmt: skip
    assert (monday[1]["old"], monday[1]["new"]) == ("360 mcg/day", "672 mcg/day")
    sunday = [bolus for bolus in data["boluses"] if bolus["day"] == "sun"]
    assert [(bolus["edit"], bolus["at"]) for bolus in sunday] == [
        ("changed", "07:00"), ("added", "20:00"), ("removed", "21:00"),
    ]  # fmt: skip
    assert sunday[1]["old"] is None and sunday[1]["new"]["dose"] == "18.25 mcg"
    assert data["fields"] == [
        {
            "field": "program.fallback_rate",
            "old": "216 mcg/day",
            "new": "220 mcg/day",
            "percent": "+1.9 %",
        },
        {"field": "reservoir.low_alarm", "old": "2 mL", "new": "3 mL", "percent": "+50.0 %"},
    ]


def test_the_text(desk: Desk) -> None:
    text = text_of(desk, FLEX, NEW)
    for line in (
        "Mon-Fri 438 mcg/day 455.5 mcg/day +17.5 mcg/day +4.0 %",
        "Sat-Sun 376 mcg/day 372.5 mcg/day -3.5 mcg/day -0.9 %",
        "flow, largest day 0.219 mL/day 0.22775 mL/day +4.0 %",
        "Mon-Fri 06:00 26 → 28 mcg/h +7.7 %",
        "Mon-Fri 10:00 15 → 28 mcg/h +86.7 % no step now",
        "Mon-Fri 11:00 15 mcg/h as before new step",
        "every day 07:00 20 mcg = 0.01 mL over 10 min",
        "→ 18.25 mcg = 0.009125 mL over 10 min",
        "every day 20:00 added: 18.25 mcg = 0.009125 mL over 10 min",
        "every day 21:00 removed: 20 mcg = 0.01 mL over 10 min",
        "program.fallback_rate 216 mcg/day → 220 mcg/day +1.9 %",
        "10-11 15 mcg 28 mcg +13 mcg +86.7 %",
    ):
        assert line in text.splitlines(), line
    assert "00-01" not in text, "hours that stay are not listed"
    assert "ANOTHER" not in text


def test_nothing_changes(desk: Desk) -> None:
    """The same program written otherwise is the same program."""
    written = FLEX.replace(
        '"mon", "tue", "wed", "thu", "fri"]', '"fri", "thu", "wed", "tue", "mon"]'
    )
    data = compare(desk, FLEX, written)
    assert data["same"] is True
    assert not data["steps"] and not data["boluses"] and not data["fields"]
    assert {each["change"] for each in data["days"]} == {"0 mcg/day"}
    assert text_of(desk, FLEX, written).endswith("Nothing changes: both mean the same program.")


def test_another_patient_is_the_first_thing_said(desk: Desk) -> None:
    other = continuous(tag="P-9", serial="SP40-7")
    text = text_of(desk, continuous(), other)
    assert "ANOTHER PATIENT: P-0417 → P-9\nANOTHER PUMP: not said → SP40-7" in text
    assert "The program itself is the same." in text
    data = compare(desk, continuous(), other)
    assert data["same"] is False
    assert [each["field"] for each in data["fields"]] == ["patient.tag", "pump.serial"]


@pytest.mark.requirement("REF-03")
def test_another_concentration_is_explained(desk: Desk) -> None:
    text = text_of(desk, continuous(concentration="500 mcg/mL"), continuous())
    assert "ANOTHER CONCENTRATION: 500 mcg/mL → 2000 mcg/mL" in text
    assert "The same dose takes 25 % of the volume" in text
    assert "Only a refill changes what a pump holds" in text and "bridge" in text
    assert "flow, largest day 0.48 mL/day 0.12 mL/day -75.0 %" in text
    assert "every day 240 mcg/day the same" in text


def test_patient_doses_come_and_go(desk: Desk) -> None:
    dose = "10 mcg over 5 min, lockout 4 h, at most 3 in 24 h"
    assert f"patient dose added: {dose}" in text_of(desk, FLEX, FLEX + OWN)
    assert f"patient dose removed: {dose}" in text_of(desk, FLEX + OWN, FLEX)
    more = text_of(desk, FLEX + OWN, FLEX + OWN.replace("24h = 3", "24h = 4"))
    assert "program.patient_dose.max_per_24h 3 → 4" in more
    assert "24 h, all doses 468 mcg 478 mcg +10 mcg +2.1 %" in more
    assert "Hour by hour" not in more


def test_an_even_change_is_one_row(desk: Desk) -> None:
    text = text_of(desk, continuous("240 mcg/day"), continuous("264 mcg/day"))
    assert "00-24 each 10 mcg 11 mcg +1 mcg +10.0 %" in text


def test_from_nothing_has_no_percent(desk: Desk) -> None:
    zero = changed(
        ('{ from = "00:00", basal = "14 mcg/h" },', '{ from = "00:00", basal = "0 mcg/h" },'),
        ("438 mcg/day", "354 mcg/day"),
    )
    paths = (desk.profile(zero, "old.toml"), desk.profile(FLEX, "new.toml"))
    document = desk.run("profile", "diff", *paths, "--json").document
    hour = document["data"]["hours"][0]["hours"][0]
    assert (hour["old"], hour["change"], hour["percent"]) == ("0 mcg", "+14 mcg", None)


def test_the_days_ahead_side_by_side(desk: Desk) -> None:
    more = ("--volume", "38 mL", *AT, "--days", "3")
    old, new = FLEX + OWN, NEW + OWN
    data = compare(desk, old, new, *more)
    for name, text in (("old", old), ("new", new)):
        shown = desk.data("profile", "show", desk.profile(text), *more)["forecast"]
        del shown["flow"]
        assert data["forecast"][name] == shown
    text = text_of(desk, old, new, *more)
    assert "Doses by schedule: no patient dose is in them." in text
    assert "no patient dose is in them" not in text_of(desk, FLEX, NEW, *more)
    assert "Day by day from 38 mL on 2026-03-31 14:07, under each of them" in text
    days = zip(*(data["forecast"][name]["days"] for name in ("old", "new")), strict=True)
    for before, after in days:
        row = [before["date"]]
        for day in (before, after):
            row += [day[key].split()[0] for key in ("mass", "volume", "left_with_patient_doses")]
        assert " ".join(row) in text
    dates = [data["forecast"][name]["low_date"] for name in ("old", "new")]
    assert f"low reservoir {' '.join(dates)}" in text


@pytest.mark.parametrize("order", [(FLEX, HARD), (HARD, FLEX)])
def test_hard_findings_are_said_and_end_with_3(desk: Desk, order: tuple[str, str]) -> None:
    old, new = (desk.profile(text, f"{name}.toml") for text, name in zip(order, "ab", strict=True))
    document = desk.json("profile", "diff", old, new, code=3)
    assert document["error"]["code"] == "LIMIT_HARD" and document["data"]["same"] is True
    bad = old if order[0] == HARD else new
    assert desk.run("profile", "diff", old, new).out.startswith(f"NOT FOR USE, {bad} has hard")


@pytest.mark.parametrize("order", [(FLEX, NO_PROGRAM), (NO_PROGRAM, FLEX)])
def test_a_profile_that_means_no_program(desk: Desk, order: tuple[str, str]) -> None:
    old, new = (desk.profile(text, f"{name}.toml") for text, name in zip(order, "ab", strict=True))
    error = desk.refused(3, "LIMIT_HARD", "profile", "diff", old, new)
    assert "means no program" in error["message"]


def test_a_profile_for_nobody_is_compared_all_the_same(desk: Desk) -> None:
    nobody = spoiled('tag = "P-0417"\n', "")
    old, new = desk.profile(nobody, "old.toml"), desk.profile(FLEX, "new.toml")
    ran = desk.run("profile", "diff", old, new)
    assert ran.code == 3 and "patient not said" in ran.out
    assert "ANOTHER PATIENT: not said → P-0417" in ran.out


def test_an_empty_volume_or_time_is_usage(desk: Desk) -> None:
    path = desk.profile(FLEX)
    for command in (("diff", path, path), ("show", path), ("check", path)):
        for options in (("--volume", ""), ("--volume", "38 mL", "--at", "")):
            error = desk.refused(2, "USAGE", "profile", *command, *options)
            assert f"{options[-2]} is empty" in error["message"]


def test_only_one_of_them_comes_from_standard_input(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.refused(2, "USAGE", "profile", "diff", "-", "-")
    given = io.TextIOWrapper(io.BytesIO(FLEX.encode()))
    monkeypatch.setattr("sys.stdin", given)
    assert desk.data("profile", "diff", desk.profile(FLEX), "-")["same"] is True


def test_plain_letters_where_no_others_can_be_written(desk: Desk) -> None:
    paths = (desk.profile(FLEX, "old.toml"), desk.profile(NEW, "new.toml"))
    ran = spawned(desk.home, "profile", "diff", *paths, PYTHONIOENCODING="ascii")
    assert ran.code == 0 and "26 -> 28 mcg/h" in ran.out and "?" not in ran.out
