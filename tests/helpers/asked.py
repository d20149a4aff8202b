"""What a command asks a pump, request by request, whoever asks it."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.link.session import Link
from pumpctl.wire.initiator import Initiator


class Asked:
    """The names of the requests since it was last `taken`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._names: list[str] = []
        real, greet = Initiator.request, Link._greet

        def request(end: Initiator, message: object, *more: Any) -> Any:
            self._names.append(type(message).__name__)
            return real(end, message, *more)

        def greeted(link: Link) -> Any:
            self._names.append("greeting")
            return greet(link)

        monkeypatch.setattr(Initiator, "request", request)
        monkeypatch.setattr(Link, "_greet", greeted)

    def taken(self) -> list[str]:
        """In their order; forgotten with it."""
        names, self._names = self._names, []
        return names
