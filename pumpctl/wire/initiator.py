"""The station's end of a session: greet, shake, ask; sans-IO. `session` says how it goes."""

from __future__ import annotations

from typing import Any

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import FrameKind, Purpose
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import DELIMITER, Deframer, Frame, Junk
from pumpctl.wire.greeting import (
    MAJOR,
    MINOR,
    PumpGreeting,
    StationGreeting,
    decode_pump_greeting,
    encode_greeting,
)
from pumpctl.wire.message import decode, encode
from pumpctl.wire.noise import KKPSK0, NNPSK0, Handshake, Keys
from pumpctl.wire.records import MOST_OUTSTANDING, Arrived, Channel
from pumpctl.wire.session import Entropy, payload_of, plain_frame


class Greeted(NamedTuple):
    """A pump answered our greeting."""

    greeting: PumpGreeting


class Skew(NamedTuple):
    """Something answered in another major version, in a form that we cannot read."""

    major: int
    minor: int


class Ready(NamedTuple):
    """The handshake is done; requests may be sent."""

    keys: Keys


class Answer(NamedTuple):
    """The pump's answer to the request that had this counter."""

    to: int
    message: Any
    counter: int = 0
    """Of the answer's own record."""


class Part(NamedTuple):
    """A fragment of an answer that is not whole yet; the answer's own counter."""

    counter: int
    piece: int


class Initiator:
    """The station's end of one session."""

    def __init__(self, *, entropy: Entropy, purpose: Purpose, key: bytes = bytes(8)) -> None:
        self._entropy = entropy
        self._own = StationGreeting(MAJOR, MINOR, purpose, key, entropy(16))
        self._deframer = Deframer(mend=True)
        self._pump_greeting: bytes | None = None
        self._handshake: Handshake | None = None
        self._channel: Channel | None = None

    def greet(self) -> bytes:
        """The greeting; may be sent again until it is answered.

        The delimiter in front ends whatever noise the pump may have collected.
        """
        return DELIMITER + plain_frame(FrameKind.GREETING, encode_greeting(self._own))

    def shake(self, *, own: bytes | None = None, peer: bytes | None = None, psk: bytes) -> bytes:
        """The first handshake message, after `Greeted`; may be sent again as it is."""
        if self._pump_greeting is None:
            raise ValueError("no greeting yet")
        self._handshake = Handshake(
            NNPSK0 if own is None else KKPSK0,
            initiator=True,
            prologue=encode_greeting(self._own) + self._pump_greeting,
            psk=psk,
            entropy=self._entropy,
            own=own,
            peer=peer,
        )
        return plain_frame(FrameKind.HANDSHAKE, self._handshake.write())

    def request(self, message: object) -> tuple[int, bytes]:
        """A request's counter and its bytes; a resend sends the same bytes."""
        if self._channel is None:
            raise ValueError("no session yet")
        counter, frames = self._channel.seal(encode(message))
        return counter, b"".join(frames)

    @property
    def mended(self) -> int:
        """Frames with flipped bits that were put right so far."""
        return self._deframer.mended

    @property
    def newest_answer(self) -> int:
        """The highest counter of an authentic answer so far."""
        return 0 if self._channel is None else self._channel.highest

    def pieces_of(self, counter: int) -> tuple[int, int | None]:
        """Of an unfinished answer: a bit for each fragment held, and its last one if known."""
        if self._channel is None:
            return 0, None
        return self._channel.pieces_of(counter)

    def feed(self, data: bytes) -> list[Greeted | Skew | Ready | Answer | Part | Junk]:
        """What arrived, as events. Anything that is not meant for this session is Junk."""
        events: list[Greeted | Skew | Ready | Answer | Part | Junk] = []
        for item in self._deframer.feed(data):
            if isinstance(item, Junk):
                events.append(item)
                continue
            try:
                event = self._take(item)
            except WireError as error:
                event = Junk(str(error), len(item.payload))
            if event is not None:
                events.append(event)
        return events

    def _take(self, frame: Frame) -> Greeted | Skew | Ready | Answer | Part | Junk | None:
        if frame.kind is FrameKind.GREETING:
            return self._take_greeting(payload_of(frame))
        if frame.kind is FrameKind.HANDSHAKE:
            payload = payload_of(frame)
            if self._handshake is None or self._channel is not None:
                return None  # a late double
            self._handshake.read(payload)
            keys = self._handshake.keys()
            self._channel = Channel(keys, unfinished=MOST_OUTSTANDING)
            return Ready(keys)
        if self._channel is None or frame.session != self._channel.session:
            return Junk("a record of another session", len(frame.payload))
        arrived = self._channel.take(frame)
        if arrived is None:
            counter = self._channel.full_counter(frame.counter)
            # A late double of an answer that was taken belongs to nothing that waits.
            return Part(counter, frame.piece) if self._channel.waits_for(counter) else None
        if not isinstance(arrived, Arrived):
            return None
        to = int.from_bytes(arrived.plain[:8], "big")
        return Answer(to, decode(arrived.plain[8:], from_station=False), arrived.counter)

    def _take_greeting(self, payload: bytes) -> Greeted | Skew | Junk | None:
        try:
            greeting = decode_pump_greeting(payload)
        except WireError:
            if len(payload) >= 2 and payload[0] != MAJOR:
                return Skew(payload[0], payload[1])
            raise
        if greeting.echo != self._own.random:
            return Junk("an answer to another greeting", len(payload))
        if self._pump_greeting is not None:
            return None
        self._pump_greeting = payload
        return Greeted(greeting)
