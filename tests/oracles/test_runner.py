"""The command: the same cases whatever the jobs, exit code 1 for a difference or an empty run."""

from __future__ import annotations

import sys

import pytest

from pumpctl.therapy import figures
from tests.oracles.__main__ import main
from tests.oracles.runner import run


def test_several_processes_do_the_same_cases(capsys: pytest.CaptureFixture[str]) -> None:
    alone, together = run("programs", 410, 8), run("programs", 410, 8, jobs=2)
    assert alone.cases == 410
    assert alone.tally.counts == together.tally.counts
    assert "100 %" in capsys.readouterr().err


def test_a_case_is_repeated_alone() -> None:
    three = run("windows", 3, 8, first=40)
    single = [run("windows", 1, 8, first=40 + number) for number in range(3)]
    assert three.tally.counts == sum(
        (one.tally.counts for one in single), start=type(three.tally.counts)()
    )


def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["oracles", "programs", "--count", "4", "--seed", "8"])
    assert main() == 0
    assert "seed 8, cases 0 to 3" in capsys.readouterr().out
    monkeypatch.setattr(figures, "DAY_MINUTES", 1_439)
    assert main() == 1
    told = capsys.readouterr().out
    assert "DIFFERENCE program 8/2: largest day: the oracle has 3077491/3, pumpctl" in told
    assert told.endswith("FAILED\n")
    monkeypatch.undo()
    monkeypatch.setattr(sys, "argv", ["oracles", "programs", "--count", "0"])
    assert main() == 1
