"""The operators of this station: added, given another role, revoked, each signed by an admin.

The journal decides, and the files follow: cut anywhere, the same command finishes it.
What a pump is told of it is in `operator_grants`; prompts are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pumpctl.errors import PortBusy, StoreError, UnknownOperator, UsageError
from pumpctl.named import NamedTuple
from pumpctl.station import operators as known
from pumpctl.station.home import checked_name
from pumpctl.station.operators import ROLES, WHO, Operator

if TYPE_CHECKING:
    from pumpctl.station.home import Home
    from pumpctl.station.journal import Journal
    from pumpctl.station.operator_keys import Signer
    from pumpctl.station.operator_roll import Roll
    from pumpctl.workflows.surroundings import Station

Passphrase = Callable[[str], str]
"""The passphrase of the operator of this name, asked or read."""


class Listed(NamedTuple):
    """Somebody of whom this station knows: an operator, or only a key to a pump."""

    name: str
    operator: Operator | None
    """None: paired here, and never added."""
    pumps: tuple[tuple[str, str], ...]
    """(serial, role) of each pump, as that pump last told it."""


class Changed(NamedTuple):
    """What became of an operator at this station."""

    operator: Operator
    what: str
    """`added`, `role`, `revoked`, or `nothing`, where it was so already."""
    first: bool = False
    """Whether it is the first one: nobody else acts here from now on."""


def list_operators(home: Home) -> tuple[Listed, ...]:
    """Everybody, by name; StoreError where the home cannot be read."""
    named = {each.name: each for each in known.known_operators(home)}
    pairings = home.pairings()
    names = sorted({*named, *home.operators(), *(operator for _, operator in pairings)})
    return tuple(
        Listed(
            name,
            named.get(name),
            tuple(
                (serial, str(home.pairing(serial, name)["role"]))
                for serial, operator in pairings
                if operator == name
            ),
        )
        for name in names
    )


def add_operator(
    station: Station, name: str, role: str, new: Passphrase, acting: Passphrase
) -> Changed:
    """Add an operator, whose passphrase `new` asks; or give one who is there another role.

    The first is an admin. Whoever comes later is signed for by the acting operator,
    an admin, whose passphrase `acting` asks. Raises UsageError, UnknownOperator,
    NotConfirmed for a wrong passphrase, StoreError.
    """
    checked_name(name, WHO)
    if role not in ROLES:
        raise UsageError(f"--role {role}: one of {', '.join(ROLES)}")
    with _changing(station) as journal:
        roll = _roll(journal)
        before = _agreed(station.home, roll, name)
        if before is not None and before.counts and before.role == role:
            return Changed(before, "nothing")
        if before is not None and before.counts:
            return _given_role(station, journal, roll, before, role, acting)
        _check_name(station.home, roll, name)
        if not roll and role != "admin":
            raise UsageError(
                "the first operator of a station is an admin: only an admin adds others",
                hint=f"pumpctl operator add {name} --role admin",
            )
        return _added(station, journal, roll, name, role, new, acting)


def revoke_operator(station: Station, name: str, acting: Passphrase) -> Changed:
    """Take nothing from this operator any more; the private half of the key is gone then.

    `nothing` where that was so. Raises UsageError for the last admin and for nobody
    of that name, UnknownOperator where whoever acts is no admin.
    """
    from pumpctl.station.operator_keys import signer

    checked_name(name, WHO)
    with _changing(station) as journal:
        roll = _roll(journal)
        found = _agreed(station.home, roll, name)
        if found is None:
            raise UsageError(
                f"{name} is no operator of this station", hint="pumpctl operator list shows who is"
            )
        if not found.counts:
            return Changed(found, "nothing")
        admin = _acting_admin(station, roll)
        _not_the_last(roll, name)
        signs, at = signer(admin, acting(admin.name)), str(station.wall())
        revoked = found._replace(revoked=at, revoked_by=admin.name, sealed=None)
        _signed(journal, "revoked", revoked, admin.name, signs, at)
        known.keep_operator(station.home, revoked)
    return Changed(revoked, "revoked")


# --- underneath ------------------------------------------------------------------------


@contextmanager
def _changing(station: Station) -> Iterator[Journal]:
    """The journal, whole, while no other process changes this station's operators."""
    from pumpctl.transport.lock import Locks
    from pumpctl.workflows.library.libraries import open_journal

    station.home.make()
    with Locks(station.home.locks) as locks:
        try:
            locks.take("operators", str(station.home.root))
        except PortBusy as error:
            raise StoreError(
                "another pumpctl process is changing this station's operators",
                hint="wait until it has ended, then try again",
            ) from error
        with open_journal(station) as journal:
            yield journal


