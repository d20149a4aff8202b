"""The shape of a profile, declared once: keys, what each holds, in which mode it belongs.

The kinds are those of `shape`. What the values mean together (a missing day, a
sum that does not add up, a limit) is not a matter of shape and is not known here.
"""

from __future__ import annotations

from pumpctl.quantities import Concentration, Duration, Mass, Volume
from pumpctl.therapy.findings import Rule, Severity
from pumpctl.therapy.moment import DAYS
from pumpctl.therapy.patient import AGE_GROUPS, HISTORIES, ORIGINS
from pumpctl.therapy.program import Mode
from pumpctl.therapy.shape import (
    PER_DAY,
    PER_HOUR,
    Choice,
    Count,
    Document,
    Exactly,
    Key,
    ListOf,
    Table,
    Text,
    TimeOfDay,
    amount,
)

FORMAT = 1
MAX_STEPS = 13
"""Changes a day of the flex mode, as these pumps have it; counted as written."""
MAX_BOLUSES = 24
"""Scheduled boluses a day, counted as written."""
MAX_TABLES = 64
"""A limit on everything: day tables, bolus tables."""

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
    Key("dose", amount(Mass), "What one scheduled bolus gives, on top of the steps."),
    Key("over", amount(Duration), "How long one bolus takes."),
    Key("at", ListOf(TimeOfDay(), MAX_BOLUSES),
        "The times of day, each written out."),
    Key("days", DAYS_OF_WEEK, "The days on which it is given."),
))  # fmt: skip

PATIENT_DOSE = Table((
    Key("dose", amount(Mass), "What one activation by the patient gives."),
    Key("over", amount(Duration), "How long it takes."),
    Key("lockout", amount(Duration), "No patient dose for so long after the end of any bolus."),
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

RULES = {
    rule.id: rule
    for rule in (
        Rule(
            "PROFILE_FORMAT",
            Severity.HARD,
            "profile format 1",
            "A file of another format could mean something else by the same words.",
        ),
        Rule(
            "STEP_COUNT",
            Severity.HARD,
            "flex mode of these pumps",
            "A pump of this kind holds at most 13 steps for a day.",
        ),
    )
}

_ROOT = Table((
    Key("format", Exactly(FORMAT, "PROFILE_FORMAT"), "The version of this format."),
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
        Key("concentration", amount(Concentration), "What the reservoir holds."),
    )), "It must be what the pump holds: only a refill changes it."),
    Key("program", PROGRAM, "What the pump is to give."),
    Key("reservoir", Table((
        Key("low_alarm", amount(Volume), "The volume at which the pump gives its alarm."),
    )), "When the pump calls for a refill."),
))  # fmt: skip

PROFILE = Document("profile", _ROOT, RULES)
