"""Typed integer quantities: what a dose, a volume, a time is, how it is read and written.

Floor 0. Every quantity counts whole quanta: mass ng, volume nL, duration ms,
concentration pg/nL (= mcg/mL), dose rate ng/day (1 ng/h = 24 ng/day), flow
nL/day. No binary float and no unit conversion lives anywhere else (UNI-01).

The text that people and files write is read here, literally as the contract
says, and never repaired (UNI-02 to UNI-04): what is not taken is refused with
the reason and, where there is one, the nearest text that would be taken. This
file knows no limits: whether a dose is a sane one is `therapy/checks`' matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from pumpctl.errors import QuantityError

if TYPE_CHECKING:  # `fractions` costs start-up time; most of this file needs integers only
    from collections.abc import Callable, Sequence
    from fractions import Fraction
    from typing import Self

MAX_DIGITS = 12
"""More digits than any pump's dose can need are taken for a slip of the finger."""
MAX_QUANTA = 2**63 - 1
"""What a signed 64-bit integer holds, on the wire and in the stores."""


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
        return f"{_decimal(self.quanta, self.UNITS[unit])} {unit}"

    @classmethod
    def parse(cls, text: str, units: Sequence[str] | None = None) -> Self:
        """Read `NUMBER UNIT`; `units` restricts to some of this kind's own units."""
        allowed = tuple(cls.UNITS) if units is None else tuple(units)
        try:
            return _parse(cls, text, allowed)
        except QuantityError as error:
            nearest = tuple(each for each in error.nearest if _taken(cls, each, allowed))
            raise QuantityError(error.message, nearest=nearest) from None


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
        return f"{_decimal((2 * self.quanta + 24) // 48, 1_000)} mcg/h"


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


KINDS: tuple[type[Quantity], ...] = (Mass, Volume, Duration, Concentration, Rate, Flow)


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


# --- reading ---------------------------------------------------------------------

_Q = TypeVar("_Q", bound=Quantity)
_SPELLINGS = {"ug": "mcg", "\u00b5g": "mcg", "\u03bcg": "mcg", "ml": "mL", "ul": "uL"}
# Both micro signs are in use. `l` and `L` are both the litre; no other case is equal.
_SIGNS = "+-\u2010\u2011\u2012\u2013\u2014\u2212"
_MARKS = ",'_\u2019\u066b\u066c"


def _decimal(count: int, size: int) -> str:
    """count / size as an exact decimal text; ValueError where it does not end."""
    whole, rest = divmod(count, size)
    digits = ""
    while rest:
        tens, rest = divmod(rest * 10, size)
        digits += str(tens)
        if len(digits) > 40:
            raise ValueError(f"{count}/{size} has no finite decimal")
    return f"{whole}.{digits}" if digits else str(whole)


def _near(number: str, size: int, cls: type[Quantity], unit: str) -> tuple[str, ...]:
    """The one or two texts in `unit` nearest to `number` x `size` quanta."""
    whole, _, part = number.partition(".")
    step, factor = cls.UNITS[unit], 10 ** len(part)
    while step % 2 == 0:
        step //= 2
    while step % 5 == 0:
        step //= 5  # what is left (the 3s of hours and days) makes endless decimals
    count, rest = divmod(int(whole + part) * size, factor * step)
    near = (count,) if not rest else (count, count + 1)
    return tuple(f"{_decimal(each * step, cls.UNITS[unit])} {unit}" for each in near)


def _taken(cls: type[Quantity], text: str, allowed: tuple[str, ...]) -> bool:
    """Nothing is ever offered that would be refused in its turn."""
    try:
        _parse(cls, text, allowed)
    except QuantityError:
        return False
    return True


def _or(units: Sequence[str]) -> str:
    return " or ".join(units)


def _parse(cls: type[_Q], text: object, allowed: tuple[str, ...]) -> _Q:
    if not isinstance(text, str):
        raise QuantityError(f"{cls.KIND} is text with a unit ({_or(allowed)}), not {text!r:.40}")
    shown = repr(text if len(text) <= 40 else text[:40] + "...")
    number, unit = _split(cls, text, shown, allowed)
    unit = "/".join(_SPELLINGS.get(part, part) for part in unit.split("/"))
    if unit not in allowed:
        raise _wrong_unit(cls, number, unit, shown, allowed)
    whole, _, part = number.partition(".")
    quanta, rest = divmod(int(whole + part) * cls.UNITS[unit], 10 ** len(part))
    if rest:
        near = _near(number, cls.UNITS[unit], cls, unit)
        step = _near("0." + "0" * 20 + "1", 1, cls, unit)[1:]
        steps = f"steps of {step[0]}" if step else "steps that can be programmed"
        raise QuantityError(f"{shown} is not a whole number of {steps}", nearest=near)
    try:
        return cls(quanta)
    except ValueError:
        raise QuantityError(f"{shown} is larger than anything can be here") from None


