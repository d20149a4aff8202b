"""A capture's file as its parts: one for each line that was opened. Reads only."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple
from pumpctl.transport.capture_text import Event, Head, Revealed, Unread, read
from pumpctl.wire.listening import SessionKeys
from pumpctl.workflows.line.faults import CaptureUnreadable

MOST_BYTES = 32 << 20
"""Of a file, which is read and explained as a whole: 23 minutes of a full line of 115200 baud."""
MOST_PARTS = 10_000
_MOST_KEYS = 64
"""Sessions of one part: a line is opened for one."""


class Part(NamedTuple):
    """What passed while one line was open."""

    number: int
    """From 1."""
    head: Head
    events: tuple[Event, ...]

    @property
    def keys(self) -> dict[int, SessionKeys]:
        """By session; only a pump in bench mode leaves some."""
        found = (event for event in self.events if isinstance(event, Revealed))
        return {
            event.session: SessionKeys(event.session, event.to_pump, event.from_pump)
            for event in islice(found, _MOST_KEYS)
        }


def read_parts(path: Path) -> tuple[Part, ...]:
    """Every part, in order. CaptureUnreadable where it is no capture."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="a capture") from error
    if len(raw) > MOST_BYTES:
        raise CaptureUnreadable(
            f"{path} is larger than {MOST_BYTES >> 20} MiB",
            hint="cut it between two lines, and put its first line on top of each piece",
        )
    parts: list[tuple[Head, list[Event]]] = []
    for event in read(raw.decode("ascii", "replace")):
        if isinstance(event, Head) and len(parts) < MOST_PARTS:
            parts.append((event, []))
        elif isinstance(event, Head):
            raise CaptureUnreadable(f"{path} has more than {MOST_PARTS} parts")
        elif parts:
            parts[-1][1].append(event)
        else:
            line = event.line if isinstance(event, Unread) else 1
            raise CaptureUnreadable(f"{path}:{line}: a capture begins with its head, this does not")
    if not parts:
        raise CaptureUnreadable(f"{path} is empty")
    return tuple(
        Part(number, head, tuple(events)) for number, (head, events) in enumerate(parts, 1)
    )
