"""Mutants of records and of what is read out of them."""

from __future__ import annotations

from typing import Any

from pumpctl.emulator.firmware import Firmware
from pumpctl.wire import records as records_module
from pumpctl.wire import responder as responder_module
from pumpctl.wire.codes import Encoding, FrameKind, LogKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import Frame
from pumpctl.wire.message import decode as decode_message
from pumpctl.wire.message import encode
from pumpctl.wire.messages import GetLog, Ping
from pumpctl.wire.noise import Keys
from pumpctl.wire.records import Channel
from pumpctl.wire.responder import Responder, Send
from pumpctl.wire.session import plain_frame
from tests.conformance.line_tools import takes_record
from tests.conformance.mutate import Patch, breaks, noted


def _channel(name: str, cls: type[Channel]) -> None:
    breaks(name)(lambda patch: patch.setattr(responder_module, "Channel", cls))


class _Skips(Channel):
    def seal(self, plain: bytes, fragment: int = 640) -> tuple[int, tuple[bytes, ...]]:
        sealed = super().seal(plain, fragment)
        self._next += 1
        return sealed


class _MarksForged(Channel):
    def take(self, frame: Frame) -> Any:
        try:
            return super().take(frame)
        except WireError:
            self._mark(frame.counter)
            raise


class _Reflected(Channel):
    """The same key for both directions, as good as."""

    def take(self, frame: Frame) -> Any:
        try:
            return super().take(frame)
        except WireError:
            sealed = frame.payload
            plain = self._keys.send.open(sealed, self._header(frame.counter), frame.counter)
            self._mark(frame.counter)
            return records_module.Arrived(frame.counter, plain)


class _Forgetful(Channel):
    """No replay window."""

    def _fresh(self, counter: int) -> bool:
        return True


class _InOrder(Channel):
    def take(self, frame: Frame) -> Any:
        if frame.piece != len(self._partial.get(frame.counter, {})):
            return None
        return super().take(frame)


class _NoDoubles(Channel):
    def take(self, frame: Frame) -> Any:
        if frame.piece in self._partial.get(frame.counter, {}):
            del self._partial[frame.counter]
            return None
        return super().take(frame)


class _FullOnly(Channel):
    def take(self, frame: Frame) -> Any:
        if not frame.last and len(frame.payload) < 640:
            return None
        return super().take(frame)


class _FirstWins(Channel):
    def _collect(self, counter: int, frame: Frame) -> dict[int, Frame]:
        parts = self._partial.setdefault(counter, {})
        parts.setdefault(frame.piece, frame)
        return parts


class _Hoards(Channel):
    def __init__(self, keys: Keys) -> None:
        super().__init__(keys, unfinished=50)


class _FewPieces(Channel):
    """As many as 640 bytes each would need."""

    def take(self, frame: Frame) -> Any:
        return super().take(frame) if frame.piece < 33 else None


class _LowBits(Channel):
    """The frame's 16 bits are the counter."""

    def full_counter(self, low: int) -> int:
        return low


class _AnyTurn(Channel):
    """Opens under whatever counter fits."""

    def take(self, frame: Frame) -> Any:
        try:
            return super().take(frame) or records_module.Repeated(0)
        except WireError:
            low = frame.counter
            plain = self._keys.receive.open(frame.payload, self._header(low), low)
            return records_module.Arrived(low, plain)

    def _fresh(self, counter: int) -> bool:
        return super()._fresh(counter) or counter > 1 << 16


for _cls, _name in (
    (_Skips, "L6-own-counter"),
    (_MarksForged, "L6-tag"),
    (_Reflected, "L6-direction"),
    (_Forgetful, "P12-replay"),
    (_InOrder, "L6-fragments"),
    (_NoDoubles, "L6-doubles"),
    (_FullOnly, "L6-sizes"),
    (_FirstWins, "L6-forged"),
    (_Hoards, "L6-unfinished"),
    (_FewPieces, "L6-most"),
    (_LowBits, "L6-turn"),
    (_AnyTurn, "L6-turn-replay"),
):
    _channel(_name, _cls)


@breaks("L6-window")
def _wide(patch: Patch) -> None:
    patch.setattr(records_module, "WINDOW", 200)


@breaks("L6-long")
def _endless(patch: Patch) -> None:
    patch.setattr(records_module, "MOST_SEALED", 1 << 20)


@breaks("P12-resend")
def _no_store(patch: Patch) -> None:
    patch.setattr(responder_module, "MOST_OUTSTANDING", 0)


@breaks("P12-eight")
def _seven(patch: Patch) -> None:
    patch.setattr(responder_module, "MOST_OUTSTANDING", 7)


@breaks("L6-counter")
def _newest(patch: Patch) -> None:
    inner, seen = Responder.reply, [0]

    def reply(self: Responder, request: Any, message: object) -> bytes:
        seen[0] = max(seen[0], request.counter)
        return inner(self, request._replace(counter=seen[0]), message)

    patch.setattr(Responder, "reply", reply)


@breaks("L6-header")
def _any_session(patch: Patch) -> None:
    def change(self: Responder, frame: Frame, go: Any) -> Any:
        live = self._current
        return go(frame if live is None else frame._replace(session=live.channel.session))

    takes_record(patch, change)


@breaks("L6-incomplete")
def _acknowledges(patch: Patch) -> None:
    def change(_self: Responder, frame: Frame, go: Any) -> Any:
        return go(frame) or [Send(plain_frame(FrameKind.GREETING, b"more"))]

    takes_record(patch, change)


def _decodes(patch: Patch, instead: Any) -> None:
    """What the pump makes of bytes that are no message."""

    def outer(data: bytes, *, from_station: bool) -> Any:
        try:
            return decode_message(data, from_station=from_station)
        except WireError:
            made = instead(data, decode_message)
            if made is None:
                raise
            return made

    patch.setattr(responder_module, "decode", outer)


@breaks("L6-malformed")
def _trims(patch: Patch) -> None:
    _decodes(patch, lambda data, inner: inner(data[:-1], from_station=True))


@breaks("L6-code")
def _guesses(patch: Patch) -> None:
    def instead(data: bytes, _inner: Any) -> Any:
        whole = len(data) == len(encode(GetLog(1, 1, Encoding.RAW, 640)))
        return GetLog(1, 1, Encoding.RAW, 640) if whole else None

    _decodes(patch, instead)


@breaks("P8-scheduled-minute")
def _minute_1440(patch: Patch) -> None:
    _decodes(patch, lambda data, _inner: Ping(bytes(16)) if len(data) > 100 else None)


@breaks("L6-answers")
def _takes_answers(patch: Patch) -> None:
    def instead(data: bytes, inner: Any) -> Any:
        inner(data, from_station=False)
        return Ping(bytes(16))

    _decodes(patch, instead)


@breaks("P20-op-codes")
def _takes_all(patch: Patch) -> None:
    _decodes(patch, lambda *_: Ping(bytes(16)))


@breaks("P20-no-writing")
def _pokes(patch: Patch) -> None:
    inner = Firmware._answer

    def answer(self: Firmware, request: Any) -> Any:
        if request.message is None:
            noted(self.core, LogKind.LIMITS_SET)
        return inner(self, request)

    patch.setattr(Firmware, "_answer", answer)
