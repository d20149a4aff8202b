"""The table of requirements: it is fresh, finds every mark, and takes no id that is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import traceability
from tools.generate import ROOT
from tools.model import GenerateError
from tools.traceability import marks, named, page, requirements, trace

SAFETY = """\
# Requirements

1. **Not one of them.**

## Programming (PRG)

- **PRG-01** (S, P) It takes three messages: one, two,
  and three. [GIP 2.1.1, IDS]
- **PRG-02** The old program runs.

## Pump, time (PMP, TIM)

- **TIM-03** (P) Time is a label.

## Sources

- **GIP**: a document.
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small one, in which everything is known."""
    for path, text in {
        "docs/safety.md": SAFETY,
        "pumpctl/stage.py": '"""Nothing changes (PRG-01 to PRG-02); CRC-16, SHA-256, UTF-8."""\n',
        "tests/test_stage.py": 'import pytest\n\n@pytest.mark.requirement("PRG-02")\n'
        "def test_old() -> None: ...\n",
        "tests/helper.py": "def test_of_nobody() -> None: ...\n",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_page_is_fresh() -> None:
    held = (ROOT / "docs" / "traceability.md").read_text(encoding="utf-8")
    assert held == page(trace(ROOT)), "run: python3 dev.py generate"


def test_documents_name_known_requirements_only() -> None:
    known = requirements((ROOT / traceability.SAFETY).read_text(encoding="utf-8"))
    groups = {each[:3] for each in known}
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        unknown = set(named(path.read_text(encoding="utf-8"), groups)) - set(known)
        assert not unknown, path.name


def test_a_small_checkout(checkout: Path) -> None:
    read = trace(checkout)
    first = read.requirements["PRG-01"]
    assert first.text == "It takes three messages: one, two, and three."
    assert (first.section, first.sides, first.sources) == ("Programming", "S, P", "GIP 2.1.1, IDS")
    assert read.code == {"PRG-01": ["pumpctl/stage.py"], "PRG-02": ["pumpctl/stage.py"]} | {
        "TIM-03": []
    }
    assert read.tests == {"PRG-01": [], "PRG-02": ["tests/test_stage.py::test_old"], "TIM-03": []}
    made = page(read)
    assert "\n2 of 3 requirements have no test yet:\n" in made
    assert "\n- [PRG-01](#prg-01) (named in code)\n- [TIM-03](#tim-03)\n\n" in made
    assert "\n- tests:\n  - `tests/test_stage.py::test_old`\n" in made


def test_a_planted_mark_appears_and_a_moved_one_changes_nothing(checkout: Path) -> None:
    file = checkout / "tests" / "test_stage.py"
    source = file.read_text(encoding="utf-8")
    file.write_text(source + '\n@pytest.mark.requirement("TIM-03")\ndef test_label(): ...\n')
    made = page(trace(checkout))
    assert "  - `tests/test_stage.py::test_label`\n" in made
    assert "\n- [TIM-03]" not in made
    file.write_text("# a line more\n\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert page(trace(checkout)) == made


def test_when_nothing_is_open_the_page_says_so(checkout: Path) -> None:
    everything = 'pytestmark = [m.requirement("PRG-01"), m.requirement("TIM-03")]\n'
    with (checkout / "tests" / "test_stage.py").open("a", encoding="utf-8") as file:
        file.write(everything)
    assert "\nNone: each of the 3 requirements has a test.\n" in page(trace(checkout))


@pytest.mark.parametrize(
    ("path", "text", "cause"),
    [
        ("tests/test_x.py", 'm.requirement("PRG-03")', "reaches no test"),
        ("tests/test_x.py", '@m.requirement("PRG-03")\ndef test_x(): ...', "PRG-03 is not in"),
        ("tests/test_x.py", '@m.requirement("prg-01")\ndef test_x(): ...', "prg-01 is not in"),
        ("tests/test_x.py", '@m.requirement("PRG-01")\ndef check(): ...', "reaches no test"),
        ("tests/test_x.py", "@m.requirement(SOME)\ndef test_x(): ...", "reaches no test"),
        ("tests/test_x.py", "@m.requirement()\ndef test_x(): ...", "reaches no test"),
        ("tests/deep/x.py", '@m.requirement("PRG-01")\ndef test_x(): ...', "reaches no test"),
        ("tests/test_x.py", "def test_x(:", "test_x.py: line 1: "),
        ("pumpctl/x.py", "# of old (PRG-09)", "pumpctl/x.py: PRG-09 is not in"),
        ("pumpctl/x.py", '"""Mistyped (PGR-01)."""', "pumpctl/x.py: PGR-01 is not in"),
        ("pumpctl/x.py", '"""Mistyped (PRG-1)."""', "pumpctl/x.py: PRG-1 is not in"),
        ("pumpctl/x.py", '"""Too far (PRG-01 to PRG-03)."""', "pumpctl/x.py: PRG-03 is not in"),
        (
            "docs/safety.md",
            SAFETY + "\n## More (PRG)\n\n- **PRG-01** Again.",
            "PRG-01 stands twice",
        ),
        ("docs/safety.md", "## More (PRG)\n\n- **TIM-01** Lost.", "in the wrong section"),
        ("docs/safety.md", "## More (PRG)\n\n- **PRG 01** Lost.", "this is no requirement"),
        ("docs/safety.md", "# Nothing", "no requirement was found"),
    ],
)
def test_a_planted_fault_is_found(checkout: Path, path: str, text: str, cause: str) -> None:
    trace(checkout)
    (checkout / path).parent.mkdir(exist_ok=True)
    (checkout / path).write_text(text + "\n", encoding="utf-8")
    with pytest.raises(GenerateError, match=cause):
        trace(checkout)


def test_without_requirements_nothing_is_made(checkout: Path) -> None:
    (checkout / "docs" / "safety.md").unlink()
    with pytest.raises(GenerateError, match="is missing"):
        trace(checkout)


def test_marks_are_found_wherever_pytest_takes_them() -> None:
    read = marks(
        """
import sys
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.requirement("A")]
shows = pytest.mark.requirement("B")
TABLE = [pytest.param(1, marks=pytest.mark.requirement("C")), 2]
TYPED: list[object] = [*TABLE]

def rows():
    return [pytest.param(3, marks=[shows])]

def helper(): ...

def test_by_its_module(): ...

@pytest.mark.requirement("D")
@pytest.mark.requirement("E", "F")
def test_by_itself(): ...

@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.requirement("G"))])
async def test_by_a_parameter(x): ...

@pytest.mark.parametrize("x", TYPED)
def test_by_a_table(x): ...

@pytest.mark.parametrize("x", rows())
def test_by_a_helper(x): ...

if sys.platform != "win32":
    @shows
    def test_by_a_name(): ...

@pytest.mark.requirement("H")
class TestClass:
    pytestmark = pytest.mark.requirement("I")

    def test_in_a_class(self): ...

    class TestInner:
        @pytest.mark.requirement("J")
        def test_deep(self): ...
"""
    )
    assert read.lost == []
    assert {name: "".join(sorted(ids)) for name, ids in read.tests.items()} == {
        "test_by_its_module": "A",
        "test_by_itself": "ADEF",
        "test_by_a_parameter": "AG",
        "test_by_a_table": "AC",
        "test_by_a_helper": "AB",
        "test_by_a_name": "AB",
        "TestClass::test_in_a_class": "AHI",
        "TestClass::TestInner::test_deep": "AHIJ",
    }
