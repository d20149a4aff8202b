"""Where emulators stand: one folder each under the home, and the lock of its holder.

    emulators/NAME/state.bin     the flash image and the always-on domain
    emulators/NAME/lock          held by whoever runs this pump
    emulators/NAME/put           when it was put there, host's UTC ms
    emulators/NAME/served        where it is served, for as long as it is
    emulators/NAME/control.sock  while it is served (or control.json, see `control_socket`)

The operating system frees the lock of a killed process. What a pump does is not
known here.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from pumpctl.emulator.firmware import Firmware
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import FileStore, FlashError
from pumpctl.errors import PortBusy, PortMissing, StoreError, UsageError
from pumpctl.file_lock import FileLock, Taken

STATE = "state.bin"
_LOCK = "lock"
_PUT = "put"
_SERVED = "served"
_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_LONGEST = 40


def folder_of(home: Path, name: str) -> Path:
    """The folder of an emulator of this name; UsageError where it is no name."""
    if not 1 <= len(name) <= _LONGEST or not set(name) <= _ALPHABET or name.startswith("-"):
        raise UsageError(
            f"{name!r} is no name for an emulator", hint="up to 40 letters, digits, - and _"
        )
    return home / "emulators" / name


def names(home: Path) -> tuple[str, ...]:
    """Every emulator of this home, by name."""
    shelf = home / "emulators"
    try:
        found = [each.name for each in shelf.iterdir() if (each / STATE).is_file()]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StoreError(f"{shelf} cannot be read: {error}") from error
    return tuple(sorted(found))


def take_lock(home: Path, name: str) -> FileLock:
    """Hold an existing emulator; PortMissing or PortBusy where that cannot be."""
    folder = folder_of(home, name)
    if not (folder / STATE).is_file():
        raise PortMissing(
            f"there is no emulator {name}", hint=f"make one: pumpctl emulator new {name}"
        )
    try:
        return FileLock(folder / _LOCK)
    except Taken as error:
        raise PortBusy(f"emulator {name} is held by another process") from error
    except OSError as error:
        raise StoreError(f"emulator {name} cannot be locked: {error}") from error


class Held:
    """An emulator that this process runs: its lock, its state file, its firmware."""

    def __init__(
        self,
        home: Path,
        name: str,
        *,
        now: Callable[[], int],
        entropy: Callable[[int], bytes],
    ) -> None:
        self.name = name
        self.folder = folder_of(home, name)
        self._lock = take_lock(home, name)
        self._store: FileStore | None = None
        try:
            _unlink(self.folder / _SERVED)  # whoever served it before was killed
            self._store = FileStore(self.folder / STATE)
            if self._store.size != image.SIZE:
                self._store.refuse("no image of a pump (wrong size)")
            self.firmware = Firmware.attach(image.flash_of(self._store), now=now, entropy=entropy)
        except (OSError, FlashError) as error:
            self.close()
            raise StoreError(f"the state of emulator {name} cannot be used: {error}") from error

    def serve_at(self, where: str) -> None:
        """Tell other processes of this home on which line the pump is to be reached."""
        try:
            (self.folder / _SERVED).write_text(where, "utf-8")
        except OSError as error:
            raise StoreError(f"emulator {self.name} cannot be served: {error}") from error

    def close(self) -> None:
        """Give everything back. The pump itself goes on: its time is the host's."""
        with contextlib.suppress(OSError):
            _unlink(self.folder / _SERVED)
        if self._store is not None:
            self._store.close()
            self._store = None
        self._lock.release()

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


# --- notes beside a pump ------------------------------------------------------------------------


def put_at(home: Path, name: str) -> int | None:
    """When it was put on the shelf, host's UTC ms; None where that is not known."""
    try:
        return int((folder_of(home, name) / _PUT).read_text("ascii"))
    except (OSError, ValueError):
        return None


def served_at(home: Path, name: str) -> str | None:
    """The line on which a process serves it now, None where none does.

    A note of a process that was killed is known by the lock that nobody holds: every
    new holder throws such a note away.
    """
    try:
        where = (folder_of(home, name) / _SERVED).read_text("utf-8")
    except (OSError, ValueError):
        return None
    try:
        take_lock(home, name).release()
    except PortBusy:
        return where
    except (PortMissing, StoreError):
        return None
    return None


# --- put there, replaced, thrown away -----------------------------------------------------------


def put(home: Path, name: str, content: bytes, now_ms: int) -> None:
    """Put a new emulator on the shelf, whole or not at all."""
    folder = folder_of(home, name)
    try:
        there = (folder / STATE).exists()
    except OSError as error:
        raise StoreError(f"the home {home} cannot be read: {error}") from error
    if there:
        raise UsageError(
            f"there is an emulator {name} already",
            hint=f"choose another name, or pumpctl emulator remove {name}",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / _PUT).write_text(str(now_ms), "ascii")
        _write(folder, content)
    except OSError as error:
        with contextlib.suppress(OSError):
            _unlink(folder / _PUT)
            folder.rmdir()
        raise StoreError(f"emulator {name} cannot be stored: {error}") from error


def replace(home: Path, name: str, content: bytes) -> None:
    """Put another pump in the place of one that nobody holds, whole or not at all."""
    lock = take_lock(home, name)
    try:
        _write(folder_of(home, name), content)
    except OSError as error:
        raise StoreError(f"emulator {name} cannot be stored: {error}") from error
    finally:
        lock.release()


def _write(folder: Path, content: bytes) -> None:
    """The state file, whole or not at all."""
    new = folder / f".{STATE}.new"
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        new.replace(folder / STATE)
    except OSError:
        with contextlib.suppress(OSError):
            _unlink(new)
        raise


def throw_away(home: Path, name: str) -> None:
    """Remove an emulator that nobody holds."""
    import shutil

    folder = folder_of(home, name)
    lock = take_lock(home, name)
    try:
        (folder / STATE).unlink()
        if sys.platform != "win32":
            shutil.rmtree(folder)
    except OSError as error:
        raise StoreError(f"emulator {name} cannot be removed: {error}") from error
    finally:
        lock.release()
    if sys.platform == "win32":
        shutil.rmtree(folder, ignore_errors=True)
