"""For how long a patient has had no drug, and when that is over (STP-03).

A stop and a stall count together, and a moment of delivery between them ends
nothing. What follows from it is decided elsewhere; no program is known here.
"""

from __future__ import annotations

from pumpctl.emulator.engine.clock import HOUR_MS

STOPPED_TOO_LONG_MS = 48 * HOUR_MS
FED_MS = 6 * HOUR_MS
"""Delivery of less than this does not end a time without drug: an infusion shows its first
effect after 6 to 8 h, and a second of it must not make the hours before forgotten."""


class Hunger:
    """`since`: the counter at which nothing was delivered any more; None where a patient is fed."""

    def __init__(self, since: int | None, fed: int | None) -> None:
        self.since = since
        self.fed = fed
        """The counter at which it is delivered again, while that does not count yet."""

    def note(self, counter: int, halts: list[int]) -> None:
        """`halts`: since when a stop or a stall keeps delivery off now; none where it is given."""
        if halts:
            self.since = min(halts if self.since is None else [*halts, self.since])
            self.fed = None
        elif self.since is not None:
            self.fed = counter if self.fed is None else self.fed
            if counter - self.fed >= FED_MS:
                self.since = self.fed = None

    def starved(self, counter: int) -> bool:
        """More than 48 hours without drug, and not yet fed again?"""
        return self.since is not None and counter - self.since > STOPPED_TOO_LONG_MS

    def edges(self) -> list[int]:
        """Counters at which something follows from it."""
        found = [] if self.since is None else [self.since + STOPPED_TOO_LONG_MS]
        return found if self.fed is None else [*found, self.fed + FED_MS]
