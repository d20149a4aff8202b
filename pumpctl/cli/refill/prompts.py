"""How a guided refill asks: one line at a time, until it is an answer.

Enter alone asks again, nothing that matters is answered by y, and what a check refuses
is asked again. Ctrl-C, end of input and hang-up end it (`confirming.ask`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from pumpctl.cli.refill import screens
from pumpctl.cli.therapy.confirming import ask
from pumpctl.errors import PumpctlError, QuantityError, UsageError
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.moment import Date
from pumpctl.therapy.patient import names_tag
from pumpctl.therapy.visit_shape import LONGEST_REASON
from pumpctl.workflows.refill import guide
from pumpctl.workflows.refill.asking import Asking
from pumpctl.workflows.refill.guide import Ask
from pumpctl.workflows.refill.steps import Step, Steps

GIVE_UP = "give up"
_A_WORD = re.compile(r"[^\W\d_]{4,}")
"""Longer than a unit or a yes."""
_Q = TypeVar("_Q", Volume, Concentration, Mass)
_T = TypeVar("_T")


class GivenUp(Exception):
    """The person chose the way out that every step until the injection has."""


class Prompts:
    """One person at one terminal, in one visit."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self.tag = ""
        """The patient's, typed in this process; it is written nowhere."""

    def typed(self, prompt: str, *, may_give_up: bool = False) -> str:
        """One line that says something; Enter alone asks again, and so does what is no letter."""
        while True:
            text = " ".join(ask(prompt).split())
            if text == GIVE_UP and may_give_up:
                raise GivenUp
            if not text.isprintable():
                screens.show(
                    screens.said("That holds a key that is no letter: once more.", "yellow")
                )
            elif text:
                return text

    def word(self, prompt: str, words: list[str], *, may_give_up: bool = False) -> str:
        """One of these words, written out."""
        while True:
            text = self.typed(prompt, may_give_up=may_give_up)
            if text in words:
                return text
            screens.show(screens.said(f"One of: {', '.join(words)}."))

    def text(self, prompt: str, longest: int, *, may_give_up: bool = False) -> str:
        """Words for the record, in which the patient's tag has no place."""
        while True:
            text = self.typed(prompt, may_give_up=may_give_up)
            if names_tag(text, self.tag):
                screens.show(screens.said("The patient's tag stays out of the record."))
            elif len(text) > longest:
                screens.show(screens.said(f"At most {longest} characters."))
            else:
                return text

    def reason(
        self, prompt: str, *, longest: int = LONGEST_REASON, may_give_up: bool = False
    ) -> str:
        """Why something is done all the same: `y` and a figure are no reasons."""
        while True:
            text = self.text(prompt, longest, may_give_up=may_give_up)
            if _A_WORD.search(text):
                return text
            screens.show(screens.said("A reason is wanted, in words; it is recorded.", "yellow"))

    def quantity(self, kind: type[_Q], prompt: str, *, may_give_up: bool = False) -> _Q:
        """With its unit, or it is asked again."""
        while True:
            found = read(kind.parse, self.typed(prompt, may_give_up=may_give_up))
            if found is not None:
                return found

    def date(self, prompt: str, *, may_give_up: bool = False) -> Date:
        """As `2027-08-31`."""
        while True:
            found = read(Date.parse, self.typed(prompt, may_give_up=may_give_up))
            if found is not None:
                return found

    def until_taken(
        self,
        step: Ask,
        asked: Callable[[], _T],
        put: Callable[[Steps, _T], Steps],
        values: Callable[[_T], dict[str, str | None]],
    ) -> None:
        """Ask until no check refuses the answer; then it is on record."""
        while True:
            answer = asked()
            if not self.refused(step, put(self.asking.told, answer)):
                self.asking.answer(Step(step.value), values(answer))
                return

    def refused(self, step: Ask, steps: Steps) -> bool:
        """Show what the checks say to an answer; whether one of them refuses it."""
        spoken = guide.speaks(step, steps, self.asking.seen)
        screens.show(screens.findings(spoken))
        return any(hard(each) for each in spoken)

    def previewed(self) -> tuple[Finding, ...]:
        """What they say of the whole refill, as it is answered so far."""
        return self.asking.preview(self.tag).findings


def hard(finding: Finding) -> bool:
    """Whether it has no override."""
    return finding.severity is Severity.HARD


def say(error: PumpctlError) -> None:
    """What was refused, and go on."""
    screens.show(screens.said(error.message, "bold red"))


def read(parse: Callable[[str], _T], text: str) -> _T | None:
    """The value, or None where it was said what is wrong with it."""
    try:
        return parse(text)
    except UsageError as error:
        useful = not isinstance(error, QuantityError) or bool(error.nearest)
        hint = f"; {error.hint}" if useful and error.hint else ""
        screens.show(screens.said(f"{error.message}{hint}", "yellow"))
        return None


def same_volume(text: str, wanted: Volume) -> bool:
    """Whether this is typed again, in whatever of its units."""
    try:
        return Volume.parse(text) == wanted
    except UsageError:
        return False
