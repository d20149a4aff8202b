"""The shape of a drug library's file, declared once: keys and what each holds.

The kinds are those of `shape`. Which limits must be there, and what they mean
together, is the checks' matter (`checks/libraries`).
"""

from __future__ import annotations

from pumpctl.quantities import Concentration, Duration, Mass, Percent, Rate
from pumpctl.therapy.findings import Rule, Severity
from pumpctl.therapy.library import SECOND_PERSON
from pumpctl.therapy.patient import AGE_GROUPS, ORIGINS
from pumpctl.therapy.shape import (
    PER_DAY,
    Amount,
    Choice,
    Count,
    DateText,
    Document,
    Exactly,
    Key,
    ListOf,
    Table,
    Text,
    amount,
)

FORMAT = 1
MAX_VERSION = 2**31
MAX_DRUGS = 64
MAX_WINDOWS = 16

_SOURCE = Text(300)


def _figure(kind: Amount, what: str) -> Table:
    return Table((
        Key("limit", kind, what),
        Key("source", _SOURCE, "Where this figure comes from."),
    ))  # fmt: skip


def _band(kind: Amount) -> Table:
    return Table((
        Key("hard_low", _figure(kind, "Less is never given."), "The hard lower limit.",
            required=False),
        Key("soft_low", _figure(kind, "Less needs a reason."), "The soft lower limit.",
            required=False),
        Key("soft_high", _figure(kind, "More needs a reason."), "The soft upper limit.",
            required=False),
        Key("hard_high", _figure(kind, "More is never given."), "The hard upper limit.",
            required=False),
    ))  # fmt: skip


_PERCENT = amount(Percent)

_CHANGE = Table((
    Key("increase_soft", _figure(_PERCENT, "A larger increase needs a reason."),
        "The soft limit of an increase.", required=False),
    Key("increase_hard", _figure(_PERCENT, "A larger increase is never made at once."),
        "The hard limit of an increase.", required=False),
    Key("reduction_soft", _figure(_PERCENT, "A larger reduction needs a reason."),
        "The soft limit of a reduction.", required=False),
    Key("reduction_hard", _figure(_PERCENT, "A larger reduction is never made at once."),
        "The hard limit of a reduction; reductions must stay possible.", required=False),
))  # fmt: skip

_WINDOW = Table((
    Key("length", amount(Duration), "How long the window is."),
    Key("soft", _figure(amount(Mass), "More in any such window needs a reason."),
        "The soft limit.", required=False),
    Key("hard", _figure(amount(Mass), "More in any such window is never given."),
        "The hard limit."),
))  # fmt: skip

_USUAL = Table((
    Key("group", Choice((*AGE_GROUPS, *ORIGINS)), "An age group, or an origin of spasticity."),
    Key("low", PER_DAY, "From this daily dose."),
    Key("high", PER_DAY, "To this daily dose."),
    Key("source", _SOURCE, "Which label calls it usual."),
))  # fmt: skip

_DRUG = Table((
    Key("name", Text(32), "The drug."),
    Key("concentration", amount(Concentration), "Limits are for one drug at one concentration."),
    Key("daily_dose", _band(PER_DAY), "Limits of a day's total.", required=False),
    Key("rate", _band(amount(Rate)), "Limits of any basal rate, the fallback's included.",
        required=False),
    Key("bolus", _band(amount(Mass)), "Limits of any single dose but the patient's own.",
        required=False),
    Key("patient_dose", _band(amount(Mass)), "Limits of the patient's own dose.",
        required=False),
    Key("daily_change", _CHANGE, "Limits of the change of a day's total, in percent.",
        required=False),
    Key("rate_change", _CHANGE, "Limits of the change of the basal rate at any minute.",
        required=False),
    Key("window", ListOf(_WINDOW, MAX_WINDOWS),
        "The most in any window of a length, wherever it starts; one of 1 h and one of 24 h.",
        required=False),
    Key("usual", ListOf(_USUAL, len(AGE_GROUPS) + len(ORIGINS)),
        "The doses that a label calls usual: for notes, never for limits.", required=False),
))  # fmt: skip

_POLICY = Table((
    Key("second_person", Choice(SECOND_PERSON),
        "Whether a second person confirms what goes above a soft limit."),
))  # fmt: skip

_ROOT = Table((
    Key("format", Exactly(FORMAT, "LIBRARY_FORMAT"), "The version of this format."),
    Key("library", Table((
        Key("site", Text(40), "Whose library it is."),
        Key("version", Count(1, MAX_VERSION), "It rises with every change, and never goes down."),
        Key("issued", DateText(), "The day on which it was issued.", required=False),
        Key("expires", DateText(), "The last day on which it is valid.", required=False),
        Key("source", _SOURCE, "Where the list of drugs and concentrations comes from."),
    )), "Whose library this is, and which."),
    Key("policy", _POLICY, "What this site asks for beyond the limits; without it, nothing more.",
        required=False),
    Key("drug", ListOf(_DRUG, MAX_DRUGS),
        "The closed list: one table for each drug at each concentration."),
))  # fmt: skip

RULES = {
    "LIBRARY_FORMAT": Rule(
        "LIBRARY_FORMAT",
        Severity.HARD,
        "library format 1",
        "A file of another format could mean something else by the same words.",
    )
}

LIBRARY = Document("library", _ROOT, RULES)


def schema_text() -> str:
    """The JSON schema of it; `profiles/library.schema.json` is this text."""
    from pumpctl.therapy import json_schema

    return json_schema.text(
        json_schema.schema(
            LIBRARY,
            "pumpctl drug library",
            "The drug library of a site: limits by drug and concentration, format 1.",
        )
    )
