"""Random histories, given to the brute-force rule and to the real one: the verdicts compared.

The limit of each length is chosen by what the oracle has seen: the largest window exactly,
1 ng below or above it, or anywhere. For every length "over" must agree, and where it is
over the mass of the worst window exactly, and that mass must lie where the real rule says.
"""

from __future__ import annotations

from fractions import Fraction
from random import Random

from pumpctl.quantities import Duration, Mass
from pumpctl.therapy import windows
from pumpctl.therapy.course import Course
from tests.oracles import judge_changes, sliding
from tests.oracles.case import real_program
from tests.oracles.draw_histories import a_history
from tests.oracles.odometer import scheduled
from tests.oracles.past import a_limit, piece_of, real_past
from tests.oracles.plain import DAY, HOUR, MINUTE, Program
from tests.oracles.sliding import Grid, History, Worst
from tests.oracles.tally import CASES, Tally

CROSS = 0.01
"""Share of the histories on a grid that the other method of the oracle computes, too."""

REQUIRED = (
    *("on a grid of minutes", "on a grid of one minute", "on two grids, ms apart", "on no grid"),
    *("starts and changes of program", "stops", "boluses", "boluses cut off by a stop"),
    *("scheduled boluses cut off by a stop", "with a bolus running at the decision"),
    *(
        "with a scheduled bolus running",
        "decided: a program",
        "decided: a bolus on a running program",
    ),
    *("decided: both", "decided: a bolus while stopped", "decided: stopped", "minimum rate ahead"),
    *("started in the middle of a scheduled bolus",),
    *(
        "scheduled boluses ahead",
        "nothing was given before",
        "verdicts for 1 h",
        "verdicts for 24 h",
    ),
    *("verdicts for other lengths", "verdicts: over", "verdicts: not over"),
    *("over, the largest in a window that began before", "over, the largest in a window to come"),
    *("over, though a look back alone would pass", "limit: exactly the largest"),
    *("limit: less than 1 ng below", "limit: less than 1 ng above"),
    *("limit: exactly 1 ng below", "limit: exactly 1 ng above", "limit: 1 to 2 ng away"),
    *("limit: within 1 %", "limit: further away", "windows looked at"),
    *("places of the worst window checked", "cross-checked by the oracle's other method"),
    *judge_changes.REQUIRED,
)


def judge(seed: int, index: int, tally: Tally) -> None:
    """Draw one history, decide it twice, compare."""
    dice = Random(f"history {seed} {index}")
    history = a_history(dice)
    tally.add(CASES)
    count_classes(history, tally)
    compare(f"history {seed}/{index}", history, dice, tally)
    judge_changes.judge(f"history {seed}/{index}", history, dice, tally)


def compare(
    case: str, history: History, dice: Random, tally: Tally, limits: list[int] | None = None
) -> None:
    """Both verdicts on one history; `limits` in ng, one for each length, else they are drawn."""
    unit = sliding.unit_of(history)
    grid = Grid(history, unit) if history["grid"] else None
    worst = []
    for length in history["lengths"]:
        found = grid.worst(length) if grid else sliding.straight(history, unit, length)
        if grid:
            tally.add("windows looked at", grid.looked_at)
        if grid and dice.random() < CROSS:
            other = sliding.straight(history, unit, length)
            tally.add("cross-checked by the oracle's other method")
            tally.same(case, "most (the oracle against itself)", other.most, found.most)
        worst.append(found)
    if limits is None:
        limits = [a_limit(dice, Fraction(found.most, unit)) for found in worst]
    real = windows.windows_ahead(
        real_past(history),
        None if history["ahead"] is None else real_program(history["ahead"]),
        history["now"],
        [
            (Duration(length), Mass(limit))
            for length, limit in zip(history["lengths"], limits, strict=True)
        ],
        None if history["bolus"] is None else Course([piece_of(history["bolus"])]),
    )
    said = {over.length.quanta: over for over in real}
    tally.same(case, "one verdict a length", len(real), len(said))
    for length, limit, found in zip(history["lengths"], limits, worst, strict=True):
        count_verdict(tally, length, limit, found, unit)
        over = said.get(length)
        too_much = found.most > limit * unit
        tally.same(case, f"over {limit} ng in {length} ms", too_much, over is not None)
        if over is None or not too_much:
            continue
        most = Fraction(found.most, unit)
        tally.same(case, f"most in {length} ms", most, over.mass)
        tally.same(case, f"limit told for {length} ms", limit, over.limit.quanta)
        if grid:
            held = grid.held(over.start, length)
            tally.add("places of the worst window checked", held is not None)
            if held is not None:
                tally.same(case, f"held in {length} ms from {over.start}", found.most, held)
            if found.most > found.after:
                tally.add("over, the largest in a window that began before")
            else:
                tally.add("over, the largest in a window to come")
            extra = history["bolus"]["dose"] if history["bolus"] else 0
            passes = grid.looked_back(length) + extra * unit <= limit * unit
            tally.add("over, though a look back alone would pass", passes)


