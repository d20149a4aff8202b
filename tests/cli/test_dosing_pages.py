"""What stands on the pages of docs/dosing/ is true: examples check, ids and commands exist.

A block of TOML is a profile or a part of a file that ships. A block of diff changes
such a file into the file of the page's next session. A session is run, on one set
day, and what it prints must be what stands there; `…` leaves out a part of a line or,
in a line of its own, lines. A block of Python is run as a doctest.
"""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pumpctl.cli import edge
from pumpctl.errors import PumpctlError
from pumpctl.therapy.checks import rules
from pumpctl.therapy.findings import Severity, of
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.library_text import to_toml
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.profile import read_profile
from tests.helpers.desk import ROOT, Desk
from tools import documents, model

FOLDER = ROOT / "docs" / "dosing"
PAGES = sorted(FOLDER.glob("*.md"))
SHIPPED = {file.name: file.read_text("utf-8") for file in (ROOT / "profiles").glob("*.toml")}
LEFT_OUT = "…"
TODAY = Moment.parse("2026-03-02T09:00:00+00:00")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


class Block(NamedTuple):
    """A fenced block: the words behind the fence, and what it holds."""

    info: tuple[str, ...]
    text: str


def blocks(page: Path, kind: str) -> list[Block]:
    return [block for block in every_block(page) if block.info[:1] == (kind,)]


def every_block(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for info, body in re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(tuple(info.split()), body)


def prose(page: Path) -> str:
    """The page without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_there_is_a_page_for_each() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    for page in PAGES:
        assert page.stem == "README" or f"({page.name})" in index
    assert len(PAGES) >= 16
    found = [block.info[0] for page in PAGES for block in every_block(page)]
    assert all(found.count(kind) > 8 for kind in ("toml", "console", "pycon"))
    assert set(found) == {"toml", "diff", "console", "pycon"}, "what no test reads is not true"


# --- examples ---------------------------------------------------------------------------


def sound(text: str) -> bool:
    """Whether it is a profile without hard findings, or a part of a file that ships."""
    if "format = 1" in text:
        reading = read_profile(text, "page")
        return reading.program is not None and not of(reading.findings, Severity.HARD)
    return any(text in whole for whole in (*SHIPPED.values(), to_toml(DEFAULT)))


@each_page
def test_the_examples_check(page: Path) -> None:
    for block in blocks(page, "toml"):
        assert sound(block.text), block.text


def test_an_example_that_does_not_check_is_seen() -> None:
    flex = SHIPPED["flex.toml"]
    assert sound(flex) and sound('over = "10 min"\n')
    assert not sound(flex.replace('daily_dose = "438', 'daily_dose = "439'))
    assert not sound('over = "11 min"\n')


# --- ids and commands ---------------------------------------------------------------------


@each_page
def test_every_check_that_is_named_exists(page: Path) -> None:
    """An upper-case word in backticks is a check's id, or the code of an error."""
    possible = model.severities()
    known = set(rules()) | {error.code for error in documents._tree(PumpctlError)}
    severity = "|".join(each.value for each in Severity)
    pattern = rf"`([A-Z][A-Z0-9_]+)`(?:(?: \(|, )((?:{severity})(?: or (?:{severity}))*)\b)?"
    for name, told in re.findall(pattern, prose(page)):
        assert name in known, name
        assert set(filter(None, told.split(" or "))) <= set(possible.get(name, ())), (name, told)


def command_lines(page: Path) -> Iterator[str]:
    """Every `pumpctl …` of the page's blocks, with or without the prompt."""
    for block in every_block(page):
        whole = re.sub(r"\\\n\s*", "", block.text)
        for line in whole.splitlines():
            if re.match(r"(\$ )?pumpctl ", line):
                yield line.removeprefix("$ ")


@each_page
def test_every_command_exists(page: Path) -> None:
    read = model.read()
    for line in command_lines(page):
        words = shlex.split(line)[1:]
        plain = [word for word in words if not word.startswith("-")]
        entries = [entry for entry in read.entries if _named(entry.words, plain)]
        assert entries, line
        options = {name for each in model._every(read, entries[0]) for name in each.names}
        for word in words:
            assert not word.startswith("-") or word.partition("=")[0] in options, (word, line)


def _named(words: str, typed: list[str]) -> bool:
    wanted = words.split()
    return typed[: len(wanted)] == wanted


# --- sessions -----------------------------------------------------------------------------


def apply(block: Block, folder: Path) -> None:
    """Make a file of another one by a diff, whose lines are one place of that."""
    _, source, target = block.info
    lines = block.text.splitlines()
    old = "\n".join(line[1:] for line in lines if line[0] in " -")
    new = "\n".join(line[1:] for line in lines if line[0] in " +")
    whole = (folder / source).read_text(encoding="utf-8")
    assert whole.count(f"\n{old}\n") == 1, f"{source} holds this once:\n{old}"
    (folder / target).write_text(whole.replace(old, new), encoding="utf-8", newline="\n")


def sessions(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block, and the lines under it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, out = re.sub(r"\\\n\s*", "", part).partition("\n")
        yield command, out.rstrip("\n").split("\n")


def agrees(shown: list[str], printed: list[str]) -> bool:
    """Whether these lines were printed, some left out where it is said."""
    wanted = ""
    for line in shown:
        parts = map(re.escape, line.rstrip().split(LEFT_OUT))
        wanted += "(?:.*\n)*" if line == LEFT_OUT else ".*".join(parts) + "\n"
    return re.fullmatch(wanted, "".join(f"{line.rstrip()}\n" for line in printed)) is not None


@each_page
def test_every_session_prints_what_stands_there(
    page: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.files)
    monkeypatch.setattr(edge, "wall", lambda: TODAY)
    shutil.copytree(ROOT / "profiles", desk.files / "profiles")
    for block in every_block(page):
        if block.info[:1] == ("diff",):
            apply(block, desk.files)
        if block.info[:1] != ("console",):
            continue
        for command, shown in sessions(block.text):
            ran = desk.run(*shlex.split(command)[1:])
            printed = (ran.out + ran.err).rstrip("\n").split("\n")
            assert agrees(shown, printed), f"{command} prints now:\n{ran.out}{ran.err}"


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ("a b c d e", True),
        ("a … e", True),
        ("a … c … e", True),
        ("a b … d e", True),
        ("a … f", False),
        ("a … d … c … e", False),
        ("a b c d", False),
        ("b … e", False),
        ("… e", True),
        ("… b … d …", True),
        ("a b… …c d e", True),
        ("a b… c… e", False),
    ],
)
def test_what_is_left_out_is_said(shown: str, same: bool) -> None:
    assert agrees(shown.split(), list("abcde")) is same


# --- Python, links, words -------------------------------------------------------------------


@each_page
def test_the_python_does_what_stands_there(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = "\n".join(block.text for block in blocks(page, "pycon"))
    test = doctest.DocTestParser().get_doctest(text, {}, page.stem, str(page), 0)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not said, "".join(said)
    assert test.examples or page.stem in {"README", "minimum-rate"}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose(page)):
        assert (FOLDER / target).exists(), target


@each_page
def test_the_words_are_those_of_the_project(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"[µμ]g", text), "mcg"
    assert not re.search(r"(?<![\w.])\.\d", text), "a zero in front of the point"
    assert not re.search(r"\d\.\d*0 (?!%)(mcg|mL)", text), "no zero at the end"
    rows = [line for line in prose(page).splitlines() if not line.startswith(("|", "!["))]
    assert max(map(len, rows)) <= 100
