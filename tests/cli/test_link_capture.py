"""Captures through the command line: private, sealed for a real pump, a tap that hides nothing."""

from __future__ import annotations

import base64
import json
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pumpctl.transport.capture_text import (
    Event,
    Form,
    Head,
    Passed,
    Revealed,
    Trouble,
    read,
    written,
)
from pumpctl.wire.listening import HandshakeEar, SessionKeys, StationSecrets
from pumpctl.wire.secret import secret_bytes
from pumpctl.workflows.line.rehearsal_keys import RehearsalKeys
from tests.helpers.desk import Desk, command, environment
from tests.helpers.profiles import FLEX
from tests.helpers.served import listening

WARD = ("--port", "emu://ward")
TAG = "P-0417"


def events(path: Path) -> list[Event]:
    return list(read(path.read_text("ascii")))


# --- what a capture of a pump that is not in bench mode may hold ------------------------------


class Secrets:
    """Every key that this station and this pump have, gathered while they talk."""

    def __init__(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, mode: str = "--no-bench"
    ) -> None:
        made = desk.json(
            *("emulator", "new", "ward", "--pair", mode, "--concentration", "2000 mcg/mL")
        )
        self.session: set[bytes] = set()
        """Keys of sessions; beside them what opens others, too."""
        lasting = {secret_bytes(made["data"]["pairing_secret"])}
        self.known = set(lasting)
        gathered = HandshakeEar.keys

        def keys(ear: HandshakeEar, secrets: StationSecrets) -> SessionKeys | None:
            found = gathered(ear, secrets)
            assert found is not None
            self.session |= {found.to_pump, found.from_pump}
            self.known |= {secrets.own, secrets.psk, secrets.ephemeral} | self.session
            return found

        monkeypatch.setattr(HandshakeEar, "keys", keys)

    def in_(self, path: Path) -> set[bytes]:
        """Those that are in a file, in whatever spelling; in the bytes that passed, too."""
        told = path.read_bytes()
        raw = b"".join(event.data for event in events(path) if isinstance(event, Passed))
        spellings = (
            lambda key: key,
            lambda key: key.hex().encode(),
            lambda key: key.hex().upper().encode(),
            base64.b64encode,
        )
        everything = told + b"\0" + raw
        return {key for key in self.known if any(how(key) in everything for how in spellings)}


def talked(desk: Desk, capture: Path) -> None:
    """A whole visit under one capture: plan, apply, look, log, stop."""
    given = (*WARD, "--capture", capture)
    path, told = desk.plan(FLEX, "--capture", capture)
    desk.data(*given, "apply", path, "--confirm", told["confirm"])
    desk.data(*given, "status")
    desk.data(*given, "logs", "pull")
    desk.data(*given, "stop", "--now", "--reason", "before surgery")


