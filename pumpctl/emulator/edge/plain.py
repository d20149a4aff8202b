"""Values of the emulator as plain JSON and back, by their declared types.

For the control socket: a process asks another one of the same program, so that
both know the types. Nothing here knows what a value means.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pumpctl.outcomes import OperationId
from pumpctl.quantities import Quantity

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Quanta as integers, bytes as hexadecimal digits, named tuples as lists of their fields."""
    match value:
        case None | bool() | int() | str():
            return value
        case bytes():
            return value.hex()
        case Quantity():
            return value.quanta
        case tuple():
            return [to_plain(each) for each in value]
        case dict():
            return {str(key): to_plain(each) for key, each in value.items()}
        case _:
            raise TypeError(f"a {type(value).__name__} has no plain form")


def from_plain(kind: type[T], plain: Any) -> T:
    """The value back; TypeError, ValueError or KeyError for anything but one of this type."""
    of: Any = kind
    found: T = _reader(of)(plain)
    return found


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    origin, of = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        (inner,) = (each for each in of if each is not type(None))
        return lambda plain: None if plain is None else _reader(inner)(plain)
    if origin is tuple:
        return lambda plain: tuple(_reader(of[0])(each) for each in plain)
    if origin is dict:
        return lambda plain: {key: _reader(of[1])(each) for key, each in plain.items()}
    if issubclass(kind, OperationId):
        read: Callable[[Any], Any] = kind.from_text
        return read
    if issubclass(kind, bytes):
        return bytes.fromhex
    if issubclass(kind, tuple):
        hints = get_type_hints(kind)
        fields = [_reader(hints[name]) for name in kind._fields]
        return lambda plain: kind(*(f(each) for f, each in zip(fields, plain, strict=True)))
    if issubclass(kind, Quantity | int | str):
        return lambda plain: plain if type(plain) is kind else kind(plain)
    raise TypeError(f"{kind} has no plain form")
