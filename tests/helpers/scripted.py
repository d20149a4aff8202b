"""A pump that answers as a test tells it, and a line whose time is the test's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from pumpctl.link.session import Link, OwnKey, PairedPump
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Feature, Purpose
from pumpctl.wire.greeting import PumpGreeting, StationGreeting
from pumpctl.wire.noise import public_key
from pumpctl.wire.responder import PeerKey, Request, Responder, Send
from pumpctl.wire.secret import key_id, pairing_psk

SERIAL = "SP40-000123"
SECRET = bytes(range(16))
PSK = bytes(range(32))


class Drawn:
    """Numbers that look random and are the same in every run."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_128(f"{self._seed} {self._count}".encode()).digest(size)


OWN_PRIVATE = Drawn("own")(32)
OWN = OwnKey(OWN_PRIVATE, public_key(OWN_PRIVATE))


class Clock:
    """Seconds that pass only when a line is waited for."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class ScriptedPump:
    """The pump's end of the wire: `answer` maps a request to a message, or None for silence."""

    def __init__(
        self,
        answer: Callable[[Any], object | None] | None = None,
        *,
        major: int = 1,
        known: bool = True,
        pairing_open: bool = False,
    ) -> None:
        self.entropy = Drawn("pump")
        self.private = self.entropy(32)
        self.major = major
        self.known = known
        self.pairing_open = pairing_open
        self.answer = answer or pong
        self.seen: list[Any] = []
        """Requests that were handled; a repeated record is not handled again."""
        self._end = Responder(
            private_key=self.private,
            entropy=self.entropy,
            greet=self._greet,
            find_key=lambda name: PeerKey(OWN.id, OWN.public, PSK) if name == OWN.id else None,
            pairing_psk=lambda: pairing_psk(SECRET) if self.pairing_open else None,
        )

    @property
    def paired(self) -> PairedPump:
        """What a station holds of it."""
        return PairedPump(SERIAL, public_key(self.private), PSK, "admin")

    def hear(self, data: bytes) -> bytes:
        """What it says to these bytes."""
        out = b""
        for event in self._end.receive(data):
            match event:
                case Send():
                    out += event.data
                case Request():
                    self.seen.append(event.message)
                    reply = self.answer(event.message)
                    if isinstance(event.message, m.Close):
                        reply = m.Closed()
                    if reply is not None:
                        out += self._end.reply(event, reply)
                case _:
                    pass
        return out

    def _greet(self, station: StationGreeting) -> PumpGreeting:
        return PumpGreeting(
            self.major,
            0,
            int(Feature.BENCH),
            "SP40",
            SERIAL,
            "1.0.0",
            0,
            7,
            1,
            self.known,
            self.pairing_open,
            self.entropy(16),
            station.random,
        )


def pong(message: Any) -> object | None:
    """Answer pings, and nothing else."""
    return m.Pong(message.token) if isinstance(message, m.Ping) else None


class ScriptedLine:
    """A line in virtual time. `hear` is what stands at its other end."""

    def __init__(self, hear: Callable[[bytes], bytes], clock: Clock) -> None:
        self.hear = hear
        self.clock = clock
        self.written: list[bytes] = []
        self.waiting = bytearray()
        self.on_write: Callable[[bytes], None] = lambda data: None
        """Called before bytes reach the pump; may raise."""
        self.on_read: Callable[[], None] = lambda: None
        """Called before bytes are read; may raise."""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.on_write(data)
        self.waiting += self.hear(data)

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        self.on_read()
        if not self.waiting:
            self.clock.now += seconds
            return b""
        data = bytes(self.waiting)
        self.waiting.clear()
        return data

    def close(self) -> None:
        self.closed = True


def greeted(line: ScriptedLine, *, purpose: Purpose = Purpose.SESSION) -> Link:
    """A link that has greeted."""
    return Link(
        line,
        entropy=Drawn("station"),
        ticker=line.clock,
        purpose=purpose,
        key=key_id(OWN.public),
    )


def connected(pump: ScriptedPump) -> tuple[Link, ScriptedLine]:
    """An open session with this pump."""
    line = ScriptedLine(pump.hear, Clock())
    link = greeted(line)
    link.open(OWN, pump.paired)
    return link, line
