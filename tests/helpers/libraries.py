"""Drug libraries of a site, as text, and signed: for tests."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pumpctl.station.library_keys import LibraryKey
from pumpctl.station.library_signing import signed
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.library_text import to_toml
from pumpctl.therapy.moment import Date

AT = "2026-01-02T03:04:05Z"


def site_library(
    version: int = 1,
    *,
    site: str = "st-elsewhere",
    issued: str = "2020-01-01",
    expires: str = "2999-12-31",
    short: bool = False,
) -> str:
    """The library that ships, as a site's own; `short`: of one concentration only."""
    made = DEFAULT._replace(
        site=site,
        version=version,
        issued=Date.parse(issued),
        expires=Date.parse(expires),
        listed=DEFAULT.listed[-1:] if short else DEFAULT.listed,
    )
    return to_toml(made)


def altered_all(text: str, old: str, new: str) -> str:
    """The text with this changed wherever it stands, which must be somewhere."""
    assert old in text, old
    return text.replace(old, new)


def private_key(name: str) -> Ed25519PrivateKey:
    """The same key for the same name, in every run."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public_key(name: str, **more: Any) -> LibraryKey:
    """Its public half."""
    raw = private_key(name).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return LibraryKey(name, raw, AT, "maker")._replace(**more)


def signed_file(path: Path, text: str, name: str = "pharmacy") -> Path:
    """A library signed with that key, in a file."""
    path.write_bytes(signed(text.encode(), private_key(name))[0])
    return path
