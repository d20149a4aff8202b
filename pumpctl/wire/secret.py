"""The implant card's secret, and the keys that pairing derives from it.

128 bits in Crockford's base32 (no I, L, O, U) in groups of four, with a check
character over all (mod 37), so that a slip of the pen is noticed at the station
and not guessed at by the pump. Small letters, spaces and dashes are read.
"""

from __future__ import annotations

import hashlib

from pumpctl.wire.fields import WireError

SECRET_SIZE = 16
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS = _ALPHABET + "*~$=U"
_DIGITS = 26
_ALIASES = str.maketrans("ilo", "110")


def secret_text(secret: bytes) -> str:
    """16 bytes as they are printed on the card."""
    if len(secret) != SECRET_SIZE:
        raise WireError(f"a pairing secret has {SECRET_SIZE} bytes")
    number = int.from_bytes(secret, "big")
    digits = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_DIGITS)))
    whole = digits + _CHECKS[number % 37]
    return "-".join(whole[start : start + 4] for start in range(0, len(whole), 4))


def secret_bytes(text: str) -> bytes:
    """What somebody typed from a card; WireError with the reason where it cannot be right."""
    if not text.isascii():
        raise WireError("a pairing secret is plain ASCII")
    plain = "".join(text.split()).replace("-", "")
    plain = plain.lower().translate(_ALIASES).upper()
    if len(plain) != _DIGITS + 1:
        raise WireError(f"a pairing secret has {_DIGITS + 1} characters, not {len(plain)}")
    number = 0
    for character in plain[:-1]:
        value = _ALPHABET.find(character)
        if value < 0:
            raise WireError(f"{character!r} does not occur in a pairing secret")
        number = number << 5 | value
    if number >> 8 * SECRET_SIZE or _CHECKS[number % 37] != plain[-1]:
        raise WireError("the check character does not fit: read the card again")
    return number.to_bytes(SECRET_SIZE, "big")


def pairing_psk(secret: bytes) -> bytes:
    """The pre-shared key of a pairing session (NNpsk0)."""
    return hashlib.sha256(b"pumpctl pairing psk\0" + secret).digest()


def session_psk(exported: bytes) -> bytes:
    """The pre-shared key of later sessions (KKpsk0), from the pairing's exported secret."""
    return hashlib.sha256(b"pumpctl session psk\0" + exported).digest()


def key_id(public: bytes) -> bytes:
    """The short name of a public key."""
    return hashlib.sha256(b"pumpctl key id\0" + public).digest()[:8]
