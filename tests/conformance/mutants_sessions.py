"""Mutants of greetings, handshakes, and of how sessions end."""

from __future__ import annotations

from typing import Any

from pumpctl.emulator.firmware import Firmware
from pumpctl.wire import responder as responder_module
from pumpctl.wire.codes import Feature, FrameKind, Purpose
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import Frame
from pumpctl.wire.greeting import decode_station_greeting
from pumpctl.wire.noise import Handshake
from pumpctl.wire.records import Repeated
from pumpctl.wire.responder import Request, Responder, Send
from pumpctl.wire.session import payload_of, plain_frame
from tests.conformance.line_tools import takes_record
from tests.conformance.mutate import Patch, breaks, noted

# --- greetings ------------------------------------------------------------------------


def _greets(name: str, change: Any) -> None:
    """(firmware, greeting of the station, greeting of the pump) to another."""

    def mutant(patch: Patch) -> None:
        inner = Firmware._greet

        def greet(self: Firmware, station: Any) -> Any:
            return change(self, station, inner(self, station))

        patch.setattr(Firmware, "_greet", greet)

    breaks(name)(mutant)


_greets("L3-echo", lambda _f, _s, pump: pump._replace(echo=bytes(16)))
_greets("P13-greeting", lambda _f, _s, pump: pump._replace(random=bytes(15) + b"4"))
_greets("L3-known", lambda _f, _s, pump: pump._replace(known=True))
_greets("L3-features", lambda _f, _s, pump: pump._replace(features=pump.features | 1 << 20))
_greets("L11-greeting", lambda _f, _s, pump: pump._replace(state_version=1))
_greets("L11-identity", lambda _f, _s, pump: pump._replace(model="SP41"))


def _note_greeting(firmware: Firmware, _station: Any, pump: Any) -> Any:
    noted(firmware.core)
    return pump


_greets("P11-greetings", _note_greeting)
_greets("P20-unsupported", lambda _f, _s, pump: pump._replace(features=int(Feature.BENCH)))


@breaks("L3-resend")
def _greets_anew(patch: Patch) -> None:
    inner = Responder._take_greeting

    def take(self: Responder, payload: bytes) -> Any:
        self._greeted.pop(payload, None)
        return inner(self, payload)

    patch.setattr(Responder, "_take_greeting", take)


@breaks("L3-two", "L3-late-double")
def _remembers_one(patch: Patch) -> None:
    patch.setattr(responder_module, "GREETINGS_KEPT", 1)


@breaks("P12-recorded")
def _remembers_all(patch: Patch) -> None:
    patch.setattr(responder_module, "GREETINGS_KEPT", 1000)


@breaks("L3-other-major")
def _only_ours(patch: Patch) -> None:
    def decode(data: bytes) -> Any:
        if data[0] != 1:
            raise WireError("another version")
        return decode_station_greeting(data)

    patch.setattr(responder_module, "decode_station_greeting", decode)


@breaks("L3-unreadable")
def _reads_anything(patch: Patch) -> None:
    def decode(data: bytes) -> Any:
        try:
            return decode_station_greeting(data)
        except WireError:
            return decode_station_greeting(b"\2\0")

    patch.setattr(responder_module, "decode_station_greeting", decode)


@breaks("L3-major-looks")
def _any_major(patch: Patch) -> None:
    inner = Responder.receive

    def receive(self: Responder, data: bytes) -> Any:
        events = inner(self, data)
        return [e._replace(major=1) if isinstance(e, Request) else e for e in events]

    patch.setattr(Responder, "receive", receive)


# --- handshakes ------------------------------------------------------------------------


def _shakes(patch: Patch, cls: type[Handshake]) -> None:
    patch.setattr(responder_module, "Handshake", cls)


class _Trusting(Handshake):
    """Answers whatever comes."""

    def _open(self, sealed: bytes) -> bytes:
        try:
            return super()._open(sealed)
        except WireError:
            self._mix_hash(sealed)
            return b""


class _NoPrologue(Handshake):
    def __init__(self, pattern: Any, **known: Any) -> None:
        greeting = known["prologue"]
        features = greeting.index(b"\1\0", 28)  # the pump's greeting begins here
        without = bytearray(greeting)
        without[features + 5] ^= Feature.BENCH
        self._other = Handshake(pattern, **{**known, "prologue": bytes(without)})
        super().__init__(pattern, **known)

    def read(self, message: bytes) -> bytes:
        try:
            return super().read(message)
        except WireError:
            self.__dict__.update(self._other.__dict__)
            return super().read(message)


