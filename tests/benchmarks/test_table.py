"""The benchmark's table: what is met, missed, not installed; Markdown and JSON say the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import machine, table
from benchmarks.axes import registry
from benchmarks.axis import Axis, Options, Result, Row, Target, missing

RESULT = Result(
    (
        Row("fast", (1.0, 3.0, 2.0), "×", Target(2.0, least=True)),
        Row("every one", (1.0, 3.0, 2.0), "×", Target(2.0, least=True, every=True)),
        Row("slow", (8.0,), "ms", Target(5.0, least=False), "a | in a note"),
        missing("peer", "×"),
    ),
    ("how it was measured",),
)
AXIS = Axis("speed", "how fast", lambda _options: RESULT)
ABOUT = {"date": "2026-11-23", "versions": {"one": "1.0", "other": "not installed"}}


def test_markdown_tells_medians_spreads_targets_and_what_is_missed() -> None:
    text = table.markdown(ABOUT, [(AXIS, RESULT)])
    lines = text.splitlines()
    assert "- versions: one 1.0, other not installed" in lines
    assert "| fast | 2.00 | 1.00 | 3.00 | 3 | × | ≥ 2 | met |  |" in lines
    assert "| every one | 2.00 | 1.00 | 3.00 | 3 | × | ≥ 2, each | MISSED |  |" in lines
    assert "| slow | 8.00 | 8.00 | 8.00 | 1 | ms | ≤ 5 | MISSED | a \\| in a note |" in lines
    assert "| peer | – |  |  |  | × |  |  | not installed |" in lines
    assert "- how it was measured" in lines
    assert lines[-2:] == ["- MISSED speed: every one, ≥ 2, each ×", "- MISSED speed: slow, ≤ 5 ms"]


def test_what_has_a_target_and_no_figure_is_not_met() -> None:
    empty = Result((Row("ours", (), "×", Target(1.0, least=True), "it failed"),))
    text = table.markdown(ABOUT, [(AXIS, empty)])
    assert "NOT MEASURED" in text
    assert text.rstrip().endswith("- MISSED speed: ours, ≥ 1 ×")
    met = Result((Row("ours", (1.0,), "×", Target(1.0, least=True)),))
    assert table.markdown(ABOUT, [(AXIS, met)]).rstrip().endswith("is met.")


def test_json_keeps_every_value() -> None:
    document = json.loads(json.dumps(table.document(ABOUT, [(AXIS, RESULT)])))
    assert document["schema"] == "pumpctl.bench/1"
    rows = document["axes"][0]["rows"]
    assert [row["met"] for row in rows] == [True, False, False, None]
    assert rows[0]["values"] == [1.0, 3.0, 2.0]
    assert rows[0]["target"] == {"figure": 2.0, "least": True, "every": False}
    assert rows[3]["median"] is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.00355, "0.00355"), (1.147, "1.15"), (96.53, "96.53"), (455.2, "455.2")],
)
def test_numbers(value: float, text: str) -> None:
    assert table.number(value) == text
    assert table.number(28_252.4) == "28252"


def test_every_axis_that_is_named_is_there() -> None:
    for name in registry.NAMES:
        assert registry.axis(name).name == name


def test_an_axis_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["stratup"], ["--seeds", "0"], ["--rounds", "-1"]):
        with pytest.raises(SystemExit) as ended:
            command.main(words)
        assert ended.value.code == 2
    assert "there are: startup" in capsys.readouterr().err


def test_the_command_writes_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Options] = []

    def run(options: Options) -> Result:
        asked.append(options)
        return RESULT

    folder = tmp_path / "out"
    monkeypatch.setattr(registry, "axis", lambda name: AXIS._replace(name=name, run=run))
    monkeypatch.setattr(machine, "about", lambda: dict(ABOUT))
    words = ["journal", "--quick", "--seeds", "3", "--alone", "--output", str(folder)]
    assert command.main(words) == 0
    assert asked == [Options(quick=True, seeds=3, peers=False)]
    printed = capsys.readouterr().out
    assert printed.rstrip() == (folder / "bench.md").read_text("utf-8").rstrip()
    assert "quick: these figures mean little" in printed
    assert json.loads((folder / "bench.json").read_text("utf-8"))["axes"][0]["name"] == "journal"
