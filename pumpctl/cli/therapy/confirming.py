"""A person at a terminal who types the challenge. Nothing else confirms here.

Input must come from a terminal: a pipe cannot confirm. Ctrl-C, end of input and
hang-up mean no (CNF-05).
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pumpctl.errors import NotConfirmed, QuantityError
from pumpctl.quantities import Concentration, Mass, Quantity, Rate, Volume

if TYPE_CHECKING:
    from pumpctl.station.plan import Plan
    from pumpctl.workflows.acts.act import Challenge
    from pumpctl.workflows.road.planning import Planned
    from pumpctl.workflows.road.second import Endorsement


class Typed:
    """Confirms by typing what the screen asks for."""

    def __init__(self, hint: str = "") -> None:
        self._hint = hint or (
            "a script plans with --plan-only -o PLAN and runs pumpctl apply PLAN --confirm TOKEN"
        )

    def ready(self) -> None:
        """NotConfirmed where there is no terminal."""
        streams = (sys.stdin, sys.stderr)  # None where it was closed
        if not all(stream is not None and stream.isatty() for stream in streams):
            raise NotConfirmed("there is no terminal to confirm on", hint=self._hint)

    def confirm(self, planned: Planned) -> None:
        """Show the whole change and have its challenge typed."""
        from pumpctl.cli.therapy.change_screen import show_confirmation

        show_confirmation(planned)
        type_challenge(planned.act.challenge(planned.plan.old, planned.readback))

    def second(self, planned: Planned) -> Endorsement:
        """Have another person confirm it too."""
        from pumpctl.cli.therapy.second import ask_second

        return ask_second(planned.plan, planned.act.challenge(planned.plan.old, planned.readback))

    def confirm_plan(self, plan: Plan) -> None:
        """The same for a plan from a file, where no pump is at hand."""
        from pumpctl.cli.therapy.change_screen import show_plan_file

        self.ready()
        show_plan_file(plan)
        type_challenge(challenge_of(plan))


def challenge_of(plan: Plan) -> Challenge:
    """What must be typed for a plan from a file."""
    from pumpctl.workflows.acts.planned import planned_readback
    from pumpctl.workflows.acts.registry import act_of

    return act_of(plan).challenge(plan.old, planned_readback(plan))


def type_challenge(challenge: Challenge) -> None:
    """Have it typed; NotConfirmed for anything else."""
    units = sum(" " in each for each in challenge.wanted)
    unit = "" if not units else ", with its unit" if units == 1 else ",\neach with its unit"
    given = ask(f"Anything else changes nothing.\nType {challenge.what}{unit}: ")
    if not same_answer(given, challenge.wanted):
        raise NotConfirmed(
            f"{given.strip()!r} is not {challenge.what}" if given.strip() else "nothing was typed",
            hint="nothing was changed; run it again, and type it as it stands on the screen",
        )


def same_answer(given: str, wanted: tuple[str, ...]) -> bool:
    """Are the typed words these quantities, in their order, in the grammar of the contract?

    `40 mL 2000 mcg/mL` is two; a time of day is taken as it is shown.
    """
    words = given.split()
    for text in wanted:
        kind = _kind_of(text)
        if kind is None:
            if not words or words.pop(0) != text:
                return False
            continue
        size = 1 if words and _parsed(kind, words[0]) is not None else 2
        if _parsed(kind, " ".join(words[:size])) != kind.parse(text):
            return False
        words = words[size:]
    return not words


_KINDS: tuple[type[Quantity], ...] = (Mass, Volume, Concentration, Rate)


def _kind_of(text: str) -> type[Quantity] | None:
    """Which quantity it is; None: a word, or a time of day."""
    return next((kind for kind in _KINDS if _parsed(kind, text) is not None), None)


def _parsed(kind: type[Quantity], text: str) -> Quantity | None:
    try:
        return kind.parse(text)
    except QuantityError:
        return None


def ask(prompt: str) -> str:
    """One line from the terminal; NotConfirmed for Ctrl-C, end of input and hang-up."""
    try:
        with hang_up_means_no():
            sys.stderr.write(prompt)
            sys.stderr.flush()
            line = sys.stdin.readline()
    except (KeyboardInterrupt, OSError) as error:
        _end_line()
        raise NotConfirmed("interrupted at the prompt") from error
    if not line:
        _end_line()
        raise NotConfirmed("end of input at the prompt")
    return line


def _end_line() -> None:
    with suppress(OSError):  # the terminal may be gone
        sys.stderr.write("\n")


@contextmanager
def hang_up_means_no() -> Iterator[None]:
    """A terminal that goes away while it is asked has answered (CNF-05)."""
    number = getattr(signal, "SIGHUP", None)
    if number is None:  # Windows
        yield
        return

    def hung_up(*_: object) -> None:
        raise NotConfirmed("the terminal hung up at the prompt")

    before = signal.signal(number, hung_up)
    try:
        yield
    finally:
        signal.signal(number, before)
