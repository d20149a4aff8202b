"""How far a dose can be moved before the checks refuse the program that comes of it.

Flow, windows and rates know no percentages: only the checks themselves say where
they end. So the checks are asked, dose by dose, by halving; the answer is exact
to 1 ng. What the label or the library permits is not known here.
"""

from __future__ import annotations

from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Rate, round_down, round_up
from pumpctl.therapy.checks import check_program
from pumpctl.therapy.checks.registry import check
from pumpctl.therapy.figures import daily_doses, largest_day
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Library
from pumpctl.therapy.program import Program
from pumpctl.therapy.scaling import Scaling


class Hard(NamedTuple):
    """The last dose whose program has no hard finding, and the first finding beyond it."""

    dose: Rate
    id: str
    source: str
    message: str
    changes: bool
    """Whether the program of `dose` is another one than the present one."""


def hard_beyond(scaling: Scaling, reach: int, library: Library) -> Hard | None:
    """Where a hard finding begins between the present dose and `reach` ng; None: nowhere.

    A hard finding that the present program has already does not count. `reach`
    itself is judged, and the side on which it lies gives the direction.
    """
    known = {found.id for found in _hard(scaling.program, library)}
    present = largest_day(scaling.program)
    good = round_down(present) if reach >= present else round_up(present)
    told = _new(scaling, reach, library, known)
    if told is None:
        return None
    bad = reach
    while abs(bad - good) > 1:
        middle = (bad + good) // 2
        found = _new(scaling, middle, library, known)
        if found is None:
            good = middle
        else:
            bad, told = middle, found
    made = scaling.applied(scaling.factor(good))
    changes = daily_doses(made) != daily_doses(scaling.program)
    return Hard(Rate(good), told.id, told.source, told.message, changes)


def _new(scaling: Scaling, dose: int, library: Library, known: set[str]) -> Finding | None:
    """The first hard finding of the program of this dose that the present one has not."""
    made = scaling.applied(max(Fraction(0), scaling.factor(dose)))
    if any(not step.rate for steps in made.days for step in steps):  # as `program_for` has it
        rule = check.by_id["ZERO_RATE"].rule
        return Finding(rule.id, rule.severity, "nothing is left for a basal rate", rule.source)
    return next((each for each in _hard(made, library) if each.id not in known), None)


def _hard(program: Program, library: Library) -> list[Finding]:
    found = check_program(program, library)
    return [each for each in found if each.severity is Severity.HARD]
