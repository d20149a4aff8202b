"""One station process per port and per pump.

A port is locked by its name before it is opened, and the pump by its serial as
soon as it has greeted, so that two processes on two ways to the same pump meet.
The locks belong to the operating system: a killed process leaves none behind.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from pumpctl.errors import PortBusy, StoreError


class Locks:
    """What one process holds; released together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[FileLock] = []

    def take(self, what: str, name: str) -> None:
        """Lock a `port` or a `pump` by name; PortBusy where another process has it."""
        short = hashlib.sha256(f"{what}\0{name}".encode()).hexdigest()[:24]
        lock = FileLock(self._folder / f"{what}-{short}.lock")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout as error:
            raise PortBusy(f"another pumpctl process uses {what} {name}") from error
        except OSError as error:
            raise StoreError(f"no lock can be made in {self._folder}: {error}") from error
        self._held.append(lock)

    def release(self) -> None:
        """Give everything back."""
        while self._held:
            self._held.pop().release()

    def __enter__(self) -> Locks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
