"""The map of the state file: which page holds what. Nothing here reads or writes.

The first pages are no flash: the always-on domain, which a real pump keeps in
memory that never loses its power, with the world beside it, and the count of
erasures. They are written freely. The rest is the image of the flash, page by page.
"""

from __future__ import annotations

from pumpctl.emulator.memory.flash import ERASED, PAGE, Flash, PowerCut, Store

RETAINED_PAGES = 6
RETAINED = (0, 6)
"""Two alternating copies of the always-on domain and of the world, each in one write."""

WEAR = 12
"""How often each page was erased, four bytes a page. Not flash: a cell does not count itself."""

IMPLANT = (13, 14)
"""What the factory wrote, twice."""

FALLBACK = ((15, 16), (17, 18))
"""Two pairs; the control block says which is in force. So with the next two."""

RECORD = ((19, 20), (21, 22))
"""The implant's record."""

LIMITS_PAGES = 2
LIMITS = ((23, 25), (27, 29))
"""The table of hard limits."""

SLOT_PAGES = 2
SLOTS = ((31, 33), (35, 37), (39, 41))
"""Three program slots (running, bridged-from, staged), each twice."""

CONTROL_PAGES = 3
CONTROL = ((43, 46), (49, 52))
"""Two places for the control block, each twice."""

LOG_START = 56
LOG_PAGES = 400
"""400 pages of 51 entries; at least 399 of them are readable at any time."""

PAGES = LOG_START + LOG_PAGES
SIZE = PAGES * PAGE

REGIONS: dict[str, tuple[tuple[int, int], ...]] = {
    "implant": ((IMPLANT[0], 1), (IMPLANT[1], 1)),
    "fallback": tuple((page, 1) for pair in FALLBACK for page in pair),
    "record": tuple((page, 1) for pair in RECORD for page in pair),
    "limits": tuple((page, LIMITS_PAGES) for pair in LIMITS for page in pair),
    "slots": tuple((page, SLOT_PAGES) for pair in SLOTS for page in pair),
    "control": tuple((page, CONTROL_PAGES) for pair in CONTROL for page in pair),
    "log": ((LOG_START, LOG_PAGES),),
}
"""Runs of pages (first, how many) of everything in flash, by what lies there."""


def blank() -> bytes:
    """An image in which nothing was ever written."""
    wear = bytes(PAGE)
    return bytes([ERASED]) * (WEAR * PAGE) + wear + bytes([ERASED]) * ((PAGES - WEAR - 1) * PAGE)


def flash_of(store: Store, cut: PowerCut | None = None) -> Flash:
    """The flash of an image in this store, its erasures counted where the map says."""
    return Flash(store, cut, wear_at=WEAR * PAGE)
