"""The dose-window rule: no window, past or to come, holds more than its limit (LIM-05).

A rule that only looks back lets a bolus pass after a start, and a later window
exceeds the limit with it. This one looks at every window that holds anything
which has not been given yet. Limits come from the caller, in ng; time is in ms
of the pump's clock face. Nothing here knows a patient or a library.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from pumpctl.quantities import Duration, Mass
from pumpctl.therapy.course import Course, course_of
from pumpctl.therapy.curve import WEEK_MS
from pumpctl.therapy.program import Program


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
    nothing that is decided now changes them. Windows to come are followed until
    the schedule alone repeats itself.
    """
    added = bolus or Course(())
    ends = max((now, *past.breaks[-1:], *added.breaks[-1:]))
    found: list[Over] = []
    for length, limit in limits:
        last = ends + WEEK_MS
        ahead = course_of(program, now, last + length.quanta) if program else Course(())
        course = past + added + ahead
        found += over_limit(course, [(length, limit)], now - length.quanta + 1, last)
    return tuple(found)
