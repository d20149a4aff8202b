"""What a command must not load: a slow import on the way to a quick answer is a fault.

Reads `python -X importtime`, which names every module that a process imports,
however it ends. There are no timings here; those are in benchmarks/startup.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROFILE = "profiles/flex.toml"

HEAVY = {
    "asyncio", "click", "cryptography", "matplotlib", "numpy", "pydantic", "rich", "serial",
    "sqlalchemy", "sqlite3",
}  # fmt: skip
BARE = HEAVY | {"argparse", "dataclasses", "inspect", "pathlib", "re", "tomllib", "typer", "typing"}

COMMANDS = [
    # (arguments, modules that they must not load)
    (["--version"], BARE),
    (["--help"], HEAVY | {"tomllib"}),
    (["profile", "--help"], HEAVY | {"tomllib"}),
    (["profile", "check", PROFILE], HEAVY),
    (["profile", "check", PROFILE, "--json"], HEAVY),
    (["profile", "show", PROFILE, "--volume", "38 mL"], HEAVY),
    (["profile", "diff", PROFILE, PROFILE], HEAVY),
    (["profile", "plot", PROFILE], HEAVY),
]

# What the console script does; "-m pumpctl" would load runpy besides.
SCRIPT = "import sys; from pumpctl.__main__ import main; sys.exit(main())"

LINE = re.compile(r"^import time: +\d+ \| +\d+ \| +(?P<name>\S+)$", re.MULTILINE)


def loaded_by(code: list[str]) -> tuple[int, set[str], str]:
    """Run Python with these arguments; its exit code, the packages it imported, its stderr."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *code],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PUMPCTL_")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    names = {name.split(".")[0] for name in LINE.findall(done.stderr)}
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


def test_the_test_sees_an_import(always: set[str]) -> None:
    code, names, _ = loaded_by(["-c", "import typer.main"])
    assert code == 0
    assert "typer" in names - always
    assert not (always & HEAVY), "site loads something heavy: the tests above are blind to it"
