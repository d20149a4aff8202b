"""Listening to both directions of a line: what a capture needs to be opened later.

`HandshakeEar` stands beside a station that has its own keys and works out the two
keys of the session, as nothing else hands them out; `Listener` opens records with
them. Nothing here sends, and nobody who lacks the station's own secrets learns any.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import Deframer, Frame, Junk
from pumpctl.wire.noise import KEY_SIZE, KKPSK0, Cipher, Handshake, Keys, _hkdf
from pumpctl.wire.records import MOST_OUTSTANDING, Arrived, Channel, Repeated


class SessionKeys(NamedTuple):
    """The two keys of one session: secret, and good for nothing once it has ended."""

    session: int
    to_pump: bytes
    from_pump: bytes


class StationSecrets(NamedTuple):
    """What the station put into one handshake."""

    own: bytes
    """Its private key."""
    pump: bytes
    """The pump's public key."""
    psk: bytes
    ephemeral: bytes
    """The private key that was drawn for this handshake."""


class HandshakeEar:
    """Hears the greetings and the handshake of one session go by, and then nothing more."""

    def __init__(self) -> None:
        self._ways = {True: Deframer(), False: Deframer()}
        self._heard: dict[tuple[FrameKind, bool], bytes] = {}

    def hear(self, data: bytes, *, from_station: bool) -> None:
        """What passed on the line."""
        if self._done:
            return
        for item in self._ways[from_station].feed(data):
            if not isinstance(item, Junk) and item.kind is not FrameKind.RECORD:
                self._heard[item.kind, from_station] = item.payload

    def keys(self, secrets: StationSecrets) -> SessionKeys | None:
        """The session's keys; None where this was not the handshake of these secrets."""
        if not self._done:
            return None
        heard = self._heard
        shaking = _Telling(
            KKPSK0,
            initiator=True,
            prologue=heard[FrameKind.GREETING, True] + heard[FrameKind.GREETING, False],
            psk=secrets.psk,
            entropy=lambda _: secrets.ephemeral,
            own=secrets.own,
            peer=secrets.pump,
        )
        try:
            if shaking.write() != heard[FrameKind.HANDSHAKE, True]:
                return None
            shaking.read(heard[FrameKind.HANDSHAKE, False])
        except WireError:
            return None
        return shaking.session_keys()

    @property
    def _done(self) -> bool:
        return len(self._heard) == 4


class _Telling(Handshake):
    """A handshake that tells the raw keys which it ends with."""

    def session_keys(self) -> SessionKeys:
        to_pump, from_pump = _hkdf(self._chain, b"", 2)
        return SessionKeys(Channel(self.keys()).session, to_pump, from_pump)


class Listener:
    """Opens the records of one session, in both directions, in the order in which they came."""

    def __init__(self, keys: SessionKeys) -> None:
        """WireError where these are no keys of a session."""
        if {len(keys.to_pump), len(keys.from_pump)} != {KEY_SIZE}:
            raise WireError(f"a session's keys have {KEY_SIZE} bytes each")
        mark = keys.session.to_bytes(2, "big").ljust(32, b"\0")
        self._ways = {
            from_station: Channel(
                Keys(Cipher(bytes(KEY_SIZE)), Cipher(key), mark, b""), unfinished=MOST_OUTSTANDING
            )
            for from_station, key in ((True, keys.to_pump), (False, keys.from_pump))
        }

    def take(self, frame: Frame, *, from_station: bool) -> Arrived | Repeated | None:
        """As a `Channel` takes it: a whole record, the end of a repeated one, or None yet.

        Raises WireError for a record that is not authentic.
        """
        return self._ways[from_station].take(frame)
