"""A second opinion on units: every conversion of `quantities` against Pint, without floats.

Pint keeps its own table of units and its own algebra of dimensions. Its registry counts in
fractions here, so that "equal" means equal. `Percent` has one unit and no conversion, and
is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pint import UnitRegistry

from pumpctl.errors import PumpctlError
from pumpctl.quantities import (
    KINDS,
    Concentration,
    Duration,
    Flow,
    Length,
    Mass,
    Percent,
    Quantity,
    Rate,
    Volume,
    flow_of,
    mass_of,
    rate_of,
    round_down,
    round_half_up,
    round_up,
    volume_of,
)
from pumpctl.quantity_text import MAX_QUANTA

UNITS: Any = UnitRegistry(non_int_type=Fraction, cache_folder=None)

QUANTUM: dict[type[Quantity], str] = {
    Mass: "nanogram",
    Volume: "nanoliter",
    Duration: "millisecond",
    Concentration: "picogram / nanoliter",
    Rate: "nanogram / day",
    Flow: "nanoliter / day",
    Length: "millimeter",
}
"""What one quantum of each kind is, in Pint's words."""

WORDS = {
    "mcg": "microgram", "ug": "microgram", "µg": "microgram", "mg": "milligram", "ng": "nanogram",
    "g": "gram", "mL": "milliliter", "uL": "microliter", "nL": "nanoliter", "L": "liter",
    "cc": "cubic_centimeter", "s": "second", "sec": "second", "ms": "millisecond",
    "min": "minute", "minutes": "minute", "h": "hour", "hr": "hour", "hrs": "hour",
    "hour": "hour", "hours": "hour", "d": "day", "day": "day", "days": "day",
    "cm": "centimeter", "mm": "millimeter", "m": "meter",
}  # fmt: skip
"""The symbols of the grammar and of its refusals, in Pint's full words."""


def in_pint(number: int | Fraction, unit: str) -> Any:
    """A number of a unit of the grammar, as Pint's quantity."""
    top, _, below = unit.partition("/")
    made = UNITS.Quantity(Fraction(number), UNITS.parse_units(WORDS[top]))
    return made / UNITS.Quantity(Fraction(1), UNITS.parse_units(WORDS[below])) if below else made


def quanta_of(quantity: Quantity) -> Any:
    """What a value of ours is, as Pint's quantity."""
    return UNITS.Quantity(Fraction(quantity.quanta), UNITS.parse_units(QUANTUM[type(quantity)]))


def every_unit() -> Iterator[tuple[type[Quantity], str, int]]:
    for kind in KINDS:
        if kind is not Percent:
            for table in (kind.UNITS, kind.FOREIGN):
                for unit, size in table.items():
                    yield kind, unit, size


numbers = st.integers(0, 10**12)
whole = st.integers(1, 10**9)
concentrations = st.integers(1, 100_000).map(Concentration)


def test_pint_counts_without_floats() -> None:
    assert isinstance(UNITS("1.5 mL").to("nanoliter").magnitude, Fraction)
    assert UNITS("0.1 mg").to("nanogram").magnitude == 100_000


@pytest.mark.requirement("UNI-01")
@pytest.mark.parametrize(("kind", "unit", "size"), list(every_unit()))
def test_every_unit_has_the_size_that_pint_gives_it(
    kind: type[Quantity], unit: str, size: int
) -> None:
    assert in_pint(1, unit).to(QUANTUM[kind]).magnitude == size


@pytest.mark.requirement("UNI-02")
@given(st.sampled_from(list(every_unit())), st.integers(0, 10**6), st.integers(0, 6))
def test_what_is_read_is_what_pint_reads(
    known: tuple[type[Quantity], str, int], number: int, places: int
) -> None:
    kind, unit, _ = known
    shown = f"{number // 10**places}.{number % 10**places:0{places}d}" if places else str(number)
    exact = in_pint(Fraction(number, 10**places), unit).to(QUANTUM[kind]).magnitude
    try:
        read = kind.parse(f"{shown} {unit}")
    except PumpctlError:
        assert unit in kind.FOREIGN or exact.denominator != 1
    else:
        assert read.quanta == exact


@pytest.mark.requirement("UNI-01")
@given(st.sampled_from([kind for kind in KINDS if kind is not Percent]), numbers, st.data())
def test_what_is_written_is_the_same_for_pint(
    kind: type[Quantity], number: int, data: st.DataObject
) -> None:
    quantity = kind(number)
    unit = data.draw(st.sampled_from(sorted(kind.UNITS)))
    try:
        text = quantity.text_in(unit)
    except ValueError:  # no finite decimal: 1 ng/day in mcg/h
        assert unit in {"mcg/h", "mL/h", "uL/h", "min", "h", "d"}
        return
    figure, _, written = text.partition(" ")
    assert in_pint(Fraction(figure), written) == quanta_of(quantity)
    figure, _, written = str(quantity).partition(" ")
    assert in_pint(Fraction(figure), written) == quanta_of(quantity)


@pytest.mark.requirement("UNI-06")
@given(numbers)
def test_per_hour_and_per_day(number: int) -> None:
    figure, _, unit = Rate(number).per_hour_text().partition(" ")
    exact = quanta_of(Rate(number)).to("microgram / hour").magnitude
    assert unit == "mcg/h"
    assert Fraction(figure) == Fraction(round_half_up(exact * 1_000), 1_000)
    by_day = Fraction(str(Rate(number)).partition(" ")[0])
    assert by_day == quanta_of(Rate(number)).to("microgram / day").magnitude


@pytest.mark.requirement("UNI-05")
@given(numbers, concentrations)
def test_mass_and_volume(number: int, concentration: Concentration) -> None:
    volume = quanta_of(Mass(number)) / quanta_of(concentration)
    assert volume_of(Mass(number), concentration) == volume.to("nanoliter").magnitude
    mass = quanta_of(Volume(number)) * quanta_of(concentration)
    assert mass_of(Volume(number), concentration) == mass.to("nanogram").magnitude


@pytest.mark.requirement("UNI-05")
@given(numbers, concentrations, st.sampled_from([round_down, round_up, round_half_up]))
def test_rate_and_flow(number: int, concentration: Concentration, rounded: Any) -> None:
    flow = (quanta_of(Rate(number)) / quanta_of(concentration)).to("nanoliter / day").magnitude
    assert flow_of(Rate(number), concentration, rounded).quanta == rounded(flow)
    assert abs(flow_of(Rate(number), concentration).quanta - flow) <= Fraction(1, 2)
    rate = (quanta_of(Flow(number)) * quanta_of(concentration)).to("nanogram / day").magnitude
    assert rate_of(Flow(number), concentration, rounded).quanta == rounded(rate)
    assert abs(rate_of(Flow(number), concentration).quanta - rate) <= Fraction(1, 2)


@pytest.mark.requirement("UNI-05")
@given(whole, whole)
def test_the_roundings(top: int, below: int) -> None:
    exact = Fraction(top, below)
    assert round_down(exact) <= exact < round_down(exact) + 1
    assert round_up(exact) - 1 < exact <= round_up(exact)
    assert round_half_up(exact) - Fraction(1, 2) <= exact < round_half_up(exact) + Fraction(1, 2)


def test_a_wrong_size_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Rate.UNITS, "mcg/h", 1_000)
    with pytest.raises(AssertionError):
        test_every_unit_has_the_size_that_pint_gives_it(Rate, "mcg/h", Rate.UNITS["mcg/h"])
    assert MAX_QUANTA == 2**63 - 1
