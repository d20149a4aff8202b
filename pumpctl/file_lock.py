"""The operating system's lock on one file, for as long as this process holds it.

A killed process leaves none behind. The only place that locks; what a lock is for,
and what to say where somebody else has it, is its caller's to know.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import sleep

PAUSE_S = 0.05


class Taken(OSError):
    """Another process holds it."""


class FileLock:
    """A lock that is held from here on. Raises Taken, or OSError where none can be made."""

    def __init__(self, path: Path, *, wait_s: int = 0) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            for left in range(int(wait_s / PAUSE_S), -1, -1):
                try:
                    _lock(self._descriptor)
                    return
                except Taken:
                    if not left:
                        raise
                    sleep(PAUSE_S)
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise Taken("held by another process") from error

else:

    def _lock(descriptor: int) -> None:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Taken("held by another process") from error
