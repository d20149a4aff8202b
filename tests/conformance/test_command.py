"""`pumpctl conformance`: exit codes, one document, files, and what it refuses."""

from __future__ import annotations

import socket
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pumpctl.conformance.duties import cases
from tests.conformance.mutate import MUTANTS
from tests.conformance.test_mutants import FILES
from tests.helpers.desk import Desk
from tests.helpers.served import listening, served

PORT = ("--port", "emu://ward", "conformance")
assert FILES


@pytest.mark.slow
def test_a_whole_run_over_the_port(desk: Desk, tmp_path: Path) -> None:
    desk.emulator()
    before = desk.truth()
    document = desk.json(*PORT, "--junit", tmp_path / "run.xml")
    assert document["schema"] == "pumpctl.conformance/1"
    data = document["data"]
    assert all(set(one) == {"id", "ok", "detail"} and one["ok"] for one in data["results"])
    assert all(set(one) == {"id", "reason"} and one["reason"] for one in data["not_tested"])
    assert data["restored"]
    assert data["failed"] == 0
    assert desk.truth().program == before.program
    assert desk.truth().delivery == before.delivery
    root = ET.parse(tmp_path / "run.xml").getroot()  # noqa: S314  (our own file)
    assert len(root.findall(".//testcase")) == len(data["results"]) + len(data["not_tested"])


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.requirement("REF-08")
def test_a_bridge_over_the_port_is_waited_for(desk: Desk) -> None:
    """Two pulses of 100 nL at 0.774 mL/day, 11.2 s each, by the real clock."""
    desk.emulator(frozen=False)
    document = desk.json(*PORT, "--only", "P2-bridge-end")
    assert [(one["id"], one["ok"]) for one in document["data"]["results"]] == [
        ("P2-bridge-end", True)
    ]
    assert document["data"]["restored"]


def test_a_broken_duty_is_exit_12_with_its_name(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.emulator()
    MUTANTS["P5-nonce"](monkeypatch)
    document = desk.json(*PORT, "--only", "P5-hash", "--only", "P5-nonce", code=12)
    assert not document["ok"]
    error = document["error"]
    assert (error["code"], error["exit"], error["changed"]) == ("CONFORMANCE", 12, "yes")
    assert "P5-nonce" in error["message"]
    found = {one["id"]: one["ok"] for one in document["data"]["results"]}
    assert found == {"P5-hash": True, "P5-nonce": False}
    ran = desk.run(*PORT, "--only", "P5-nonce")
    assert "FAIL P5-nonce" in ran.out
    assert ran.code == 12


def test_a_pump_that_is_not_on_the_bench_is_left_alone(desk: Desk) -> None:
    desk.emulator("ward", "--no-bench")
    with desk.untouched():
        error = desk.refused(5, "NOT_BENCH", *PORT)
    assert "never run on a pump that could be in a patient" in error["hint"]


def test_a_pump_that_could_not_be_left_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.emulator()
    monkeypatch.setattr(
        "pumpctl.conformance.run.put_back", lambda *_: (_ for _ in ()).throw(_broken())
    )
    document = desk.json(*PORT, "--only", "P5-hash", code=12)
    assert document["error"]["code"] == "ACT_NOW"
    assert not document["data"]["restored"]


def _broken() -> Exception:
    from pumpctl.conformance.faults import Broken

    return Broken("its flash is full")


def test_ctrl_c_is_130_and_says_what_is_delivered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.emulator()

    def interrupt(done: int, _total: int, _name: str) -> None:
        if done:
            raise KeyboardInterrupt

    monkeypatch.setattr("pumpctl.cli.conformance._progress", interrupt)
    document = desk.json(*PORT, "--only", "P19", code=130)
    assert document["error"]["changed"] == "yes"
    assert "delivered again" in document["error"]["hint"]
    assert desk.truth().delivery != "stopped"


def test_the_list_asks_no_device(desk: Desk) -> None:
    data = desk.data("conformance", "--list")
    assert [one["id"] for one in data["tests"]] == [one.id for one in cases()]
    assert data["results"] == []
    text = desk.run("conformance", "--list").out
    for one in cases():
        assert one.id in text


def test_the_list_of_one_duty(desk: Desk) -> None:
    data = desk.data("conformance", "--list", "--only", "p9")
    assert [one["id"] for one in data["duties"]] == ["P9"]
    assert {one["duty"] for one in data["tests"]} == {"P9"}
    head, row = desk.run("conformance", "--list", "--only", "P3").out.splitlines()
    assert head.startswith("P3  ")
    assert row.startswith("  P3-power-loss ")
    assert "not tested: needs the power to be cut at every write" in row


def test_a_stalled_pump_is_not_tested(desk: Desk) -> None:
    desk.emulator()
    desk.data("emulator", "fault", "ward", "stall")
    desk.advance("2 h")
    with desk.untouched():
        error = desk.refused(10, "NOT_FIT", *PORT)
    assert "MOTOR_STALL" in error["message"]


def test_nothing_that_greets_is_exit_5(desk: Desk) -> None:
    desk.emulator()

    def deaf(client: socket.socket) -> None:
        while client.recv(4096):
            pass

    with listening(deaf) as url:
        document = desk.json("--port", url, "conformance", code=5)
    assert document["error"]["exit"] == 5
    assert "data" not in document


def test_usage(desk: Desk) -> None:
    """Each before any device is asked."""
    desk.emulator()
    with desk.untouched():
        desk.refused(2, "USAGE", *PORT, "--only", "P99-nothing")
        error = desk.refused(2, "USAGE", *PORT, "--only", "P3")
        assert "P3 is not tested over a line. P3-power-loss: needs" in error["message"]
        desk.refused(2, "USAGE", "conformance", "--list", "--junit", "run.xml")
        desk.refused(2, "USAGE", "conformance")
        desk.refused(5, "WRONG_PUMP", "--pump", "SP40-999999", *PORT)
        desk.refused(5, "NOT_PAIRED", "--operator", "stranger", *PORT)
        desk.refused(4, "PORT_MISSING", "--port", "emu://nobody", "conformance")


def test_a_file_that_cannot_be_written_is_told_before_the_run(desk: Desk, tmp_path: Path) -> None:
    desk.emulator()
    file = tmp_path / "missing" / "run.xml"
    with desk.untouched():
        desk.refused(11, "STORE", *PORT, "--junit", file, "--only", "P5-hash")


def test_over_tcp_to_another_process_of_ours(desk: Desk) -> None:
    desk.emulator(frozen=False)
    with served(desk.home, "ward") as url:
        data = desk.data(
            "--port", url, "conformance", "--only", "P9-repeat", "--only", "L6-fragments"
        )
    assert data["failed"] == 0
