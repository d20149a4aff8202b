"""Something stored twice, each copy with a check of its own.

`Twin` writes, reads and repairs one such thing. It does not know what it holds,
nor when a write becomes valid: that is for the control block to say.
"""

from __future__ import annotations

from google_crc32c import value as crc32c

from pumpctl.emulator.memory.flash import ERASED, PAGE, Flash
from pumpctl.named import NamedTuple

_OVERHEAD = 4 + 4 + 4  # mark, length, check
_MOST_TORN = 2
"""Bytes: of a write that was cut, and of an erasure that was cut when it was repaired."""


def seal(mark: bytes, payload: bytes) -> bytes:
    """A block: mark, length, payload, CRC-32C of all that."""
    body = mark + len(payload).to_bytes(4, "big") + payload
    return body + int(crc32c(body)).to_bytes(4, "big")


def unseal(mark: bytes, raw: bytes) -> bytes | None:
    """The payload of a block, or None where its check fails."""
    if raw[:4] != mark:
        return None
    size = int.from_bytes(raw[4:8], "big")
    if size + _OVERHEAD > len(raw):
        return None
    body = raw[: 8 + size]
    if crc32c(body) != int.from_bytes(raw[8 + size : 12 + size], "big"):
        return None
    return body[8:]


class Found(NamedTuple):
    """What two copies hold: the payload where one of them is good, and how many are."""

    payload: bytes | None
    good: int


class Twin:
    """Two copies of one block, at two runs of pages."""

    def __init__(self, flash: Flash, mark: bytes, starts: tuple[int, int], pages: int = 1) -> None:
        self._flash = flash
        self._mark = mark
        self._starts = starts
        self._pages = pages
        self.room = pages * PAGE - _OVERHEAD
        """The largest payload that fits."""

    def write(self, payload: bytes) -> None:
        """Replace both copies. Neither is valid in between: never do this to the one in force."""
        block = seal(self._mark, payload)
        for start in self._starts:
            self._erase(start)
        for start in self._starts:
            self._flash.write(start * PAGE, block)

    def read(self) -> Found:
        """The payload of the first good copy, and how many copies agree with it."""
        first, second = (unseal(self._mark, self._raw(start)) for start in self._starts)
        if first is None:
            return Found(second, 0 if second is None else 1)
        return Found(first, 2 if second == first else 1)

    def repair(self) -> None:
        """Write the bad copy again from the good one; one copy is good all the time."""
        first, second = (unseal(self._mark, self._raw(start)) for start in self._starts)
        payload = second if first is None else first
        if payload is None or first == second:
            return
        start = self._starts[1] if first is not None else self._starts[0]
        self._erase(start)
        self._flash.write(start * PAGE, seal(self._mark, payload))
        self._flash.flush()

    def second_never_finished(self) -> bool:
        """Is the second copy what power cuts leave of it, while it is written or written again?

        Its beginning or its end is missing, and what is there is the first copy's, but for
        a byte in which a cut fell: no memory fault.
        """
        first, second = (self._raw(start) for start in self._starts)
        end = len(first.rstrip(bytes([ERASED])))
        if unseal(self._mark, first) is None:
            return False
        if ERASED not in (second[0], second[end - 1]):
            return first == second
        strange = sum(b not in (a, ERASED) for a, b in zip(first, second, strict=True))
        return strange <= _MOST_TORN

    def _raw(self, start: int) -> bytes:
        return self._flash.read(start * PAGE, self._pages * PAGE)

    def _erase(self, start: int) -> None:
        for page in range(start, start + self._pages):
            self._flash.erase(page)
