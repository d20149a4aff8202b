"""Looking at one pump again and again, over a line that may die and return.

A visit for each look: port, locks and session are given back in between, so that
another process, a `stop` above all, gets them. Reads only. What was seen last is kept
and told as old with its age, and no other pump is ever taken for the first one.
"""

from __future__ import annotations

from pumpctl.errors import LinkError, NotPaired, PortError, PumpctlError, PumpRefused, VersionSkew
from pumpctl.named import NamedTuple
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.look.looking import Look, look
from pumpctl.workflows.look.newest import LogTail
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import visit

_PASSING = (PortError, LinkError, PumpRefused)
"""A line, a port or a pump that may come back by itself."""
_LASTING = (NotPaired, VersionSkew)
"""Among these, what nobody's waiting repairs."""


class Glimpse(NamedTuple):
    """What one look came to: the newest known of the pump, and whether it is of now."""

    seen: Look
    answered: Moment
    """When the pump last answered, by the station's own clock."""
    ticks: float
    """The same by the station's monotonic counter."""
    error: PumpctlError | None = None
    """Why there was no answer now; then `seen` is old."""

    def age_s(self, wall: Moment, ticks: float) -> int:
        """How old `seen` is, in whole seconds; a suspended computer makes nothing younger."""
        return max(0, int(ticks - self.ticks), (wall.utc_ms - self.answered.utc_ms) // 1_000)


class Watch:
    """One pump, watched."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._tail = LogTail()
        self._last: Glimpse | None = None

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """The newest entries of the pump's log, in rising order."""
        return self._tail.entries

    def look(self) -> Glimpse:
        """One visit. The first must succeed; later a line that is gone is a value.

        Raises whatever no waiting repairs: no port, no pairing, another protocol.
        """
        try:
            with visit(self._station, changes=False) as open_visit:
                seen = look(open_visit, self._tail, self._last and self._last.seen.state)
        except _PASSING as error:
            if self._last is None or isinstance(error, _LASTING):
                raise
            self._last = self._last._replace(error=error)
            return self._last
        if self._last is None:
            self._station = self._station._replace(only=seen.state.serial)
        self._last = Glimpse(seen, self._station.wall(), self._station.ticker())
        return self._last
