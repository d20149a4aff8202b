"""How fast a line is, learnt from what passes over it.

Nobody tells the rate of a line: behind `socket://` there may be any. Whatever an exchange
took is a bound from above, for the time of a byte and for a round trip: the least that was
seen is kept, and nothing before it was seen is taken for less than the slowest line that is
supported. It sends nothing and knows no clock.
"""

from __future__ import annotations

SLOWEST_BAUD = 1_200
"""The slowest line that is supported; a faster one is found out by the greeting."""
BITS = 10
"""On the line, of each byte: start, eight, stop."""
SLOWEST_BYTE_S = BITS / SLOWEST_BAUD
LONGEST_TRIP_S = 2.0
"""A round trip is taken for no longer than this, so that all bounds have one."""

FRAME = 656
"""Bytes of the largest frame."""
_DRIBBLES = 3
"""So many pieces more than there can be frames: then these are not handed over whole."""


class Pace:
    """What is known of one line; times in seconds."""

    __slots__ = ("_late", "byte_s", "trip_s", "whole_frames")

    def __init__(self) -> None:
        self.byte_s = SLOWEST_BYTE_S
        """A byte takes at most this."""
        self.trip_s = 0.0
        """The shortest round trip so far; 0: none yet."""
        self.whole_frames = True
        """A gateway may hold a frame back until it has all of it; a device hands out bytes."""
        self._late = 0
        """Bytes of doubled answers that may still come, and were on their way before."""

    def bytes_s(self, count: int) -> float:
        """So many bytes take at most this."""
        return count * self.byte_s

    def frame_s(self, count: int) -> float:
        """The first byte of such a frame comes at most so much later than its time."""
        return count * self.byte_s if self.whole_frames else 0.0

    def learn(self, *, out: int, back: int, pieces: int, sendings: int, seconds: float) -> None:
        """An exchange was answered: all that came, by the time since its first sending.

        `pieces`: how often something came.
        What was sent again may be answered again, and those bytes come in somebody else's
        time; they are not counted there, or the line would seem faster than it is.
        """
        passed = out + max(0, back - self._late)
        self._late = (sendings - 1) * back
        self.byte_s = min(self.byte_s, seconds / passed)
        if back <= FRAME * sendings and pieces >= sendings + _DRIBBLES:
            self.whole_frames = False
        self.trip_s = min(self.trip_s or LONGEST_TRIP_S, seconds)
