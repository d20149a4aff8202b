"""The true fluids: reservoir, tubing and catheter as plug flow, mass past the tip.

This is the world, not the pump's opinion of it: the pump sees none of it but
its own estimate. Volumes are whole pL (a true pulse need not be a whole nL) and
masses whole fg (pL times pg/nL), so that nothing is ever rounded. The last fluid
in the line is the nearest to the pump.
"""

from __future__ import annotations

from pumpctl.emulator.memory.retained import Given, Plug
from pumpctl.wire.codes import Drug

PL_PER_NL = 1_000
FG_PER_NG = 1_000_000


class Fluid:
    """What is where. `line` runs from the tip back to the pump."""

    def __init__(
        self,
        *,
        contents: int,
        drug: Drug,
        concentration: int,
        line: tuple[Plug, ...],
        pumped: int,
        given: tuple[Given, ...],
    ) -> None:
        self.contents = contents
        self.drug = drug
        self.concentration = concentration
        self.line = list(line)
        self.pumped = pumped
        self._given = {drug: 0} | {each.drug: each.mass for each in given}

    def move(self, volume: int) -> None:
        """Pump this many pL; a reservoir that is really empty gives no more."""
        volume = min(volume, self.contents)
        if not volume:
            return
        self.contents -= volume
        self.pumped += volume
        last = self.line[-1]
        if self._is_own(last):
            self.line[-1] = last._replace(volume=last.volume + volume)
        else:
            self.line.append(Plug(volume, self.drug, self.concentration))
        self._leave(volume)

    def _leave(self, volume: int) -> None:
        """The same volume leaves at the tip."""
        while volume:
            plug = self.line[0]
            out = min(volume, plug.volume)
            mass = out * plug.concentration
            self._given[plug.drug] = self._given.get(plug.drug, 0) + mass
            volume -= out
            if out == plug.volume:
                self.line.pop(0)
            else:
                self.line[0] = plug._replace(volume=plug.volume - out)

    @property
    def given(self) -> tuple[Given, ...]:
        """Mass past the tip since the pump was made, one entry per drug."""
        return tuple(Given(drug, mass) for drug, mass in sorted(self._given.items()))

    @property
    def tip(self) -> tuple[Drug, int]:
        """What leaves the catheter now: drug and concentration."""
        return self.line[0].drug, self.line[0].concentration

    @property
    def front(self) -> int | None:
        """nL until the reservoir's fluid is at the tip, rounded down; None where it has arrived."""
        total = front = 0
        for plug in self.line:
            total += plug.volume
            if not self._is_own(plug):
                front = total
        return front // PL_PER_NL if front else None

    def _is_own(self, plug: Plug) -> bool:
        """Is this the fluid that the reservoir holds?"""
        return (plug.drug, plug.concentration) == (self.drug, self.concentration)
