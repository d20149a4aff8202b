"""What a pump is told of an operator: a role for their key, or to forget it (SEC-06).

Only an admin of that pump may, and the pump judges it. What it holds is a key of
this station's operator, which pairing made; the key that signs stays here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpctl.errors import NotPaired, StoreError
from pumpctl.named import NamedTuple
from pumpctl.wire.noise import public_key
from pumpctl.wire.secret import key_id
from pumpctl.workflows.visit import visit

if TYPE_CHECKING:
    from pumpctl.workflows.surroundings import Station
    from pumpctl.workflows.visit import Visit


class OnPump(NamedTuple):
    """What was done on the pump of the station's port."""

    serial: str
    model: str
    role: str | None
    """The role that the key has there now; None where the pump forgot it."""


def grant_on_pump(station: Station, name: str, role: str) -> OnPump:
    """Have the pump give the key of this operator this role.

    NotPaired where the operator has no key to that pump, PumpRefused where the acting
    operator is no admin of it, where it holds no such key, or no other admin's.
    """
    key = _key(station, name)
    with visit(station, changes=True) as open_visit:
        kept = station.home.pairing(open_visit.serial, name)
        open_visit.pump.grant(key, role)
        done = _done(open_visit, role)
    station.home.keep_pairing(done.serial, name, {**kept, "role": role})
    _note(station, done, "granted", name, key)
    return done


def forget_on_pump(station: Station, name: str) -> OnPump:
    """Have the pump forget the key of this operator, and the pairing here with it."""
    key = _key(station, name)
    with visit(station, changes=True) as open_visit:
        open_visit.pump.unpair(key)
        done = _done(open_visit, None)
    station.home.forget_pairing(done.serial, name)
    _note(station, done, "unpaired", name, key)
    return done


def _key(station: Station, name: str) -> bytes:
    private = station.home.operator_key(name)
    if private is None:
        raise NotPaired(
            f"operator {name} of this station has no key yet, so no pump knows them",
            hint=f"{name} pairs first: pumpctl --operator {name} pair --secret-file CARD",
        )
    return key_id(public_key(private))


def _done(open_visit: Visit, role: str | None) -> OnPump:
    identity = open_visit.pump.identity
    return OnPump(identity.serial, identity.model, role)


def _note(station: Station, done: OnPump, what: str, name: str, key: bytes) -> None:
    """Into the journal; a pump that did it has done it, whatever becomes of the entry."""
    from pumpctl.station.journal import Journal

    body = {
        "what": what,
        "name": name,
        "role": done.role,
        "key": key.hex(),
        "operator": station.operator,
    }
    try:
        with Journal(station.home.journal) as journal:
            journal.append(
                "operator", at=str(station.wall()), pump=done.serial, operation=None, body=body
            )
    except StoreError as error:
        station.tell(error.message)