@pytest.mark.requirement("SEC-08")
@pytest.mark.parametrize("name", ["real.ndjson", "real.hex"])
def test_a_real_pump_leaves_no_key_and_no_plain_word(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    secrets = Secrets(desk, monkeypatch)
    capture = desk.files / name
    talked(desk, capture)
    assert len(secrets.known) >= 1 + 2 + 3 * 5  # card; own key, psk; ephemeral and two a session
    assert secrets.in_(capture) == set()
    told = events(capture)
    assert not [event for event in told if isinstance(event, Revealed)]
    raw = b"".join(event.data for event in told if isinstance(event, Passed))
    assert len(raw) > 3000
    for word in (TAG, "baclofen", "BACLOFEN", "nurse", "before surgery"):
        assert word.encode() not in raw + capture.read_bytes()
    if sys.platform != "win32":
        assert stat.S_IMODE(capture.stat().st_mode) == 0o600
    decoded = desk.data("link", "decode", capture)
    opened = [part["totals"]["opened"] for part in decoded["parts"]]
    assert opened == [0] * len(opened)


@pytest.mark.requirement("SEC-08")
def test_without_the_question_a_real_pumps_keys_would_be_in_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check removed: whatever the pump says of its mode, the keys are written."""
    secrets = Secrets(desk, monkeypatch)
    reveal = RehearsalKeys.reveal

    class Always:
        bench = True

    monkeypatch.setattr(
        RehearsalKeys, "reveal", lambda self, _pump, capture: reveal(self, Always(), capture)
    )
    capture = desk.files / "real.ndjson"
    desk.data(*WARD, "--capture", capture, "status")
    assert secrets.in_(capture) == secrets.session
    (part,) = desk.data("link", "decode", capture)["parts"]
    assert part["totals"]["opened"] > 0


@pytest.mark.requirement("SEC-08")
def test_the_keys_of_a_rehearsal_are_those_of_its_session_and_no_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What opens other sessions, or makes another pairing, is in no capture at all."""
    secrets = Secrets(desk, monkeypatch, "--bench")
    capture = desk.files / "bench.ndjson"
    talked(desk, capture)
    assert secrets.in_(capture) == secrets.session
    assert len(secrets.session) == 2 * 5


@pytest.mark.requirement("STP-01")
def test_a_stop_is_not_kept_waiting_for_keys(desk: Desk) -> None:
    """They are written behind it, when all has been done; nothing is asked in between."""
    desk.emulator()
    capture = desk.files / "stop.ndjson"
    desk.data(*WARD, "--capture", capture, "stop", "--now", "--reason", "x")
    (part,) = desk.data("link", "decode", capture)["parts"]
    said = [
        item["record"]["message"]
        for item in part["items"]
        if item["what"] == "frame" and item["way"] == "out" and item["record"]
    ]
    assert said[0] == "STOP"


def test_pairing_leaves_no_keys_of_its_own(desk: Desk) -> None:
    desk.emulator()
    made = desk.json("emulator", "new", "other")
    desk.data("emulator", "press", "other")
    card = desk.files / "card.txt"
    card.write_text(made["data"]["pairing_secret"])
    capture = desk.files / "pair.ndjson"
    desk.json("--port", "emu://other", "--capture", capture, "pair", "--secret-file", card)
    told = events(capture)
    purposes = [event.purpose for event in told if isinstance(event, Head)]
    assert purposes[0] == "pair"
    first = told[: next((at for at, one in enumerate(told[1:], 1) if isinstance(one, Head)), None)]
    assert not [event for event in first if isinstance(event, Revealed)]
    assert made["data"]["pairing_secret"] not in capture.read_text("ascii")


def test_a_line_that_dies_is_in_the_capture(desk: Desk) -> None:
    desk.emulator(frozen=False)
    desk.data("emulator", "fault", "ward", "disconnect")
    capture = desk.files / "dead.hex"
    desk.refused(5, "LINE_LOST", *WARD, "--capture", capture, "status")
    assert [event for event in events(capture) if isinstance(event, Trouble)]


# --- link capture -------------------------------------------------------------------------


def test_a_look_at_a_pump_in_one_command(desk: Desk) -> None:
    serial = desk.emulator()
    capture = desk.files / "look.hex"
    with desk.untouched():
        told = desk.pump("link", "capture", capture)
    assert told["part"] == 1
    assert len(told["keys_of"]) == 1
    assert told["totals"]["records_out"] == told["totals"]["opened"] // 2 >= 5
    assert serial in desk.run("link", "decode", capture).out
    again = desk.pump("link", "capture", capture)
    assert again["part"] == 2


def test_a_pump_that_does_not_know_us_leaves_its_greeting(desk: Desk) -> None:
    desk.data("emulator", "new", "ward")
    capture = desk.files / "look.ndjson"
    error = desk.refused(5, "NOT_PAIRED", *WARD, "link", "capture", capture)
    assert str(capture) in error["hint"]
    (part,) = desk.data("link", "decode", capture)["parts"]
    kinds = [item["kind"] for item in part["items"] if item["what"] == "frame"]
    assert kinds == ["GREETING", "GREETING"]


@pytest.mark.parametrize(
    "words",
    [
        ("--tcp", "127.0.0.1:0", "--pty", "x"),
        ("--for", "5 s"),
        ("--tcp", "nonsense"),
        ("--tcp", "0.0.0.0:7001"),
        ("--tcp", "127.0.0.1:0", "--for", "soon"),
        ("--tcp", "127.0.0.1:0", "--for", "0 s"),
        ("--capture", "other"),
    ],
)
def test_words_that_make_no_capture(desk: Desk, words: tuple[str, ...]) -> None:
    desk.emulator()
    document = desk.json(*WARD, "link", "capture", desk.files / "c", *words, code=2)
    assert document["error"]["code"] in {"USAGE", "QUANTITY"}
    assert not (desk.files / "c").exists()


def test_a_file_that_cannot_be_written(desk: Desk) -> None:
    desk.emulator()
    desk.refused(11, "STORE", *WARD, "link", "capture", desk.files / "no" / "c")


@pytest.mark.slow
def test_a_silent_line_leaves_what_was_said_to_it(desk: Desk) -> None:
    def silent(client: socket.socket) -> None:
        while client.recv(4096):
            pass

    capture = desk.files / "silent.ndjson"
    with listening(silent) as url:
        desk.refused(5, "NO_ANSWER", "--port", url, "link", "capture", capture)
    (part,) = desk.data("link", "decode", capture)["parts"]
    assert part["totals"]["frames_out"] > 1
    assert part["totals"]["frames_in"] == 0
    assert part["totals"]["again"] == part["totals"]["frames_out"] - 1


# --- a tap ----------------------------------------------------------------------------------


class Tapped:
    """`link capture --tcp` in a process of its own, and what it says on stdout."""

    def __init__(self, desk: Desk, capture: Path, *words: object) -> None:
        self.process = subprocess.Popen(
            command(*WARD, "--json", "link", "capture", capture, *words),
            env=environment(desk.home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self.process.stdout is not None
        self.place = json.loads(self.process.stdout.readline())["data"]["open"]

    def end(self) -> dict[str, Any]:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, err
        data: dict[str, Any] = json.loads(out)["data"]
        return data


@pytest.mark.skipif(sys.platform == "win32", reason="a request to end")
@pytest.mark.parametrize("way", ["tcp", "pty"])
def test_a_program_finds_the_pump_behind_the_tap(desk: Desk, way: str) -> None:
    desk.emulator()
    capture, place = desk.files / "tap.ndjson", "127.0.0.1:0"
    if way == "pty":
        place = str(desk.files / "tty")
    tap = Tapped(desk, capture, f"--{way}", place)
    own = desk.files / "own.ndjson"
    document = desk.json("--port", tap.place, "--capture", own, "status")
    assert document["ok"]
    told = tap.end()
    assert told["keys_of"] == []

    def passed(path: Path, way: str) -> bytes:
        found = [event for event in events(path) if isinstance(event, Passed)]
        return b"".join(event.data for event in found if event.way == way)

    assert passed(capture, "out") == passed(own, "out")
    assert passed(capture, "in") == passed(own, "in")
    assert told["totals"]["records_out"] == told["totals"]["records_in"] > 3
    # Whoever has both files has the words that passed the tap, too.
    heard = events(own)
    keys = [event for event in heard if isinstance(event, Revealed)]
    with capture.open("a") as file:
        file.writelines(written(event, Form.NDJSON) for event in keys)
    (part,) = desk.data("link", "decode", capture)["parts"]
    assert part["totals"]["opened"] == 2 * told["totals"]["records_out"]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_full_disk_holds_up_nothing_behind_a_tap(desk: Desk) -> None:
    desk.emulator()
    tap = Tapped(desk, Path("/dev/full"), "--tcp", "127.0.0.1:0")
    assert desk.json("--port", tap.place, "status")["ok"]
    tap.process.send_signal(signal.SIGTERM)
    out, err = tap.process.communicate(timeout=30)
    assert tap.process.returncode == 11
    assert json.loads(out)["error"]["code"] == "STORE"
    assert "the capture cannot be written" in err


def test_a_port_that_is_taken_and_a_line_that_ends(desk: Desk, tmp_path: Path) -> None:
    desk.emulator()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        desk.refused(4, "PORT_BUSY", *WARD, "link", "capture", tmp_path / "c", "--tcp", place)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"

        def hang_up() -> None:
            client, _ = server.accept()
            time.sleep(0.2)
            client.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        ran = desk.run(
            *("--port", url, "link", "capture", tmp_path / "c2", "--tcp", "127.0.0.1:0"),
            *("--for", "20 s", "--json"),
        )
        thread.join(10)
    assert ran.code == 5
    first, last = (json.loads(line) for line in ran.out.splitlines())
    assert first["data"]["open"].startswith("socket://127.0.0.1:")
    assert last["error"]["code"] == "LINE_LOST"
    assert [event for event in events(tmp_path / "c2") if isinstance(event, Trouble)]
