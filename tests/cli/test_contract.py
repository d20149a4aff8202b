"""JSON keys, exit codes and global options, as the contract promises them to scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pumpctl.cli.commands import COMMANDS
from tests.helpers.desk import Desk, spawned
from tests.helpers.profiles import FLEX, continuous

STATUS = {
    "state_version", "delivery", "program", "drug", "reservoir", "line", "bolus", "bridge",
    "staged", "patient_dose", "battery", "clock", "alarms", "unresolved",
}  # fmt: skip
APPLY = {"operation", "outcome", "state_version", "verified"}
PLAN = {"plan", "old", "new", "change_percent", "readback", "findings", "confirm", "expires"}
CHECK = {"hash", "mode", "days", "findings", "forecast"}
FINDING = {"id", "severity", "message", "source", "value", "limit", "line", "column"}
PULL = {"first", "last", "new", "gaps", "held", "bytes_on_wire", "seconds"}
INSPECT = {
    "time", "pulses", "pumped", "delivered", "reservoir", "program", "operations", "flash_writes",
}  # fmt: skip
ERROR = {"code", "exit", "changed", "message", "hint", "findings"}
QUANTITY = re.compile(r"(0|[1-9]\d*)(\.\d*[1-9])? (mcg|mL|mcg/mL|mcg/day|mL/day|s|min|h|d)")


def quantities(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Every string that looks like a number with a unit, with its key."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in quantities(item, key)]
    if isinstance(value, list):
        return [pair for item in value for pair in quantities(item, name)]
    if isinstance(value, str) and re.match(r"-?[\d.]+ [a-zA-Zµ]", value):
        return [(name, value)]
    assert not isinstance(value, float), f"{name}: a bare float {value}"
    return []


def test_status(desk: Desk) -> None:
    desk.emulator()
    desk.flex()
    document = desk.json("--port", "emu://ward", "status")
    assert document["schema"] == "pumpctl.status/1"
    assert set(document) == {"schema", "ok", "pump", "data", "warnings"}
    assert set(document["pump"]) == {"serial", "model"}
    data = document["data"]
    assert set(data) >= STATUS
    assert set(data["program"]) == {"hash", "mode", "daily_dose", "largest_hour"}
    assert set(data["drug"]) == {"name", "concentration"}
    assert set(data["reservoir"]) == {"volume", "capacity", "low_alarm", "low_date", "refill_by"}
    assert set(data["line"]) == {"volume", "at_tip", "front_arrives"}
    assert set(data["battery"]) == {"state", "replace_by"}
    assert set(data["clock"]) == {"pump", "station", "difference"}
    assert data["delivery"] in {
        "delivering", "minimum", "bolus", "bridge", "stopped", "stalled", "empty", "fallback",
    }  # fmt: skip
    assert data["alarms"] == []
    assert data["unresolved"] is None
    units = {
        "daily_dose": "mcg/day", "largest_hour": "mcg", "concentration": "mcg/mL",
        "volume": "mL", "capacity": "mL", "low_alarm": "mL",
    }  # fmt: skip
    found = dict(quantities(data))
    for key, unit in units.items():
        assert found[key].endswith(f" {unit}"), key
    for time in (data["clock"]["pump"], data["clock"]["station"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:\d\d)", time)
    for date in (data["reservoir"]["low_date"], data["reservoir"]["refill_by"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", date)


@pytest.mark.requirement("UNI-03")
def test_quantities_are_written_in_the_grammar_that_is_read(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    _, told = desk.plan(FLEX)
    documents = [
        told,
        desk.pump("status"),
        desk.pump("interrogate"),
        desk.pump("program", "show"),
        desk.data("profile", "check", desk.files / "visit.toml", "--volume", "38 mL"),
        desk.inspect(),
    ]
    found = [pair for data in documents for pair in quantities(data)]
    assert len(found) > 100
    for key, text in found:
        if key in {"difference", "stopped_for", "expires_in", "plan", "message", "why"}:
            continue
        assert QUANTITY.fullmatch(text), (key, text)
        if key.endswith("dose"):
            assert text.endswith((" mcg/day", " mcg"))
        if key == "flow":
            assert text.endswith(" mL/day")


def test_plan_apply_and_the_same_hash_everywhere(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    checked = desk.data("profile", "check", desk.profile(FLEX))
    path, told = desk.plan(FLEX)
    assert set(told) >= PLAN
    assert told["plan"] == str(path)
    assert re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", told["confirm"])
    assert desk.inspect()["program"]["hash"] != checked["hash"], "planning changes nothing"

    document = desk.json("--port", "emu://ward", "apply", path, "--confirm", told["confirm"])
    assert document["schema"] == "pumpctl.apply/1"
    data = document["data"]
    assert set(data) >= APPLY
    assert (data["outcome"], data["verified"]) == ("applied", True)

    status = desk.pump("status")
    hashes = {
        checked["hash"],
        told["new"]["hash"],
        told["readback"]["hash"],
        status["program"]["hash"],
        desk.pump("program", "show")["hash"],
        desk.inspect()["program"]["hash"],
    }
    assert len(hashes) == 1
    assert status["state_version"] == data["state_version"]
    assert desk.inspect()["operations"][-1]["operation"] == data["operation"]


def test_profile_check(desk: Desk) -> None:
    document = desk.json("profile", "check", desk.profile(FLEX), "--volume", "38 mL")
    assert document["schema"] == "pumpctl.profile.check/1"
    data = document["data"]
    assert set(data) >= CHECK
    assert [day["day"] for day in data["days"]] == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert [day["daily_dose"] for day in data["days"]] == ["438 mcg/day"] * 5 + ["376 mcg/day"] * 2
    assert set(data["forecast"]) == {"flow", "low_date", "refill_by"}
    assert data["forecast"]["flow"] == "0.219 mL/day"


def test_profile_check_with_a_hard_finding(desk: Desk) -> None:
    document = desk.json("profile", "check", desk.profile(continuous("9000 mcg/day")), code=3)
    assert document["schema"] == "pumpctl.profile.check/1"
    assert document["ok"] is False
    assert set(document["error"]) == ERROR
    assert {finding["severity"] for finding in document["error"]["findings"]} == {"hard"}
    assert len(document["data"]["findings"]) >= len(document["error"]["findings"]) >= 1
    for finding in document["data"]["findings"]:
        assert set(finding) == FINDING
        assert finding["severity"] in {"hard", "soft", "note"}


def test_what_is_no_profile_at_all(desk: Desk) -> None:
    document = desk.json("profile", "check", desk.profile("this is = = no TOML"), code=3)
    assert document["schema"] == "pumpctl.error/1"
    assert set(document) == {"schema", "ok", "error"}


def test_logs(desk: Desk) -> None:
    desk.emulator()
    desk.advance("2d")
    pulled = desk.json("--port", "emu://ward", "logs", "pull")
    assert pulled["schema"] == "pumpctl.logs.pull/1"
    assert set(pulled["data"]) == PULL
    shown = desk.data("logs", "show", "--last", "5")
    assert len(shown["entries"]) == 5
    assert (
        desk.data("logs", "export", desk.files / "log.ndjson")["entries"] == pulled["data"]["new"]
    )
    lines = (desk.files / "log.ndjson").read_text().splitlines()
    assert len(lines) == pulled["data"]["new"]
    assert all(isinstance(json.loads(line), dict) for line in lines)
    desk.data("logs", "export", desk.files / "log.csv")
    desk.refused(2, "USAGE", "logs", "export", desk.files / "log.doc")


def test_the_rest_of_the_commands(desk: Desk) -> None:
    serial = desk.emulator()
    desk.program()
    assert set(desk.inspect()) >= INSPECT
    assert set(desk.inspect()["delivered"]) == {"baclofen"}
    assert [one["name"] for one in desk.data("emulator", "list")["emulators"]] == ["ward"]
    listed = desk.data("list")
    (emulator,) = listed["emulators"]
    assert [emulator[key] for key in ("port", "serial", "model")] == ["emu://ward", serial, "SP40"]
    assert listed["pairings"] == [{"serial": serial, "operator": "nurse"}]
    resolved = desk.pump("resolve")
    assert set(resolved) >= APPLY
    assert resolved["outcome"] is None
    stopped = desk.pump("stop", "--now")
    assert set(stopped) >= APPLY
    resume = desk.pump("resume", "--plan-only", "-o", desk.files / "resume.json")
    assert set(resume) >= PLAN
    assert set(desk.pump("interrogate")) >= STATUS
    assert all(one["ok"] for one in desk.data("doctor")["results"])
    assert "properties" in desk.data("profile", "schema")["schema"]
    checks = desk.data("explain", "--list")["checks"]
    assert len(checks) == len({check["id"] for check in checks}) > 20
    for check in checks:
        assert desk.data("explain", check["id"])["why"]
    made = desk.data("profile", "new", desk.files / "new.toml", "--mode", "flex")
    assert Path(made["file"]).read_text("utf-8").startswith("#:schema")
    desk.refused(2, "USAGE", "profile", "new", desk.files / "new.toml")
    assert desk.data("profile", "show", desk.profile(FLEX))["mode"] == "flex"
    assert desk.data("emulator", "press", "ward")
    assert desk.json("--port", "emu://ward", "unpair")["schema"] == "pumpctl.unpair/1"
    desk.refused(5, "NOT_PAIRED", "--port", "emu://ward", "status")
    desk.data("emulator", "remove", "ward")
    desk.refused(4, "PORT_MISSING", "--port", "emu://ward", "status")


@pytest.mark.parametrize("command", [one.words for one in COMMANDS if one.words != "demo"])
def test_every_command_answers_a_wrong_option_with_one_document(command: str, desk: Desk) -> None:
    desk.refused(2, "USAGE", *command.split(), "--no-such-option")


@pytest.mark.parametrize("command", [one.words for one in COMMANDS])
def test_every_command_has_help_with_an_example(command: str, desk: Desk) -> None:
    ran = desk.run(*command.split(), "--help")
    assert ran.code == 0
    assert "pumpctl" in ran.out
    assert "Example" in ran.out
    assert not desk.home.exists(), "help makes nothing"


def test_the_demo_reads_well_without_a_terminal_and_leaves_nothing_behind(desk: Desk) -> None:
    ran = desk.run("demo")
    assert ran.code == 0, ran.err
    assert "token" in ran.out + ran.err
    assert not desk.home.exists()
    assert desk.json("demo")["ok"]


# --- global options -------------------------------------------------------------------


def test_global_options_before_after_and_between(desk: Desk) -> None:
    desk.emulator()
    port = ("--port", "emu://ward")
    for words in (
        (*port, "--json", "program", "show"),
        ("program", *port, "show", "--json"),
        ("program", "show", "--json", "--port=emu://ward"),
        ("--json", "program", "--home", desk.home, "show", *port),
    ):
        ran = desk.run(*words)
        assert ran.code == 0, ran.err
        assert ran.document["schema"] == "pumpctl.program.show/1"


def test_variables_stand_behind_options(desk: Desk) -> None:
    serial = desk.emulator()
    desk.emulator("other")
    desk.monkeypatch.setenv("PUMPCTL_PORT", "emu://ward")
    desk.monkeypatch.setenv("PUMPCTL_PUMP", serial)
    assert desk.json("status")["pump"]["serial"] == serial
    desk.refused(5, "WRONG_PUMP", "--port", "emu://other", "status")
    desk.monkeypatch.setenv("PUMPCTL_OPERATOR", "stranger")
    desk.refused(5, "NOT_PAIRED", "status")
    assert desk.json("status", "--operator", "nurse")["ok"]


@pytest.mark.parametrize(
    "words",
    [
        ["--port"],
        ["--port", "--json", "status"],
        ["--port=", "status"],
        ["--json", "status", "--json"],
        ["--port", "a", "--port", "b", "status"],
        ["--log-level", "loud", "status"],
        ["--operator", "a/b", "status"],
        ["--home", "~nosuchuser/x", "list"],
        ["--port", "http://x", "status"],
        ["nonsense"],
        ["program"],
        ["program", "nonsense"],
        [],
    ],
)
def test_wrong_command_lines(words: list[str], desk: Desk) -> None:
    ran = desk.run(*words, *([] if any("--json" in word for word in words) else ["--json"]))
    assert ran.code == 2, ran
    assert ran.document["error"]["code"] == "USAGE"
    assert ran.err.startswith("pumpctl: ")


def test_version(desk: Desk) -> None:
    assert desk.run("--version").out.startswith("pumpctl ")
    assert set(desk.data("--version")) == {"version"}


def test_log_level_goes_to_stderr(desk: Desk) -> None:
    desk.emulator()
    assert desk.json("--port", "emu://ward", "--log-level", "debug", "status")["ok"]


# --- odd surroundings -----------------------------------------------------------------


def test_a_failure_is_told_on_stderr_too(desk: Desk) -> None:
    """Also where a result stands beside the error."""
    for text in (continuous("9000 mcg/day"), "no toml = ="):
        ran = desk.run("profile", "check", desk.profile(text), "--json")
        assert ran.code == 3
        assert ran.err.startswith("pumpctl: ")


def test_few_letters_are_no_failure(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert spawned(home, "emulator", "new", "ward", "--pair").code == 0
    assert spawned(home, "--port", "emu://ward", "status", PYTHONIOENCODING="ascii").code == 0
    ran = spawned(home, "explain", "--list", "--json", PYTHONIOENCODING="ascii")
    assert ran.code == 0
    assert ran.document["ok"]


def test_a_file_name_of_other_bytes(tmp_path: Path) -> None:
    ran = spawned(
        tmp_path, "profile", "check", "\udcff.toml", "--json", PYTHONIOENCODING="utf-8:strict"
    )
    assert ran.code == 3
    assert ran.document["error"]["code"] == "PROFILE_SYNTAX"


def test_a_stdout_that_is_full_or_gone(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    from tests.helpers.desk import command, environment

    if sys.platform != "linux":
        pytest.skip("/dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("list", "--json"),
            env=environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 11
    assert b"Traceback" not in done.stderr
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("list", "--json"),
        env=environment(tmp_path),
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
