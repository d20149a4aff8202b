"""What a command must not load: a slow import on the way to a quick answer is a fault.

Reads `python -X importtime`, which names every module that a process imports,
however it ends. There are no timings here; those are in benchmarks/startup.py.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pumpctl import __version__
from pumpctl.cli.report import Report, json_line

ROOT = Path(__file__).resolve().parent.parent
PROFILE = "profiles/flex.toml"

HEAVY = {
    "asyncio", "click", "cryptography", "matplotlib", "numpy", "pydantic", "rich", "serial",
    "psycopg", "sqlite3",
}  # fmt: skip
BARE = HEAVY | {"argparse", "dataclasses", "inspect", "pathlib", "re", "tomllib", "typer", "typing"}

COMMANDS = [
    # (arguments, modules that they must not load)
    (["--version"], BARE),
    (["--version", "--json"], BARE | {"json"}),
    (["--json", "--version"], BARE | {"json"}),
    (["--help"], HEAVY | {"tomllib"}),
    (["profile", "--help"], HEAVY | {"tomllib"}),
    (["profile", "check", PROFILE], HEAVY | {"typer", "inspect", "threading"}),
    (["profile", "check", PROFILE, "--json"], HEAVY | {"typer", "inspect", "threading"}),
    (["profile", "show", PROFILE, "--volume", "38 mL"], HEAVY),
    (["profile", "diff", PROFILE, PROFILE], HEAVY),
    (["profile", "plot", PROFILE], HEAVY),
]

# What the console script does; "-m pumpctl" would load runpy besides.
SCRIPT = "import sys; from pumpctl.__main__ import main; sys.exit(main())"

LINE = re.compile(r"^import time: +\d+ \| +\d+ \| +(?P<name>\S+)$", re.MULTILINE)


LOOK = {
    # Libraries that a look at a built-in pump has no use for.
    "asyncio", "base64", "matplotlib", "psycopg", "pydantic", "rich", "serial", "shutil",
    "textwrap", "traceback", "typer",
    # Ours that only a plan, a served pump or another hand at the emulator needs.
    "pumpctl.cli.screens", "pumpctl.emulator.acts.outlook", "pumpctl.emulator.acts.stage",
    "pumpctl.emulator.acts.treat", "pumpctl.emulator.edge.acts_by_hand",
    "pumpctl.emulator.edge.bench",
    "pumpctl.emulator.edge.control_socket", "pumpctl.emulator.edge.faulting",
    "pumpctl.emulator.edge.inspection", "pumpctl.emulator.edge.server",
    "pumpctl.emulator.starting.lost_control", "pumpctl.emulator.starting.lost_retained",
    "pumpctl.link.streaming", "pumpctl.pump.implant",
    "pumpctl.pump.readbacks", "pumpctl.station.plan", "pumpctl.station.records",
    "pumpctl.transport.device", "pumpctl.transport.network", "pumpctl.workflows.acts",
    "pumpctl.workflows.road",
}  # fmt: skip

MOST_OURS = {"--version": 2, "--help": 12, "profile check": 70, "status": 145}
"""Modules of our own that a command may load. Each costs a fifth of a millisecond: a new one
is put here on purpose, or imported where it is used."""


def loaded_by(code: list[str]) -> tuple[int, set[str], str]:
    """Run Python with these arguments; its exit code, the packages it imported, its stderr."""
    status, modules, rest = modules_of(code)
    return status, {name.split(".")[0] for name in modules}, rest


def modules_of(code: list[str], **variables: str) -> tuple[int, set[str], str]:
    """The same with every module by its full name."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *code],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PUMPCTL_")} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    names = set(LINE.findall(done.stderr))
    rest = "\n".join(x for x in done.stderr.splitlines() if not x.startswith("import time:"))
    return done.returncode, names, rest


@pytest.fixture(scope="module")
def always() -> set[str]:
    """What this Python loads before it does anything (site, .pth files)."""
    code, names, _ = loaded_by(["-c", "pass"])
    assert code == 0
    assert "site" in names
    return names


