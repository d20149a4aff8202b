"""What was really given until now, by the programs in force and the boluses of the log.

Basal by the schedule of whatever was in force, boluses as the pump's log tells
them, and the whole held against the pump's own pulses: a course that these do not
bear out is none. Where pulses are missing (a stall) it is more than was given,
which is the safe side. Basal follows the pump's clock face as it was at the time;
the course is told by the face of now, however often it was set on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from pumpctl.quantities import Volume
from pumpctl.therapy.course import Course, Piece, course_of
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.past import Ordered
from pumpctl.therapy.state import Delivery, PumpState
from pumpctl.workflows.course.pump_log import NotKnown, number_of


def given(
    entries: tuple[LogEntry, ...], ordered: tuple[Ordered, ...], state: PumpState, pulse: Volume
) -> Course:
    """In ng, over the time of these entries until now; a running bolus with its rest.

    `ordered` must reach back to the first of them. Raises NotKnown where it cannot be told.
    """
    shift = state.clock.label_ms - state.counter_ms
    faces = _faces(entries, state)
    bridged = any(entry.kind.startswith("bridge") for entry in entries)
    if bridged or state.delivery is Delivery.BRIDGE:
        raise NotKnown("a bridge was running")
    if any(each.program and each.program.concentration != state.concentration for each in ordered):
        raise NotKnown("the concentration was changed")
    start, now = entries[0].counter_ms, state.counter_ms
    pieces: list[Piece] = []
    for each, after in pairwise((*ordered, Ordered(now, None))):
        begins = max(start, each.at)
        if each.program is not None and begins < after.at:
            basal = each.program._replace(boluses=())
            for own, since, until in faces:
                first, last = max(since, begins), min(until, after.at)
                if first < last:
                    played = course_of(basal, first + own, last + own)
                    pieces += played.moved(shift - own).pieces
    pieces += (
        Piece(begins + shift, ends + shift, dose) for begins, ends, dose in _boluses(entries, state)
    )
    course = Course(pieces)
    _compare_pulses(course, entries[0], state, shift, pulse)
    return course


def _faces(entries: tuple[LogEntry, ...], state: PumpState) -> list[tuple[int, int, int]]:
    """What the clock's face showed beyond the counter, from which count to which."""
    found = [(_shown(entries[0]), entries[0].counter_ms)]
    for entry in entries:
        if entry.kind == "clock_set":
            found.append((_shown(entry), entry.counter_ms))
        elif _shown(entry) != found[-1][0] and entry.counter_ms != found[-1][1]:
            # What was written in the very commit of a setting may still show the old face.
            raise NotKnown("the pump's clock was set, and its log does not say so")
    if found[-1][0] != state.clock.label_ms - state.counter_ms:
        raise NotKnown("the pump's clock was set, and its log does not say so")
    ends = [*(at for _, at in found[1:]), state.counter_ms]
    return [(own, at, end) for (own, at), end in zip(found, ends, strict=True)]


def _shown(entry: LogEntry) -> int:
    return entry.time.label_ms - entry.counter_ms


def _boluses(entries: tuple[LogEntry, ...], state: PumpState) -> Iterator[tuple[int, int, int]]:
    """Start, end and dose of each; what one that was cut short gave is rounded up."""
    running: list[tuple[LogEntry, int, int]] = []
    for entry in entries:
        if entry.kind == "bolus_started":
            running.append((entry, entry.counter_ms, number_of(entry, "over_ms")))
        elif entry.kind == "bolus_ended":
            begun = next((each for each in running if _same(each[0], entry)), None)
            if begun is not None:
                running.remove(begun)
            start = begun[1] if begun is not None else number_of(entry, "started_counter_ms")
            dose, whole = number_of(entry, "given_ng"), number_of(entry, "dose_ng")
            if start < entry.counter_ms:
                yield start, entry.counter_ms, dose if dose == whole else dose + 1
    if state.bolus is not None and not running:
        raise NotKnown("the pump's log does not tell when the running bolus began")
    for entry, start, over in running:
        yield start, start + over, number_of(entry, "dose_ng")


def _same(started: LogEntry, ended: LogEntry) -> bool:
    """Whether both entries are of one bolus."""
    return all(started.get(name) == ended.get(name) for name in ("data", "dose_ng"))


def _compare_pulses(
    course: Course, first: LogEntry, state: PumpState, shift: int, pulse: Volume
) -> None:
    """The pump may have moved less than this course, by a stall; never more."""
    mass = course.between(first.counter_ms + shift, state.counter_ms + shift)
    ordered = Fraction(mass * 1_000, state.concentration.quanta)
    moved = (state.pulses - first.pulses) * pulse.quanta
    if not 0 <= moved < ordered + pulse.quanta:
        raise NotKnown("the pump gave more than what was ordered")
