"""`profile plot`: in the terminal, as data, and in a file that is never lost."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.test_profile_diff import NEW
from tests.cli.test_profile_show import HARD, NO_PROGRAM, OWN
from tests.helpers.desk import Desk, spawned
from tests.helpers.profiles import FLEX, continuous


def test_a_chart_in_the_terminal(desk: Desk) -> None:
    out = desk.run("profile", "plot", desk.profile(FLEX + OWN)).out
    lines = out.splitlines()
    assert lines[0] == "baclofen 2000 mcg/mL · patient P-0417"
    assert lines[1].startswith("visit.toml, program ")
    assert "  █ 438 mcg/day = 0.219 mL/day" in lines and "The week" in lines
    assert all(len(line) <= 79 for line in lines)
    assert "\x1b" not in out, "no colours: NO_COLOR needs no special case"


def test_old_and_new_in_one_chart(desk: Desk) -> None:
    """In the order of `profile diff`."""
    old, new = desk.profile(FLEX, "old.toml"), desk.profile(NEW, "new.toml")
    lines = desk.run("profile", "plot", old, new).out.splitlines()
    assert lines[1].startswith("old: old.toml") and lines[2].startswith("new: new.toml")
    assert "  █ new 455.5 mcg/day = 0.22775 mL/day (+4.0 %)" in lines
    assert "  ─ old 438 mcg/day = 0.219 mL/day, as dashes" in lines


def test_plain_letters_where_no_others_can_be_written(desk: Desk) -> None:
    old, new = desk.profile(FLEX, "old.toml"), desk.profile(NEW, "new.toml")
    ran = spawned(desk.home, "profile", "plot", old, new, PYTHONIOENCODING="ascii")
    assert ran.code == 0 and "####" in ran.out and "?" not in ran.out


def test_the_series_as_data(desk: Desk) -> None:
    old, new = desk.profile(continuous("320 mcg/day"), "old.toml"), desk.profile(FLEX, "new.toml")
    document = desk.json("profile", "plot", old, new)
    assert document["schema"] == "pumpctl.profile.plot/1"
    data = document["data"]
    assert data["file"] is None and set(data) == {"file", "old", "new"}
    assert [day["days"][0] for day in data["old"]["days"]] == ["mon", "sat"], "the same groups"
    assert data["old"]["days"][0] == {
        "days": ["mon", "tue", "wed", "thu", "fri"],
        "daily_dose": "320 mcg/day",
        "largest_hour": "13.334 mcg",
        "largest_hour_from": "00:00",
        "steps": [{"from": "00:00", "to": "24:00", "basal": "320 mcg/day"}],
        "boluses": [],
    }
    week = data["new"]["days"][0]
    assert week["largest_hour_from"] == "06:10"
    assert [(step["from"], step["to"], step["basal"]) for step in week["steps"]] == [
        ("00:00", "06:00", "14 mcg/h"),
        ("06:00", "10:00", "26 mcg/h"),
        ("10:00", "24:00", "15 mcg/h"),
    ]
    assert week["boluses"][1] == {
        "at": "21:00", "dose": "20 mcg", "over": "10 min", "volume": "0.01 mL",
    }  # fmt: skip
    alone = desk.data("profile", "plot", new)
    assert alone["old"] is None and alone["new"] == data["new"]


@pytest.mark.parametrize("name", ["chart.svg", "chart.png"])
def test_a_picture(desk: Desk, name: str) -> None:
    path, out = desk.profile(FLEX), desk.files / name
    assert desk.run("profile", "plot", path, "-o", out).out == f"{out} written.\n"
    drawn = out.read_bytes()
    assert drawn.startswith(b"<?xml" if name.endswith("svg") else b"\x89PNG\r\n\x1a\n")

    error = desk.refused(2, "USAGE", "profile", "plot", path, "-o", out)
    assert "is there already" in error["message"] and "--force" in error["hint"]
    out.write_bytes(b"other")
    data = desk.data("profile", "plot", path, "--output", out, "--force")
    assert data["file"] == str(out) and out.read_bytes() == drawn


def test_another_ending_is_usage_before_anything_is_read(desk: Desk) -> None:
    out = desk.files / "chart.pdf"
    error = desk.refused(2, "USAGE", "profile", "plot", "no-such.toml", "-o", out)
    assert error["hint"] == "NAME.svg or NAME.png" and not out.exists()


def test_without_matplotlib_it_says_how_to_get_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    path, out = desk.profile(FLEX), desk.files / "chart.svg"
    error = desk.refused(2, "USAGE", "profile", "plot", path, "-o", out)
    assert 'pip install "pumpctl[charts]"' in error["hint"] and not out.exists()
    assert desk.run("profile", "plot", path).code == 0, "the terminal needs none of it"


def test_a_file_that_cannot_be_written(desk: Desk) -> None:
    out = desk.files / "none" / "chart.svg"
    desk.refused(11, "STORE", "profile", "plot", desk.profile(FLEX), "-o", out)


def test_no_picture_of_what_must_not_be_used(desk: Desk) -> None:
    path, out = desk.profile(HARD), desk.files / "chart.svg"
    for profiles in ((path,), (path, desk.profile(FLEX, "b.toml"))):
        desk.refused(3, "LIMIT_HARD", "profile", "plot", *profiles, "-o", out)
        assert not out.exists()
        ran = desk.run("profile", "plot", *profiles)
        assert ran.code == 3 and ran.out.startswith(f"NOT FOR USE, {path} has hard findings")
    assert desk.json("profile", "plot", path, code=3)["data"]["new"]["days"]


def test_a_profile_that_means_no_program(desk: Desk) -> None:
    error = desk.refused(3, "LIMIT_HARD", "profile", "plot", desk.profile(NO_PROGRAM))
    assert "means no program" in error["message"]
    desk.refused(2, "USAGE", "profile", "plot", "-", "-")


def test_a_drug_that_no_pump_knows_has_no_hash(desk: Desk) -> None:
    ran = desk.run("profile", "plot", desk.profile(FLEX.replace("baclofen", "morphine")))
    assert ran.code == 3 and "\nvisit.toml\n" in ran.out


def test_every_shipped_profile_is_drawn(desk: Desk) -> None:
    shipped = sorted((Path(__file__).parents[2] / "profiles").glob("*.toml"))
    assert len(shipped) > 5
    for path in shipped:
        lines = desk.run("profile", "plot", path).out.splitlines()
        assert all(len(line) <= 79 for line in lines)
        assert sum("█" in line for line in lines) > 5
