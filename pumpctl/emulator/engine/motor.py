"""The motor: whole pulses of one nominal volume, the remainder carried exactly.

It is told how much is demanded and gives a pulse whenever a whole one is due.
What is left over is carried across steps, midnight, activation and a change of
concentration, because it is a volume. It knows no doses, programs or clocks.
"""

from __future__ import annotations

from pumpctl.emulator.engine.exact import Ratio, ratio

_MOST_BITS = 1000
"""A carry's denominator grows only where a bolus is cancelled mid-way, each time
by its odd duration; beyond this (hundreds of cancelled boluses) the carry is cut
to 2**-128 nL, which no pulse will ever notice."""


class Motor:
    """Pulses so far, those lost to a stall, and the part of one that is still owed (in nL)."""

    def __init__(self, *, pulse: int, pulses: int, lost: int, carry: Ratio) -> None:
        self.pulse = pulse
        self.pulses = pulses
        self.lost = lost
        self.carry = carry

    def run(self, flow: Ratio, ms: int, *, turns: bool = True) -> int:
        """Meet a demand of `flow` nL/ms for so long; the pulses that were due.

        A motor that does not turn loses them for good (STP-03).
        """
        owed = self.carry.plus(flow.times(ms))
        pulses = owed.down() // self.pulse
        self.carry = owed.plus(ratio(-pulses * self.pulse)) if pulses else owed
        if self.carry.den.bit_length() > _MOST_BITS:
            self.carry = ratio((self.carry.num << 128) // self.carry.den, 1 << 128)
        if turns:
            self.pulses += pulses
        else:
            self.lost += pulses
        return pulses

    def until(self, flow: Ratio, pulses: int) -> int | None:
        """Milliseconds of this demand until so many more pulses are given; None for never."""
        if flow.num <= 0:
            return None
        num, den = self.carry
        missing = pulses * self.pulse * den - num  # over den; it need not be in lowest terms
        return max(0, -(-missing * flow.den // (den * flow.num)))
