"""What changes from one program to another: days, hours, steps, boluses, settings.

Exact pairs of old and new; which of them is alarming, and how a row is drawn, is
not known here. The names of settings are those of the profile's own format.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum
from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Mass, Rate
from pumpctl.therapy import figures
from pumpctl.therapy.compare import percent_text
from pumpctl.therapy.curve import Curve
from pumpctl.therapy.figures import rate_at
from pumpctl.therapy.hours import HOURS, boluses_of, hours, stretches
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.program import PatientDose, Program, ScheduledBolus


class Edit(Enum):
    """What became of a step or a bolus."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Pair(NamedTuple):
    """Old and new in ng (of a day, of an hour), exact."""

    old: Fraction
    new: Fraction


class StepEdit(NamedTuple):
    """From minute `at` of the day on: the basal rate that was given, and the one to come."""

    edit: Edit
    day: int
    at: int
    old: Rate
    new: Rate


class BolusEdit(NamedTuple):
    """A scheduled bolus; None on the side where there is none at this time."""

    edit: Edit
    day: int
    at: int
    old: ScheduledBolus | None
    new: ScheduledBolus | None


class Setting(NamedTuple):
    """A setting that differs, as its text; None where one side has no such setting."""

    name: str
    old: str | None
    new: str | None
    percent: str | None
    """Of a rate, a mass or a volume that both sides have."""


class Difference(NamedTuple):
    """Everything that differs between two programs. Equal programs differ in nothing."""

    days: tuple[Pair, ...]
    """Seven, those that are equal too."""
    hours: tuple[tuple[Pair, ...], ...]
    """Seven times 24 hours of the clock, a bolus in the hour in which it starts."""
    largest_hour: Pair
    largest_24h: Pair
    """With every permitted patient dose taken."""
    steps: tuple[StepEdit, ...]
    boluses: tuple[BolusEdit, ...]
    settings: tuple[Setting, ...]


def difference(old: Program, new: Program) -> Difference:
    """Compare two programs; the masses of the largest windows are rounded up, as always."""
    before, after = Curve(old), Curve(new)
    return Difference(
        days=tuple(map(Pair, figures.daily_doses(old), figures.daily_doses(new))),
        hours=tuple(_hour_pairs(old, new, day) for day in range(7)),
        largest_hour=_masses(_largest_hour(old, before), _largest_hour(new, after)),
        largest_24h=_masses(
            figures.largest_24h_with_patient_doses(old, before),
            figures.largest_24h_with_patient_doses(new, after),
        ),
        steps=tuple(edit for day in range(7) for edit in _step_edits(old, new, day)),
        boluses=tuple(edit for day in range(7) for edit in _bolus_edits(old, new, day)),
        settings=_program_settings(old, new),
    )


def patient_settings(
    old: Patient | None, new: Patient | None, serials: tuple[str | None, str | None] = (None, None)
) -> tuple[Setting, ...]:
    """What differs in whom two profiles are for, and in the one pump they allow."""
    rows = [
        (f"patient.{name}", getattr(old, name, None), getattr(new, name, None))
        for name in Patient._fields
    ]
    return _differing([*rows, ("pump.serial", *serials)])


# --- underneath --------------------------------------------------------------------


def _masses(old: Mass, new: Mass) -> Pair:
    return Pair(Fraction(old.quanta), Fraction(new.quanta))


def _largest_hour(program: Program, curve: Curve) -> Mass:
    return max(figures.largest_hour(program, day, curve) for day in range(7))


def _hour_pairs(old: Program, new: Program, day: int) -> tuple[Pair, ...]:
    was, will = hours(old, day), hours(new, day)
    return tuple(Pair(was[hour].mass, will[hour].mass) for hour in range(HOURS))


def _step_edits(old: Program, new: Program, day: int) -> list[StepEdit]:
    """Steps that only one side has, and those whose rate differs, in order of time."""
    was = {stretch.start for stretch in stretches(old, day)}
    will = {stretch.start for stretch in stretches(new, day)}
    found = []
    for at in sorted(was | will):
        before, after = rate_at(old, day, at), rate_at(new, day, at)
        if at in was and at in will:
            if before != after:
                found.append(StepEdit(Edit.CHANGED, day, at, before, after))
        else:
            edit = Edit.ADDED if at in will else Edit.REMOVED
            found.append(StepEdit(edit, day, at, before, after))
    return found


def _bolus_edits(old: Program, new: Program, day: int) -> list[BolusEdit]:
    """Boluses by their time; of several at one time, those that are alike go first."""
    was, will = Counter(boluses_of(old, day)), Counter(boluses_of(new, day))
    gone, come = sorted((was - will).elements()), sorted((will - was).elements())
    found = []
    for at in sorted({bolus.at for bolus in gone + come}):
        before = [bolus for bolus in gone if bolus.at == at]
        after = [bolus for bolus in come if bolus.at == at]
        for place in range(max(len(before), len(after))):
            left = before[place] if place < len(before) else None
            right = after[place] if place < len(after) else None
            edit = Edit.ADDED if left is None else Edit.REMOVED if right is None else Edit.CHANGED
            found.append(BolusEdit(edit, day, at, left, right))
    return found


def _program_settings(old: Program, new: Program) -> tuple[Setting, ...]:
    rows: list[tuple[str, object, object]] = [
        ("drug.name", old.drug, new.drug),
        ("drug.concentration", old.concentration, new.concentration),
        ("program.mode", old.mode.value, new.mode.value),
        ("program.fallback_rate", old.fallback, new.fallback),
        ("reservoir.low_alarm", old.low_alarm, new.low_alarm),
    ]
    for name in PatientDose._fields:
        was, will = (getattr(program.patient_dose, name, None) for program in (old, new))
        rows.append((f"program.patient_dose.{name}", was, will))
    return _differing(rows)


def _differing(rows: list[tuple[str, object, object]]) -> tuple[Setting, ...]:
    return tuple(
        Setting(
            name,
            None if old is None else str(old),
            None if new is None else str(new),
            _percent(old, new),
        )
        for name, old, new in rows
        if old != new
    )


def _percent(old: object, new: object) -> str | None:
    before, after = getattr(old, "quanta", None), getattr(new, "quanta", None)
    return percent_text(before, after) if before and after is not None else None
