"""What the label says of screening, starting, titration and weaning, each with its source.

The figures alone: `trial`, `titration` and `weaning` make proposals of them, the
checks hold programs against them. They speak for baclofen given intrathecally.
"""

from __future__ import annotations

from typing import Final

from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Duration, Mass, Percent, Volume
from pumpctl.therapy.library import TO_VERIFY, Sourced


class ScreeningStep(NamedTuple):
    """One test injection, of the screening ampoule."""

    dose: Mass
    volume: Volume


class StepRange(NamedTuple):
    """The relative size of one change: `low` is usual, only `high` limits."""

    low: Percent
    high: Percent
    source: str


SCREENING_CONCENTRATION: Final = Concentration(50)
SCREENING_STEPS: Final = (
    ScreeningStep(Mass.parse("50 mcg"), Volume.parse("1 mL")),
    ScreeningStep(Mass.parse("75 mcg"), Volume.parse("1.5 mL")),
    ScreeningStep(Mass.parse("100 mcg"), Volume.parse("2 mL")),
)
SCREENING_SOURCE: Final = "screening: Drugs.com baclofen dosage; CHEO monograph (secondary)"
SCREENING_CHILD: Final = Sourced(
    ScreeningStep(Mass.parse("25 mcg"), Volume.parse("0.5 mL")), "small children: CHEO monograph"
)
"""May be tried first in a small child."""
SCREENING_CHILD_BELOW: Final = Sourced(
    12, "this project's choice: the label says 'small' and gives no age"
)
"""Years below which the small first injection is offered."""
SCREENING_APART: Final = Sourced(Duration.parse("24 h"), SCREENING_SOURCE)
SCREENING_OVER: Final = Sourced(Duration.parse("1 min"), SCREENING_SOURCE)
"""Each injection takes at least so long."""
OBSERVED: Final = (Duration.parse("4 h"), Duration.parse("8 h"))
NO_RESPONSE: Final = "no response to 100 mcg: not a candidate for a pump (CHEO; Skyscape)"

START_SOURCE: Final = "starting dose: Skyscape, CHEO (secondary); CMSC 2015 CC13"
START_FACTOR: Final = 2
"""Times the screening dose that worked, over 24 h ..."""
START_FACTOR_LONG: Final = 1
"""... but once where its effect lasted longer than `LONG_EFFECT`, or after a bad reaction."""
LONG_EFFECT: Final = Sourced(Duration.parse("8 h"), START_SOURCE)

FIRST_DAY: Final = Sourced(
    Duration.parse("24 h"), "no increase in the first 24 h: Skyscape (secondary)"
)
INCREASE_APART: Final = Sourced(
    Duration.parse("24 h"), "at most one increase in 24 h: Skyscape, CMSC 2015 CC13"
)
_TITRATION = "titration: Skyscape; CMSC 2015 CC13; Boster 2016"
TITRATION_ADULT_SPINAL: Final = StepRange(Percent.parse("10 %"), Percent.parse("30 %"), _TITRATION)
TITRATION_OTHER: Final = StepRange(Percent.parse("5 %"), Percent.parse("15 %"), _TITRATION)
"""Cerebral origin in adults, and every minor."""

MAINTENANCE_CEREBRAL: Final = StepRange(
    Percent.parse("5 %"), Percent.parse("20 %"), "maintenance: Skyscape (secondary)"
)
MAINTENANCE_SPINAL: Final = StepRange(
    Percent.parse("10 %"), Percent.parse("40 %"), f"maintenance, spinal {TO_VERIFY}"
)
REDUCTION: Final = StepRange(
    Percent.parse("10 %"), Percent.parse("20 %"), "for side effects: Skyscape (secondary)"
)
WEANING: Final = StepRange(
    Percent.parse("10 %"),
    Percent.parse("50 %"),
    "published examples of weaning: 20-50 % a day over about 6 days; -10, then -20 % before "
    "explant",
)
YEARS: Final = Sourced(4, "indicated from 4 years: DailyMed, Gablofen, 28 Mar 2025")
AFTER_BRAIN_INJURY: Final = Sourced(
    Duration.parse("365 d"),
    "one year after a brain injury: DailyMed, Gablofen, 28 Mar 2025",
)

NEW: Final = (None, "new")
"""Histories whose dose is still being sought; one that was not said is held to the same rule."""


def increase_step(age_group: str, origin: str, history: str | None) -> StepRange:
    """How large one increase may be, by who the patient is and where the course stands."""
    if history in NEW or age_group != "adult":  # a minor's steps are the small ones, always
        return titration_step(age_group, origin)
    return maintenance_step(origin)


def titration_step(age_group: str, origin: str) -> StepRange:
    """How large one increase may be while a new patient's dose is sought."""
    if age_group == "adult" and origin == "spinal":
        return TITRATION_ADULT_SPINAL
    return TITRATION_OTHER


def maintenance_step(origin: str) -> StepRange:
    """How large an increase usually is at a refill, once the dose is established."""
    return MAINTENANCE_SPINAL if origin == "spinal" else MAINTENANCE_CEREBRAL
