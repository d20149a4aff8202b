"""docs/failures.md: how real programmers failed, and what stops each of them here.

The failures are the numbered list at the end of docs/safety.md. What stops one is
the first sentence of the docstring of each test that replays it through the command
line: a function `test_failure_N_...` of tests/cli/. Everything is read as text;
nothing is imported. A failure that no test replays fails generation.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tools.model import GenerateError
from tools.traceability import SAFETY

_HEADING = "### C5: how real programmers failed"
_ITEM = re.compile(r"(?P<number>\d+)\. (?P<text>.+)")
_TEST = re.compile(r"test_failure_(?P<number>\d+)_\w+")
_NOTE = """\
# How real programmers failed, and what stops it here

*Generated from the list in [safety.md](safety.md) and from the tests that replay each
failure through the command line, by `python3 dev.py generate`: change it there, not here.*

Each failure has happened with a real programmer or pump of this kind. Each is done
here on purpose, with the commands that a person or a script would use, against the
emulator. Sources stand in [safety.md](safety.md).
"""


class Replay(NamedTuple):
    """One test: where it is, and what it says stops the failure."""

    test: str
    stops: str


def failures(text: str) -> dict[int, str]:
    """The numbered list, each item unwrapped."""
    found: dict[int, str] = {}
    number = None
    for line in text[text.index(_HEADING) :].splitlines():
        item = _ITEM.fullmatch(line)
        if item is not None:
            number = int(item["number"])
            found[number] = item["text"]
        elif number is not None and line.startswith("   "):
            found[number] += " " + line.strip()
    if list(found) != list(range(1, len(found) + 1)):
        raise GenerateError(f"{SAFETY}: the failures are not numbered one by one")
    return found


def replays(root: Path) -> Mapping[int, list[Replay]]:
    """The tests of each failure."""
    found: dict[int, list[Replay]] = {}
    for path in sorted((root / "tests/cli").glob("test_*.py")):
        for name, stops in _tests(path):
            match = _TEST.fullmatch(name)
            if match is None:
                continue
            where = f"{path.relative_to(root).as_posix()}::{name}"
            if not stops:
                raise GenerateError(f"{where} does not say what stops the failure")
            found.setdefault(int(match["number"]), []).append(Replay(where, stops))
    return found


def _tests(path: Path) -> Iterator[tuple[str, str]]:
    """Each function, and the first paragraph of its docstring in one line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            words = (ast.get_docstring(node) or "").split("\n\n")[0]
            yield node.name, " ".join(words.split())


def page(root: Path) -> str:
    """The whole page; GenerateError where a failure has no test, or a test no failure."""
    listed, shown = failures((root / SAFETY).read_text(encoding="utf-8")), replays(root)
    missing = [number for number in listed if number not in shown]
    foreign = [number for number in shown if number not in listed]
    if missing or foreign:
        raise GenerateError(f"failures without a test: {missing}; tests of none: {foreign}")
    rows = [_NOTE, "| | what happened | what stops it here | shown by |", "|---|---|---|---|"]
    for number, text in listed.items():
        stops = "<br>".join(_cell(each.stops) for each in shown[number])
        tests = "<br>".join(f"`{each.test}`" for each in shown[number])
        rows.append(f"| {number} | {_cell(text)} | {stops} | {tests} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
