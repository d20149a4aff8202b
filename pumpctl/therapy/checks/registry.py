"""The one list of checks: each a small function that knows its id, severity, source and why.

A check is a generator over a `Case`: it yields what it saw beside its limit, or
nothing. Adding one is writing one, in the file of its idea. A check asks only
for what it needs and is silent where that could not be read, because the fault
that hid it is a finding of its own. No check changes anything, and none knows
files, wires or screens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from pumpctl.quantities import Rate
from pumpctl.therapy.draft import Draft
from pumpctl.therapy.findings import Fault, Rule, Seen, Severity
from pumpctl.therapy.library import Limits
from pumpctl.therapy.places import Path
from pumpctl.therapy.program import Mode, Program

if TYPE_CHECKING:  # a profile check has no pump, and need not load what one looks like
    from pumpctl.therapy.moment import Moment
    from pumpctl.therapy.state import PumpState


class Case(NamedTuple):
    """What a check of a profile or a program looks at."""

    draft: Draft
    limits: Limits
    with_pump: bool = False

    @property
    def program(self) -> Program | None:
        """The program, where the parts form one."""
        return self.draft.program


class PumpCase(NamedTuple):
    """What a check of a change looks at: the new program beside the pump as it is."""

    draft: Draft
    limits: Limits
    program: Program
    pump: PumpState
    now: Moment
    """The station's clock."""


class Check(NamedTuple):
    """A rule, and the function that sees where it is broken."""

    rule: Rule
    run: Callable[[Case], Iterator[Seen]]


class PumpCheck(NamedTuple):
    """The same, for what needs a pump."""

    rule: Rule
    run: Callable[[PumpCase], Iterator[Seen]]


CHECKS: dict[str, Check] = {}
PUMP_CHECKS: dict[str, PumpCheck] = {}


def check(
    name: str, severity: Severity, *, source: str, why: str
) -> Callable[[Callable[[Case], Iterator[Seen]]], Callable[[Case], Iterator[Seen]]]:
    """Register a check of profiles and programs."""

    def register(run: Callable[[Case], Iterator[Seen]]) -> Callable[[Case], Iterator[Seen]]:
        CHECKS[name] = Check(Rule(name, severity, source, why), run)
        return run

    return register


def pump_check(
    name: str, severity: Severity, *, source: str, why: str
) -> Callable[[Callable[[PumpCase], Iterator[Seen]]], Callable[[PumpCase], Iterator[Seen]]]:
    """Register a check of a change, against a pump."""

    def register(
        run: Callable[[PumpCase], Iterator[Seen]],
    ) -> Callable[[PumpCase], Iterator[Seen]]:
        PUMP_CHECKS[name] = PumpCheck(Rule(name, severity, source, why), run)
        return run

    return register


def run_checks(case: Case) -> Iterable[Fault]:
    """What every check of programs saw."""
    return [Fault(each.rule, seen) for each in CHECKS.values() for seen in each.run(case)]


def run_pump_checks(case: PumpCase) -> Iterable[Fault]:
    """What every check of changes saw."""
    return [Fault(each.rule, seen) for each in PUMP_CHECKS.values() for seen in each.run(case)]


def basal_rates(case: Case) -> Iterator[tuple[Rate, Path]]:
    """Every basal rate that could be read, with its place; what many checks walk over."""
    draft = case.draft
    if draft.mode is Mode.CONTINUOUS and draft.program is not None:
        yield draft.program.days[0][0].rate, ("program", "daily_dose")
    for written in draft.days or ():
        for step in written.steps or ():
            if step.rate is not None:
                yield step.rate, (*step.path, "basal")
