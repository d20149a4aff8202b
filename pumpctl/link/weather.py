"""How bad the line is, from the frames that came, and how long a fragment should be.

It knows counts of frames and bytes, not what is in them. A frame is good, mended (one
or two flipped bits, put right) or lost. From mended beside good follows the rate of
flipped bits; what is lost beyond what such flips explain is cut or swallowed bytes.
The fragment is the one that carries most payload for each byte that is sent.
"""

from __future__ import annotations

from math import exp, log, sqrt

FRAGMENTS = (640, 512, 384, 256, 192, 128, 96, 64, 32)
"""Payload bytes of a frame, to choose from: on a clean line the first."""
_AT_FIRST, _ENOUGH = 192, 16
"""The fragment until so many frames were seen: large ones would all be lost on a bad line."""
OVERHEAD = 15
"""Bytes that a frame costs beside its payload: header 8, check 4, stuffing and delimiter."""
_MEMORY = 192
"""Frames after which what was seen counts half: a line gets better, too."""
_UNMENDABLE = 0.015
"""Share of flipped bits that hit stuffing or delimiter, or make a delimiter."""


class Weather:
    """What was seen of a line lately."""

    def __init__(self) -> None:
        self._good = self._mended = self._lost = self._size = 0.0

    def note(self, *, good: int, mended: int, lost: int, size: int) -> None:
        """So many frames came, in so many bytes altogether."""
        self._good += good
        self._mended += mended
        self._lost += lost
        self._size += size
        if self._frames > _MEMORY:
            self._good /= 2
            self._mended /= 2
            self._lost /= 2
            self._size /= 2

    @property
    def clear(self) -> bool:
        """Was nothing mended or lost lately?"""
        return self._mended + self._lost < 0.5

    @property
    def known(self) -> bool:
        """Were enough frames seen to tell a clean line from a bad one?"""
        return self._frames >= _ENOUGH

    @property
    def loss(self) -> float:
        """Share of frames that have to be asked for again."""
        return self._lost / self._frames if self._frames else 0.0

    @property
    def flips(self) -> float:
        """Flipped bits for each bit, as far as frames that could be mended tell."""
        return self._wrong / (8 * self._mean) if self._frames else 0.0

    def fragment(self) -> int:
        """Payload bytes of a frame that make best use of this line."""
        if self.clear:
            return FRAGMENTS[0] if self.known else _AT_FIRST
        flips, cuts = self.flips, self._cuts
        return max(FRAGMENTS, key=lambda size: _use(size, flips, cuts))

    # --- underneath ---------------------------------------------------------------------

    @property
    def _frames(self) -> float:
        return self._good + self._mended + self._lost

    @property
    def _mean(self) -> float:
        """Bytes of a frame."""
        return max(self._size / self._frames, 1.0)

    @property
    def _wrong(self) -> float:
        """Flipped bits in a frame: mended is to good as (x + x²/2) is to 1."""
        if not self._mended:
            return 0.0
        return sqrt(1 + 2 * self._mended / max(self._good, 0.25)) - 1

    @property
    def _cuts(self) -> float:
        """Losses for each byte that flipped bits do not explain, two for chance left out."""
        explained = self._frames * (1 - _whole(self._wrong))
        beyond = max(self._lost - explained - 2, 0.0) / self._frames
        return -log(1 - min(beyond, 0.98)) / self._mean


def _whole(wrong: float) -> float:
    """Share of frames that come through or can be mended, with so many flipped bits in each."""
    return exp(-wrong) * (1 + wrong + wrong * wrong / 2) * exp(-_UNMENDABLE * wrong)


def _use(size: int, flips: float, cuts: float) -> float:
    length = size + OVERHEAD
    return size / length * _whole(8 * length * flips) * exp(-cuts * length)
