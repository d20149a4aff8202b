"""A program: what a pump is told to give, as a value in one normal form.

Two programs that mean the same are equal: the days are expanded mon to sun,
equal neighbouring steps are merged, boluses are sorted. The program hash is
made elsewhere, of the bytes on the wire. What a program adds up to is in
`figures`; whether it should be given is `checks`' matter. Nothing here knows
patients, pumps or files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Duration, Flow, Mass, Rate, Volume

DAY_MINUTES = 1_440

MINIMUM_FLOW = Flow(48_000)
"""0.048 mL/day, the least a pump of this kind moves (to verify; one study's lowest rate)."""
MAXIMUM_FLOW = Flow(24_000_000)
"""24 mL/day, the most it moves (to verify)."""


class Mode(Enum):
    """How a program gives its basal dose."""

    MINIMUM = "minimum-rate"
    CONTINUOUS = "continuous"
    FLEX = "flex"


class Step(NamedTuple):
    """From `start`, a whole minute of the day, the basal rate is `rate`."""

    start: int
    rate: Rate


class ScheduledBolus(NamedTuple):
    """A dose on top of the steps; it counts to the day in which it starts."""

    day: int
    at: int
    dose: Mass
    over: Duration


class PatientDose(NamedTuple):
    """What the patient may take: lockout from the end of any bolus, maximum by start."""

    dose: Mass
    over: Duration
    lockout: Duration
    max_per_24h: int


Days = tuple[tuple[Step, ...], ...]


class Program(NamedTuple):
    """The whole prescription that a pump stores. Make one with `make_program`."""

    mode: Mode
    drug: str
    concentration: Concentration
    fallback: Rate
    days: Days
    """Seven, mon to sun; in minimum rate each is empty."""
    boluses: tuple[ScheduledBolus, ...]
    patient_dose: PatientDose | None
    low_alarm: Volume

    @property
    def by_time_of_day(self) -> bool:
        """Whether a wrong clock would give a dose at a wrong time (TIM-02)."""
        return self.mode is Mode.FLEX or bool(self.boluses)


def minimum_rate(concentration: Concentration) -> Rate:
    """The dose rate of the minimum flow: exact, a concentration being whole mcg/mL."""
    return Rate(MINIMUM_FLOW.quanta // 1_000 * concentration.quanta)


def make_program(
    mode: Mode,
    drug: str,
    concentration: Concentration,
    *,
    low_alarm: Volume,
    fallback: Rate | None = None,
    days: Sequence[Sequence[Step]] = (),
    boluses: Iterable[ScheduledBolus] = (),
    patient_dose: PatientDose | None = None,
) -> Program:
    """Bring a program into its normal form; ValueError where the parts make no schedule.

    `days` are seven, mon to sun; one alone stands for all seven. The steps of a
    day must begin at 00:00 and rise. Minimum rate takes no days, doses or
    fallback: its fallback is the model's minimum flow.
    """
    doses = tuple(sorted(boluses))
    if any(not (0 <= bolus.day < 7 and 0 <= bolus.at < DAY_MINUTES) for bolus in doses):
        raise ValueError("a scheduled bolus lies outside the week")
    if not concentration:
        raise ValueError("a program needs a drug in its solution")
    if mode is Mode.MINIMUM:
        if days or doses or patient_dose is not None or fallback is not None:
            raise ValueError("minimum rate has no days, no doses and no fallback of its own")
        fallback = minimum_rate(concentration)
        week: Days = ((),) * 7
    else:
        if fallback is None:
            raise ValueError("a program needs its fallback rate")
        if len(days) not in (1, 7):
            raise ValueError(f"a week has seven days, not {len(days)}")
        alike = {id(day): day for day in days}  # days of one table are one tuple, here and after
        merged = {key: _merged(day) for key, day in alike.items()}
        week = tuple(merged[id(day)] for day in days) * (7 // len(days))
        if mode is Mode.CONTINUOUS and (len(set(week)) > 1 or len(week[0]) > 1):
            raise ValueError("a continuous program has one rate, day and night")
    return Program(mode, drug, concentration, fallback, week, doses, patient_dose, low_alarm)


def continuous(rate: Rate) -> Days:
    """The days of a program that gives one rate all the time."""
    return ((Step(0, rate),),) * 7


def _merged(steps: Sequence[Step]) -> tuple[Step, ...]:
    """One day's steps, equal neighbours merged; ValueError for a gap or a wrong order."""
    if not steps or steps[0].start != 0:
        raise ValueError("a day begins at 00:00")
    kept: list[Step] = []
    before = -1
    for step in steps:
        if not before < step.start < DAY_MINUTES:
            raise ValueError("the steps of a day rise from 00:00 to 23:59")
        before = step.start
        if not kept or kept[-1].rate != step.rate:
            kept.append(step)
    return tuple(kept)
