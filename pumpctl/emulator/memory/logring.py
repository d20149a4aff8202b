"""The event log: a ring of pages with fixed records, oldest overwritten first.

Each page begins with a header (its place in the order of writing, the number of
its first entry, a check); 51 records of 80 bytes follow. A record torn by a
power cut is skipped and its number given to the next, so that numbers stay
consecutive. What entries mean is not known here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from google_crc32c import value as crc32c

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE, Flash
from pumpctl.wire.logentry import SIZE

_HEADER = 16
PER_PAGE = (PAGE - _HEADER) // SIZE
_BLANK = b"\xff" * SIZE


def _header(sequence: int, first: int) -> bytes:
    body = sequence.to_bytes(4, "big") + first.to_bytes(8, "big")
    return body + int(crc32c(body)).to_bytes(4, "big")


def _whole(record: bytes) -> bool:
    return int(crc32c(record[:-4])) == int.from_bytes(record[-4:], "big")


def _number(record: bytes) -> int:
    return int.from_bytes(record[:8], "big")


class LogRing:
    """The log in flash. Opening it finds its end, torn records and all."""

    def __init__(
        self, flash: Flash, start: int = image.LOG_START, pages: int = image.LOG_PAGES
    ) -> None:
        self._flash = flash
        self._start = start
        self._pages = pages
        self._order: list[tuple[int, int]] = []
        """(number of first entry, page) of every valid page, oldest first."""
        self._sequence = 0
        self._head = pages - 1  # so that the first page opened is page 0
        self._slot = PER_PAGE
        self.next = 1
        self._open()

    @property
    def first(self) -> int:
        """Number of the oldest entry that is held (equal to `next` where there is none)."""
        return self._order[0][0] if self._order else self.next

    def append(self, record: bytes) -> None:
        """Write one entry, which must carry the number `next`, and flush."""
        if _number(record) != self.next:
            raise ValueError(f"entry {_number(record)} where {self.next} comes next")
        while self._slot < PER_PAGE and self._flash.read(self._place(), SIZE) != _BLANK:
            self._slot += 1  # a fault of the memory costs a place, never the entry
        if self._slot == PER_PAGE:
            self._turn()
        self._flash.write(self._place(), record)
        self._flash.flush()
        self._slot += 1
        self.next += 1

    def skip_to(self, number: int) -> None:
        """Entries before this number were lost; the gap in the numbers says so."""
        self.next = max(self.next, number)

    def read(self, first: int, most: int) -> Iterator[bytes]:
        """Up to `most` whole entries from number `first` on."""
        place = max(0, bisect_right(self._order, (first, self._pages)) - 1)
        for _, page in self._order[place:]:
            for record in self._records(page):
                if _number(record) >= first and most > 0:
                    most -= 1
                    yield record
            if most <= 0:
                return

    def _at(self, page: int) -> int:
        return (self._start + page) * PAGE

    def _place(self) -> int:
        return self._at(self._head) + _HEADER + self._slot * SIZE

    def _records(self, page: int) -> Iterator[bytes]:
        raw = self._flash.read(self._at(page), PAGE)
        for at in range(_HEADER, _HEADER + PER_PAGE * SIZE, SIZE):
            record = raw[at : at + SIZE]
            if record == _BLANK:
                return
            if _whole(record):
                yield record

    def _turn(self) -> None:
        """Open the next page; the entries that were in it are gone."""
        page = (self._head + 1) % self._pages
        self._order = [entry for entry in self._order if entry[1] != page]
        self._flash.erase(self._start + page)
        self._flash.write(self._at(page), _header(self._sequence + 1, self.next))
        self._sequence += 1
        self._head = page
        self._slot = 0
        self._order.append((self.next, page))

    def _open(self) -> None:
        found: list[tuple[int, int, int]] = []
        for page in range(self._pages):
            raw = self._flash.read(self._at(page), _HEADER)
            if crc32c(raw[:12]) == int.from_bytes(raw[12:], "big"):
                found.append(
                    (int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:12], "big"), page)
                )
        found.sort()
        if not found:
            return
        self._sequence, self.next, self._head = found[-1]
        self._order = [(first, page) for _, first, page in found]
        self._find_end()
        if len(found) > 1 and found[0][2] == (self._head + 1) % self._pages:
            self._drop_half_erased(found[0][1], found[1][1], found[0][2])

    def _find_end(self) -> None:
        raw = self._flash.read(self._at(self._head), PAGE)
        self._slot = 0
        for index in range(PER_PAGE):
            record = raw[_HEADER + index * SIZE : _HEADER + (index + 1) * SIZE]
            if record == _BLANK:
                continue
            self._slot = index + 1
            if _whole(record):
                self.next = _number(record) + 1

    def _drop_half_erased(self, first: int, following: int, page: int) -> None:
        """The oldest page is the next to be erased, and may have been erased in part."""
        if sum(1 for _ in self._records(page)) != following - first:
            self._order.pop(0)
