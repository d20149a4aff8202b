"""The operators of a station: who may act here, in which role, and the key they sign with.

operators/known/NAME.json   one operator: role, public key, who added and revoked them,
                            and the private key, sealed by the operator's own passphrase

A pump knows other keys, one for each operator (`home`): these here never leave the
station, and are asked of a person, not of a computer. A name stands for one person
for good: a revoked one stays, marked, without its private half. Sealing and signing
are in `operator_keys`: nothing here loads cryptography.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pumpctl.errors import StoreError, UnknownOperator
from pumpctl.named import NamedTuple
from pumpctl.station.home import Home, checked_name
from pumpctl.station.library_files import is_there, listed

ROLES = ("observer", "clinician", "engineer", "admin")
"""The roles of the pump's matrix (SEC-06)."""
TREATS = frozenset({"clinician", "admin"})
"""Who changes therapy on a pump that is not on the bench."""
_RANK = {"observer": 0, "engineer": 1, "clinician": 2, "admin": 3}
"""As a pump ranks them: an engineer treats no patient's pump."""
WHO = "an operator"
KEY_BYTES = 32
_SCHEMA = "pumpctl.operator.known/1"


class Operator(NamedTuple):
    """One operator of this station."""

    name: str
    role: str
    """Of `ROLES`; the pump enforces the one that it has granted to the operator's key."""
    public: bytes
    """Ed25519: what a signature of theirs is held against."""
    added: str
    added_by: str
    sealed: str | None
    """The private half, sealed by a passphrase (`operator_keys`); None once revoked."""
    revoked: str | None = None
    revoked_by: str | None = None

    @property
    def id(self) -> str:
        """A short name of the public key: 80 bits of its hash."""
        return signing_key_id(self.public)

    @property
    def counts(self) -> bool:
        """Whether they may act."""
        return self.revoked is None


def signing_key_id(public: bytes) -> str:
    """`ABCD-EFGH-IJKL-MNOP`, of an operator's public signing key."""
    import base64  # only where a key is shown

    digest = hashlib.sha256(b"pumpctl operator key\0" + public).digest()
    letters = base64.b32encode(digest[:10]).decode("ascii")
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def known_operators(home: Home) -> tuple[Operator, ...]:
    """Everybody who was ever added here, by name; StoreError where one cannot be read."""
    folder = _folder(home)
    names = sorted(name for name in listed(folder) if name.endswith(".json"))
    return tuple(_read(home, folder / name) for name in names)


def any_operators(home: Home) -> bool:
    """Whether `operator add` has been used here; reads no file of theirs."""
    return any(name.endswith(".json") for name in listed(_folder(home)))


def find_operator(home: Home, name: str) -> Operator | None:
    """The one of this name, revoked or not; StoreError where the file is damaged."""
    path = _path(home, name)
    return _read(home, path) if is_there(path) else None


def need_operator(home: Home, name: str) -> Operator:
    """The one of this name who may act; UnknownOperator otherwise."""
    found = find_operator(home, name)
    if found is None:
        raise UnknownOperator(f"{name} is no operator of this station")
    if not found.counts:
        raise UnknownOperator(
            f"operator {name} was revoked by {found.revoked_by} at {found.revoked}"
        )
    return found


def check_acting(home: Home, name: str) -> None:
    """UnknownOperator where operators were added here and this is none of them, or revoked."""
    if any_operators(home):
        need_operator(home, name)


def role_to_ask(home: Home, name: str, wanted: str) -> str:
    """What to ask of a pump at pairing: no more than the operator's role at this station."""
    found = find_operator(home, name)
    return wanted if found is None else min(wanted, found.role, key=_RANK.__getitem__)


def keep_operator(home: Home, operator: Operator) -> None:
    """Write an operator down, whole, for this user's eyes only."""
    home.write_json(_path(home, operator.name), _json(operator))


def prepare_operator(home: Home, operator: Operator) -> None:
    """The same beside its place: nobody counts before the journal tells of them."""
    home.make()
    home.write_json(_prepared(home, operator.name), _json(operator))


def put_in_place(home: Home, name: str) -> None:
    """Let whom the journal tells of count, from now on."""
    try:
        _prepared(home, name).replace(_path(home, name))
    except OSError as error:
        raise StoreError(f"operator {name} cannot be written: {error}") from error


def prepared_operator(home: Home, name: str) -> Operator | None:
    """Whoever was prepared under this name and not put in place: a process was ended there."""
    path = _prepared(home, name)
    return _read(home, path) if is_there(path) else None


# --- underneath ------------------------------------------------------------------------


def _folder(home: Home) -> Path:
    return home.root / "operators" / "known"


def _path(home: Home, name: str) -> Path:
    return _folder(home) / f"{checked_name(name, WHO)}.json"


def _prepared(home: Home, name: str) -> Path:
    return _path(home, name).with_suffix(".prepared")


def _json(operator: Operator) -> dict[str, Any]:
    told = {name: value for name, value in operator._asdict().items() if value is not None}
    return {"schema": _SCHEMA, **told, "public": operator.public.hex(), "id": operator.id}


def _read(home: Home, path: Path) -> Operator:
    value = home.read_json(path)
    if value is None:
        raise StoreError(f"{path} is not there")
    try:
        if value.pop("schema") != _SCHEMA:
            raise StoreError(f"{path} is damaged: it is of another kind")
        named = value.pop("id")
        value["public"] = bytes.fromhex(value["public"])
        found = Operator(**{"sealed": None, **value})
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is damaged: {error!r}") from error
    may_lack = (found.sealed, found.revoked, found.revoked_by)
    texts = [found.name, found.role, found.added, found.added_by]
    texts += [each for each in may_lack if each is not None]
    if not all(isinstance(each, str) for each in texts) or len(found.public) != KEY_BYTES:
        raise StoreError(f"{path} is damaged: it holds no operator")
    if named != found.id or found.name != path.stem or found.role not in ROLES:
        raise StoreError(f"{path} is damaged: its parts do not belong together")
    if (found.revoked is None) != (found.revoked_by is None):
        raise StoreError(f"{path} is damaged: nobody can say whether it was revoked")
    return found
