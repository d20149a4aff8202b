"""What decoding a capture comes to: values, one for each thing that passed."""

from __future__ import annotations

from typing import Any

from pumpctl.named import NamedTuple
from pumpctl.wire.frames import Frame


class Record(NamedTuple):
    """What a frame does for its record."""

    state: str
    """`whole`, `unfinished`, `repeated`, or `not authentic` where its seal does not fit."""
    counter: int
    pieces: int
    """Held so far."""
    size: int
    """Bytes of them, the seal's tag included."""
    message: Any = None
    """Opened, where the capture has the session's keys and the record is whole."""
    to: int | None = None
    """The counter of the request that an answer answers."""
    trip_us: int | None = None
    """From the first sending of that request to this answer."""
    why: str = ""
    """What is wrong with it."""


class FrameTold(NamedTuple):
    """A frame whose check is right, or was put right."""

    at: int
    way: str
    size: int
    """On the line, its delimiter included."""
    frame: Frame
    again: bool
    """The same frame as one before."""
    mended: int
    """Flipped bits that were put right; 0 for a whole frame."""
    greeting: Any
    """A greeting as it was said."""
    record: Record | None
    why: str
    """What is wrong with a greeting or a handshake."""


class JunkTold(NamedTuple):
    """Bytes that are no frame."""

    at: int
    way: str
    size: int
    why: str
    explained: str
    """What may have happened; empty where nobody can say, or nobody looked."""


class NoteTold(NamedTuple):
    """Something that is no bytes: trouble, keys, an end, a torn line."""

    at: int | None
    kind: str
    """`trouble`, `keys`, `end` or `unread`."""
    text: str


Item = FrameTold | JunkTold | NoteTold


class Unfinished(NamedTuple):
    """A record that never became whole."""

    way: str
    session: int
    counter: int
    held: int
    missing: tuple[int, ...] | None
    """Pieces; None where not even the last one is known."""


class Totals(NamedTuple):
    """Of one part."""

    bytes_out: int
    bytes_in: int
    frames_out: int
    frames_in: int
    broken_out: int
    """Pieces between two delimiters that are no frame."""
    broken_in: int
    mended: int
    again: int
    records_out: int
    """Whole ones, each once."""
    records_in: int
    opened: int
    """Of them, by the session's keys."""
    trips_us: tuple[int, ...]
    """Sorted."""


class PartTold(NamedTuple):
    """One part, explained."""

    number: int
    tool: str
    port: str
    purpose: str
    began: str
    sessions: tuple[int, ...]
    """Those whose keys the capture holds."""
    items: tuple[Item, ...]
    left_out: int
    """Things that passed and are not in `items`: there were too many. They are counted."""
    unfinished: tuple[Unfinished, ...]
    totals: Totals
