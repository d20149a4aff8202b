"""Which scheduled boluses have had their turn: each at most once, whatever the clock is set to.

A scheduled bolus is known by its local label. Labels that really went by are
kept as spans, one for each setting of the clock, so that a clock set back
repeats nothing, and one that was a year ahead silences nothing when it is put
right (TIM-03). Whether a bolus may be given is not judged here.
"""

from __future__ import annotations

from typing import NamedTuple

from pumpctl.emulator.engine.clock import HOUR_MS
from pumpctl.emulator.engine.schedule import Due, Schedule
from pumpctl.emulator.memory.retained import Span

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
        """What setting the label to `new` would jump over, from where it is. Changes nothing."""
        found: list[Due] = []
        count, time = 0, self.until
        while schedule is not None:
            due = self._after(schedule, time)
            if due is None or due.start > new:
                break
            count += 1
            found = [*found[-MOST_MISSED:], due]
            time = due.start
        late = None
        if found and new - found[-1].start <= LATE_MS:
            late = found.pop()
        return Jump(late, tuple(found[-MOST_MISSED:]), count)

    def set_to(self, new: int, given: Due | None) -> None:
        """The label is `new` from now on; `given` had its turn at this instant."""
        spans = [*self.served, Span(self.since, self.until)]
        if given is not None:
            spans.append(Span(given.start, given.start))
        while len(spans) > _MOST_SPANS:  # the one furthest from the present matters least
            spans.remove(min(spans, key=lambda span: (span.last > new, span.last)))
        self.served = tuple(spans)
        self.since = self.until = new

    def _after(self, schedule: Schedule, time: int) -> Due | None:
        while (due := schedule.next_bolus(time)) is not None:
            had = [span.last for span in self.served if span.first <= due.start <= span.last]
            if not had:
                return due
            time = max(had)
        return None
