"""What is made from the code is up to date, and nobody writes it a second time by hand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pumpctl.cli.commands import COMMANDS
from pumpctl.errors import PumpctlError
from pumpctl.therapy.checks import rules
from tools import documents, generate, model

ROOT = generate.ROOT


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return generate.outputs()


def test_nothing_is_stale(made: dict[str, str]) -> None:
    late = generate.stale(ROOT, made)
    assert late == [], "run: python3 dev.py generate"


def test_every_command_error_and_check_is_there(made: dict[str, str]) -> None:
    for command in COMMANDS:
        assert f"\n## `pumpctl {command.words}`\n" in made["docs/commands.md"]
    for code in codes():
        assert f" `{code}` " in made["docs/exit-codes.md"]
    for name in rules():
        assert f"\n| `{name}` |" in made["docs/checks.md"]


def test_each_says_that_it_is_generated(made: dict[str, str]) -> None:
    for path, text in made.items():
        assert "enerated" in text[:400], path
        assert "python3 dev.py generate" in text[:400], path
        assert text.endswith("\n"), path


def test_stale_files_are_written_and_only_those(
    tmp_path: Path, made: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "outputs", lambda: made)
    assert generate.main(["--check"]) == 1
    assert not any(tmp_path.iterdir()), "looking writes nothing"
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "docs" / "checks.md").write_text("old\n")
    assert generate.stale(tmp_path, made) == ["docs/checks.md"]
    assert generate.main(["--force"]) == 2


@pytest.mark.parametrize(
    ("place", "cause"),
    [("ghost:ghost", "cannot be loaded"), ("main:_nothing", "does not end in Example")],
)
def test_a_command_that_cannot_be_described_stops_everything(
    place: str,
    cause: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_ghost = (*COMMANDS, COMMANDS[0]._replace(words="ghost", place=place))
    monkeypatch.setattr(model, "COMMANDS", with_ghost)
    monkeypatch.setattr("pumpctl.cli.main.COMMANDS", with_ghost)
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert generate.main([]) == 1
    assert cause in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "example",
    [
        "pumpctl status --wach",
        "pumpctl interrogate",
        "pumpctl status too many",
    ],
)
def test_an_example_that_cannot_be_typed_is_noticed(example: str) -> None:
    read = model.read()
    status = next(entry for entry in read.entries if entry.words == "status")
    with pytest.raises(model.GenerateError, match="the example of status"):
        model._check_example(read, status._replace(example=example))


def effects() -> dict[str, str]:
    return {entry.words: entry.effect for entry in model.read().entries}


def test_what_changes_a_pump_says_so() -> None:
    told = effects()
    assert told["conformance"].startswith("It changes therapy")
    assert "no pump is asked" not in told["conformance"]
    assert told["profile check"] == "Nothing: no pump is asked."
    assert "the patient's dose" in told["emulator press"]
    for words in ("emulator list", "emulator inspect"):
        assert told[words].startswith("Nothing: ")
    for words in ("emulator fault", "emulator advance", "emulator remove", "emulator press"):
        assert told[words].startswith("Built-in pumps only: ")


def test_no_pump_is_asked_only_where_that_holds_for_every_option() -> None:
    from pumpctl.cli import context

    def never(flag: bool) -> None:
        context.without_pump()

    def sometimes(flag: bool) -> None:
        if flag:
            context.without_pump()

    assert model._never_asks_a_pump(never)
    assert not model._never_asks_a_pump(sometimes)


def test_a_command_on_built_in_pumps_that_says_nothing_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(model._BUILT_IN, "emulator press")
    with pytest.raises(model.GenerateError, match="what emulator press changes"):
        model.read()


def codes() -> set[str]:
    return {error.code for error in documents._tree(PumpctlError)}


def test_no_table_is_written_twice(made: dict[str, str]) -> None:
    """A page may name a code or two; three rows of them are a second table."""
    known = {f"pumpctl {command.words}" for command in COMMANDS}
    known |= {command.words for command in COMMANDS} | codes() | set(rules())
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert pages
    for page in pages:
        if page.relative_to(ROOT).as_posix() in made:
            continue
        text = page.read_text(encoding="utf-8")
        rows = re.findall(r"^\| *\[?`([^`|]+)`", text, re.MULTILINE)
        second = sorted(row for row in rows if row.strip() in known)
        assert len(second) < 3, f"{page.name} repeats a generated table: {second}"


def test_no_file_of_checks_is_left_out_of_what_is_explained() -> None:
    """In a process of its own: here other tests have loaded what `rules` itself does not."""
    told = (
        "import sys; from pumpctl.therapy.checks import rules; rules(); "
        "print(*(name for name in sys.modules if name.startswith('pumpctl.therapy.checks.')))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.rpartition(".")[2] for name in ran.stdout.split()}
    there = {path.stem for path in (ROOT / "pumpctl/therapy/checks").glob("*.py")} - {"__init__"}
    assert there - loaded == set()
