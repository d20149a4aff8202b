"""The one handshake message that no honest library makes: with a public key of low order.

Every shared secret with such a key is zeros, so that whoever sends it knows it
without a private key. A pump that does not refuse it would take part in a
session with predictable secrets (section 5). Written after the Noise Protocol
Framework, revision 34, for this one message.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from pumpctl.conformance.session import Own
from pumpctl.wire.noise import KKPSK0, public_key

ZERO = bytes(32)


def _mixed(chain: bytes, material: bytes, count: int) -> list[bytes]:
    secret = hmac.digest(chain, material, "sha256")
    out = [b""]
    for number in range(1, count + 1):
        out.append(hmac.digest(secret, out[-1] + bytes([number]), "sha256"))
    return out[1:]


def _hashed(transcript: bytes, data: bytes) -> bytes:
    return hashlib.sha256(transcript + data).digest()


def low_order_message(prologue: bytes, own: Own, public: bytes) -> bytes:
    """KKpsk0's first message with `public` for its ephemeral key; authentic but for that."""
    chain = transcript = hashlib.sha256(KKPSK0.name).digest()
    for known in (prologue, public_key(own.private), own.pump):
        transcript = _hashed(transcript, known)
    chain, mixed, _ = _mixed(chain, own.psk, 3)
    transcript = _hashed(_hashed(transcript, mixed), public)
    chain, _ = _mixed(chain, public, 2)
    chain, _ = _mixed(chain, ZERO, 2)  # es
    pump = X25519PublicKey.from_public_bytes(own.pump)
    shared = X25519PrivateKey.from_private_bytes(own.private).exchange(pump)
    _, key = _mixed(chain, shared, 2)  # ss
    return public + ChaCha20Poly1305(key).encrypt(bytes(12), b"", transcript)
