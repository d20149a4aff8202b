"""A change of program beside going on: which windows it makes worse, and how full they are.

The real rule (`windows_worse`) is about windows that hold anything of the past, or start
before the schedule by itself is all that is given. Over is a window that holds more than
its limit *and* more than it would if what runs now went on (or the pump stayed stopped).
The oracle adds both courses up from point to point of one grid and looks at every window
that starts or ends on it; between two neighbours both grow or fall evenly.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import lcm
from random import Random

from pumpctl.quantities import Duration, Mass
from pumpctl.therapy import windows
from tests.oracles import sliding
from tests.oracles.case import real_program
from tests.oracles.past import a_limit, real_past
from tests.oracles.plain import Program
from tests.oracles.sliding import Grid, History
from tests.oracles.tally import Tally

REQUIRED = (
    *("changes: looked at beside going on", "changes: from one program to another"),
    *("changes: from stopped", "changes: over", "changes: not over, but worse"),
    *("changes: no window worse", "changes: worst where both hold the same"),
)


def running(history: History) -> Program | None:
    """The program that runs at the decision; None for a stopped pump."""
    now, runs = history["now"], history["runs"]
    ends_now = runs and runs[-1]["end"] == now and now not in history["stops"]
    return runs[-1]["program"] if ends_now else None


def judge(case: str, history: History, dice: Random, tally: Tally) -> None:
    """Decide on the program of one history alone, without its bolus."""
    ahead, left = history["ahead"], running(history)
    if not history["grid"] or ahead is None:
        return
    new, old = history.copy(), history.copy()
    new["bolus"] = old["bolus"] = None
    old["ahead"] = left
    unit = lcm(sliding.unit_of(new), sliding.unit_of(old))
    last = max(sliding.settled(new), sliding.settled(old))
    changed, going_on = Grid(new, unit, old, last), Grid(old, unit, new, last)
    tally.add("changes: looked at beside going on")
    tally.add("changes: from stopped" if left is None else "changes: from one program to another")
    most = [worst(changed.each(length), going_on.each(length)) for length in history["lengths"]]
    limits = [a_limit(dice, (found or Fraction(0)) / unit) for found in most]
    real = windows.windows_worse(
        real_past(history),
        real_program(ahead),
        None if left is None else real_program(left),
        history["now"],
        [
            (Duration(length), Mass(limit))
            for length, limit in zip(history["lengths"], limits, strict=True)
        ],
    )
    said = {over.length.quanta: over.mass for over in real}
    for length, limit, found in zip(history["lengths"], limits, most, strict=True):
        mass = None if found is None else found / unit
        over = mass if mass is not None and mass > limit else None
        tally.same(case, f"changed, over {limit} ng in {length} ms", over, said.get(length))
        if mass is None:
            tally.add("changes: no window worse")
        else:
            tally.add("changes: not over, but worse" if over is None else "changes: over")
            tally.add("changes: worst where both hold the same", _crossing(found))


def _crossing(found: Fraction | None) -> bool:
    """Whether it lies between two points of the grid: there it is seldom whole."""
    return found is not None and found.denominator != 1


def worst(changed: list[int], going_on: list[int]) -> Fraction | None:
    """The fullest window of those that the change makes fuller, in parts of 1 ng.

    None where there is none. Where the two lines cross, the windows just beside it count.
    """
    found: list[Fraction] = []
    rows = [(new, new - old) for new, old in zip(changed, going_on, strict=True)]
    for (new, more), (new_then, more_then) in pairwise(rows):
        if more <= 0 and more_then <= 0:
            continue
        found += [
            Fraction(held) for held, ahead in ((new, more), (new_then, more_then)) if ahead > 0
        ]
        if more <= 0 or more_then <= 0:
            found.append(new + (new_then - new) * Fraction(more, more - more_then))
    return max(found, default=None)
