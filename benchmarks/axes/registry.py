"""The axes by name, in the order of the table; each module is imported when it is wanted."""

from __future__ import annotations

from importlib import import_module

from benchmarks.axis import Axis

NAMES = (
    "startup",
    "completion",
    "roundtrips",
    "store",
    "journal",
    "cpu",
    "entries",
    "line",
    "checks",
    "forecast",
    "emulator",
)
"""What needs a quiet machine stands first; `line` takes longest."""


def axis(name: str) -> Axis:
    """The axis of this name."""
    found: Axis = import_module(f"benchmarks.axes.{name}").AXIS
    return found
