"""A command line that is nothing but words and operands: called at once, as typer would call it."""

from __future__ import annotations

import functools
import inspect
import os
from pathlib import Path
from typing import Any

import pytest

from pumpctl.cli import main
from pumpctl.cli.commands import COMMANDS, Command
from tests.helpers.desk import Desk


def needs_nothing(command: Command) -> bool:
    parameters = inspect.signature(main.load(command)).parameters.values()
    return all(each.default is not each.empty for each in parameters)


ALONE = [each for each in COMMANDS if needs_nothing(each)]
OTHERS = [each for each in COMMANDS if not needs_nothing(each)]


@pytest.mark.parametrize("command", ALONE, ids=lambda each: each.words)
def test_typer_would_hand_in_the_same(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no option given, the functions' own defaults are what typer makes of nothing."""
    function = main.load(command)
    handed: list[dict[str, Any]] = []

    @functools.wraps(function)
    def noted(**values: Any) -> None:
        handed.append(values)

    monkeypatch.setattr(main, "load", lambda _: noted)
    words = command.words.split()
    main.build(words)(args=words, prog_name="pumpctl", standalone_mode=False)
    expected = {each.name: each.default for each in inspect.signature(function).parameters.values()}
    assert handed == [expected]


@pytest.mark.parametrize("command", ALONE, ids=lambda each: each.words)
def test_it_is_called_without_typer(command: Command) -> None:
    assert main._all_words(command.words.split()) is main.load(command)


@pytest.mark.parametrize("command", OTHERS, ids=lambda each: each.words)
def test_where_something_must_be_given_typer_says_what(command: Command, desk: Desk) -> None:
    assert main._all_words(command.words.split()) is None
    ran = desk.run(*command.words.split())
    assert ran.code == 2
    assert ran.err.startswith("pumpctl: missing ")


def operands(command: Command) -> list[str]:
    """Something for each parameter that must be given; a name that is nobody's file."""
    parameters = inspect.signature(main.load(command)).parameters.values()
    return [f"{each.name}.toml" for each in parameters if each.default is each.empty]


PLAIN = [each for each in OTHERS if main._all_words(each.words.split() + operands(each))]


@pytest.mark.parametrize("command", PLAIN, ids=lambda each: each.words)
def test_typer_would_hand_in_the_same_operands(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = main.load(command)
    words = command.words.split() + operands(command)
    handed: list[dict[str, Any]] = []

    @functools.wraps(function)
    def noted(*given: Any, **values: Any) -> None:
        bound = inspect.signature(function).bind(*given, **values)
        bound.apply_defaults()
        handed.append(bound.arguments)

    monkeypatch.setattr(main, "load", lambda _: noted)
    main.build(words)(args=words, prog_name="pumpctl", standalone_mode=False)
    monkeypatch.setattr(main, "load", lambda _: function)
    called = main._with(function, operands(command))
    assert called is not None
    seen = inspect.getclosurevars(called).nonlocals["values"]
    noted(*seen)
    assert handed[0] == handed[1]
    assert [type(one) for one in handed[0].values()] == [type(one) for one in handed[1].values()]


def test_a_check_of_a_file_is_among_them() -> None:
    assert "profile check" in {each.words for each in PLAIN}


@pytest.mark.parametrize(
    "words",
    [
        ["profile", "check", ""],
        ["profile", "check", "-"],
        ["profile", "check", "a.toml", "b.toml"],
        ["profile", "check", "a.toml", "--at", "2027-01-01T00:00Z"],
        ["profile", "check", "--", "a.toml"],
        ["profile", "show", "a.toml"],
        ["bolus", "single", "20 mcg", "10 min"],
    ],
    ids=" ".join,
)
def test_what_is_not_plain_is_parsed(words: list[str]) -> None:
    assert main._all_words(words) is None


def test_a_file_that_may_not_be_read_is_refused_as_typer_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.toml"
    file.touch()
    words = ["profile", "check", str(file)]
    assert main._all_words(words) is not None
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert main._all_words(words) is None


@pytest.mark.parametrize("words", [["status", "--check", "any"], ["status", "x"], ["profile"], []])
def test_anything_else_is_parsed(words: list[str]) -> None:
    assert main._all_words(words) is None


def test_nobody_who_answers_any_more_is_an_interruption(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asks() -> None:
        raise EOFError

    monkeypatch.setattr(main, "load", lambda _: asks)
    assert desk.run("list").code == 130
    assert desk.run("list", "--", "x").code == 2, "parsed, and too much of it"
