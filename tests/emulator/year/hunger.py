"""How long a patient has been without drug, by stop or stall, as the oracle counts it (STP-03)."""

from __future__ import annotations

from tests.emulator.year.demand import HOUR

TWO_DAYS = 48 * HOUR
FED = 6 * HOUR
"""Delivery of less than this does not end a time without drug."""


class Hunger:
    """Told of every change between delivering and not."""

    def __init__(self) -> None:
        self._since: int | None = None
        self._fed: int | None = None

    def since(self, at: int) -> int | None:
        """Counter since which nothing was given; None where enough has been since."""
        enough = self._fed is not None and at - self._fed >= FED
        return None if enough else self._since

    def note(self, at: int, *, delivers: bool) -> None:
        """It has just begun to deliver, or ceased to, or nothing has changed."""
        self._since = self.since(at)
        if not delivers:
            self._since = at if self._since is None else self._since
            self._fed = None
        elif self._since is None:
            self._fed = None
        elif self._fed is None:
            self._fed = at

    def for_two_days(self, at: int) -> bool:
        """Is it as long as that already?"""
        since = self.since(at)
        return since is not None and at - since >= TWO_DAYS
