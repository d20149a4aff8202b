"""The Noise handshakes NNpsk0 and KKpsk0 over X25519, ChaCha20-Poly1305 and SHA-256.

Composed over the `cryptography` package after the Noise specification, revision
34, and checked against its public vectors and a second implementation. It knows
the two patterns and nothing else of Noise. Entropy is handed in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from pumpctl.named import NamedTuple
from pumpctl.wire.fields import WireError

TAG_SIZE = 16
KEY_SIZE = 32
_FOUR_ZEROS = bytes(4)


class Pattern(NamedTuple):
    """A handshake pattern: its Noise name, whether static keys are known, its messages."""

    name: bytes
    static: bool
    messages: tuple[tuple[str, ...], ...]


NNPSK0 = Pattern(b"Noise_NNpsk0_25519_ChaChaPoly_SHA256", False, (("psk", "e"), ("e", "ee")))
KKPSK0 = Pattern(
    b"Noise_KKpsk0_25519_ChaChaPoly_SHA256",
    True,
    (("psk", "e", "es", "ss"), ("e", "ee", "se")),
)


class Cipher:
    """A key with a counter; `seal` and `open` may also be given the counter explicitly."""

    __slots__ = ("_aead", "_next")

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self._next = 0

    def seal(self, plain: bytes, header: bytes, counter: int | None = None) -> bytes:
        """Encrypt under the counter and bind the header to it."""
        if counter is None:
            counter = self._next
            self._next += 1
        return self._aead.encrypt(_nonce(counter), plain, header)

    def open(self, sealed: bytes, header: bytes, counter: int | None = None) -> bytes:
        """Decrypt and authenticate; WireError where either fails."""
        used = self._next if counter is None else counter
        try:
            plain = self._aead.decrypt(_nonce(used), sealed, header)
        except InvalidTag as error:
            raise WireError("authentication fails") from error
        if counter is None:
            self._next += 1
        return plain


def _nonce(counter: int) -> bytes:
    return _FOUR_ZEROS + counter.to_bytes(8, "little")


class Keys(NamedTuple):
    """What a finished handshake yields.

    `handshake_hash` names the transcript and is no secret; `exported` is a secret
    that both ends share, from which pairing derives the pre-shared key of sessions.
    """

    send: Cipher
    receive: Cipher
    handshake_hash: bytes
    exported: bytes


class Handshake:
    """One side of one handshake. Messages must be written and read in turn."""

    def __init__(
        self,
        pattern: Pattern,
        *,
        initiator: bool,
        prologue: bytes,
        psk: bytes,
        entropy: Callable[[int], bytes],
        own: bytes | None = None,
        peer: bytes | None = None,
    ) -> None:
        if (own is not None, peer is not None) != (pattern.static, pattern.static):
            raise ValueError("KK wants both static keys, NN none")
        self._pattern = pattern
        self._initiator = initiator
        self._psk = psk
        self._entropy = entropy
        self._own = None if own is None else X25519PrivateKey.from_private_bytes(own)
        self._peer = None if peer is None else X25519PublicKey.from_public_bytes(peer)
        self._ephemeral: X25519PrivateKey | None = None
        self._peer_ephemeral: X25519PublicKey | None = None
        self._step = 0
        self._cipher: Cipher | None = None
        name = pattern.name
        self._hash = name.ljust(32, b"\0") if len(name) <= 32 else hashlib.sha256(name).digest()
        self._chain = self._hash
        self._mix_hash(prologue)
        if self._own is not None and self._peer is not None:
            ours, theirs = self._own.public_key().public_bytes_raw(), self._peer.public_bytes_raw()
            for public in (ours, theirs) if initiator else (theirs, ours):
                self._mix_hash(public)

    @property
    def finished(self) -> bool:
        """Have both messages passed?"""
        return self._step == len(self._pattern.messages)

    def write(self, payload: bytes = b"") -> bytes:
        """The next message of ours. The protocol's own handshakes carry no payload."""
        out = b""
        for word in self._turn(ours=True):
            if word == "e":
                self._ephemeral = X25519PrivateKey.from_private_bytes(self._entropy(KEY_SIZE))
                public = self._ephemeral.public_key().public_bytes_raw()
                out += public
                self._mix_ephemeral(public)
            else:
                self._mix_word(word)
        return out + self._seal(payload)

    def read(self, message: bytes) -> bytes:
        """Take the peer's next message; WireError where it is not authentic.

        A message that is refused leaves no trace: the authentic one may still come.
        """
        before = (self._step, self._hash, self._chain, self._cipher, self._peer_ephemeral)
        try:
            return self._read(message)
        except WireError:
            self._step, self._hash, self._chain, self._cipher, self._peer_ephemeral = before
            raise

    def keys(self) -> Keys:
        """The two transport ciphers, ours to send first."""
        if not self.finished:
            raise ValueError("the handshake is not finished")
        first, second = _hkdf(self._chain, b"", 2)
        send, receive = (first, second) if self._initiator else (second, first)
        exported = hmac.digest(self._chain, b"pumpctl exported", "sha256")
        return Keys(Cipher(send), Cipher(receive), self._hash, exported)

    def _read(self, message: bytes) -> bytes:
        for word in self._turn(ours=False):
            if word == "e":
                public, message = message[:KEY_SIZE], message[KEY_SIZE:]
                if len(public) != KEY_SIZE:
                    raise WireError("a handshake message that is too short")
                self._peer_ephemeral = X25519PublicKey.from_public_bytes(public)
                self._mix_ephemeral(public)
            else:
                self._mix_word(word)
        return self._open(message)

    def _turn(self, *, ours: bool) -> tuple[str, ...]:
        if self.finished or ours != ((self._step % 2 == 0) == self._initiator):
            raise ValueError("a handshake message out of turn")
        tokens = self._pattern.messages[self._step]
        self._step += 1
        return tokens

    def _mix_word(self, word: str) -> None:
        if word == "psk":
            self._chain, mixed, key = _hkdf(self._chain, self._psk, 3)
            self._mix_hash(mixed)
            self._cipher = Cipher(key)
            return
        # The first letter names the initiator's key, the second the responder's.
        ours, theirs = (word[0], word[1]) if self._initiator else (word[1], word[0])
        private = self._ephemeral if ours == "e" else self._own
        public = self._peer_ephemeral if theirs == "e" else self._peer
        if private is None or public is None:
            raise ValueError(f"no key for {word}")
        try:
            shared = private.exchange(public)
        except ValueError as error:
            raise WireError("a public key of low order") from error
        self._mix_key(shared)

    def _mix_ephemeral(self, public: bytes) -> None:
        self._mix_hash(public)
        self._mix_key(public)  # every psk pattern does this

    def _mix_key(self, material: bytes) -> None:
        self._chain, key = _hkdf(self._chain, material, 2)
        self._cipher = Cipher(key)

    def _mix_hash(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def _seal(self, payload: bytes) -> bytes:
        if self._cipher is None:
            raise ValueError("nothing to seal with")
        sealed = self._cipher.seal(payload, self._hash)
        self._mix_hash(sealed)
        return sealed

    def _open(self, sealed: bytes) -> bytes:
        if self._cipher is None:
            raise ValueError("nothing to open with")
        plain = self._cipher.open(sealed, self._hash)
        self._mix_hash(sealed)
        return plain


def _hkdf(chain: bytes, material: bytes, count: int) -> tuple[bytes, ...]:
    secret = hmac.digest(chain, material, "sha256")
    outputs: list[bytes] = []
    previous = b""
    for number in range(1, count + 1):
        previous = hmac.digest(secret, previous + bytes([number]), "sha256")
        outputs.append(previous)
    return tuple(outputs)


def public_key(private: bytes) -> bytes:
    """The public half of an X25519 key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
