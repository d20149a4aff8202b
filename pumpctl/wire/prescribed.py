"""The enumerations that stand in a program: modes and drugs. See `codes` for their numbers."""

from __future__ import annotations

from enum import IntEnum


class Mode(IntEnum):
    """How a program doses."""

    MINIMUM_RATE = 0x03A3
    CONTINUOUS = 0x04E6
    FLEX = 0x0745


class Drug(IntEnum):
    """The closed list of drugs."""

    BACLOFEN = 0x03A3
