"""`profile diff`: what a new profile changes, as values and as JSON. `compare_text` says it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from pumpctl.cli.profile.ahead import Ahead
from pumpctl.cli.profile.json import (
    bolus_json,
    days_json,
    drug_json,
    outlook_json,
    reading_json,
)
from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass, Rate, round_half_up
from pumpctl.therapy.compare import percent_text
from pumpctl.therapy.difference import (
    Difference,
    Pair,
    Setting,
    difference,
    patient_settings,
)
from pumpctl.therapy.figures import flow_of_largest_day
from pumpctl.therapy.hours import alike_days
from pumpctl.therapy.moment import DAYS, clock_text
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.profile import ProfileReading
from pumpctl.therapy.program import Program


class Read(NamedTuple):
    """A profile that means a program."""

    file: Path
    reading: ProfileReading
    program: Program

    @property
    def patient(self) -> Patient | None:
        """Whom it is for, where that can be read."""
        return None if self.reading.profile is None else self.reading.profile.patient

    @property
    def serial(self) -> str | None:
        """The one pump that it allows, if it names one."""
        return None if self.reading.profile is None else self.reading.profile.serial


class Compared(NamedTuple):
    """Two profiles and everything that differs."""

    old: Read
    new: Read
    found: Difference
    settings: tuple[Setting, ...]
    """Of the patient, the pump and the program."""

    @property
    def same(self) -> bool:
        """Whether both mean the same program for the same patient."""
        return self.old.program == self.new.program and not self.settings


def compared(old: Read, new: Read) -> Compared:
    """Compare two profiles."""
    found = difference(old.program, new.program)
    whom = patient_settings(old.patient, new.patient, (old.serial, new.serial))
    return Compared(old, new, found, (*whom, *found.settings))


# --- JSON ---------------------------------------------------------------------------


def compared_json(told: Compared, ahead: Ahead, windows: tuple[Duration, ...]) -> dict[str, Any]:
    """The document of `profile diff`. A `change` always has its sign, and is not rounded twice."""
    old, new = told.old.program, told.new.program
    outlooks = (ahead.outlook(old, windows), ahead.outlook(new, windows))
    return {
        "same": told.same,
        "old": _side_json(told.old),
        "new": _side_json(told.new),
        "days": [
            {"day": DAYS[day], **_pair_json(pair, Rate)} for day, pair in enumerate(told.found.days)
        ],
        "largest_hour": _pair_json(told.found.largest_hour, Mass),
        "largest_24h": _pair_json(told.found.largest_24h, Mass),
        "flow": {"old": str(flow_of_largest_day(old)), "new": str(flow_of_largest_day(new))},
        "hours": [
            {
                "days": days_json(days),
                "hours": [
                    {"from": clock_text(60 * hour), **_pair_json(pair, Mass)}
                    for hour, pair in enumerate(told.found.hours[days[0]])
                ],
            }
            for days in alike_days(old, new)
        ],
        "steps": [
            {
                "day": DAYS[step.day],
                "edit": step.edit.value,
                "from": clock_text(step.at),
                "old": str(step.old),
                "new": str(step.new),
                "percent": _percent(step.old.quanta, step.new.quanta),
            }
            for step in told.found.steps
        ],
        "boluses": [
            {
                "day": DAYS[bolus.day],
                "edit": bolus.edit.value,
                "at": clock_text(bolus.at),
                "old": None if bolus.old is None else bolus_json(bolus.old, old),
                "new": None if bolus.new is None else bolus_json(bolus.new, new),
            }
            for bolus in told.found.boluses
        ],
        "fields": [
            {"field": each.name, "old": each.old, "new": each.new, "percent": each.percent}
            for each in told.settings
        ],
        "forecast": None
        if outlooks[0] is None or outlooks[1] is None
        else {"old": outlook_json(outlooks[0]), "new": outlook_json(outlooks[1])},
    }


def _side_json(side: Read) -> dict[str, Any]:
    data = reading_json(side.reading)
    return {
        "file": str(side.file),
        "hash": data["hash"],
        "mode": data["mode"],
        "patient": None if side.patient is None else side.patient.tag,
        "drug": drug_json(side.program),
        "findings": data["findings"],
    }


def _pair_json(pair: Pair, kind: type[Rate] | type[Mass]) -> dict[str, Any]:
    return {
        "old": str(kind(round_half_up(pair.old))),
        "new": str(kind(round_half_up(pair.new))),
        "change": signed(pair, kind),
        "percent": _percent(pair.old, pair.new),
    }


def signed(pair: Pair, kind: type[Rate] | type[Mass]) -> str:
    """`+28 mcg/day`, rounded once, half away from zero; without a sign where nothing changes."""
    change = pair.new - pair.old
    sign = "+" if change > 0 else "-" if change < 0 else ""
    return f"{sign}{kind(round_half_up(abs(change)))}"


def _percent(old: Fraction | int, new: Fraction | int) -> str | None:
    """None where there was nothing before: no percentage says that."""
    return percent_text(old, new) if old else None
