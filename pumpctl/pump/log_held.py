"""The part of a pump's log that a session has fetched: an entry does not change.

A pump writes an entry once and overwrites it only with a newer number; what else could
change them, a start, ends the session. So within one nothing is fetched twice.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple


class LogBatch(NamedTuple):
    """Entries of the log as they lie in the pump, 80 bytes each."""

    first: int
    entries: tuple[bytes, ...]
    held_from: int
    next: int


class HeldLog:
    """Entries by their number, as they came."""

    def __init__(self) -> None:
        self._entries: dict[int, bytes] = {}
        self._held_from = self._next = 0

    def keep(self, batch: LogBatch) -> LogBatch:
        """Put this to the others, as far as each entry stands at its own number.

        In place of one that the pump has lost stands the one after it.
        """
        for number, entry in enumerate(batch.entries, batch.first):
            if int.from_bytes(entry[:8], "big") != number:
                break
            self._entries[number] = entry
        self._held_from, self._next = batch.held_from, batch.next
        return batch

    def batch(self, first: int, most: int) -> LogBatch | None:
        """What is held from `first` on without a hole, as if the pump had sent no more."""
        found = list[bytes]()
        while len(found) < most and (entry := self._entries.get(first + len(found))) is not None:
            found.append(entry)
        return LogBatch(first, tuple(found), self._held_from, self._next) if found else None
