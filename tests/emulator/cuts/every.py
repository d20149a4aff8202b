"""All acts, by name."""

from tests.emulator.cuts.acts import ASKED, Act
from tests.emulator.cuts.acts_alone import ALONE, STARTS
from tests.emulator.cuts.acts_set import SETTINGS

ACTS: dict[str, Act] = ASKED | SETTINGS | ALONE

__all__ = ["ACTS", "ASKED", "STARTS"]
