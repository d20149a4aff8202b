"""Faults, the patient's activator and patient stories from the command line."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpctl.emulator.body.faults import FAULTS
from pumpctl.workflows.scenario.scenarios import shipped
from tests.helpers.desk import Desk, command, environment
from tests.helpers.profiles import continuous

NEW = {
    "past_tip", "spells", "leaked", "spilled", "air", "line", "believed", "lost_pulses",
    "true_pulse", "faults", "wear", "battery", "bridge", "patient_doses", "motor_turns",
    "reservoir_concentration",
}  # fmt: skip
PATIENT = (
    '\n[program.patient_dose]\ndose = "10 mcg"\nover = "5 min"\nlockout = "4 h"\nmax_per_24h = 3\n'
)


def test_a_stall_for_six_hours(desk: Desk) -> None:
    desk.emulator()
    document = desk.json("emulator", "fault", "ward", "stall", "--for", "6h")
    assert document["schema"] == "pumpctl.emulator.fault/1"
    told = document["data"]
    assert (told["done"], [each["kind"] for each in told["faults"]]) == ("stall", ["stall"])
    desk.advance("2h")
    assert desk.pump("status")["delivery"] == "stalled"
    desk.advance("5h")
    assert desk.pump("status")["delivery"] == "minimum"
    assert desk.data("emulator", "fault", "ward", "--list")["faults"] == []


def test_listed_and_cleared(desk: Desk) -> None:
    desk.emulator("ward", "--model", "SP40S")
    desk.data("emulator", "fault", "ward", "leak", "--percent", "15 %")
    desk.data("emulator", "fault", "ward", "sensor", "--volume", "2 mL", "--way", "less")
    told = desk.data("emulator", "fault", "ward", "--list")["faults"]
    assert [(each["kind"], each["amount"], each["way"]) for each in told] == [
        ("leak", "15 %", None),
        ("sensor", "2 mL", "less"),
    ]
    assert "leak 15 %" in desk.run("emulator", "fault", "ward", "--list").out
    assert desk.data("emulator", "fault", "ward", "clear", "leak")["cleared"] == 1
    assert desk.data("emulator", "fault", "ward", "clear")["cleared"] == 1
    assert desk.data("emulator", "fault", "ward", "clear")["cleared"] == 0
    assert "no faults" in desk.run("emulator", "fault", "ward", "--list").out


@pytest.mark.parametrize(
    "words",
    [
        ("stall", "--percent", "5 %"),
        ("leak",),
        ("leak", "--percent", "5"),
        ("leak", "--percent", "200 %"),
        ("fire",),
        (),
        ("clear", "fire"),
        ("clear", "--for", "1 h"),
        ("stall", "leak"),
        ("stall", "--list"),
        ("flash-bit", "--at", "attic"),
    ],
)
def test_what_cannot_be_is_usage(desk: Desk, words: tuple[str, ...]) -> None:
    desk.emulator()
    ran = desk.run("emulator", "fault", "ward", *words)
    assert ran.code == 2, ran
    assert desk.data("emulator", "fault", "ward", "--list")["faults"] == []


def test_the_help_has_every_kind(desk: Desk) -> None:
    told = " ".join(desk.run("emulator", "fault", "--help").out.split())
    for effect in FAULTS.values():
        assert f" {effect.word}" in told
        assert effect.does in told


@pytest.mark.requirement("BOL-04")
def test_the_patients_activator(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    none = desk.data("emulator", "press", "ward", "--patient-dose")["patient_dose"]
    assert (none["given"], none["refused"]) == (False, "UNSUPPORTED")
    desk.program(continuous() + PATIENT)
    given = desk.data("emulator", "press", "ward", "--patient-dose")["patient_dose"]
    assert given == {"given": True, "refused": None, "why": None}
    ran = desk.run("emulator", "press", "ward", "--patient-dose")
    assert ran.code == 0
    assert "BOLUS_RUNNING" in ran.out
    desk.advance("1h")
    later = desk.data("emulator", "press", "ward", "--patient-dose")["patient_dose"]
    assert later["refused"] == "LOCKOUT"
    assert desk.inspect()["patient_doses"]["left"] == 2


def test_the_truth_that_is_told(desk: Desk) -> None:
    desk.emulator("ward", "--pulse-error", "15 %", "--way", "less")
    desk.rehearse()
    desk.program()
    desk.advance("1d")
    told = desk.inspect()
    assert set(told) >= NEW
    assert told["true_pulse"] == "0.000085 mL"
    assert told["delivered"] == {"baclofen": "204 mcg"}  # 240 x 0.85
    assert told["believed"]["given"] == {"baclofen": "240 mcg"}
    assert len(told["past_tip"]) == 24
    for hour in told["past_tip"]:  # 8.5, and whole pulses of 0.17
        assert hour["mass"] in {"8.33 mcg", "8.5 mcg", "8.67 mcg"}
    assert told["line"] == [
        {"volume": "0.348 mL", "drug": "baclofen", "concentration": "2000 mcg/mL"}
    ]
    assert re.fullmatch(r"\d+(\.\d+)? %", told["battery"]["charge"])
    shown = desk.run("emulator", "inspect", "ward").out
    for word in ("really", "as the pump believes", "204 mcg", "240 mcg", "battery", "card"):
        assert word in shown
    assert len(shown.splitlines()) < 40


@pytest.mark.parametrize(
    "more",
    [
        ("--pulse-error", "60 %"),
        ("--pulse-error", "5"),
        ("--pulse-error", "5 %", "--way", "x"),
        ("--way", "less"),
        ("--way", "more"),
        ("--volume", "41 mL"),
    ],
)
def test_no_pump_of_an_impossible_pulse(desk: Desk, more: tuple[str, ...]) -> None:
    assert desk.run("emulator", "new", "ward", *more).code == 2
    assert desk.data("emulator", "list")["emulators"] == []


def test_a_pump_that_senses_its_reservoir(desk: Desk) -> None:
    desk.emulator("ward", "--model", "SP40S")
    desk.data("emulator", "fault", "ward", "sensor", "--volume", "3 mL", "--way", "less")
    desk.advance("2h")
    assert desk.inspect()["alarms"] == ["VOLUME_DISAGREES"]


# --- while it is served ----------------------------------------------------------------


@pytest.fixture
def served(desk: Desk) -> Iterator[str]:
    """A pump on a TCP port, in a process of its own; its port."""
    desk.emulator()
    process = subprocess.Popen(
        command("emulator", "serve", "ward", "--tcp", "127.0.0.1:0", "--json"),
        env=environment(desk.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    port = str(json.loads(process.stdout.readline())["data"]["port"])
    yield port
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def test_faults_of_a_served_pump(desk: Desk, served: str) -> None:
    desk.data("emulator", "fault", "ward", "stall", "--for", "6h")
    desk.advance("1h")
    assert desk.data("--port", served, "status")["delivery"] == "stalled"
    assert desk.run("emulator", "fault", "ward", "flash-bit", "--at", "limits").code == 2
    boot = desk.inspect()["boot"]
    desk.data("emulator", "fault", "ward", "reboot")
    assert desk.inspect()["boot"] == boot + 1
    assert desk.data("--port", served, "status")["delivery"] == "stalled"
    assert desk.data("emulator", "fault", "ward", "clear")["cleared"] == 1
    desk.data("emulator", "fault", "ward", "disconnect")
    assert desk.run("--port", served, "status").code in {4, 5}
    desk.data("emulator", "fault", "ward", "clear", "disconnect")
    assert desk.data("--port", served, "status")["delivery"] == "minimum"
    told = desk.data("emulator", "press", "ward", "--patient-dose")["patient_dose"]
    assert told["refused"] == "UNSUPPORTED"


# --- stories ---------------------------------------------------------------------------


def test_the_shipped_ones_are_listed(desk: Desk) -> None:
    told = desk.data("emulator", "play", "--list")["scenarios"]
    assert tuple(each["name"] for each in told) == shipped()
    assert all(each["title"] and each["story"] and each["source"] for each in told)
    assert "forgotten-bridge" in desk.run("emulator", "play", "--list").out


def test_a_story_is_played_and_its_pump_stays(desk: Desk) -> None:
    document = desk.json("emulator", "play", "unfinished-update", "--pair")
    data = document["data"]
    assert document["schema"] == "pumpctl.emulator.play/1"
    assert (data["held"], data["name"], data["incident"]) == (True, "unfinished-update", 3)
    assert all(each["wrong"] == [] for each in data["timeline"])
    cut = data["timeline"][3]
    assert cut["says"]["running"] == "old"
    assert "power" in cut["detail"]
    status = desk.pump("status", name="unfinished-update")
    assert status["delivery"] == "delivering"
    assert desk.inspect("unfinished-update")["frozen"]
    desk.refused(2, "USAGE", "emulator", "play", "unfinished-update")
    shown = desk.run("emulator", "play", "unfinished-update", "again")
    assert shown.code == 0
    assert "expectations hold" in shown.out


def test_a_story_that_does_not_come_true(desk: Desk) -> None:
    text = (Path(__file__).parents[2] / "pumpctl" / "scenarios" / "mri.toml").read_text("utf-8")
    path = desk.files / "mine.toml"
    path.write_text(text.replace('past_tip = "340 mcg"', 'past_tip = "34 mcg"'), "utf-8")
    document = desk.json("emulator", "play", path, code=3)
    assert document["error"]["code"] == "SCENARIO"
    assert document["error"]["changed"] == "no"
    assert document["data"]["timeline"][1]["wrong"] == ["past_tip: 340 mcg, expected 34 mcg"]
    assert desk.inspect("mine")["delivery"] == "delivering"
    ran = desk.run("emulator", "play", path, "twice")
    assert ran.code == 3
    assert "WRONG   past_tip: 340 mcg, expected 34 mcg" in ran.out
    assert "1 of " in ran.err


def test_a_faulty_story_plays_nothing(desk: Desk) -> None:
    path = desk.files / "faulty.toml"
    path.write_text("format = 1\nshape = 2\n", "utf-8")
    document = desk.json("emulator", "play", path, code=3)
    assert document["error"]["code"] == "SCENARIO_FAULTY"
    found = document["data"]["findings"]
    assert {each["id"] for each in found} == {"KEY_UNKNOWN", "KEY_MISSING"}
    assert (found[0]["line"] or 0) >= 1
    printed = desk.run("emulator", "play", path).out
    assert "faulty.toml:2:1: " in " ".join(printed.split())
    path.write_text("format = ", "utf-8")
    desk.refused(3, "SCENARIO_FAULTY", "emulator", "play", path)
    assert desk.data("emulator", "list")["emulators"] == []


@pytest.mark.parametrize("words", [("nothing",), (), ("mri", "--list"), ("mri", "a b")])
def test_what_cannot_be_played_is_usage(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.run("emulator", "play", *words).code == 2
    assert desk.data("emulator", "list")["emulators"] == []
