"""`profile show`: every hour, and with a volume every day ahead."""

from __future__ import annotations

import sys

import pytest

from pumpctl.cli.profile import text as profile_text
from pumpctl.quantities import Mass, Rate, Volume
from tests.helpers.desk import Desk, spawned
from tests.helpers.profiles import FLEX, continuous, spoiled

AT = ("--at", "2026-03-31T14:07:00+02:00")
OWN = """
[program.patient_dose]
dose = "10 mcg"
over = "5 min"
lockout = "4 h"
max_per_24h = 3
"""
NO_PROGRAM = spoiled('from = "00:00"', 'from = "01:00"')
HARD = spoiled("438 mcg/day", "439 mcg/day")


@pytest.mark.requirement("UNI-06")
def test_every_hour_of_every_kind_of_day(desk: Desk) -> None:
    data = desk.data("profile", "show", desk.profile(FLEX))
    week, weekend = data["hours"]
    assert week["days"] == ["mon", "tue", "wed", "thu", "fri"] and weekend["days"] == ["sat", "sun"]
    assert [hour["from"] for hour in week["hours"]] == [f"{at:02d}:00" for at in range(24)]
    assert week["hours"][7] == {
        "from": "07:00",
        "basal_mass": "26 mcg",
        "boluses": [{"at": "07:00", "dose": "20 mcg", "over": "10 min", "volume": "0.01 mL"}],
        "mass": "46 mcg",
        "volume": "0.023 mL",
    }
    for kind, day in ((week, data["days"][0]), (weekend, data["days"][6])):
        masses = [Mass.parse(hour["mass"]).quanta for hour in kind["hours"]]
        assert Rate(sum(masses)) == Rate.parse(day["daily_dose"])

    text = desk.run("profile", "show", desk.files / "visit.toml").out
    assert "Mon-Fri: 438 mcg/day = 0.219 mL/day at 2000 mcg/mL" in text
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "07-08 26 mcg 07:00 20 mcg 46 mcg 0.023 mL" in rows
    assert "23-24 15 mcg 15 mcg 0.0075 mL" in rows
    assert sum(row[2:3] == "-" and row[:2].isdigit() for row in rows) == 48
    assert "largest hour 46 mcg = 0.023 mL" in rows
    assert "fallback 216 mcg/day = 0.108 mL/day (57 % of the smallest day)" in rows
    assert all(len(line) <= 80 for line in text.splitlines())


def test_an_even_day_is_told_in_one_line(desk: Desk) -> None:
    text = desk.run("profile", "show", desk.profile(continuous("450 mcg/day"))).out
    assert "  each of the 24 hours  18.75 mcg = 0.009375 mL" in text
    assert "A bolus" not in text


def test_boluses_of_one_hour_are_added_up(desk: Desk) -> None:
    text = spoiled('"07:00", "21:00"', '"07:00", "07:30"')
    rows = desk.run("profile", "show", desk.profile(text)).out.splitlines()
    assert "07-08 26 mcg 2 boluses, 40 mcg 66 mcg 0.033 mL" in [
        " ".join(row.split()) for row in rows
    ]


def test_detail_holds_the_patient_dose(desk: Desk) -> None:
    assert desk.data("profile", "show", desk.profile(FLEX))["detail"]["patient_dose"] is None
    detail = desk.data("profile", "show", desk.profile(FLEX + OWN))["detail"]
    assert detail["patient_dose"] == {
        "dose": "10 mcg",
        "over": "5 min",
        "lockout": "4 h",
        "max_per_24h": 3,
    }
    assert detail["boluses"][0]["volume"] == "0.01 mL"


def test_basal_is_per_hour_where_that_is_exact(desk: Desk) -> None:
    steps = desk.data("profile", "show", desk.profile(FLEX))["detail"]["steps"]
    assert steps[0]["steps"][0] == {"from": "00:00", "basal": "14 mcg/h"}
    for daily, basal in (("450 mcg/day", "18.75 mcg/h"), ("100 mcg/day", "100 mcg/day")):
        path = desk.profile(continuous(daily, fallback="96 mcg/day"))
        steps = desk.data("profile", "show", path)["detail"]["steps"]
        assert steps[0]["steps"] == [{"from": "00:00", "basal": basal}]


def test_the_table_says_that_its_doses_hold_no_patient_dose(desk: Desk) -> None:
    note = "no patient dose is in them"
    for text, told in ((FLEX, False), (FLEX + OWN, True)):
        path = desk.profile(text)
        assert (note in desk.run("profile", "show", path, "--volume", "38 mL", *AT).out) is told


