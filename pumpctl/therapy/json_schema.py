"""The JSON schema of a file, made from its shape, for editors and other tools.

It says what a schema can say; the checks say the rest. What is made of it lies
in `profiles/`; it is never edited by hand, and never read by the program itself.
"""

from __future__ import annotations

from typing import Any, assert_never

from pumpctl.quantity_text import MAX_DIGITS
from pumpctl.therapy import shape

Schema = dict[str, Any]

_NUMBER = rf"(0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})(\.[0-9]{{1,{MAX_DIGITS}}})?"
_LONGEST_AMOUNT = 32


def schema(document: shape.Document, title: str, description: str) -> Schema:
    """The schema as plain data, JSON Schema draft 7 (what editors of TOML read)."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Generated from the code by `python3 dev.py generate`: change it there.",
        "title": title,
        "description": description,
        **_kind(document.root),
    }


def text(made: Schema) -> str:
    """A schema as its file holds it."""
    import json

    return json.dumps(made, indent=2, ensure_ascii=True) + "\n"


def _kind(kind: shape.Kind) -> Schema:
    match kind:
        case shape.Exactly(number, _):
            return {"type": "integer", "const": number}
        case shape.Text(longest):
            return {"type": "string", "minLength": 1, "maxLength": longest}
        case shape.Choice(words):
            return {"type": "string", "enum": list(words)}
        case shape.Amount():
            return _amount(kind)
        case shape.TimeOfDay():
            return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
        case shape.DateText():
            return {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]$"}
        case shape.Count(low, high):
            return {"type": "integer", "minimum": low, "maximum": high}
        case shape.ListOf(item, most):
            return {"type": "array", "minItems": 1, "maxItems": most, "items": _kind(item)}
        case shape.Table():
            return _table(kind)
        case _:
            assert_never(kind)


def _amount(kind: shape.Amount) -> Schema:
    units: list[str] = []
    for unit in kind.units:
        spellings = {unit}
        for micro in ("ug", "\u00b5g", "\u03bcg"):
            spellings.add(unit.replace("mcg", micro))
        units += [each.replace("L", "[Ll]") for each in sorted(spellings)]
    return {
        "type": "string",
        "maxLength": _LONGEST_AMOUNT,
        "pattern": f"^{_NUMBER} ?({'|'.join(units)})$",
        "examples": [f"20 {kind.units[0]}"],
    }


def _table(table: shape.Table) -> Schema:
    keys = table.keys
    made: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": [key.name for key in keys if key.required and key.modes is None],
        "properties": {key.name: {"description": key.doc, **_kind(key.kind)} for key in keys},
    }
    if table.modes:
        made["allOf"] = [_mode(keys, mode) for mode in table.modes]
    return made


def _mode(keys: tuple[shape.Key, ...], mode: str) -> Schema:
    """What belongs to one mode, and what does not."""
    bound = [key for key in keys if key.modes is not None]
    then: Schema = {
        "required": [key.name for key in bound if key.required and mode in (key.modes or ())],
        "properties": {key.name: False for key in bound if mode not in (key.modes or ())},
    }
    return {
        "if": {"required": ["mode"], "properties": {"mode": {"const": mode}}},
        "then": then,
    }
