"""Results as one table in Markdown and as JSON. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.axis import Axis, Result, Row, Target

SCHEMA = "pumpctl.bench/1"
Measured = Sequence[tuple[Axis, Result]]


def number(value: float) -> str:
    """Three or four digits that mean something."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        return f"{value:.0f}"
    if size >= 100:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.3g}"


def target_text(target: Target | None) -> str:
    """What was to be reached."""
    if target is None:
        return ""
    return f"{'≥' if target.least else '≤'} {target.figure:g}{', each' if target.every else ''}"


def verdict(row: Row) -> str:
    """Met or missed; nothing where there is no target."""
    if row.target is None:
        return ""
    if not row.values:
        return "NOT MEASURED"
    return "met" if row.target.met(row.values) else "MISSED"


def _cells(row: Row) -> list[str]:
    if row.values:
        figures = [number(each) for each in (median(row.values), min(row.values), max(row.values))]
    else:
        figures = ["–", "", ""]
    count = str(len(row.values)) if row.values else ""
    said = [row.name, *figures, count, row.unit, target_text(row.target), verdict(row), row.note]
    return [each.replace("|", "\\|") for each in said]


HEAD = ("", "median", "min", "max", "n", "unit", "target", "", "")


def markdown(about: dict[str, Any], measured: Measured) -> str:
    """The whole table, axis by axis, with what it was measured on."""
    lines = ["# Measured", ""]
    lines += [f"- {name}: {_told(value)}" for name, value in about.items()]
    for axis, result in measured:
        lines += ["", f"## {axis.name}: {axis.title}", ""]
        lines += [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
        lines += [f"| {' | '.join(_cells(row))} |" for row in result.rows]
        lines += [""] if result.notes else []
        lines += [f"- {note}" for note in result.notes]
    lines += ["", *_missed(measured)]
    return "\n".join(lines) + "\n"


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return str(value)


def _missed(measured: Measured) -> list[str]:
    short = [
        f"- MISSED {axis.name}: {row.name}, {target_text(row.target)} {row.unit}"
        for axis, result in measured
        for row in result.rows
        if verdict(row) in {"MISSED", "NOT MEASURED"}
    ]
    return short or ["Every target that was measured is met."]


def document(about: dict[str, Any], measured: Measured) -> dict[str, Any]:
    """The same for programs, every single value kept."""
    return {
        "schema": SCHEMA,
        **about,
        "axes": [
            {
                "name": axis.name,
                "title": axis.title,
                "notes": list(result.notes),
                "rows": [_plain(row) for row in result.rows],
            }
            for axis, result in measured
        ],
    }


def _plain(row: Row) -> dict[str, Any]:
    target = None if row.target is None else row.target._asdict()
    met = None if row.target is None or not row.values else row.target.met(row.values)
    return {
        "name": row.name,
        "unit": row.unit,
        "median": median(row.values) if row.values else None,
        "values": list(row.values),
        "target": target,
        "met": met,
        "note": row.note,
    }
