"""A message as the protocol page names it: its fields, with the units of their quanta.

What is long is told by its size; what names a patient crosses the line as a short hash
only, and is told as that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any

from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Duration, Flow, Mass, Rate, Volume
from pumpctl.therapy.moment import Moment
from pumpctl.wire import quanta, vocabulary
from pumpctl.wire.fields import Field, Many, Maybe, Struct, named_fields_of
from pumpctl.wire.message import spec_of

_LONG = 40
"""Bytes; a hash of 32 is shown whole."""


def _time(value: int) -> str:
    return str(Moment(value, 0))


def _tag(value: bytes) -> str:
    return f"short hash {value.hex()}"


_ALIASES: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (quanta.Ng, lambda value: str(Mass(value))),
    (quanta.NgPerDay, lambda value: str(Rate(value))),
    (quanta.PgPerNl, lambda value: str(Concentration(value))),
    (quanta.Nl, lambda value: str(Volume(value))),
    (quanta.Ms, lambda value: str(Duration(value))),
    (vocabulary.MaybeNl, lambda value: str(Volume(value))),
    (vocabulary.MaybeMs, lambda value: str(Duration(value))),
    (vocabulary.Shift, lambda value: f"{value} ms"),
    (quanta.OffsetMin, lambda value: f"{value} min"),
    (quanta.UtcMs, _time),
    (vocabulary.TagHash, _tag),
    (vocabulary.MaybeTag, _tag),
)
_WORDS = {id(alias.__metadata__[0]): word for alias, word in _ALIASES}
"""By the field that the alias stands for: each has one of its own."""
_PER_DAY = ("least_flow", "most_flow")
"""Volumes that are volumes a day."""


class Leaf(NamedTuple):
    """One value inside a message: `alarms[0].code`."""

    path: str
    value: Any
    """As it crossed the line."""
    shown: Any
    """As JSON shows it."""


def name_of(message: object) -> str:
    """The name of a message."""
    return spec_of(message).op.name


def fields(message: Any) -> dict[str, Any]:
    """Every field by its name, as JSON shows it."""
    return {
        each.name: _shown(each.name, each.field, value)
        for each, value in zip(named_fields_of(type(message)), message, strict=True)
    }


def leaves(message: Any) -> Iterator[Leaf]:
    """Every value of a message, those inside structures one by one."""
    return _leaves("", Struct(type(message)), message)


def _leaves(path: str, field: Field, value: Any) -> Iterator[Leaf]:
    match field:
        case Maybe() if value is not None and isinstance(field.inner, Struct | Many):
            yield from _leaves(path, field.inner, value)
        case Many():
            yield Leaf(f"{path}.count", len(value), len(value))
            for number, item in enumerate(value):
                yield from _leaves(f"{path}[{number}]", field.inner, item)
        case Struct():
            for each, item in zip(named_fields_of(field.cls), value, strict=True):
                yield from _leaves(f"{path}.{each.name}" if path else each.name, each.field, item)
        case _:
            yield Leaf(path, value, _shown(path.rpartition(".")[2], field, value))


def _shown(name: str, field: Field, value: Any) -> Any:
    if value is None:
        return None
    word = _WORDS.get(id(field))
    if word is not None:
        return _worded(name, word, value)
    match field:
        case Maybe():
            return _shown(name, field.inner, value)
        case Many():
            return [_shown(name, field.inner, item) for item in value]
        case Struct():
            return fields(value)
        case _:
            return _plain(value)


def _worded(name: str, word: Callable[[Any], str], value: Any) -> str:
    try:
        return str(Flow(value)) if name in _PER_DAY else word(value)
    except (ValueError, OverflowError, OSError):  # more than any quantity can be
        return f"{value} quanta"


def _plain(value: Any) -> Any:
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, bytes):
        if len(value) <= _LONG:
            return value.hex()
        return f"{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()[:16]}"
    return value
