"""The grammar of a quantity: `NUMBER UNIT`, read literally and never repaired.

Floor 0. What is not taken is refused with the reason and, where there is one,
the nearest text that would be taken (UNI-02 to UNI-04). Which kinds and units
there are is `quantities`' matter; this file is handed them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from pumpctl.errors import QuantityError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_QUANTA = 2**63 - 1
"""What a signed 64-bit integer holds, on the wire and in the stores."""
MAX_DIGITS = 12
"""More digits than any pump's dose can need are taken for a slip of the finger."""


class Counted(Protocol):
    """What the grammar needs to know of a kind of quantity."""

    KIND: ClassVar[str]
    UNITS: ClassVar[dict[str, int]]
    FOREIGN: ClassVar[dict[str, int]]

    def __init__(self, quanta: int) -> None: ...


_Q = TypeVar("_Q", bound=Counted)
_SPELLINGS = {"ug": "mcg", "\u00b5g": "mcg", "\u03bcg": "mcg", "ml": "mL", "ul": "uL"}
# Both micro signs are in use. `l` and `L` are both the litre; no other case is equal.
_SIGNS = "+-\u2010\u2011\u2012\u2013\u2014\u2212"
_MARKS = ",'_\u2019\u066b\u066c"


def decimal_text(count: int, size: int) -> str:
    """count / size as an exact decimal text; ValueError where it does not end."""
    whole, rest = divmod(count, size)
    digits = ""
    while rest:
        tens, rest = divmod(rest * 10, size)
        digits += str(tens)
        if len(digits) > 40:
            raise ValueError(f"{count}/{size} has no finite decimal")
    return f"{whole}.{digits}" if digits else str(whole)


def _near(number: str, size: int, cls: type[Counted], unit: str) -> tuple[str, ...]:
    """The one or two texts in `unit` nearest to `number` x `size` quanta."""
    whole, _, part = number.partition(".")
    step, factor = cls.UNITS[unit], 10 ** len(part)
    while step % 2 == 0:
        step //= 2
    while step % 5 == 0:
        step //= 5  # what is left (the 3s of hours and days) makes endless decimals
    count, rest = divmod(int(whole + part) * size, factor * step)
    near = (count,) if not rest else (count, count + 1)
    return tuple(f"{decimal_text(each * step, cls.UNITS[unit])} {unit}" for each in near)


_PLAIN = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,11}))? ?([A-Za-z/%]+)")
"""What is nearly always written; everything else takes the way that can say what is wrong."""


def read_quantity(
    cls: type[_Q], text: object, allowed: tuple[str, ...], kinds: Sequence[type[Counted]]
) -> _Q:
    """Read `NUMBER UNIT` as this kind; `kinds` are all there are, to name a wrong one.

    Raises QuantityError; nothing is ever offered that would be refused in its turn.
    """
    plain = _PLAIN.fullmatch(text) if isinstance(text, str) else None
    if plain is not None and plain[3] in allowed:
        whole, part = plain[1], plain[2] or ""
        quanta, rest = divmod(int(whole + part) * cls.UNITS[plain[3]], 10 ** len(part))
        if not rest and len(whole) + len(part) <= MAX_DIGITS and quanta <= MAX_QUANTA:
            return cls(quanta)
    try:
        return _parse(cls, text, allowed, kinds)
    except QuantityError as error:
        nearest = tuple(each for each in error.nearest if _taken(cls, each, allowed))
        raise QuantityError(error.message, nearest=nearest) from None


def _taken(cls: type[Counted], text: str, allowed: tuple[str, ...]) -> bool:
    try:
        _parse(cls, text, allowed, ())
    except QuantityError:
        return False
    return True


def _or(units: Sequence[str]) -> str:
    return " or ".join(units)


def _parse(
    cls: type[_Q], text: object, allowed: tuple[str, ...], kinds: Sequence[type[Counted]]
) -> _Q:
    if not isinstance(text, str):
        raise QuantityError(f"{cls.KIND} is text with a unit ({_or(allowed)}), not {text!r:.40}")
    shown = repr(text if len(text) <= 40 else text[:40] + "...")
    number, unit = _split(cls, text, shown, allowed)
    unit = "/".join(_SPELLINGS.get(part, part) for part in unit.split("/"))
    if unit not in allowed:
        raise _wrong_unit(cls, number, unit, shown, allowed, kinds)
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


def _split(cls: type[Counted], text: str, shown: str, allowed: tuple[str, ...]) -> tuple[str, str]:
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
    cls: type[Counted],
    number: str,
    unit: str,
    shown: str,
    allowed: tuple[str, ...],
    kinds: Sequence[type[Counted]],
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
    for kind in kinds:
        if kind is not cls and (unit in kind.UNITS or unit in kind.FOREIGN):
            why = f"{unit} measures {kind.KIND.removeprefix('a ')}, and {cls.KIND} is wanted"
            return QuantityError(f"{shown}: {why} ({_or(allowed)})")
    unknown = repr(unit if len(unit) <= 20 else unit[:20] + "...")
    return QuantityError(f"{shown}: no unit {unknown}; {cls.KIND} is written in {_or(allowed)}")
