"""The forward-looking window rule (LIM-05): the most in any sliding window that is still open.

A window counts as soon as it reaches into the future, with all that lies in it:
what was metered before, and all that will be. A rule that only looks back lets
a bolus pass that a later window cannot hold. Mass over time is piecewise linear
and held as integers over one common denominator; a window's mass is then linear
between the instants at which it begins or ends where a rate changes, so that
these decide exactly.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import gcd, lcm

from pumpctl.emulator.engine.ahead import Ahead, Piece, pieces, settled
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS
from pumpctl.emulator.engine.exact import ZERO, Ratio, ratio
from pumpctl.emulator.engine.past import Past
from pumpctl.named import NamedTuple


class Over(NamedTuple):
    """A window that holds too much."""

    length: int
    """ms"""
    amount: int
    """ng, rounded up"""


def over_window(
    past: Past, ahead: Ahead, *, hour: int, day: int, without: Ahead | None = None
) -> Over | None:
    """The first of the two lengths whose largest window is above its limit (ng), if any is."""
    for length, limit in ((HOUR_MS, hour), (DAY_MS, day)):
        most = largest(past, ahead, length, without)
        if most.above(limit):
            return Over(length, most.up())
    return None


def largest(past: Past, ahead: Ahead, length: int, without: Ahead | None = None) -> Ratio:
    """The least upper bound of what windows of `length` ms hold that reach past `now`, ng.

    Judged are all that touch anything that passes (see `ahead`). With `without`,
    which is the future if the act were refused, only windows that the act makes
    larger: what was given already is no reason to refuse a reduction. Nothing
    where there is no such window.
    """
    now = ahead.now
    until = settled(ahead) + length
    if without is not None:
        until = max(until, settled(without) + length)
    before = list(_before(past, now, now - length))
    new = [*before, *pieces(ahead, until)]
    old = None if without is None else [*before, *pieces(without, until)]
    unit = lcm(*(_lowest(piece) for piece in (*new, *(old or ()))))
    course = _Course(new, unit)
    if old is None:
        starts = _starts(course.times, length, now, until)
        return ratio(max(course.window(start, length) for start in starts), unit)
    other = _Course(old, unit)
    starts = _starts({*course.times, *other.times}, length, now, until)
    masses = [(course.window(start, length), other.window(start, length)) for start in starts]
    most = ZERO
    for (new_a, old_a), (new_b, old_b) in pairwise(masses):
        found = _most_where_larger(new_a, new_b, new_a - old_a, new_b - old_b)
        if found is not None and found.num * most.den > most.num * found.den * unit:
            most = ratio(found.num, found.den * unit)
    return most


def _most_where_larger(a: int, b: int, more_a: int, more_b: int) -> Ratio | None:
    """The bound of what goes evenly from a to b, while what goes from more_a to more_b is > 0."""
    if more_a <= 0 and more_b <= 0:
        return None
    most = max([each for each, more in ((a, more_a), (b, more_b)) if more > 0])
    if (more_a > 0) == (more_b > 0):
        return ratio(most)
    # At the zero between: a + (b - a) * more_a / (more_a - more_b).
    apart = abs(more_a - more_b)
    crossing = ratio(a * abs(more_b) + b * abs(more_a), apart)
    return crossing if crossing.above(most) else ratio(most)


def _before(past: Past, now: int, since: int) -> Iterator[Piece]:
    """The past from `since` to `now` as pieces."""
    ends = [each.since for each in past.basal[1:]] + [now]
    for basal, end in zip(past.basal, ends, strict=False):
        if end > since:
            yield Piece(max(since, basal.since), min(end, now), basal.rate, DAY_MS)
    for bolus in past.boluses:
        if bolus.end > since:
            yield Piece(max(since, bolus.start), min(bolus.end, now), bolus.dose, bolus.over)


def _lowest(piece: Piece) -> int:
    """The denominator of its rate in lowest terms."""
    return piece.over // gcd(piece.dose, piece.over)


def _starts(times: Iterable[int], length: int, now: int, until: int) -> list[int]:
    """Where windows begin that may be the largest, in order, the first and the last included."""
    first, last = now - length, until - length
    found = {first, last}
    for time in times:
        found.add(time)
        found.add(time - length)
    return sorted(start for start in found if first <= start <= last)


class _Course:
    """Cumulative mass, over a common denominator."""

    def __init__(self, given: Iterable[Piece], unit: int) -> None:
        change: dict[int, int] = {}
        for start, end, dose, over in given:
            slope = dose * unit // over
            change[start] = change.get(start, 0) + slope
            change[end] = change.get(end, 0) - slope
        self.times = sorted(time for time, slope in change.items() if slope)
        self._masses, self._slopes = [0], [0]
        for earlier, time in pairwise([*self.times[:1], *self.times]):
            self._masses.append(self._masses[-1] + self._slopes[-1] * (time - earlier))
            self._slopes.append(self._slopes[-1] + change[time])

    def window(self, start: int, length: int) -> int:
        """The mass in the window that begins here."""
        return self._mass(start + length) - self._mass(start)

    def _mass(self, time: int) -> int:
        place = bisect_right(self.times, time)
        if place == 0:
            return 0
        return self._masses[place] + self._slopes[place] * (time - self.times[place - 1])
