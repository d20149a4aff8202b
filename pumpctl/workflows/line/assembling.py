"""The records of a capture, put together from its frames; opened where there are keys.

It follows what it sees and answers nothing. What is not whole stays bounded: the record
that was touched least recently is forgotten first, and told as unfinished.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from google_crc32c import value as crc32c

from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import Frame
from pumpctl.wire.listening import Listener, SessionKeys
from pumpctl.wire.message import decode
from pumpctl.wire.messages import Repeat
from pumpctl.wire.records import Arrived
from pumpctl.workflows.line.told import Record, Unfinished

_MOST_HELD = 512
"""Records of which something is remembered, whole ones too: for what comes again."""
_MOST_UNFINISHED = 1000
_MOST_ASKED = 64
_TO = 8
"""Bytes in front of an answer: the counter of its request (section 6 of the protocol)."""
_Key = tuple[str, int, int]


class _Held:
    """What was seen of one record."""

    __slots__ = ("last", "pieces", "size", "whole")

    def __init__(self) -> None:
        self.pieces: dict[int, int] = {}
        """A checksum of each, so that another content under the same name is noticed."""
        self.last: int | None = None
        self.size = 0
        self.whole = False


class Records:
    """Takes the frames of a part in order."""

    def __init__(self, keys: Mapping[int, SessionKeys]) -> None:
        self._listeners = {session: Listener(its) for session, its in keys.items()}
        self._held: OrderedDict[_Key, _Held] = OrderedDict()
        self._forgotten: list[Unfinished] = []
        self._asked: OrderedDict[tuple[int, int], int] = OrderedDict()
        self._greetings: set[tuple[str, Frame]] = set()
        self.whole = {"out": 0, "in": 0}
        self.opened = 0
        self.trips: list[int] = []

    def seen(self, way: str, frame: Frame) -> bool:
        """Was this greeting or handshake here before?"""
        again = (way, frame) in self._greetings
        if len(self._greetings) < _MOST_HELD:
            self._greetings.add((way, frame))
        return again

    def take(self, at: int, way: str, frame: Frame) -> tuple[Record, bool]:
        """What a frame does for its record, and whether it is there for a second time."""
        key = (way, frame.session, frame.counter)
        held = self._held.pop(key, None) or _Held()
        mark = crc32c(frame.payload)
        again = held.pieces.get(frame.piece) == mark
        if frame.piece in held.pieces and not again:
            held = _Held()  # the counter has gone round, or somebody says something else under it
        if not again:
            held.pieces[frame.piece] = mark
            held.size += len(frame.payload)
        if frame.last:
            held.last = frame.piece
        self._held[key] = held
        while len(self._held) > _MOST_HELD:
            self._forget(*self._held.popitem(last=False))
        complete = held.last is not None and len(held.pieces) > held.last
        first = complete and not held.whole
        held.whole = complete
        record = self._record(at, way, frame, held, first=first)
        return record, again

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Every record that did not become whole."""
        for key, held in self._held.items():
            self._forget(key, held)
        self._held.clear()
        return tuple(self._forgotten)

    def _forget(self, key: _Key, held: _Held) -> None:
        if held.whole or len(self._forgotten) >= _MOST_UNFINISHED:
            return
        missing = None
        if held.last is not None:
            missing = tuple(piece for piece in range(held.last) if piece not in held.pieces)
        self._forgotten.append(Unfinished(*key, len(held.pieces), missing))

    def _record(self, at: int, way: str, frame: Frame, held: _Held, *, first: bool) -> Record:
        self.whole[way] += first
        listener = self._listeners.get(frame.session)
        told = Record("unfinished", frame.counter, len(held.pieces), held.size)
        if listener is None:
            if not held.whole:
                return told
            trip = self._sealed_trip(at, way, frame) if first else None
            return told._replace(state="whole" if first else "repeated", trip_us=trip)
        try:
            taken = listener.take(frame, from_station=way == "out")
        except WireError as error:
            return told._replace(state="not authentic", why=str(error))
        if taken is None:
            return told
        if not isinstance(taken, Arrived):
            return told._replace(state="repeated", counter=taken.counter)
        self.opened += 1
        told = told._replace(state="whole", counter=taken.counter)
        return self._opened(at, way, frame.session, told, taken.plain)

    def _opened(self, at: int, way: str, session: int, told: Record, plain: bytes) -> Record:
        """A record that its keys opened: what it says, and what it answers."""
        try:
            if way == "out":
                message = decode(plain, from_station=True)
                if not isinstance(message, Repeat):  # answered by fragments, by no record
                    self._ask(session, told.counter, at)
                return told._replace(message=message)
            to = int.from_bytes(plain[:_TO], "big")
            trip = self._answered(session, to, at)
            told = told._replace(to=to, trip_us=trip)
            return told._replace(message=decode(plain[_TO:], from_station=False))
        except WireError as error:
            return told._replace(why=str(error))

    def _ask(self, session: int, counter: int, at: int) -> None:
        self._asked[session, counter] = at
        while len(self._asked) > _MOST_ASKED:
            self._asked.popitem(last=False)

    def _answered(self, session: int, to: int, at: int) -> int | None:
        asked = self._asked.pop((session, to), None)
        if asked is None or at < asked:
            return None
        self.trips.append(at - asked)
        return at - asked

    def _sealed_trip(self, at: int, way: str, frame: Frame) -> int | None:
        """Without keys only what stands alone: one request, and the next record that comes."""
        if way == "out":
            self._ask(frame.session, frame.counter, at)
            return None
        open_ones = [key for key in self._asked if key[0] == frame.session]
        if len(open_ones) == 1:
            return self._answered(*open_ones[0], at)
        for key in open_ones:
            del self._asked[key]
        return None
