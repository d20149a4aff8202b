"""The oracles share nothing with the code that they judge: their imports are read."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ORACLES = ("plain", "odometer", "weekly", "sliding", "draw_programs", "draw_histories")
"""They compute and draw; `case` and `judge_*` bring the two sides together."""


def imports_of(source: str) -> set[str]:
    """Every module that is imported, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            assert node.module is not None
            found.add(node.module)
    return found


def strangers(source: str) -> set[str]:
    """What is neither Python's own nor another part of the oracles."""
    allowed = {f"tests.oracles.{name}" for name in ORACLES}
    return {
        module
        for module in imports_of(source)
        if module not in allowed and module.partition(".")[0] not in sys.stdlib_module_names
    }


@pytest.mark.requirement("LIM-01")
@pytest.mark.parametrize("name", ORACLES)
def test_an_oracle_imports_nothing_of_pumpctl(name: str) -> None:
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    assert not strangers(source)
    assert "float" not in source
    assert "importlib" not in source


def test_a_stranger_is_seen() -> None:
    planted = "def f():\n    from pumpctl.therapy.curve import Curve\n    return Curve"
    assert strangers(planted) == {"pumpctl.therapy.curve"}
    assert strangers("import tests.oracles.judge_windows") == {"tests.oracles.judge_windows"}
    assert strangers("from tests.oracles.plain import DAY\nimport math") == set()
