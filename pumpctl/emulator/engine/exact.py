"""Exact ratios of integers, in lowest terms: all the arithmetic that delivery needs.

Plain integers with an explicit denominator, because firmware would have nothing
else, and because the station computes with something else. It knows nothing of
doses and volumes.
"""

from __future__ import annotations

from math import gcd

from pumpctl.named import NamedTuple


class Ratio(NamedTuple):
    """`num / den` in lowest terms with `den` above 0. Made by `ratio` only."""

    num: int
    den: int

    def plus(self, other: Ratio) -> Ratio:
        """Their exact sum."""
        if self.den == other.den:
            return ratio(self.num + other.num, self.den)
        return ratio(self.num * other.den + other.num * self.den, self.den * other.den)

    def times(self, count: int) -> Ratio:
        """The exact product with a whole number."""
        return ratio(self.num * count, self.den)

    def down(self) -> int:
        """The whole number below."""
        return self.num // self.den

    def up(self) -> int:
        """The whole number above."""
        return -(-self.num // self.den)

    def half_up(self) -> int:
        """The nearest whole number, a half upwards."""
        return (2 * self.num + self.den) // (2 * self.den)

    def above(self, limit: int) -> bool:
        """Is it more than this whole number?"""
        return self.num > limit * self.den


def ratio(num: int, den: int = 1) -> Ratio:
    """`num / den`, reduced; `den` is above 0."""
    if den <= 0:
        raise ValueError(f"a denominator of {den}")
    common = gcd(num, den)
    return Ratio(num // common, den // common)


ZERO = Ratio(0, 1)
