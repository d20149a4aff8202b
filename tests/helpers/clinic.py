"""A site's wall clock in a test: set by hand, and moved by hand."""

from __future__ import annotations

import pytest

from pumpctl.cli import edge
from pumpctl.quantities import Duration
from pumpctl.therapy.moment import Moment


class Clock:
    """What the station's clock shows from now on; it moves only when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        self.now = Moment.parse(text)
        monkeypatch.setattr(edge, "wall", lambda: self.now)
        monkeypatch.setattr(edge, "wall_utc_ms", lambda: self.now.utc_ms)

    def shows(self, text: str) -> None:
        """It is this time now."""
        self.now = Moment.parse(text)

    def passes(self, text: str) -> None:
        """So much time goes by."""
        self.now = self.now.plus(Duration.parse(text).quanta)
