"""How long the station waits, and how often it tries again: policy as data.

One place for every time-out. The worst case of a change of therapy, all of its
tries together, stays below the 30 s that the contract allows.
"""

from __future__ import annotations

from typing import NamedTuple


class Patience(NamedTuple):
    """Seconds to wait after each sending; as many sendings as there are entries."""

    waits: tuple[float, ...]

    @property
    def total(self) -> float:
        """The longest that a request can take."""
        return sum(self.waits)


GREETING = Patience((0.7, 1.0, 1.5, 2.0))
HANDSHAKE = Patience((1.0, 1.5, 2.5))
READING = Patience((1.0, 1.5, 2.5, 4.0))
STAGING = Patience((1.5, 2.5, 4.0))
THERAPY = Patience((1.5, 2.0, 3.0, 4.0))
CLOSING = Patience((0.3,))
