"""Every frame of a capture, explained: reads only, and any bytes are safe.

Without a session's keys it tells what the frames say of themselves; with them, which a
capture of a pump in bench mode holds, also what was said. Time and memory are bounded:
so many things are told one by one, so many broken frames are looked into.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from pumpctl.transport.capture_text import Ended, Head, Passed, Revealed, Trouble, Unread
from pumpctl.wire import flips
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_STUFFED, Frame, decode_frame
from pumpctl.wire.greeting import decode_pump_greeting, decode_station_greeting
from pumpctl.wire.session import payload_of
from pumpctl.workflows.line.assembling import Records
from pumpctl.workflows.line.parts import Part
from pumpctl.workflows.line.told import FrameTold, Item, JunkTold, NoteTold, PartTold, Totals

MOST_ITEMS = 200_000
"""Told one by one of a file; what comes after is counted."""
_MOST_MENDED = 20_000
"""Frames of a file that are tried to be put right: half a millisecond each."""
_MOST_SEARCHED = 200
"""Broken frames of a file of which every bit is tried: some milliseconds each."""
_MOST_KEPT = 2 * MOST_STUFFED + 1
"""Bytes between two delimiters that are looked at: two frames that were joined, no more."""


class _Effort:
    """How much is still told, and looked into, of a file."""

    def __init__(self) -> None:
        self.items, self.mend, self.search = MOST_ITEMS, _MOST_MENDED, _MOST_SEARCHED

    def take(self, what: str) -> bool:
        """Is there some left of it?"""
        left: int = getattr(self, what)
        setattr(self, what, left - 1)
        return left > 0


def explained(parts: Iterable[Part]) -> tuple[PartTold, ...]:
    """Parts of one capture, explained."""
    effort = _Effort()
    return tuple(_Explaining(part, effort).told() for part in parts)


class _Way:
    """One direction: bytes in, what stands between two delimiters out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._size = 0
        self.before: bytes | None = None
        """The piece before, where it was no frame."""

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Pieces and how long they are; of an endless one only the beginning."""
        start = 0
        while (end := data.find(0, start)) >= 0:
            self._keep(data[start:end])
            start = end + 1
            if self._size:
                yield bytes(self._buffer), self._size
            self._buffer.clear()
            self._size = 0
        self._keep(data[start:])

    @property
    def rest(self) -> int:
        """Bytes without an end."""
        return self._size

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        self._buffer += data[: max(0, _MOST_KEPT + 1 - len(self._buffer))]


class _Explaining:
    """One part on the way to being told."""

    def __init__(self, part: Part, effort: _Effort) -> None:
        self._part, self._effort = part, effort
        self._ways = {"out": _Way(), "in": _Way()}
        self._records = Records(part.keys)
        self._items: list[Item] = []
        self._left_out = 0
        self._bytes = {"out": 0, "in": 0}
        self._frames = {"out": 0, "in": 0}
        self._broken = {"out": 0, "in": 0}
        self._mended = self._again = 0

    def told(self) -> PartTold:
        """Everything, in order."""
        for event in self._part.events:
            match event:
                case Passed():
                    self._bytes[event.way] += len(event.data)
                    for piece, size in self._ways[event.way].feed(event.data):
                        self._piece(event.at, event.way, piece, size)
                case Trouble():
                    self._note(event.at, "trouble", event.why)
                case Revealed():
                    told = f"keys of session {event.session:04x}, withheld here"
                    self._note(event.at, "keys", told)
                case Ended():
                    self._note(event.at, "end", "the line was closed")
                case Unread():
                    self._note(None, "unread", f"line {event.line} of the file: {event.why}")
                case Head():
                    raise ValueError("a part has one head")
        for name, way in self._ways.items():
            if way.rest:
                self._put(JunkTold(self._last_at(), name, way.rest, "no delimiter ends it", ""))
        head = self._part.head
        return PartTold(
            self._part.number,
            head.tool,
            head.port,
            head.purpose,
            head.began,
            tuple(sorted(self._part.keys)),
            tuple(self._items),
            self._left_out,
            self._records.unfinished(),
            self._totals(),
        )

    def _totals(self) -> Totals:
        records = self._records
        return Totals(
            self._bytes["out"],
            self._bytes["in"],
            self._frames["out"],
            self._frames["in"],
            self._broken["out"],
            self._broken["in"],
            self._mended,
            self._again,
            records.whole["out"],
            records.whole["in"],
            records.opened,
            tuple(sorted(records.trips)),
        )

    def _last_at(self) -> int:
        times = (event.at for event in reversed(self._part.events) if isinstance(event, Passed))
        return next(times, 0)

    def _note(self, at: int | None, kind: str, text: str) -> None:
        self._put(NoteTold(at, kind, text))

    def _put(self, item: Item) -> None:
        if self._effort.take("items"):
            self._items.append(item)
        else:
            self._left_out += 1

    # --- frames ---------------------------------------------------------------------------

    def _piece(self, at: int, way: str, piece: bytes, size: int) -> None:
        before, self._ways[way].before = self._ways[way].before, None
        try:
            frame, mended = decode_frame(piece), 0
        except WireError as error:
            whole = self._put_right(way, piece)
            if whole is None:
                self._broken[way] += 1
                self._ways[way].before = piece
                why = self._searched(piece, before)
                self._put(JunkTold(at, way, size, str(error), why))
                return
            frame, mended = whole
            self._mended += 1
        self._frames[way] += 1
        self._put(self._frame(at, way, size + 1, frame, mended))

    def _put_right(self, way: str, piece: bytes) -> tuple[Frame, int] | None:
        """As a station mends what comes: fragments of records only. A pump mends nothing."""
        if way == "out" or not self._effort.take("mend"):
            return None
        with suppress(WireError):
            return decode_frame(piece, mend=True), flips.flips_in_body(piece) or 1
        return None

    def _searched(self, piece: bytes, before: bytes | None) -> str:
        """What may have happened to it, as long as that is looked for."""
        if self._effort.take("mend"):
            bits = flips.flips_in_body(piece)
            if bits is not None:
                return "one flipped bit" if bits == 1 else "two flipped bits"
        if not self._effort.take("search"):
            return ""
        split = None if before is None else flips.flip_that_split(before, piece)
        return split or flips.flip_in_stuffing(piece) or ""

    def _frame(self, at: int, way: str, size: int, frame: Frame, mended: int) -> FrameTold:
        if frame.kind is FrameKind.RECORD:
            record, again = self._records.take(at, way, frame)
            self._again += again
            return FrameTold(at, way, size, frame, again, mended, None, record, "")
        again = self._records.seen(way, frame)
        self._again += again
        greeting, why = None, ""
        try:
            payload = payload_of(frame)
            if frame.kind is FrameKind.GREETING:
                greeting = _greeting(way, payload)
        except WireError as error:
            why = str(error)
        return FrameTold(at, way, size, frame, again, mended, greeting, None, why)


def _greeting(way: str, payload: bytes) -> Any:
    if way == "out":
        return decode_station_greeting(payload)
    return decode_pump_greeting(payload)
