"""The map of the state file: which page holds what. Nothing here reads or writes.

The first two pages are the always-on domain, which a real pump keeps in memory
that never loses its power; they are not flash and are written freely. The rest
is the image of the flash, page by page.
"""

from __future__ import annotations

from pumpctl.emulator.memory.flash import ERASED, PAGE

RETAINED = (0, 1)
"""Two alternating copies of the always-on domain."""

IMPLANT = (2, 3)
"""The implant record, twice."""

FALLBACK = ((4, 5), (6, 7))
"""Two pairs; the control block says which is in force."""

SLOT_PAGES = 2
SLOTS = ((8, 10), (12, 14), (16, 18))
"""Three program slots (running, bridged-from, staged), each twice."""

CONTROL_PAGES = 2
CONTROL = ((20, 22), (24, 26))
"""Two places for the control block, each twice."""

SPARE_PAGES = range(28, 40)
"""For tables of limits that arrive by message."""

LOG_START = 40
LOG_PAGES = 400
"""400 pages of 51 entries; at least 399 of them are readable at any time."""

PAGES = LOG_START + LOG_PAGES
SIZE = PAGES * PAGE


def blank() -> bytes:
    """An image in which nothing was ever written."""
    return bytes([ERASED]) * SIZE
