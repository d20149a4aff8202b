"""Bits of the pump's flash that flip on demand: which pages may be hit, and the hit.

Of what lies in flash twice, the pair in force is meant. What the pump makes of it
is found by its own checks.
"""

from __future__ import annotations

from pumpctl.emulator.core import Core
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.control import NO_SLOT
from pumpctl.emulator.memory.flash import ERASED, PAGE
from pumpctl.emulator.starting import recovery
from pumpctl.errors import UsageError

_INSIDE = 30
"""A byte of the stored block behind its mark and length."""


def spoil_program(core: Core, copies: int) -> None:
    """So many of the two copies of the running program go bad, and the pump finds it at once."""
    for page in image.SLOTS[core.control.running][:copies]:
        core.flash.flip(page * PAGE + _INSIDE, 0x10)
    recovery.self_check(core)


def flip(core: Core, count: int, region: str, copy: int | None) -> None:
    """Bits of other bytes each time, among those that were ever written.

    Of one region, or anywhere; of one copy (1 or 2), or either. UsageError where
    nothing is written there.
    """
    written = [
        (run * PAGE, len(core.flash.read(run * PAGE, pages * PAGE).rstrip(bytes([ERASED]))))
        for run, pages in _runs(core, region, copy)
    ]
    total = sum(size for _, size in written)
    if total < count:
        raise UsageError(f"nothing is written in region {region}")
    hit: set[int] = set()
    while len(hit) < count:
        hit.add(int.from_bytes(core.entropy(8), "big") % total)
    for place in hit:
        before = 0
        for start, size in written:
            if before <= place < before + size:
                core.flash.flip(start + place - before, 1 << core.entropy(1)[0] % 8)
            before += size


def _runs(core: Core, region: str, copy: int | None) -> list[tuple[int, int]]:
    """Runs of pages that may be hit: of a region that lies there twice, what is in force."""
    if not region:
        return [run for runs in image.REGIONS.values() for run in runs]
    runs = list(image.REGIONS[region])
    if region == "log":
        return runs
    control = core.control
    pair = {
        "implant": 0,
        "fallback": control.fallback_pair,
        "record": control.record_pair,
        "limits": control.limits_pair,
        "slots": control.running,
        "control": control.sequence % 2,
    }[region]
    if pair == NO_SLOT:
        raise UsageError(f"nothing is written in region {region}")
    copies = runs[2 * pair : 2 * pair + 2]
    return copies if copy is None else [copies[copy - 1]]
