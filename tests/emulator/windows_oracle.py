"""The pump's window rule against looking at every window: random histories, drawn from a seed.

What was and will be given is followed slot by slot from the raw program and a plain list of
events, sharing nothing with the engine; a window's mass is the sum of its slots. Most cases
lie on a grid of ten minutes; some have two grids, milliseconds apart, and are summed piece by
piece. All integers are in 1/86 400 000 ng, so that ng/day is a slope a millisecond.

`python -m tests.emulator.windows_oracle COUNT SEED [FIRST]` exits with 1 on a difference,
and where a class of cases never came up.
"""

from __future__ import annotations

import sys
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import NamedTuple

from pumpctl.emulator.engine import past as pasts
from pumpctl.emulator.engine.ahead import Ahead, Asked, Play, Steady
from pumpctl.emulator.engine.past import Past
from pumpctl.emulator.engine.schedule import Schedule
from pumpctl.emulator.engine.windows import largest, over_window
from pumpctl.emulator.memory.retained import Bolus, Span
from pumpctl.wire.codes import BolusKind, Drug, Mode
from pumpctl.wire.program import Program, ScheduledBolus, Step

SLOT = 600_000
HOUR = 6 * SLOT
DAY = 144 * SLOT
LEAST_FLOW = 48_000
OVERS = (1, 1, 2, 3, 6, 12, 36, 72, 144)
"""Slots; each divides a day."""
LENGTHS = (HOUR, DAY)

Given = tuple[int, int, int]
"""(start, end, slope); ms from now."""


class Future(NamedTuple):
    """One side of a case: the plays as (program or ng/day, until or None in label ms)."""

    plays: tuple[tuple[Program | int, int | None], ...]
    bolus: tuple[int, int] | None


class Case(NamedTuple):
    """Everything that a verdict depends on."""

    now: int
    local: int
    past: Past
    before: list[Given]
    """What the past really held, and still gives."""
    running: tuple[Bolus, ...]
    served: tuple[Span, ...]
    ahead: Future
    without: Future | None


# --- drawing -----------------------------------------------------------------------------


def a_program(dice: Random) -> Program:
    concentration = dice.choice((500, 1000, 2000))
    if dice.random() < 0.05:
        return Program(
            1, Mode.MINIMUM_RATE, Drug.BACLOFEN, concentration,
            LEAST_FLOW * concentration // 1000, ((),) * 7, (), None, 0,
        )  # fmt: skip
    kinds = [_steps(dice) for _ in range(dice.choice((1, 1, 2, 3)))]
    days = tuple(dice.choice(kinds) for _ in range(7))
    boluses = []
    if dice.random() < 0.7:
        most = dice.choice((1, 3, 8, 24))
        for day in range(7):
            starts = dice.sample(range(0, 1440, 10), dice.randrange(most + 1))
            boluses += [
                ScheduledBolus(day, at, dice.randrange(1, 200_000), dice.choice(OVERS) * SLOT)
                for at in sorted(starts)
            ]
    return Program(
        1, Mode.FLEX, Drug.BACLOFEN, concentration, 100_000, days, tuple(boluses), None, 0
    )


def _steps(dice: Random) -> tuple[Step, ...]:
    starts = sorted({0, *(dice.randrange(0, 1440, 10) for _ in range(dice.randrange(5)))})
    return tuple(Step(start, dice.randrange(24_000, 2_000_000)) for start in starts)


