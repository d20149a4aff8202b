"""A capture keeps every byte that passes, privately, and never disturbs what passes."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from pumpctl.errors import StoreError
from pumpctl.transport.capture import CaptureFile, CaptureLine, form_of
from pumpctl.transport.capture_text import Ended, Form, Head, Passed, Revealed, Trouble, read
from pumpctl.transport.line import LineLost
from tests.helpers.desk import Desk

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes of files")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")


class Loop:
    """What is written comes back."""

    def __init__(self) -> None:
        self.waiting = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        if data == b"dead":
            raise LineLost("gone")
        self.waiting += data

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        data, self.waiting = self.waiting, b""
        if data == b"torn":
            raise LineLost("torn off")
        return data

    def close(self) -> None:
        self.closed = True


def noted(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text("ascii").splitlines()]


def events(path: Path) -> list[object]:
    return list(read(path.read_text("ascii")))


# --- what is written -----------------------------------------------------------------------


def test_raw_bytes_with_their_times_in_microseconds(tmp_path: Path) -> None:
    ticks = iter([0.0, 0.000_25, 1.5, 2.0, 2.0, 2.000_001])
    path = tmp_path / "c.ndjson"
    line = CaptureLine(
        Loop(), path, lambda: next(ticks), port="/dev/ttyUSB0", purpose="look", began="2026-03-02"
    )
    line.write(b"\x00\xff\n")
    assert line.read(1) == b"\x00\xff\n"
    assert line.read(1) == b""
    with pytest.raises(LineLost):
        line.write(b"dead")
    line.close()
    head, *rest = noted(path)
    assert head["capture"] == 1
    assert (head["port"], head["purpose"], head["began"]) == ("/dev/ttyUSB0", "look", "2026-03-02")
    assert head["tool"].startswith("pumpctl ")
    assert rest == [
        {"at": 250, "way": "out", "hex": "00ff0a"},
        {"at": 1_500_000, "way": "in", "hex": "00ff0a"},
        {"at": 2_000_000, "way": "out", "hex": b"dead".hex()},
        {"at": 2_000_000, "trouble": "gone"},
        {"at": 2_000_001, "end": "closed"},
    ]


def test_a_line_that_breaks_while_it_is_read_is_noted(tmp_path: Path) -> None:
    line = CaptureLine(Loop(), tmp_path / "c", lambda: 0.0)
    line.write(b"torn")
    with pytest.raises(LineLost):
        line.read(1)
    line.close()
    assert events(tmp_path / "c")[-2:] == [Trouble(0, "torn off"), Ended(0)]


@pytest.mark.parametrize(
    ("name", "form"),
    [("c.ndjson", Form.NDJSON), ("c", Form.NDJSON), ("c.hex", Form.HEX), ("c.TXT", Form.HEX)],
)
def test_the_name_chooses_the_form(name: str, form: Form) -> None:
    assert form_of(Path(name)) is form


def test_hex_reads_like_a_dump(tmp_path: Path) -> None:
    path = tmp_path / "c.hex"
    line = CaptureLine(Loop(), path, iter([0.0, 0.001_204, 0.001_3, 0.001_3]).__next__)
    line.write(bytes(range(0x30, 0x41)))
    line.close()
    head, first, second, end = path.read_text("ascii").splitlines()
    assert head.startswith('# {"capture": 1')
    assert first == (
        "     0.001204 > 0000: 3031 3233 3435 3637 3839 3a3b 3c3d 3e3f  0123456789:;<=>?"
    )
    assert len(first) <= 80
    assert second.rstrip() == ("     0.001204 > 0010: 40                                       @")
    assert end == "     0.001300 ."


def test_much_at_once_is_several_events_of_the_same_time(tmp_path: Path) -> None:
    data = os.urandom(100_000)
    for name in ("c.hex", "c.ndjson"):
        line = CaptureLine(Loop(), tmp_path / name, lambda: 0.0)
        line.write(data)
        line.close()
        passed = [event for event in events(tmp_path / name) if isinstance(event, Passed)]
        assert b"".join(event.data for event in passed) == data


def test_an_ear_hears_both_ways(tmp_path: Path) -> None:
    class Ear:
        heard: list[tuple[bytes, bool]] = []  # noqa: RUF012

        def hear(self, data: bytes, *, from_station: bool) -> None:
            self.heard.append((data, from_station))

    line = CaptureLine(Loop(), tmp_path / "c", lambda: 0.0, ear=Ear())
    line.write(b"a")
    line.read(1)
    line.read(1)
    line.close()
    assert Ear.heard == [(b"a", True), (b"a", False)]


# --- the file ------------------------------------------------------------------------------


@POSIX
def test_it_is_private_from_the_first_byte_on(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        CaptureFile(tmp_path / "c", lambda: 0.0).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o600


@POSIX
def test_a_file_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.touch(mode=0o644)
    path.chmod(0o644)
    CaptureFile(path, lambda: 0.0).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_further_line_is_a_further_part_also_behind_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "c"
    first = CaptureFile(path, lambda: 0.0, port="one")
    first.passed("out", b"a")
    first.close()
    with path.open("a") as file:
        file.write('{"at": 12, "way": "o')
    CaptureFile(path, lambda: 0.0, port="two").close()
    heads = [event.port for event in events(path) if isinstance(event, Head)]
    assert heads == ["one", "two"]


@pytest.mark.parametrize("name", ["visit.toml", "visit.hex"])
def test_nothing_is_added_to_a_file_that_is_no_capture(name: str, desk: Desk) -> None:
    desk.emulator()
    path = desk.files / name
    path.write_text("schema = 1\n")
    path.chmod(0o644)
    mode = path.stat().st_mode
    error = desk.json("--port", "emu://ward", "--capture", str(path), "status", code=11)["error"]
    assert error["code"] == "STORE"
    assert "something else than a capture" in error["message"]
    error = desk.json("--port", "emu://ward", "link", "capture", str(path), code=11)["error"]
    assert error["code"] == "STORE"
    stopped = desk.json("--port", "emu://ward", "--capture", str(path), "stop", "--now")
    assert stopped["data"]["outcome"] == "applied"
    assert path.read_text() == "schema = 1\n"
    assert path.stat().st_mode == mode


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("kept", [0, 1, 3, 12, 40])
def test_a_head_that_was_torn_is_a_capture_all_the_same(
    tmp_path: Path, form: Form, kept: int
) -> None:
    path = tmp_path / "c"
    CaptureFile(path, lambda: 0.0, form=form).close()
    path.write_bytes(path.read_bytes()[:kept])
    CaptureFile(path, lambda: 0.0, form=form).close()
    assert Head in {type(event) for event in events(path)}


def test_no_capture_where_none_can_be_begun(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        CaptureLine(Loop(), tmp_path / "no" / "c", lambda: 0.0)
    with pytest.raises(StoreError):
        CaptureLine(Loop(), tmp_path, lambda: 0.0)


@LINUX
def test_a_full_disk_never_disturbs() -> None:
    inner = Loop()
    line = CaptureLine(inner, Path("/dev/full"), lambda: 0.0)
    for _ in range(3):
        line.write(b"therapy")
        assert line.read(1) == b"therapy"
    assert line.broken is not None
    line.close()
    assert inner.closed


@POSIX
def test_a_pipe_that_nobody_empties_never_makes_a_therapy_wait(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StoreError):
        CaptureLine(Loop(), pipe, lambda: 0.0)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        line = CaptureLine(Loop(), pipe, lambda: 0.0)
        for _ in range(20):
            line.write(bytes(16_384))
            line.read(1)
        assert line.broken is not None
        line.close()
    finally:
        os.close(reader)


@LINUX
def test_a_full_disk_under_the_capture_of_a_whole_visit(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()
    done = desk.json(
        "--port",
        "emu://ward",
        "--capture",
        "/dev/full",
        "apply",
        path,
        "--confirm",
        told["confirm"],
    )
    assert done["data"]["outcome"] == "applied"
    assert any("capture" in warning["message"] for warning in done["warnings"])


def test_a_visit_is_captured_and_holds_nothing_readable(desk: Desk) -> None:
    desk.emulator()
    capture = desk.files / "visit.capture"
    desk.json("--port", "emu://ward", "--capture", capture, "status")
    told = events(capture)
    ways = [event.way for event in told if isinstance(event, Passed)]
    assert ways[:2] == ["out", "in"]
    assert len(ways) >= 8
    raw = b"".join(event.data for event in told if isinstance(event, Passed))
    assert b"baclofen" not in raw
    assert b"nurse" not in raw
    assert sum(isinstance(event, Revealed) for event in told) == 1
    assert told[-1].__class__ is Ended


@POSIX
@pytest.mark.requirement("STP-01")
def test_a_pipe_that_nobody_reads_bars_no_stop(desk: Desk) -> None:
    desk.emulator()
    pipe = desk.files / "pipe"
    os.mkfifo(pipe)
    document = desk.json("--port", "emu://ward", "--capture", pipe, "stop", "--now")
    assert any("no capture" in one["message"] for one in document["warnings"])


@POSIX
@pytest.mark.requirement("STP-01")
def test_a_capture_that_may_be_written_but_not_read_bars_no_stop(desk: Desk) -> None:
    desk.emulator()
    capture = desk.files / "c"
    capture.write_text("x")
    capture.chmod(0o200)
    desk.json("--port", "emu://ward", "--capture", capture, "stop", "--now")
