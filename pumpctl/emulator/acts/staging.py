"""What lies staged, for whom and for how long. It is never in force by itself.

The bytes lie in flash; what is kept here is forgotten at every start, and so the
staging is, too. It ends after ten minutes on the counter, a minute of silence,
with its link session, or when another session speaks (PRG-06).
"""

from __future__ import annotations

from enum import IntEnum

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Kind

LASTS_MS = 600_000
IDLE_MS = 60_000


class Drop(IntEnum):
    """Why staging ended without activation, as the log says it: far apart, as all codes."""

    EXPIRED = 0x03A3
    IDLE = 0x04E6
    SESSION_CLOSED = 0x0745
    OTHER_SESSION = 0x09CC
    BOOT = 0x0A6F
    LINK_LOST = 0x0D2A
    DISCARDED = 0x0E89
    REPLACED = 0x103B
    STOPPED = 0x1398
    DAMAGED = 0x14DD


class Staged(NamedTuple):
    """One staging."""

    kind: Kind
    content: bytes
    slot: int
    session: int
    nonce: bytes
    since: int
    """Counter."""
    heard: int
    """Counter at the session's last request."""
    read_back: bool = False
    """Has the station asked what will be done with it (PRG-01)?"""

    @property
    def ends(self) -> tuple[int, Drop]:
        """The counter at which it ends if nothing more is heard, and why."""
        idle, expiry = self.heard + IDLE_MS, self.since + LASTS_MS
        return (idle, Drop.IDLE) if idle < expiry else (expiry, Drop.EXPIRED)

    def expires_in(self, counter: int) -> int:
        """Milliseconds left while the session goes on speaking."""
        return max(0, self.since + LASTS_MS - counter)
