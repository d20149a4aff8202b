"""How fast a line brings bytes, and how long a question takes to be answered, while it streams.

Seconds of any steady clock are handed in; what the bytes are is not known here.
"""

from __future__ import annotations

LEAST_RATE = 120
"""Bytes per second: no line is taken for slower than 1200 baud."""
FIRST_ROUND_S = 0.25
"""Taken for the round trip until one was measured."""
_ASSUMED = 960
"""Bytes per second, taken for the line's rate until it was measured: 9600 baud."""
_MEASURED_S, _FIRST_S = 0.2, 0.02
"""Seconds over which the rate is measured, and for the first time."""


class LineRate:
    """What was measured of a line."""

    def __init__(self, now: float, round_s: float = FIRST_ROUND_S) -> None:
        self.measured = 0.0
        """Bytes per second; 0 until it is known."""
        self.round_s = round_s
        self.came = now
        """When the last byte came."""
        self._since: float | None = None
        self._bytes = 0
        self._probed: float | None = None

    @property
    def taken(self) -> float:
        """Bytes per second, to reckon with."""
        return self.measured or _ASSUMED

    def probe(self, now: float) -> None:
        """Something is asked now, on a line that is idle."""
        self.came, self._probed, self._since = now, now, None

    def answered(self, now: float) -> None:
        """A whole frame came: where it is the first after a probe, it tells the round trip."""
        if self._probed is not None:
            took, self._probed = now - self._probed, None
            self.round_s = took if took < self.round_s else (7 * self.round_s + took) / 8

    def note(self, size: int, now: float, quiet: float) -> None:
        """So many bytes came; after more than `quiet` seconds the line had stood still."""
        if self._since is None or now - self.came > quiet:
            self._since, self._bytes, self.came = now, 0, now
            return
        self._bytes += size
        self.came = now
        span = now - self._since
        if span >= (_MEASURED_S if self.measured else _FIRST_S):
            found = self._bytes / span
            # No line brings more than its rate; what was swallowed or missing makes it less.
            if found < self.measured:
                found = (7 * self.measured + found) / 8
            self.measured = max(found, LEAST_RATE)
            self._since, self._bytes = now, 0
