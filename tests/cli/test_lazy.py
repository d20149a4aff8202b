"""Modules that wait while typer is loaded, and typer itself, which waits in the commands."""

from __future__ import annotations

import subprocess
import sys

import pytest

SEEN = """
import sys
from pumpctl.cli.lazy import IDLE, _Waiting, waiting
NAME = {name!r}
sys.modules.pop(NAME, None)
with waiting((NAME,)):
    {code}
{then}
"""


def run(name: str, code: str, then: str = "") -> str:
    """What a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", SEEN.format(name=name, code=code, then=then)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_module_waits_until_something_of_it_is_used() -> None:
    then = "print(type(colorsys) is _Waiting, colorsys.rgb_to_hsv(1, 0, 0)[2], type(colorsys))"
    assert run("colorsys", "import colorsys", then) == "True 1 <class 'module'>"


def test_a_name_out_of_it_is_there_at_once() -> None:
    assert run("colorsys", "from colorsys import ONE_THIRD", "print(ONE_THIRD)") == str(1 / 3)


def test_a_name_that_it_does_not_have_is_an_error_as_ever() -> None:
    code = (
        "import colorsys\n    print(hasattr(colorsys, 'nonsense'), hasattr(colorsys, 'hls_to_rgb'))"
    )
    assert run("colorsys", code) == "False True"


def test_a_package_finds_its_parts() -> None:
    assert run("shellingham", "import shellingham", "print(shellingham.ShellDetectionFailure)") == (
        "<class 'shellingham._core.ShellDetectionFailure'>"
    )


def test_whoever_imports_it_later_gets_pythons_own() -> None:
    then = "import colorsys as later; print(later is colorsys, type(later), later.ONE_SIXTH > 0)"
    assert run("colorsys", "import colorsys", then) == "False <class 'module'> True"


def test_what_was_used_stays_the_one_for_all() -> None:
    then = "import colorsys as later; print(later is colorsys)"
    assert run("colorsys", "import colorsys; colorsys.ONE_THIRD", then) == "True"


def test_what_is_written_in_c_does_not_wait() -> None:
    """Such a module cannot be filled afterwards."""
    assert run("zlib", "import zlib", "print(zlib.crc32(b'123456789'))") == str(0xCBF43926)


@pytest.mark.parametrize("part", ["typer.main", "traceback", "inspect", "uuid", "shutil"])
def test_what_typer_loads_still_does_its_work(part: str) -> None:
    uses = {
        "typer.main": "assert typer.main.get_command(typer.Typer(callback=lambda: None))",
        "traceback": "assert traceback.extract_stack()[-1].lineno",
        "inspect": "import json; assert inspect.getsource(json.dumps).startswith('def dumps')",
        "uuid": "assert len(uuid.uuid1().bytes) == 16",
        "shutil": "assert shutil.get_archive_formats()",
    }
    code = f"""
import sys
from pumpctl.cli.lazy import IDLE, waiting
with waiting(IDLE):
    import typer
import {part}
{uses[part]}
import subprocess, ast, tokenize, ipaddress, platform
assert subprocess.run and ast.parse("1") and ipaddress.ip_address("::1") and platform.system()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
