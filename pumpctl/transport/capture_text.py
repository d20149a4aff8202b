"""What a capture holds, and its two forms on paper: NDJSON, and hex for people.

Pure text and values; which file it goes to is known to `capture`. A file may hold
several parts, one for each line that was opened: a head, what passed, an end. Times
are whole microseconds since the part began. What bytes mean is not known here.

    {"capture": 1, "tool": "pumpctl 0.1.0", "port": "/dev/ttyUSB0", …, "unit": "us"}
    {"at": 1204, "way": "out", "hex": "00…"}

         0.001204 > 0000: 00b1 0745 …                              ...E
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

from pumpctl.named import NamedTuple

VERSION = 1
MOST_AT = 1 << 53
"""µs, some 285 years: what every reader of JSON keeps exactly."""
MOST_DATA = 1 << 15
"""Bytes in one event; more are several, so that an offset has four digits."""
_PER_LINE = 16


class Form(Enum):
    """How a capture is written."""

    NDJSON = "ndjson"
    HEX = "hex"


class Head(NamedTuple):
    """What was opened, by what, for what, when; nothing of whoever asked."""

    port: str
    purpose: str
    began: str
    """By the station's clock, ISO 8601; empty where nobody said."""
    tool: str


class Passed(NamedTuple):
    """Bytes that passed together: out to the pump, or in from it."""

    at: int
    way: str
    data: bytes


class Trouble(NamedTuple):
    """The line broke, or somebody hung up."""

    at: int
    why: str


class Revealed(NamedTuple):
    """The keys of a session with a pump in bench mode. A real one's are never in a file."""

    at: int
    session: int
    to_pump: bytes
    from_pump: bytes


class Ended(NamedTuple):
    """The line was closed in order."""

    at: int


class Unread(NamedTuple):
    """A line of the file that is nothing of all this, and why; torn by a full disk, say."""

    line: int
    why: str


Event = Head | Passed | Trouble | Revealed | Ended | Unread
_BENCH = "keys of a session with a pump in bench mode, by its own word inside the session"


# --- written -----------------------------------------------------------------------------


def written(event: Event, form: Form) -> str:
    """An event as whole lines."""
    if isinstance(event, Head):
        mark = "# " if form is Form.HEX else ""
        return f"{mark}{_json(event)}\n"
    return f"{_json(event)}\n" if form is Form.NDJSON else _hex(event)


def _json(event: Event) -> str:
    match event:
        case Head():
            return json.dumps({"capture": VERSION, "unit": "us", **event._asdict()})
        case Passed():
            return json.dumps({"at": event.at, "way": event.way, "hex": event.data.hex()})
        case Trouble():
            return json.dumps({"at": event.at, "trouble": event.why})
        case Revealed():
            keys = {"to_pump": event.to_pump.hex(), "from_pump": event.from_pump.hex()}
            return json.dumps(
                {"at": event.at, "keys": f"{event.session:04x}", **keys, "why": _BENCH}
            )
        case Ended():
            return json.dumps({"at": event.at, "end": "closed"})
        case Unread():
            raise ValueError("what cannot be read is not written")


def _hex(event: Event) -> str:
    match event:
        case Passed():
            return "".join(_dump(event))
        case Trouble():
            text = event.why.encode("ascii", "replace").decode().replace("\n", " ")
            return f"{_seconds(event.at)} ! {text}\n"
        case Revealed():
            keys = f"{event.session:04x} {event.to_pump.hex()} {event.from_pump.hex()}"
            return f"# {_BENCH}\n{_seconds(event.at)} = {keys}\n"
        case Ended():
            return f"{_seconds(event.at)} .\n"
        case _:
            raise ValueError("a head, or what cannot be read")


def _dump(passed: Passed) -> Iterator[str]:
    mark = ">" if passed.way == "out" else "<"
    for at in range(0, len(passed.data), _PER_LINE):
        piece = passed.data[at : at + _PER_LINE]
        pairs = " ".join(piece[place : place + 2].hex() for place in range(0, len(piece), 2))
        text = "".join(chr(byte) if 0x20 <= byte <= 0x7E else "." for byte in piece)
        yield f"{_seconds(passed.at)} {mark} {at:04x}: {pairs:39}  {text}\n"


