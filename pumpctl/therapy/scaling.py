"""How a new daily dose is put into a program: every part by one factor, exactly.

The daily dose of a program is that of its largest day; the other days follow in
proportion. What is written is what is shown: a basal rate of a schedule is a
whole number of 0.001 mcg/h, a bolus of 0.001 mcg, and a continuous rate takes
the rest of its day. Each is rounded towards the old one, so that no change is
larger than the one that was asked for. Whether the change is permitted is not
known here.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction

from pumpctl.errors import InputRefused
from pumpctl.named import NamedTuple
from pumpctl.quantities import Mass, Rate, round_down, round_half_up, round_up
from pumpctl.therapy.figures import basal_of, daily_doses, largest_day, smallest_day
from pumpctl.therapy.program import Days, Mode, Program, Step, make_program, minimum_rate

RATE_STEP = 24
"""ng/day in 0.001 mcg/h, the last decimal that is ever shown of a basal rate."""


class Boluses(Enum):
    """What becomes of the scheduled boluses."""

    SCALED = "scaled"
    KEPT = "kept"


class Scaling(NamedTuple):
    """A prescribed program, and what of it is scaled.

    Not for minimum rate, nor for a day without a basal rate: neither is a dose that
    somebody ordered (ZeroDivisionError).
    """

    program: Program
    boluses: Boluses

    @property
    def _parts(self) -> list[tuple[Fraction, Fraction]]:
        """Of each day, the ng that stay and the ng that are scaled."""
        doses = daily_doses(self.program)
        if self.boluses is Boluses.SCALED:
            return [(Fraction(0), dose) for dose in doses]
        basal = [basal_of(steps) for steps in self.program.days]
        return [(dose - steps, steps) for dose, steps in zip(doses, basal, strict=True)]

    def dose(self, factor: Fraction) -> Fraction:
        """The exact ng of the largest day, with every scaled part times `factor`."""
        return max(stays + scales * factor for stays, scales in self._parts)

    def factor(self, dose: Fraction | int) -> Fraction:
        """The factor that makes the largest day `dose` ng; not above 0 where none does."""
        return min((dose - stays) / scales for stays, scales in self._parts)

    def factor_of_smallest(self, dose: Fraction | int) -> Fraction:
        """The factor that makes the smallest day `dose` ng."""
        return max((dose - stays) / scales for stays, scales in self._parts)

    def within(self, relative: Fraction) -> Fraction:
        """The factor by which some day changes by `relative`, and no day by more.

        Kept boluses make days change by different parts. Never below 0.
        """
        share = min((stays + scales) / scales for stays, scales in self._parts)
        return max(Fraction(0), 1 + relative * share)

    def applied(
        self, factor: Fraction, *, fallback: Rate | None = None, outwards: bool = False
    ) -> Program:
        """The program with every scaled part times `factor`, rounded towards the old one.

        `outwards` rounds away from it: for bounds only. The fallback stays the
        same part of the smallest day, though not below what the pump can give,
        unless another one is given.
        """
        old, up = self.program, (factor < 1) is not outwards
        boluses = old.boluses
        if self.boluses is Boluses.SCALED:
            boluses = tuple(
                bolus._replace(dose=Mass(_whole(bolus.dose.quanta * factor, up)))
                for bolus in old.boluses
            )
        if old.mode is Mode.CONTINUOUS:
            total = _whole(self.dose(factor), up)
            given = sum(bolus.dose.quanta for bolus in boluses if bolus.day == 0)
            days: Days = ((Step(0, Rate(max(0, total - given))),),)
        else:
            days = tuple(
                tuple(Step(step.start, _rate(step.rate, factor, up)) for step in steps)
                for steps in old.days
            )
        made = make_program(
            old.mode,
            old.drug,
            old.concentration,
            low_alarm=old.low_alarm,
            fallback=old.fallback if fallback is None else fallback,
            days=days,
            boluses=boluses,
            patient_dose=old.patient_dose,
        )
        if fallback is None:
            return made._replace(fallback=_in_proportion(old, made))
        return made

    def program_for(self, dose: Rate, fallback: Rate | None = None) -> Program:
        """The program whose largest day is `dose`, or as near to it as can be written.

        It never goes beyond `dose`, seen from the old one: it differs by less than
        0.001 mcg for each bolus of a day, and 0.024 mcg for the basal rates.
        InputRefused where none can be made, or it would be the old one.
        """
        factor = self.factor(dose.quanta)
        if factor <= 0:
            raise InputRefused(
                f"{dose} leaves nothing for the basal rate",
                hint="a program always has a basal rate: scale the boluses too, or wean",
            )
        made = self.applied(factor, fallback=fallback)
        if any(not step.rate for steps in made.days for step in steps):
            raise InputRefused(f"{dose} leaves nothing for the basal rate", hint="ask for more")
        if daily_doses(made) == daily_doses(self.program):
            now = Rate(round_half_up(largest_day(self.program)))
            raise InputRefused(
                f"{dose} is the present dose, {now}, as near as it can be programmed",
                hint="basal rates go in steps of 0.001 mcg/h",
            )
        return made


def _whole(exact: Fraction, up: bool) -> int:
    return round_up(exact) if up else round_down(exact)


def _rate(old: Rate, factor: Fraction, up: bool) -> Rate:
    """A basal rate times `factor`, to 0.001 mcg/h, and never to the other side of the old one."""
    steps = RATE_STEP * _whole(old.quanta * factor / RATE_STEP, up)
    return Rate(max(old.quanta, steps) if factor >= 1 else min(old.quanta, steps))


def proportional_fallback(old: Program, new: Program) -> Rate:
    """The old fallback's part of the smallest day, of the new smallest day.

    Rounded towards three quarters, the middle of what the checks take without a reason.
    What is written may be more: no fallback falls below the pump's least rate.
    """
    share = Fraction(old.fallback.quanta) / smallest_day(old)
    return Rate(_whole(share * smallest_day(new), share < Fraction(3, 4)))


def _in_proportion(old: Program, new: Program) -> Rate:
    """In proportion; but what lay above the pump's least rate stays at it, or above."""
    made = proportional_fallback(old, new)
    return max(made, min(old.fallback, minimum_rate(old.concentration)))
