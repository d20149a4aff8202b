"""An answer of the log as a slice: what of a range the pump holds, and what is still to be asked.

It knows one answer and what it was asked for; nothing of lines, times or order.
"""

from __future__ import annotations

from pumpctl.errors import Corrupt
from pumpctl.named import NamedTuple
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding
from pumpctl.wire.fields import WireError
from pumpctl.wire.logbatch import unpack_batch


class Slice(NamedTuple):
    """What the pump holds of the numbers from `first` to before `until`."""

    first: int
    until: int
    entries: tuple[bytes, ...]
    """80 bytes each; a number that is missing among them is missing in the pump."""


def slice_of(first: int, until: int, encoding: Encoding, told: m.LogReport) -> Slice:
    """The answer to "from `first` to before `until`"; it may end before.

    A pump that misses some numbers fills up with entries from beyond, which are asked
    for elsewhere; one that has overwritten the oldest begins later. Raises Corrupt where
    an answer is none to this question.
    """
    try:
        entries = unpack_batch(told.encoding, told.batch, told.entries)
    except WireError as error:
        raise Corrupt(f"the pump's log cannot be read: {error}") from error
    if told.encoding is not encoding or len(entries) > until - first:
        raise Corrupt("the pump answered more, or in another form, than was asked for")
    if not entries:
        return Slice(first, until, ())
    lowest, highest = _number(entries[0]), _number(entries[-1])
    if not first <= lowest <= highest:
        raise Corrupt("the pump answered with other entries than were asked for")
    if highest >= until:
        return Slice(first, until, tuple(each for each in entries if _number(each) < until))
    return Slice(first, until if highest + 1 >= told.next else highest + 1, entries)


def _number(entry: bytes) -> int:
    return int.from_bytes(entry[:8], "big")
