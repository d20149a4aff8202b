"""An explained capture for people: one line a thing that passed, its fields below it.

What a capture says of itself came from somebody else: letters that would steer a
terminal are not passed on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from rich.text import Text

from pumpctl.cli.folding import wrap
from pumpctl.cli.screens import console
from pumpctl.workflows.line import wording
from pumpctl.workflows.line.told import (
    FrameTold,
    Item,
    JunkTold,
    NoteTold,
    PartTold,
    Record,
    Totals,
)

_WIDTH = 80
_INDENT = " " * 15
_WAYS = {"out": "→", "in": "←"}
_PLAIN_WAYS = {"out": ">", "in": "<"}
_MOST_FIELDS = 12
"""Lines of fields of one message; --json has them all."""


def lines(parts: Iterable[PartTold], *, fields: bool) -> None:
    """Print all of it."""
    out = console(sys.stdout)
    ways = _ways()
    for part in parts:
        for text in _head(part):
            out.print(text, soft_wrap=True)
        for item in part.items:
            for text in _item(item, ways, fields=fields):
                out.print(text, soft_wrap=True)
        for text in _foot(part):
            out.print(text, soft_wrap=True)


def _ways() -> dict[str, str]:
    try:
        "→←".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return _PLAIN_WAYS
    return _WAYS


def safe(text: str) -> str:
    """Text of somebody else, without what a terminal would obey."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _head(part: PartTold) -> Iterator[Text]:
    port = f" · {part.port}" if part.port else ""
    yield Text(safe(f"Part {part.number}{port} · {part.purpose}"), style="bold")
    began = f", began {part.began}" if part.began else ""
    yield Text(safe(f"  by {part.tool}{began}"))
    if part.sessions:
        named = ", ".join(f"{session:04x}" for session in part.sessions)
        yield Text(f"  keys of session {named}: a pump in bench mode, so its words are told")
    elif any(isinstance(item, FrameTold) and item.record is not None for item in part.items):
        yield Text("  no keys: what was said stays sealed")
    yield Text()


def _item(item: Item, ways: dict[str, str], *, fields: bool) -> Iterator[Text]:
    match item:
        case NoteTold():
            at = " " * 12 if item.at is None else _seconds(item.at)
            style = {"trouble": "bold red", "unread": "yellow"}.get(item.kind, "dim")
            yield Text(f"{at}   {safe(item.text)}", style=style)
        case JunkTold():
            why = f"{item.why}" + (f": {item.explained}" if item.explained else "")
            yield from _line(
                f"{_seconds(item.at)} {ways[item.way]} JUNK  {item.size} bytes, {why}", "red"
            )
        case FrameTold():
            yield from _frame(item, ways, fields=fields)


def _line(text: str, style: str = "") -> Iterator[Text]:
    for piece in wrap(text, _WIDTH, subsequent_indent=_INDENT):
        yield Text(piece, style=style)


def _frame(told: FrameTold, ways: dict[str, str], *, fields: bool) -> Iterator[Text]:
    frame = told.frame
    words = [f"{_seconds(told.at)} {ways[told.way]} {frame.kind.name}"]
    if told.record is not None:
        words[0] += f" {frame.session:04x} #{frame.counter}"
        if frame.piece or not frame.last:
            words[0] += f" piece {frame.piece}" + (", the last" if frame.last else "")
    words.append(f"{told.size} B")
    if told.mended:
        bits = "one flipped bit" if told.mended == 1 else "two flipped bits"
        words.append(f"{bits}, put right")
    if told.again:
        words.append("again")
    style = ""
    if told.record is not None:
        words += _record_words(told.record)
        style = "bold red" if told.record.state == "not authentic" else style
    if told.greeting is not None:
        words.append(_greeting_words(told.greeting))
    elif told.record is None and not told.why:
        words.append("one key and its tag; what is in it stays sealed")
    if told.why:
        words.append(told.why)
        style = "red"
    style = "yellow" if not style and (told.mended or told.again) else style
    yield from _line("  ".join(words), style)
    if fields:
        yield from _fields(told)


