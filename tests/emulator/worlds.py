"""Worlds for the tests, a check that nothing is lost, and a naive world to compare with.

`Naive` holds every pulse as a slug of its own, in fractions, and moves one pulse
after the other; it shares the rules with the real one, and none of its code.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby

from pumpctl.emulator.body.fluid import Plug
from pumpctl.emulator.body.world import World, WorldState, new_world
from pumpctl.wire.codes import Drug
from pumpctl.wire.fields import Reader, Struct

HOUR = 3_600_000
ML = 1_000_000_000
"""pL"""
PULSE = 100_000
CAPACITY = 40 * ML
LINE = 348 * ML // 1000
_STRUCT: Struct[WorldState] = Struct(WorldState)


def world(
    *,
    reservoir: int = CAPACITY,
    concentration: int = 500,
    capacity: int = CAPACITY,
    pulse: int = PULSE,
    line: int = LINE,
    sensor: bool = False,
) -> World:
    """A new one, of a pump with 40 mL unless told."""
    state = new_world(
        pulse=pulse,
        reservoir=reservoir,
        drug=Drug.BACLOFEN,
        concentration=concentration,
        line=line,
    )
    return World(state, capacity=capacity, nominal=pulse, sensor=sensor)


def encoded(state: WorldState) -> bytes:
    """As it is stored."""
    out = bytearray()
    _STRUCT.put(state, out)
    return bytes(out)


def restored(state: WorldState) -> WorldState:
    """Stored and read again."""
    reader = Reader(encoded(state))
    again = _STRUCT.get(reader)
    reader.finish()
    return again


@dataclass
class Books:
    """What was put in and taken out by hand; the rest is for the world to show."""

    volume: int
    mass: int

    @classmethod
    def open(cls, world: World) -> Books:
        """Of a new world: what it holds."""
        books = cls(0, 0)
        books.volume, books.mass = (-left for left in books.missing(world))
        return books

    def put(self, volume: int, concentration: int) -> None:
        """By syringe, wherever it went."""
        self.volume += volume
        self.mass += volume * concentration

    def took(self, drained: Plug) -> None:
        """By needle."""
        self.volume -= drained.volume
        self.mass -= drained.mass

    def missing(self, world: World) -> tuple[int, int]:
        """pL and fg that are nowhere. Both are 0 in a world that loses nothing."""
        held = [world.reservoir, *world.line.plugs]
        volume = sum(plug.volume for plug in held)
        volume += world.tip.passed + world.leaked_volume + world.spilled_volume
        mass = sum(plug.mass for plug in held)
        mass += sum(mass for _, mass in (*world.given, *world.leaked, *world.spilled))
        return self.volume + world.air - volume, self.mass - mass


@dataclass(frozen=True)
class Slug:
    """One pulse's fluid, or a part of it."""

    volume: Fraction
    mass: Fraction
    batch: int
    fill: int
    """How many fills there had been when it entered the line."""

    def split(self, volume: Fraction) -> tuple[Slug, Slug]:
        """So much of it, and the rest."""
        mass = self.mass * volume / self.volume
        return (
            replace(self, volume=volume, mass=mass),
            replace(self, volume=self.volume - volume, mass=self.mass - mass),
        )


@dataclass
class Naive:
    """A world without faults of its own; leaks lose whole pL, as many as are whole by then."""

    capacity: int
    pulse: int
    volume: Fraction
    mass: Fraction
    line: list[Slug]
    batch: int = 1
    fills: int = 0
    leak: int = 0
    leaking: Fraction = Fraction(0)
    given: Fraction = Fraction(0)
    leaked: Fraction = Fraction(0)
    spilled: Fraction = Fraction(0)
    drained: Fraction = Fraction(0)
    spells: list[tuple[int, Fraction, Fraction]] = field(default_factory=list)
    """(batch, volume, mass) of everything that left the tip."""

    @classmethod
    def like(cls, world: World, capacity: int) -> Naive:
        """A new world's twin."""
        line = [
            Slug(Fraction(plug.volume), Fraction(plug.mass), plug.batch, -1)
            for plug in world.line.plugs
        ]
        reservoir = world.reservoir
        return cls(
            capacity, world.pulse, Fraction(reservoir.volume), Fraction(reservoir.mass), line
        )

    def pump(self, pulses: int) -> None:
        for _ in range(pulses):
            strong = self.volume > self.capacity
            whole = Fraction(self.pulse * 110 // 100 if strong else self.pulse)
            fluid = min(self.volume, whole)
            if fluid:
                self._enter(fluid, self._take(fluid), self.batch)
            if whole > fluid:
                self._enter(whole - fluid, Fraction(0), 0)

    def drain(self, volume: int) -> None:
        taken = min(Fraction(volume), self.volume)
        if taken:
            self.drained += self._take(taken)

    def fill(self, volume: int, concentration: int, beside: int) -> None:
        room = max(Fraction(0), Fraction(self.capacity * 105 // 100) - self.volume)
        enters = min(room, Fraction(max(0, volume - beside)))
        self.spilled += (volume - enters) * concentration
        if enters:
            self.volume += enters
            self.mass += enters * concentration
            self.batch += 1
            self.fills += 1

    def follow(
        self, drained: int, injected: int, concentration: int, since: int, beside: int
    ) -> None:
        back = Fraction(0)
        while back < since and self.line and self.line[-1].fill == self.fills:
            slug = self.line.pop()
            if slug.volume > since - back:
                slug, rest = slug.split(since - back)
                self.line.append(rest)
            back += slug.volume
            if slug.batch:
                self.volume += slug.volume
                self.mass += slug.mass
        self.drain(drained)
        self.fill(injected, concentration, beside)
        fluid = min(self.volume, back)
        if fluid:
            self.line.append(Slug(fluid, self._take(fluid), self.batch, self.fills))
        if back > fluid:
            self.line.append(Slug(back - fluid, Fraction(0), 0, self.fills))

    def plugs(self) -> list[tuple[int, Fraction, Fraction]]:
        """(batch, volume, mass) of the line, neighbours of one batch together."""
        found = []
        for batch, each in groupby(self.line, lambda slug: slug.batch):
            slugs = list(each)
            volume = sum((slug.volume for slug in slugs), Fraction(0))
            found.append((batch, volume, sum((slug.mass for slug in slugs), Fraction(0))))
        return found

    def _take(self, volume: Fraction) -> Fraction:
        mass = self.mass * volume / self.volume
        self.volume -= volume
        self.mass -= mass
        return mass

    def _enter(self, volume: Fraction, mass: Fraction, batch: int) -> None:
        before = self.leaking // 1_000_000
        self.leaking += volume * self.leak
        lost = self.leaking // 1_000_000 - before
        self.leaked += mass * lost / volume
        slug = Slug(volume - lost, mass - mass * lost / volume, batch, self.fills)
        if slug.volume:
            self.line.append(slug)
            self._leave(slug.volume)

    def _leave(self, volume: Fraction) -> None:
        while volume:
            slug = self.line.pop(0)
            if slug.volume > volume:
                slug, rest = slug.split(volume)
                self.line.insert(0, rest)
            volume -= slug.volume
            self.given += slug.mass
            volume_so_far = mass_so_far = Fraction(0)
            if self.spells and self.spells[-1][0] == slug.batch:
                _, volume_so_far, mass_so_far = self.spells.pop()
            self.spells.append((slug.batch, volume_so_far + slug.volume, mass_so_far + slug.mass))
