"""What a workflow needs from outside: home, clock, entropy, port, operator.

Handed in by the edge, so that a test or a simulated world can hand in others.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple
from pumpctl.station.home import Home
from pumpctl.therapy.moment import Moment


class Station(NamedTuple):
    """One invocation at one station."""

    home: Home
    operator: str
    wall: Callable[[], Moment]
    """The station's clock: UTC and the local offset."""
    ticker: Callable[[], float]
    """Monotonic seconds, for time-outs only."""
    entropy: Callable[[int], bytes]
    tell: Callable[[str], None]
    """A line for the person at the station; never part of a result."""
    port: str | None = None
    only: str | None = None
    """Refuse any pump but this serial."""
    capture: Path | None = None
    rehearsal: str | None = None
    """PUMPCTL_NOW as it was given."""
    database: str | None = None

    def need_port(self) -> str:
        """The port, which is never guessed."""
        if not self.port:
            raise UsageError(
                "no port was given", hint="--port URL or PUMPCTL_PORT; pumpctl list shows ports"
            )
        return self.port

    def database_url(self) -> str:
        """Where records go."""
        return self.database or f"sqlite:///{self.home.records}"
