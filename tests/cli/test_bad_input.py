"""What bad input gets: an exit code, a clear error, and a pump that is what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, continuous, spoiled

BAD: dict[str, tuple[str, str]] = {
    # what: (the code of the error, the profile)
    "broken TOML": ("PROFILE_SYNTAX", FLEX.replace('tag = "P-0417"', 'tag = "P-0417')),
    "empty": ("LIMIT_HARD", ""),
    "not UTF-8": ("PROFILE_SYNTAX", "\udcff\udcfe"),
    "wrong unit": ("LIMIT_HARD", spoiled("14 mcg/h", "14 mL/h")),
    "no unit": ("LIMIT_HARD", spoiled('"14 mcg/h"', "14")),
    "a bare float": ("LIMIT_HARD", spoiled('"438 mcg/day"', "438.0")),
    "mg for mcg": ("LIMIT_HARD", spoiled('"438 mcg/day"', '"438 mg/day"')),
    "mg for mcg in the steps too": (
        "LIMIT_HARD",
        FLEX.replace("mcg/h", "mg/h").replace("mcg/day", "mg/day"),
    ),
    "two points": ("LIMIT_HARD", spoiled("14 mcg/h", "1.4.0 mcg/h")),
    "another script's digits": ("LIMIT_HARD", spoiled("14 mcg/h", "١٤ mcg/h")),
    "overlapping steps": ("LIMIT_HARD", spoiled('from = "10:00"', 'from = "06:00"')),
    "unsorted steps": ("LIMIT_HARD", spoiled('from = "10:00"', 'from = "05:00"')),
    "a day missing": ("LIMIT_HARD", spoiled('["sat", "sun"]', '["sat"]')),
    "a day twice": ("LIMIT_HARD", spoiled('["sat", "sun"]', '["fri", "sat", "sun"]')),
    "a total that does not add up": ("LIMIT_HARD", spoiled("438 mcg/day", "439 mcg/day")),
    "hourly for daily": ("LIMIT_HARD", spoiled('dose = "20 mcg"', 'dose = "200 mcg"')),
    "an unknown key": ("LIMIT_HARD", spoiled("format = 1", "format = 1\nforce = true")),
    "another format": ("LIMIT_HARD", spoiled("format = 1", "format = 2")),
    "above the absolute limit": ("LIMIT_HARD", continuous("3001 mcg/day", fallback="1500 mcg/day")),
    "below what the pump moves": ("LIMIT_HARD", continuous("95 mcg/day", fallback="50 mcg/day")),
    "another concentration": ("LIMIT_HARD", continuous(concentration="500 mcg/mL")),
    "a concentration that is not supplied": (
        "LIMIT_HARD",
        continuous(concentration="1500 mcg/mL"),
    ),
    "a profile for another pump": ("LIMIT_HARD", continuous(serial="SP40-999999")),
}
COMMANDS = (
    ("program", "plan", "FILE", "-o", "PLAN"),
    ("program", "push", "FILE", "--plan-only", "-o", "PLAN"),
)


def raw(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


@pytest.mark.requirement("UNI-02")
@pytest.mark.requirement("LIM-02")
@pytest.mark.parametrize("what", sorted(BAD))
def test_a_bad_profile(what: str, desk: Desk) -> None:
    code, text = BAD[what]
    desk.emulator()
    desk.rehearse()
    file, plan = raw(desk.files / "bad.toml", text), desk.files / "plan.json"
    with desk.untouched():
        for words in COMMANDS:
            places = {"FILE": file, "PLAN": plan}
            error = desk.refused(
                3, code, "--port", "emu://ward", *(places.get(word, word) for word in words)
            )
            assert not plan.exists(), "no plan is written for a hard finding"
            assert error["findings"] or code == "PROFILE_SYNTAX"


@pytest.mark.parametrize("what", sorted(BAD))
def test_a_check_of_a_bad_profile_says_where(what: str, desk: Desk) -> None:
    _, text = BAD[what]
    if what in {"another concentration", "a profile for another pump"}:
        pytest.skip("only a pump can tell")
    file = raw(desk.files / "bad.toml", text)
    document = desk.json("profile", "check", file, code=3)
    findings = document["error"]["findings"]
    if "data" in document:
        assert any(finding["line"] for finding in findings) or not text
    ran = desk.run("profile", "check", file)
    assert ran.code == 3
    assert "bad.toml" in ran.out + ran.err


def test_all_faults_in_one_go(desk: Desk) -> None:
    text = spoiled("438 mcg/day", "439 mcg/day", spoiled("2 mL", "2 mg", spoiled("26 mcg/h", "26")))
    document = desk.json("profile", "check", desk.profile(text), code=3)
    assert len({finding["line"] for finding in document["error"]["findings"]}) >= 3 - 1


def test_an_override_does_not_help_against_a_hard_finding(desk: Desk) -> None:
    desk.emulator()
    with desk.untouched():
        found = desk.refused(
            3, "LIMIT_HARD", "--port", "emu://ward", "program", "plan",
            desk.profile(continuous("3001 mcg/day", fallback="1500 mcg/day")),
            "-o", desk.files / "plan.json",
        )["findings"]  # fmt: skip
        for finding in found:
            if finding["severity"] == "hard":
                desk.refused(
                    3, "LIMIT_HARD", "--port", "emu://ward", "program", "plan",
                    desk.files / "visit.toml", "-o", desk.files / "plan.json",
                    "--override", f"{finding['id']}=because",
                )  # fmt: skip
    assert not (desk.files / "plan.json").exists()


@pytest.mark.requirement("CNF-02")
@pytest.mark.parametrize(
    "words",
    [
        ["program", "push", "FILE"],
        ["resume"],
        ["stop"],
        ["confirm", "PLAN"],
    ],
)
def test_without_a_terminal_nothing_is_confirmed(words: list[str], desk: Desk) -> None:
    desk.emulator()
    path, _ = desk.plan()
    places = {"FILE": desk.files / "visit.toml", "PLAN": path}
    with desk.untouched():
        desk.refused(
            9, "NOT_CONFIRMED", "--port", "emu://ward", *(places.get(word, word) for word in words)
        )


def test_the_wrong_pump_on_the_line(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()
    with desk.untouched():
        for words in (
            ["status"],
            ["program", "plan", desk.files / "visit.toml", "-o", desk.files / "p2.json"],
            ["apply", path, "--confirm", told["confirm"]],
            ["stop", "--now"],
            ["logs", "pull"],
        ):
            desk.refused(5, "WRONG_PUMP", "--port", "emu://ward", "--pump", "SP40-999999", *words)


def test_a_plan_for_another_pump(desk: Desk) -> None:
    desk.emulator()
    desk.emulator("other")
    path, told = desk.plan()
    with desk.untouched("other"), desk.untouched("ward"):
        desk.refused(
            5, "WRONG_PUMP", "--port", "emu://other", "apply", path, "--confirm", told["confirm"]
        )
    assert desk.apply(path, told["confirm"])["outcome"] == "applied"


@pytest.mark.parametrize("place", [".", "/", "no/where/plan.json"])
def test_a_place_where_no_plan_can_be(place: str, desk: Desk) -> None:
    desk.emulator()
    before = desk.truth()
    desk.refused(
        11, "STORE", "--port", "emu://ward", "program", "plan", desk.profile(), "-o",
        place if place in "./" else desk.files / place,
    )  # fmt: skip
    after = desk.truth()
    assert (after.program, after.pulses, after.operations) == (
        before.program,
        before.pulses,
        before.operations,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["emulator", "new", "a/b"],
        ["emulator", "new", "x", "--concentration", "1500 mcg/mL"],
        ["emulator", "new", "x", "--concentration", "2000"],
        ["emulator", "new", "x", "--volume", "41 mL"],
        ["emulator", "new", "x", "--volume", "0 mL"],
        ["emulator", "new", "x", "--model", "SP99"],
        ["emulator", "new", "x", "--utc-offset", "+25:00"],
        ["emulator", "advance", "ward", "7"],
        ["emulator", "advance", "ward", "-7d"],
        ["emulator", "serve", "ward"],
        ["emulator", "serve", "ward", "--tcp", "0.0.0.0:0"],
        ["emulator", "serve", "ward", "--tcp", "127.0.0.1"],
        ["emulator", "new", "ward"],
        ["--port", "emu://ward", "status", "--check", "all"],
        ["--port", "emu://ward", "pair", "--role", "king"],
        ["--port", "emu://ward", "apply", "plan.json"],
        ["--port", "emu://ward", "program", "plan", "visit.toml", "-o", "p", "--override", "X"],
        ["--port", "emu://ward", "program", "plan", "visit.toml", "-o", "p", "--override", "X="],
        ["profile", "check", "visit.toml", "--volume", "38"],
        ["profile", "check", "visit.toml", "--at", "yesterday"],
        ["profile", "new", "x.toml", "--mode", "random"],
        ["explain", "NO_SUCH_FINDING"],
    ],
)
def test_usage(words: list[str], desk: Desk) -> None:
    desk.emulator()
    desk.profile()
    desk.monkeypatch.chdir(desk.files)
    with desk.untouched():
        ran = desk.run(*words, "--json")
        assert ran.code == 2, ran
        assert ran.document["error"]["exit"] == 2


def test_an_override_of_what_is_not_there(desk: Desk) -> None:
    desk.emulator()
    with desk.untouched():
        desk.refused(
            2, "USAGE", "--port", "emu://ward", "program", "plan", desk.profile(), "-o",
            desk.files / "plan.json", "--override", "DOSE_INCREASE=for fun",
        )  # fmt: skip


@pytest.mark.requirement("SEC-03")
def test_pairing_without_its_secret_or_its_act(desk: Desk) -> None:
    made = desk.json("emulator", "new", "ward", "--frozen")["data"]
    port = ("--port", "emu://ward")
    desk.refused(9, "NOT_CONFIRMED", *port, "pair")
    desk.monkeypatch.setenv("PUMPCTL_PAIRING_SECRET", "not a secret")
    desk.refused(2, "USAGE", *port, "pair")
    desk.monkeypatch.setenv("PUMPCTL_PAIRING_SECRET", made["pairing_secret"])
    desk.refused(5, "NOT_PAIRED", *port, "pair")
    desk.data("emulator", "press", "ward")
    desk.advance("61s")
    desk.refused(5, "NOT_PAIRED", *port, "pair")
    desk.data("emulator", "press", "ward")
    card = desk.files / "card.txt"
    card.write_text(made["pairing_secret"] + "\n")
    desk.monkeypatch.delenv("PUMPCTL_PAIRING_SECRET")
    assert desk.pump("pair", "--secret-file", card)["role"] == "admin"
    assert desk.pump("status")
