"""A home that cannot be written, and a disk that is full: nothing is sent, reading goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.desk import Desk, Ran, environment
from tests.helpers.served import served

if sys.platform == "win32":
    pytest.skip("limits and users of POSIX", allow_module_level=True)

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes}, {bytes}))
from pumpctl.__main__ import main
sys.exit(main())
"""
WHOLE = "import sys; from pumpctl.__main__ import main; sys.exit(main())"
HUMBLE = f"""
import ctypes, os, sys
# Root may write everything; without CAP_DAC_OVERRIDE the permission bits hold for it, too.
if os.geteuid() == 0 and ctypes.CDLL(None).prctl(24, 1, 0, 0, 0) != 0:
    sys.exit("no capability could be dropped")
os.execv(sys.executable, [sys.executable, "-B", "-c", {WHOLE!r}, *sys.argv[1:]])
"""


def process(code: str, home: Path, *words: object) -> Ran:
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, *map(str, words), "--json"],
        env=environment(home),
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


# --- a disk that takes no more (the limit acts like it: writes fail with an error) -----------


@pytest.mark.requirement("AUD-03")
@pytest.mark.parametrize("limit", [0, 4096, 20_000])
def test_a_full_disk(limit: int, desk: Desk) -> None:
    """The emulator lives in another process; only the station meets the limit."""
    desk.emulator()
    path, told = desk.plan()
    code = LIMITED.format(bytes=limit)
    with served(desk.home, "ward") as url, desk.untouched():
        for words in (
            ("apply", path, "--confirm", told["confirm"]),
            ("program", "plan", desk.files / "visit.toml", "-o", desk.files / "q.json"),
            ("resume", "--plan-only", "-o", desk.files / "q.json"),
        ):
            ran = process(code, desk.home, "--port", url, *words)
            assert ran.code == 11, ran
            assert ran.document["error"]["code"] == "STORE"
            assert ran.document["error"]["changed"] == "no"
        assert process(code, desk.home, "--port", url, "status").code == 0
    assert desk.apply(path, told["confirm"])["outcome"] == "applied", "with room it applies"


@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize("limit", [0, 20_000])
def test_stop_on_a_full_disk(limit: int, desk: Desk) -> None:
    desk.emulator()
    with served(desk.home, "ward") as url:
        ran = process(LIMITED.format(bytes=limit), desk.home, "--port", url, "stop", "--now")
        assert ran.code == 0, ran
        assert [warning["code"] for warning in ran.document["warnings"]].count("UNRECORDED") == 1
        assert ran.document["data"]["operation"] in ran.err
        assert desk.inspect()["delivery"] == "stopped"


# --- a home that is not writable -------------------------------------------------------------


@pytest.fixture
def sealed(desk: Desk) -> Iterator[Path]:
    """A copy of the home, without its emulators, that may be read and not written."""
    desk.emulator()
    desk.plan()
    copy = desk.files / "sealed"
    shutil.copytree(desk.home, copy)
    shutil.rmtree(copy / "emulators")
    every = [copy, *copy.rglob("*")]
    for path in every:
        path.chmod(0o500 if path.is_dir() else 0o400)
    yield copy
    for path in every:
        path.chmod(0o700)


@pytest.mark.requirement("AUD-03")
@pytest.mark.requirement("STP-01")
@pytest.mark.skipif(sys.platform != "linux" and os.geteuid() == 0, reason="root writes it")
def test_a_home_that_is_not_writable(desk: Desk, sealed: Path) -> None:
    with served(desk.home, "ward") as url:
        with desk.untouched():
            ran = process(HUMBLE, sealed, "--port", url, "status")
            assert ran.code == 0, ran
            assert "without a lock" in ran.err
            assert ran.document["data"]["delivery"] == "minimum"
            ran = process(
                HUMBLE, sealed, "--port", url, "program", "plan", desk.files / "visit.toml",
                "-o", desk.files / "q.json",
            )  # fmt: skip
            assert ran.code == 11, ran
            assert ran.document["error"]["code"] == "STORE"
            ran = process(HUMBLE, sealed, "--port", url, "logs", "pull")
            assert ran.code == 11, ran
            ran = process(HUMBLE, sealed, "doctor")
            assert ran.code == 11, ran
        ran = process(HUMBLE, sealed, "--port", url, "stop", "--now")
        assert ran.code == 0, ran
        assert "UNRECORDED" in [warning["code"] for warning in ran.document["warnings"]]
        assert desk.inspect()["delivery"] == "stopped"


def test_a_home_in_whose_place_something_else_is(desk: Desk) -> None:
    desk.home.parent.mkdir(exist_ok=True)
    (desk.files / "file").write_text("a file")
    for words in (
        ["emulator", "new", "ward"],
        ["--port", "emu://ward", "apply", desk.files / "none", "--confirm", "x"],
    ):
        ran = desk.run("--home", desk.files / "file" / "home", *words, "--json")
        assert ran.code in (3, 11)
        assert ran.document["error"]["changed"] == "no"
    assert desk.json("--home", desk.files / "file" / "home", "doctor", code=11)
