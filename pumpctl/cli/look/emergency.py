"""`emergency overdose` and `emergency withdrawal`: one screen, with or without the pump."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from textwrap import shorten, wrap
from typing import TYPE_CHECKING, Any

from pumpctl.cli import context
from pumpctl.cli.options import GLOBALS
from pumpctl.cli.report import Report, Warn
from pumpctl.named import NamedTuple

if TYPE_CHECKING:
    from pumpctl.workflows.look.emergency import Card

_WIDTH, _HEIGHT = 80, 24
_NAME = 14
_REPEATED = ("home", "operator", "pump", "port")
"""Options that a command on the card repeats: the port, and what the environment does not say."""


def overdose() -> Report:
    """Show what to do in an overdose, beside this pump's facts. It changes nothing on the pump.

    Asks the pump where it answers; else it shows the last interrogation that is kept,
    marked with its age. Without either, the guidance alone.

    Example: pumpctl --port ./tty0 emergency overdose
    """
    return _card("overdose")


def withdrawal() -> Report:
    """Show what to do in a withdrawal, beside this pump's facts. It changes nothing on the pump.

    Asks the pump where it answers; else it shows the last interrogation that is kept,
    marked with its age. Without either, the guidance alone.

    Example: pumpctl --port ./tty0 emergency withdrawal
    """
    return _card("withdrawal")


def _card(kind: str) -> Report:
    from pumpctl.therapy.emergency import facts_json
    from pumpctl.workflows.look import emergency

    if context.port() is None:
        context.without_pump()
    card = emergency.card(context.station(), kind)
    commands = _commands(card)
    data: dict[str, Any] = {
        "guidance": {
            "title": card.guidance.title,
            "signs": card.guidance.signs,
            "steps": [{"text": step.text, "source": step.source} for step in card.guidance.steps],
        },
        "live": card.live,
        "as_of": None if card.as_of is None else str(card.as_of),
        "age": None if card.as_of is None or card.age is None else str(card.age),
        "facts": None if card.data is None else facts_json(card.data),
        "since": list(card.since),
        "commands": dict(commands),
    }
    return Report(
        f"emergency.{kind}",
        data,
        lambda: _show(card, commands),
        pump=None if card.serial is None else (card.serial, card.model),
        # On the screen it stands where it belongs, and one screen is all there is.
        warnings=(
            *context.warnings(),
            *(Warn(*warning) for warning in card.warnings if context.as_json()),
        ),
    )


def _commands(card: Card) -> tuple[tuple[str, str], ...]:
    """What to type, word by word, on this station and this port."""
    from pumpctl.therapy.emergency import may_resume

    words = ["pumpctl"]
    for option in GLOBALS:
        name = option.name[2:]
        value = context.given(name)
        typed = name == "port" or os.environ.get(option.variable) != value
        if name in _REPEATED and value and typed:
            words += [option.name, value]
    if context.port() is None:
        words += ["--port", "PORT"]
    base = shlex.join(words)
    if card.guidance.kind == "overdose":
        return (("stop", f"{base} stop --now"),)
    found = [("interrogate", f"{base} interrogate")]
    if card.data is not None and may_resume(card.data, card.age):
        found.append(("resume", f"{base} resume"))
    return tuple(found)


class _Line(NamedTuple):
    """One line of the card."""

    text: str
    style: str = ""
    spare: int = 0
    """Not nothing: it gives way where the card is longer than a screen, the most first."""


def _show(card: Card, commands: tuple[tuple[str, str], ...]) -> None:
    from rich.text import Text

    from pumpctl.cli.screens import console

    out = console(sys.stdout)
    lines = [*_guidance_lines(card, commands), _Line("", spare=4), *_facts_lines(card)]
    for line in _fitting(lines):
        out.print(Text(line.text, style=line.style), soft_wrap=True)


def _guidance_lines(card: Card, commands: tuple[tuple[str, str], ...]) -> Iterator[_Line]:
    for line in wrap(f"{card.guidance.title}: {card.guidance.signs}", _WIDTH):
        yield _Line(line, "bold red")
    known = dict(commands)
    for number, step in enumerate(card.guidance.steps, 1):
        for line in wrap(f"{number} {step.text}", _WIDTH, subsequent_indent="  "):
            yield _Line(line)
        if step.command in known:
            yield _Line(f"    {known[step.command]}", "bold")
    if context.port() is None:
        yield _Line("    (PORT: pumpctl list shows the ports)", spare=3)


def _fitting(lines: list[_Line]) -> list[_Line]:
    """As many as one screen holds; a long command goes on in the next line of a terminal."""
    for line in sorted(filter(lambda one: one.spare, lines), key=lambda one: -one.spare):
        if sum(max(1, -(-len(each.text) // _WIDTH)) for each in lines) <= _HEIGHT:
            break
        lines = [each for each in lines if each is not line]
    return lines


def _facts_lines(card: Card) -> list[_Line]:
    from pumpctl.therapy.emergency import age_text, facts

    if card.data is None or card.as_of is None:
        told = f"No facts of a pump: {card.why}"
        return [_Line(line, "bold") for line in wrap(told, _WIDTH)[:3]]
    model = f" · {card.model}" if card.model else ""
    if card.live:
        told = f"Pump {card.serial}{model} · its own figures, {_clock(card)}"
        lines = [_Line(told, "bold")]
    else:
        ago = age_text(card.as_of, card.now)
        old = f"Pump {card.serial} · AS OF {card.as_of.label()}, {ago}: may have changed"
        lines = [_Line(line, "bold reverse") for line in wrap(old, _WIDTH)]
        lines.append(_Line(shorten(card.why, _WIDTH, placeholder=" …"), spare=2))
    before = len(card.since) - 2
    for place, done in enumerate(card.since[-2:], 1):
        more = f" (and {before} before)" if place == 1 and before > 0 else ""
        told = f"{'since then':<{_NAME}}{done}, from here{more}"
        spare = int(place < len(card.since[-2:]))  # the newest stays
        lines += [_Line(line, "bold red", spare) for line in _under(told)]
    for fact in facts(card.data, card.age):
        name = fact.name if card.live else fact.name.replace(" now", " then")
        style = "bold red" if fact.alert else "bold" if fact.key == "rate" else ""
        lines += [_Line(line, style) for line in _under(f"{name:<{_NAME}}{fact.text}")]
    return lines


def _under(text: str) -> list[str]:
    """Wrapped, with what goes on standing under where it began."""
    return wrap(text, _WIDTH, subsequent_indent=" " * _NAME, break_long_words=False)


def _clock(card: Card) -> str:
    return str(card.as_of)[:19].replace("T", " ")
