"""The limits that ship with the program, each figure with its source.

The one place where a limit is a number. A signed library per site takes its
place later; the checks ask for a `Limits` and will not notice. What is marked
"to verify" may be soft at most, the pump's own range excepted, beyond which it
cannot deliver. Which check uses which figure is not known here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Generic, NamedTuple, TypeVar

from pumpctl.quantities import Concentration, Duration, Flow, Rate, Volume
from pumpctl.therapy.program import MAXIMUM_FLOW, MINIMUM_FLOW

T = TypeVar("T")


class Sourced(NamedTuple, Generic[T]):
    """A figure and where it comes from."""

    value: T
    source: str


class UsualRange(NamedTuple):
    """The maintenance doses that a label calls usual: for notes, never for limits."""

    low: Rate
    high: Rate
    source: str


class Limits(NamedTuple):
    """Everything that the checks hold a program against."""

    drugs: dict[str, tuple[Concentration, ...]]
    """The closed list: drug → the concentrations at which it may be pumped."""
    drugs_source: str
    screening: Sourced[Concentration]
    minimum_flow: Sourced[Flow]
    maximum_flow: Sourced[Flow]
    daily_hard: Sourced[Rate]
    daily_soft: Sourced[Rate]
    usual: dict[str, UsualRange]
    """By age group where it has a range of its own, else by origin."""
    increase: Sourced[Fraction]
    reduction: Sourced[Fraction]
    clock: Sourced[Duration]
    stopped_soft: Sourced[Duration]
    stopped_hard: Sourced[Duration]
    restart: Sourced[Rate]
    """The most with which a patient who is as new may start."""
    refill_days: Sourced[int]
    reservoir: Sourced[Volume]
    low_alarm: Sourced[Volume]


_LABEL = "Lioresal Intrathecal and Gablofen labels"
_USUAL = "usual maintenance: eMPR, Gablofen; Skyscape, baclofen intrathecal"


def _mcg_day(count: int) -> Rate:
    return Rate(count * 1_000)


DEFAULT = Limits(
    drugs={"baclofen": (Concentration(500), Concentration(1000), Concentration(2000))},
    drugs_source=f"concentrations supplied for pumps: {_LABEL}",
    screening=Sourced(Concentration(50), f"screening ampoule, not for pumps: {_LABEL}"),
    minimum_flow=Sourced(MINIMUM_FLOW, "pump model range"),
    maximum_flow=Sourced(MAXIMUM_FLOW, "pump model range"),
    daily_hard=Sourced(_mcg_day(3_000), "this project's choice"),
    daily_soft=Sourced(_mcg_day(1_000), "label studies: little experience above it (to verify)"),
    usual={
        "under-12": UsualRange(_mcg_day(24), _mcg_day(1_199), _USUAL),
        "spinal": UsualRange(_mcg_day(300), _mcg_day(800), _USUAL),
        "cerebral": UsualRange(_mcg_day(90), _mcg_day(703), _USUAL),
    },
    increase=Sourced(Fraction(20, 100), "panel's remark: more may be excessive (CMSC 2015 CC13)"),
    reduction=Sourced(
        Fraction(20, 100), "-10 to 20 % for side effects: Skyscape pocket guide (secondary)"
    ),
    clock=Sourced(Duration.parse("60 s"), "this project's choice (TIM-02)"),
    stopped_soft=Sourced(Duration.parse("12 h"), "this project's choice (STP-03)"),
    stopped_hard=Sourced(Duration.parse("48 h"), "this project's choice (STP-03)"),
    restart=Sourced(
        _mcg_day(200), "starting rule of the labels: 2 x the largest screening dose (derived)"
    ),
    refill_days=Sourced(180, "longest refill interval, PMID 38043050"),
    reservoir=Sourced(Volume.parse("40 mL"), "the largest reservoir of these pumps"),
    low_alarm=Sourced(
        Volume.parse("2 mL"), "low-reservoir alarm by default on one system; withdrawal seen above"
    ),
)