@pytest.mark.parametrize(
    ("argv", "forbidden"), [pytest.param(*each, id=" ".join(each[0])) for each in COMMANDS]
)
def test_a_command_loads_only_what_it_needs(
    argv: list[str], forbidden: set[str], always: set[str]
) -> None:
    code, names, stderr = loaded_by(["-c", SCRIPT, *argv])
    assert code == 0, stderr
    assert sorted((names - always) & forbidden) == []


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home with a paired built-in pump, as the variables that name it."""
    variables = {
        "PUMPCTL_HOME": str(tmp_path_factory.mktemp("home") / "home"),
        "PUMPCTL_OPERATOR": "nurse",
    }
    made = ["-c", SCRIPT, "emulator", "new", "ward", "--pair"]
    code, _, stderr = modules_of(made, **variables)
    assert code == 0, stderr
    return variables | {"PUMPCTL_PORT": "emu://ward"}


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.split(".")[0] == "pumpctl"}


@pytest.mark.parametrize("argv", [["status"], ["status", "--json"]], ids=" ".join)
def test_a_look_at_a_built_in_pump_loads_only_what_it_needs(
    argv: list[str], ward: dict[str, str]
) -> None:
    code, modules, stderr = modules_of(["-c", SCRIPT, *argv], **ward)
    assert code == 0, stderr
    assert sorted(modules & LOOK) == []
    assert len(ours(modules)) <= MOST_OURS["status"]


def test_the_look_test_sees_what_an_interrogation_loads(ward: dict[str, str]) -> None:
    code, modules, stderr = modules_of(["-c", SCRIPT, "interrogate"], **ward)
    assert code == 0, stderr
    assert modules >= {"pumpctl.station.plan", "pumpctl.workflows.acts", "pydantic"}


@pytest.mark.parametrize(
    "argv", [["--version"], ["--help"], ["profile", "check", PROFILE]], ids=" ".join
)
def test_a_command_loads_no_more_modules_of_ours_than_before(argv: list[str]) -> None:
    code, modules, stderr = modules_of(["-c", SCRIPT, *argv])
    assert code == 0, stderr
    assert len(ours(modules)) <= MOST_OURS[" ".join(argv[:2])]


@pytest.mark.parametrize("argv", [["--version", "--json"], ["--json", "--version"]])
def test_the_version_that_is_told_at_once_is_the_document_of_every_other_road(
    argv: list[str],
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *argv], cwd=ROOT, capture_output=True, check=True
    )
    text = f"pumpctl {__version__}"
    told = Report("version", {"version": __version__}, text)
    assert done.stdout.decode() == json_line(told) + "\n"
    slow = subprocess.run(  # one option more, and it is not told at once
        [sys.executable, "-c", SCRIPT, "--pump", "SP40-000001", *argv],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert json.loads(slow.stdout) == json.loads(done.stdout)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("argv", [["--version"], ["--version", "--json"]], ids=" ".join)
def test_a_version_that_cannot_be_written_is_told(argv: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *argv],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 11
    assert b"cannot be written" in done.stderr


AT_THE_END = """
import atexit, sys, threading, time
from pumpctl.__main__ import main
atexit.register(print, "asked at the end")
if "thread" in sys.argv[1]:
    threading.Thread(target=lambda: (time.sleep(0.3), print("the thread ended"))).start()
sys.argv[1:] = ["profile", "schema", "--nonsense"]
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("how", "said"), [("alone", "asked at the end\n"), ("thread", "the thread ended\n")]
)
def test_an_early_end_drops_nothing(how: str, said: str) -> None:
    """Who registered for the end is called, a thread is waited for, the exit code stands."""
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END, how],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stdout
    assert done.stdout.endswith("asked at the end\n")


def test_the_test_sees_an_import(always: set[str]) -> None:
    code, names, _ = loaded_by(["-c", "import typer.main"])
    assert code == 0
    assert "typer" in names - always
    assert not (always & HEAVY), "site loads something heavy: the tests above are blind to it"
