"""The one list of checks: each a small function that knows its id, severity, source and why.

A check is a generator over a `Case`: it yields what it saw beside its limit, or
nothing. Adding one is writing one, in the file of its idea. A check asks only
for what it needs and is silent where that could not be read, because the fault
that hid it is a finding of its own. No check changes anything, and none knows
files, wires or screens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pumpctl.named import NamedTuple
from pumpctl.quantities import Rate
from pumpctl.therapy.draft import Draft, PlacedBolus
from pumpctl.therapy.figures import Figures
from pumpctl.therapy.findings import Fault, Rule, Seen, Severity
from pumpctl.therapy.library import Library, Limits
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.places import Path
from pumpctl.therapy.program import Mode, Program

if TYPE_CHECKING:  # a profile check has no pump, and need not load what one looks like
    from pumpctl.therapy.moment import Moment
    from pumpctl.therapy.past import Past
    from pumpctl.therapy.state import PumpState


class DayDose(NamedTuple):
    """The exact ng of a day, and where they are declared."""

    day: int
    dose: Fraction
    path: Path


class Case:
    """What a check of a profile or a program looks at; what many ask for is computed once."""

    def __init__(self, draft: Draft, library: Library = DEFAULT, *, with_pump: bool = False):
        self.draft = draft
        self.library = library
        self.with_pump = with_pump
        self.limits: Limits = library.nearest(draft.drug, draft.concentration)
        """The library's limits for this drug and concentration, or the nearest to them."""

    @property
    def program(self) -> Program | None:
        """The program, where the parts form one."""
        return self.draft.program

    @cached_property
    def figures(self) -> Figures | None:
        """What the program adds up to, where there is one."""
        return Figures(self.draft.program) if self.draft.program is not None else None

    @cached_property
    def days(self) -> tuple[DayDose, ...]:
        """Each day's dose; of days that are alike and declared in one place only the first."""
        found: list[DayDose] = []
        for day, dose in enumerate(self.figures.doses if self.figures else ()):
            path = self.draft.dose_path(day)
            if not any(each.dose == dose and each.path == path for each in found):
                found.append(DayDose(day, dose, path))
        return tuple(found)

    @cached_property
    def placed(self) -> list[PlacedBolus] | None:
        """Every scheduled bolus of the week in order; None where one could not be read."""
        return self.draft.placed_boluses()


class PumpCase(NamedTuple):
    """What a check of a change looks at: the new program beside the pump as it is."""

    draft: Draft
    library: Library
    program: Program
    pump: PumpState
    now: Moment
    """The station's clock."""
    past: Past | None = None
    """What is known of the course until now; None: nothing."""
    changed: int | None = None
    """Without a `past`: the pump's count at which somebody changed the program, to what is
    not known, within the last 24 hours."""

    @property
    def limits(self) -> Limits:
        """The library's limits for the new program's drug, or the nearest to them."""
        return self.library.nearest(self.program.drug, self.program.concentration)


C = TypeVar("C")


class Check(NamedTuple, Generic[C]):
    """A rule, and the function that sees where it is broken."""

    rule: Rule
    run: Callable[[C], Iterator[Seen]]


EVERY_KIND: list[Checks[Any]] = []
"""All kinds of case; a new kind of order adds its own."""


class Checks(Generic[C]):
    """The checks of one kind of case, by id; called, it registers one more."""

    def __init__(self) -> None:
        self.by_id: dict[str, Check[C]] = {}
        EVERY_KIND.append(self)

    def __call__(
        self, name: str, severity: Severity, *, source: str, why: str, incident: str = ""
    ) -> Callable[[Callable[[C], Iterator[Seen]]], Callable[[C], Iterator[Seen]]]:
        """Register a check under its id."""

        def register(run: Callable[[C], Iterator[Seen]]) -> Callable[[C], Iterator[Seen]]:
            self.by_id[name] = Check(Rule(name, severity, source, why, incident), run)
            return run

        return register

    def run(self, case: C) -> list[Fault]:
        """What every check of this kind saw."""
        return [Fault(each.rule, seen) for each in self.by_id.values() for seen in each.run(case)]


check = Checks[Case]()
"""Of profiles and programs."""
pump_check = Checks[PumpCase]()
"""Of a change, against a pump."""


def basal_rates(case: Case) -> Iterator[tuple[Rate, Path]]:
    """Every basal rate that could be read, with its place; what many checks walk over."""
    draft = case.draft
    if draft.mode is Mode.CONTINUOUS and draft.program is not None:
        yield draft.program.days[0][0].rate, ("program", "daily_dose")
    for written in draft.days or ():
        for step in written.steps or ():
            if step.rate is not None:
                yield step.rate, (*step.path, "basal")
