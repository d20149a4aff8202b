"""`link decode`: every frame of a capture, explained; no pump is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report

if TYPE_CHECKING:
    from pumpctl.workflows.line.told import FrameTold, Item, PartTold, Record, Totals, Unfinished


def decode(
    file: Annotated[Path, typer.Argument(help="A capture, NDJSON or hex.")],
    brief: Annotated[bool, typer.Option("--brief", help="One line a frame, no fields.")] = False,
) -> Report:
    """Explain every frame of a capture: what it is, what is wrong with it, what it says.

    What was said can be told only of a pump in bench mode, whose captures hold the keys
    of their sessions; the keys themselves are never shown. No pump is asked.

    Example: pumpctl link decode visit.capture
    """
    from pumpctl.cli.line.decode_text import lines
    from pumpctl.workflows.line.decoding import explained
    from pumpctl.workflows.line.parts import read_parts

    context.without_pump()
    parts = explained(read_parts(file))
    return Report(
        "link.decode",
        {"file": str(file), "parts": [_part(part) for part in parts]},
        lambda: lines(parts, fields=not brief),
        warnings=context.warnings(),
    )


def _part(part: PartTold) -> dict[str, Any]:
    return {
        "number": part.number,
        "tool": part.tool,
        "port": part.port,
        "purpose": part.purpose,
        "began": part.began or None,
        "keys_of": [f"{session:04x}" for session in part.sessions],
        "items": [_item(item) for item in part.items],
        "items_left_out": part.left_out,
        "unfinished": [_unfinished(one) for one in part.unfinished],
        "totals": totals_json(part.totals),
    }


def totals_json(totals: Totals) -> dict[str, Any]:
    """The totals of a part; `trips` as least, median and most."""
    told = totals._asdict()
    trips = told.pop("trips_us")
    return {
        **told,
        "round_trips": len(trips),
        "min_us": trips[0] if trips else None,
        "median_us": trips[(len(trips) - 1) // 2] if trips else None,
        "max_us": trips[-1] if trips else None,
    }


def _item(item: Item) -> dict[str, Any]:
    from pumpctl.workflows.line.told import FrameTold, JunkTold

    match item:
        case FrameTold():
            return _frame(item)
        case JunkTold():
            return {
                "at_us": item.at,
                "way": item.way,
                "what": "junk",
                "bytes": item.size,
                "why": item.why,
                "explained": item.explained or None,
            }
        case _:
            return {"at_us": item.at, "what": item.kind, "text": item.text}


def _frame(told: FrameTold) -> dict[str, Any]:
    from pumpctl.cli.line.decode_text import greeting_fields

    frame = told.frame
    return {
        "at_us": told.at,
        "way": told.way,
        "what": "frame",
        "kind": frame.kind.name,
        "bytes": told.size,
        "check": "mended" if told.mended else "right",
        "flipped_bits": told.mended,
        "session": f"{frame.session:04x}",
        "counter": frame.counter,
        "piece": frame.piece,
        "last": frame.last,
        "payload_bytes": len(frame.payload),
        "again": told.again,
        "greeting": None if told.greeting is None else greeting_fields(told.greeting),
        "record": None if told.record is None else _record(told.record),
        "why": told.why or None,
    }


def _record(record: Record) -> dict[str, Any]:
    from pumpctl.workflows.line import wording

    message = record.message
    return {
        "state": record.state,
        "counter": record.counter,
        "pieces": record.pieces,
        "bytes": record.size,
        "message": None if message is None else wording.name_of(message),
        "fields": None if message is None else wording.fields(message),
        "to": record.to,
        "round_trip_us": record.trip_us,
        "why": record.why or None,
    }


def _unfinished(one: Unfinished) -> dict[str, Any]:
    return {
        "way": one.way,
        "session": f"{one.session:04x}",
        "counter": one.counter,
        "pieces": one.held,
        "missing": None if one.missing is None else list(one.missing),
    }
