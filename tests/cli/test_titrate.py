"""`titrate`: the range, a new profile, a weaning; on profiles that ship, good and bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpctl.cli import context
from pumpctl.quantities import Percent, Rate
from pumpctl.station.library_store import InForce
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.profile import read_profile_bytes
from pumpctl.workflows.decide import titrating
from tests.helpers.desk import ROOT, Desk
from tests.helpers.profiles import FLEX, continuous, spoiled, written

START = ROOT / "profiles" / "start-adult-spinal.toml"
EVEN = ROOT / "profiles" / "continuous.toml"
WEEK = ROOT / "profiles" / "flex.toml"
CHILD = ROOT / "profiles" / "child-cerebral.toml"
FILES = sorted((ROOT / "profiles").glob("*.toml"))
BEGAN, EARLY, LATER = (
    "2026-04-01T09:00:00+02:00", "2026-04-02T08:59:59+02:00", "2026-04-02T09:00:00+02:00",
)  # fmt: skip
DATA = {
    "current", "patient", "boluses", "range", "no_increase", "earliest", "reduction",
    "no_reduction", "last_increase", "proposal", "weaning", "last_increase_from",
    "last_increase_unknown", "same_program", "responses", "recorded",
}  # fmt: skip


def reading(path: Path) -> Any:
    found = read_profile_bytes(path.read_bytes(), path.name)
    assert found.ok
    return found


def span(data: dict[str, Any]) -> tuple[str, str]:
    return data["range"]["low"], data["range"]["high"]


# --- what is permitted --------------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
def test_w13_the_permitted_range_is_shown_and_nothing_is_chosen(desk: Desk) -> None:
    document = desk.json("titrate", START)
    assert document["schema"] == "pumpctl.titrate/1" and document["pump"] is None
    data = document["data"]
    assert set(data) == DATA
    assert data["current"] == "100 mcg/day"
    assert span(data) == ("110 mcg/day", "130 mcg/day")
    assert data["range"]["refused_beyond"] == "130 mcg/day"
    assert data["range"]["sources"][0].startswith("titration")
    assert data["reduction"]["low"] == "80 mcg/day"
    assert data["proposal"] is None and data["weaning"] is None and data["earliest"] is None
    for old, new in (('"spinal"', '"cerebral"'), ('"adult"', '"12-17"')):
        other = written(desk.files / "o.toml", spoiled(old, new, START.read_text("utf-8")))
        assert span(desk.data("titrate", other)) == ("105 mcg/day", "115 mcg/day")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_profile_that_ships_has_a_screen(file: Path, desk: Desk) -> None:
    ran = desk.run("titrate", file)
    assert ran.code == 0 and ran.err == ""
    assert "Nothing is chosen here" in ran.out
    assert max(map(len, ran.out.split("\n"))) <= 80
    if "minimum" in file.stem:
        assert "no prescribed dose" in ran.out
    else:
        assert "mL/day" in ran.out and "mcg/h" in ran.out and "withdrawal" in ran.out


def test_a_figure_to_verify_says_so(desk: Desk) -> None:
    assert "(to verify)" in desk.run("titrate", EVEN).out
    assert any("(to verify)" in one for one in desk.data("titrate", EVEN)["range"]["sources"])


def test_a_history_that_is_not_said_is_held_to_the_stricter_rule(desk: Desk) -> None:
    text = spoiled('history = "established"\n', "", EVEN.read_text("utf-8"))
    file = written(desk.files / "o.toml", text)
    assert "history not said" in desk.run("titrate", file).out
    assert span(desk.data("titrate", file)) == ("495 mcg/day", "585 mcg/day")


@pytest.mark.requirement("LIM-09")
def test_24_hours_from_the_start_and_from_the_last_increase(desk: Desk) -> None:
    for option in ("--started", "--last-increase"):
        seen = desk.data("titrate", START, option, BEGAN, "--at", EARLY)
        assert seen["earliest"] == LATER
        assert f"not before {LATER}" in desk.run("titrate", START, option, BEGAN).out
        words = ("titrate", START, "--by", "10 %", option, BEGAN, "--at")
        error = desk.refused(3, "LIMIT_HARD", *words, EARLY)
        assert LATER in error["message"]
        assert desk.data(*words, LATER)["proposal"]["daily_dose"] == "110 mcg/day"
        less = ("titrate", START, "--reduce-by", "10 %", option, BEGAN, "--at", EARLY)
        assert desk.data(*less)["proposal"]["daily_dose"] == "90 mcg/day"


# --- a new profile ------------------------------------------------------------------------


def test_a_new_profile_is_written_checked_and_holds_what_was_shown(desk: Desk) -> None:
    new = desk.files / "new.toml"
    words = ("titrate", WEEK, "--by", "10 %", "--volume", "38 mL", "--at", BEGAN)
    told = desk.data(*words, "-o", new)["proposal"]
    assert told["file"] == str(new)
    assert (told["wanted_dose"], told["daily_dose"]) == ("481.8 mcg/day", "481.8 mcg/day")
    assert told["change_percent"] == "10"
    assert told["days"][6] == {
        "day": "sun", "old_dose": "376 mcg/day", "daily_dose": "413.6 mcg/day",
        "change_percent": "10",
    }  # fmt: skip
    assert told["fallback_rate"] == "237.6 mcg/day"
    assert told["forecast"]["flow"] == "0.2409 mL/day" and told["forecast"]["low_date"]
    checked = desk.data("profile", "check", new)
    assert checked["hash"] == told["hash"] and checked["findings"] == told["findings"] == []
    assert reading(new).profile.patient.tag == "P-0417"
    text = new.read_text("utf-8")
    assert text.startswith("#:schema ./profile.schema.json\n# Made by pumpctl titrate from flex")
    assert "438 mcg/day to 481.8" in text.replace("\n# ", " ")
    screen = desk.run(*words, "-o", new, "--force").out
    for part in ("438 mcg/day", "481.8 mcg/day", "+10.0 %", "20 mcg to 22 mcg", "unchanged",
                 "low reservoir", "in proportion, 57 %", "No pump was changed"):  # fmt: skip
        assert part in screen, part
    assert max(len(line) for line in screen.split("\n") if str(new) not in line) <= 80


def test_without_o_nothing_is_written(desk: Desk) -> None:
    before = sorted(desk.files.iterdir())
    ran = desk.run("titrate", START, "--dose", "110 mcg/day")
    assert ran.code == 0 and "Nothing was written" in ran.out
    assert sorted(desk.files.iterdir()) == before


def test_boluses_are_scaled_or_kept_and_the_screen_says_which(desk: Desk) -> None:
    new = desk.files / "new.toml"
    ran = desk.run("titrate", WEEK, "--dose", "480 mcg/day", "--keep-boluses", "-o", new)
    assert "kept as they are" in ran.out and "asked for" in ran.out
    assert "written is 479.98" in ran.out
    program = reading(new).program
    assert {str(bolus.dose) for bolus in program.boluses} == {"20 mcg"}
    data = desk.data("titrate", WEEK, "--dose", "480 mcg/day", "--keep-boluses")
    assert data["boluses"] == "kept"
    assert data["proposal"]["wanted_dose"] == "480 mcg/day"
    assert data["proposal"]["daily_dose"] == "479.982 mcg/day"
    assert desk.data("titrate", WEEK)["boluses"] == "scaled"
    assert "change in proportion (--keep-boluses" in desk.run("titrate", WEEK).out
    assert "are kept" in desk.run("titrate", WEEK, "--keep-boluses").out
    desk.refused(2, "USAGE", "titrate", EVEN, "--keep-boluses")


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize(
    ("file", "words", "names"),
    [
        (START, ("--dose", "130.001 mcg/day"), "130 mcg/day"),
        (START, ("--by", "30.01 %"), "110 mcg/day to 130 mcg/day"),
        (START, ("--dose", "1000 mcg/day"), "110 mcg/day to 130 mcg/day"),
        (CHILD, ("--by", "21 %"), "274.85 mcg/day"),
        (EVEN, ("--dose", "3001 mcg/day"), "3000 mcg/day"),
        (ROOT / "profiles" / "minimum-rate.toml", ("--dose", "50 mcg/day"), "no prescribed dose"),
    ],
)
def test_a_dose_outside_the_range_is_refused_with_the_range(
    file: Path, words: tuple[str, str], names: str, desk: Desk
) -> None:
    new = desk.files / "new.toml"
    document = desk.json("titrate", file, *words, "-o", new, code=3)
    assert names in document["error"]["message"]
    assert document["error"]["code"] == "LIMIT_HARD" and document["error"]["changed"] == "no"
    assert document["data"]["proposal"] is None and document["data"]["current"]
    assert not new.exists()
    ran = desk.run("titrate", file, *words)
    assert ran.code == 3 and names in ran.err and "An increase" in ran.out


@pytest.mark.requirement("LIM-04")
def test_beyond_a_soft_limit_it_is_written_with_its_finding(desk: Desk) -> None:
    fallback = ["--by", "10 %", "--fallback", "100 mcg/day"]
    for words, name in (
        (["--dose", "600 mcg/day"], "DOSE_INCREASE"),
        (["--reduce-by", "40 %"], "DOSE_REDUCTION"),
        (fallback, "FALLBACK_LOW"),
    ):
        new = desk.files / f"{name}.toml"
        told = desk.data("titrate", EVEN, *words, "-o", new)["proposal"]
        soft = [one["id"] for one in told["findings"] if one["severity"] == "soft"]
        assert soft == [name] and new.exists()
        ran = desk.run("titrate", EVEN, *words)
        assert f"soft {name}" in ran.out
        assert ("withdrawal" in ran.out) == (name == "DOSE_REDUCTION")
    assert "as given" in desk.run("titrate", EVEN, *fallback).out


def test_a_new_profile_with_a_hard_finding_is_not_written(desk: Desk) -> None:
    new = desk.files / "new.toml"
    words = ("titrate", EVEN, "--by", "10 %", "-o", new, "--fallback")
    for fallback, name in (("0 mcg/day", "ZERO_RATE"), ("10 mcg/day", "FALLBACK_FLOW")):
        document = desk.json(*words, fallback, code=3)
        assert document["error"]["code"] == "LIMIT_HARD"
        assert name in [one["id"] for one in document["error"]["findings"]]
        assert document["data"]["proposal"]["file"] is None
        assert not new.exists()
    assert f"hard {name}" in desk.run(*words, fallback).out


def test_a_faulty_profile_is_not_built_on(desk: Desk) -> None:
    file = written(desk.files / "o.toml", spoiled("438 mcg/day", "439 mcg/day"))
    error = desk.refused(3, "LIMIT_HARD", "titrate", file, "--by", "10 %")
    assert [one["id"] for one in error["findings"]] == ["DECLARED_DOSE"]
    file = written(desk.files / "o.toml", spoiled("[patient]", "[person]"))
    desk.refused(3, "LIMIT_HARD", "titrate", file)
    desk.refused(3, "PROFILE_SYNTAX", "titrate", desk.files / "nowhere.toml")


@pytest.mark.parametrize("words", [("--dose", "450 mcg/day"), ("--reduce-by", "100 %")])
def test_what_makes_no_program_is_refused(words: tuple[str, str], desk: Desk) -> None:
    document = desk.json("titrate", EVEN, *words, code=3)
    assert document["error"]["code"] == "INPUT" and document["data"]["proposal"] is None


def test_a_file_is_written_over_only_when_told(desk: Desk) -> None:
    new = written(desk.files / "new.toml", "mine\n")
    words = ("titrate", START, "--by", "10 %", "-o")
    desk.refused(2, "USAGE", *words, new)
    assert new.read_text() == "mine\n"
    desk.data(*words, new, "--force")
    assert reading(new).program
    desk.refused(11, "STORE", *words, desk.files / "no" / "new.toml")
    desk.refused(11, "STORE", *words, desk.files, "--force")


@pytest.mark.parametrize(
    "words",
    [
        ("--dose", "110"),
        ("--dose", "110 mcg"),
        ("--dose", "4.5 mcg/h"),
        ("--dose", "1e2 mcg/day"),
        ("--by", "10"),
        ("--by", "10%%"),
        ("--by", "-10 %"),
        ("--by", "0 %"),
        ("--by", "10 %", "--dose", "110 mcg/day"),
        ("--by", "10 %", "--reduce-by", "10 %"),
        ("--fallback", "80 mcg/day"),
        ("--fallback", "0 mcg/day"),
        ("--volume", "38 mL"),
        ("--by", "10 %", "--volume", "1001 mL"),
        ("-o", "new.toml"),
        ("--at", "today"),
        ("--started", "2026-04-01"),
        ("--last-increase", "2026-04-03T09:00:00Z", "--at", "2026-04-02T09:00:00Z"),
        ("--started", "2026-04-03T09:00:00Z", "--at", "2026-04-02T09:00:00Z"),
        ("--reduce-by", "10 %", "--every", "367 d", "--to", "25 mcg/day"),
        ("--reduce-by", "10 %", "--every", "999999999 d", "--to", "25 mcg/day"),
        ("--every", "1 d"),
        ("--to", "25 mcg/day"),
        ("--by", "10 %", "--every", "1 d", "--to", "25 mcg/day"),
        ("--reduce-by", "10 %", "--every", "1 d"),
        ("--reduce-by", "10 %", "--every", "36 h", "--to", "25 mcg/day"),
        ("--reduce-by", "10 %", "--every", "1.5 d", "--to", "25 mcg/day"),
        ("--reduce-by", "10 %", "--every", "0 d", "--to", "25 mcg/day"),
        ("--reduce-by", "10 %", "--every", "1 d", "--to", "minimum"),
        ("--reduce-by", "10 %", "--every", "1 d", "--to", "25 mcg/day", "--volume", "38 mL"),
        ("--reduce-by", "9 %", "--every", "1 d", "--to", "25 mcg/day", "--fallback", "9 mcg/day"),
    ],
    ids=" ".join,
)
def test_bad_options_are_refused(words: tuple[str, ...], desk: Desk) -> None:
    document = desk.json("titrate", START, *words, code=2)
    assert document["error"]["code"] in {"USAGE", "QUANTITY"}
    assert not Path("new.toml").exists()


@pytest.mark.parametrize(
    "name",
    [
        "--dose", "--by", "--reduce-by", "--fallback", "--every", "--to", "--started",
        "--last-increase", "--at", "--volume", "--output",
    ],
)  # fmt: skip
@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_option_is_never_taken_as_not_given(name: str, empty: str, desk: Desk) -> None:
    if (name, empty) == ("--output", " "):
        return  # a file's name may be a blank
    change = () if name in ("--dose", "--by", "--reduce-by") else ("--by", "10 %")
    error = desk.refused(2, "USAGE", "titrate", START, *change, name, empty)
    assert name in error["message"] and "empty" in error["message"]


@pytest.mark.requirement("LIM-09")
def test_an_unset_variable_does_not_switch_the_24_hour_rule_off(desk: Desk) -> None:
    new = desk.files / "new.toml"
    desk.refused(2, "USAGE", "titrate", START, "--by", "10 %", "--last-increase", "", "-o", new)
    assert not new.exists()


LOW = continuous("100 mcg/day", fallback="98 mcg/day")
HIGH = (
    continuous("2500 mcg/day", fallback="1500 mcg/day")
    + """
