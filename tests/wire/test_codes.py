"""How far apart the numbers of one enumeration are."""

from __future__ import annotations

from enum import IntEnum
from itertools import combinations

import pytest

from pumpctl.wire.codes import Feature, FrameKind, Op, Refuse
from tools.protocol_tables import ENUMERATIONS

WIDE = [enum for enum in ENUMERATIONS if enum not in (FrameKind, Feature)]


def distance(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def test_every_enumeration_is_looked_at() -> None:
    assert {Op, Refuse} < set(WIDE)
    assert len(WIDE) >= 15


@pytest.mark.requirement("TEL-02")
@pytest.mark.parametrize("enum", WIDE, ids=lambda enum: enum.__name__)
def test_codes_differ_in_many_bits(enum: type[IntEnum]) -> None:
    numbers = [int(item) for item in enum.__members__.values()]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < number < 0xFFFF for number in numbers)
    least = min((distance(*pair) for pair in combinations(numbers, 2)), default=16)
    dead = min(distance(number, memory) for number in numbers for memory in (0, 0xFFFF))
    print(f"{enum.__name__}: {len(numbers)} codes, least distance {least}, to dead memory {dead}")
    assert least >= 6  # TEL-02 wants 4
    assert dead >= 4


@pytest.mark.requirement("TEL-02")
def test_success_is_far_from_every_error() -> None:
    errors = [code for code in Refuse if code is not Refuse.NONE]
    assert min(distance(Refuse.NONE, error) for error in errors) >= 5


@pytest.mark.requirement("TEL-02")
def test_frame_kinds_differ_in_four_bits() -> None:
    assert min(distance(*pair) for pair in combinations(FrameKind, 2)) >= 4


def test_feature_bits_are_single_and_different() -> None:
    assert all(item.bit_count() == 1 for item in Feature)
    assert len({int(item) for item in Feature.__members__.values()}) == len(Feature.__members__)
