"""One process at a time changes a station's drug library or the keys that count for it.

From the first look at what is installed until the last file is written: of two
that check against the same version both would pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pumpctl.station.home import Home
from pumpctl.station.station_lock import WAIT_S, station_lock


@contextmanager
def library_lock(home: Home, wait_s: int = WAIT_S) -> Iterator[None]:
    """Hold it; StoreError where another process does not let go, or no lock can be made."""
    with station_lock(home, "library", "is changing this station's drug library", wait_s):
        yield
