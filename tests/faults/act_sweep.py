"""Every kind of act, struck at every place: is what is said true, and the pump whole?

    python -m tests.faults.act_sweep [--count N --seed S] [--only KIND]

Without `--count` every act is struck once at every place of every side. After each
stroke the station is started again as a person would: what it said is held against
the emulator's own truth, `resolve` must find the truth, say it in the words of this
kind of act and leave nothing open, the journal must verify, and the pump must be wholly
as before or wholly as after. Then the same command is given again. It ends with 1 on any
lie or mixture, and where a side was never hit.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from pumpctl.cli.main import run as pumpctl
from pumpctl.station.journal import Journal
from tests.faults.strokes import Killed, Side, Stroke, hurried, struck

PORT = ("--port", "emu://ward")


class Said(NamedTuple):
    """What a command line came to; `code` None: killed."""

    code: int | None
    document: dict[str, Any]

    @property
    def changed(self) -> str:
        """What it says became of the pump."""
        if self.code == 0:
            return "yes"
        return str(self.document.get("error", {}).get("changed", "unknown"))


class Prepared(NamedTuple):
    """A home in which one command is left to be given."""

    name: str
    home: Path
    words: tuple[str, ...]
    repeatable: bool = False
    """Whether giving it again does it again, as with a stop."""


def say(home: Path, *words: str) -> Said:
    """A command line in this process; killed ones say nothing."""
    out = io.StringIO()
    environment = {
        "PUMPCTL_HOME": str(home),
        "PUMPCTL_OPERATOR": "nurse",
        "PUMPCTL_NOW": "pump",
    }
    with (
        patch.dict("os.environ", environment),
        redirect_stdout(out),
        redirect_stderr(io.StringIO()),
    ):
        try:
            code = pumpctl([*words, "--json"])
        except Killed:
            return Said(None, {})
    return Said(code, json.loads(out.getvalue() or "{}"))


def done(home: Path, *words: str) -> dict[str, Any]:
    """`data` of a command that must do what it should."""
    said = say(home, *words)
    if said.code != 0:
        raise AssertionError(f"{words}: {said}")
    data: dict[str, Any] = said.document["data"]
    return data


def whole(home: Path) -> dict[str, Any]:
    """What a change of therapy may move, as the emulator itself tells it."""
    told = done(home, "emulator", "inspect", "ward")
    return {
        "program": told["program"]["hash"],
        "version": told["state_version"],
        "delivery": told["delivery"],
        "reservoir": told["reservoir"],
        "line": told["line"],
        "operations": [(one["operation"], one["result"]) for one in told["operations"]],
    }


class Trial(NamedTuple):
    """One stroke, and everything that is wrong with what came of it."""

    act: str
    stroke: Stroke
    said: Said
    resolved: Said
    faults: tuple[str, ...]


SAYS = {
    "program": ("the pump was given", "its program stayed as it was"),
    "resume": ("delivery went on", "delivery did not go on"),
    "bolus": ("a bolus was ordered", "nothing of this bolus was given"),
    "prime": ("a prime was ordered", "nothing of this prime was given"),
    "clock": ("clock was set", "clock was not set"),
    "implant": ("record was revised", "record is what it was"),
    "patient": ("patient was set", "patient was not changed"),
    "refill": ("the refill is in force", "if drug was injected"),
    "bridge": ("the bridge was programmed", "no bridge was programmed"),
    "stop": ("delivery was stopped", "it was NOT stopped"),
    "bolus cancel": ("the bolus was ended", "the bolus was NOT ended"),
}
"""What `resolve` says of each kind of act that was done, and of one that was not."""
_KIND = {"cancel": "bolus cancel", "change": "refill"}
"""Where an act's kind is not its name here."""


def untrue(act: str, resolved: dict[str, Any], which: str | None) -> list[str]:
    """What is wrong with the text of a resolution: another kind's words, or the other end's."""
    kind = _KIND.get(act, act)
    done_text, undone_text = SAYS[kind]
    said, not_said = (done_text, undone_text) if which == "new" else (undone_text, done_text)
    found = []
    for one in resolved.get("resolved", ()):
        text = one["explanation"]
        if one["kind"] != kind or said not in text or not_said in text:
            found.append(f"{kind}, {which}, and resolve explains: {one['kind']}, {text}")
        others = [each for each in SAYS if each != kind and SAYS[each][which != "new"] in text]
        found += [f"{kind}, and resolve speaks of a {each}: {text}" for each in others]
    return found


class Story(NamedTuple):
    """One act, as it is without any stroke."""

    prepared: Prepared
    before: dict[str, Any]
    after: dict[str, Any]
    strokes: tuple[Stroke, ...]


def story_of(prepared: Prepared, place: Path) -> Story:
    """A quiet run: what it makes of the pump, and where it can be struck."""
    home = _copied(prepared, place)
    before = whole(home)
    with struck(None) as seen:
        said = say(home, *prepared.words)
        counted = seen()
    if said.code != 0:
        raise AssertionError(f"{prepared.name} does not work at all: {said}")
    after = whole(home)
    shutil.rmtree(home)
    return Story(prepared, before, after, tuple(counted.strokes()))


