"""Reservoir and line of the oracle: slugs of fluid pushed one behind the other, in fractions.

Volumes in pL, masses in fg. One `Fluids` is the world's truth; the pump's belief
is another one. Nothing of the emulator is used here; the rules are those of a
needle, a motor that draws air when nothing is left, and plug flow.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import NamedTuple


class Slug(NamedTuple):
    """So much fluid; air holds no drug."""

    volume: int
    mass: Fraction
    air: bool = False

    def cut(self, volume: int) -> tuple[Slug, Slug]:
        """So much of it, and the rest."""
        mass = self.mass * volume / self.volume
        return (
            Slug(volume, mass, self.air),
            Slug(self.volume - volume, self.mass - mass, self.air),
        )


def fluid(volume: int, concentration: int) -> Slug:
    """So many pL of a fluid of this many pg/nL."""
    return Slug(volume, Fraction(volume * concentration))


class Fluids:
    """What is in the reservoir, what is in the line, and what has left the tip."""

    def __init__(self, filled: int, line: int, concentration: int) -> None:
        self.volume = filled
        self.mass = Fraction(filled * concentration)
        self.passed = Fraction(0)
        """fg past the tip."""
        self.drawn = 0
        """pL drawn out of the reservoir by the motor, less what a late record has put back."""
        self._size = line
        self._line = deque([fluid(line, concentration)])
        self._since_fill = 0

    # --- motor ------------------------------------------------------------------------

    def pump(self, volume: int) -> None:
        """The motor moves so much: fluid, and air where there is no more."""
        for slug in self._draw(volume):
            self._since_fill += slug.volume
            self._line.append(slug)
        self._let_out(volume)

    def _draw(self, volume: int) -> list[Slug]:
        taken = min(volume, self.volume)
        mass = self._take(taken)
        self.drawn += taken
        slugs = [Slug(taken, mass), Slug(volume - taken, Fraction(0), air=True)]
        return [slug for slug in slugs if slug.volume]

    def _let_out(self, volume: int) -> None:
        while volume:
            first = self._line.popleft()
            if first.volume > volume:
                first, rest = first.cut(volume)
                self._line.appendleft(rest)
            self.passed += first.mass
            volume -= first.volume

    # --- needle -----------------------------------------------------------------------

    def drain(self, volume: int) -> int:
        """So much is drawn out, or all that there is; how much came."""
        came = min(volume, self.volume)
        self._take(came)
        return came

    def fill(self, volume: int, concentration: int) -> None:
        """Injected, and mixed with what was left."""
        self.volume += volume
        self.mass += volume * concentration
        self._since_fill = 0

    def record(self, *, drained: int, injected: int, concentration: int, since: int) -> None:
        """A refill that nobody did by hand was recorded, `since` pL after its injection.

        What was pumped since, as far as it is still in the line, is taken back; then
        needle and syringe; then as much of what is there now stands in its place.
        """
        back = self._pull_back(min(since, self._since_fill, self._size))
        volume = sum(slug.volume for slug in back)
        returned = sum(slug.volume for slug in back if not slug.air)
        self.volume += returned
        self.mass += sum(slug.mass for slug in back)
        self.drawn -= returned
        self.drain(drained)
        self.fill(injected, concentration)
        self._line.extend(self._draw(volume))
        self._since_fill = volume

    def reline(self, parts: tuple[Slug, ...]) -> None:
        """Another line, from the tip back."""
        self._line = deque(parts)
        self._size = sum(slug.volume for slug in parts)
        self._since_fill = 0

    def believe(self, volume: int, concentration: int) -> None:
        """So much at the pump's end of the line is this, at most the whole line."""
        volume = min(volume, self._size)
        self._pull_back(volume)
        if volume:
            self._line.append(fluid(volume, concentration))

    # --- underneath -------------------------------------------------------------------

    def _take(self, volume: int) -> Fraction:
        if not volume:
            return Fraction(0)
        mass = self.mass * volume / self.volume
        self.volume -= volume
        self.mass -= mass
        return mass

    def _pull_back(self, volume: int) -> list[Slug]:
        """Out of the line at the pump's end."""
        found: list[Slug] = []
        while volume:
            last = self._line.pop()
            if last.volume > volume:
                last, rest = last.cut(volume)
                self._line.append(rest)
            found.append(last)
            volume -= last.volume
        return found