class _LowOrder(Handshake):
    """Takes zeros for a shared secret."""

    def _mix_word(self, word: str) -> None:
        try:
            super()._mix_word(word)
        except WireError:
            self._mix_key(bytes(32))


@breaks("L5-psk", "L5-key")
def _trusts(patch: Patch) -> None:
    _shakes(patch, _Trusting)


@breaks("L5-prologue")
def _unbound(patch: Patch) -> None:
    _shakes(patch, _NoPrologue)


@breaks("L5-zero-key")
def _zeros(patch: Patch) -> None:
    _shakes(patch, _LowOrder)


@breaks("P13-ephemeral")
def _one_ephemeral(patch: Patch) -> None:
    class Same(Handshake):
        def write(self, payload: bytes = b"") -> bytes:
            self._entropy = lambda size: bytes(range(size))
            return super().write(payload)

    _shakes(patch, Same)


@breaks("L5-size")
def _any_size(patch: Patch) -> None:
    def payload(frame: Frame) -> bytes:
        if frame.kind is FrameKind.HANDSHAKE:
            return frame.payload[:48]
        return payload_of(frame)

    patch.setattr(responder_module, "payload_of", payload)


def _takes_handshake(patch: Patch, change: Any) -> None:
    inner = Responder._take_handshake

    def take(self: Responder, payload: bytes) -> Any:
        return change(self, payload, lambda: inner(self, payload))

    patch.setattr(Responder, "_take_handshake", take)


@breaks("L5-resend")
def _once_only(patch: Patch) -> None:
    def change(self: Responder, payload: bytes, go: Any) -> Any:
        if any(kept.shaken and kept.shaken[0] == payload for kept in self._greeted.values()):
            return []
        return go()

    _takes_handshake(patch, change)


@breaks("L5-once")
def _again(patch: Patch) -> None:
    def change(self: Responder, payload: bytes, go: Any) -> Any:
        for kept in self._greeted.values():
            if kept.shaken is not None and kept.shaken[0] != payload:
                kept.shaken = None
        return go()

    _takes_handshake(patch, change)


@breaks("P15-running")
def _gives_up(patch: Patch) -> None:
    """A failed handshake costs the running session."""

    def change(self: Responder, _payload: bytes, go: Any) -> Any:
        try:
            return go()
        except WireError:
            self._current = None
            raise

    _takes_handshake(patch, change)


@breaks("P11-handshakes")
def _logs_failures(patch: Patch) -> None:
    inner = Firmware.receive

    def receive(self: Firmware, data: bytes) -> bytes:
        answer = inner(self, data)
        if data[:2].find(FrameKind.HANDSHAKE) >= 0 and not answer:
            noted(self.core)
        return answer

    patch.setattr(Firmware, "receive", receive)


@breaks("L5-pending")
def _evicts(patch: Patch) -> None:
    def change(self: Responder, _payload: bytes, go: Any) -> Any:
        events = go()
        if self._pending is not None:
            self._current, self._pending = self._pending, None
        return events

    _takes_handshake(patch, change)


@breaks("L5-look")
def _looks_are_sessions(patch: Patch) -> None:
    inner = Responder._shake

    def shake(self: Responder, payload: bytes, theirs: bytes, greeted: Any) -> Any:
        greeted.station = greeted.station._replace(purpose=Purpose.SESSION)
        return inner(self, payload, theirs, greeted)

    patch.setattr(Responder, "_shake", shake)


@breaks("P14-closed")
def _always_open(patch: Patch) -> None:
    patch.setattr(Firmware, "_pairing_psk", lambda self: bytes(32))


# --- sessions -----------------------------------------------------------------------------


@breaks("P6-close")
def _never_ends(patch: Patch) -> None:
    patch.setattr(Responder, "end", lambda self, session: None)


@breaks("P6-other-session")
def _keeps_staging(patch: Patch) -> None:
    patch.setattr(Firmware, "_opened", lambda self, event: None)


@breaks("P12-sessions")
def _old_keys(patch: Patch) -> None:
    """A session that was ended is answered still."""
    old: list[Any] = []

    def change(self: Responder, frame: Frame, go: Any) -> Any:
        if self._current is not None and self._current not in old:
            old.append(self._current)
        for live in old:
            if live is not self._current and live.channel.session == frame.session:
                if isinstance(live.channel.take(frame), Repeated):
                    return []
                return [Send(plain_frame(FrameKind.GREETING, b"old"))]
        return go(frame)

    takes_record(patch, change)