def a_history(dice: Random, now: int) -> tuple[Past, list[Given], tuple[Bolus, ...]]:
    """Thirty hours of events at whole slots: as the pump notes them, and as they were."""
    past, given, running = pasts.EMPTY, list[Given](), list[Bolus]()
    rate, since = 0, -180 * SLOT
    busy = dice.choice((0.0, 0.01, 0.05, 0.2))
    for at in range(-180 * SLOT, SLOT, SLOT):
        running = [each for each in running if each.started + each.over > now + at]
        if dice.random() < busy or at == -180 * SLOT:
            new = dice.choice((0, rate, dice.randrange(24_000, 3_000_000)))
            given.append((since, at, rate))
            past, rate, since = pasts.note_rate(past, now + at, new), new, at
        if running and dice.random() < busy:
            ended = running.pop(dice.randrange(len(running)))
            start = ended.started - now
            given.remove((start, start + ended.over, ended.dose * DAY // ended.over))
            given.append((start, at, ended.dose * DAY // ended.over))
            past = pasts.note_ended(
                past, now + at, started=ended.started, dose=ended.dose, over=ended.over
            )
        if len(running) < 3 and dice.random() < busy:
            dose, over = dice.randrange(1, 300_000), dice.choice(OVERS) * SLOT
            past = pasts.note_started(past, now + at, dose, over)
            running.append(Bolus(BolusKind.SINGLE, dose, over, 500, now + at, 0, 0, bytes(16), 0))
            given.append((at, at + over, dose * DAY // over))
    given.append((since, 0, rate))
    return pasts.trimmed(past, now), given, tuple(running)


def a_future(dice: Random, local: int) -> Future:
    plays: list[tuple[Program | int, int | None]] = []
    if dice.random() < 0.95:
        until = local // SLOT * SLOT
        for _ in range(dice.choice((0, 0, 0, 0, 1, 1, 2))):
            until += dice.choice((1, 6, 30, 144, 250)) * SLOT
            plays.append((_basis(dice), until))
        plays.append((_basis(dice), None))
    bolus = None
    if dice.random() < 0.5:
        bolus = dice.randrange(1, 400_000), dice.choice(OVERS) * SLOT
    return Future(tuple(plays), bolus)


def _basis(dice: Random) -> Program | int:
    return dice.randrange(3_000_000) if dice.random() < 0.1 else a_program(dice)


def a_case(dice: Random) -> Case:
    now = 10**9 + dice.randrange(10**9)
    local = dice.randrange(144 * 3_000) * SLOT
    if dice.random() < 0.03:
        local += dice.randrange(1, SLOT)
    past, before, running = a_history(dice, now)
    ahead = a_future(dice, local)
    without = None
    kind = dice.random()
    if kind < 0.2:
        without = Future(ahead.plays, None)
    elif kind < 0.5:
        without = a_future(dice, local)._replace(bolus=None)
    served: tuple[Span, ...] = ()
    if dice.random() < 0.2:
        first = local + dice.randrange(-HOUR, 8 * HOUR)
        served = (Span(first, first + dice.randrange(6 * HOUR)),)
    return Case(now, local, past, before, running, served, ahead, without)


# --- what is really given ----------------------------------------------------------------


def followed(case: Case, future: Future, end: int) -> tuple[list[Given], int]:
    """What is given after now up to `end` at least; and when all but the last play is over."""
    found, settled = list[Given](), 0
    first = case.local
    if future.bolus is not None:
        dose, over = future.bolus
        found.append((0, over, dose * DAY // over))
        settled = over
    for place, (basis, until) in enumerate(future.plays):
        last = case.local + end if until is None else until
        label = first // SLOT * SLOT
        scheduled = {} if isinstance(basis, int) else {(b.day, b.at): b for b in basis.boluses}
        while label <= last:
            start, stop = max(label, first), min(label + SLOT, last)
            if stop > start:
                found.append((start - case.local, stop - case.local, _rate(basis, label)))
            turn = label > case.local or (place > 0 and label == case.local)
            bolus = scheduled.get(_place(label))
            had = any(span.first <= label <= span.last for span in case.served)
            if bolus is not None and turn and label >= first and not had:
                stop = label + bolus.over - case.local
                found.append((label - case.local, stop, bolus.dose * DAY // bolus.over))
                settled = settled if until is None else max(settled, stop)
            label += SLOT
        if until is not None:
            settled = max(settled, last - case.local)
            first = last
    return found, settled


def _place(label: int) -> tuple[int, int]:
    """Weekday and minute; 1970-01-01 was a Thursday."""
    return (label // DAY + 3) % 7, label % DAY // 60_000


def _rate(basis: Program | int, label: int) -> int:
    if isinstance(basis, int):
        return basis
    if basis.mode is Mode.MINIMUM_RATE:
        return basis.fallback
    day, minute = _place(label)
    return [step.rate for step in basis.days[day] if step.start <= minute][-1]


# --- every window --------------------------------------------------------------------------


def on_grid(given: list[Given], length: int, last: int) -> list[int]:
    """Masses of the windows that begin at each slot from `-length` to `last`."""
    slots = [0] * ((last + 2 * length) // SLOT)
    for start, end, slope in given:
        for place in range((max(start, -length) + length) // SLOT, (end + length) // SLOT):
            if place < len(slots):
                slots[place] += slope * SLOT
    size = length // SLOT
    return [sum(slots[first : first + size]) for first in range((last + length) // SLOT + 1)]


def piecewise(given: list[Given], length: int, starts: list[int]) -> list[int]:
    """The same for any starts, piece by piece."""
    return [
        sum(
            slope * max(0, min(end, start + length) - max(begin, start))
            for begin, end, slope in given
        )
        for start in starts
    ]


def supremum(new: list[int], old: list[int] | None) -> Fraction:
    """The most of what `new` goes through in straight lines, where it is above `old`."""
    if old is None:
        return Fraction(max(new), DAY)
    most = Fraction(max((a for a, p in zip(new, old, strict=True) if a > p), default=0))
    for (a, p), (b, q) in pairwise(zip(new, old, strict=True)):
        if (a > p) != (b > q):
            most = max(most, a + Fraction((p - a) * (b - a), (b - q) - (a - p)))
    return most / DAY


def truth(case: Case, length: int) -> Fraction:
    """What `largest` is to say."""
    futures = [case.ahead] if case.without is None else [case.ahead, case.without]
    ends = [bolus.started + bolus.over - case.now for bolus in case.running]
    last = max([0, *ends, *(followed(case, future, 0)[1] for future in futures)])
    sides = [case.before + followed(case, future, last + length)[0] for future in futures]
    if case.local % SLOT == 0:
        masses = [on_grid(side, length, last) for side in sides]
    else:
        edges = {edge for side in sides for start, end, _ in side for edge in (start, end)}
        places = {-length, last, *edges, *(edge - length for edge in edges)}
        starts = sorted(place for place in places if -length <= place <= last)
        masses = [piecewise(side, length, starts) for side in sides]
    return supremum(masses[0], masses[1] if len(masses) > 1 else None)


# --- the comparison ------------------------------------------------------------------------


def asked(case: Case, future: Future) -> Ahead:
    """The same as the engine takes it."""
    plays = tuple(
        Play(Steady(basis), 500, until)
        if isinstance(basis, int)
        else Play(Schedule(basis, LEAST_FLOW), basis.concentration, until)
        for basis, until in future.plays
    )
    bolus = None if future.bolus is None else Asked(*future.bolus)
    return Ahead(case.now, case.local, plays, case.running, bolus, case.served)


def judge(seed: int, index: int, tally: Counter[str]) -> list[str]:
    """One case; what was told differently."""
    dice = Random(f"pump windows {seed} {index}")
    case = a_case(dice)
    ahead = asked(case, case.ahead)
    without = None if case.without is None else asked(case, case.without)
    count(case, tally)
    faults, worst = list[str](), list[Fraction]()
    for length in LENGTHS:
        most = largest(case.past, ahead, length, without)
        worst.append(truth(case, length))
        if Fraction(most.num, most.den) != worst[-1]:
            faults.append(f"{seed}/{index}: {length} ms: {most} for {worst[-1]}")
    limits = [_limit(dice, each, tally) for each in worst]
    over = over_window(case.past, ahead, hour=limits[0], day=limits[1], without=without)
    real = [
        (length, -(-each.numerator // each.denominator))
        for length, each, limit in zip(LENGTHS, worst, limits, strict=True)
        if each > limit
    ]
    tally["verdicts: over" if real else "verdicts: not over"] += 1
    if (over is None) == bool(real) or (over is not None and tuple(over) != real[0]):
        faults.append(f"{seed}/{index}: {over} for {real}")
    now_only = piecewise(case.before, HOUR, [-HOUR])[0]
    if worst[0] > limits[0] and now_only <= limits[0] * DAY:
        tally["over, though a look back alone would pass"] += 1
    if not real and now_only > limits[0] * DAY:
        tally["not over: what was too much already is made no larger"] += 1
    if any((each * 144).denominator > 1 for each in worst):
        tally["the bound lies where a window stops being larger"] += 1
    return faults


def _limit(dice: Random, most: Fraction, tally: Counter[str]) -> int:
    """ng: exactly the largest window, one off, or anything."""
    near = dice.choice((0, 0, 1, -1, None))
    if near is None:
        return dice.randrange(1, 4_000_000)
    tally["limits within 1 ng of the largest window"] += 1
    return max(0, -(-most.numerator // most.denominator) + near)


def count(case: Case, tally: Counter[str]) -> None:
    """Which classes of cases came up."""
    plays = case.ahead.plays
    both = [each for each in (case.ahead, case.without) if each is not None]
    seen = {
        "with a bolus asked": case.ahead.bolus is not None,
        "with a bolus running": bool(case.running),
        "with boluses in the past": bool(case.past.boluses),
        "with changes of the rate in the past": len(case.past.basal) > 2,
        "plays that change": len(plays) > 1,
        "stopped ahead": not plays,
        "minimum rate ahead": any(
            not isinstance(basis, int) and basis.mode is Mode.MINIMUM_RATE
            for each in both
            for basis, _ in each.plays
        ),
        "labels that were served": bool(case.served),
        "against what would be given otherwise": case.without is not None,
        "on a grid": case.local % SLOT == 0,
        "on two grids, ms apart": case.local % SLOT != 0,
    }
    tally.update(name for name, there in seen.items() if there)


REQUIRED = (
    "with a bolus asked", "with a bolus running", "with boluses in the past",
    "with changes of the rate in the past", "plays that change", "stopped ahead",
    "minimum rate ahead", "labels that were served", "against what would be given otherwise",
    "on a grid", "on two grids, ms apart", "verdicts: over", "verdicts: not over",
    "over, though a look back alone would pass",
    "not over: what was too much already is made no larger",
    "the bound lies where a window stops being larger", "limits within 1 ng of the largest window",
)  # fmt: skip


def main(count: int, seed: int, first: int = 0) -> int:
    """Judge so many cases and tell; 0 where all agree and every class came up."""
    tally: Counter[str] = Counter()
    faults = list[str]()
    for index in range(first, first + count):
        faults += judge(seed, index, tally)
    missing = [name for name in REQUIRED if not tally[name]]
    lines = [
        f"the pump's window rule: seed {seed}, cases {first} to {first + count - 1}",
        *(f"{tally[name]:>9} {name}" for name in REQUIRED),
        *(f"DIFFERENCE {fault}" for fault in faults[:20]),
        *(f"NEVER EXERCISED: {name}" for name in missing),
        f"{len(faults)} differences",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if faults or missing else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
