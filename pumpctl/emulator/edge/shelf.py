"""Where emulators stand: one folder each under the home, and the lock of its holder.

    emulators/NAME/state.bin     the flash image and the always-on domain
    emulators/NAME/lock          held by whoever runs this pump
    emulators/NAME/control.sock  while it is served (or control.json, see `control_socket`)

The operating system frees the lock of a killed process. What a pump does is not
known here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from pumpctl.emulator.firmware import Firmware
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import FileStore, FlashError
from pumpctl.errors import PortBusy, PortMissing, StoreError, UsageError

STATE = "state.bin"
_LOCK = "lock"
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


class Lock:
    """The operating system's lock on one file, for as long as this process lives."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except OSError:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def take_lock(home: Path, name: str) -> Lock:
    """Hold an existing emulator; PortMissing or PortBusy where that cannot be."""
    folder = folder_of(home, name)
    if not (folder / STATE).is_file():
        raise PortMissing(
            f"there is no emulator {name}", hint=f"make one: pumpctl emulator new {name}"
        )
    try:
        return Lock(folder / _LOCK)
    except PermissionError as error:
        if sys.platform != "win32":
            raise StoreError(f"emulator {name} cannot be locked: {error}") from error
        raise _busy(name) from error
    except BlockingIOError as error:
        raise _busy(name) from error
    except OSError as error:
        raise StoreError(f"emulator {name} cannot be locked: {error}") from error


def _busy(name: str) -> PortBusy:
    return PortBusy(f"emulator {name} is held by another process")


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
            self._store = FileStore(self.folder / STATE)
            if self._store.size != image.SIZE:
                self._store.refuse("no image of a pump (wrong size)")
            self.firmware = Firmware.attach(image.flash_of(self._store), now=now, entropy=entropy)
        except (OSError, FlashError) as error:
            self.close()
            raise StoreError(f"the state of emulator {name} cannot be used: {error}") from error

    def close(self) -> None:
        """Give everything back. The pump itself goes on: its time is the host's."""
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


def put(home: Path, name: str, content: bytes) -> None:
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
    new = folder / f".{STATE}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        new.rename(folder / STATE)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
            folder.rmdir()
        raise StoreError(f"emulator {name} cannot be stored: {error}") from error


def throw_away(home: Path, name: str) -> None:
    """Remove an emulator that nobody holds."""
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
