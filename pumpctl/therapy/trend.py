"""Do a pump's refills drift to one side? One outlier is not a trend (REF-07).

An incomplete drain shows as too much at one refill and as too little at the
next; a pump or catheter that fails shows on one side again and again. So the
middle of the last three ratios counts, and only where all three lie on one
side: no single refill, however far out, can make that. It knows no pump.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from typing import Final

from pumpctl.named import NamedTuple
from pumpctl.therapy import practice
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.refill import Discrepancy

REFILLS: Final = Sourced(3, "this project's choice (REF-07)")
"""So many judged refills, the last ones, all on one side."""
OVER: Final = Sourced(
    1 + (practice.RATIO_HIGH.value - 1) / 2, "this project's choice: half the band (REF-07)"
)
UNDER: Final = Sourced(
    1 - (1 - practice.RATIO_LOW.value) / 2, "this project's choice: half the band (REF-07)"
)
"""Beyond these the median of them is a drift: 1.0725 and 0.9275."""


class Drift(Enum):
    """Where the refills go."""

    TOO_FEW = "too few refills to tell"
    NONE = "no trend"
    OUTLIER = "one refill out of the band, which is not a trend"
    OVER = "more than programmed, again and again"
    UNDER = "less than programmed, again and again"


class Trend(NamedTuple):
    """What the last judged refills say together."""

    drift: Drift
    ratios: tuple[Fraction, ...]
    """Delivered to programmed, of at most the last three that were judged, oldest first."""
    median: Fraction | None


def trend(refills: Sequence[Discrepancy]) -> Trend:
    """Of refills in their order, oldest first; those with too little programmed are left out."""
    judged = [each.judged for each in refills]
    ratios = tuple(each for each in judged if each is not None)[-REFILLS.value :]
    outlier = bool(ratios) and not (
        practice.RATIO_LOW.value <= ratios[-1] <= practice.RATIO_HIGH.value
    )
    if len(ratios) < REFILLS.value:
        drift = Drift.OUTLIER if outlier else Drift.TOO_FEW
        return Trend(drift, ratios, None)
    median = sorted(ratios)[len(ratios) // 2]
    if median > OVER.value and min(ratios) > 1:
        return Trend(Drift.OVER, ratios, median)
    if median < UNDER.value and max(ratios) < 1:
        return Trend(Drift.UNDER, ratios, median)
    return Trend(Drift.OUTLIER if outlier else Drift.NONE, ratios, median)
