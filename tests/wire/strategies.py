"""Hypothesis strategies for every field type, so that any declared message can be drawn."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from hypothesis import strategies as st

from pumpctl.wire.fields import (
    Blob,
    Code,
    Field,
    Fixed,
    Flag,
    Many,
    Maybe,
    SInt,
    Struct,
    Text,
    UInt,
)

PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


def members(enum: type[IntEnum]) -> list[IntEnum]:
    """All values of an enumeration."""
    return list(enum.__members__.values())


def values(field: Field) -> st.SearchStrategy[Any]:
    """Whatever this field can carry; long lists are drawn short."""
    match field:
        case UInt():
            return st.integers(0, field.top)
        case SInt():
            half = 1 << (8 * field.size - 1)
            return st.integers(-half, half - 1)
        case Flag():
            return st.booleans()
        case Code():
            return st.sampled_from(members(field.enum))
        case Fixed():
            return st.binary(min_size=field.size, max_size=field.size)
        case Blob():
            return st.binary(max_size=min(field.limit, 200))
        case Text():
            return st.text(PRINTABLE, max_size=field.limit)
        case Maybe():
            return st.none() | values(field.inner)
        case Many():
            most = min(field.most, field.least + 3)
            return st.lists(values(field.inner), min_size=field.least, max_size=most).map(tuple)
        case Struct():
            return st.tuples(*map(values, field.fields)).map(lambda drawn: field.cls(*drawn))
        case _:
            raise TypeError(f"no strategy for {field!r}")


def largest(field: Field) -> Any:
    """The value that takes the most bytes."""
    match field:
        case UInt():
            return field.top
        case SInt():
            return -1
        case Flag():
            return True
        case Code():
            return members(field.enum)[-1]
        case Fixed():
            return b"\xff" * field.size
        case Blob():
            return b"\xff" * field.limit
        case Text():
            return "~" * field.limit
        case Maybe():
            return largest(field.inner)
        case Many():
            return (largest(field.inner),) * field.most
        case Struct():
            return field.cls(*map(largest, field.fields))
        case _:
            raise TypeError(f"no largest {field!r}")
