"""Weaning: from one program down to a chosen end, step by step, each a program of its own.

Every step is held for a set number of days (step dosing, for patients who cannot
come daily) and is smaller than the one before by a chosen percentage. It chooses
neither, and carries no step out: each is planned, confirmed and pushed like any
program. No limits here: the checks judge each step.
"""

from __future__ import annotations

from fractions import Fraction

from pumpctl.errors import InputRefused
from pumpctl.named import NamedTuple
from pumpctl.quantities import Mass, Percent, Rate, Volume, round_half_up
from pumpctl.therapy import label
from pumpctl.therapy.compare import percent_text
from pumpctl.therapy.figures import daily_doses, largest_day
from pumpctl.therapy.moment import Date
from pumpctl.therapy.program import Mode, Program, make_program, minimum_rate
from pumpctl.therapy.scaling import Boluses, Scaling
from pumpctl.therapy.titration import changed_by

MAX_STEPS = 60
"""More steps than that are a slip in the percentage (this project's choice)."""
MAX_DAYS = 366
"""A step that lasts longer is no step of a weaning (this project's choice)."""
_LAST_DATE = Date.parse("9999-12-31")


class WeaningStep(NamedTuple):
    """One program, from `date` on, for `days` days; None for the last, which stays."""

    date: Date
    days: int | None
    program: Program
    dose: Rate
    """Of its largest day, half up."""
    change: str
    """Against the step before: `-20.0 %`."""
    mass: Mass | None
    """What it gives in its days, half up; None for the last."""
    volume: Volume | None


def weaning(
    program: Program,
    by: Percent,
    days: int,
    to: Rate | None,
    start: Date,
    *,
    boluses: Boluses = Boluses.SCALED,
) -> tuple[WeaningStep, ...]:
    """The steps from `program` down to `to`, or to minimum rate where that is None.

    The first begins on `start`. Each is `by` smaller than the one before, rounded
    towards it; the last is the end itself, however near. InputRefused where there
    is nothing to wean, or no way there.
    """
    if program.mode is Mode.MINIMUM:
        raise InputRefused("minimum rate cannot be reduced", hint="pumpctl stop is the way out")
    if not 0 < by.fraction < 1:
        raise InputRefused(f"a reduction by {by} is no step", hint="above 0 %, below 100 %")
    if to is not None and not to:
        raise InputRefused(f"{to} is a stop, and weaning ends in a dose or in minimum rate")
    if days < 1:
        raise InputRefused("a step lasts at least one day")
    if days > MAX_DAYS:
        raise InputRefused(f"a step lasts at most {MAX_DAYS} days")
    made = [program, *_programs(Scaling(program, boluses), by, to)]
    if start.plus(days * (len(made) - 2)) > _LAST_DATE:
        raise InputRefused(f"it would end after {_LAST_DATE}", hint="an earlier --at")
    steps = []
    for number in range(1, len(made)):
        date = start.plus(days * (number - 1))
        last = number == len(made) - 1
        steps.append(_step(made[number - 1], made[number], date, None if last else days))
    return tuple(steps)


def _programs(scaling: Scaling, by: Percent, to: Rate | None) -> list[Program]:
    """Each step's program, down to the end."""
    end = minimum_rate(scaling.program.concentration) if to is None else to
    before = largest_day(scaling.program)
    if before <= end.quanta:
        raise InputRefused(
            f"{end} is not below the present dose", hint="weaning ends below where it began"
        )
    made: list[Program] = []
    while len(made) < MAX_STEPS:
        wanted = max(changed_by(before, by, down=True), end)
        if to is None and wanted == end:
            return [*made, _minimum(scaling.program)]
        made.append(scaling.program_for(wanted))
        after = largest_day(made[-1])
        if after == before:
            raise InputRefused(
                f"{by} less than {_shown(before)} is no change that can be programmed",
                hint="a larger percentage",
            )
        if wanted == end:
            return made
        before = after
    raise InputRefused(
        f"{by} at a time takes more than {MAX_STEPS} steps to {end}",
        hint="a larger percentage, or a higher end",
    )


def _minimum(program: Program) -> Program:
    return make_program(
        Mode.MINIMUM, program.drug, program.concentration, low_alarm=program.low_alarm
    )


def _step(before: Program, program: Program, date: Date, days: int | None) -> WeaningStep:
    doses = daily_doses(program)
    mass = volume = None
    if days is not None:
        weeks, rest = divmod(days, 7)
        odd = (doses[date.plus(day).weekday] for day in range(rest))
        exact = weeks * sum(doses, Fraction(0)) + sum(odd, Fraction(0))
        mass = Mass(round_half_up(exact))
        volume = Volume(round_half_up(exact * 1_000 / program.concentration.quanta))
    return WeaningStep(
        date,
        days,
        program,
        _shown(max(doses)),
        percent_text(largest_day(before), max(doses)),
        mass,
        volume,
    )


def _shown(exact: Fraction) -> Rate:
    return Rate(round_half_up(exact))


def unlike_published(by: Percent) -> str | None:
    """What to say of a percentage outside the published examples; None inside them."""
    low, high, source = label.WEANING
    if low <= by <= high:
        return None
    return f"{by} at a time is outside {low} to {high}: {source}"
