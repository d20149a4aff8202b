"""What writes records and changes no therapy, struck at every place: nothing is half done.

After each stroke the same command is given again, as a person would: it does what it
should, the journal verifies, and the pump's therapy was never touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pumpctl.station.journal import Journal
from tests.faults.act_kinds import ward
from tests.faults.act_sweep import PORT, done, say, whole
from tests.faults.strokes import Side, hurried, struck

Words = tuple[str, ...]


def _mri_before(_: Path) -> Words:
    return *PORT, "mri", "before"


def _mri_after(home: Path) -> Words:
    done(home, *PORT, "mri", "before")
    done(home, "emulator", "advance", "ward", "1 h")
    say(home, *PORT, "mri", "after")
    done(home, "emulator", "advance", "ward", "1 h")
    return *PORT, "mri", "after"


def _alarm(_: Path) -> Words:
    return *PORT, "alarm", "test"


def _trial(_: Path) -> Words:
    return (
        "trial",
        "P-0417",
        "--years",
        "40",
        "--inject",
        "50 mcg",
        "--at",
        "2026-03-02T09:00+01:00",
    )


def _interrogate(_: Path) -> Words:
    return *PORT, "interrogate"


def _pull(_: Path) -> Words:
    return *PORT, "logs", "pull"


WORKFLOWS: dict[str, tuple[Callable[[Path], Words], set[int]]] = {
    "mri before": (_mri_before, {0}),
    # A pump that started anew in between needs two looks again.
    "mri after": (_mri_after, {0, 10}),
    "alarm test": (_alarm, {0}),
    # An injection that was written down before the station died is one a second time.
    "trial": (_trial, {0, 3}),
    "interrogate": (_interrogate, {0}),
    "logs pull": (_pull, {0}),
}


@pytest.mark.slow
@pytest.mark.requirement("AUD-01")
@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_record_is_written_or_it_is_not(name: str, tmp_path: Path) -> None:
    prepare, again = WORKFLOWS[name]
    home = tmp_path / "home"
    home.mkdir()
    ward(home)
    words = prepare(home)
    before = _therapy(home)
    trial = tmp_path / "trial"
    shutil.copytree(home, trial)
    with struck(None) as seen:
        assert say(trial, *words).code in again
        strokes = tuple(seen().strokes())
    shutil.rmtree(trial)
    wrong = []
    for stroke in strokes:
        shutil.copytree(home, trial)
        with struck(stroke):
            said = say(trial, *words)
        with hurried():
            repeated = say(trial, *words)
        with Journal(trial / "journal.sqlite3") as journal:
            fault = journal.fault()
        if said.code == 1 or repeated.code not in again or fault or _therapy(trial) != before:
            wrong.append((stroke, said, repeated, fault))
        shutil.rmtree(trial)
    assert wrong == []
    assert {stroke.side for stroke in strokes} & {
        Side.STATION_BEFORE_WRITING,
        Side.LINE_ANSWER,
    }, "nothing was struck"


def _therapy(home: Path) -> dict[str, Any]:
    return whole(home)
