"""The dose-window rule: no window, past or to come, holds more than its limit (LIM-05).

A rule that only looks back lets a bolus pass after a start, and a later window
exceeds the limit with it. This one looks at every window that holds anything
which has not been given yet. Limits come from the caller, in ng; time is in ms
of the pump's clock face. Nothing here knows a patient or a library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass
from pumpctl.therapy.course import Course, course_of, week_start
from pumpctl.therapy.curve import Curve
from pumpctl.therapy.program import Program

_NOTHING = Course(())


class Over(NamedTuple):
    """The worst window of one length, where it holds more than it may."""

    length: Duration
    start: int
    mass: Fraction
    limit: Mass


def over_limit(
    course: Course, limits: Iterable[tuple[Duration, Mass]], first: int, last: int
) -> tuple[Over, ...]:
    """Of each length, the worst window that starts in [first, last], where it is too much."""
    found = []
    for length, limit in limits:
        start = course.largest_at(length.quanta, first, last)
        mass = course.between(start, start + length.quanta)
        if mass > limit.quanta:
            found.append(Over(length, start, mass, limit))
    return tuple(found)


def windows_ahead(
    past: Course,
    program: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
    bolus: Course | None = None,
) -> tuple[Over, ...]:
    """What goes over a limit if, from `now`, `program` runs and `bolus` is given on top.

    `past` is what was really given, a running bolus with its rest; `program` is
    None for a pump that stays stopped. Windows that ended by `now` are not judged:
    nothing that is decided now changes them. All later ones are: those that hold
    anything but the schedule one by one, and of the schedule's endless week the
    fullest. `Over.start` is the first of the worst.
    """
    added = bolus or _NOTHING
    ends = _settled(program, now, past, added)
    curve, monday = Curve(program) if program else None, week_start(ends)
    found: list[Over] = []
    for length, limit in limits:
        first = now - length.quanta + 1
        course = _joined(first, past, added, _ahead(program, now, ends + length.quanta))
        start = course.largest_at(length.quanta, first, ends)
        mass = course.between(start, start + length.quanta)
        peak, at = curve.peak(length.quanta, ends - monday) if curve else (mass, 0)
        if peak > mass:
            mass, start = peak, monday + at
        if mass > limit.quanta:
            found.append(Over(length, start, mass, limit))
    return tuple(found)


def windows_worse(
    past: Course,
    program: Program,
    left: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
) -> tuple[Over, ...]:
    """What goes over a limit with `program` from `now` on, and holds less if `left` goes on.

    So a change is not held against what was given before it, where it makes no
    window worse. Only windows that hold something of the past are looked at, or of
    the first hours after it; the schedule by itself is judged without a past.
    """
    ends = max(_settled(each, now, past) for each in (program, left))
    found: list[Over] = []
    for length, limit in limits:
        until = ends + length.quanta
        new, old = (_ahead(each, now, until) for each in (program, left))
        found += courses_worse(past, new, old, now, ends, [(length, limit)])
    return tuple(found)


def courses_worse(
    past: Course,
    new: Course,
    old: Course,
    now: int,
    ends: int,
    limits: Iterable[tuple[Duration, Mass]],
) -> tuple[Over, ...]:
    """The same of what comes after `past`, as courses: `new`, and `old` in its place.

    Windows are looked at that start up to `ends`; both courses reach one length beyond.
    """
    found: list[Over] = []
    for length, limit in limits:
        first = now - length.quanta + 1
        with_new, with_old = (_joined(first, past, each) for each in (new, old))
        worse = list(_worse(with_new, with_old, length.quanta, first, ends))
        mass, start = max(worse, key=lambda each: (each[0], -each[1]), default=(0, 0))
        if mass > limit.quanta:
            found.append(Over(length, start, Fraction(mass), limit))
    return tuple(found)


def _worse(
    new: Course, old: Course, window: int, since: int, until: int
) -> Iterator[tuple[Fraction, int]]:
    """The ends of all stretches of starts in which the new course's window holds more."""
    starts = {since, until}
    for edge in (*new.breaks, *old.breaks):
        starts.update(time for time in (edge, edge - window) if since <= time <= until)
    held = [
        (time, new.between(time, time + window), old.between(time, time + window))
        for time in sorted(starts)
    ]
    for (begin, more, less), (end, more_then, less_then) in pairwise(held):
        ahead, ahead_then = more - less, more_then - less_then
        if max(ahead, ahead_then) > 0:
            first = 0 if ahead >= 0 else ahead / (ahead - ahead_then)
            last = 1 if ahead_then >= 0 else ahead / (ahead - ahead_then)
            for part in (first, last):
                yield more + (more_then - more) * part, begin + int((end - begin) * part)


def _settled(program: Program | None, now: int, *before: Course) -> int:
    """From here on only the schedule is left, and no bolus of it that began before `now`."""
    longest = max((each.over.quanta for each in program.boluses), default=0) if program else 0
    return max((now + longest, *(time for course in before for time in course.breaks[-1:])))


def _ahead(program: Program | None, now: int, until: int) -> Course:
    """What the schedule gives; a bolus of no duration is refused elsewhere, and not given."""
    if program is None:
        return _NOTHING
    boluses = tuple(bolus for bolus in program.boluses if bolus.over)
    return course_of(program._replace(boluses=boluses), now, until)


def _joined(since: int, *courses: Course) -> Course:
    """The courses together, without what was over before `since`."""
    return Course(piece for course in courses for piece in course.pieces if piece.end > since)