def _record_words(record: Record) -> Iterator[str]:
    if record.message is not None:
        yield wording.name_of(record.message)
        if record.to is not None:
            yield f"to #{record.to}"
    elif record.state == "whole" and record.pieces > 1:
        yield f"whole, {record.pieces} pieces"
    else:
        yield record.state
    if record.trip_us is not None:
        yield f"after {_ms(record.trip_us)} ms"
    if record.why:
        yield record.why


def _greeting_words(greeting: Any) -> str:
    if hasattr(greeting, "purpose"):
        return f"{greeting.purpose.name}, key {greeting.key.hex()}"
    bench = ", bench mode" if greeting.bench else ""
    known = "knows the key" if greeting.known else "does not know the key"
    return f"pump {greeting.serial}, {greeting.model}{bench}, {known}"


def greeting_fields(greeting: Any) -> dict[str, Any]:
    """A greeting's fields by name."""
    return wording.fields(greeting)


def _fields(told: FrameTold) -> Iterator[Text]:
    """The fields of what was said, folded; a message without any has no line."""
    shown: dict[str, Any] = {}
    if told.greeting is not None:
        shown = greeting_fields(told.greeting)
    elif told.record is not None and told.record.message is not None:
        shown = wording.fields(told.record.message)
    if not shown:
        return
    text = " · ".join(f"{name} {_plain(value)}" for name, value in shown.items())
    folded = wrap(safe(text), _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
    for line in folded[:_MOST_FIELDS]:
        yield Text(line[:_WIDTH], style="dim")
    if len(folded) > _MOST_FIELDS:
        yield Text(f"{_INDENT}… {len(folded) - _MOST_FIELDS} lines more: --json", style="dim")


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_plain(its)}" for name, its in value.items()) + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return str(value)


def _foot(part: PartTold) -> Iterator[Text]:
    yield Text()
    if part.left_out:
        yield Text(f"  {part.left_out} things more passed: they are counted here, not told")
    for one in part.unfinished[:_MOST_FIELDS]:
        missing = "its end" if one.missing is None else f"pieces {', '.join(map(str, one.missing))}"
        what = f"record {one.session:04x} #{one.counter} {_ENDS[one.way]} never came whole"
        yield from _line(f"  {what}: {missing} missing", "yellow")
    if len(part.unfinished) > _MOST_FIELDS:
        yield Text(f"  and {len(part.unfinished) - _MOST_FIELDS} more")
    for text in totals_lines(part.totals):
        yield Text(f"  {text}")
    yield Text()


_ENDS = {"out": "to the pump", "in": "from the pump"}


def totals_lines(totals: Totals) -> Iterator[str]:
    """The figures of a part."""
    yield f"to the pump    {_way(totals.bytes_out, totals.frames_out, totals.broken_out)}"
    yield f"from the pump  {_way(totals.bytes_in, totals.frames_in, totals.broken_in)}"
    mended = f", {totals.mended} put right" if totals.mended else ""
    again = f", {totals.again} frames sent again" if totals.again else ""
    yield f"records        {totals.records_out} and {totals.records_in}{again}{mended}"
    trips = totals.trips_us
    if trips:
        middle = _ms(trips[(len(trips) - 1) // 2])
        yield (
            f"round trips    {len(trips)}: min {_ms(trips[0])} ms, median {middle} ms, "
            f"max {_ms(trips[-1])} ms"
        )


def _way(size: int, frames: int, broken: int) -> str:
    return f"{size} bytes, {frames} frames" + (f", {broken} BROKEN" if broken else "")


def _seconds(at: int) -> str:
    return f"{at // 1_000_000:5}.{at % 1_000_000:06}"


def _ms(micro: int) -> str:
    return f"{micro // 1000}.{micro % 1000:03d}"