[program.patient_dose]
dose = "40 mcg"
over = "5 min"
lockout = "1 h"
max_per_24h = 12
"""
)


@pytest.mark.parametrize(
    ("text", "side", "edge", "name"),
    [(LOW, "reduction", "low", "FLOW_LOW"), (HIGH, "range", "high", "LARGEST_24H_HARD")],
)
def test_what_is_offered_is_taken_and_1_ng_beyond_is_not(
    text: str, side: str, edge: str, name: str, desk: Desk
) -> None:
    file = written(desk.files / "o.toml", text)
    span = desk.data("titrate", file)[side]
    assert span["hard_beyond"]["id"] == name and span["hard_beyond"]["dose"] == span[edge]
    for dose in {span["low"], span["high"]}:
        assert desk.data("titrate", file, "--dose", dose)["proposal"]["daily_dose"] == dose
    further = Rate(Rate.parse(span[edge]).quanta + (1 if edge == "high" else -1))
    error = desk.refused(3, "LIMIT_HARD", "titrate", file, "--dose", str(further))
    assert name in [one["id"] for one in error["findings"]]
    screen = " ".join(desk.run("titrate", file).out.split())
    assert "but the checks end it at" in screen and f"[{name}]" in screen


def test_at_the_end_of_the_range_the_finding_is_named(desk: Desk) -> None:
    file = written(desk.files / "o.toml", continuous("96 mcg/day", fallback="96 mcg/day"))
    data = desk.data("titrate", file)
    assert data["reduction"] is None and "FLOW_LOW" in data["no_reduction"]
    assert "FLOW_LOW" in desk.run("titrate", file).out


def test_a_refused_dose_says_what_is_usual_and_that_smaller_is_allowed(desk: Desk) -> None:
    message = desk.json("titrate", START, "--dose", "140 mcg/day", code=3)["error"]["message"]
    assert "usual step is 110 mcg/day to 130 mcg/day; smaller is allowed" in message
    assert "above 120 mcg/day needs a reason" in message and "permitted now" not in message


def test_with_the_start_alone_the_last_increase_is_said_to_be_unknown(desk: Desk) -> None:
    def screen(*words: str) -> str:
        return " ".join(desk.run("titrate", START, *words, "--at", LATER).out.split())

    alone = screen("--started", BEGAN)
    assert f"not before {LATER}" in alone and "the last increase is not known here" in alone
    assert "at most one increase in 24 h" in alone
    both = screen("--started", BEGAN, "--last-increase", BEGAN)
    assert f"not before {LATER}" in both and "not known here" not in both
    assert desk.data("titrate", START, "--last-increase", BEGAN)["last_increase"] == BEGAN


def test_a_fallback_held_at_the_pump_s_least_says_so(desk: Desk) -> None:
    def screen(fallback: str) -> str:
        file = written(desk.files / "o.toml", continuous("100 mcg/day", fallback=fallback))
        return " ".join(desk.run("titrate", file, "--dose", "97 mcg/day").out.split())

    told = screen("98 mcg/day")
    assert "held at the least that a pump gives, 96 mcg/day" in told
    assert "in proportion: 95.06 mcg/day" in told
    assert "in proportion, 99 % of" in screen("100 mcg/day").replace("100 %", "99 %")


def test_the_next_command_holds_a_place_for_every_reason(desk: Desk) -> None:
    new = desk.files / "new.toml"
    out = desk.run("titrate", EVEN, "--dose", "600 mcg/day", "-o", new).out
    assert out.endswith(f'  pumpctl program push {new} \\\n    --override DOSE_INCREASE="reason"\n')
    out = desk.run("titrate", EVEN, "--by", "10 %", "-o", new, "--force").out
    assert out.endswith(f"  pumpctl program push {new}\n")


def test_every_hard_finding_is_counted_and_told(desk: Desk) -> None:
    """Two steps of one day below the least flow are two findings of one id."""
    text = FLEX
    for old, new in (
        ('"00:00", basal = "14 mcg/h" },', '"00:00", basal = "4.5 mcg/h" },'),
        ('"10:00", basal = "15 mcg/h"', '"10:00", basal = "4.6 mcg/h"'),
        ("438 mcg/day", "235.4 mcg/day"),
        ('fallback_rate = "216', 'fallback_rate = "150'),
    ):
        text = spoiled(old, new, text)
    file = written(desk.files / "o.toml", text)
    error = desk.refused(3, "LIMIT_HARD", "titrate", file, "--reduce-by", "20 %")
    found = [one for one in error["findings"] if one["id"] == "FLOW_LOW"]
    assert len(found) > 1
    assert f"has {len(error['findings'])} hard findings" in error["message"]
    words = ("--reduce-by", "20 %", "--every", "1 d", "--to", "200 mcg/day")
    screen = desk.run("titrate", file, *words).out
    assert screen.count("hard FLOW_LOW (step 1") == len(found)
    assert "the new profiles have" in " ".join(desk.run("titrate", file, *words).err.split())


# --- weaning ------------------------------------------------------------------------------


def test_a_weaning_makes_a_profile_for_each_step(desk: Desk) -> None:
    out = desk.files / "weaning"
    words = ("titrate", EVEN, "--reduce-by", "20 %", "--every", "2 d", "--at", BEGAN, "--to")
    told = desk.data(*words, "250 mcg/day", "-o", out)["weaning"]
    assert [one["daily_dose"] for one in told] == [
        "360 mcg/day", "288 mcg/day", "250 mcg/day",
    ]  # fmt: skip
    assert [one["date"] for one in told] == ["2026-04-01", "2026-04-03", "2026-04-05"]
    assert [one["change_percent"] for one in told] == ["-20", "-20", "-13.2"]
    assert (told[0]["mass"], told[0]["volume"]) == ("720 mcg", "0.36 mL")
    assert told[-1]["days"] is None
    for one in told:
        program = reading(Path(one["file"])).program
        assert str(program.days[0][0].rate) == one["daily_dose"]
        assert one["findings"] == desk.data("profile", "check", one["file"])["findings"]
    names = ["01-2026-04-01.toml", "02-2026-04-03.toml", "03-2026-04-05.toml"]
    assert sorted(file.name for file in out.iterdir()) == names
    desk.refused(2, "USAGE", *words, "250 mcg/day", "-o", out)
    screen = desk.run(*words, "250 mcg/day", "-o", out, "--force").out
    assert "withdrawal" in screen and "3 profiles written" in screen
    desk.refused(11, "STORE", *words, "250 mcg/day", "-o", out / names[0])


def test_a_weaning_goes_into_no_directory_of_another_one(desk: Desk) -> None:
    out = desk.files / "weaning"
    words = ("titrate", EVEN, "--reduce-by", "20 %", "--every", "2 d", "-o", out, "--to")
    desk.data(*words, "250 mcg/day", "--at", BEGAN)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    for more in ((), ("--force",)):
        for changed in (
            ("300 mcg/day", "--at", BEGAN),
            ("250 mcg/day", "--at", "2026-04-09T09:00:00Z"),
        ):
            error = desk.refused(2, "USAGE", *words, *changed, *more)
            assert "another weaning" in error["message"] or "is there already" in error["message"]
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    (out / "notes.toml").write_text("mine\n")
    desk.data(*words, "250 mcg/day", "--at", BEGAN, "--force")


def test_a_weaning_to_minimum_rate(desk: Desk) -> None:
    words = ("titrate", EVEN, "--reduce-by", "50 %", "--every", "7 d", "--to", "minimum-rate")
    *_, last = desk.data(*words)["weaning"]
    assert (last["mode"], last["daily_dose"], last["file"]) == ("minimum-rate", "96 mcg/day", None)
    screen = desk.run(*words).out
    assert "(minimum-rate)" in screen and "Nothing was written" in screen
    assert "soft DOSE_REDUCTION (step 1, 2)" in screen
    screen = desk.run(*words[:2], "--reduce-by", "60 %", *words[4:]).out
    assert "outside 10 % to 50 %" in screen


def test_a_weaning_that_the_pump_cannot_give_is_not_written(desk: Desk) -> None:
    out = desk.files / "weaning"
    words = ("titrate", WEEK, "--reduce-by", "25 %", "--every", "1 d", "--to", "minimum-rate")
    document = desk.json(*words, "-o", out, code=3)
    assert "FLOW_LOW" in [one["id"] for one in document["error"]["findings"]]
    assert len(document["data"]["weaning"]) == 6 and not out.exists()
    screen = desk.run(*words).out
    assert "hard FLOW_LOW (step 5)" in screen and "patient doses" in screen
    desk.refused(3, "INPUT", *words[:6], "--to", "500 mcg/day")


# --- the site's library and the checks beneath -------------------------------------------------


def test_what_does_not_read_back_is_never_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer is no authority: what it wrote is read again, and must mean the program."""
    monkeypatch.setattr(titrating, "profile_text", lambda *_: continuous("200 mcg/day"))
    new = desk.files / "new.toml"
    desk.refused(1, "INTERNAL", "titrate", START, "--by", "10 %", "-o", new)
    assert not new.exists()


