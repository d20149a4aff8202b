"""Who counts as an operator by the journal: every addition and revocation, each signed.

The first operator is an admin and signs for themselves; whoever comes later is
signed for by an admin who counted then. So a file that somebody wrote, edited or
put back makes nobody an operator where it matters: as the second person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from pumpctl.errors import StoreError
from pumpctl.named import NamedTuple
from pumpctl.station.journal import STATION, Entry
from pumpctl.station.operator_keys import is_signed
from pumpctl.station.operators import KEY_BYTES, ROLES

ADDED: Final = "added"
ROLE: Final = "role"
REVOKED: Final = "revoked"
WHATS = (ADDED, ROLE, REVOKED)


class Vouched(NamedTuple):
    """What the journal says of one operator."""

    public: bytes
    role: str
    revoked: str | None
    """When; None: they count."""
    by: str
    """Who signed the last entry about them."""

    @property
    def counts(self) -> bool:
        """Whether they may act."""
        return self.revoked is None


Roll = dict[str, Vouched]
"""By name, revoked ones included."""


def signed_text(what: str, name: str, role: str, public: bytes, by: str, at: str) -> bytes:
    """What an admin signs; its first word keeps it apart from whatever else a key signs."""
    parts = ["pumpctl.operator/1", what, name, role, public.hex(), by, at]
    return json.dumps(parts, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def entry_body(
    what: str, name: str, role: str, public: bytes, by: str, signature: bytes
) -> dict[str, Any]:
    """The same as the journal keeps it, under the kind `operator`."""
    return {
        "what": what,
        "name": name,
        "role": role,
        "public": public.hex(),
        "by": by,
        "signature": signature.hex(),
    }


def roll_of(entries: Iterable[Entry]) -> Roll:
    """Everybody of whom the journal tells; StoreError where an entry is not rightly signed."""
    roll: Roll = {}
    for entry in entries:
        if entry.kind == "operator" and entry.pump == STATION:
            _take(roll, entry)
    return roll


def _take(roll: Roll, entry: Entry) -> None:
    try:
        what, name, role, by = (str(entry.body[key]) for key in ("what", "name", "role", "by"))
        public = bytes.fromhex(entry.body["public"])
        signature = bytes.fromhex(entry.body["signature"])
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(entry) from error
    if role not in ROLES or len(public) != KEY_BYTES:
        raise _bad(entry)
    # The first one signs for themselves.
    admin = roll.get(by) if roll else Vouched(public, role, None, by) if by == name else None
    if admin is None or not admin.counts or admin.role != "admin":
        raise _bad(entry)
    before = roll.get(name)
    fits = before is None if what == ADDED else before is not None and before.counts
    if what not in WHATS or not fits or (before is not None and before.public != public):
        raise _bad(entry)
    if not is_signed(admin.public, signed_text(what, name, role, public, by, entry.at), signature):
        raise _bad(entry)
    roll[name] = Vouched(public, role, entry.at if what == REVOKED else None, by)


def _bad(entry: Entry) -> StoreError:
    return StoreError(
        f"entry {entry.seq} of the journal, about an operator, is not signed by an admin of then",
        hint="restore the journal, then try again",
    )