def trial(story: Story, stroke: Stroke, place: Path) -> Trial:
    """Strike, start again, and judge."""
    prepared = story.prepared
    home = _copied(prepared, place)
    faults: list[str] = []
    with struck(stroke):
        said = say(home, *prepared.words)
    struck_state = whole(home)
    which = _which(story, struck_state)
    if which is None:
        faults.append(f"neither old nor new: {struck_state}")
    if said.changed == "yes" and which == "old":
        faults.append(f"it says that the pump was changed: {said}")
    if said.code is not None and said.changed == "no" and which == "new":
        faults.append(f"it says that nothing was changed: {said}")
    if said.code is not None and said.changed == "unknown" and said.code != 7:
        faults.append(f"unknown, and the exit code is {said.code}")
    if said.code == 1:
        faults.append(f"a bug of ours: {said}")
    with hurried():
        resolved = say(home, "--port", "emu://ward", "resolve")
    if resolved.code != 0:
        faults.append(f"resolve finds no truth: {resolved}")
    outcome = resolved.document.get("data", {}).get("outcome")
    if outcome is not None and (outcome == "applied") is not (which == "new"):
        faults.append(f"resolve says {outcome}, and the pump is {which}")
    faults += untrue(prepared.name, resolved.document.get("data", {}), which)
    faults += _journal_faults(home)
    faults += _again(story, home, which)
    shutil.rmtree(home)
    return Trial(prepared.name, stroke, said, resolved, tuple(faults))


def _which(story: Story, found: dict[str, Any]) -> str | None:
    """Old or new; what a ledger holds of a void id is no change."""

    def plain(state: dict[str, Any]) -> dict[str, Any]:
        made = [one for one in state["operations"] if one[1] == "applied"]
        # A stop and a cancel make their id as they go: it is another one in each run.
        return {**state, "operations": len(made)}

    if plain(found) == plain(story.after):
        return "new"
    return "old" if plain(found) == plain(story.before) else None


def _journal_faults(home: Path) -> list[str]:
    with Journal(home / "journal.sqlite3") as journal:
        fault, waiting = journal.fault(), journal.unresolved()
    found = [] if fault is None else [f"journal: {fault}"]
    return found + ([f"still open: {waiting}"] if waiting else [])


def _again(story: Story, home: Path, which: str | None) -> list[str]:
    """The same command once more: it is done now, or was; and nothing is done twice."""
    with hurried():
        said = say(home, *story.prepared.words)
    now = whole(home)
    if story.prepared.repeatable:
        same = all(now[key] == story.after[key] for key in ("program", "delivery", "reservoir"))
        return [] if said.code == 0 and same else [f"given again: {said}, {now}"]
    found = _which(story, now)
    if said.code not in (0, 3):
        return [f"given again it ends with {said.code}: {said.document}"]
    if said.code == 0 and found != "new":
        return [f"given again it says done, and the pump is {found}"]
    if which == "new" and found != "new":
        return [f"given again it changed what was done: {found}"]
    return []


def _copied(prepared: Prepared, place: Path) -> Path:
    home = place / "trial"
    shutil.copytree(prepared.home, home)
    return home


def sweep(
    prepared: Iterable[Prepared], count: int | None, seed: int, place: Path
) -> tuple[list[Trial], int]:
    """All strokes of these acts, or so many at random of each; with how many there are."""
    ran: list[Trial] = []
    there = 0
    for each in prepared:
        story = story_of(each, place)
        there += len(story.strokes)
        chosen: Iterable[Stroke] = story.strokes
        if count is not None:
            draw = random.Random(f"{seed} {each.name}")
            # One of every side first, then whatever comes.
            first = [
                draw.choice([one for one in story.strokes if one.side is side])
                for side in Side
                if any(one.side is side for one in story.strokes)
            ]
            rest = [one for one in story.strokes if one not in first]
            chosen = [*first, *draw.sample(rest, min(len(rest), max(0, count - len(first))))]
        ran += [trial(story, stroke, place) for stroke in chosen]
    return ran, there


def table(ran: Iterable[Trial]) -> str:
    """Act by side: how many strokes really fell, and what was said."""
    rows = Counter((one.act, one.stroke.side.value) for one in ran)
    ends = Counter((one.act, one.stroke.side.value, one.said.code) for one in ran)
    lines = []
    for (act, side), fell in rows.items():
        told = ", ".join(
            f"{'killed' if code is None else f'exit {code}'} {number}"
            for (a, s, code), number in ends.items()
            if (a, s) == (act, side)
        )
        lines.append(f"{act:10} {side:42} {fell:4}  {told}")
    return "\n".join(lines)


def main() -> int:
    """Run it, print what fell and what is wrong."""
    from tests.faults.act_kinds import KINDS, prepare

    parser = argparse.ArgumentParser(prog="python -m tests.faults.act_sweep", description=__doc__)
    parser.add_argument("--count", type=int, help="strokes of each act; all where it is left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=sorted(KINDS))
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        made = [prepare(name, place / name) for name in asked.only or KINDS]
        ran, there = sweep(made, asked.count, asked.seed, place)
    wrong = [one for one in ran if one.faults]
    print(table(ran))
    print(
        f"{len(ran)} of {there} strokes fell, {len(wrong)} wrong, {time.monotonic() - began:.0f} s"
    )
    for one in wrong:
        print(one.act, one.stroke, *one.faults, sep="\n    ")
    sides = {one.stroke.side for one in ran}
    return 1 if wrong or sides != set(Side) else 0


if __name__ == "__main__":
    sys.exit(main())