def _added(
    station: Station,
    journal: Journal,
    roll: Roll,
    name: str,
    role: str,
    new: Passphrase,
    acting: Passphrase,
) -> Changed:
    from pumpctl.station.operator_keys import make_signing_key, signer

    by, signs = name, None  # the first one signs for themselves
    if roll:  # who may not add is told so before anybody thinks of a passphrase
        admin = _acting_admin(station, roll)
        by, signs = admin.name, signer(admin, acting(admin.name))
    passphrase, at = new(name), str(station.wall())
    made = make_signing_key(name, passphrase, station.entropy)
    added = Operator(name, role, made.public, at, by, made.sealed)
    known.prepare_operator(station.home, added)
    _signed(journal, "added", added, by, signs or signer(added, passphrase), at)
    known.put_in_place(station.home, name)
    return Changed(added, "added", first=not roll)


def _given_role(
    station: Station,
    journal: Journal,
    roll: Roll,
    before: Operator,
    role: str,
    acting: Passphrase,
) -> Changed:
    from pumpctl.station.operator_keys import signer

    admin = _acting_admin(station, roll)
    _not_the_last(roll, before.name)
    changed, signs = before._replace(role=role), signer(admin, acting(admin.name))
    _signed(journal, "role", changed, admin.name, signs, str(station.wall()))
    known.keep_operator(station.home, changed)
    return Changed(changed, "role")


def _roll(journal: Journal) -> Roll:
    from pumpctl.station.operator_roll import roll_of

    return roll_of(journal.entries())


def _agreed(home: Home, roll: Roll, name: str) -> Operator | None:
    """This operator as the journal tells of them, and their file brought after it.

    A process that was ended between the two is made good here; None: the journal
    tells of nobody of this name. StoreError where the two cannot be brought together.
    """
    found, vouched = known.find_operator(home, name), roll.get(name)
    if vouched is None and found is None:
        return None
    if vouched is not None and found is None:
        found = known.prepared_operator(home, name)
        if found is not None and found.public == vouched.public:
            known.put_in_place(home, name)
    if vouched is None or found is None or found.public != vouched.public:
        raise StoreError(
            f"the home and the journal do not say the same of operator {name}",
            hint="restore the home, its journal included; nothing was changed",
        )
    told = found._replace(role=vouched.role, revoked=vouched.revoked)
    if not vouched.counts:
        told = told._replace(revoked_by=found.revoked_by or vouched.by, sealed=None)
    if told != found:
        known.keep_operator(home, told)
    return told


def _check_name(home: Home, roll: Roll, name: str) -> None:
    """A name stands for one person for good, in every record; so do two that look alike."""
    if name in roll:
        raise UsageError(
            f"operator {name} was revoked by {roll[name].by} at {roll[name].revoked}",
            hint="a name stands for one person and one key for good: choose another",
        )
    for each in {*roll, *(one.name for one in known.known_operators(home))}:
        if each.casefold() == name.casefold():
            raise UsageError(f"there is an operator {each}", hint="choose another name")


def _acting_admin(station: Station, roll: Roll) -> Operator:
    acting = _agreed(station.home, roll, station.operator)
    if acting is None or not acting.counts:
        acting = known.need_operator(station.home, station.operator)
    if acting.role != "admin":
        raise UnknownOperator(
            f"operator {acting.name} is {acting.role} here: only an admin adds or revokes"
        )
    return acting


def _not_the_last(roll: Roll, name: str) -> None:
    admins = {each for each, told in roll.items() if told.counts and told.role == "admin"}
    if admins == {name}:
        raise UsageError(
            f"{name} is the last admin of this station: nobody could add others any more",
            hint="add another admin first",
        )


def _signed(
    journal: Journal, what: str, operator: Operator, by: str, signs: Signer, at: str
) -> None:
    """Into the journal, signed by an admin."""
    from pumpctl.station.journal import STATION
    from pumpctl.station.operator_roll import entry_body, signed_text

    name, role, public = operator.name, operator.role, operator.public
    signature = signs(signed_text(what, name, role, public, by, at))
    body = entry_body(what, name, role, public, by, signature)
    journal.append("operator", at=at, pump=STATION, operation=None, body=body)
