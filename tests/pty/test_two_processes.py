"""The main job on a real pseudo terminal: the pump in one process, the station in others."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.desk import command, environment, spawned
from tests.helpers.profiles import FLEX, written

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

PULSE_NL = 100
DAY_MS = 86_400_000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@contextmanager
def serving(home: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """An emulator in a process of its own, until it is told to end."""
    with subprocess.Popen(
        command("emulator", "serve", *words),
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
    ) as server:
        assert server.stderr is not None
        assert "served at" in server.stderr.readline()
        try:
            yield server
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(10)
            rest = server.stderr.read()
    assert "Traceback" not in rest


class Volume:
    """The oracle: what a profile gives between two instants, in exact nL, from the TOML alone."""

    def __init__(self, text: str) -> None:
        profile = tomllib.loads(text)
        self.concentration = number(profile["drug"]["concentration"])
        self.program = profile["program"]

    def between(self, start: int, end: int) -> Fraction:
        """Of everything that begins after `start` (ms since 1970 on the pump's label)."""
        total = Fraction(0)
        for day in range(start // DAY_MS - 1, end // DAY_MS + 1):
            name = DAYS[(day + 3) % 7]
            midnight = day * DAY_MS
            block = next(one for one in self.program["day"] if name in one["days"])
            steps = block["steps"]
            edges = [midnight + clock(step["from"]) for step in steps] + [midnight + DAY_MS]
            for step, begins, ends in zip(steps, edges, edges[1:], strict=False):
                given = max(0, min(ends, end) - max(begins, start))
                total += number(step["basal"]) * given / (DAY_MS // 24)
            for bolus in self.program.get("bolus", []):
                over = int(number(bolus["over"]) * 60_000)
                for at in bolus["at"] if name in bolus["days"] else []:
                    begins = midnight + clock(at)
                    if start < begins <= end:
                        total += number(bolus["dose"]) * min(over, end - begins) / over
        return total * 1_000_000 / self.concentration  # mcg / (mcg/mL) = mL


def number(text: str) -> Fraction:
    return Fraction(text.partition(" ")[0])


def clock(text: str) -> int:
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000


def label_ms(iso: str) -> int:
    from datetime import datetime

    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def test_the_oracle_itself() -> None:
    """A whole week holds five times 438 and twice 376 mcg, at 2000 mcg/mL."""
    monday = 20_696 * DAY_MS
    assert DAYS[(monday // DAY_MS + 3) % 7] == "mon"
    assert (
        Volume(FLEX).between(monday, monday + 7 * DAY_MS) == Fraction(5 * 438 + 2 * 376, 2) * 1000
    )


def test_pair_check_plan_apply_status_logs_and_a_week(tmp_path: Path) -> None:
    home, line, card = tmp_path / "home", tmp_path / "tty0", tmp_path / "card.txt"
    profile, plan = written(tmp_path / "flex.toml", FLEX), tmp_path / "visit.plan.json"
    station = tmp_path / "station"

    def pumpctl(*words: object, at: Path = station) -> Any:
        ran = spawned(at, "--json", *words, PUMPCTL_PORT=str(line), PUMPCTL_NOW="pump")
        assert ran.code == 0, ran
        return ran.document

    def bench(*words: object) -> Any:
        ran = spawned(home, "--json", "emulator", *words)
        assert ran.code == 0, ran
        return ran.document

    made = bench("new", "ward-3", "--frozen", "--concentration", "2000 mcg/mL")
    card.write_text(made["data"]["pairing_secret"])
    with serving(home, "ward-3", "--pty", line):
        bench("advance", "ward-3", "3h")  # at minimum rate, so that a carry is left
        bench("press", "ward-3")
        assert pumpctl("pair", "--secret-file", card)["pump"] == made["pump"]

        checked = pumpctl("profile", "check", profile)["data"]
        told = pumpctl("program", "plan", profile, "-o", plan)["data"]
        assert told["readback"]["hash"] == checked["hash"]
        before = bench("inspect", "ward-3")["data"]
        assert before["program"]["hash"] != checked["hash"]
        applied = pumpctl("apply", plan, "--confirm", told["confirm"])["data"]
        assert (applied["outcome"], applied["verified"]) == ("applied", True)

        status = pumpctl("status")
        assert status["pump"]["serial"] == made["pump"]["serial"]
        assert status["data"]["program"]["hash"] == checked["hash"]
        started = bench("inspect", "ward-3")["data"]
        assert started["program"]["hash"] == checked["hash"]
        assert started["pulses"] == before["pulses"]

        bench("advance", "ward-3", "7d")
        ended = bench("inspect", "ward-3")["data"]
        start, end = label_ms(started["time"]), label_ms(ended["time"])
        assert end - start == 7 * DAY_MS
        exact = Volume(FLEX).between(start, end) / PULSE_NL
        assert abs(ended["pulses"] - started["pulses"] - exact) < 1
        assert exact > 14_000

        pulled = pumpctl("logs", "pull")["data"]
        assert pulled["gaps"] == []
        assert pulled["new"] == pulled["held"] >= 7 * 24 + 7 * 2 * 2
        entries = pumpctl("logs", "show", "--last", 100_000)["data"]["entries"]
        assert [entry["number"] for entry in entries] == list(range(1, pulled["held"] + 1))
        activated = next(entry for entry in entries if entry["kind"] == "activated")
        assert activated["operation"] == applied["operation"]
        for entry in entries:  # every full hour's pulse count is the oracle's, to one pulse
            if entry["kind"] == "hour" and entry["number"] > activated["number"]:
                due = Volume(FLEX).between(start, label_ms(entry["time"])) / PULSE_NL
                assert abs(entry["pulses"] - started["pulses"] - due) < 1
        assert pumpctl("resolve")["data"]["outcome"] is None
    assert not line.is_symlink(), "the link went with the server"


def test_a_server_that_is_killed_leaves_a_pump_that_goes_on(tmp_path: Path) -> None:
    home, line = tmp_path / "home", tmp_path / "tty0"
    assert spawned(home, "emulator", "new", "ward", "--pair").code == 0
    with serving(home, "ward", "--pty", line) as server:
        assert spawned(home, "--port", line, "status").code == 0
        server.kill()
        server.wait()
        started = time.monotonic()
        ran = spawned(home, "--port", line, "--json", "status")
        assert ran.code in (4, 5), ran
        assert ran.document["error"]["changed"] == "no"
        assert time.monotonic() - started < 30
    assert spawned(home, "--port", "emu://ward", "status").code == 0
    with serving(home, "ward", "--pty", line):
        assert spawned(home, "--port", line, "status").code == 0


def test_two_stations_on_one_pty(tmp_path: Path) -> None:
    """Another home has other locks; the port itself is held exclusively."""
    home, line = tmp_path / "home", tmp_path / "tty0"
    assert spawned(home, "emulator", "new", "ward", "--pair").code == 0
    with serving(home, "ward", "--pty", line):
        code = (
            "import serial, sys; port = serial.serial_for_url(sys.argv[1], exclusive=True); "
            "print('held', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, str(line)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            ran = spawned(home, "--port", line, "--json", "status")
            assert ran.code == 4
            assert ran.document["error"]["code"] == "PORT_BUSY"
            other.kill()
            other.wait()
        assert spawned(home, "--port", line, "status").code == 0
