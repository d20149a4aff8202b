"""A capture keeps every byte that passes, and never disturbs what passes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pumpctl.errors import StoreError
from pumpctl.transport.capture import CaptureLine
from pumpctl.transport.line import LineLost
from tests.helpers.desk import Desk


class Loop:
    """What is written comes back."""

    def __init__(self) -> None:
        self.waiting = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        if data == b"dead":
            raise LineLost("gone")
        self.waiting += data

    def read(self, seconds: float) -> bytes:
        data, self.waiting = self.waiting, b""
        return data

    def close(self) -> None:
        self.closed = True


def test_raw_bytes_with_their_times(tmp_path: Path) -> None:
    ticks = iter([0.0, 0.25, 1.5, 2.0, 2.0, 2.0])
    line = CaptureLine(Loop(), tmp_path / "c.ndjson", lambda: next(ticks))
    line.write(b"\x00\xff\n")
    assert line.read(1) == b"\x00\xff\n"
    assert line.read(1) == b""
    with pytest.raises(LineLost):
        line.write(b"dead")
    line.close()
    noted = [json.loads(text) for text in (tmp_path / "c.ndjson").read_text().splitlines()]
    assert noted == [
        {"at": 250, "way": "out", "hex": "00ff0a"},
        {"at": 1500, "way": "in", "hex": "00ff0a"},
        {"at": 2000, "way": "out", "hex": b"dead".hex()},
    ]


def test_no_capture_where_none_can_be_begun(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        CaptureLine(Loop(), tmp_path / "no" / "c", lambda: 0.0)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_full_disk_never_disturbs(tmp_path: Path) -> None:
    inner = Loop()
    line = CaptureLine(inner, Path("/dev/full"), lambda: 0.0)
    for _ in range(3):
        line.write(b"therapy")
        assert line.read(1) == b"therapy"
    assert line.broken is not None
    line.close()
    assert inner.closed


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
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
    ways = [json.loads(text)["way"] for text in capture.read_text().splitlines()]
    assert ways[:2] == ["out", "in"]
    assert len(ways) >= 8
    raw = b"".join(
        bytes.fromhex(json.loads(text)["hex"]) for text in capture.read_text().splitlines()
    )
    assert b"baclofen" not in raw
    assert b"nurse" not in raw
