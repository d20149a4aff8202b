"""The tables of docs/protocol.md, read off the declarations, so that none is written twice.

It returns text and writes nothing; `generate` writes, and a test fails when the
document is stale.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from enum import IntEnum
from typing import Any

from pumpctl.wire import codes, messages, messages_acts, messages_implant  # noqa: F401
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
    named_fields_of,
)
from pumpctl.wire.greeting import PumpGreeting, StationGreeting
from pumpctl.wire.limit_table import LimitTable, Row
from pumpctl.wire.message import ANYONE, REGISTRY, TREATS, Spec

ENUMERATIONS: tuple[type[IntEnum], ...] = tuple(
    thing
    for thing in vars(codes).values()
    if isinstance(thing, type) and issubclass(thing, IntEnum) and thing is not IntEnum
)
SPECS = [REGISTRY[op] for op in codes.Op]
_UNITS = {
    "Ng": "ng",
    "NgPerDay": "ng/day",
    "PgPerNl": "pg/nL",
    "Nl": "nL",
    "MaybeNl": "nL",
    "Ms": "ms",
    "MaybeMs": "ms",
    "UtcMs": "ms, UTC",
    "Shift": "ms",
    "MaybeMm": "mm",
    "OffsetMin": "min",
    "Minute": "minute of the day",
    "Weekday": "0 is Monday",
}


def tables() -> dict[str, str]:
    """Every generated part of the document by the name that its markers carry."""
    return {
        "greetings": _struct(StationGreeting) + "\n" + _struct(PumpGreeting),
        "messages": _messages(),
        "fields": "\n".join(_message(spec) for spec in SPECS),
        "structures": "\n".join(_struct(cls) for cls in _structures()),
        "limit-table": _struct(LimitTable) + "\n" + _struct(Row),
        "codes": "\n".join(_enumeration(enum) for enum in ENUMERATIONS if enum is not codes.Op),
    }


def refreshed(document: str) -> str:
    """The document with every generated part as it should be now."""
    for name, table in tables().items():
        start, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        before, found_start, rest = document.partition(start)
        _, found_end, after = rest.partition(end)
        if not (found_start and found_end):
            raise ValueError(f"the document has no markers for {name}")
        document = f"{before}{start}\n{table}\n{end}{after}"
    return document


def form_of(field: Field) -> str:
    """How a field crosses the line, in a few characters."""
    match field:
        case UInt():
            top = "" if field.top == (1 << 8 * field.size) - 1 else f" ≤ {field.top}"
            return f"u{8 * field.size}{top}"
        case SInt():
            return f"i{8 * field.size}"
        case Flag():
            return "flag"
        case Code():
            return f"code `{field.enum.__name__}`"
        case Fixed():
            return f"{field.size} bytes"
        case Blob():
            return f"blob ≤ {field.limit}"
        case Text():
            return f"text ≤ {field.limit}"
        case Maybe():
            return f"maybe {form_of(field.inner)}"
        case Many():
            count = field.most if field.least == field.most else f"{field.least}–{field.most}"
            return f"{count} × ({form_of(field.inner)})"
        case Struct():
            return f"`{_name_of(field.cls)}`"
        case _:
            raise TypeError(f"{field!r} is no field")


def _name_of(cls: Any) -> str:
    return str(cls.__name__)


def _messages() -> str:
    lines = [
        "| code | message | from | roles | answered by | therapy | stages | most bytes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `0x{spec.op:04X}` | {spec.op.name} | {'station' if spec.from_station else 'pump'} "
        f"| {_roles(spec)} | {', '.join(op.name for op in spec.replies) or '–'} "
        f"| {'yes' if spec.therapy else '–'} | {'yes' if spec.stages else '–'} "
        f"| {spec.most_bytes} |"
        for spec in SPECS
    ]
    return "\n".join(lines) + "\n"


def _roles(spec: Spec) -> str:
    if not spec.from_station:
        return "–"
    if spec.roles == ANYONE:
        return "any"
    if spec.roles == TREATS:
        return "clinician, admin (engineer: bench only)"
    return ", ".join(sorted(role.name.lower() for role in spec.roles)) or "pairing session only"


def _message(spec: Spec) -> str:
    return _struct(spec.cls, f"{spec.op.name} `0x{spec.op:04X}`")


def _struct(cls: Any, title: str | None = None) -> str:
    source = _sources(cls.__module__)[cls.__name__]
    lines = [f"**{title or cls.__name__}**" + (f": {source.doc}" if source.doc else ""), ""]
    if not cls._fields:
        return "\n".join([*lines, "(no fields)", ""])
    lines += ["| field | form | meaning |", "|---|---|---|"]
    for name, field in named_fields_of(cls):
        alias, doc = source.fields[name]
        unit = _UNITS.get(alias)
        form = form_of(field) + (f", {unit}" if unit else "")
        lines.append(f"| `{name}` | {form} | {doc} |")
    return "\n".join([*lines, ""])


def _structures() -> list[Any]:
    """Every structure inside a message, in the order of first use."""
    found: dict[Any, None] = {}

    def visit(field: Field) -> None:
        match field:
            case Maybe() | Many():
                visit(field.inner)
            case Struct():
                found.setdefault(field.cls)
                for inner in field.fields:
                    visit(inner)
            case _:
                pass

    for spec in SPECS:
        for field in spec.struct.fields:
            visit(field)
    return list(found)


def _enumeration(enum: type[IntEnum]) -> str:
    doc = " ".join((enum.__doc__ or "").split()).rstrip(".")
    digits = 2 if enum is codes.FrameKind else 4
    if enum is codes.Feature:
        values = " · ".join(f"{item.name} bit {item.bit_length() - 1}" for item in enum)
    else:
        values = " · ".join(f"{item.name} `0x{item:0{digits}X}`" for item in enum)
    return f"**{enum.__name__}** ({doc}): {values}\n"


class _Source:
    """What only the source text knows of a class: its docstring, and those under its fields."""

    def __init__(self, node: ast.ClassDef) -> None:
        self.doc = " ".join((ast.get_docstring(node) or "").split())
        self.fields: dict[str, tuple[str, str]] = {}
        last = ""
        for item in node.body:
            match item:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    last = name
                    self.fields[name] = (ast.unparse(annotation), "")
                case ast.Expr(value=ast.Constant(value=str(doc))) if last:
                    self.fields[last] = (self.fields[last][0], " ".join(doc.split()))
                case _:
                    last = ""


@functools.cache
def _sources(module: str) -> dict[str, _Source]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: _Source(node) for node in tree.body if isinstance(node, ast.ClassDef)}
