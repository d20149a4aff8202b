"""Both ends of a line in one test: a pump that answers pings, and stations that call it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from pumpctl.wire.codes import Encoding, Feature, Purpose, Refuse
from pumpctl.wire.frames import Junk
from pumpctl.wire.greeting import PumpGreeting, StationGreeting
from pumpctl.wire.initiator import Answer, Greeted, Initiator, Ready
from pumpctl.wire.messages import GetLog, LogReport, Ping, Pong, Refusal, Repeat
from pumpctl.wire.noise import Cipher, Keys, public_key
from pumpctl.wire.records import Channel
from pumpctl.wire.responder import Knock, Opened, PeerKey, Request, Responder, Send
from pumpctl.wire.secret import key_id, pairing_psk

SECRET = bytes(range(0xF0, 0x100))
PSK = bytes(range(32))


class Drawn:
    """Random bytes that are the same in every run."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self.count = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return hashlib.sha512(f"{self._seed} {self.count}".encode()).digest()[:size]


class Given:
    """Entropy that was written down: exactly these draws, in this order."""

    def __init__(self, *draws: bytes) -> None:
        self._left = list(draws)

    def __call__(self, size: int) -> bytes:
        drawn = self._left.pop(0)
        assert len(drawn) == size
        return drawn


class Pump:
    """A responder that keeps what it saw, answers every ping, and has a log of noise."""

    def __init__(self, seed: str = "pump", admit: Callable[[Knock], bool] = lambda _: True) -> None:
        self.entropy = Drawn(seed)
        self.private = self.entropy(32)
        self.keys: dict[bytes, PeerKey] = {}
        self.pairing_open = False
        self.requests: list[Request] = []
        self.opened: list[Opened] = []
        self.junk: list[Junk] = []
        self.greetings = 0
        self.end = Responder(
            private_key=self.private,
            entropy=self.entropy,
            greet=self._greet,
            find_key=self.keys.get,
            pairing_psk=lambda: pairing_psk(SECRET) if self.pairing_open else None,
            admit=admit,
        )

    def know(self, station: Station, psk: bytes = PSK) -> None:
        """Hold this station's key."""
        self.keys[station.key] = PeerKey(station.key, public_key(station.private), psk)

    def hear(self, data: bytes) -> bytes:
        """What the pump says to these bytes."""
        out = b""
        for event in self.end.receive(data):
            match event:
                case Send():
                    out += event.data
                case Opened():
                    self.opened.append(event)
                case Junk():
                    self.junk.append(event)
                case Request():
                    self.requests.append(event)
                    again = self.end.repeat(event)
                    out += self.end.reply(event, self._answer(event)) if again is None else again
        return out

    def _answer(self, request: Request) -> object:
        if isinstance(request.message, Ping):
            return Pong(request.message.token)
        if isinstance(request.message, GetLog):
            batch = self.entropy(64) * (80 * request.message.most // 64)
            return LogReport(1, request.message.most, 1, 1, Encoding.RAW, batch)
        if isinstance(request.message, Repeat):
            return Refusal(Refuse.NOT_FOUND, "")
        return Refusal(Refuse.UNSUPPORTED if request.message else Refuse.MALFORMED, "")

    def _greet(self, station: StationGreeting) -> PumpGreeting:
        self.greetings += 1
        return PumpGreeting(
            1,
            0,
            int(Feature.BENCH),
            "SP40",
            "SP40-000123",
            "1.0.0",
            0,
            7,
            1,
            station.key in self.keys,
            self.pairing_open,
            self.entropy(16),
            station.random,
        )


class Station:
    """An initiator with a key of its own."""

    def __init__(self, seed: str, purpose: Purpose = Purpose.SESSION) -> None:
        self.entropy = Drawn(seed)
        self.private = self.entropy(32)
        self.key = key_id(public_key(self.private))
        self.purpose = purpose
        self.end = self.again()

    def again(self) -> Initiator:
        """Begin a new conversation."""
        self.end = Initiator(entropy=self.entropy, purpose=self.purpose, key=self.key)
        return self.end

    def greet(self, pump: Pump) -> PumpGreeting:
        """Exchange greetings."""
        (event,) = self.end.feed(pump.hear(self.end.greet()))
        assert isinstance(event, Greeted)
        return event.greeting

    def shake(self, pump: Pump, psk: bytes = PSK) -> bytes:
        """The first handshake message."""
        return self.end.shake(own=self.private, peer=public_key(pump.private), psk=psk)

    def connect(self, pump: Pump) -> Ready:
        """Greeting and handshake; the session is pending then."""
        self.greet(pump)
        (event,) = self.end.feed(pump.hear(self.shake(pump)))
        assert isinstance(event, Ready)
        return event

    def ask(self, pump: Pump, message: object) -> Any:
        """One request and its answer, or None."""
        counter, data = self.end.request(message)
        for event in self.end.feed(pump.hear(data)):
            if isinstance(event, Answer):
                assert event.to == counter
                return event.message
        return None


def paired(seed: str = "") -> tuple[Station, Pump]:
    """A pump and a station that know each other, not yet connected."""
    station, pump = Station(f"station {seed}"), Pump(f"pump {seed}")
    pump.know(station)
    return station, pump


def channels() -> tuple[Channel, Channel]:
    """The two ends of a session without a handshake."""
    one, other = bytes([1]) * 32, bytes([2]) * 32
    rest = bytes.fromhex("01020304") + bytes(28), bytes(32)
    return (
        Channel(Keys(Cipher(one), Cipher(other), *rest)),
        Channel(Keys(Cipher(other), Cipher(one), *rest)),
    )
