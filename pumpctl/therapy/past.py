"""What is known of a patient's course until now: what the label's rules of time ask for.

Made from a station's records and a pump's log by whoever has them; read by the
checks of a change. Instants are counts of the pump's own counter in ms, the one
that `PumpState.counter_ms` tells for now: elapsed time is a difference, and no
setting of a clock moves it. What happened before this pump has counts of its
own side of nought. Nothing here knows how it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from pumpctl.named import NamedTuple
from pumpctl.quantities import Rate
from pumpctl.therapy.compare import Rise24h, rise_24h
from pumpctl.therapy.course import Course
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.label import INCREASE_APART
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.trial import Start


class Ordered(NamedTuple):
    """From this count on a program was in force; None: the pump was stopped."""

    at: int
    program: Program | None


class Rise(NamedTuple):
    """The day whose dose rises most, and by how much: 1/10 for +10 %."""

    by: Fraction
    day: int


class Increase(NamedTuple):
    """In what a program is more than those before it: one of the two, or both."""

    daily: Rise | None
    total: Rise24h | None
    """Of the most in any 24 h with all patient doses taken."""

    @property
    def words(self) -> str:
        """Which of the two it is, as the beginning of a sentence."""
        daily = ["the daily dose rises"] if self.daily else []
        return " and ".join([*daily, self.total.words] if self.total else daily)


class Past(NamedTuple):
    """The course until now. Whoever cannot fill in a part of it gives no `Past` at all."""

    ordered: tuple[Ordered, ...]
    """Everything that was in force in the last 48 hours, the oldest first; before that
    at least the last program that gave a prescribed dose, where there was one."""
    began: int | None
    """When the pump first gave more than minimum rate; None: never yet."""
    flowed: int | None
    """When drug last flowed at a prescribed rate above the pump's minimum: now, where it
    does so now. None: never yet."""
    begun_again: int | None = None
    """When therapy was last begun again after more than 48 hours without drug."""
    trial: Start | None = None
    """What the starting rule made of the screening trial, where that is on record."""
    given: Course | None = None
    """What was really given in the last days, in ng, a running bolus with its rest; in ms
    of the pump's clock face (`Moment.label_ms`), because the schedule goes by that."""

    def last_prescribed(self, *, besides: Rate | None = None) -> Program | None:
        """The last program that was a dose which somebody ordered.

        `besides`: the fallback that flows now, which nobody ordered as a program.
        """
        found = [program for each in self.ordered if (program := prescribed(each.program))]
        ordered = [each for each in found if besides is None or not _is_steady(each, besides)]
        return ordered[-1] if ordered else None

    def prescribed_before(self, now: int) -> list[Program]:
        """Every dose that was prescribed and in force in the last 24 hours."""
        return _in_force(self.ordered, now)

    def increases(self) -> Iterator[int]:
        """When there was an increase: more than all of the 24 hours before, see `increase`.

        A first dose, or one after a day without any, is a start and no increase; going
        back to what ran within 24 hours is none either.
        """
        for number, (at, program) in enumerate(self.ordered):
            after = prescribed(program)
            if after is not None and increase(_in_force(self.ordered[:number], at), after):
                yield at


def _is_steady(program: Program, rate: Rate) -> bool:
    """Whether it is this rate alone, as a fallback is told."""
    rates = {step.rate for day in program.days for step in day}
    return rates == {rate} and not program.boluses and program.patient_dose is None


def prescribed(program: Program | None) -> Program | None:
    """The program, where it is a dose that somebody ordered: no stop and no minimum rate."""
    return None if program is None or program.mode is Mode.MINIMUM else program


def increase(before: list[Program], after: Program) -> Increase | None:
    """In what `after` is more than every program before; None where in nothing, or none was."""
    found = Increase(_rise(before, after), rise_24h(before, after))
    return found if any(found) else None


def _rise(before: list[Program], after: Program) -> Rise | None:
    """The greatest rise of any day above the largest that it had; None where none rises."""
    if not before:
        return None
    had = [max(day) for day in zip(*map(daily_doses, before), strict=True)]
    pairs = enumerate(zip(had, daily_doses(after), strict=True))
    moves = [Rise(new / old - 1, day) for day, (old, new) in pairs if new > old > 0]
    return max(moves, key=lambda move: move.by, default=None)


def _in_force(ordered: tuple[Ordered, ...], now: int) -> list[Program]:
    """The prescribed programs that were in force in the 24 hours before `now`."""
    since = now - INCREASE_APART.value.quanta
    return [
        program
        for each, after in pairwise((*ordered, Ordered(now, None)))
        if after.at > since and (program := prescribed(each.program))
    ]
