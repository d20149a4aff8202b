"""Figures of the pump's kind and of practice, which no site's library sets.

Each with its source. Limits of doses are in the drug library; which check uses
which figure is not known here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from pumpctl.quantities import Concentration, Duration, Rate, Volume
from pumpctl.therapy import program
from pumpctl.therapy.library import TO_VERIFY, Sourced
from pumpctl.therapy.library_default import LABEL

SCREENING: Final = Sourced(Concentration(50), f"screening ampoule, not for pumps: {LABEL}")
MINIMUM_FLOW: Final = Sourced(program.MINIMUM_FLOW, f"pump model range {TO_VERIFY}")
MAXIMUM_FLOW: Final = Sourced(program.MAXIMUM_FLOW, f"pump model range {TO_VERIFY}")
RESERVOIR: Final = Sourced(Volume.parse("40 mL"), "the largest reservoir of these pumps")
LOW_ALARM: Final = Sourced(
    Volume.parse("2 mL"), "low-reservoir alarm by default on one system; withdrawal seen above"
)
CLOCK: Final = Sourced(Duration.parse("60 s"), "this project's choice (TIM-02)")

LOCKOUT_SHORT: Final = Sourced(
    Duration.parse("30 min"), "onset of a bolus 0.5 to 1 h: baclofen injection label, pharmacology"
)
DOSE_LONG: Final = Sourced(
    Duration.parse("4 h"),
    "a bolus acts for 4 to 8 h: baclofen injection label, pharmacology; this project's choice",
)

STOPPED_SOFT: Final = Sourced(Duration.parse("12 h"), "this project's choice (STP-03)")
STOPPED_HARD: Final = Sourced(Duration.parse("48 h"), "this project's choice (STP-03)")
RESTART: Final = Sourced(
    Rate.parse("200 mcg/day"),
    "starting rule of the labels: 2 x the largest screening dose (derived)",
)
"""The most with which a patient who is as new may start."""

REFILL_DAYS: Final = Sourced(180, "longest refill interval, PMID 38043050")
REFILL_BEFORE_LOW_DAYS: Final = Sourced(7, "practice: a refill at least 7 days before the alarm")
REPLACE_AHEAD_DAYS: Final = Sourced(90, "practice: a pump is replaced at least 3 months ahead")

OBSERVE: Final = Sourced(Duration.parse("8 h"), "practice: observe at least 8 h (Boster 2016)")
"""After a refill; drug beside the reservoir acts within hours as well."""
OBSERVE_RESTART: Final = Sourced(
    Duration.parse("24 h"), "this project's choice: watched for overdose for a day (REF-01)"
)
"""Where the patient may not have had the drug before."""
REASSESS: Final = Sourced(
    Duration.parse("24 h"), "practice: reassess within 24 h of any change (Boster 2016)"
)
WITHDRAWAL: Final = (
    Sourced(Duration.parse("12 h"), "withdrawal begins 12 to 96 h after the last drug"),
    Sourced(Duration.parse("96 h"), "withdrawal begins 12 to 96 h after the last drug"),
)

REFILL_APART: Final = Sourced(Duration.parse("24 h"), "this project's choice (REF-06)")
"""A fill that only the pump knows of, and another within less: rather one that is told twice."""
DISCREPANCY: Final = Sourced(Volume.parse("2 mL"), "practice: evaluate beyond 2 mL (REF-01)")
ESTIMATE: Final = Sourced(
    Volume.parse("0.1 mL"), "this project's choice: a twentieth of what needs a decision"
)
"""By how much the pump's estimate and its own pulses may differ without a word."""
RATIO_FROM: Final = Sourced(
    Volume.parse("5 mL"), "this project's choice: at an early refill the ratio explodes (REF-01)"
)
"""Delivered to programmed is judged only where at least so much was programmed."""
RATIO_LOW: Final = Sourced(Fraction(855, 1000), "accuracy band of these pumps, 14.5 % (REF-01)")
RATIO_HIGH: Final = Sourced(Fraction(1145, 1000), "over-infusion: more than 14.5 % above (REF-01)")
RATIO_NOT_DELIVERED: Final = Sourced(Fraction(70, 100), "this project's choice (REF-01)")
POCKET_FILL: Final = (
    (Volume.parse("20 mL"), Sourced(Volume.parse("1 mL"), "FDA 2011: 1 mL in a 20 mL pump")),
    (Volume.parse("40 mL"), Sourced(Volume.parse("2 mL"), "FDA 2011: 2 mL in a 40 mL pump")),
)
"""By capacity: injected against sensed volume, beyond which drug may lie beside the reservoir."""
