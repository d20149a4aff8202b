"""Typed integer quantities: what a dose, a volume, a time is, how it is read and written.

Floor 0. Every quantity counts whole quanta: mass ng, volume nL, duration ms,
concentration pg/nL (= mcg/mL), dose rate ng/day (1 ng/h = 24 ng/day), flow
nL/day. No binary float and no unit conversion lives anywhere else (UNI-01).

How their text is read is in `quantity_text`. This file knows no limits: whether
a dose is a sane one is `therapy/checks`' matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pumpctl.quantity_text import MAX_QUANTA, decimal_text, read_quantity

if TYPE_CHECKING:  # `fractions` costs start-up time; most of this file needs integers only
    from collections.abc import Callable, Sequence
    from fractions import Fraction
    from typing import Self


class Quantity:
    """A count of quanta, of one kind. Kinds never mix; a count is never negative."""

    __slots__ = ("quanta",)
    quanta: int

    KIND: ClassVar[str]
    UNITS: ClassVar[dict[str, int]]
    """The grammar: unit → quanta in one of it. The first is the one that is written."""
    FOREIGN: ClassVar[dict[str, int]]
    """Units which are well known, but not of the grammar: named in the refusal."""

    def __init__(self, quanta: int) -> None:
        if type(quanta) is not int:
            kind = type(quanta).__name__
            raise TypeError(f"{type(self).__name__} counts quanta in an int, not {kind}")
        if not 0 <= quanta <= MAX_QUANTA:
            raise ValueError(f"{type(self).__name__}: {quanta} quanta are out of range")
        object.__setattr__(self, "quanta", quanta)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        return type(self), (self.quanta,)

    def _same(self, other: object) -> bool:
        return type(other) is type(self)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.quanta == other.quanta

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.quanta))

    def __lt__(self, other: Self) -> bool:
        return self.quanta < other.quanta if self._same(other) else NotImplemented

    def __le__(self, other: Self) -> bool:
        return self.quanta <= other.quanta if self._same(other) else NotImplemented

    def __gt__(self, other: Self) -> bool:
        return self.quanta > other.quanta if self._same(other) else NotImplemented

    def __ge__(self, other: Self) -> bool:
        return self.quanta >= other.quanta if self._same(other) else NotImplemented

    def __add__(self, other: Self) -> Self:
        return type(self)(self.quanta + other.quanta) if self._same(other) else NotImplemented

    def __sub__(self, other: Self) -> Self:
        """Less, but never less than nothing: ValueError."""
        return type(self)(self.quanta - other.quanta) if self._same(other) else NotImplemented

    def __mul__(self, times: int) -> Self:
        return type(self)(self.quanta * times) if type(times) is int else NotImplemented

    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return self.quanta != 0

    def __str__(self) -> str:
        """The canonical text: one unit, a leading zero, no trailing zeros (UNI-06)."""
        return self.text_in(next(iter(self.UNITS)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self}')"

    def text_in(self, unit: str) -> str:
        """The exact text in this unit; ValueError where no finite decimal is exact."""
        return f"{decimal_text(self.quanta, self.UNITS[unit])} {unit}"

    @classmethod
    def parse(cls, text: str, units: Sequence[str] | None = None) -> Self:
        """Read `NUMBER UNIT`; `units` restricts to some of this kind's own units."""
        allowed = tuple(cls.UNITS) if units is None else tuple(units)
        return read_quantity(cls, text, allowed, KINDS)


class Mass(Quantity):
    """A mass of drug, in ng."""

    __slots__ = ()
    KIND = "a dose"
    UNITS: ClassVar[dict[str, int]] = {"mcg": 1_000, "mg": 1_000_000}
    FOREIGN: ClassVar[dict[str, int]] = {"ng": 1, "g": 10**9}


class Volume(Quantity):
    """A volume of solution, in nL."""

    __slots__ = ()
    KIND = "a volume"
    UNITS: ClassVar[dict[str, int]] = {"mL": 1_000_000, "uL": 1_000}
    FOREIGN: ClassVar[dict[str, int]] = {"L": 10**9, "nL": 1, "cc": 1_000_000}


