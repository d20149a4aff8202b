"""What setting a pump's clock does to its schedule: what it moves, jumps over, does not repeat.

Basal follows the new face at once. A scheduled bolus is known by its place on the face
and given at most once (TIM-03): set forward, the last that was jumped over by at most
2 hours is given at once, the others are not; set back, none repeats. Pure arithmetic on
labels, in ms; nothing here knows a pump's memory, a log or a limit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass, Rate
from pumpctl.therapy.course import Course, Piece, course_of, week_start
from pumpctl.therapy.curve import WEEK_MS
from pumpctl.therapy.figures import rate_at
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.program import Program

LATE_MS = 2 * 60 * MINUTE_MS
"""A bolus that was jumped over by no more than this is given all the same (TIM-03)."""
MOST_NAMED = 48
"""Of those that are jumped over so many are named, the newest; all are counted."""

Span = tuple[int, int]
"""Labels from the first to the last, both included."""


class Due(NamedTuple):
    """A scheduled bolus, by its place on the clock's face."""

    at: int
    """Its label, ms."""
    dose: Mass
    over: Duration

    @property
    def label(self) -> str:
        """`2026-03-29 02:30`."""
        return Moment(self.at).label()


class Shifted(NamedTuple):
    """A scheduled bolus of the next 24 hours, and how the change moves it."""

    due: Due
    before: int | None
    """In how many ms it would come without the change; None: not in the next 24 hours."""
    after: int | None
    """In how many ms it comes with it."""


class ClockEffect(NamedTuple):
    """What one setting does, seen from the instant at which it is made."""

    old: Moment
    new: Moment
    """The same instant on the new face."""
    jumped: int
    """How many scheduled boluses it jumps over, the late one included."""
    late: Due | None
    """The last of them, where it is given at once."""
    missed: tuple[Due, ...]
    """The others, the newest of them: they are not given."""
    silent: tuple[Due, ...]
    """What the new face will show once more in the next 24 hours, and is not given again."""
    shifted: tuple[Shifted, ...]
    """The scheduled boluses of the next 24 hours, in the order of the new face."""
    rate: tuple[Rate, Rate]
    """The basal rate before and right after."""
    day: tuple[Fraction, Fraction]
    """ng of the next 24 hours, without the change and with it, the late one included."""
    courses: tuple[Course, Course]
    """ng to come without it and with it, by the new face, for `reach` from now."""
    reach: int

    @property
    def shift(self) -> int:
        """ms by which the face goes forward."""
        return self.new.label_ms - self.old.label_ms


def clock_effect(
    program: Program,
    old: Moment,
    new: Moment,
    lived: tuple[Span, ...] = (),
    reach: int = DAY_MS,
) -> ClockEffect:
    """What showing `new` in place of `old` does to a pump that runs this program.

    `lived`: labels that really went by before this face, whose boluses had their turn;
    what went by up to now on this one, from `old` back, is among them. `reach` is how far
    ahead the courses are told, in ms: at least a day.
    """
    was, becomes = old.label_ms, new.label_ms
    shift, reach = becomes - was, max(reach, DAY_MS)
    had = tuple(lived)
    jumped = _free(program, was + 1, becomes, had) if shift > 0 else _Jumped(0, ())
    named = jumped.newest
    late = named[-1] if named and becomes - named[-1].at <= LATE_MS else None
    missed = named if late is None else named[:-1]
    before = list(_between(program, was + 1, was + reach))
    ahead = list(_between(program, becomes if shift <= 0 else becomes + 1, becomes + reach))
    stays = [due for due in before if not _in(due.at, had)]
    comes = [due for due in ahead if not _in(due.at, had)]
    silent = tuple(due for due in ahead if _in(due.at, had) and due.at <= becomes + DAY_MS)
    given_late = Course(
        [] if late is None else [Piece(becomes, becomes + late.over.quanta, late.dose.quanta)]
    )
    without = (_basal(program, was, was + reach) + _doses(stays)).moved(shift)
    with_it = _basal(program, becomes, becomes + reach) + _doses(comes) + given_late
    return ClockEffect(
        old=old,
        new=new,
        jumped=jumped.many,
        late=late,
        missed=missed[-MOST_NAMED:],
        silent=silent,
        shifted=_shifted(stays, comes, was, becomes),
        rate=(_rate(program, old), _rate(program, new)),
        day=(
            without.between(becomes, becomes + DAY_MS),
            with_it.between(becomes, becomes + DAY_MS),
        ),
        courses=(without, with_it),
        reach=reach,
    )


class _Jumped(NamedTuple):
    many: int
    newest: tuple[Due, ...]


def _free(program: Program, first: int, last: int, had: tuple[Span, ...]) -> _Jumped:
    """What is scheduled on labels that never went by; whole weeks are counted, not walked."""
    count, newest = 0, list[Due]()
    for begins, ends in _without(first, last, had):
        weeks, rest = divmod(ends + 1 - begins, WEEK_MS)
        some = list(_between(program, ends + 1 - rest, ends))
        count += weeks * len(program.boluses) + len(some)
        near = -(-(MOST_NAMED + 1) // max(1, len(program.boluses))) * WEEK_MS
        newest += _between(program, max(begins, ends + 1 - near), ends)
    return _Jumped(count, tuple(newest[-MOST_NAMED - 1 :]))


def _without(first: int, last: int, had: tuple[Span, ...]) -> list[Span]:
    """The labels of a range that are in no span, as ranges in rising order."""
    free = []
    for begins, ends in sorted(had):
        if begins > last or ends < first:
            continue
        if begins > first:
            free.append((first, begins - 1))
        first = max(first, ends + 1)
    if first <= last:
        free.append((first, last))
    return free


def _between(program: Program, first: int, last: int) -> Iterator[Due]:
    """What starts at these labels, both included, in order."""
    week = sorted(
        (bolus.day * DAY_MS + bolus.at * MINUTE_MS, bolus.dose, bolus.over)
        for bolus in program.boluses
    )
    if not week or first > last:
        return
    monday = week_start(first)
    at = bisect_left([each[0] for each in week], first - monday)
    while True:
        if at == len(week):
            monday, at = monday + WEEK_MS, 0
        start, dose, over = week[at]
        if monday + start > last:
            return
        yield Due(monday + start, dose, over)
        at += 1


def _in(label: int, spans: tuple[Span, ...]) -> bool:
    return any(first <= label <= last for first, last in spans)


def _basal(program: Program, start: int, end: int) -> Course:
    return course_of(program._replace(boluses=()), start, end)


def _doses(dues: list[Due]) -> Course:
    return Course(Piece(due.at, due.at + due.over.quanta, due.dose.quanta) for due in dues)


def _shifted(stays: list[Due], comes: list[Due], was: int, becomes: int) -> tuple[Shifted, ...]:
    """Those of 24 hours on either face, by their place on it."""
    before = {due.at: due for due in stays if due.at - was <= DAY_MS}
    after = {due.at: due for due in comes if due.at - becomes <= DAY_MS}
    return tuple(
        Shifted(
            after.get(at) or before[at],
            at - was if at in before else None,
            at - becomes if at in after else None,
        )
        for at in sorted({*before, *after})
    )


def _rate(program: Program, at: Moment) -> Rate:
    return rate_at(program, at.day, at.minute)
