"""The script on docs/refill-visit.md is run as it stands there, and so is its example file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pumpctl.workflows.refill.file import read_visit_file
from tests.cli.test_dosing_pages import every_block
from tests.helpers.desk import ROOT, SCRIPT, Desk, Ran, environment
from tests.helpers.profiles import FLEX
from tests.helpers.staff import station_of
from tests.helpers.visits import token_of, visit_file

PAGE = ROOT / "docs" / "refill-visit.md"
Visit = Callable[..., Ran]

SH = shutil.which("sh") or "sh"
pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="there is no sh")


def block(kind: str) -> str:
    (text,) = [each.text for each in every_block(PAGE) if each.info[:1] == (kind,)]
    return text


@pytest.fixture
def visit(desk: Desk) -> Visit:
    """The script of the page, with a `pumpctl` and a `python3` that are these here."""
    folder = desk.files / "bin"
    folder.mkdir()
    script = desk.files / "refill-visit"
    script.write_text(block("sh"), encoding="utf-8")
    for name, words in (("pumpctl", f"-c '{SCRIPT}'"), ("python3", "")):
        tool = folder / name
        tool.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n', encoding="utf-8")
        tool.chmod(0o755)

    def run(*words: object, port: str = "emu://ward") -> Ran:
        around = environment(desk.home, PUMPCTL_PORT=port, PUMPCTL_NOW="pump")
        done = subprocess.run(
            [SH, str(script), *map(str, words)],
            env={**around, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    desk.emulator()
    desk.flex()
    desk.advance("30 d")
    return run


def left(desk: Desk) -> str:
    return str(desk.pump("status")["reservoir"]["volume"])


@pytest.mark.requirement("REF-01")
@pytest.mark.requirement("REF-06")
def test_a_refill_and_the_same_again(visit: Visit, desk: Desk) -> None:
    file = visit_file(desk, left(desk))
    done = visit(file)
    assert done.code == 0, done.err
    assert desk.inspect()["believed"]["reservoir"] == "40 mL"
    assert (desk.files / "refill.interrogation.json").stat().st_size > 500
    before = desk.truth()
    again = visit(file)
    assert again.code == 0
    assert "carried out before" in again.err
    assert desk.truth()._replace(log_next=0) == before._replace(log_next=0)


def test_what_a_person_has_to_look_at(visit: Visit, desk: Desk) -> None:
    """A drained volume far apart, without its reason; and a change of concentration."""
    drained = left(desk)
    for more, drawn in (({}, "20 mL"), ({"concentration": "1000 mcg/mL"}, drained)):
        before = desk.truth()
        done = visit(visit_file(desk, drawn, **more))
        assert done.code == 9, done.err
        assert desk.truth()._replace(log_next=0) == before._replace(log_next=0)
        assert "a person has to look at" in done.err
    confirmed = visit(desk.files / "refill.toml", token_of(desk.files / "refill.plan.json"))
    assert confirmed.code == 0, confirmed.err
    assert desk.pump("status")["delivery"] == "bridge"


def test_what_is_wrong_with_the_file_ends_before_anything(visit: Visit, desk: Desk) -> None:
    with desk.untouched():
        done = visit(visit_file(desk, left(desk), injected="41 mL"))
    assert done.code == 3
    assert "nothing was changed" in done.err


@pytest.mark.requirement("BOL-06")
def test_a_line_that_dies_while_it_is_applied(visit: Visit, desk: Desk) -> None:
    """The answer of the activation is lost; the script asks, and finds that it was applied."""
    file = visit_file(desk, left(desk))
    tool = desk.files / "bin" / "pumpctl"
    losing = f'case "$1" in apply) exec {sys.executable} -m tests.faults.losing "$@";; esac\n'
    tool.write_text(tool.read_text("utf-8").replace("exec", f"{losing}exec", 1), encoding="utf-8")
    done = visit(file)
    assert "asking the pump" in done.err
    assert done.code == 0, done.err
    assert desk.inspect()["believed"]["reservoir"] == "40 mL"


def test_the_example_file_is_one(desk: Desk, tmp_path: Path) -> None:
    """Read with the profile that it names beside it."""
    (tmp_path / "flex.toml").write_text(FLEX, encoding="utf-8")
    file = tmp_path / "visit.toml"
    file.write_text(block("toml"), encoding="utf-8")
    told = read_visit_file(station_of(desk, "nurse"), file)
    assert (told.patient, told.reference) == ("P-0417", "ORD-2026-1183")
