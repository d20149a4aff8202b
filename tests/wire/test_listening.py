"""Somebody who listens: with the station's secrets the session's keys, without them nothing."""

from __future__ import annotations

import pytest

from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import Deframer, Frame
from pumpctl.wire.listening import HandshakeEar, Listener, SessionKeys, StationSecrets
from pumpctl.wire.message import decode
from pumpctl.wire.messages import Ping, Pong
from pumpctl.wire.noise import public_key
from pumpctl.wire.records import Arrived, Repeated
from tests.wire.ends import PSK, paired

TOKEN = bytes(range(16))


class Overheard:
    """One conversation, and what passed in it."""

    def __init__(self, pings: int = 1) -> None:
        self.station, self.pump = paired()
        self.passed: list[tuple[bool, bytes]] = []
        self.drawn: list[bytes] = []
        entropy = self.station.entropy
        self.station.entropy = self._draw(entropy)  # type: ignore[assignment]
        self.station.again()
        self.ear = HandshakeEar()
        self._exchange(self.station.end.greet())
        self._exchange(self.station.shake(self.pump))
        for _ in range(pings):
            _, data = self.station.end.request(Ping(TOKEN))
            self._exchange(data)

    def _draw(self, entropy: object) -> object:
        def draw(size: int) -> bytes:
            drawn: bytes = entropy(size)  # type: ignore[operator]
            self.drawn.append(drawn)
            return drawn

        return draw

    def _exchange(self, data: bytes) -> None:
        answer = self.pump.hear(data)
        for from_station, bytes_ in ((True, data), (False, answer)):
            self.passed.append((from_station, bytes_))
            self.ear.hear(bytes_, from_station=from_station)
        self.station.end.feed(answer)

    @property
    def secrets(self) -> StationSecrets:
        ephemeral = [drawn for drawn in self.drawn if len(drawn) == 32][-1]
        return StationSecrets(self.station.private, public_key(self.pump.private), PSK, ephemeral)

    def frames(self) -> list[tuple[bool, Frame]]:
        ways = {True: Deframer(), False: Deframer()}
        return [
            (way, frame)
            for way, data in self.passed
            for frame in ways[way].feed(data)
            if isinstance(frame, Frame) and frame.session
        ]


def keys_of(heard: Overheard) -> SessionKeys:
    keys = heard.ear.keys(heard.secrets)
    assert keys is not None
    return keys


def test_the_keys_open_both_directions() -> None:
    heard = Overheard(pings=2)
    listener = Listener(keys_of(heard))
    said = []
    for way, frame in heard.frames():
        taken = listener.take(frame, from_station=way)
        assert isinstance(taken, Arrived)
        said.append(decode(taken.plain[0 if way else 8 :], from_station=way))
    assert said == [Ping(TOKEN), Pong(TOKEN)] * 2


def test_a_resend_is_a_repeat_and_not_opened_twice() -> None:
    heard = Overheard()
    listener = Listener(keys_of(heard))
    (way, frame), *_ = heard.frames()
    assert isinstance(listener.take(frame, from_station=way), Arrived)
    assert isinstance(listener.take(frame, from_station=way), Repeated)


@pytest.mark.parametrize("field", StationSecrets._fields)
def test_no_keys_for_who_lacks_one_of_the_secrets(field: str) -> None:
    heard = Overheard()
    assert heard.ear.keys(heard.secrets._replace(**{field: b"\x07" * 32})) is None


def test_no_keys_before_the_handshake_is_over() -> None:
    heard = Overheard()
    ear = HandshakeEar()
    assert ear.keys(heard.secrets) is None
    for way, data in heard.passed[:3]:
        ear.hear(data, from_station=way)
        assert ear.keys(heard.secrets) is None


def test_noise_between_is_no_hindrance_and_later_sessions_change_nothing() -> None:
    heard = Overheard()
    ear = HandshakeEar()
    for way, data in heard.passed:
        ear.hear(b"\x07noise\x00" + data, from_station=way)
    before = ear.keys(heard.secrets)
    other = Overheard()
    for way, data in other.passed:
        ear.hear(data, from_station=way)
    assert ear.keys(heard.secrets) == before == keys_of(heard)


def test_wrong_keys_open_nothing() -> None:
    heard = Overheard()
    right = keys_of(heard)
    listener = Listener(right._replace(to_pump=bytes(32)))
    (way, frame), *_ = heard.frames()
    with pytest.raises(WireError):
        listener.take(frame, from_station=way)
    with pytest.raises(WireError):
        Listener(right._replace(from_pump=b"short"))
