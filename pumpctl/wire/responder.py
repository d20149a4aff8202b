"""The pump's end of a session: at most one runs, and one waits; sans-IO. See `session`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import FrameKind, Purpose
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_PAYLOAD, Deframer, Frame, Junk
from pumpctl.wire.greeting import (
    MAJOR,
    PumpGreeting,
    StationGreeting,
    decode_station_greeting,
    encode_greeting,
)
from pumpctl.wire.message import decode, encode
from pumpctl.wire.messages import GetLog, Repeat
from pumpctl.wire.noise import KKPSK0, NNPSK0, Handshake, Keys
from pumpctl.wire.records import MOST_KEPT_BYTES, MOST_OUTSTANDING, Channel, Repeated
from pumpctl.wire.session import Entropy, payload_of, plain_frame

_MOST_KEPT = 2 * MOST_KEPT_BYTES
"""As frames on the line, which are at most twice as long as what they carry."""
GREETINGS_KEPT = 2
"""Of each known key, and of all strangers together: a late double of an older greeting must
not break the handshake that follows a newer one, and no stranger's displaces a station's."""


class PeerKey(NamedTuple):
    """What one end knows of the other: its key's short name, the key, the shared secret."""

    key_id: bytes
    public: bytes
    psk: bytes


class Knock(NamedTuple):
    """Somebody who has proved nothing yet wants a greeting or a handshake worked on."""

    kind: FrameKind
    key: bytes | None
    """Short name of the key that he names and the pump holds: he need not hold it. None for
    a stranger, who names no such key or wants to pair."""
    again: bool
    """It has an answer already, and only that is to be sent once more."""


class Send(NamedTuple):
    """Put these bytes on the line at once."""

    data: bytes


class Opened(NamedTuple):
    """A session's first record authenticated: it replaces the one before."""

    session: int
    key_id: bytes
    pairing: bool


class Request(NamedTuple):
    """An authentic request, for the first time. `message` is None where it makes no sense."""

    session: int
    counter: int
    key_id: bytes
    pairing: bool
    exported: bytes
    """Secret of the session's handshake; pairing derives the pre-shared key from it."""
    message: Any
    fault: str
    major: int = MAJOR
    """The station's; of another one only looking is allowed (TEL-06)."""


class _Kept(NamedTuple):
    """An answer of ours, for a resend or in part."""

    counter: int
    frames: tuple[bytes, ...]


class _Greeted:
    """A greeting that was answered, and the handshake that followed it."""

    __slots__ = ("answer", "born", "key", "shaken", "station")

    def __init__(
        self, station: StationGreeting, key: bytes | None, answer: bytes, born: int
    ) -> None:
        self.station, self.key, self.answer, self.born = station, key, answer, born
        self.shaken: tuple[bytes, bytes] | None = None


class _Live:
    """A session at the pump's end, pending until its first record."""

    __slots__ = ("born", "channel", "exported", "key_id", "major", "pairing", "replies")

    def __init__(self, keys: Keys, station: StationGreeting, born: int) -> None:
        self.born = born
        self.channel = Channel(keys)
        self.exported = keys.exported
        self.key_id = station.key
        self.major = station.major
        self.pairing = station.purpose is Purpose.PAIR
        self.replies: OrderedDict[int, _Kept] = OrderedDict()
        """The newest answers by the counter of their request."""


