"""Whose signature of a drug library counts here: public keys, with who trusts them since when.

library/keys/NAME.pem     a private key made here (`library_signing`), 0600
library/keys/NAME.pub     its public half, to be carried to other stations
library/trusted/NAME.pub  a public key that is trusted here; a revoked one stays, marked

Loads no cryptography: a check of a profile asks here whether a key still counts.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from pumpctl.errors import StoreError, UsageError
from pumpctl.named import NamedTuple
from pumpctl.station.home import Home, checked_name
from pumpctl.station.library_files import is_there, listed

_SCHEMA = "pumpctl.library.key/1"
_SIZE = 32
_WHO = "a library key"


class LibraryKey(NamedTuple):
    """A public key, and what is known of it at this station."""

    name: str
    public: bytes
    made: str
    by: str
    """Who made it."""
    trusted: str | None = None
    trusted_by: str | None = None
    revoked: str | None = None
    revoked_by: str | None = None

    @property
    def id(self) -> str:
        """What a signature names it by, and what two people compare: 80 bits of its hash."""
        return key_id(self.public)

    @property
    def counts(self) -> bool:
        """Whether a signature of it is taken here."""
        return self.trusted is not None and self.revoked is None


def key_id(public: bytes) -> str:
    """`ABCD-EFGH-IJKL-MNOP`: a short name of a public key, made of its hash."""
    digest = hashlib.sha256(b"pumpctl library key\0" + public).digest()
    letters = base64.b32encode(digest[:10]).decode("ascii")
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def key_folder(home: Home) -> Path:
    """Where this station's own keys are."""
    return home.library / "keys"


def _trusted_folder(home: Home) -> Path:
    return home.library / "trusted"


def write_public(home: Home, key: LibraryKey) -> Path:
    """Write the public half of a key made here, for other stations; its place."""
    path = key_folder(home) / f"{key.name}.pub"
    home.write_json(path, _json(key._replace(trusted=None, trusted_by=None)))
    return path


def own_keys(home: Home) -> tuple[LibraryKey, ...]:
    """The keys that were made here."""
    return tuple(_read(home, path) for path in _public_files(key_folder(home)))


def known_keys(home: Home) -> tuple[LibraryKey, ...]:
    """Every key that is or was trusted here; StoreError where one is damaged."""
    return tuple(_read(home, path) for path in _public_files(_trusted_folder(home)))


def find_key(home: Home, key: str) -> LibraryKey | None:
    """The key of this id, trusted or revoked; one damaged file hides no other key."""
    for path in _public_files(_trusted_folder(home)):
        try:
            known = _read(home, path)
        except StoreError:
            continue
        if known.id == key:
            return known
    return None


def read_public(home: Home, path: Path) -> LibraryKey:
    """A public key from a file of another station; UsageError where it is none."""
    try:
        return _read(home, path)._replace(
            trusted=None, trusted_by=None, revoked=None, revoked_by=None
        )
    except StoreError as error:
        raise UsageError(f"{path} is no public library key: {error.message}") from error


def trusted(home: Home, key: LibraryKey, name: str, *, at: str, operator: str) -> LibraryKey:
    """This key as one whose signatures are taken, under a name of this station's; not yet kept.

    UsageError where the name is another key's, or where the key was revoked: a
    revoked key never counts again.
    """
    checked_name(name, _WHO)
    for known in known_keys(home):
        if known.id == key.id and known.revoked is not None:
            raise UsageError(
                f"key {key.id} was revoked by {known.revoked_by} at {known.revoked}",
                hint="a revoked key never counts again: make a new one",
            )
        if known.id == key.id:
            raise UsageError(f"key {key.id} is trusted already, as {known.name}", hint="")
        if known.name == name:
            raise UsageError(f"{name} is the name of another key, {known.id}", hint="")
    return key._replace(name=name, trusted=at, trusted_by=operator)


def keep_trusted(home: Home, key: LibraryKey) -> None:
    """Take its signatures from now on."""
    home.write_json(_trusted_folder(home) / f"{key.name}.pub", _json(key))


def key_to_revoke(home: Home, name: str) -> LibraryKey:
    """The key that is trusted under this name; UsageError where none is, or no more."""
    checked_name(name, _WHO)
    path = _trusted_folder(home) / f"{name}.pub"
    if not is_there(path):
        raise UsageError(f"no key is trusted as {name}", hint="pumpctl library keys lists them")
    known = _read(home, path)
    if known.revoked is not None:
        raise UsageError(f"{name} was revoked by {known.revoked_by} at {known.revoked}", hint="")
    return known


def revoke_key(home: Home, name: str, *, at: str, operator: str) -> LibraryKey:
    """Take no signature of this key any more, of whatever day; UsageError for no such key."""
    revoked = key_to_revoke(home, name)._replace(revoked=at, revoked_by=operator)
    keep_trusted(home, revoked)
    return revoked


def _public_files(folder: Path) -> list[Path]:
    """StoreError where the folder cannot be read: no key is not the same as none to be seen."""
    return [folder / name for name in listed(folder) if Path(name).suffix == ".pub"]


def _json(key: LibraryKey) -> dict[str, Any]:
    told = {name: value for name, value in key._asdict().items() if value is not None}
    return {"schema": _SCHEMA, **told, "public": key.public.hex(), "id": key.id}


def _read(home: Home, path: Path) -> LibraryKey:
    value = home.read_json(path)
    if value is None:
        raise StoreError(f"{path} is not there")
    try:
        if value.pop("schema") != _SCHEMA:
            raise StoreError(f"{path} is damaged: it is of another kind")
        named = value.pop("id")
        key = LibraryKey(**{**value, "public": bytes.fromhex(value["public"])})
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is damaged: {error!r}") from error
    texts = [each for each in key if each is not key.public and each is not None]
    if not all(isinstance(each, str) for each in texts) or len(key.public) != _SIZE:
        raise StoreError(f"{path} is damaged: it holds no key")
    if named != key.id:
        raise StoreError(f"{path} is damaged: the key is not the one that it names")
    return key
