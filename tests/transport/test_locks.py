"""One process per port and per pump; the system frees what a killed one held."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pumpctl.errors import PortBusy, StoreError
from pumpctl.transport.lock import Locks

HOLD = """
import sys
from pathlib import Path
from pumpctl.transport.lock import Locks
locks = Locks(Path(sys.argv[1]))
locks.take("pump", "SP40-000123")
print("held", flush=True)
sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_another_process_is_kept_out_and_sigkill_frees(tmp_path: Path) -> None:
    with holder(tmp_path) as process, Locks(tmp_path) as locks:
        locks.take("port", "/dev/ttyUSB0")
        with pytest.raises(PortBusy, match="SP40-000123"):
            locks.take("pump", "SP40-000123")
        locks.take("pump", "SP40-000124")
        process.kill()
        process.wait()
        locks.take("pump", "SP40-000123")
    with Locks(tmp_path) as again:
        again.take("pump", "SP40-000123")


def test_names_are_no_paths(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    with Locks(folder) as locks:
        locks.take("port", "../../etc/passwd")
        locks.take("port", "/dev/tty\n" + "x" * 5000)
    assert all(path.parent == folder for path in tmp_path.rglob("*.lock"))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file in the way")
    with pytest.raises(StoreError):
        Locks(tmp_path / "home" / "locks").take("port", "x")