def count_classes(history: History, tally: Tally) -> None:
    """What kind of history this is."""
    now, ahead, bolus = history["now"], history["ahead"], history["bolus"]
    if not history["grid"]:
        tally.add("on no grid")
    elif now % history["grid"]:
        tally.add("on two grids, ms apart")
    else:
        one = history["grid"] == MINUTE
        tally.add("on a grid of one minute" if one else "on a grid of minutes")
    tally.add("starts and changes of program", len(history["runs"]))
    tally.add("stops", len(history["stops"]))
    tally.add("boluses", len(history["boluses"]) + (bolus is not None))
    tally.add("nothing was given before", not history["runs"] and not history["boluses"])
    stopped = not history["runs"] or history["runs"][-1]["end"] < now
    for given in history["boluses"]:
        end = given["at"] + given["over"]
        cut = any(given["at"] < stop < end for stop in history["stops"])
        tally.add("boluses cut off by a stop", cut)
        tally.add("with a bolus running at the decision", not cut and end > now)
    for run in history["runs"]:
        stopped_at = run["end"] in history["stops"]
        if any(
            end > run["end"] for end in ends_of_boluses(run["program"], run["start"], run["end"])
        ):
            tally.add("scheduled boluses cut off by a stop", stopped_at)
            tally.add("with a scheduled bolus running", not stopped_at and run["end"] == now)
    if ahead is None:
        tally.add("decided: stopped" if bolus is None else "decided: a bolus while stopped")
        return
    tally.add("minimum rate ahead", ahead["mode"] == "minimum-rate")
    tally.add("scheduled boluses ahead", len(ahead["boluses"]))
    would_run = any(end > now for end in ends_of_boluses(ahead, now - DAY, now))
    began = not stopped and ahead is history["runs"][-1]["program"]
    tally.add("started in the middle of a scheduled bolus", would_run and not began)
    if bolus is None:
        tally.add("decided: a program")
    elif began:
        tally.add("decided: a bolus on a running program")
    else:
        tally.add("decided: both")


def ends_of_boluses(program: Program, start: int, end: int) -> list[int]:
    """The ends of the scheduled boluses that start in a run."""
    return [at + over for at, over, _ in scheduled(program, start, end)]


def count_verdict(tally: Tally, length: int, limit: int, found: Worst, unit: int) -> None:
    """Which verdict this was, and how close it came."""
    names = {HOUR: "verdicts for 1 h", DAY: "verdicts for 24 h"}
    tally.add(names.get(length, "verdicts for other lengths"))
    tally.add("verdicts: over" if found.most > limit * unit else "verdicts: not over")
    away = limit * unit - found.most
    if away == 0:
        tally.add("limit: exactly the largest")
    elif abs(away) < unit:
        tally.add("limit: less than 1 ng below" if away < 0 else "limit: less than 1 ng above")
    elif abs(away) == unit:
        tally.add("limit: exactly 1 ng below" if away < 0 else "limit: exactly 1 ng above")
    elif abs(away) <= 2 * unit:
        tally.add("limit: 1 to 2 ng away")
    elif abs(away) * 100 <= found.most:
        tally.add("limit: within 1 %")
    else:
        tally.add("limit: further away")
