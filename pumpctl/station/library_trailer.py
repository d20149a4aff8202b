"""The signature at the end of a library's own file: two lines of comment, to the byte.

```
#:signed-by ABCD-EFGH-IJKL-MNOP
#:signature BASE64 OF 64 BYTES
```

The signature covers every byte before its own line. There is one spelling: no
carriage return, no space more, a newline at the end and nothing behind it; so
whatever was changed on the way is found. What a key is worth is not known here.
"""

from __future__ import annotations

import base64
import re

from pumpctl.errors import LibrarySignature
from pumpctl.named import NamedTuple

_DOMAIN = b"pumpctl drug library 1\0"
"""In front of what is signed: a signature of this key over anything else is none here."""
_MARK = re.compile(rb"^#:sign", re.MULTILINE)
_TRAILER = re.compile(
    rb"#:signed-by (?P<key>[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})\n"
    rb"#:signature (?P<signature>[A-Za-z0-9+/]{86}==)\n"
)
_SIZE = len(b"#:signed-by ABCD-EFGH-IJKL-MNOP\n#:signature \n") + 88


class Signed(NamedTuple):
    """A signed file, taken apart."""

    body: bytes
    """The library itself; nothing else is ever read as one."""
    key: str
    signature: bytes
    message: bytes
    """What the signature is over."""


def taken_apart(data: bytes) -> Signed | None:
    """The parts of a signed file; None for one without any signature.

    LibrarySignature where there are lines of a signature, but not as they must be:
    cut, changed, twice, or with something behind them.
    """
    if _MARK.search(data) is None:
        return None
    body, trailer = data[:-_SIZE], data[-_SIZE:]
    found = _TRAILER.fullmatch(trailer)
    if found is None or not body.endswith(b"\n"):
        raise LibrarySignature("the signature at the end of the file is cut or was changed")
    if _MARK.search(body) is not None:
        raise LibrarySignature("there are lines of a second signature in the file")
    signature = base64.b64decode(found["signature"])
    if base64.b64encode(signature) != found["signature"]:
        raise LibrarySignature("the signature is not in its one spelling")
    key = found["key"].decode("ascii")
    return Signed(body, key, signature, message(body, key))


def message(body: bytes, key: str) -> bytes:
    """What is signed: the library, and the line that names the key."""
    return _DOMAIN + body + _signed_by(key)


def joined(body: bytes, key: str, signature: bytes) -> bytes:
    """The signed file."""
    return body + _signed_by(key) + b"#:signature " + base64.b64encode(signature) + b"\n"


def unsigned(data: bytes) -> bytes:
    """What is to be signed: without an old signature, with a newline at its end."""
    old = taken_apart(data)
    body = data if old is None else old.body
    return body if body.endswith(b"\n") else body + b"\n"


def _signed_by(key: str) -> bytes:
    return b"#:signed-by " + key.encode("ascii") + b"\n"
