"""What the emulator's commands tell people: what was done, with its figures, in whole words."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pumpctl.cli.emulator import play as emulator_play
from pumpctl.cli.emulator.text import hanging
from pumpctl.emulator.body.faults import FAULTS
from pumpctl.emulator.edge import bench
from pumpctl.errors import NotPaired
from tests.emulator.test_faulting import EXAMPLES
from tests.emulator.test_scenarios import LEAST
from tests.helpers.desk import Desk, command, environment

STORIES = Path(emulator_play.__file__).parents[2] / "scenarios"


def fault(desk: Desk, *words: str) -> tuple[str, dict[str, Any]]:
    """What people and what programs are told, of the same fault on two equal pumps."""
    for name in ("said", "json"):
        desk.data("emulator", "new", name, "--frozen", "--model", "SP40S")
    ran = desk.run("emulator", "fault", "said", *words)
    assert ran.code == 0, ran.err
    told = desk.data("emulator", "fault", "json", *words)["fault"]
    for name in ("said", "json"):
        desk.data("emulator", "remove", name)
    return " ".join(ran.out.split()), told


@pytest.mark.parametrize(
    ("words", "said", "happened"),
    [
        (("calibration", "--percent", "15 %"), "each pulse now moves 15 % more: 115 nL.",
         {"true_pulse": "0.000115 mL"}),
        (("calibration", "--percent", "15 %", "--way", "less"), "moves 15 % less: 85 nL.",
         {"true_pulse": "0.000085 mL"}),
        (("drain", "--volume", "38 mL"), "38 mL drawn by needle; 2 mL left", {"drawn": "38 mL"}),
        (("drain", "--volume", "50 mL"), "40 mL drawn by needle, of 50 mL wanted; 0 mL left",
         {"drawn": "40 mL"}),
        (("fill", "--volume", "10 mL", "--concentration", "500 mcg/mL"),
         "2 mL injected by syringe into the reservoir, 8 mL beside it; it holds 42 mL of 500",
         {"injected": "2 mL", "beside": "8 mL"}),
        (("battery", "--percent", "12 %"), "12 % of the battery's charge is left.",
         {"charge": "12 %"}),
        (("flash-bit", "--count", "3", "--at", "slots", "--copy", "1"),
         "3 bits of the flash have flipped in slots, copy 1.",
         {"bits": 3, "region": "slots", "copy": 1}),
        (("memory", "--count", "2"), "both copies of the running program went bad",
         {"copies": 2}),
        (("reboot",), "boot 2", {"boot": 2}),
    ],
)  # fmt: skip
def test_what_has_happened_is_told(
    desk: Desk, words: tuple[str, ...], said: str, happened: dict[str, Any]
) -> None:
    text, told = fault(desk, *words)
    assert said in text
    assert told["happened"] == happened
    assert told["until"] is None


@pytest.mark.parametrize(
    ("words", "said", "amount"),
    [
        (("sensor", "--volume", "3 mL", "--for", "2 h"), "the sensor reads 3 mL too much until 20",
         "3 mL"),
        (("sensor", "--volume", "3 mL", "--way", "less", "--for", "2 h"), "3 mL too little until",
         "3 mL"),
        (("stall", "--for", "6 h"), "the motor does not turn until 20", None),
        (("leak", "--percent", "15 %", "--for", "1 h"), "15 % of what leaves the pump", "15 %"),
    ],
)  # fmt: skip
def test_what_lasts_is_told_with_its_end(
    desk: Desk, words: tuple[str, ...], said: str, amount: str | None
) -> None:
    text, told = fault(desk, *words)
    assert said in text
    assert (told["kind"], told["amount"], told["happened"]) == (words[0], amount, None)
    assert told["until"]


def test_every_kind_has_its_own_words(desk: Desk) -> None:
    desk.emulator("ward", "--model", "SP40S")
    said: set[str] = set()
    for word, example in EXAMPLES.items():
        options = {
            "--percent": example.percent,
            "--volume": example.volume,
            "--concentration": example.concentration,
            "--delay": example.delay,
            "--way": example.way,
            "--for": example.lasts,
            "--at": example.region,
        }
        told = [each for pair in options.items() if pair[1] for each in pair]
        ran = desk.run("emulator", "fault", "ward", word, *told)
        assert ran.code == 0, ran.err
        assert ran.out.startswith("ward: ")
        said.add(ran.out)
    assert len(said) == len(FAULTS)
    ran = desk.run("emulator", "fault", "ward", "stall")
    assert "replaces the one before" in ran.out
    assert [
        each["until"]
        for each in desk.data("emulator", "fault", "ward", "--list")["faults"]
        if each["kind"] == "stall"
    ] == [None]
    assert "replaces the one before" in " ".join(
        desk.run("emulator", "fault", "--help").out.split()
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sensor", "--volume", "3 mL"), "no sensor"),
        (("leak", "--percent", "0 %"), "does nothing"),
        (("drain", "--volume", "0 mL"), "does nothing"),
        (("battery", "--percent", "100 %"), "is left anyway"),
        (("memory", "--count", "-1"), "memory of -1"),
    ],
)
def test_what_has_no_effect_is_refused_with_the_reason(
    desk: Desk, words: tuple[str, ...], says: str
) -> None:
    desk.emulator()
    ran = desk.run("emulator", "fault", "ward", *words)
    assert (ran.code, says in ran.err) == (2, True), ran


# --- the inspection ------------------------------------------------------------------------------


def test_an_empty_reservoir_and_air_in_the_line(desk: Desk) -> None:
    desk.emulator()
    desk.data("emulator", "fault", "ward", "drain", "--volume", "50 mL")
    desk.advance("30d")
    shown = desk.run("emulator", "inspect", "ward").out
    assert "filled with   empty" in shown
    assert "0.348 mL air" in shown
    assert "free" not in shown
    assert " 0 mcg/mL" not in shown


def test_no_volume_in_nanolitres(desk: Desk) -> None:
    ran = desk.run("emulator", "new", "ward", "--volume", "41 mL")
    assert ran.code == 2
    assert "up to 40 mL" in ran.err
    assert "nL" not in ran.err


# --- stories ---------------------------------------------------------------------------


def test_words_are_never_broken() -> None:
    for line in ("a " * 60, "word-with-hyphens " * 12, "x" * 100):
        broken = hanging("    done    ", line.strip())
        assert " ".join(" ".join(broken).split()) == f"done {line.strip()}"
        assert all(len(each) <= 80 or "x" * 100 in each for each in broken)
    assert hanging("  ", "a " * 60)[1].startswith("  a")


@pytest.mark.parametrize("name", ["memory-loss", "long-stall", "battery-end"])
def test_a_played_story_fits_80_columns(desk: Desk, name: str) -> None:
    ran = desk.run("emulator", "play", name)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    pumps = [line for line in lines if line.startswith("    pump    ")]
    standing = [line for line in pumps if "    stalled," in line or "    stopped," in line]
    assert all(", nothing given, " in line for line in standing)
    assert all(", basal " in line for line in pumps if line not in standing)
    assert len(pumps) > len(standing)


def test_nothing_is_given_by_a_motor_that_stands(desk: Desk) -> None:
    timeline = desk.data("emulator", "play", "long-stall")["timeline"]
    for each in timeline:
        stands = each["says"]["delivery"] in {"stalled", "stopped"}
        assert (each["says"]["basal_dose"] is None) == stands
    assert any(each["says"]["basal_dose"] is None for each in timeline)


def test_a_lost_count_is_told_as_none(desk: Desk) -> None:
    path = desk.files / "lost.toml"
    text = LEAST.replace('at = "0 h"', 'at = "10:40"')
    lost = '[[step]]\nafter = "0 s"\nnote = "x"\nfault = { kind = "retained" }\n'
    path.write_text(text + lost, "utf-8")
    *_, told = desk.data("emulator", "play", path)["timeline"]
    assert told["says"]["past_tip"] is None
    assert told["true"]["past_tip"] == "0 mcg"
    assert desk.run("emulator", "play", path, "--again").code == 0


def test_faults_of_a_story_break_at_words(desk: Desk) -> None:
    path = desk.files / "long.toml"
    path.write_text(f'format = 1\nshape = "{"long " * 30}"\n', "utf-8")
    printed = desk.run("emulator", "play", path).out
    assert all(len(line) <= 80 or " " not in line.strip() for line in printed.splitlines())


def test_again_takes_the_place_of_the_old_pump(desk: Desk) -> None:
    first = desk.json("emulator", "play", "mri")["pump"]["serial"]
    desk.refused(2, "USAGE", "emulator", "play", "mri")
    second = desk.json("emulator", "play", "mri", "--again", "--pair")["pump"]["serial"]
    assert first != second
    (listed,) = desk.data("emulator", "list")["emulators"]
    assert listed["serial"] == second
    assert desk.pump("status", name="mri")["delivery"]
    assert desk.run("emulator", "play", "--list", "--again").code == 2


def test_again_leaves_a_held_pump_alone(desk: Desk) -> None:
    first = desk.json("emulator", "play", "mri")["pump"]["serial"]
    with bench.open_local(desk.home, "mri", now=lambda: 0, entropy=bytes):
        assert desk.run("emulator", "play", "mri", "--again").code == 4
    assert desk.inspect("mri")["serial"] == first


@pytest.mark.parametrize(
    ("broken", "again"), [("_told_json", False), ("_told_json", True), ("_paired", False)]
)
def test_a_play_that_fails_leaves_no_half_made_pump(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, broken: str, again: bool
) -> None:
    def fail(*_: object) -> None:
        raise NotPaired("on purpose")

    more = ("--again",) if again else ()
    if again:
        desk.data("emulator", "play", "mri")
    before = desk.data("emulator", "list")["emulators"]
    monkeypatch.setattr(emulator_play, broken, fail)
    assert desk.run("emulator", "play", "mri", "--pair", *more).code == NotPaired.exit_code
    assert desk.data("emulator", "list")["emulators"] == before


def test_a_failed_story_says_which_pump_is_left_and_what_was_counted(desk: Desk) -> None:
    path = desk.files / "mine.toml"
    text = (STORIES / "mri.toml").read_text("utf-8")
    path.write_text(text.replace('past_tip = "340 mcg"', 'past_tip = "34 mcg"'), "utf-8")
    ran = desk.run("emulator", "play", path, "other")
    assert ran.code == 3
    assert "pumpctl emulator inspect other" in ran.err
    count = desk.json("emulator", "play", path, "other", "--again", code=3)["data"]["expectations"]
    assert count["wrong"] == 1
    assert count["all"] == count["named"] + count["taken_or_refused"]
    assert f"Counted are {count['named']} that the steps name" in ran.out
    assert f"of {count['all']} expectations" in ran.err


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("2026-", "1926-", 6), ("[[program]]", 'volume = "50 mL"\n[[program]]', 8)],
)
def test_a_pump_that_cannot_be_is_a_fault_of_the_file(
    desk: Desk, old: str, new: str, line: int
) -> None:
    path = desk.files / "mine.toml"
    path.write_text(LEAST.replace(old, new, 1), "utf-8")
    ran = desk.run("emulator", "play", path)
    assert ran.code == 3, ran
    assert f"mine.toml:{line}:" in " ".join(ran.out.split())
    assert " nL" not in ran.out + ran.err
    assert desk.data("emulator", "list")["emulators"] == []


# --- serving ---------------------------------------------------------------------------


def test_a_ward_is_served_in_order_of_making_and_the_list_says_where(desk: Desk) -> None:
    for name in ("c", "a", "b"):
        desk.data("emulator", "new", name, "--frozen")
    desk.data("emulator", "new", "alone", "--frozen")
    process = subprocess.Popen(
        command("emulator", "serve", "--all", "--tcp", "127.0.0.1:0", "--json"),
        env=environment(desk.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    try:
        ready = [json.loads(process.stdout.readline())["data"] for _ in range(4)]
        assert [each["name"] for each in ready] == ["c", "a", "b", "alone"]
        listed = desk.data("emulator", "list")["emulators"]
        where = {each["name"]: each["served_at"] for each in listed}
        assert where == {each["name"]: each["port"] for each in ready}
        assert f"served at {where['c']}" in desk.run("emulator", "list").out
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    listed = desk.data("emulator", "list")["emulators"]
    assert {each["served_at"] for each in listed} == {None}
    assert not list((desk.home / "emulators").glob("*/served"))
