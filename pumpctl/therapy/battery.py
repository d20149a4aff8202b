"""By when a pump must be replaced: two clocks that run towards its end, the earlier counts.

A battery announces its end (elective replacement, ERI) and the pump stops a set
time later; and the service life is capped, counted from the implant. Such a
date was once computed wrongly, so the rule stands alone and small. It knows no
pump and no clock: dates come from the caller.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple
from pumpctl.therapy import practice
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.moment import Date

ERI_DAYS: Final = Sourced(90, "elective replacement: the pump stops 90 days later")
SERVICE_YEARS: Final = Sourced(7, "service life capped at 7 years on one system")


class Wear(Enum):
    """What sets the date."""

    SERVICE_LIFE = "service life"
    ELECTIVE_REPLACEMENT = "elective replacement announced"
    PUMP = "the pump's own date"


class Replacement(NamedTuple):
    """The last date on which the pump may still be in use, and what sets it."""

    by: Date
    because: Wear
    plan_by: Date
    """The operation is planned at least so long ahead (`practice.REPLACE_AHEAD_DAYS`)."""


def replacement(
    implanted: Date | None, eri: Date | None = None, told: Date | None = None
) -> Replacement | None:
    """The earliest of what is known; None where nothing is.

    `eri` is the date on which the pump announced its elective replacement, `told`
    the date that it gives itself: it counts where it is the earliest, and is
    never taken for the only truth.
    """
    dates: list[tuple[Date, Wear]] = []
    if implanted is not None:
        dates.append((years_later(implanted, SERVICE_YEARS.value), Wear.SERVICE_LIFE))
    if eri is not None:
        dates.append((eri.plus(ERI_DAYS.value), Wear.ELECTIVE_REPLACEMENT))
    if told is not None:
        dates.append((told, Wear.PUMP))
    if not dates:
        return None
    by, because = min(dates, key=lambda each: each[0])
    return Replacement(by, because, by.plus(-practice.REPLACE_AHEAD_DAYS.value))


def years_later(date: Date, years: int) -> Date:
    """The same day of the calendar so many years later; 29 February rounds down to the 28th."""
    year, month_and_day = int(str(date)[:4]) + years, str(date)[4:]
    try:
        return Date.parse(f"{year:04d}{month_and_day}")
    except UsageError:
        return Date.parse(f"{year:04d}-02-28")
