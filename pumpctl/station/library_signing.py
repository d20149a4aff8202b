"""Signing a drug library and looking at a signature: Ed25519, over a well-kept library.

A private key is a PKCS8 file, 0600, wrapped with a passphrase or not. Randomness
comes from the caller. Which keys count is in `library_keys`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from pumpctl.errors import LibrarySignature, NotConfirmed, StoreError, UsageError
from pumpctl.station.home import Home, checked_name
from pumpctl.station.library_files import is_there
from pumpctl.station.library_keys import LibraryKey, key_folder, key_id
from pumpctl.station.library_trailer import Signed, joined, message, unsigned

_MOST_BYTES = 16 * 1024
_WRAPPED = b"BEGIN ENCRYPTED PRIVATE KEY"


def make_private(home: Home, name: str, seed: bytes, passphrase: str) -> bytes:
    """Make a private key of 32 random bytes and keep it; its public half.

    `passphrase`: empty for none. UsageError where there is a key of this name.
    """
    checked_name(name, "a library key")
    path = key_folder(home) / f"{name}.pem"
    if is_there(path):
        raise UsageError(f"there is a key {name} already", hint="choose another name")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    wrapping = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    home.make()
    home.write_bytes(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, wrapping))
    return _public(private)


def read_private(path: Path, passphrase: Callable[[], str]) -> Ed25519PrivateKey:
    """A private key from its file; `passphrase` is asked only where it is wrapped.

    UsageError where it is no such key, StoreError where others could read a bare
    one, NotConfirmed for a wrong passphrase.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error}", hint="") from error
    wrapped = _WRAPPED in raw
    if not wrapped and os.name != "nt" and mode & 0o077:
        raise StoreError(f"the key {path} can be read by others", hint=f"chmod 600 {path}")
    try:
        key = load_pem_private_key(raw, passphrase().encode() if wrapped else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if wrapped:
            raise NotConfirmed(f"this is not the passphrase of the key {path}") from error
        raise UsageError(f"{path} is no private key: {error}", hint="") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} is no Ed25519 key", hint="pumpctl library keys --new makes one")
    return key


def signed(data: bytes, private: Ed25519PrivateKey) -> tuple[bytes, str]:
    """The file with this key's signature in place of any other, and the key's id."""
    body = unsigned(data)
    named = key_id(_public(private))
    return joined(body, named, private.sign(message(body, named))), named


def check_signature(found: Signed, key: LibraryKey) -> None:
    """LibrarySignature where this is not this key's signature of this file."""
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(found.signature, found.message)
    except (InvalidSignature, ValueError) as error:
        raise LibrarySignature(
            f"the signature is not key {key.id}'s of this file: it was changed after it was signed"
        ) from error


def _public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
