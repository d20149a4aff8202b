"""Captures made by hand: two ends that talk, and what is planted between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pumpctl.transport.capture_text import (
    Ended,
    Event,
    Form,
    Head,
    Passed,
    Revealed,
    written,
)
from pumpctl.wire.listening import HandshakeEar, SessionKeys, StationSecrets
from pumpctl.wire.noise import public_key
from tests.wire.ends import PSK, Pump, Station, paired

HEAD = Head("/dev/ttyUSB0", "session", "2026-03-02T09:00:00Z", "pumpctl 0")
STEP = 1000
"""µs between one thing that passes and the next."""


class Talk:
    """A station and a pump, and an event for everything that passes between them."""

    def __init__(self) -> None:
        self.station: Station
        self.pump: Pump
        self.station, self.pump = paired()
        self._entropy = self.station.entropy
        self._ephemeral = b""
        self.station.entropy = self._draw  # type: ignore[assignment]
        self.station.again()
        self.events: list[Event] = [HEAD]
        self._ear = HandshakeEar()
        self.at = 0
        self.exchange(self.station.end.greet())
        self.exchange(self.station.shake(self.pump))

    def _draw(self, size: int) -> bytes:
        drawn = self._entropy(size)
        if size == 32:
            self._ephemeral = drawn
        return drawn

    def passes(self, way: str, data: bytes) -> None:
        """These bytes pass, as they are."""
        self.at += STEP
        self.events.append(Passed(self.at, way, data))
        self._ear.hear(data, from_station=way == "out")

    def exchange(self, data: bytes) -> bytes:
        """The station says this, the pump answers; what it answered."""
        self.passes("out", data)
        answer = self.pump.hear(data)
        self.passes("in", answer)
        self.station.end.feed(answer)
        return answer

    def ask(self, message: Any) -> bytes:
        """One request; the bytes of its answer, which have passed."""
        _, data = self.station.end.request(message)
        return self.exchange(data)

    def unheard(self, message: Any) -> tuple[bytes, bytes]:
        """A request and its answer that have not passed yet."""
        _, data = self.station.end.request(message)
        return data, self.pump.hear(data)

    @property
    def keys(self) -> SessionKeys:
        """Of the session."""
        secrets = StationSecrets(
            self.station.private, public_key(self.pump.private), PSK, self._ephemeral
        )
        found = self._ear.keys(secrets)
        assert found is not None
        return found

    def reveal(self) -> SessionKeys:
        """Put the session's keys into the capture."""
        keys = self.keys
        self.events.append(Revealed(self.at, *keys))
        return keys

    def write(self, path: Path, form: Form = Form.NDJSON) -> Path:
        """The capture as a file."""
        events = [*self.events, Ended(self.at)]
        path.write_text("".join(written(event, form) for event in events), "ascii")
        return path


def flipped(data: bytes, place: int, bit: int) -> bytes:
    """The same with one bit of one byte turned over."""
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
