"""Pairing: this operator's key and a pump's get to know each other.

The secret comes from the implant card, by a file, a variable or the keyboard,
and never as an argument. Pairing is a change of keys, not of therapy.
"""

from __future__ import annotations

from pumpctl.errors import PumpRefused, StoreError, UsageError
from pumpctl.link.session import OwnKey
from pumpctl.named import NamedTuple
from pumpctl.station.journal import Journal
from pumpctl.station.operators import role_to_ask
from pumpctl.wire.codes import Purpose, Refuse
from pumpctl.wire.fields import WireError
from pumpctl.wire.noise import public_key
from pumpctl.wire.secret import key_id, secret_bytes
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import greeted, note_seen, visit

_FULL = (
    "whoever is paired frees a place with pumpctl unpair, an admin with operator revoke; "
    "in an emergency whoever is paired can stop it, else: by needle, emptying the reservoir"
)
"""No key makes room for another by itself: it could be the one that is needed."""


class PairedAs(NamedTuple):
    """What a pairing came to."""

    serial: str
    model: str
    operator: str
    role: str
    key: str


def pair(station: Station, secret: str, role: str) -> PairedAs:
    """Pair with the pump on the port, within the minute after its local act.

    Raises UsageError for a secret that cannot be right, NotPaired where the
    pump is not open for pairing or does not know the secret.
    """
    try:
        raw = secret_bytes(secret)
    except WireError as error:
        raise UsageError(
            str(error), hint="copy the pairing secret from the implant card"
        ) from error
    with greeted(station, purpose=Purpose.PAIR, changes=True) as link:
        private = station.home.make_operator_key(station.operator, station.entropy)
        own = OwnKey(private, public_key(private))
        try:
            paired = link.pair(
                own,
                raw,
                station=station.home.station_id(station.entropy),
                operator=station.operator,
                role=role_to_ask(station.home, station.operator, role),
            )
        except PumpRefused as error:
            if error.pump_code == Refuse.KEYS_FULL.name:
                error.hint = _FULL
            raise
        station.home.keep_pairing(
            paired.serial,
            station.operator,
            {"public": paired.public.hex(), "psk": paired.psk.hex(), "role": paired.role},
        )
        note_seen(station, link.greeting)
        result = PairedAs(
            paired.serial, link.greeting.model, station.operator, paired.role, own.id.hex()
        )
    _note(station, result, "paired")
    return result


def unpair(station: Station) -> PairedAs:
    """Have the pump forget this operator's key, then forget the pairing here."""
    with visit(station, changes=True) as open_visit:
        private = station.home.make_operator_key(station.operator, station.entropy)
        key = key_id(public_key(private))
        identity = open_visit.pump.identity
        open_visit.pump.unpair(key)
    station.home.forget_pairing(identity.serial, station.operator)
    result = PairedAs(identity.serial, identity.model, station.operator, identity.role, key.hex())
    _note(station, result, "unpaired")
    return result


def _note(station: Station, result: PairedAs, what: str) -> None:
    try:
        with Journal(station.home.journal) as journal:
            journal.append(
                "pairing",
                at=str(station.wall()),
                pump=result.serial,
                operation=None,
                body={
                    "what": what,
                    "operator": result.operator,
                    "role": result.role,
                    "key": result.key,
                },
            )
    except StoreError as error:
        station.tell(error.message)
