"""What a log stream has asked for and waits for; values only."""

from __future__ import annotations

from pumpctl.named import NamedTuple


class Ask(NamedTuple):
    """A request that is not answered yet."""

    first: int
    until: int
    size: int
    """Bytes that its answer is expected to have."""
    data: bytes
    first_sent: int
    """Its place among all sendings of requests, and that of its latest one."""
    last_sent: int
    place: int
    """So many requests for the log went before it, and so many bytes of their answers."""
    begins: int


class Again(NamedTuple):
    """Pieces that were asked for again, due before the answer after `mark` begins."""

    mark: int
    pieces: int
