"""Plug flow: fluids one behind the other in a line, nothing mixed, nothing lost.

Volumes are whole pL (a true pulse need not be a whole nL) and masses whole fg
(pL times pg/nL), so that a pure fluid divides exactly. Of a mixture, the part
that leaves has its share of the mass rounded down, and the rest keeps what is
over: the sum never changes. A reservoir, a pump or time are not known here; the
same line serves the world as its truth and the pump as its belief.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Drug as DrugCode
from pumpctl.wire.fields import UInt
from pumpctl.wire.vocabulary import U32, Drug

PL_PER_NL = 1_000
FG_PER_NG = 1_000_000
FREE = 0
"""The batch of everything free of drug: water, air, CSF."""
MOST_PLUGS = 24
"""In one line, so that it can be stored. A visit adds one, air at its end another."""

Picolitres = Annotated[int, UInt(8)]
Femtograms = Annotated[int, UInt(8)]


class Plug(NamedTuple):
    """So much of one fluid."""

    volume: Picolitres
    drug: Drug
    mass: Femtograms
    batch: U32
    """Which fill it came from; FREE holds no mass."""

    @property
    def concentration(self) -> int:
        """pg/nL, half up; exact for a pure fluid, 0 where there is nothing."""
        return (2 * self.mass + self.volume) // (2 * self.volume) if self.volume else 0

    def part(self, volume: int) -> "Plug":
        """So many pL of it (no more than it has), its share of the mass rounded down."""
        if volume >= self.volume:
            return self
        return Plug(volume, self.drug, self.mass * volume // self.volume, self.batch)

    def without(self, part: "Plug") -> "Plug":
        """What is left when `part` has gone."""
        return Plug(self.volume - part.volume, self.drug, self.mass - part.mass, self.batch)


class Given(NamedTuple):
    """Mass of one drug that has gone somewhere since the pump was made."""

    drug: Drug
    mass: Femtograms


def pure(volume: int, drug: DrugCode, concentration: int, batch: int) -> Plug:
    """So many pL of a fluid of this many pg/nL."""
    return Plug(volume, drug, volume * concentration, batch)


def free(volume: int) -> Plug:
    """So many pL of water, air or CSF. The drug that it names means nothing."""
    return Plug(volume, DrugCode.BACLOFEN, 0, FREE)


class PlugFlow:
    """A line from the catheter's tip (first) to the pump (last); always full."""

    def __init__(self, plugs: Iterable[Plug]) -> None:
        """ValueError for a line that holds nothing, and for a plug that cannot be."""
        self._plugs: list[Plug] = []
        for plug in plugs:
            _check(plug)
            self._append(plug)
        self._fit()
        self.volume = sum(plug.volume for plug in self._plugs)
        """pL; never changes."""
        if not self.volume:
            raise ValueError("a line without volume")

    @property
    def plugs(self) -> tuple[Plug, ...]:
        """What it holds, from the tip to the pump; at most MOST_PLUGS."""
        return tuple(self._plugs)

    @property
    def tip(self) -> Plug:
        """The fluid that leaves the catheter next."""
        return self._plugs[0]

    def front(self, batch: int) -> int | None:
        """pL until nothing but this batch is left in the line; None where that is so already.

        Where none of it has come yet, that is the whole line.
        """
        total = front = 0
        for plug in self._plugs:
            total += plug.volume
            if plug.batch != batch:
                front = total
        return front or None

    def push(self, plug: Plug) -> tuple[Plug, ...]:
        """Push this in at the pump; what leaves at the tip, as much, the first to leave first.

        ValueError for a plug that cannot be; then nothing has moved.
        """
        _check(plug)
        self._append(plug)
        left = []
        volume = plug.volume
        while volume:
            out = self._plugs[0].part(volume)
            left.append(out)
            volume -= out.volume
            self._keep(0, self._plugs[0].without(out))
        self._fit()
        return tuple(left)

    def last(self, volume: int) -> tuple[Plug, ...]:
        """What the last so many pL are (no more than the line has), from the tip to the pump."""
        found: list[Plug] = []
        for plug in reversed(self._plugs):
            if volume <= 0:
                break
            found.append(plug.part(volume))
            volume -= plug.volume
        return tuple(reversed(found))

    def replace_last(self, *plugs: Plug) -> tuple[Plug, ...]:
        """As much at the pump's end is, after all, this; what it was thought to be is returned.

        Of more than the line holds, the first to come would have left it: that is cut off.
        ValueError for a plug that cannot be; then nothing has changed.
        """
        for plug in plugs:
            _check(plug)
        wanted = sum(plug.volume for plug in plugs)
        replaced = self.last(wanted)
        for gone in reversed(replaced):
            self._keep(-1, self._plugs[-1].without(gone))
        too_much = max(0, wanted - self.volume)
        for plug in plugs:
            cut = plug.part(too_much)
            too_much -= cut.volume
            self._append(plug.without(cut))
        self._fit()
        return replaced

    def _keep(self, index: int, rest: Plug) -> None:
        """Put what is left of a plug in its place."""
        if rest.volume:
            self._plugs[index] = rest
        else:
            self._plugs.pop(index)

    def _append(self, plug: Plug) -> None:
        if self._plugs and self._plugs[-1].batch == plug.batch:
            self._plugs[-1] = _mixed(self._plugs[-1], plug)
        elif plug.volume:
            self._plugs.append(plug)

    def _fit(self) -> None:
        """Too many plugs to be stored: the two neighbours that are the least together mix."""
        while len(self._plugs) > MOST_PLUGS:
            plugs, self._plugs = self._plugs, []
            sums = [one.volume + other.volume for one, other in pairwise(plugs)]
            at = sums.index(min(sums))
            for plug in [*plugs[:at], _mixed(*plugs[at : at + 2]), *plugs[at + 2 :]]:
                self._append(plug)


def _mixed(one: Plug, other: Plug) -> Plug:
    """Both together; of two batches the newer one, so that drug never counts as free."""
    newer = max(one, other, key=lambda plug: plug.batch)
    return Plug(one.volume + other.volume, newer.drug, one.mass + other.mass, newer.batch)


def _check(plug: Plug) -> None:
    """Mass needs a volume, and a batch to have come from."""
    if plug.volume < 0 or plug.mass < 0 or (plug.mass and not (plug.volume and plug.batch)):
        raise ValueError(f"no fluid is like this: {plug}")