@pytest.mark.requirement("REF-05")
def test_the_days_ahead(desk: Desk) -> None:
    path = desk.profile(FLEX + OWN)
    none = desk.data("profile", "show", path)["forecast"]
    assert none == {"flow": "0.219 mL/day", "low_date": None, "refill_by": None, "days": []}

    told = desk.data("profile", "show", path, "--volume", "38 mL", *AT, "--days", "3")["forecast"]
    checked = desk.data("profile", "check", path, "--volume", "38 mL", *AT)["forecast"]
    assert {key: told[key] for key in checked} == checked
    assert told["from"] == "2026-03-31T14:07:00+02:00"
    assert [(day["date"], day["day"]) for day in told["days"]] == [
        ("2026-03-31", "tue"), ("2026-04-01", "wed"), ("2026-04-02", "thu"),
    ]  # fmt: skip
    second = told["days"][1]
    assert (second["mass"], second["volume"], second["largest_hour"]) == (
        "438 mcg", "0.219 mL", "46 mcg",
    )  # fmt: skip
    assert second["windows"] == [
        {"length": "1 h", "mass": "46 mcg"},
        {"length": "24 h", "mass": "438 mcg"},
    ]
    left = Volume.parse(told["days"][0]["left_scheduled"]), Volume.parse(second["left_scheduled"])
    assert str(left[0] - left[1]) == "0.219 mL"
    assert Volume.parse(second["left_with_patient_doses"]) < left[1]

    text = desk.run("profile", "show", path, "--volume", "38 mL", *AT).out
    assert "Day by day from 38 mL on 2026-03-31 14:07, at 2000 mcg/mL" in text
    assert "Tue 2026-04-14" not in text and "Mon 2026-04-13" in text, "two weeks"
    assert "All dates with every permitted patient dose taken." in text
    assert f"refill by      {checked['refill_by']} (low reservoir)" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_reservoir_that_runs_low_and_empty_says_so(desk: Desk) -> None:
    path = desk.profile(continuous("1000 mcg/day", concentration="500 mcg/mL"))
    text = desk.run("profile", "show", path, "--volume", "5 mL", *AT, "--days", "4").out
    ends = [line.split()[-1] for line in text.splitlines() if "2026-0" in line and ":" not in line]
    assert ends[:4] == ["4.176388", "2.176388", "LOW", "EMPTY"], "rounded down"
    assert "all doses" not in text, "there are none"


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--days", "3"), "--days counts from a volume"),
        (("--volume", "38 mL", "--days", "0"), "0"),
        (("--volume", "2000 mL"), "holds more than 40 mL"),
        (("--volume", "38"), "no unit"),
        (("--volume", "38 mL", "--at", "noon"), "noon"),
        (("--volume", ""), "--volume is empty"),
        (("--volume", "38 mL", "--at", ""), "--at is empty"),
        (("--at", " "), "--at is empty"),
    ],
)
def test_wrong_options_are_usage(desk: Desk, options: tuple[str, ...], what: str) -> None:
    ran = desk.run("profile", "show", desk.profile(FLEX), *options)
    assert (ran.code, ran.out) == (2, "") and what in ran.err


def test_a_profile_that_means_no_program(desk: Desk) -> None:
    error = desk.refused(3, "LIMIT_HARD", "profile", "show", desk.profile(NO_PROGRAM))
    assert "means no program" in error["message"] and error["findings"]


def test_hard_findings_stand_above_what_is_shown(desk: Desk) -> None:
    path = desk.profile(HARD)
    document = desk.json("profile", "show", path, code=3)
    assert document["error"]["code"] == "LIMIT_HARD" and document["data"]["hours"]
    ran = desk.run("profile", "show", path)
    assert ran.code == 3
    assert ran.out.startswith(f"NOT FOR USE, {path} has hard findings: DECLARED_DOSE\n")
    assert "1 hard finding" in ran.err


def test_a_screen_of_few_letters_gets_digits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.profile(FLEX)
    plain = spawned(desk.home, "profile", "show", path, PYTHONIOENCODING="ascii")
    assert plain.code == 0 and "Mon-Fri   2222225855" in plain.out

    class Screen:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Screen())
    for terminal, able in (("linux", False), ("dumb", False), ("xterm-256color", True)):
        monkeypatch.setenv("TERM", terminal)
        assert profile_text.can_write("▁") is able
    monkeypatch.setattr(Screen, "encoding", "no such encoding")
    assert not profile_text.can_write("a")
