"""An operator's signing key: made, sealed by a passphrase of their own, used and checked.

Ed25519; the private half lies under ChaCha20-Poly1305 with a key that scrypt makes of
the passphrase, bound to the operator's name. Randomness comes from the caller. What
is signed, and what for, is known to the workflows.
"""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pumpctl.errors import NotConfirmed, StoreError, UsageError
from pumpctl.named import NamedTuple
from pumpctl.station.operators import KEY_BYTES, Operator

SIGNATURE_BYTES = 64
LEAST_PASSPHRASE = 8
"""Characters; NIST SP 800-63B, 5.1.1.2."""
_N, _R, _P = 2**15, 8, 3
"""32 MiB and a fifth of a second for each guess: OWASP's password storage page."""
_SALT, _NONCE, _TAG = 16, 12, 16
_MARK = "scrypt-15-8-3.chacha20poly1305"
"""How it is sealed; another way would have another mark. Nothing in a file chooses the cost."""


Signer = Callable[[bytes], bytes]
"""A message in, its signature out."""


class MadeKey(NamedTuple):
    """A new key: its public half, and the private one sealed."""

    public: bytes
    sealed: str


def make_signing_key(name: str, passphrase: str, entropy: Callable[[int], bytes]) -> MadeKey:
    """A new key for this operator; UsageError for a passphrase that is too short."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise UsageError(
            f"a passphrase of an operator has at least {LEAST_PASSPHRASE} characters",
            hint="nobody but the operator knows it; several words are easy to type",
        )
    seed, salt, nonce = entropy(KEY_BYTES), entropy(_SALT), entropy(_NONCE)
    box = ChaCha20Poly1305(_stretched(passphrase, salt))
    sealed = salt + nonce + box.encrypt(nonce, seed, _bound(name))
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return MadeKey(
        public.public_bytes(Encoding.Raw, PublicFormat.Raw),
        f"{_MARK}.{base64.b64encode(sealed).decode('ascii')}",
    )


def signer(operator: Operator, passphrase: str) -> Signer:
    """What signs as this operator; NotConfirmed for another passphrase than theirs.

    StoreError where the sealed key is damaged or another than the public one.
    """
    raw = _unsealable(operator)
    salt, nonce, box = raw[:_SALT], raw[_SALT : _SALT + _NONCE], raw[_SALT + _NONCE :]
    try:
        seed = ChaCha20Poly1305(_stretched(passphrase, salt)).decrypt(
            nonce, box, _bound(operator.name)
        )
    except InvalidTag as error:
        raise NotConfirmed(f"this is not the passphrase of operator {operator.name}") from error
    private = Ed25519PrivateKey.from_private_bytes(seed)
    if private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) != operator.public:
        raise StoreError(f"the key of operator {operator.name} is damaged: its halves differ")
    return private.sign


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this is this public key's signature of these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _unsealable(operator: Operator) -> bytes:
    mark, _, text = (operator.sealed or "").rpartition(".")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if mark != _MARK or len(raw) != _SALT + _NONCE + KEY_BYTES + _TAG:
        raise StoreError(f"the key of operator {operator.name} is damaged or not there")
    return raw


def _stretched(passphrase: str, salt: bytes) -> bytes:
    plain = unicodedata.normalize("NFKC", passphrase)  # the same on every keyboard and system
    try:
        raw = plain.encode()
    except UnicodeEncodeError as error:  # half a character, from a terminal of another coding
        raise NotConfirmed("this passphrase cannot be read: type it again") from error
    return Scrypt(salt, KEY_BYTES, _N, _R, _P).derive(raw)


def _bound(name: str) -> bytes:
    return b"pumpctl operator key\0" + name.encode("ascii")
