"""No key is a default, shared or written into the code; an emulator's opens no other pump."""

from __future__ import annotations

import ast
import json
import re
import shutil
from typing import Any

import pytest

from pumpctl.wire.codes import Purpose, Role
from pumpctl.wire.secret import secret_text
from tests.emulator.support import Bench, Entropy, Line, paired
from tests.helpers.desk import ROOT, Desk

pytestmark = pytest.mark.requirement("SEC-04")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){16,}")
_CARD = re.compile(r"(?:[0-9A-Z]{4}-){6}[0-9A-Z*~$=]{3}")


def keys_in(source: str) -> list[object]:
    """Constants that could be a key: 16 bytes or more that are no text, or as hex or as a card."""
    found: list[object] = []
    for node in ast.walk(ast.parse(source)):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, bytes) and len(value) >= 16:
            if not all(32 <= each < 127 or each in b"\0\n\t" for each in value):
                found.append(value)
        elif isinstance(value, str) and (_HEX.fullmatch(value) or _CARD.fullmatch(value)):
            found.append(value)
    return found


def test_the_code_holds_no_key() -> None:
    files = sorted((ROOT / "pumpctl").rglob("*.py"))
    assert len(files) > 100
    for file in files:
        assert keys_in(file.read_text("utf-8")) == [], file


@pytest.mark.parametrize(
    "planted",
    [
        f"KEY = {bytes(range(200, 232))!r}",
        f'KEY = bytes.fromhex("{"5f" * 32}")',
        f'def f(psk="{"a0" * 16}"): pass',
        f'CARD = "{secret_text(bytes(range(16)))}"',
    ],
)
def test_a_planted_key_is_found(planted: str) -> None:
    assert keys_in(planted)


def secrets(desk: Desk, name: str, *more: object) -> dict[str, Any]:
    """All that is secret of a new emulator and of the pairing with it."""
    made = desk.json("emulator", "new", name, "--pair", *more)
    serial = made["pump"]["serial"]
    pairing = json.loads((desk.home / "pumps" / serial / "nurse.json").read_text("ascii"))
    return {"serial": serial, "card": made["data"]["pairing_secret"], **pairing}


def test_no_two_pumps_and_no_two_stations_share_a_key(desk: Desk) -> None:
    a, b = secrets(desk, "a"), secrets(desk, "b", "--no-bench")
    for what in ("serial", "card", "public", "psk"):
        assert a[what] != b[what], what
    mine = json.loads((desk.home / "operators" / "nurse.json").read_text("ascii"))["private"]
    desk.monkeypatch.setenv("PUMPCTL_HOME", str(desk.files / "elsewhere"))
    desk.data("emulator", "new", "a", "--pair")
    elsewhere = desk.files / "elsewhere" / "operators" / "nurse.json"
    assert json.loads(elsewhere.read_text("ascii"))["private"] != mine


def test_a_new_pump_knows_nobody_and_no_card_but_its_own(desk: Desk) -> None:
    card = desk.files / "card.txt"
    card.write_text(desk.data("emulator", "new", "bench", "--pair")["pairing_secret"], "utf-8")
    desk.data("emulator", "new", "real", "--no-bench")
    assert desk.inspect("real")["keys"] == []
    desk.refused(5, "NOT_PAIRED", "--port", "emu://real", "status")
    desk.data("emulator", "press", "real")
    desk.refused(5, "NOT_PAIRED", "--port", "emu://real", "pair", "--secret-file", card)
    assert desk.inspect("real")["keys"] == []


def test_what_an_emulator_left_at_the_station_opens_no_pump_off_the_bench(desk: Desk) -> None:
    """The same operator's key, and all that pairing with the emulator left: put in its place."""
    bench = secrets(desk, "bench")
    desk.data("emulator", "new", "real", "--no-bench")
    listed = desk.data("list")["emulators"]
    real = next(each["serial"] for each in listed if each["port"] == "emu://real")
    pumps = desk.home / "pumps"
    shutil.copytree(pumps / bench["serial"], pumps / real)
    with desk.untouched("real"):
        for words in (("status",), ("stop", "--now"), ("unpair",)):
            error = desk.refused(5, "NOT_PAIRED", "--port", "emu://real", *words)
            assert "does not know this operator's key" in error["message"]


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ENGINEER])
def test_the_pump_refuses_it_whatever_the_station_believes(role: Role) -> None:
    """At the handshake, past every look of the station's own."""
    emulator = paired(Bench(bench=True), role)
    real = Bench(bench=False)
    stranger = Line(real, emulator.private)
    stranger.pump, stranger.psk = emulator.pump, emulator.psk
    assert not stranger.open()
    stranger.greet(Purpose.SESSION)
    assert not stranger.greeting.known
    own = Line(real, Entropy("real")(32))
    real.firmware.press()
    own.pair(role)
    assert own.open(), "paired with this very pump, it is let in"
    assert not stranger.open()
