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
from pumpctl.quantities import Mass, Rate

if TYPE_CHECKING:
    from pumpctl.station.plan import Plan
    from pumpctl.workflows.planning import Planned


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
        from pumpctl.cli.change_screen import show_confirmation

        show_confirmation(planned)
        self._challenge(planned.plan)

    def confirm_plan(self, plan: Plan) -> None:
        """The same for a plan from a file, where no pump is at hand."""
        from pumpctl.cli.change_screen import show_plan_file

        self.ready()
        show_plan_file(plan)
        self._challenge(plan)

    def _challenge(self, plan: Plan) -> None:
        what, wanted = challenge(plan)
        given = ask(f"Anything else changes nothing.\nType {what}, with its unit: ")
        if not same_quantity(given, wanted):
            raise NotConfirmed(
                f"{given.strip()!r} is not {what} of this plan"
                if given.strip()
                else "nothing was typed"
            )


def challenge(plan: Plan) -> tuple[str, str]:
    """What must be typed, in words and as a value of the read-back.

    The largest day's dose; where no day's total changes, the largest hour; for a
    resume the daily dose that it returns to.
    """
    days = plan.readback["days"]
    if plan.kind == "program" and plan.old.get("days"):
        before = [day["daily_dose"] for day in plan.old["days"]]
        if before == [day["daily_dose"] for day in days]:
            hours = [Mass.parse(day["largest_hour"]) for day in days]
            return "the largest hour", str(max(hours))
    doses = [Rate.parse(day["daily_dose"]) for day in days]
    what = (
        "the largest daily dose it returns to"
        if plan.kind == "resume"
        else "the largest day's dose"
    )
    return what, str(max(doses))


def same_quantity(given: str, wanted: str) -> bool:
    """Is the typed text this quantity, in the grammar of the contract?"""
    kind: type[Rate] | type[Mass] = Rate if wanted.endswith("/day") else Mass
    try:
        return kind.parse(given.strip()) == kind.parse(wanted)
    except QuantityError:
        return False


def ask(prompt: str) -> str:
    """One line from the terminal; NotConfirmed for Ctrl-C, end of input and hang-up."""
    try:
        with _hang_up_means_no():
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
def _hang_up_means_no() -> Iterator[None]:
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