def _split(cls: type[Quantity], text: str, shown: str, allowed: tuple[str, ...]) -> tuple[str, str]:
    """Part the number from the unit, both as written; refuse every malformed number."""
    if not text or text.isspace():
        raise QuantityError(f"{shown}: is empty; write a number and a unit ({_or(allowed)})")
    number = text[: len(text) - len(text.lstrip("0123456789."))]
    rest = text[len(number) :]
    whole, _, part = number.partition(".")
    tidy = (whole.lstrip("0") or "0") + (f".{part}" if part else "")
    why = _wrong_characters(text) or _no_number(number, rest) or _untidy(number, tidy)
    if why:
        raise QuantityError(f"{shown}: {why}", nearest=(tidy + rest,) if whole or part else ())
    if not rest:
        raise QuantityError(f"{shown}: has no unit; {cls.KIND} is written in {_or(allowed)}")
    if rest.startswith("  "):
        nearest = f"{number} {rest.lstrip(' ')}"
        raise QuantityError(f"{shown}: more than one space", nearest=(nearest,))
    return number, rest.removeprefix(" ")


def _wrong_characters(text: str) -> str:
    """What is wrong with single characters, if anything."""
    for char in text:
        if char.isspace() and char != " ":
            return f"only a plain space may part number and unit, not U+{ord(char):04X}"
        if not char.isascii() and char.isnumeric():
            return f"only the digits 0 to 9 are read, not U+{ord(char):04X}"
    if text[0] == " " or text[-1] == " ":
        return "no space may stand in front or behind"
    return "a sign is not part of a quantity" if text[0] in _SIGNS else ""


def _no_number(number: str, rest: str) -> str:
    """What makes the beginning something else than one number, if anything."""
    if not number:
        named = rest[:3].lower() in {"nan", "inf"}
        return "is not a number" if named else "does not begin with a number"
    if rest[:1] and rest[0] in _MARKS:
        return "thousands marks and decimal commas are not read; the point is the decimal"
    if rest.lstrip(" ")[:1] in {*"0123456789."}:
        return "a number holds no space"
    if rest[:1] in {"e", "E"} and rest[1:2] in {*_SIGNS, *"0123456789"}:
        return "exponents are not read; write the number out"
    if number.count(".") > 1:
        return "two decimal points"
    digits = len(number) - number.count(".")
    return (
        f"too many digits: {digits}, at most {MAX_DIGITS} are read" if digits > MAX_DIGITS else ""
    )


def _untidy(number: str, tidy: str) -> str:
    """What keeps a number from its one spelling, if anything."""
    if number[0] == ".":
        return "a digit must stand before the point"
    if number[-1] == ".":
        return "a digit must stand behind the point"
    return "" if number == tidy else "a superfluous zero in front"


def _wrong_unit(
    cls: type[Quantity], number: str, unit: str, shown: str, allowed: tuple[str, ...]
) -> QuantityError:
    """Why this unit is not taken here, and what would be."""
    known = {**cls.FOREIGN, **cls.UNITS}
    same_letters = [each for each in allowed if each.lower() == unit.lower()]
    if unit in cls.UNITS:
        why = f"{cls.KIND} is taken in {_or(allowed)} here, not in {unit}"
        return QuantityError(f"{shown}: {why}", nearest=_near(number, known[unit], cls, allowed[0]))
    if same_letters:
        why = f"case matters: the unit is {same_letters[0]}"
        return QuantityError(f"{shown}: {why}", nearest=(f"{number} {same_letters[0]}",))
    if unit in cls.FOREIGN:
        why = f"{unit} is not read; {cls.KIND} is written in {_or(allowed)}"
        return QuantityError(f"{shown}: {why}", nearest=_near(number, known[unit], cls, allowed[0]))
    for kind in KINDS:
        if kind is not cls and (unit in kind.UNITS or unit in kind.FOREIGN):
            why = f"{unit} measures {kind.KIND.removeprefix('a ')}, and {cls.KIND} is wanted"
            return QuantityError(f"{shown}: {why} ({_or(allowed)})")
    unknown = repr(unit if len(unit) <= 20 else unit[:20] + "...")
    return QuantityError(f"{shown}: no unit {unknown}; {cls.KIND} is written in {_or(allowed)}")
