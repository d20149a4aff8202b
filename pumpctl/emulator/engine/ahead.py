"""What will be given from now on if nothing more is asked of the pump: pieces of even mass.

A candidate, a running bolus and a change of programs *pass*: from a certain
instant on the last program plays alone, and its own week is judged elsewhere.
The past is in `past`; no limit is known here. Instants are readings of the
counter, labels are local ms since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm

from pumpctl.emulator.engine.clock import DAY_MS
from pumpctl.emulator.engine.exact import Ratio, ratio
from pumpctl.emulator.engine.schedule import Schedule
from pumpctl.emulator.memory.retained import Bolus, Span
from pumpctl.named import NamedTuple


class Piece(NamedTuple):
    """From `start` to `end` evenly, `dose` ng in every `over` ms."""

    start: int
    end: int
    dose: int
    over: int


class Steady(NamedTuple):
    """One rate for ever, ng/day: a fallback."""

    rate: int


class Play(NamedTuple):
    """What is played until a local label; the last one has none."""

    basis: Schedule | Steady
    concentration: int
    """pg/nL at which it, and every bolus meanwhile, is metered."""
    until: int | None = None


class Asked(NamedTuple):
    """A bolus that would start now: ng, evenly over ms."""

    dose: int
    over: int


class Ahead(NamedTuple):
    """The future from `now` on. Without plays the pump is stopped."""

    now: int
    """Counter."""
    local: int
    """The label that belongs to it; what was scheduled until then has had its turn."""
    plays: tuple[Play, ...]
    running: tuple[Bolus, ...] = ()
    """What is still to come of them counts here; the past ends at `now`."""
    bolus: Asked | None = None
    served: tuple[Span, ...] = ()
    """Labels, both ends included, whose boluses had their turn before a clock set."""


class Stretch(NamedTuple):
    """One play, and when it plays."""

    start: int
    end: int
    play: Play


def stretches(ahead: Ahead, until: int) -> list[Stretch]:
    """Which play when, as far as `until`."""
    found = []
    start = ahead.now
    for play in ahead.plays:
        end = until if play.until is None else play.until - ahead.local + ahead.now
        if min(until, end) > start:
            found.append(Stretch(start, min(until, end), play))
            start = end
    return found


def settled(ahead: Ahead) -> int:
    """From here on the last play goes on alone, all else has ended."""
    return max((ahead.now, *(piece.end for piece in _passing(ahead))))


def pieces(ahead: Ahead, until: int) -> list[Piece]:
    """All that is given up to `until`, which is not before `settled`; some end after it."""
    found = list(_passing(ahead))
    for stretch in stretches(ahead, until):
        if stretch.play.until is None:
            found += _played(ahead, stretch)
    return found


def _passing(ahead: Ahead) -> Iterator[Piece]:
    for bolus in ahead.running:
        yield Piece(ahead.now, bolus.started + bolus.over, bolus.dose, bolus.over)
    if ahead.bolus is not None:
        yield Piece(ahead.now, ahead.now + ahead.bolus.over, *ahead.bolus)
    last = max((play.until for play in ahead.plays if play.until is not None), default=ahead.local)
    for stretch in stretches(ahead, last - ahead.local + ahead.now):
        yield from _played(ahead, stretch)


def _played(ahead: Ahead, stretch: Stretch) -> Iterator[Piece]:
    """Basal, and the boluses that start in it.

    A bolus at the very label at which plays change counts in both: which of the
    two gives it is a matter of the engine's order within one millisecond.
    """
    basis = stretch.play.basis
    if isinstance(basis, Steady):
        yield Piece(stretch.start, stretch.end, basis.rate, DAY_MS)
        return
    shift = ahead.local - ahead.now
    time, last = stretch.start + shift, stretch.end + shift
    before = time if stretch.start == ahead.now else time - 1
    while time < last:
        change = min(last, basis.next_change(time))
        flow = basis.flow(time)
        rate = ratio(flow.num * stretch.play.concentration, flow.den * 1_000)
        yield Piece(time - shift, change - shift, *rate)
        time = change
    while (due := basis.next_bolus(before)) is not None and due.start <= last:
        before = due.start
        if not any(span.first <= due.start <= span.last for span in ahead.served):
            start = due.start - shift
            yield Piece(start, start + due.bolus.over, due.bolus.dose, due.bolus.over)


def peak(given: list[Piece], start: int, end: int) -> Ratio:
    """The highest dose rate at any instant from `start` until before `end`, ng/ms."""
    unit = lcm(*(piece.over for piece in given))
    change: dict[int, int] = {}
    for piece in given:
        slope = piece.dose * (unit // piece.over)
        change[piece.start] = change.get(piece.start, 0) + slope
        change[piece.end] = change.get(piece.end, 0) - slope
    most = rate = sum(slope for time, slope in change.items() if time <= start)
    for time in sorted(change):
        if start < time < end:
            rate += change[time]
            most = max(most, rate)
    return ratio(most, unit)
