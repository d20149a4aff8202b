"""What has left the catheter's tip, and when: totals, the last week's hours, stretches.

Only written down here; what moves the fluid is not known. Counters are the
world's, in ms.
"""

from collections import deque
from typing import Annotated

from pumpctl.emulator.body.fluid import Femtograms, Given, Picolitres, Plug
from pumpctl.named import NamedTuple
from pumpctl.wire.fields import Many, Struct, UInt
from pumpctl.wire.vocabulary import U32, U64, Drug, Ms

HOUR_MS = 3_600_000
MOST_HOURS = 7 * 24
MOST_SPELLS = 16
MOST_DRUGS = 8


class Spell(NamedTuple):
    """A stretch in which one fluid left the tip, pauses of the motor included."""

    since: Ms
    until: Ms
    drug: Drug
    batch: U32
    volume: Picolitres
    mass: Femtograms


class TipState(NamedTuple):
    """Everything that is known of it."""

    passed: Picolitres
    """Volume of whatever left, air and water included."""
    given: Annotated[tuple[Given, ...], Many(Struct(Given), MOST_DRUGS)]
    last_hour: U64
    """Number of the newest hour; hour n is from n hours to n + 1 hours of the counter."""
    hours: Annotated[tuple[int, ...], Many(UInt(8), MOST_HOURS)]
    """fg of all drugs in each hour, up to `last_hour`."""
    spells: Annotated[tuple[Spell, ...], Many(Struct(Spell), MOST_SPELLS)]


NOTHING_YET = TipState(0, (), 0, (), ())
"""Of a new pump."""


class Tally:
    """Masses by drug."""

    def __init__(self, given: tuple[Given, ...]) -> None:
        self._masses = dict(given)

    def add(self, plug: Plug) -> None:
        """Count what this holds; what is free of drug names none."""
        if plug.mass:
            self._masses[plug.drug] = self._masses.get(plug.drug, 0) + plug.mass

    def entries(self) -> tuple[Given, ...]:
        """One entry per drug."""
        return tuple(Given(drug, mass) for drug, mass in sorted(self._masses.items()))


class Tip:
    """The record."""

    def __init__(self, state: TipState) -> None:
        self.passed = state.passed
        self._given = Tally(state.given)
        self._last_hour = state.last_hour
        self._hours = deque(state.hours, MOST_HOURS)
        self._spells = deque(state.spells, MOST_SPELLS)

    def state(self) -> TipState:
        """To be stored."""
        return TipState(
            self.passed,
            self._given.entries(),
            self._last_hour,
            tuple(self._hours),
            tuple(self._spells),
        )

    @property
    def given(self) -> tuple[Given, ...]:
        """Mass past the tip since the pump was made, one entry per drug."""
        return self._given.entries()

    @property
    def hours(self) -> tuple[tuple[int, int], ...]:
        """(hour, fg of all drugs), oldest first, up to the last hour in which anything left."""
        first = self._last_hour + 1 - len(self._hours)
        return tuple(enumerate(self._hours, first))

    @property
    def spells(self) -> tuple[Spell, ...]:
        """The last stretches, oldest first."""
        return tuple(self._spells)

    def note(self, left: tuple[Plug, ...], since: int, until: int) -> None:
        """This left, evenly, between these counters, which lie in one hour of the counter."""
        total = sum(plug.volume for plug in left)
        begins, done = since, 0
        for plug in left:
            done += plug.volume
            ends = since + (until - since) * done // total
            self.passed += plug.volume
            self._given.add(plug)
            self._in_hour(since // HOUR_MS, plug.mass)
            self._in_spell(plug, begins, ends)
            begins = ends

    def _in_hour(self, hour: int, mass: int) -> None:
        if not self._hours:
            self._last_hour = hour
            self._hours.append(0)
        for _ in range(min(hour - self._last_hour, MOST_HOURS)):
            self._hours.append(0)
        self._last_hour = max(hour, self._last_hour)
        self._hours[-1] += mass

    def _in_spell(self, plug: Plug, since: int, until: int) -> None:
        volume, mass = plug.volume, plug.mass
        if self._spells and self._spells[-1].batch == plug.batch:
            last = self._spells.pop()
            since, volume, mass = last.since, volume + last.volume, mass + last.mass
        self._spells.append(Spell(since, until, plug.drug, plug.batch, volume, mass))
