"""A profile as it was written: typed parts, any of which may be missing or faulty.

The checks look at drafts, so that one fault in a file hides no other; only a
draft without a gap becomes a `Program`. A program that comes from elsewhere
(from a pump, from a titration) becomes a draft too, and is checked by the same
checks. No limits here, and no TOML.
"""

from __future__ import annotations

from typing import TypeVar

from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy.findings import Fault
from pumpctl.therapy.moment import DAYS
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.places import Path
from pumpctl.therapy.program import (
    Mode,
    PatientDose,
    Program,
    ScheduledBolus,
    Step,
    continuous,
    make_program,
)

T = TypeVar("T")


class WrittenStep(NamedTuple):
    """One line of `steps`; None for what could not be read."""

    start: int | None
    rate: Rate | None
    path: Path


class WrittenDay(NamedTuple):
    """One `[[program.day]]`, for one day or several."""

    days: tuple[int | None, ...]
    declared: Rate | None
    steps: tuple[WrittenStep, ...] | None
    path: Path

    def read(self) -> tuple[Step, ...] | None:
        """The steps, where every one of them could be read."""
        if self.steps is None:
            return None
        both = [(step.start, step.rate) for step in self.steps]
        read = [Step(s, r) for s, r in both if s is not None and r is not None]
        return tuple(read) if len(read) == len(both) else None


class WrittenBolus(NamedTuple):
    """One `[[program.bolus]]`: a dose at each of its times on each of its days."""

    dose: Mass | None
    over: Duration | None
    at: tuple[int | None, ...]
    days: tuple[int | None, ...]
    path: Path


class PlacedBolus(NamedTuple):
    """One single dose in the week, and where its time was written."""

    bolus: ScheduledBolus
    path: Path


class Draft(NamedTuple):
    """All that could be read of a profile, and what could not."""

    faults: tuple[Fault, ...] = ()
    text: str | None = None
    """The file, for finding places; None where there was none."""
    patient: Patient | None = None
    serial: str | None = None
    drug: str | None = None
    concentration: Concentration | None = None
    mode: Mode | None = None
    fallback: Rate | None = None
    declared: Rate | None = None
    """The daily dose of continuous mode."""
    days: tuple[WrittenDay, ...] | None = None
    boluses: tuple[WrittenBolus, ...] | None = ()
    patient_dose: PatientDose | None = None
    complete: bool = True
    """Whether the shape of everything that makes the program was in order."""
    low_alarm: Volume | None = None
    program: Program | None = None
    """What the parts mean together, where they mean something."""

    def day_names(self) -> list[tuple[int, Path]] | None:
        """Every day that is named, with its place; None where one could not be read."""
        if self.days is None:
            return None
        named = []
        for written in self.days:
            for at, day in enumerate(written.days):
                if day is None:
                    return None
                named.append((day, (*written.path, "days", at)))
        return named

    def placed_boluses(self) -> list[PlacedBolus] | None:
        """Every scheduled bolus of the week in order; None where one could not be read."""
        if self.boluses is None:
            return None
        placed = []
        for written in self.boluses:
            if written.dose is None or written.over is None:
                return None
            for at, minute in enumerate(written.at):
                for day in written.days:
                    if minute is None or day is None:
                        return None
                    bolus = ScheduledBolus(day, minute, written.dose, written.over)
                    placed.append(PlacedBolus(bolus, (*written.path, "at", at)))
        return sorted(placed, key=lambda each: each.bolus)

    def dose_path(self, day: int) -> Path:
        """Where the daily dose of this weekday is declared."""
        for written in self.days or ():
            if day in written.days:
                return (*written.path, "daily_dose")
        return ("program", "daily_dose" if self.mode is Mode.CONTINUOUS else "mode")


def draft_of(program: Program) -> Draft:
    """A program that was not read from a file, for the same checks."""
    return Draft(
        drug=program.drug,
        concentration=program.concentration,
        mode=program.mode,
        fallback=None if program.mode is Mode.MINIMUM else program.fallback,
        days=tuple(
            WrittenDay(
                days=(day,),
                declared=None,
                steps=tuple(WrittenStep(step.start, step.rate, ()) for step in steps),
                path=(),
            )
            for day, steps in enumerate(program.days)
        )
        if program.mode is Mode.FLEX
        else None,
        boluses=tuple(
            WrittenBolus(bolus.dose, bolus.over, (bolus.at,), (bolus.day,), ())
            for bolus in program.boluses
        ),
        patient_dose=program.patient_dose,
        low_alarm=program.low_alarm,
        program=program,
    )


def formed(draft: Draft) -> Program | None:
    """The program that the parts make, or None; the checks say why."""
    if not draft.complete or draft.mode is None or draft.drug is None:
        return None
    if draft.concentration is None or draft.low_alarm is None:
        return None
    placed = draft.placed_boluses()
    days = _days(draft, placed)
    if placed is None or days is None:
        return None
    try:
        return make_program(
            draft.mode,
            draft.drug,
            draft.concentration,
            low_alarm=draft.low_alarm,
            fallback=draft.fallback,
            days=days,
            boluses=[each.bolus for each in placed],
            patient_dose=draft.patient_dose,
        )
    except ValueError:
        return None


def bolus_masses(placed: list[PlacedBolus]) -> tuple[int, ...]:
    """The ng that scheduled boluses add to each day, mon to sun."""
    masses = [0] * len(DAYS)
    for each in placed:
        masses[each.bolus.day] += each.bolus.dose.quanta
    return tuple(masses)


def _days(draft: Draft, placed: list[PlacedBolus] | None) -> tuple[tuple[Step, ...], ...] | None:
    """Seven days of steps, or none at all in minimum rate."""
    if draft.mode is Mode.MINIMUM:
        return ()
    if draft.mode is Mode.CONTINUOUS:
        masses = bolus_masses(placed or [])
        if draft.declared is None or len(set(masses)) > 1 or masses[0] > draft.declared.quanta:
            return None
        return continuous(Rate(draft.declared.quanta - masses[0]))
    named = draft.day_names()
    if named is None or sorted(day for day, _ in named) != list(range(7)):
        return None
    week: dict[int, tuple[Step, ...]] = {}
    for written in draft.days or ():
        steps = written.read() or ()  # a day without steps makes no program
        week.update((day, steps) for day in written.days if day is not None)
    return tuple(week[day] for day in range(7))
