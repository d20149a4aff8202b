"""The other implementation: `noiseprotocol` for the handshakes, `plain` for the frames.

What a conversation looks like when `pumpctl.wire` takes no part in it.
"""

from __future__ import annotations

import hashlib
import hmac
import warnings
from typing import Any

from noise.connection import Keypair, NoiseConnection

from tests.wire.plain import frame_bytes

NAMES = {
    "NN": b"Noise_NNpsk0_25519_ChaChaPoly_SHA256",
    "KK": b"Noise_KKpsk0_25519_ChaChaPoly_SHA256",
}
GREETING, HANDSHAKE, RECORD = 0xB1, 0xD2, 0x63


class Other:
    """One side of a handshake and of the records after it."""

    def __init__(
        self,
        pattern: str,
        *,
        initiator: bool,
        prologue: bytes,
        psk: bytes,
        own: bytes | None = None,
        peer: bytes | None = None,
        ephemeral: bytes | None = None,
    ) -> None:
        connection: Any = NoiseConnection.from_name(NAMES[pattern])
        connection.set_psks(psk)
        connection.set_prologue(prologue)
        if own is not None:
            connection.set_keypair_from_private_bytes(Keypair.STATIC, own)
            connection.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, peer)
        if ephemeral is not None:
            connection.set_keypair_from_private_bytes(Keypair.EPHEMERAL, ephemeral)
        if initiator:
            connection.set_as_initiator()
        else:
            connection.set_as_responder()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "one of ephemeral keypairs is already set"
            connection.start_handshake()
        self._connection = connection
        self._symmetric = connection.noise_protocol.symmetric_state

    def write(self) -> bytes:
        """The next handshake message."""
        return bytes(self._connection.write_message())

    def read(self, message: bytes) -> None:
        """Take the peer's."""
        payload = self._connection.read_message(message)
        assert bytes(payload) == b""

    @property
    def hash(self) -> bytes:
        """The handshake hash."""
        return bytes(self._connection.get_handshake_hash())

    @property
    def exported(self) -> bytes:
        """Section 4 of the document: HMAC-SHA-256 under the final chaining key."""
        return hmac.new(self._symmetric.ck, b"pumpctl exported", hashlib.sha256).digest()

    @property
    def keys(self) -> tuple[bytes, bytes]:
        """Of what we send and of what we receive."""
        protocol = self._connection.noise_protocol
        return bytes(protocol.cipher_state_encrypt.k), bytes(protocol.cipher_state_decrypt.k)

    def seal(self, counter: int, plain: bytes) -> bytes:
        """A record's sealed text, from section 6."""
        state = self._connection.noise_protocol.cipher_state_encrypt
        state.set_nonce(counter)
        return bytes(state.encrypt_with_ad(self._header(counter), plain))

    def open(self, counter: int, sealed: bytes) -> bytes:
        """What is in a record that was received."""
        state = self._connection.noise_protocol.cipher_state_decrypt
        state.set_nonce(counter)
        return bytes(state.decrypt_with_ad(self._header(counter), sealed))

    def record(self, counter: int, plain: bytes) -> bytes:
        """A record's frames."""
        sealed = self.seal(counter, plain)
        pieces = [sealed[at : at + 640] for at in range(0, len(sealed), 640)]
        session, low = int.from_bytes(self.hash[:2], "big"), counter % 65_536
        return b"".join(
            frame_bytes(RECORD, session, low, index, int(index == len(pieces) - 1), piece)
            for index, piece in enumerate(pieces)
        )

    def _header(self, counter: int) -> bytes:
        return bytes([RECORD]) + self.hash[:2] + counter.to_bytes(8, "big")


def conversation(given: dict[str, bytes], pattern: str) -> dict[str, bytes]:
    """Greeting to answer, with fixed keys and numbers: everything that is derived on the way."""
    prologue = given["station_greeting"] + given["pump_greeting"]
    statics: list[dict[str, bytes]] = [{}, {}]
    if pattern == "KK":
        statics = [
            {"own": given["station_private"], "peer": given["pump_public"]},
            {"own": given["pump_private"], "peer": given["station_public"]},
        ]
    psk = given["psk"]
    station, pump = (
        Other(pattern, initiator=first, prologue=prologue, psk=psk, ephemeral=ephemeral, **static)
        for first, ephemeral, static in zip(
            (True, False),
            (given["station_ephemeral"], given["pump_ephemeral"]),
            statics,
            strict=True,
        )
    )
    first = station.write()
    pump.read(first)
    second = pump.write()
    station.read(second)
    assert station.keys == pump.keys[::-1]
    return {
        "handshake_hash": station.hash,
        "session": station.hash[:2],
        "exported": station.exported,
        "station_key": station.keys[0],
        "pump_key": pump.keys[0],
        "line_1_station": b"\0" + frame_bytes(GREETING, 0, 0, 0, 1, given["station_greeting"]),
        "line_2_pump": frame_bytes(GREETING, 0, 0, 0, 1, given["pump_greeting"]),
        "line_3_station": frame_bytes(HANDSHAKE, 0, 0, 0, 1, first),
        "line_4_pump": frame_bytes(HANDSHAKE, 0, 0, 0, 1, second),
        "line_5_station": station.record(1, given["request"]),
        "line_6_pump": pump.record(1, (1).to_bytes(8, "big") + given["answer"]),
    }
