"""One process at a time changes a station's drug library or the keys that count for it.

From the first look at what is installed until the last file is written: of two
that check against the same version both would pass. The lock belongs to the
operating system: a killed process leaves none behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from pumpctl.errors import StoreError
from pumpctl.station.home import Home

WAIT_S = 30
"""An installation takes far less than a second."""


@contextmanager
def library_lock(home: Home, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold it; StoreError where another process does not let go, or no lock can be made."""
    home.make()
    lock = FileLock(home.locks / "library.lock")
    try:
        home.locks.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait_s)
    except Timeout as error:
        raise StoreError(
            "another pumpctl process is changing this station's drug library",
            hint="wait until it has ended, then try again",
        ) from error
    except OSError as error:
        raise StoreError(f"no lock can be made in {home.locks}: {error}") from error
    try:
        yield
    finally:
        lock.release()
