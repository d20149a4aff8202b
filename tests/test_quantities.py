"""Quantities read and written by example: the grammar, its refusals, the roundings."""

from __future__ import annotations

import copy
from fractions import Fraction

import pytest

from pumpctl.errors import QuantityError
from pumpctl.quantities import (
    KINDS,
    Concentration,
    Duration,
    Flow,
    Mass,
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
from pumpctl.quantity_text import MAX_DIGITS, MAX_QUANTA

Kind = type[Quantity]


@pytest.mark.requirement("UNI-01")
@pytest.mark.parametrize("kind", KINDS)
def test_a_quantity_is_an_integer_and_nothing_else(kind: Kind) -> None:
    for wrong in (1.0, True, "1", None, Fraction(1), b"1"):
        with pytest.raises(TypeError):
            kind(wrong)  # type: ignore[arg-type]
    for out_of_range in (-1, MAX_QUANTA + 1):
        with pytest.raises(ValueError, match="out of range"):
            kind(out_of_range)
    assert kind(MAX_QUANTA).quanta == MAX_QUANTA


@pytest.mark.parametrize("kind", KINDS)
def test_a_quantity_is_a_value(kind: Kind) -> None:
    one, two = kind(1), kind(2)
    assert one + one == two and two - one == one and two - two == kind(0)
    assert one * 2 == two and 2 * one == two
    assert one < two and one <= two and two > one and two >= one and one <= kind(1)
    assert not one > two and not one >= two and one != two
    assert bool(one) and not kind(0)
    assert {one, kind(1)} == {one} and sorted([two, one]) == [one, two]
    assert copy.copy(two) == two and copy.deepcopy([two]) == [two]
    with pytest.raises(ValueError, match="out of range"):
        _ = one - two
    with pytest.raises(AttributeError):
        one.quanta = 5
    with pytest.raises(AttributeError):
        del one.quanta
    with pytest.raises(AttributeError):
        one.other = 5
    for factor in (1.5, True, Fraction(2)):
        with pytest.raises(TypeError):
            _ = one * factor  # type: ignore[operator]
    with pytest.raises(TypeError):
        _ = one + 1  # type: ignore[operator]


@pytest.mark.requirement("UNI-01")
def test_kinds_never_mix() -> None:
    mass: Quantity = Mass(1)
    volume: Quantity = Volume(1)
    assert mass != volume and hash(mass) != hash(volume)
    for mix in (
        lambda: mass + volume,
        lambda: mass - volume,
        lambda: mass < volume,
        lambda: mass <= volume,
        lambda: mass > volume,
        lambda: mass >= volume,
    ):
        with pytest.raises(TypeError):
            mix()


TEXTS = [
    (Mass, "20 mcg", 20_000, "20 mcg"),
    (Mass, "20mcg", 20_000, "20 mcg"),
    (Mass, "0.5 mg", 500_000, "500 mcg"),
    (Mass, "20 ug", 20_000, "20 mcg"),
    (Mass, "20 \u00b5g", 20_000, "20 mcg"),
    (Mass, "20\u03bcg", 20_000, "20 mcg"),
    (Mass, "0.001 mcg", 1, "0.001 mcg"),
    (Mass, "20.0 mcg", 20_000, "20 mcg"),
    (Mass, "0 mcg", 0, "0 mcg"),
    (Mass, "112.45 mcg", 112_450, "112.45 mcg"),
    (Volume, "38 mL", 38_000_000, "38 mL"),
    (Volume, "38 ml", 38_000_000, "38 mL"),
    (Volume, "140 uL", 140_000, "0.14 mL"),
    (Volume, "0.000001 mL", 1, "0.000001 mL"),
    (Concentration, "2000 mcg/mL", 2000, "2000 mcg/mL"),
    (Concentration, "2 mg/mL", 2000, "2000 mcg/mL"),
    (Concentration, "0.5 mg/ml", 500, "500 mcg/mL"),
    (Concentration, "500 \u00b5g/mL", 500, "500 mcg/mL"),
    (Rate, "438 mcg/day", 438_000, "438 mcg/day"),
    (Rate, "14 mcg/h", 336_000, "336 mcg/day"),
    (Rate, "0.000125 mcg/h", 3, "0.003 mcg/day"),
    (Flow, "0.048 mL/day", 48_000, "0.048 mL/day"),
    (Flow, "1 mL/h", 24_000_000, "24 mL/day"),
    (Flow, "2 uL/h", 48_000, "0.048 mL/day"),
    (Duration, "10 min", 600_000, "10 min"),
    (Duration, "4 h", 14_400_000, "4 h"),
    (Duration, "90 s", 90_000, "90 s"),
    (Duration, "1.5 min", 90_000, "90 s"),
    (Duration, "90 min", 5_400_000, "90 min"),
    (Duration, "1000 s", 1_000_000, "1000 s"),
    (Duration, "0.1 s", 100, "0.1 s"),
    (Duration, "7 d", 604_800_000, "7 d"),
    (Duration, "2000 d", 172_800_000_000, "2000 d"),
    (Duration, "41.75 h", 150_300_000, "41.75 h"),
    (Duration, "999.999 s", 999_999, "999.999 s"),
    (Duration, "0 d", 0, "0 s"),
]


@pytest.mark.requirement("UNI-02")
@pytest.mark.requirement("UNI-06")
@pytest.mark.parametrize(("kind", "text", "quanta", "canonical"), TEXTS)
def test_text_is_read_and_written(kind: Kind, text: str, quanta: int, canonical: str) -> None:
    value = kind.parse(text)
    assert type(value) is kind and value.quanta == quanta
    assert str(value) == canonical
    assert repr(value) == f"{kind.__name__}('{canonical}')"


REFUSED = [
    # a bare number, or none
    (Mass, "20", "no unit; a dose is written in mcg or mg", ()),
    (Mass, "", "is empty", ()),
    (Mass, "   ", "is empty", ()),
    (Mass, "mcg", "begin with a number", ()),
    (Mass, 20, "is text with a unit", ()),
    (Mass, None, "is text with a unit", ()),
    # numbers that are never repaired
    (Mass, "1.2.3 mcg", "two decimal points", ()),
    (Mass, "1..2 mcg", "two decimal points", ()),
    (Mass, ".5 mcg", "before the point", ("0.5 mcg",)),
    (Mass, "5. mcg", "behind the point", ("5 mcg",)),
    (Mass, ". mcg", "before the point", ()),
    (Mass, "007 mcg", "superfluous zero", ("7 mcg",)),
    (Mass, "00.5 mcg", "superfluous zero", ("0.5 mcg",)),
    (Mass, "007", "superfluous zero", ()),
    (Mass, "1,000 mcg", "thousands marks", ()),
    (Mass, "0,5 mcg", "decimal commas", ()),
    (Mass, "1'000 mcg", "thousands marks", ()),
    (Mass, "1_000 mcg", "thousands marks", ()),
    (Mass, "1\u2019000 mcg", "thousands marks", ()),
    (Mass, "1 000 mcg", "holds no space", ()),
    (Mass, "1 .5 mcg", "holds no space", ()),
    (Mass, "1e3 mcg", "exponents", ()),
    (Mass, "1E3 mcg", "exponents", ()),
    (Mass, "1e-3 mcg", "exponents", ()),
    (Mass, "NaN mcg", "is not a number", ()),
    (Mass, "inf mcg", "is not a number", ()),
    (Mass, "-5 mcg", "sign", ()),
    (Mass, "+5 mcg", "sign", ()),
    (Mass, "\u22125 mcg", "sign", ()),
    (Mass, "0x10 mcg", "no unit 'x10 mcg'", ()),
    (Mass, "1234567890123 mcg", "too many digits: 13", ()),
    (Mass, "0.0000000000001 mcg", "too many digits", ()),
    (Duration, "999999999999 d", "larger than anything", ()),
    # spaces and scripts
    (Mass, " 20 mcg", "in front or behind", ()),
    (Mass, "20 mcg ", "in front or behind", ()),
    (Mass, "20  mcg", "more than one space", ("20 mcg",)),
    (Mass, "20\tmcg", "plain space", ()),
    (Mass, "20 mcg\n", "plain space", ()),
    (Mass, "20\u00a0mcg", r"U\+00A0", ()),
    (Mass, "20\u202fmcg", r"U\+202F", ()),
    (Mass, "20\u200bmcg", "no unit", ()),
    (Mass, "\u0662\u0660 mcg", r"U\+0662", ()),
    (Mass, "\uff12\uff10 mcg", r"U\+FF12", ()),
    (Mass, "2\u00b2 mcg", r"U\+00B2", ()),
    (Mass, "\u00bd mcg", r"U\+00BD", ()),
    # units
    (Mass, "20 Mcg", "case matters", ("20 mcg",)),
    (Mass, "20 MCG", "case matters", ("20 mcg",)),
    (Volume, "40 ML", "case matters", ("40 mL",)),
    (Volume, "40 \u00b5L", "no unit", ()),
    (Mass, "20 ng", "ng is not read", ("0.02 mcg",)),
    (Mass, "20 mL", "measures volume", ()),
    (Mass, "20 mcg/day", "measures dose rate", ()),
    (Mass, "20 furlong", "no unit 'furlong'", ()),
    (Mass, "20 " + "x" * 99, "no unit", ()),
    (Rate, "0.438 mg/day", "mg/day is not read", ("438 mcg/day",)),
    (Rate, "1 mcg/hr", "mcg/hr is not read", ("24 mcg/day",)),
    (Volume, "1 L", "L is not read", ("1000 mL",)),
    (Duration, "5 minutes", "minutes is not read", ("300 s",)),
    # a part of a quantum
    (Mass, "0.0005 mcg", "steps of 0.001 mcg", ("0 mcg", "0.001 mcg")),
    (Mass, "0.0000015 mg", "steps of 0.000001 mg", ("0.000001 mg", "0.000002 mg")),
    (Rate, "0.3333 mcg/h", "steps of 0.000125 mcg/h", ("0.33325 mcg/h", "0.333375 mcg/h")),
    (Rate, "438.0005 mcg/day", "0.001 mcg/day", ("438 mcg/day", "438.001 mcg/day")),
    (Volume, "0.0000005 mL", "0.000001 mL", ("0 mL", "0.000001 mL")),
    (Concentration, "500.5 mcg/mL", "1 mcg/mL", ("500 mcg/mL", "501 mcg/mL")),
    (Flow, "0.0000001 mL/day", "0.000001 mL/day", ("0 mL/day", "0.000001 mL/day")),
    (Duration, "0.00001 min", "0.00005 min", ("0 min", "0.00005 min")),
    (Duration, "0.0000001 h", "0.0000025 h", ("0 h", "0.0000025 h")),
    (Duration, "0.0000001 d", "0.0000003125 d", ("0 d", "0.0000003125 d")),
]


@pytest.mark.requirement("UNI-02")
@pytest.mark.requirement("UNI-03")
@pytest.mark.requirement("UNI-04")
@pytest.mark.parametrize(("kind", "text", "reason", "nearest"), REFUSED)
def test_everything_else_is_refused(
    kind: Kind, text: str, reason: str, nearest: tuple[str, ...]
) -> None:
    with pytest.raises(QuantityError, match=reason) as refused:
        kind.parse(text)
    assert refused.value.nearest == nearest
    assert len(refused.value.message) < 250


@pytest.mark.requirement("UNI-02")
def test_units_can_be_restricted() -> None:
    assert Rate.parse("438 mcg/day", units=("mcg/day",)) == Rate(438_000)
    assert Rate.parse("14 mcg/h", units=("mcg/h",)) == Rate(336_000)
    with pytest.raises(QuantityError, match="taken in mcg/h here, not in mcg/day") as refused:
        Rate.parse("438 mcg/day", units=("mcg/h",))
    assert refused.value.nearest == ("18.25 mcg/h",)
    assert refused.value.hint == "nearest values taken: 18.25 mcg/h"
    with pytest.raises(QuantityError, match="not in mcg/day") as refused:
        Rate.parse("0.001 mcg/day", units=("mcg/h",))
    assert refused.value.nearest == ("0 mcg/h", "0.000125 mcg/h")
    with pytest.raises(QuantityError, match="case matters: the unit is mcg/day"):
        Rate.parse("438 Mcg/day", units=("mcg/day",))


def test_digits_are_counted_without_the_point() -> None:
    assert Mass.parse("9" * MAX_DIGITS + " mcg").quanta == int("9" * MAX_DIGITS) * 1000
    assert Mass.parse("9" * (MAX_DIGITS - 1) + ".9 mcg")


@pytest.mark.requirement("UNI-06")
def test_a_rate_is_shown_per_hour() -> None:
    assert Rate.parse("300 mcg/day").per_hour_text() == "12.5 mcg/h"  # W3
    assert Rate.parse("800 mcg/day").per_hour_text() == "33.333 mcg/h"  # W3
    assert Rate(12).per_hour_text() == "0.001 mcg/h"
    assert Rate(11).per_hour_text() == "0 mcg/h"


def test_text_in_a_chosen_unit() -> None:
    assert Mass(1_500_000).text_in("mg") == "1.5 mg"
    assert Rate(336_000).text_in("mcg/h") == "14 mcg/h"
    with pytest.raises(ValueError, match="no finite decimal"):
        Rate(1_000).text_in("mcg/h")


@pytest.mark.requirement("UNI-05")
def test_one_rounding_in_a_stated_direction() -> None:
    third, half = Fraction(4, 3), Fraction(3, 2)
    assert (round_down(third), round_up(third), round_half_up(third)) == (1, 2, 1)
    assert (round_down(half), round_up(half), round_half_up(half)) == (1, 2, 2)
    assert (round_down(-half), round_up(-half), round_half_up(-half)) == (-2, -1, -1)
    assert (round_down(7), round_up(7), round_half_up(7)) == (7, 7, 7)


@pytest.mark.requirement("UNI-05")
def test_mass_and_volume() -> None:
    fifty = Concentration(50)
    for mass, volume in (("50 mcg", "1 mL"), ("75 mcg", "1.5 mL"), ("100 mcg", "2 mL")):  # W1
        assert volume_of(Mass.parse(mass), fifty) == Volume.parse(volume).quanta
        assert mass_of(Volume.parse(volume), fifty) == Mass.parse(mass).quanta
    w9 = volume_of(Mass.parse("50 mcg"), Concentration(500))
    assert w9 == Volume.parse("0.1 mL").quanta
    assert w9 * 144 == Flow.parse("14.4 mL/day").quanta  # W9: 10 min are 1/144 of a day
    w7 = Concentration(2002)
    assert round_half_up(Fraction(flow_of(Rate(96_100), w7).quanta, 100)) == 480  # W7: 0.0480
    assert round_half_up(Fraction(flow_of(Rate(673_700), w7).quanta, 100)) == 3365  # W7
    assert flow_of(Rate(1), Concentration(3), round_down) == Flow(333)
    assert flow_of(Rate(1), Concentration(3), round_up) == Flow(334)
    assert rate_of(Flow(48_000), Concentration(2000)) == Rate(96_000)
    assert rate_of(Flow(1), Concentration(1500), round_up) == Rate(2)
