"""The doses of the last day, rebuilt from the log by a pump that has lost its memory (LIM-05).

Never less than was given, as far as the log tells: between two hours the higher of
their rates counts, where the program does not say when it changed; and what may
have been given after the log's last word counts as given. Two things it cannot tell:
a program that ran for less than an hour, and the hour in which the clock was set.
No limit is known here.
"""

from __future__ import annotations

from itertools import pairwise

from pumpctl.emulator.core import Core
from pumpctl.emulator.engine import past as history
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS
from pumpctl.emulator.engine.past import KEPT_MS, Past
from pumpctl.emulator.engine.schedule import Schedule
from pumpctl.emulator.starting import lost_log
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Kind, LogKind
from pumpctl.wire.logentry import LogEntry

_LOOK_BACK_MS = KEPT_MS + DAY_MS
"""A bolus that reaches into the time that is kept began at most a day before it."""
_CHANGES_RATE = frozenset({Kind.PROGRAM, Kind.REFILL, Kind.BRIDGE, Kind.RESUME, Kind.CLOCK})
_UNTOLD_MS = HOUR_MS
"""A pump that lives writes an entry every full hour: so long at most it went on unheard."""


class _Point(NamedTuple):
    """From this counter on this basal rate, ng/day; None where it is another, not told which."""

    counter: int
    local: int
    rate: int | None


def rebuilt(core: Core, told: list[LogEntry]) -> Past:
    """Of this pump at the instant of the log's last word, which is now."""
    now, engine = core.clock.counter, core.engine
    halts = lost_log.halts(told)
    plan = engine.plan
    rate = plan.steady_rate if plan.schedule is None else plan.schedule.rate(core.clock.local)
    recent = [entry for entry in told if entry.counter > now - _LOOK_BACK_MS]
    points = [*_points(recent), _Point(now, core.clock.local, rate)]
    past = _with_basal(points, halts, plan.schedule)
    past = _with_boluses(past, recent, now)
    basal = past.basal[-1].rate if past.basal else 0
    unheard = -(-basal * _UNTOLD_MS // DAY_MS)
    for entry in lost_log.unended(recent, now):
        left = max(0, min(entry.counter + entry.b - now, _UNTOLD_MS))
        unheard += -(-entry.a * left // entry.b)
    return history.note_started(past, max(0, now - 1), unheard, 1) if unheard else past


def _points(recent: list[LogEntry]) -> list[_Point]:
    found: list[_Point] = []
    for entry in recent:
        local = entry.time + entry.offset_min * MINUTE_MS
        rate: int | None = None
        if entry.kind is LogKind.HOUR:
            rate = lost_log.rate_of_hour(entry)
            if not rate:  # stopped: that is known otherwise
                continue
        elif entry.kind is LogKind.FALLBACK and entry.a:
            rate = entry.a
        elif not _changes(entry) and found:
            continue
        found.append(_Point(entry.counter, local, rate))
    return found


def _changes(entry: LogEntry) -> bool:
    """Is the basal rate another from here on?"""
    activated = entry.kind is LogKind.ACTIVATED and entry.b in _CHANGES_RATE
    return activated or entry.kind in (LogKind.RESUMED, LogKind.BRIDGE_ENDED)


def _with_basal(
    points: list[_Point], halts: list[lost_log.Halt], schedule: Schedule | None
) -> Past:
    course: dict[int, int] = {}
    for place, (one, other) in enumerate(pairwise(points)):
        later = next(each.rate for each in points[place + 1 :] if each.rate is not None)
        course |= _steps(one, other, later, schedule)
    past = history.EMPTY
    rate, halted = 0, False
    stands = {halt.counter: not halt.gives for halt in halts}
    for counter in sorted({*course, *stands}):
        rate, halted = course.get(counter, rate), stands.get(counter, halted)
        past = history.note_rate(past, counter, 0 if halted else rate)
    return past


def _steps(one: _Point, other: _Point, later: int, schedule: Schedule | None) -> dict[int, int]:
    """The rates from one point to the next; by the program's own steps where both follow it.

    `later` is the first rate that is known after `one`.
    """
    shift = one.local - one.counter
    follows = (
        schedule is not None
        and other.rate == schedule.rate(other.local)
        and one.rate in (None, schedule.rate(one.local))
        and other.local - other.counter == shift
    )
    if schedule is None or not follows:
        known = [each.rate for each in (one, other) if each.rate is not None]
        return {one.counter: max(known, default=later) if one.rate is not None else later}
    found = {one.counter: schedule.rate(one.local)}
    change = schedule.next_change(one.local)
    while change < other.local:
        found[change - shift] = schedule.rate(change)
        change = schedule.next_change(change)
    return found


def _with_boluses(past: Past, recent: list[LogEntry], now: int) -> Past:
    running: dict[bytes, LogEntry] = {}
    for entry in recent:
        if entry.kind is LogKind.BOLUS_STARTED:
            running[entry.data] = entry
            past = history.note_started(past, entry.counter, entry.a, entry.b)
        elif entry.kind is LogKind.BOLUS_ENDED and entry.data in running:
            past = _ended(past, running.pop(entry.data), entry.counter)
    for entry in running.values():
        past = _ended(past, entry, now)
    return past


def _ended(past: Past, begun: LogEntry, counter: int) -> Past:
    return history.note_ended(past, counter, started=begun.counter, dose=begun.a, over=begun.b)