def _seconds(at: int) -> str:
    return f"{at // 1_000_000:6}.{at % 1_000_000:06}"


# --- read --------------------------------------------------------------------------------


def read(text: str) -> Iterator[Event]:
    """Every event of a capture, of either form; what cannot be read is told as such."""
    waiting: Passed | None = None
    for number, line in enumerate(text.split("\n"), 1):
        event, offset = _event(number, line)
        more = _more(waiting, event, offset)
        if more is not None:
            waiting = more
            continue
        if offset:
            event = Unread(number, "bytes that do not go on where the line before ended")
        if waiting is not None:
            yield waiting
        waiting = event if isinstance(event, Passed) else None
        if waiting is None and event is not None:
            yield event
    if waiting is not None:
        yield waiting


def _more(waiting: Passed | None, event: Event | None, offset: int) -> Passed | None:
    """What waits with these bytes behind it, where they are the next ones of it."""
    if not offset or waiting is None or not isinstance(event, Passed):
        return None
    if (event.at, event.way, offset) != (waiting.at, waiting.way, len(waiting.data)):
        return None
    return waiting._replace(data=waiting.data + event.data)


def _event(number: int, line: str) -> tuple[Event | None, int]:
    """One line: its event, and for hex its offset where that is not 0."""
    stripped = line.strip()
    if stripped.startswith("# {"):
        stripped = stripped[2:]
    if not stripped or stripped.startswith("#"):
        return None, 0
    if stripped.startswith("{"):
        return _from_json(number, stripped), 0
    return _from_hex(number, stripped)


def _from_json(number: int, line: str) -> Event:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return Unread(number, "torn: this is not a whole line")
    return _told(told) or Unread(number, "nothing that a capture of this version holds")


def _told(told: Any) -> Event | None:
    if not isinstance(told, dict):
        return None
    if told.get("capture") == VERSION:
        words = [told.get(name) for name in Head._fields]
        return Head(*map(str, words)) if all(isinstance(word, str) for word in words) else None
    at = told.get("at")
    if type(at) is not int or not 0 <= at < MOST_AT:
        return None
    match told:
        case {"way": "out" | "in" as way, "hex": str(text)}:
            data = _bytes(text)
            return Passed(at, way, data) if data else None
        case {"trouble": str(why)}:
            return Trouble(at, why)
        case {"keys": str(session), "to_pump": str(to_pump), "from_pump": str(from_pump)}:
            return _revealed(at, session, to_pump, from_pump)
        case {"end": "closed"}:
            return Ended(at)
        case _:
            return None


_LINE = re.compile(r"([0-9]{1,10})\.([0-9]{6}) ([<>!=.])(?: (.*))?")
_BYTES = re.compile(r"([0-9a-f]{4}): ((?:[0-9a-f]{4} )*[0-9a-f]{2}(?:[0-9a-f]{2})?)(?:  .*)?")


def _from_hex(number: int, line: str) -> tuple[Event | None, int]:
    found = _LINE.fullmatch(line)
    if found is None:
        return Unread(number, "neither NDJSON nor hex"), 0
    seconds, micro, mark, rest = found.groups()
    at, rest = int(seconds) * 1_000_000 + int(micro), rest or ""
    if mark == "!":
        return Trouble(at, rest), 0
    if mark == ".":
        return Ended(at), 0
    if mark == "=":
        words = rest.split(" ")
        told = _revealed(at, *words) if len(words) == 3 else None
        return told or Unread(number, "no keys of a session"), 0
    parts = _BYTES.fullmatch(rest)
    data = _bytes(parts[2].replace(" ", "")) if parts else b""
    if parts is None or not data or len(data) > _PER_LINE:
        return Unread(number, "torn: these are not whole bytes"), 0
    return Passed(at, "out" if mark == ">" else "in", data), int(parts[1], 16)


def _revealed(at: int, session: str, to_pump: str, from_pump: str) -> Revealed | None:
    raw = [_bytes(text) for text in (session, to_pump, from_pump)]
    if [len(part) for part in raw] != [2, 32, 32]:
        return None
    return Revealed(at, int.from_bytes(raw[0], "big"), raw[1], raw[2])


def _bytes(text: str) -> bytes:
    """What these digits say; nothing where they are none."""
    try:
        return bytes.fromhex(text) if text.isalnum() else b""
    except ValueError:
        return b""
