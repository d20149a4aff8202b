"""What a pull brought, before it is kept: each entry by its own check, the numbers for gaps.

Pure, and quick enough for a hundred thousand entries: none is made a value here,
since the 80 bytes are what is kept. What the entries say is read by who shows them.
"""

from __future__ import annotations

from collections.abc import Iterable

from pumpctl.named import NamedTuple
from pumpctl.station.records import StoredEntry
from pumpctl.wire.fields import WireError
from pumpctl.wire.logentry import number_of

NOT_HELD = "the pump does not hold it"
REPEATED = "the pump sent it again"


class Gap(NamedTuple):
    """Numbers that the pump no longer holds, that it repeats, or whose entries are damaged."""

    first: int
    last: int
    cause: str


def checked(asked: int, entries: Iterable[bytes]) -> tuple[list[StoredEntry], list[Gap], int]:
    """The whole entries, each by its own number; what is wrong; the number after the last.

    `asked` is the number of the first that is due. A damaged entry has no number that
    could be trusted: it shows as the gap that it leaves, or at the number that is due
    where it leaves none (TEL-04).
    """
    good: list[StoredEntry] = []
    gaps: list[Gap] = []
    expected, damaged = asked, ""
    for raw in entries:
        try:
            number = number_of(raw)
        except WireError as error:
            damaged = str(error)
            continue
        if number != expected or damaged:
            if number < expected:
                gaps.append(Gap(number, number, REPEATED))
                continue
            if number > expected:
                gaps.append(Gap(expected, number - 1, damaged or NOT_HELD))
            else:
                gaps.append(Gap(number, number, f"{damaged}, beside a whole one"))
            damaged = ""
        good.append(StoredEntry(number, raw))
        expected = number + 1
    if damaged:
        gaps.append(Gap(expected, expected, damaged))
        expected += 1
    return good, gaps, expected
