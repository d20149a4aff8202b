"""Mutants of the line: frames, greetings, handshakes, records, sessions."""

from __future__ import annotations

import struct
from typing import Any

from cobs import cobs
from google_crc32c import value as crc32c

from pumpctl.emulator.firmware import Firmware
from pumpctl.wire import records as records_module
from pumpctl.wire import responder as responder_module
from pumpctl.wire.codes import Encoding, Feature, FrameKind, LogKind, Purpose
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_STUFFED, Deframer, Frame, Junk
from pumpctl.wire.message import encode
from pumpctl.wire.messages import GetLog, Ping
from pumpctl.wire.noise import Handshake
from pumpctl.wire.records import Channel, Repeated
from pumpctl.wire.responder import Responder, Send
from pumpctl.wire.session import plain_frame
from tests.conformance.mutate import Patch, breaks, noted

# --- frames ------------------------------------------------------------------------


def _lenient_cobs(data: bytes) -> bytes:
    """Takes a last block that claims more than there is."""
    out, place = bytearray(), 0
    while place < len(data):
        code = data[place]
        out += data[place + 1 : place + code]
        place += code
        if code < 255 and place < len(data):
            out.append(0)
    return bytes(out)


def _decode(stuffed: bytes, without: str) -> Frame:
    """A receiver that leaves one check out."""
    if without != "size" and len(stuffed) > MOST_STUFFED:
        raise WireError("longer than any frame")
    body = _lenient_cobs(stuffed) if without == "cobs" else bytes(cobs.decode(stuffed))
    if len(body) < 21 or (
        without != "crc" and crc32c(body[:-4]) != int.from_bytes(body[-4:], "big")
    ):
        raise WireError("no frame")
    kind, session, counter, piece, last, length = struct.unpack_from(">BIQBBH", body)
    if without not in ("length", "size") and (length != len(body) - 21 or length > 512):
        raise WireError("the length does not fit")
    if without == "kind" and kind not in set(FrameKind):
        kind = FrameKind.RECORD
    if without != "last" and last > 1:
        raise WireError("the mark of the last fragment")
    return Frame(FrameKind(kind), session, counter, piece, last != 0, body[17:-4])


class _Loose(Deframer):
    """Whole runs between delimiters, decoded by a lenient decoder."""

    without = ""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        self._buffer += data
        found: list[Frame | Junk] = []
        while (end := self._buffer.find(0)) >= 0:
            run = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if not run:
                continue
            try:
                found.append(_decode(run, self.without))
            except (WireError, ValueError, cobs.DecodeError) as error:
                found.append(Junk(str(error), len(run)))
        return found


def _deframes(name: str, cls: type[Deframer]) -> None:
    breaks(name)(lambda patch: patch.setattr(responder_module, "Deframer", cls))


for _check, _name in (
    ("crc", "L2-crc"),
    ("cobs", "L2-cobs"),
    ("length", "L2-length"),
    ("kind", "L2-kind"),
    ("last", "L2-last"),
    ("size", "L2-oversize"),
):
    _deframes(_name, type("_Loose", (_Loose,), {"without": _check}))


class _AfterNothing(Deframer):
    """Drops the frame behind two delimiters."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        doubled = b"\0\0" in data
        found = super().feed(data)
        return found[1:] if doubled else found


class _OneRead(Deframer):
    """Wants a frame in one read."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        found = super().feed(data)
        self._buffer.clear()
        return found