class Duration(Quantity):
    """A length of time, in ms."""

    __slots__ = ()
    KIND = "a time"
    UNITS: ClassVar[dict[str, int]] = {"s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
    FOREIGN: ClassVar[dict[str, int]] = {
        "ms": 1, "sec": 1_000, "hr": 3_600_000, "hrs": 3_600_000, "hour": 3_600_000,
        "hours": 3_600_000, "day": 86_400_000, "days": 86_400_000, "minutes": 60_000,
    }  # fmt: skip

    def __str__(self) -> str:
        """In the largest unit where it is whole and below 1000, else short, else seconds."""
        down = list(self.UNITS.items())[::-1] if self.quanta else []
        for unit, size in down:
            if self.quanta % size == 0 and (self.quanta // size < 1_000 or unit == "d"):
                return f"{self.quanta // size} {unit}"
        for unit, size in down:
            if self.quanta >= size and self.quanta * 100 % size == 0:
                return self.text_in(unit)
        return self.text_in("s")


class Concentration(Quantity):
    """A mass of drug per volume of solution, in pg/nL, which is mcg/mL."""

    __slots__ = ()
    KIND = "a concentration"
    UNITS: ClassVar[dict[str, int]] = {"mcg/mL": 1, "mg/mL": 1_000}
    FOREIGN: ClassVar[dict[str, int]] = {"mg/L": 1, "g/L": 1_000, "mcg/uL": 1_000}


class Rate(Quantity):
    """A dose rate, in ng/day."""

    __slots__ = ()
    KIND = "a dose rate"
    UNITS: ClassVar[dict[str, int]] = {"mcg/day": 1_000, "mcg/h": 24_000}
    FOREIGN: ClassVar[dict[str, int]] = {
        "mg/day": 10**6, "mg/h": 24 * 10**6, "ng/day": 1, "ng/h": 24, "mcg/min": 1_440_000,
        "mcg/d": 1_000, "mcg/hr": 24_000, "mcg/hour": 24_000, "mg/d": 10**6, "mg/hr": 24 * 10**6,
    }  # fmt: skip

    def per_hour_text(self) -> str:
        """For display only: mcg/h, rounded half up to three decimals."""
        return f"{decimal_text((2 * self.quanta + 24) // 48, 1_000)} mcg/h"


class Flow(Quantity):
    """A volume per time, in nL/day."""

    __slots__ = ()
    KIND = "a flow"
    UNITS: ClassVar[dict[str, int]] = {"mL/day": 10**6, "mL/h": 24 * 10**6, "uL/h": 24_000}
    FOREIGN: ClassVar[dict[str, int]] = {
        "uL/day": 1_000,
        "nL/day": 1,
        "mL/d": 10**6,
        "mL/hr": 24 * 10**6,
    }


class Length(Quantity):
    """A length of catheter, in mm: what a ruler in an operating room can tell."""

    __slots__ = ()
    KIND = "a length"
    UNITS: ClassVar[dict[str, int]] = {"cm": 10, "mm": 1}
    FOREIGN: ClassVar[dict[str, int]] = {"m": 1_000}


class Percent(Quantity):
    """A relative amount, in hundredths of a percent; whether up or down is said elsewhere."""

    __slots__ = ()
    KIND = "a percentage"
    UNITS: ClassVar[dict[str, int]] = {"%": 100}
    FOREIGN: ClassVar[dict[str, int]] = {"percent": 100, "pct": 100}

    @property
    def fraction(self) -> Fraction:
        """1/10 for 10 %."""
        from fractions import Fraction

        return Fraction(self.quanta, 10_000)


KINDS: tuple[type[Quantity], ...] = (
    *(Mass, Volume, Duration, Concentration, Rate, Flow),
    *(Length, Percent),
)


# --- one rounding, in a stated direction (UNI-05) --------------------------------


def round_down(exact: Fraction | int) -> int:
    """To the whole number below: lower limits, remaining volumes, dates."""
    return exact.numerator // exact.denominator


def round_up(exact: Fraction | int) -> int:
    """To the whole number above: whatever is held against an upper limit."""
    return -(-exact.numerator // exact.denominator)


def round_half_up(exact: Fraction | int) -> int:
    """To the nearest whole number, a half upwards: totals."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def volume_of(mass: Mass, concentration: Concentration) -> Fraction:
    """The exact volume, in nL, that holds this mass."""
    from fractions import Fraction

    return Fraction(mass.quanta * 1_000, concentration.quanta)


def mass_of(volume: Volume, concentration: Concentration) -> Fraction:
    """The exact mass, in ng, in this volume."""
    from fractions import Fraction

    return Fraction(volume.quanta * concentration.quanta, 1_000)


def flow_of(
    rate: Rate, concentration: Concentration, rounded: Callable[[Fraction], int] = round_half_up
) -> Flow:
    """The flow that gives this dose rate, rounded once, in the direction asked for."""
    from fractions import Fraction

    return Flow(rounded(Fraction(rate.quanta * 1_000, concentration.quanta)))


def rate_of(
    flow: Flow, concentration: Concentration, rounded: Callable[[Fraction], int] = round_half_up
) -> Rate:
    """The dose rate that this flow gives, rounded once, in the direction asked for."""
    from fractions import Fraction

    return Rate(rounded(Fraction(flow.quanta * concentration.quanta, 1_000)))
