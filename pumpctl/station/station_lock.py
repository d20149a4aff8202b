"""One process at a time does a thing at this station, from its first look to its last write.

Of two that decide by what they have read, both would go on. The lock belongs to
the operating system: a killed process leaves none behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pumpctl.errors import StoreError
from pumpctl.file_lock import FileLock, Taken
from pumpctl.station.home import Home

WAIT_S = 30
"""Whatever is done under such a lock takes far less than a second."""


@contextmanager
def station_lock(home: Home, name: str, doing: str, wait_s: int = WAIT_S) -> Iterator[None]:
    """Hold the lock `name`; StoreError where another does not let go, or none can be made.

    `doing` says what another process is about, "is changing this station's drug library".
    """
    home.make()
    try:
        home.locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home.locks / f"{name}.lock", wait_s=wait_s)
    except Taken as error:
        raise StoreError(
            f"another pumpctl process {doing}",
            hint="wait until it has ended, then try again",
        ) from error
    except OSError as error:
        raise StoreError(f"no lock can be made in {home.locks}: {error}") from error
    try:
        yield
    finally:
        lock.release()
