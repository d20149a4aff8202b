"""One station process per port and per pump.

A port is locked by its name before it is opened, and the pump by its serial as
soon as it has greeted, so that two processes on two ways to the same pump meet.
The locks belong to the operating system: a killed process leaves none behind.
Beside each lies a note of who holds it, for people; it decides nothing.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from pumpctl.errors import PortBusy, StoreError
from pumpctl.file_lock import FileLock, Taken
from pumpctl.transport.holders import Holder, this_process, who_is

_AS_IS = "surrogateescape"
"""A file's name may be any bytes."""


class Locks:
    """What one process holds; released together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[tuple[FileLock, Path]] = []

    def take(self, what: str, name: str) -> None:
        """Lock a `port` or a `pump` by name; PortBusy where another process has it."""
        file = _file(self._folder, what, name)
        note = file.with_suffix(".holder")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(file)
        except Taken as error:
            other = holder(self._folder, what, name)
            who = "" if other is None else f" ({other.told})"
            raise PortBusy(f"another pumpctl process{who} uses {what} {name}") from error
        except OSError as error:
            raise StoreError(f"no lock can be made in {self._folder}: {error}") from error
        self._held.append((lock, note))
        with suppress(OSError):  # a note that is missing is no lock that is missing
            note.write_text(json.dumps(this_process()), "utf-8")

    def release(self) -> None:
        """Give everything back."""
        while self._held:
            lock, note = self._held.pop()
            with suppress(OSError):
                note.unlink(missing_ok=True)
            lock.release()

    def __enter__(self) -> Locks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def holder(folder: Path, what: str, name: str) -> Holder | None:
    """Which process of this home holds a `port` or a `pump`, by its note; None where none does.

    Takes no lock, so that looking keeps nobody from working.
    """
    try:
        known = json.loads(_file(folder, what, name).with_suffix(".holder").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return who_is(known)


def _file(folder: Path, what: str, name: str) -> Path:
    short = hashlib.sha256(f"{what}\0{name}".encode(errors=_AS_IS)).hexdigest()[:24]
    return folder / f"{what}-{short}.lock"
