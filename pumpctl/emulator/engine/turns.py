"""Which scheduled boluses have had their turn: each at most once, whatever the clock is set to.

A scheduled bolus is known by its local label. Labels that really went by are
kept as spans, one for each setting of the clock, so that a clock set back
repeats nothing, and one that was a year ahead silences nothing when it is put
right (TIM-03). Whether a bolus may be given is not judged here.
"""

from __future__ import annotations

from pumpctl.emulator.engine.clock import HOUR_MS
from pumpctl.emulator.engine.figures import WEEK_MS
from pumpctl.emulator.engine.schedule import Due, Schedule
from pumpctl.emulator.memory.retained import Span
from pumpctl.named import NamedTuple

LATE_MS = 2 * HOUR_MS
"""A bolus that a clock set jumped over by no more than this may still be given."""
MOST_MISSED = 48
"""So many of those jumped over are named one by one; CLOCK_SET says the rest."""
_MOST_SPANS = 16


class Jump(NamedTuple):
    """What a clock set does to the schedule."""

    late: Due | None
    """The last bolus jumped over, if it is not too late for it."""
    missed: tuple[Due, ...]
    """The others; the newest `MOST_MISSED` of them."""
    over: int
    """How many the change jumps over, the late one included."""


class Turns:
    """`until`: the local label up to which everything scheduled has had its turn."""

    def __init__(self, served: tuple[Span, ...], since: int, until: int) -> None:
        self.served = served
        self.since = since
        self.until = until

    def next(self, schedule: Schedule | None) -> Due | None:
        """The scheduled bolus whose turn is next."""
        return None if schedule is None else self._after(schedule, self.until)

    def reach(self, local: int) -> None:
        """Everything up to this label has had its turn."""
        self.until = max(self.until, local)

    def jump(self, schedule: Schedule | None, new: int) -> Jump:
        """What setting the label to `new` would jump over, from where it is. Changes nothing.

        Whole weeks are counted, not walked through: a label may jump by centuries.
        """
        if schedule is None or not schedule.program.boluses:
            return Jump(None, (), 0)
        count = 0
        found: list[Due] = []
        for first, last in self._free(self.until + 1, new):
            count += _count(schedule, first, last)
            found += _newest(schedule, first, last)
        late = None
        if found and new - found[-1].start <= LATE_MS:
            late = found.pop()
        return Jump(late, tuple(found[-MOST_MISSED:]), count)

    def set_to(self, new: int) -> None:
        """The label is `new` from now on.

        What is scheduled at this very label was jumped over by a clock that was set
        forward; one that was set back has it still before it.
        """
        lived = Span(self.since, self.until)
        self.since, self.until = new, new if new > self.until else new - 1
        if lived.first <= lived.last:
            self._keep(lived)

    def gave(self, late: Due) -> None:
        """A bolus that was jumped over had its turn after all."""
        self._keep(Span(late.start, late.start))

    def _keep(self, span: Span) -> None:
        """Neighbours become one. Of too many, those in the past go first, the furthest first."""
        spans: list[Span] = []
        for each in sorted((*self.served, span)):
            if spans and each.first <= spans[-1].last + 1:
                spans[-1] = Span(spans[-1].first, max(spans[-1].last, each.last))
            else:
                spans.append(each)
        while len(spans) > _MOST_SPANS:
            past = [each for each in spans if each.last <= self.since]
            spans.remove(min(past) if past else max(spans))
        self.served = tuple(spans)

    def _free(self, first: int, last: int) -> list[tuple[int, int]]:
        """The labels from `first` to `last` that are in no span, as ranges, both ends included."""
        free = [(first, last)]
        for span in self.served:
            free = [
                (low, high)
                for begins, ends in free
                for low, high in (
                    (begins, min(ends, span.first - 1)),
                    (max(begins, span.last + 1), ends),
                )
                if low <= high
            ]
        return [(low, high) for low, high in free if low <= high]

    def _after(self, schedule: Schedule, time: int) -> Due | None:
        while (due := schedule.next_bolus(time)) is not None:
            had = [span.last for span in self.served if span.first <= due.start <= span.last]
            if not had:
                return due
            time = max(had)
        return None


def _between(schedule: Schedule, first: int, last: int) -> list[Due]:
    """What starts at these labels, both included."""
    found = []
    due = schedule.next_bolus(first - 1)
    while due is not None and due.start <= last:
        found.append(due)
        due = schedule.next_bolus(due.start)
    return found


def _count(schedule: Schedule, first: int, last: int) -> int:
    """How many of them: in every whole week, each of the program's once."""
    weeks, rest = divmod(last + 1 - first, WEEK_MS)
    whole = weeks * len(schedule.program.boluses)
    return whole + len(_between(schedule, last + 1 - rest, last))


def _newest(schedule: Schedule, first: int, last: int) -> list[Due]:
    """The last of them, as many as may be named, and one that may be given."""
    weeks = -(-(MOST_MISSED + 1) // len(schedule.program.boluses))
    return _between(schedule, max(first, last + 1 - weeks * WEEK_MS), last)[-MOST_MISSED - 1 :]