def test_without_the_refusal_a_dose_of_ten_times_would_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("titrate", START, "--dose", "1000 mcg/day")
    desk.refused(3, "LIMIT_HARD", *words)
    monkeypatch.setattr(titrating, "refusal", lambda *_: None)
    assert desk.data(*words)["proposal"]["daily_dose"] == "1000 mcg/day"


@pytest.mark.requirement("LIM-08")
def test_the_library_in_force_decides(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Sourced(Percent.parse("5 %"), "the ward's own rule")
    entries = tuple(
        entry._replace(daily_change=entry.daily_change._replace(increase_hard=limit))
        for entry in DEFAULT.listed
    )
    site = InForce(DEFAULT._replace(listed=entries))
    monkeypatch.setattr(context, "library", lambda: site)
    assert span(desk.data("titrate", START)) == ("105 mcg/day", "105 mcg/day")
    error = desk.refused(3, "LIMIT_HARD", "titrate", START, "--by", "10 %")
    assert "the ward's own rule" in error["message"]


def test_no_pump_is_asked_and_the_rehearsal_s_clock_is_ignored(desk: Desk) -> None:
    desk.rehearse()
    document = desk.json("--port", "emu://nowhere", "titrate", START)
    assert any("PUMPCTL_NOW" in one["message"] for one in document["warnings"])


def test_a_profile_on_standard_input(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    fed = io.TextIOWrapper(io.BytesIO(FLEX.encode()), "utf-8")
    monkeypatch.setattr(sys, "stdin", fed)
    assert desk.data("titrate", "-")["current"] == "438 mcg/day"
