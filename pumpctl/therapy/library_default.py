"""The drug library that ships: trusted as code, without expiry, every figure with its source.

What is marked "to verify" is a soft limit at most. A site's own library takes
its place whole, never in part.
"""

from __future__ import annotations

from pumpctl.quantities import Concentration, Duration, Mass, Percent, Rate
from pumpctl.therapy.library import (
    TO_VERIFY,
    Band,
    Change,
    Library,
    Limits,
    Sourced,
    UsualRange,
    Window,
)

LABEL = "Lioresal Intrathecal and Gablofen labels"
_USUAL = "usual maintenance: eMPR, Gablofen; Skyscape, baclofen intrathecal"
_CHOICE = "this project's choice"
_LITTLE = f"label studies: little experience above it {TO_VERIFY}"
_SCREENING = "the largest screening dose of the labels, 100 mcg (derived)"


def _day(count: int) -> Rate:
    return Rate(count * 1_000)


def _mcg(count: int) -> Mass:
    return Mass(count * 1_000)


def _entry(concentration: int) -> Limits:
    """The limits of baclofen; none of them depends on the concentration, the flow does."""
    absolute = Sourced(_day(3_000), _CHOICE)
    return Limits(
        drug="baclofen",
        concentration=Concentration(concentration),
        daily_dose=Band(
            soft_low=Sourced(_day(22), f"lowest dose of label studies, cerebral {TO_VERIFY}"),
            soft_high=Sourced(_day(1_000), _LITTLE),
            hard_high=absolute,
        ),
        rate=Band(hard_high=absolute),
        bolus=Band(
            soft_low=Sourced(_mcg(1), f"{_CHOICE}: a slip of unit or point downwards"),
            soft_high=Sourced(_mcg(100), _SCREENING),
            hard_high=Sourced(
                _mcg(300), "a quarter of the largest usual daily dose, 1199 mcg (derived)"
            ),
        ),
        patient_dose=Band(
            soft_low=Sourced(_mcg(1), f"{_CHOICE}: a slip of unit or point downwards"),
            soft_high=Sourced(_mcg(50), "the first screening dose: it acts by itself (derived)"),
            hard_high=Sourced(_mcg(100), _SCREENING),
        ),
        daily_change=Change(
            increase_soft=Sourced(
                Percent.parse("20 %"), "panel's remark: more may be excessive (CMSC 2015 CC13)"
            ),
            reduction_soft=Sourced(
                Percent.parse("20 %"),
                "-10 to 20 % for side effects: Skyscape pocket guide (secondary)",
            ),
        ),
        rate_change=Change(
            increase_soft=Sourced(Percent.parse("200 %"), _CHOICE),
            reduction_soft=Sourced(Percent.parse("70 %"), _CHOICE),
        ),
        windows=(
            Window(
                Duration.parse("1 h"),
                soft=Sourced(
                    _mcg(150), "the largest usual hour, 50 mcg, and a screening dose (derived)"
                ),
                hard=Sourced(
                    _mcg(350), "the largest usual hour, 50 mcg, and the largest bolus (derived)"
                ),
            ),
            Window(
                Duration.parse("24 h"),
                soft=Sourced(_mcg(1_000), _LITTLE),
                hard=Sourced(_mcg(3_000), _CHOICE),
            ),
        ),
        usual=(
            UsualRange("under-12", _day(24), _day(1_199), _USUAL),
            UsualRange("spinal", _day(300), _day(800), _USUAL),
            UsualRange("cerebral", _day(90), _day(703), _USUAL),
        ),
    )


DEFAULT = Library(
    site="pumpctl",
    version=1,
    issued=None,
    expires=None,
    source=f"concentrations supplied for pumps: {LABEL}",
    listed=tuple(_entry(each) for each in (500, 1000, 2000)),
)
