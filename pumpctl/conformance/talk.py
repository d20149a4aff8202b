"""Frames out, frames in, within a patience: greetings and handshakes byte for byte.

It knows the line and the first two kinds of frame; sessions are values that it
hands out. Silence is never waited for: `bench` sends something that is answered
behind it.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.conformance.faults import Broken, Silent
from pumpctl.conformance.session import Own, Session
from pumpctl.named import NamedTuple
from pumpctl.transport.line import Line
from pumpctl.wire.codes import FrameKind, Purpose
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import DELIMITER, Deframer, Frame, encode_frame
from pumpctl.wire.greeting import (
    MAJOR,
    MINOR,
    PumpGreeting,
    StationGreeting,
    decode_pump_greeting,
    encode_greeting,
)
from pumpctl.wire.noise import KKPSK0, NNPSK0, Handshake
from pumpctl.wire.session import Entropy

WAITS = (1.0, 1.5, 2.5)
"""Seconds after each sending of the same bytes."""


class Greeted(NamedTuple):
    """A greeting of ours and its answer, as they crossed the line."""

    own: bytes
    answer: bytes

    @property
    def pump(self) -> PumpGreeting:
        """The pump's; Broken where it cannot be read."""
        try:
            return decode_pump_greeting(self.answer)
        except WireError as error:
            raise Broken(f"the pump's greeting cannot be read: {error}") from error

    @property
    def prologue(self) -> bytes:
        """What a handshake after it is bound to."""
        return self.own + self.answer


def of_kind(kind: FrameKind) -> Callable[[Frame], bool]:
    """Is it a frame of this kind?"""
    return lambda frame: frame.kind is kind


def plain(kind: FrameKind, payload: bytes) -> bytes:
    """A greeting or a handshake as bytes, of any size that a frame takes."""
    return encode_frame(Frame(kind, 0, 0, 0, True, payload))


class Talk:
    """One line and the bytes on it."""

    def __init__(self, line: Line, *, ticker: Callable[[], float], entropy: Entropy) -> None:
        self._line = line
        self._ticker = ticker
        self._deframer = Deframer()
        self.entropy = entropy
        self.greetings = 0
        """How many different ones were sent."""

    def send(self, data: bytes) -> None:
        """Put bytes on the line."""
        self._line.write(data)

    def hear(self, wanted: Callable[[Frame], bool], seconds: float) -> tuple[list[Frame], bool]:
        """Frames up to one that is wanted, with what came along; was there one?

        `wanted` is asked once for each frame, in their order.
        """
        heard: list[Frame] = []
        until = self._ticker() + seconds
        while True:
            left = until - self._ticker()
            items = self._deframer.feed(self._line.read(max(left, 0)))
            came = [item for item in items if isinstance(item, Frame)]
            heard += came
            hits = [frame for frame in came if wanted(frame)]
            if hits:
                return heard, True
            if left <= 0:
                return heard, False

    def exchange(self, data: bytes, wanted: Callable[[Frame], bool], what: str) -> list[Frame]:
        """Send, hear, send again; all frames. Silent where what is wanted never comes."""
        heard: list[Frame] = []
        for wait in WAITS:
            self.send(data)
            came, found = self.hear(wanted, wait)
            heard += came
            if found:
                return heard
        raise Silent(f"no answer to {what}")

    def pause(self, seconds: float) -> None:
        """Let time go by; nobody is asked anything, and nothing is wanted."""
        self.hear(lambda _: False, seconds)

    # --- greetings ------------------------------------------------------------------

    def own_greeting(
        self, key: bytes, purpose: Purpose = Purpose.SESSION, major: int = MAJOR
    ) -> bytes:
        """A new greeting."""
        self.greetings += 1
        return encode_greeting(StationGreeting(major, MINOR, purpose, key, self.entropy(16)))

    def greet(self, own: bytes) -> Greeted:
        """Send a greeting; its answer."""
        data = DELIMITER + plain(FrameKind.GREETING, own)
        heard = self.exchange(data, of_kind(FrameKind.GREETING), "a greeting")
        return Greeted(own, next(f.payload for f in heard if f.kind is FrameKind.GREETING))

    # --- handshakes -----------------------------------------------------------------

    def handshake(
        self,
        greeted: Greeted,
        own: Own,
        *,
        psk: bytes | None = None,
        prologue: bytes | None = None,
        entropy: Entropy | None = None,
        pairing: bool = False,
    ) -> tuple[Handshake, bytes]:
        """A handshake's first message; what is not given is what is right."""
        shake = Handshake(
            NNPSK0 if pairing else KKPSK0,
            initiator=True,
            prologue=greeted.prologue if prologue is None else prologue,
            psk=own.psk if psk is None else psk,
            entropy=self.entropy if entropy is None else entropy,
            own=None if pairing else own.private,
            peer=None if pairing else own.pump,
        )
        return shake, shake.write()

    def shake(self, greeted: Greeted, own: Own) -> Session:
        """The handshake after a greeting; the pending session. Silent where there is none."""
        shake, message = self.handshake(greeted, own)
        return self.finish(shake, message)

    def finish(self, shake: Handshake, message: bytes) -> Session:
        """Send a handshake's message and take its answer."""
        heard = self.exchange(
            plain(FrameKind.HANDSHAKE, message), of_kind(FrameKind.HANDSHAKE), "a handshake"
        )
        answer = next(f.payload for f in heard if f.kind is FrameKind.HANDSHAKE)
        try:
            shake.read(answer)
        except WireError as error:
            raise Broken(f"the pump's handshake is not authentic: {error}") from error
        return Session(shake.keys())
