"""Reads the hand-written records of tests/golden/wire: hexadecimal text and a value.

A value is turned into a message by its declared fields; nothing here encodes.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pumpctl.wire import messages, messages_acts, messages_implant  # noqa: F401  (declares all)
from pumpctl.wire.fields import (
    Blob,
    Code,
    Field,
    Fixed,
    Many,
    Maybe,
    Struct,
    named_fields_of,
)

FOLDER = Path(__file__).parents[1] / "golden" / "wire"

Plain = dict[str, Any]


def records(name: str) -> list[Plain]:
    """The records of one file."""
    found: list[Plain] = tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))["record"]
    return found


def hexed(text: str) -> bytes:
    """Hexadecimal digits with spaces, line ends and comments."""
    return bytes.fromhex("".join(line.partition("#")[0] for line in text.splitlines()))


def built(cls: Any, plain: Plain) -> Any:
    """A structure from a table; every key must belong to a field."""
    fields = named_fields_of(cls)
    unknown = plain.keys() - {entry.name for entry in fields}
    if unknown:
        raise KeyError(f"{cls.__name__} has no {unknown}")
    return cls(*[_value(entry.field, plain.get(entry.name)) for entry in fields])


def _value(field: Field, plain: Any) -> Any:
    match field:
        case Maybe():
            return None if plain is None else _value(field.inner, plain)
        case Struct():
            return built(field.cls, plain)
        case Many():
            return tuple(_value(field.inner, item) for item in plain)
        case Code():
            return field.enum[plain]
        case Fixed() | Blob():
            return hexed(plain)
        case _:
            assert plain is not None
            return plain


def conversations() -> dict[str, dict[str, dict[str, bytes]]]:
    """The two conversations of session.toml: what was given, and what follows from it."""
    told = tomllib.loads((FOLDER / "session.toml").read_text(encoding="utf-8"))
    return {
        name: {
            part: {key: hexed(text) for key, text in entries.items()}
            for part, entries in parts.items()
        }
        for name, parts in told.items()
    }
