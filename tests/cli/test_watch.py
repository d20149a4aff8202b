"""`status --watch`: over a line that dies and returns, and never in anybody's way."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from serial.urlhandler import protocol_socket

from pumpctl.cli import edge
from pumpctl.cli.look import watch_screen
from pumpctl.errors import NoAnswer
from pumpctl.link import patience
from pumpctl.link.patience import Patience
from pumpctl.quantities import Mass, Volume
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Alarm, Delivery, Priority, RunningBolus, RunningBridge
from pumpctl.workflows import visit
from pumpctl.workflows.look.watching import Glimpse
from tests.helpers.desk import Desk, command, environment, spawned
from tests.helpers.seen import seen
from tests.helpers.served import served

EVERY = ("status", "--watch", "--every", "1 s")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits; pyserial sleeps 0.3 s after every socket that it closes."""
    monkeypatch.setattr(protocol_socket, "time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setattr(patience, "GREETING", Patience(0.2, 0.2, 0.5))


class Switch:
    """A port that leads to one pump, to another, or to nobody."""

    def __init__(self) -> None:
        self.to: str | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        # A thread in accept() does not wake by a close alone.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                if self.to is None:
                    continue
                host, port = self.to.removeprefix("socket://").split(":")
                with socket.create_connection((host, int(port))) as pump:
                    back = threading.Thread(target=_pass, args=(pump, client), daemon=True)
                    back.start()
                    _pass(client, pump)
                    back.join(10)


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(4096):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def switch() -> Iterator[Switch]:
    made = Switch()
    try:
        yield made
    finally:
        made.close()


def watched(desk: Desk, *steps: Callable[[], object]) -> tuple[list[dict[str, Any]], str]:
    """The documents of a watch in which these happen, one between every two looks; stderr.

    Then Ctrl-C.
    """
    waiting = iter(steps)

    def pause(_seconds: float) -> None:
        step = next(waiting, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    with desk.monkeypatch.context() as patch:
        patch.setattr(edge, "pause", pause)
        ran = desk.run(*EVERY, "--json")
    assert ran.code == 0, "ended by a person: nothing was broken off"
    return [json.loads(line) for line in ran.out.splitlines()], ran.err


def aside(desk: Desk, *words: object) -> Callable[[], None]:
    """A command in a process of its own, which must do what it should."""

    def act() -> None:
        ran = spawned(desk.home, *words)
        assert ran.code == 0, ran.err

    return act


def nothing() -> None:
    """Wait for the next look."""


@pytest.mark.requirement("TEL-03")
def test_a_line_that_dies_and_returns(desk: Desk) -> None:
    serial = desk.emulator()
    with switch() as line, served(desk.home, "ward") as url:
        line.to = url
        desk.monkeypatch.setenv("PUMPCTL_PORT", line.url)

        def dead() -> None:
            line.to = None

        def back() -> None:
            line.to = url

        before = desk.truth()
        documents, _ = watched(desk, dead, nothing, back, nothing)
        assert desk.truth() == before, "a watch changes nothing"
    assert [one["ok"] for one in documents] == [True, False, False, True, True]
    first, lost, _, again, last = documents
    assert first["schema"] == again["schema"] == "pumpctl.status/1"
    assert lost["schema"] == "pumpctl.error/1"
    assert (lost["error"]["exit"], lost["error"]["changed"]) == (5, "no")
    assert {one["pump"]["serial"] for one in (first, again, last)} == {serial}
    assert first["data"]["log"] and not again["data"]["log"], "the log comes once"


def test_another_pump_is_never_shown_as_this_one(desk: Desk) -> None:
    serial, _ = desk.emulator(), desk.emulator("other")
    with switch() as line, served(desk.home, "ward") as url, served(desk.home, "other") as other:
        line.to = url
        desk.monkeypatch.setenv("PUMPCTL_PORT", line.url)

        def swapped() -> None:
            line.to = other

        def back() -> None:
            line.to = url

        documents, _ = watched(desk, swapped, back)
    assert [one["ok"] for one in documents] == [True, False, True]
    assert documents[1]["error"]["code"] == "WRONG_PUMP"
    assert documents[2]["pump"]["serial"] == serial


def test_without_the_check_of_the_serial_it_would_be_shown(desk: Desk) -> None:
    desk.emulator()
    other = desk.emulator("other")
    with switch() as line, served(desk.home, "ward") as url, served(desk.home, "other") as second:
        line.to = url
        desk.monkeypatch.setenv("PUMPCTL_PORT", line.url)

        def swapped() -> None:
            line.to = second

        desk.monkeypatch.setattr(visit, "check_serial", lambda station, greeting: None)
        documents, _ = watched(desk, swapped)
    assert documents[1]["pump"]["serial"] == other


@pytest.mark.requirement("STP-01")
def test_a_stop_in_another_process_gets_the_port(desk: Desk) -> None:
    desk.emulator()
    desk.monkeypatch.setenv("PUMPCTL_PORT", "emu://ward")
    stop = aside(desk, "--port", "emu://ward", "stop", "--now")
    documents, _ = watched(desk, stop, stop)
    assert [one["data"]["delivery"] for one in documents] == ["minimum", "stopped", "stopped"]
    kinds = [entry["kind"] for entry in documents[1]["data"]["log"]]
    assert "stopped" in kinds, "the log comes with it"


@pytest.mark.requirement("STP-01")
def test_a_stop_waits_for_a_look_that_has_the_port(desk: Desk) -> None:
    """Somebody looks for a moment: a stop gets the port right after."""
    desk.emulator()
    with served(desk.home, "ward"):
        desk.refused(4, "PORT_BUSY", "--port", "emu://ward", "status")
        with desk.monkeypatch.context() as patch:
            patch.setattr(visit, "_BUSY_TRIES", 2)
            desk.refused(4, "PORT_BUSY", "--port", "emu://ward", "stop", "--now")
    holder = served(desk.home, "ward")
    holder.__enter__()
    waits: list[float] = []

    def given_back(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            holder.__exit__(None, None, None)

    desk.monkeypatch.setattr(visit, "sleep", given_back)
    assert desk.pump("stop", "--now")["outcome"] == "applied"
    assert len(waits) == 3


def test_the_log_comes_entry_by_entry_without_a_gap(desk: Desk) -> None:
    desk.emulator()
    desk.monkeypatch.setenv("PUMPCTL_PORT", "emu://ward")
    documents, _ = watched(desk, lambda: advance(desk, "3h"), lambda: advance(desk, "30d"), nothing)
    numbers = [entry["number"] for one in documents for entry in one["data"]["log"]]
    left_out = [one["data"]["log_left_out"] for one in documents]
    assert [one["kind"] for one in documents[1]["data"]["log"]] == ["hour"] * 3
    # 30 days are 720 hours; the newest 512 are fetched, and the rest is told as left out.
    assert left_out[2] >= 720 - 512 and left_out[3] == 0
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] + 1 == len(numbers) + sum(left_out)


def advance(desk: Desk, by: str) -> None:
    ran = spawned(desk.home, "emulator", "advance", "ward", by)
    assert ran.code == 0, ran.err


def test_without_a_terminal_it_is_lines(desk: Desk) -> None:
    desk.emulator()
    desk.monkeypatch.setenv("PUMPCTL_PORT", "emu://ward")
    steps = iter([lambda: advance(desk, "1h"), None])

    def pause(_seconds: float) -> None:
        step = next(steps)
        if step is None:
            raise KeyboardInterrupt
        step()

    desk.monkeypatch.setattr(edge, "pause", pause)
    ran = desk.run(*EVERY)
    assert ran.code == 0
    looks = [line for line in ran.out.splitlines() if "minimum · " in line]
    assert len(looks) == 2 and all(line.endswith("no alarms") for line in looks)
    assert "\x1b" not in ran.out
    assert any(line.startswith("  log ") and "reservoir" in line for line in ran.out.splitlines())


def test_the_first_look_must_succeed(desk: Desk) -> None:
    desk.emulator()
    desk.refused(4, "PORT_MISSING", "--port", "/dev/nothing-here", *EVERY)
    desk.refused(2, "USAGE", *EVERY)
    desk.json("emulator", "new", "stranger")
    desk.refused(5, "NOT_PAIRED", "--port", "emu://stranger", *EVERY)


def test_a_pairing_that_was_taken_away_ends_it(desk: Desk) -> None:
    desk.emulator()
    desk.monkeypatch.setenv("PUMPCTL_PORT", "emu://ward")

    def forgotten(_seconds: float) -> None:
        for file in (desk.home / "pumps").glob("*/*.json"):
            file.unlink()

    desk.monkeypatch.setattr(edge, "pause", forgotten)
    ran = desk.run(*EVERY, "--json")
    assert ran.code == 5
    first, last = (json.loads(line) for line in ran.out.splitlines())
    assert first["ok"] and last["error"]["code"] == "NOT_PAIRED"


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--every", "5 s"),
        ("status", "--watch", "--every", "5"),
        ("status", "--watch", "--every", "0 s"),
        ("status", "--watch", "--every", "999 uL"),
        ("status", "--watch", "--every", "2 h"),
        ("status", "--watch", "--check", "any"),
    ],
)
def test_bad_intervals(words: tuple[str, ...], desk: Desk) -> None:
    desk.emulator()
    assert desk.json("--port", "emu://ward", *words, code=2)["error"]["exit"] == 2


