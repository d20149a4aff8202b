"""What a pump inside this process needs from outside; a real port needs none of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pumpctl.named import NamedTuple


class Surroundings(NamedTuple):
    """What an in-process pump needs from outside: its home, host time in UTC ms, entropy."""

    home: Path
    now: Callable[[], int]
    entropy: Callable[[int], bytes]
