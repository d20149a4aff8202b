"""Is the library that a change or an order is held against still valid? (LIM-08)

Bolus, prime and bridge are held against it by `also_orders`; the date is the
station's, for a pump's clock may have been lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

from pumpctl.therapy.checks.library_words import EXPIRED_SOURCE, EXPIRED_WHY, expired
from pumpctl.therapy.checks.registry import Checks, PumpCase, pump_check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Library
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Delivery

_NAME: Final = "LIBRARY_EXPIRED"


class Order(Protocol):
    """What an order looks like here."""

    @property
    def library(self) -> Library:
        """That it is held against."""

    @property
    def now(self) -> Moment:
        """The station's clock."""

    @property
    def gives(self) -> bool:
        """Whether anything would be given by it."""


def also_orders(kind: Checks[Any]) -> None:
    """Hold this kind of order against the library's last day, too."""
    kind(_NAME, Severity.HARD, source=EXPIRED_SOURCE, why=EXPIRED_WHY)(_order_expired)


def _order_expired(case: Order) -> Iterator[Seen]:
    """The library is valid on the day of the order."""
    if case.gives:
        yield from expired(case.library, case.now.date)


def _goes_on(case: PumpCase) -> bool:
    """Whether it is the same program again on a stopped pump: refusing it is withdrawal."""
    return case.pump.delivery is Delivery.STOPPED and case.program == case.pump.program


@pump_check(_NAME, Severity.HARD, source=EXPIRED_SOURCE, why=EXPIRED_WHY)
def library_expired(case: PumpCase) -> Iterator[Seen]:
    """The library is valid on the day of the change."""
    yield from expired(case.library, case.now.date, Severity.SOFT if _goes_on(case) else None)
