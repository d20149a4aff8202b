"""How long the station waits, and when it asks again: policy as data.

One place for every time-out. Times here are those of a pump that is silent; what the
line needs for the bytes comes on top (`pace`), so that a slow line is not asked twice
for what it is still bringing, and a fast one is asked again soon. The worst case of a
change of therapy stays below the 30 s that the contract allows, at 9600 baud and at
the slowest rate that is supported, too.
"""

from __future__ import annotations

from pumpctl.link.pace import FRAME
from pumpctl.named import NamedTuple

GROWTH = 1.5
"""Each silence that is waited out is so many times the one before it, up to the longest:
what is lost here is lost by noise, not by a crowd on the line."""
SENDINGS = 3
"""So many sendings of the same request a bound holds beside the silence ..."""
ENOUGH_S = 25.0
"""... where that takes no longer than this; else the one that it takes at least."""
GAP_S = 0.25
"""Between two pieces of one answer, beside the time of a frame: a driver's or a gateway's."""


class Patience(NamedTuple):
    """What one kind of request is waited for."""

    first: float
    """Seconds of silence, once an answer could be here, after which it is sent again."""
    longest: float
    """The same after several sendings."""
    total: float
    """Seconds after which nobody asks any more, beside the time that the bytes take."""
    frame: int = FRAME
    """Bytes of the answer's frames, at most; counted where a line brings them whole."""
    most: int = 0
    """Bytes whose arrival is waited for beyond `total`: those of a large answer, twice."""

    def silence(self, sending: int) -> float:
        """Seconds of silence that are waited out after the n-th sending, from 1."""
        return min(self.first * GROWTH ** (sending - 1), self.longest)

    def bound(self, sending_s: float) -> float:
        """The longest that it takes where nothing comes back; one sending takes `sending_s`."""
        return max(
            self.total + sending_s,
            min(self.total + SENDINGS * sending_s, ENOUGH_S),
        )


_LARGE = 2 * 18_000
"""A record of 16 KiB in frames of 64 bytes, twice."""

GREETING = Patience(0.4, 0.4, 4.0, frame=0)
"""Nothing is known of the line yet, and most lines are no slow ones: asked again early."""
HANDSHAKE = Patience(0.5, 0.8, 6.0, frame=80)
READING = Patience(0.5, 0.8, 10.0, most=_LARGE)
STAGING = Patience(1.0, 1.0, 9.0, most=9_600)
"""The pump writes to its flash and checks; a read-back has at most 4.4 kB."""
THERAPY = Patience(1.0, 1.0, 10.0, frame=240, most=240)
CLOSING = Patience(0.3, 0.3, 0.3, frame=80)
