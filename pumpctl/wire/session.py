"""What both ends of a session share; each end has a file of its own.

`initiator` is the station's end, `responder` the pump's. Bytes go in, events
come out; the caller owns the line, the clock, the keys' storage and resends.

    greeting → greeting      in clear; together they are the prologue
    handshake → handshake    KKpsk0 between paired parties, NNpsk0 for pairing
    record → record          a request; its answer names the request's counter

A late answer is never taken for a new one: answers carry the counter of their
request inside the sealed record, and greetings echo the number they answer.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.wire import messages, messages_acts, messages_implant  # noqa: F401  (declares all)
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import Frame, encode_frame
from pumpctl.wire.noise import KEY_SIZE, TAG_SIZE

Entropy = Callable[[int], bytes]
HANDSHAKE_SIZE = KEY_SIZE + TAG_SIZE


def plain_frame(kind: FrameKind, payload: bytes) -> bytes:
    """A greeting or a handshake as the one frame that it is."""
    return encode_frame(Frame(kind, 0, 0, 0, True, payload))


def payload_of(frame: Frame) -> bytes:
    """What a greeting or handshake frame carries; nothing of its header is ignored silently."""
    if frame[1:5] != (0, 0, 0, True):
        raise WireError("a greeting or handshake is one whole frame of no session")
    if frame.kind is FrameKind.HANDSHAKE and len(frame.payload) != HANDSHAKE_SIZE:
        raise WireError("a handshake is one key and one tag, without payload")
    return frame.payload
