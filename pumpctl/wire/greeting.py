"""The two greetings: the only words of the protocol in clear.

Both, byte for byte, are the prologue of the handshake that follows, so that a
changed greeting (the bench flag, say) makes it fail. They hold no patient data.
"""

from typing import TypeVar

from pumpctl.named import NamedTuple
from pumpctl.wire import vocabulary
from pumpctl.wire.codes import Feature, Purpose
from pumpctl.wire.fields import Reader, Struct, WireError
from pumpctl.wire.vocabulary import U8, U32, U64, KeyId, Name, Random16, Yes

MAJOR = 1
MINOR = 0


class StationGreeting(NamedTuple):
    """Who asks, what for, and a number drawn for this greeting."""

    major: U8
    minor: U8
    purpose: vocabulary.Purpose
    key: KeyId
    """Of the operator's key at this station; zeros where there is none."""
    random: Random16


class PumpGreeting(NamedTuple):
    """Which pump this is and what it can do."""

    major: U8
    minor: U8
    features: U32
    model: Name
    serial: Name
    firmware: Name
    library: U32
    state_version: U64
    boot: U32
    known: Yes
    """Does the pump hold the key that greeted it?"""
    pairing_open: Yes
    random: Random16
    echo: Random16
    """The station's number, so that an old greeting is never taken for a new one."""

    @property
    def bench(self) -> bool:
        """Is this pump in bench mode?"""
        return bool(self.features & Feature.BENCH)


T = TypeVar("T")

_STATION = Struct(StationGreeting)
_PUMP = Struct(PumpGreeting)


def encode_greeting(greeting: StationGreeting | PumpGreeting) -> bytes:
    """A greeting as bytes."""
    out = bytearray()
    (_STATION if isinstance(greeting, StationGreeting) else _PUMP).put(greeting, out)
    return bytes(out)


def decode_station_greeting(data: bytes) -> StationGreeting:
    """What a station said. Of another major version only the first two bytes are sure.

    Such a one is answered all the same, so that its station learns of ours; its key and
    number are taken as zeros, with which no handshake succeeds.
    """
    try:
        return _whole(_STATION, data)
    except WireError:
        if len(data) < 2 or data[0] == MAJOR:
            raise
        return StationGreeting(data[0], data[1], Purpose.LOOK, bytes(8), bytes(16))


def decode_pump_greeting(data: bytes) -> PumpGreeting:
    """What a pump said."""
    return _whole(_PUMP, data)


def _whole(struct: Struct[T], data: bytes) -> T:
    reader = Reader(data)
    greeting = struct.get(reader)
    reader.finish()
    return greeting
