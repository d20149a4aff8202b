"""Flash memory: pages that are erased, bytes that are written once, and a flush.

Every erase, write and flush is one counted operation, and a test may cut the
power at any of them: before it, torn half-way, or after it with everything that
was not flushed lost. What the bytes mean is not known here. The store below is
a file (the state file is the image) or memory; a write goes through to it at
once, so that a killed process loses nothing that it had finished.
"""

from __future__ import annotations

from enum import Enum
from io import FileIO
from pathlib import Path
from typing import Protocol

from pumpctl.named import NamedTuple

PAGE = 4096
ERASED = 0xFF


class FlashError(Exception):
    """The memory was used in a way that it does not allow, or refuses to work."""


class PowerLost(Exception):
    """The power went away in the middle; nothing more happens until the next start."""


class Store(Protocol):
    """Where the bytes lie."""

    def read(self, offset: int, size: int) -> bytes: ...
    def write(self, offset: int, data: bytes) -> None: ...


class MemoryStore:
    """An image in memory."""

    def __init__(self, image: bytes) -> None:
        self.image = bytearray(image)

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the image."""
        return bytes(self.image[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        """Replace bytes of the image."""
        self.image[offset : offset + len(data)] = data


class FileStore:
    """An image in a file, unbuffered. OSError is left to whoever opened it."""

    def __init__(self, path: Path) -> None:
        self._file = FileIO(str(path), "r+b")
        self.size = self._file.seek(0, 2)

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file."""
        self._file.seek(offset)
        data = self._file.read(size) or b""
        if len(data) != size:
            raise OSError(f"{len(data)} of {size} bytes could be read at {offset}")
        return data

    def write(self, offset: int, data: bytes) -> None:
        """Replace bytes of the file."""
        self._file.seek(offset)
        written = self._file.write(data)
        if written != len(data):
            raise OSError(f"{written} of {len(data)} bytes could be written at {offset}")

    def refuse(self, why: str) -> None:
        """This is no image: OSError."""
        raise OSError(f"{self._file.name}: {why}")

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


class CutKind(Enum):
    """How the power goes away."""

    BEFORE = "before"
    TORN = "torn"
    UNFLUSHED = "after write, before flush"


class PowerCut(NamedTuple):
    """Cut at the operation with this number, counted from 1 since the flash was opened."""

    at: int
    kind: CutKind


class Flash:
    """NOR flash over a store. `operations` counts since it was opened.

    `wear_at` is where the store keeps the count of erasures of each page, if anywhere.
    """

    def __init__(
        self, store: Store, cut: PowerCut | None = None, *, wear_at: int | None = None
    ) -> None:
        self.store = store
        self._wear_at = wear_at
        self.operations = 0
        self.dead = False
        self._cut = cut
        self._undo: list[tuple[int, bytes]] = []
        """What unflushed operations replaced; kept only where a cut may ask for it."""

    def read(self, offset: int, size: int) -> bytes:
        """Look, without counting."""
        return self.store.read(offset, size)

    def erase(self, page: int) -> None:
        """Set one whole page to ones."""
        self._wear(page)
        self._operate(page * PAGE, bytes([ERASED]) * PAGE)

    def erasures(self, page: int) -> int:
        """How often this page was erased since the pump was made."""
        if self._wear_at is None:
            return 0
        return int.from_bytes(self.store.read(self._wear_at + 4 * page, 4), "big")

    def flip(self, offset: int, mask: int) -> None:
        """A fault of the memory: these bits of one byte change by themselves."""
        old = self.store.read(offset, 1)[0]
        self.store.write(offset, bytes([old ^ mask]))

    def write(self, offset: int, data: bytes) -> None:
        """Write into erased bytes; FlashError anywhere else."""
        if self.store.read(offset, len(data)).strip(b"\xff"):
            raise FlashError(f"a write at {offset} into bytes that are not erased")
        self._operate(offset, data)

    def flush(self) -> None:
        """All operations so far are durable when this returns."""
        if self._count():
            kind = self._cut.kind if self._cut else CutKind.BEFORE
            if kind is CutKind.TORN:  # part of what waited has arrived
                self._take_back(len(self._undo) // 2)
            elif kind is CutKind.UNFLUSHED:
                self._take_back(0)
            raise self._end()
        self._undo.clear()

    def _operate(self, offset: int, data: bytes) -> None:
        cut_here = self._count()
        old = self.store.read(offset, len(data))
        if not cut_here:
            if self._cut is not None:
                self._undo.append((offset, old))
            self.store.write(offset, data)
            return
        kind = self._cut.kind if self._cut else CutKind.BEFORE
        if kind is CutKind.TORN:
            half = len(data) // 2
            # The byte at the tear is left with some of its bits done.
            mixed = bytes([(old[half] & data[half]) | ((old[half] ^ data[half]) & 0x5A)])
            self.store.write(offset, data[:half] + mixed)
        elif kind is CutKind.UNFLUSHED:
            self._take_back(0)
        raise self._end()

    def _wear(self, page: int) -> None:
        if self._wear_at is not None and not self.dead:
            count = min(self.erasures(page) + 1, 0xFFFF_FFFF)
            self.store.write(self._wear_at + 4 * page, count.to_bytes(4, "big"))

    def _count(self) -> bool:
        """Count one operation; is it the one at which the power goes?"""
        if self.dead:
            raise PowerLost("there is no power")
        self.operations += 1
        return self._cut is not None and self.operations == self._cut.at

    def _take_back(self, keep: int) -> None:
        while len(self._undo) > keep:
            offset, old = self._undo.pop()
            self.store.write(offset, old)

    def _end(self) -> PowerLost:
        self.dead = True
        return PowerLost(f"the power went at operation {self.operations}")
