"""What the log is to say of a change, before it has a number and a time."""

from __future__ import annotations

from pumpctl.emulator.memory.control import Label
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import LogKind

NO_DATA = bytes(20)


class Event(NamedTuple):
    """What the log is to say."""

    kind: LogKind
    a: int
    b: int
    data: bytes = NO_DATA
    label: Label | None = None
    """The label that it carries, where that is not the present one."""