# --- in a process of its own ---------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_pump_that_is_taken_away_and_a_signal(how: signal.Signals, desk: Desk) -> None:
    desk.emulator(frozen=False)
    with served(desk.home, "ward") as url:
        place = url.removeprefix("socket://")
        process = subprocess.Popen(
            command("--port", url, *EVERY, "--json"),
            env=environment(desk.home),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
    lost = json.loads(process.stdout.readline())  # nobody serves it now
    while lost["ok"]:
        lost = json.loads(process.stdout.readline())
    server = subprocess.Popen(
        command("emulator", "serve", "ward", "--tcp", place),
        env=environment(desk.home),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        again = json.loads(process.stdout.readline())
        until = time.monotonic() + 60
        while not again["ok"] and time.monotonic() < until:
            again = json.loads(process.stdout.readline())
        process.send_signal(how)
        process.stdout.read()
        assert process.wait(30) == 0
    finally:
        process.stdout.close()
        server.terminate()
        server.communicate(timeout=30)
    assert first["ok"] and lost["error"]["exit"] in (4, 5) and again["ok"]
    assert again["pump"] == first["pump"]


# --- the screen ------------------------------------------------------------------------------

AT = Moment.parse("2026-03-02T12:03:10+00:00")


def screen(age: int = 0, error: NoAnswer | None = None, width: int = 80, height: int = 24,
           **state: Any) -> list[str]:  # fmt: skip
    lines = watch_screen.picture(
        Glimpse(seen(**state), AT, 0, error), (), age, width=width, height=height, foot="foot"
    )
    assert len(lines) <= height
    assert all(line.cell_len <= width for line in lines)
    return [line.plain for line in lines]


def test_what_is_old_says_so_in_words() -> None:
    lines = screen(35, NoAnswer("nothing answered on this line"))
    assert lines[1] == ("no answer since 12:03:10, trying again. What stands below is 35 s OLD.")
    assert "nothing answered" in lines[2]
    assert any(line.startswith("then DELIVERING") for line in lines)
    fresh = "\n".join(screen())
    assert "OLD" not in fresh and "trying again" not in fresh


@pytest.mark.requirement("BOL-08")
def test_a_bolus_and_a_bridge_show_how_far_they_are() -> None:
    bolus = RunningBolus("single", Mass(20_000), Mass(5_000), AT, AT.plus(600_000))
    bridge = RunningBridge(Volume.parse("0.348 mL"), Volume.parse("0.347 mL"))
    text = "\n".join(screen(bolus=bolus, bridge=bridge, delivery=Delivery.BRIDGE))
    assert "█" * 5 + "░" * 15 + " single, 5 mcg of 20 mcg" in text
    assert "█" * 19 + "░ 0.347 mL of 0.348 mL" in text, "full only when all of it has passed"


@pytest.mark.requirement("ALM-02")
def test_alarms_come_before_figures_and_fit_any_screen() -> None:
    alarms = tuple(
        Alarm(f"ALARM_{n}", Priority.CRITICAL, "a cause that takes some words to tell " * 2, AT)
        for n in range(6)
    )
    for height in (8, 12, 24, 60):
        lines = screen(height=height, alarms=alarms)
        assert lines[1].startswith("ALARM ALARM_0")
    assert screen(height=8, alarms=alarms)[-1] == "… make the window higher"
    assert screen(width=120)[0].endswith("ago")


def test_the_age_never_shrinks() -> None:
    """A computer that slept has an older wall clock than its counter knows of."""
    glimpse = Glimpse(seen(), AT, 100)
    assert glimpse.age_s(AT.plus(5_000), 105) == 5
    assert glimpse.age_s(AT.plus(3_600_000), 105) == 3_600
    assert glimpse.age_s(AT.plus(-3_600_000), 107) == 7