class _First(Deframer):
    """Sees one frame of a read."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        return super().feed(data)[:1]


class _Shy(Deframer):
    """Loses the frame behind garbage."""

    def feed(self, data: bytes) -> list[Frame | Junk]:
        found, kept, last = super().feed(data), [], False
        for item in found:
            if not last:
                kept.append(item)
            last = isinstance(item, Junk)
        return kept


class _Circular(Deframer):
    """Begins again in the middle of an overlong run."""

    def _keep(self, piece: bytes) -> None:
        self._buffer += piece
        if len(self._buffer) > MOST_STUFFED:
            del self._buffer[: MOST_STUFFED + 1]


_deframes("L2-delimiters", _AfterNothing)
_deframes("L2-pieces", _OneRead)
_deframes("L2-several", _First)
_deframes("L2-resync", _Shy)
_deframes("L2-overrun", _Circular)


def _receives(patch: Patch, change: Any) -> None:
    """(responder, data, events) to events."""
    inner = Responder.receive

    def outer(self: Responder, data: bytes) -> Any:
        return change(self, data, inner(self, data))

    patch.setattr(Responder, "receive", outer)


@breaks("L2-short")
def _answers_noise(patch: Patch) -> None:
    def change(_self: Responder, _data: bytes, events: list[Any]) -> list[Any]:
        noise = any(isinstance(event, Junk) for event in events)
        return [*events, Send(plain_frame(FrameKind.GREETING, b""))] if noise else events

    _receives(patch, change)


# --- records -----------------------------------------------------------------------


def _channel(name: str, cls: type[Channel]) -> None:
    breaks(name)(lambda patch: patch.setattr(responder_module, "Channel", cls))


class _Skips(Channel):
    def seal(self, plain: bytes) -> tuple[int, bytes]:
        sealed = super().seal(plain)
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
        if not frame.last and len(frame.payload) < 512:
            return None
        return super().take(frame)


class _FirstWins(Channel):
    def _collect(self, frame: Frame) -> dict[int, Frame]:
        parts = self._partial.setdefault(frame.counter, {})
        parts.setdefault(frame.piece, frame)
        return parts


for _cls, _name in (
    (_Skips, "L6-own-counter"),
    (_MarksForged, "L6-tag"),
    (_Reflected, "L6-direction"),
    (_Forgetful, "P12-replay"),
    (_InOrder, "L6-fragments"),
    (_NoDoubles, "L6-doubles"),
    (_FullOnly, "L6-sizes"),
    (_FirstWins, "L6-forged"),
):
    _channel(_name, _cls)


@breaks("L6-window")
def _wide(patch: Patch) -> None:
    patch.setattr(records_module, "WINDOW", 200)


@breaks("L6-unfinished")
def _hoards(patch: Patch) -> None:
    patch.setattr(records_module, "MOST_PARTIAL", 50)


@breaks("L6-too-many")
def _endless(patch: Patch) -> None:
    patch.setattr(records_module, "MOST_FRAGMENTS", 300)


@breaks("P12-resend")
def _no_store(patch: Patch) -> None:
    patch.setattr(responder_module, "REPLIES_KEPT", 0)


@breaks("P12-four")
def _three(patch: Patch) -> None:
    patch.setattr(responder_module, "REPLIES_KEPT", 3)


@breaks("L6-counter")
def _newest(patch: Patch) -> None:
    inner, seen = Responder.reply, [0]

    def reply(self: Responder, request: Any, message: object) -> bytes:
        seen[0] = max(seen[0], request.counter)
        return inner(self, request._replace(counter=seen[0]), message)

    patch.setattr(Responder, "reply", reply)


def _takes_record(patch: Patch, change: Any) -> None:
    inner = Responder._take_record

    def take(self: Responder, frame: Frame) -> Any:
        return change(self, frame, lambda made: inner(self, made))

    patch.setattr(Responder, "_take_record", take)


@breaks("L6-header")
def _any_session(patch: Patch) -> None:
    def change(self: Responder, frame: Frame, go: Any) -> Any:
        live = self._current
        return go(frame if live is None else frame._replace(session=live.channel.session))

    _takes_record(patch, change)


@breaks("L6-incomplete")
def _acknowledges(patch: Patch) -> None:
    def change(_self: Responder, frame: Frame, go: Any) -> Any:
        return go(frame) or [Send(plain_frame(FrameKind.GREETING, b"more"))]

    _takes_record(patch, change)


def _decodes(patch: Patch, instead: Any) -> None:
    """What the pump makes of bytes that are no message."""
    inner = responder_module.decode

    def outer(data: bytes, *, from_station: bool) -> Any:
        try:
            return inner(data, from_station=from_station)
        except WireError:
            made = instead(data, inner)
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
        whole = len(data) == len(encode(GetLog(1, 1, Encoding.RAW)))
        return GetLog(1, 1, Encoding.RAW) if whole else None

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
_greets("P11-greetings", lambda f, _s, pump: (noted(f.core), pump)[1])
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
    inner = responder_module.decode_station_greeting

    def decode(data: bytes) -> Any:
        if data[0] != 1:
            raise WireError("another version")
        return inner(data)

    patch.setattr(responder_module, "decode_station_greeting", decode)


@breaks("L3-unreadable")
def _reads_anything(patch: Patch) -> None:
    inner = responder_module.decode_station_greeting

    def decode(data: bytes) -> Any:
        try:
            return inner(data)
        except WireError:
            return inner(b"\2\0")

    patch.setattr(responder_module, "decode_station_greeting", decode)


@breaks("L3-major-looks")
def _any_major(patch: Patch) -> None:
    inner = Responder.receive

    def receive(self: Responder, data: bytes) -> Any:
        return [e._replace(major=1) if hasattr(e, "major") else e for e in inner(self, data)]

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
    inner = responder_module.payload_of

    def payload(frame: Frame) -> bytes:
        if frame.kind is FrameKind.HANDSHAKE:
            return frame.payload[:48]
        return inner(frame)

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

    _takes_record(patch, change)
