"""The JSON schema of a profile, made from its shape, for editors and other tools.

`profiles/profile.schema.json` is what `text()` returns. It says what a schema
can say; the checks say the rest. Never edited by hand, and never read by the
program itself.
"""

from __future__ import annotations

from typing import Any, assert_never

from pumpctl.quantity_text import MAX_DIGITS
from pumpctl.therapy import profile_shape as shape
from pumpctl.therapy.program import Mode

Schema = dict[str, Any]

_NUMBER = rf"(0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})(\.[0-9]{{1,{MAX_DIGITS}}})?"
_LONGEST_AMOUNT = 32


def schema() -> Schema:
    """The schema as plain data, JSON Schema draft 7 (what editors of TOML read)."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "pumpctl dose profile",
        "description": "A dose profile for an implanted intrathecal baclofen pump, format 1.",
        **_kind(shape.PROFILE),
    }


def text() -> str:
    """The schema as the file holds it."""
    import json

    return json.dumps(schema(), indent=2, ensure_ascii=True) + "\n"


def _kind(kind: shape.Kind) -> Schema:
    match kind:
        case shape.Exactly(number):
            return {"type": "integer", "const": number}
        case shape.Text(longest):
            return {"type": "string", "minLength": 1, "maxLength": longest}
        case shape.Choice(words):
            return {"type": "string", "enum": list(words)}
        case shape.Amount():
            return _amount(kind)
        case shape.TimeOfDay():
            return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
        case shape.Count(low, high):
            return {"type": "integer", "minimum": low, "maximum": high}
        case shape.ListOf(item, most):
            return {"type": "array", "minItems": 1, "maxItems": most, "items": _kind(item)}
        case shape.Table(keys):
            return _table(keys)
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


def _table(keys: tuple[shape.Key, ...]) -> Schema:
    made: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": [key.name for key in keys if key.required and key.modes is None],
        "properties": {key.name: {"description": key.doc, **_kind(key.kind)} for key in keys},
    }
    if any(key.modes for key in keys):
        made["allOf"] = [_mode(keys, mode.value) for mode in Mode]
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
