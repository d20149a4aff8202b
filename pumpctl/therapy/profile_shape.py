"""The shape of a profile, declared once: keys, what each holds, in which mode it belongs.

The walk that validates a file and the JSON schema for editors both come from
this table, so that they cannot disagree. What the values mean together (a
missing day, a sum that does not add up, a limit) is not a matter of shape and
is not known here.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pumpctl.quantities import Concentration, Duration, Mass, Quantity, Rate, Volume
from pumpctl.therapy.moment import DAYS
from pumpctl.therapy.patient import AGE_GROUPS, HISTORIES, ORIGINS
from pumpctl.therapy.program import Mode

FORMAT = 1
MAX_STEPS = 13
"""Changes a day of the flex mode, as these pumps have it; counted as written."""
MAX_BOLUSES = 24
"""Scheduled boluses a day, counted as written."""
MAX_TABLES = 64
"""A limit on everything: day tables, bolus tables."""


class Exactly(NamedTuple):
    """One whole number and no other: the version of the format."""

    number: int


class Text(NamedTuple):
    """Printable text with a limit."""

    longest: int


class Choice(NamedTuple):
    """One of a few words."""

    words: tuple[str, ...]


class Amount(NamedTuple):
    """A quantity, as text with one of these units.

    `most` is no limit of dosing: beyond it nothing can be meant, and sums are
    kept far from any integer's end.
    """

    kind: type[Quantity]
    units: tuple[str, ...]
    most: Quantity


class TimeOfDay(NamedTuple):
    """Hours and minutes, "00:00" to "23:59"."""


class Count(NamedTuple):
    """A whole number from `low` to `high`: the one thing without a unit."""

    low: int
    high: int


class ListOf(NamedTuple):
    """One or more of the same; `rule` is the id of the finding where there are too many."""

    item: Kind
    most: int
    rule: str = "VALUE_COUNT"


class Table(NamedTuple):
    """Keys, each at most once; no others."""

    keys: tuple[Key, ...]


Kind: TypeAlias = "Exactly | Text | Choice | Amount | TimeOfDay | Count | ListOf | Table"


class Key(NamedTuple):
    """One key of a table. `modes`: where it belongs; None for everywhere."""

    name: str
    kind: Kind
    doc: str
    required: bool = True
    modes: tuple[str, ...] | None = None


_MOST: dict[type[Quantity], Quantity] = {
    Mass: Mass.parse("1000 mg"),
    Volume: Volume.parse("1000 mL"),
    Concentration: Concentration.parse("1000 mg/mL"),
    Duration: Duration.parse("366 d"),
    Rate: Rate.parse("1000000 mcg/day"),
}


def _all(kind: type[Quantity]) -> Amount:
    return Amount(kind, tuple(kind.UNITS), _MOST[kind])


PER_DAY = Amount(Rate, ("mcg/day",), _MOST[Rate])
PER_HOUR = Amount(Rate, ("mcg/h",), _MOST[Rate])
DAYS_OF_WEEK = ListOf(Choice(DAYS), 7)

_MINIMUM, _CONTINUOUS, _FLEX = (mode.value for mode in Mode)
_DOSING = (_CONTINUOUS, _FLEX)

STEP = Table((
    Key("from", TimeOfDay(), "The time of day at which this rate begins; the first is 00:00."),
    Key("basal", PER_HOUR, "The basal rate, per hour only."),
))  # fmt: skip

DAY = Table((
    Key("days", DAYS_OF_WEEK, "The days that these steps are for; every day once in the profile."),
    Key("daily_dose", PER_DAY, "Your own total, scheduled boluses included: it must add up."),
    Key("steps", ListOf(STEP, MAX_STEPS, "STEP_COUNT"),
        "The basal rate over the day, in order, from 00:00."),
))  # fmt: skip

BOLUS = Table((
    Key("dose", _all(Mass), "What one scheduled bolus gives, on top of the steps."),
    Key("over", _all(Duration), "How long one bolus takes."),
    Key("at", ListOf(TimeOfDay(), MAX_BOLUSES),
        "The times of day, each written out."),
    Key("days", DAYS_OF_WEEK, "The days on which it is given."),
))  # fmt: skip

PATIENT_DOSE = Table((
    Key("dose", _all(Mass), "What one activation by the patient gives."),
    Key("over", _all(Duration), "How long it takes."),
    Key("lockout", _all(Duration), "No patient dose for so long after the end of any bolus."),
    Key("max_per_24h", Count(1, 24), "At most so many in any 24 hours, counted by their start."),
))  # fmt: skip

PROGRAM = Table((
    Key("mode", Choice((_CONTINUOUS, _FLEX, _MINIMUM)), "How the basal dose is given."),
    Key("fallback_rate", PER_DAY, "What to give if the stored program is ever damaged.",
        modes=_DOSING),
    Key("daily_dose", PER_DAY, "The dose of every day, scheduled boluses included.",
        modes=(_CONTINUOUS,)),
    Key("day", ListOf(DAY, MAX_TABLES), "The steps, by day of the week.", modes=(_FLEX,)),
    Key("bolus", ListOf(BOLUS, MAX_TABLES), "Scheduled boluses, on top of the steps.",
        required=False, modes=_DOSING),
    Key("patient_dose", PATIENT_DOSE, "A dose on the patient's own activation.",
        required=False, modes=_DOSING),
))  # fmt: skip

PROFILE = Table((
    Key("format", Exactly(FORMAT), "The version of this format."),
    Key("patient", Table((
        Key("tag", Text(64), "The clinic's own label of the patient, never a name."),
        Key("spasticity_origin", Choice(ORIGINS), "Where the spasticity comes from."),
        Key("age_group", Choice(AGE_GROUPS), "The patient's age."),
        Key("history", Choice(HISTORIES), "Decides which rules of the label speak.",
            required=False),
    )), "Whom the program is for."),
    Key("pump", Table((
        Key("serial", Text(32), "Only this pump takes the profile."),
    )), "Left out, the profile is for any pump.", required=False),
    Key("drug", Table((
        Key("name", Text(32), "The drug in the reservoir."),
        Key("concentration", _all(Concentration), "What the reservoir holds."),
    )), "It must be what the pump holds: only a refill changes it."),
    Key("program", PROGRAM, "What the pump is to give."),
    Key("reservoir", Table((
        Key("low_alarm", _all(Volume), "The volume at which the pump gives its alarm."),
    )), "When the pump calls for a refill."),
))  # fmt: skip
