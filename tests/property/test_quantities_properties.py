"""Quantities against generated text: what is written is read, and only that is read."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pumpctl import quantity_text
from pumpctl.errors import QuantityError
from pumpctl.quantities import (
    KINDS,
    Quantity,
    round_down,
    round_half_up,
    round_up,
)
from pumpctl.quantity_text import MAX_DIGITS, MAX_QUANTA

kinds = st.sampled_from(KINDS)
below_digits = st.integers(0, 10**MAX_DIGITS - 1)


@pytest.mark.requirement("UNI-01")
@settings(deadline=None)
@given(kinds, st.integers(0, 10**6) | st.integers(0, 10**9))
def test_what_is_written_is_read(kind: type[Quantity], quanta: int) -> None:
    value = kind(quanta)
    assert kind.parse(str(value)) == value
    assert kind.parse(str(value).replace(" ", "")) == value


@pytest.mark.requirement("UNI-06")
@settings(deadline=None)
@given(kinds, st.integers(0, MAX_QUANTA))
def test_the_canonical_text_has_no_spare_zero(kind: type[Quantity], quanta: int) -> None:
    number, unit = str(kind(quanta)).split(" ")
    assert unit in kind.UNITS
    assert number[0].isdigit() and (number[0] != "0" or number == "0" or number[1] == ".")
    assert "." not in number or number[-1] not in "0."
    assert Decimal(number) * kind.UNITS[unit] == quanta


@pytest.mark.requirement("UNI-04")
@settings(deadline=None)
@given(kinds, st.data(), st.integers(0, 10**7), st.integers(0, 9))
def test_a_number_is_taken_exactly_or_its_neighbours_are_named(
    kind: type[Quantity], data: st.DataObject, digits: int, places: int
) -> None:
    unit = data.draw(st.sampled_from(sorted(kind.UNITS)))
    number = str(Decimal(digits).scaleb(-places).quantize(Decimal(1).scaleb(-places)))
    if "E" in number:
        number = f"{Decimal(number):f}"
    exact = Fraction(number) * kind.UNITS[unit]
    if exact.denominator == 1:
        assert kind.parse(f"{number} {unit}").quanta == exact
        return
    with pytest.raises(QuantityError) as refused:
        kind.parse(f"{number} {unit}")
    nearest = refused.value.nearest
    assert all(text.endswith(f" {unit}") for text in nearest)
    low, high = (kind.parse(text).quanta for text in nearest)
    assert low < exact < high and high - low in (1, 3, 9, 27)


grammar = "0123456789. ,-+eEmcgLuhdaysin/\u00b5\u03bc\u00a0\u0660xM"


@pytest.mark.requirement("UNI-03")
@settings(deadline=None)
@given(kinds, st.text(grammar, max_size=16) | st.text(max_size=16))
@example(KINDS[0], "1" * 5000 + " mcg")
def test_any_text_is_read_exactly_or_refused_with_a_reason(kind: type[Quantity], text: str) -> None:
    value = read(kind, text)
    if isinstance(value, QuantityError):
        assert value.message and len(value.message) < 600
        assert all(isinstance(read(kind, nearest), kind) for nearest in value.nearest)
    else:
        number = text[: len(text) - len(text.lstrip("0123456789."))]
        assert number.isascii() and number.count(".") <= 1
        assert number[0].isdigit() and number[-1].isdigit()
        assert value.quanta >= 10**MAX_DIGITS or kind.parse(str(value)) == value


def read(kind: type[Quantity], text: str) -> Quantity | QuantityError:
    """The value, or the refusal."""
    try:
        return kind.parse(text)
    except QuantityError as error:
        return error


@pytest.mark.requirement("UNI-05")
@settings(deadline=None)
@given(st.fractions())
def test_the_three_roundings(exact: Fraction) -> None:
    assert exact - 1 < round_down(exact) <= exact <= round_up(exact) < exact + 1
    assert Fraction(-1, 2) < round_half_up(exact) - exact <= Fraction(1, 2)


@settings(deadline=None)
@given(kinds, below_digits, below_digits)
def test_adding_and_taking_away(kind: type[Quantity], one: int, two: int) -> None:
    assert (kind(one) + kind(two)) - kind(two) == kind(one)
    assert (kind(one) < kind(two)) == (one < two)
    assert (kind(one) == kind(two)) == (one == two)


@pytest.mark.requirement("UNI-03")
@settings(deadline=None)
@given(
    kinds,
    st.text(grammar, max_size=16) | st.from_regex(r"[0-9.]{1,14} ?(mcg|mL|h|%)", fullmatch=True),
)
def test_the_quick_way_takes_nothing_that_the_long_one_refuses(
    kind: type[Quantity], text: str
) -> None:
    quick = read(kind, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantity_text, "_PLAIN", re.compile("(?!)"))
        slow = read(kind, text)
    assert str(quick) == str(slow) and type(quick) is type(slow)