class Responder:
    """The pump's end of the line: at most one session, and one that waits to replace it."""

    def __init__(
        self,
        *,
        private_key: bytes,
        entropy: Entropy,
        greet: Callable[[StationGreeting], PumpGreeting],
        find_key: Callable[[bytes], PeerKey | None],
        pairing_psk: Callable[[], bytes | None],
        clock: Callable[[], int] = lambda: 0,
        admit: Callable[[Knock], bool] = lambda _: True,
    ) -> None:
        """`admit` is asked before a greeting or a handshake is answered, a resent one too,
        and before each computation that a handshake may need; what it does not want is junk
        and leaves no trace (SEC-07)."""
        self._private = private_key
        self._entropy, self._clock, self._admit = entropy, clock, admit
        self._greet = greet
        self._find_key = find_key
        self._pairing_psk = pairing_psk
        self._deframer = Deframer()
        self._greeted: OrderedDict[bytes, _Greeted] = OrderedDict()
        self._current: _Live | None = None
        self._pending: _Live | None = None

    def receive(self, data: bytes) -> list[Send | Opened | Request | Junk]:
        """What arrived, as events, in order."""
        events: list[Send | Opened | Request | Junk] = []
        for item in self._deframer.feed(data):
            if isinstance(item, Junk):
                events.append(item)
                continue
            try:
                if item.kind is FrameKind.GREETING:
                    events += self._take_greeting(payload_of(item))
                elif item.kind is FrameKind.HANDSHAKE:
                    events += self._take_handshake(payload_of(item))
                else:
                    events += self._take_record(item)
            except WireError as error:
                events.append(Junk(str(error), len(item.payload)))
        return events

    def reply(self, request: Request, message: object) -> bytes:
        """The answer's bytes; kept, so that a resent request is answered with the same."""
        live = self._current
        if live is None or live.channel.session != request.session:
            return b""
        fragment = MOST_PAYLOAD
        if isinstance(request.message, GetLog):
            fragment = request.message.fragment
        plain = request.counter.to_bytes(8, "big") + encode(message)
        live.replies[request.counter] = kept = _Kept(*live.channel.seal(plain, fragment))
        while len(live.replies) > MOST_OUTSTANDING or (
            sum(len(each) for old in live.replies.values() for each in old.frames) > _MOST_KEPT
        ):
            live.replies.popitem(last=False)
        return b"".join(kept.frames)

    def repeat(self, request: Request) -> bytes | None:
        """The fragments that a REPEAT asks for; None where that answer is not kept any more."""
        live, asked = self._current, request.message
        if live is None or live.channel.session != request.session or type(asked) is not Repeat:
            return None
        if live.pairing:
            return None  # it pairs, and does nothing else
        for kept in live.replies.values():
            if kept.counter == asked.counter:
                wanted = int.from_bytes(asked.pieces, "big")
                return b"".join(
                    frame for piece, frame in enumerate(kept.frames) if wanted >> piece & 1
                )
        return None

    @property
    def in_session(self) -> bool:
        """Does a session run, or wait for its first record?"""
        return self._current is not None or self._pending is not None

    def close(self) -> None:
        """Forget every session, as when the line is gone or the pump idles out."""
        self._current = self._pending = None
        self._greeted.clear()

    def forget_waiting(self, until: int) -> None:
        """Forget greetings and a pending session that are not younger; a running one goes on."""
        if self._pending is not None and self._pending.born <= until:
            self._pending = None
        for theirs in [each for each, kept in self._greeted.items() if kept.born <= until]:
            del self._greeted[theirs]

    def end(self, session: int) -> None:
        """Forget this session only, as after CLOSE; another station's handshake goes on."""
        if self._current is not None and self._current.channel.session == session:
            self._current = None

    def _take_greeting(self, payload: bytes) -> list[Send | Opened | Request | Junk]:
        kept = self._greeted.get(payload)
        if kept is not None:
            self._ask(FrameKind.GREETING, kept.key, again=True)
        else:
            station = decode_station_greeting(payload)
            key = self._named(station)
            self._ask(FrameKind.GREETING, key)
            answer = encode_greeting(self._greet(station))
            kept = self._greeted[payload] = _Greeted(station, key, answer, self._clock())
            same = [theirs for theirs, other in self._greeted.items() if other.key == key]
            for oldest in same[:-GREETINGS_KEPT]:
                del self._greeted[oldest]
        return [Send(plain_frame(FrameKind.GREETING, kept.answer))]

    def _named(self, station: StationGreeting) -> bytes | None:
        """The key that a greeting names, where the pump holds it. Pairing proves none."""
        if station.purpose is Purpose.PAIR or self._find_key(station.key) is None:
            return None
        return station.key

    def _ask(self, kind: FrameKind, key: bytes | None, *, again: bool = False) -> None:
        if not self._admit(Knock(kind, key, again)):
            raise WireError("turned away")

    def _take_handshake(self, payload: bytes) -> list[Send | Opened | Request | Junk]:
        for kept in self._greeted.values():
            if kept.shaken is not None and kept.shaken[0] == payload:
                self._ask(FrameKind.HANDSHAKE, kept.key, again=True)
                return [Send(kept.shaken[1])]
        why = WireError("a handshake without a greeting")
        for theirs, kept in reversed(self._greeted.items()):
            if kept.shaken is not None:
                continue  # one handshake for each greeting: a recorded one starts nothing again
            try:
                answer = self._shake(payload, theirs, kept)
            except WireError as error:
                why = error
                continue
            kept.shaken = (payload, answer)
            return [Send(answer)]
        raise why

    def _shake(self, payload: bytes, theirs: bytes, greeted: _Greeted) -> bytes:
        """Answer a handshake that follows this greeting; WireError where it does not."""
        station = greeted.station
        if station.purpose is Purpose.LOOK:
            raise WireError("a greeting that only looks opens no session")
        peer = None
        if station.purpose is Purpose.PAIR:
            psk = self._pairing_psk()
        else:
            peer = self._find_key(station.key)
            psk = None if peer is None else peer.psk
        if psk is None:
            raise WireError("no such key, or pairing is not open")
        self._ask(FrameKind.HANDSHAKE, greeted.key)
        for _ in range(4):  # one clash in 65,536 is drawn again
            handshake = Handshake(
                NNPSK0 if peer is None else KKPSK0,
                initiator=False,
                prologue=theirs + greeted.answer,
                psk=psk,
                entropy=self._entropy,
                own=None if peer is None else self._private,
                peer=None if peer is None else peer.public,
            )
            handshake.read(payload)
            answer = handshake.write()
            live = _Live(handshake.keys(), station, self._clock())
            if self._current is None or self._current.channel.session != live.channel.session:
                self._pending = live
                return plain_frame(FrameKind.HANDSHAKE, answer)
        raise WireError("no free session number")

    def _take_record(self, frame: Frame) -> list[Send | Opened | Request | Junk]:
        events: list[Send | Opened | Request | Junk] = []
        live = self._current
        if live is None or live.channel.session != frame.session:
            live = self._pending
        if live is None or live.channel.session != frame.session:
            raise WireError("a record of no session")
        arrived = live.channel.take(frame)
        if isinstance(arrived, Repeated):
            kept = live.replies.get(arrived.counter)
            return [] if kept is None else [Send(b"".join(kept.frames))]
        if arrived is None:
            return []
        if live is self._pending:
            self._current, self._pending = live, None
            events.append(Opened(live.channel.session, live.key_id, live.pairing))
        message, fault = None, ""
        try:
            message = decode(arrived.plain, from_station=True)
        except WireError as error:
            fault = str(error)
        events.append(
            Request(
                live.channel.session,
                arrived.counter,
                live.key_id,
                live.pairing,
                live.exported,
                message,
                fault,
                live.major,
            )
        )
        return events
