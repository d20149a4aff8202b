"""What stands on docs/emergency.md is true: its sessions print it, from an empty home."""

from __future__ import annotations

import shlex
from types import SimpleNamespace

import pytest
from serial.urlhandler import protocol_socket

from tests.cli.test_dosing_pages import agrees, blocks
from tests.cli.test_dosing_pages import sessions as sessions_of
from tests.helpers.desk import ROOT, Desk
from tests.helpers.served import served

PAGE = ROOT / "docs" / "emergency.md"
ADDRESS = "socket://127.0.0.1:7001"


@pytest.mark.requirement("SEC-03")
@pytest.mark.requirement("STP-01")
def test_the_walk_with_the_implant_card_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """pair → status → emergency overdose → stop --now, at a station that never saw a pump."""
    quick = SimpleNamespace(sleep=lambda seconds: None)  # pyserial sleeps after each socket
    monkeypatch.setattr(protocol_socket, "time", quick)
    clinic = desk.files / "clinic"
    monkeypatch.setenv("PUMPCTL_HOME", str(clinic))
    made = desk.json("emulator", "new", "patient", "--pair", "--frozen")
    monkeypatch.chdir(desk.files)
    (desk.files / "card.txt").write_text(made["data"]["pairing_secret"], "utf-8")
    monkeypatch.setenv("PUMPCTL_OPERATOR", "doctor")
    ran_commands = []
    with served(clinic, "patient") as url:
        desk.data("emulator", "press", "patient")
        monkeypatch.setenv("PUMPCTL_HOME", str(desk.home))
        assert not desk.home.exists()
        for block in blocks(PAGE, "console"):
            for command, shown in sessions_of(block.text):
                words = [url if word == ADDRESS else word for word in shlex.split(command)[1:]]
                ran = desk.run(*words)
                printed = (ran.out + ran.err).replace(url, ADDRESS).rstrip("\n").split("\n")
                assert agrees(shown, printed), f"{command} prints now:\n{ran.out}{ran.err}"
                assert ran.code == 0
                ran_commands.append(words[2])
        monkeypatch.setenv("PUMPCTL_HOME", str(clinic))
        assert desk.inspect("patient")["delivery"] == "stopped"
    assert ran_commands == ["emergency", "pair", "status", "emergency", "stop"]
    assert not (desk.home / "operators" / "known").exists(), "nobody was set up for it"
