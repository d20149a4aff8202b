"""The second person: when one is needed, and how one says yes (CNF-04).

Somebody else than who planned and who applies, known to this station, who treats, and
who unlocks a key of their own for this one plan. Prompts are the command line's.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pumpctl.errors import NotConfirmed, UsageError
from pumpctl.named import NamedTuple
from pumpctl.station.home import checked_name
from pumpctl.station.operators import TREATS, WHO
from pumpctl.therapy import figures
from pumpctl.therapy.compare import is_reduction, rise_24h
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import SOFT_LIMITS, Library

if TYPE_CHECKING:
    from pumpctl.station.home import Home
    from pumpctl.station.journal import Journal
    from pumpctl.station.plan import Override, Plan
    from pumpctl.therapy.program import Program
    from pumpctl.workflows.surroundings import Station

ALWAYS = {
    "STOPPED_RESTART": "a restart after more than 48 h without the drug (STP-03)",
    "LIBRARY_EXPIRED": "the drug library has expired (LIM-08)",
}
"""Soft findings that need two people whatever the site's policy, and why."""
LESS = frozenset(
    {
        "BOLUS_LOW",
        "BOLUS_ORDER_SMALL",
        "DAILY_DOSE_LOW",
        "DOSE_REDUCTION",
        "FALLBACK_LOW",
        "PATIENT_DOSE_LOW",
        "RATE_LOW",
        "RATE_REDUCTION",
    }
)
"""Soft findings of too little or of a reduction: nobody waits for a second person (LIM-04)."""
_HASH_BYTES = 32
_SIGNATURE_BYTES = 64
_NOBODY = "an admin adds people: pumpctl operator add NAME --role clinician"
_HOW = "the second person runs: pumpctl --operator NAME confirm PLAN --second"


class Endorsement(NamedTuple):
    """One person's yes to one plan. Anybody may see it; it is good for nothing else."""

    operator: str
    plan: str
    """The plan's hash, in hexadecimal."""
    signature: bytes

    def __str__(self) -> str:
        """One line for scripts: the name, a colon, hash and signature in base64url."""
        raw = bytes.fromhex(self.plan) + self.signature
        return f"{self.operator}:{base64.urlsafe_b64encode(raw).decode('ascii')}"

    @classmethod
    def parse(cls, text: str) -> Endorsement:
        """The same read back; NotConfirmed for anything else."""
        name, mark, letters = text.strip().partition(":")
        try:
            checked_name(name, WHO)
            raw = base64.b64decode(letters.encode("ascii"), altchars=b"-_", validate=True)
        except (UsageError, ValueError, binascii.Error) as error:
            raise NotConfirmed("this is no second person's confirmation", hint=_HOW) from error
        if not mark or len(raw) != _HASH_BYTES + _SIGNATURE_BYTES:
            raise NotConfirmed("this is no second person's confirmation", hint=_HOW)
        return cls(name, raw[:_HASH_BYTES].hex(), raw[_HASH_BYTES:])

    def recorded(self) -> dict[str, str]:
        """As the journal keeps it, beside the plan's hash."""
        return {"operator": self.operator, "signature": self.signature.hex()}


def why_second(
    findings: Iterable[Finding],
    overrides: Iterable[Override],
    library: Library,
    *,
    lowers: bool,
) -> tuple[str, ...]:
    """For which reasons a second person has to confirm; empty: for none.

    What is in `ALWAYS` needs one whether it was overridden yet or not. The site's policy
    asks for one for every soft finding that was overridden, but not where the change
    `lowers` what the patient gets, nor for what is in `LESS`.
    """
    overridden = {each.id for each in overrides}
    asks = library.second_person == SOFT_LIMITS and not lowers
    reasons: dict[str, str] = {}
    for finding in findings:
        if finding.severity is not Severity.SOFT:
            continue
        if finding.id in ALWAYS:
            reasons[finding.id] = f"{finding.id}: {ALWAYS[finding.id]}"
        elif asks and finding.id in overridden and finding.id not in LESS:
            reasons[finding.id] = f"{finding.id}: above a soft limit, by the policy of this site"
    return tuple(reasons.values())


def lowers(old: Program | None, new: Program | None) -> bool:
    """Whether nothing rises from one program to the other, and some day's dose falls.

    Not a day's dose, nor the largest hour of a day, nor 24 h with all patient doses.
    """
    if old is None or new is None or not is_reduction(old, new):
        return False
    days = zip(figures.week(old), figures.week(new), strict=True)
    hours = all(after.largest_hour <= before.largest_hour for before, after in days)
    return hours and rise_24h((old,), new) is None


def endorse(station: Station, plan: Plan, name: str, passphrase: str) -> Endorsement:
    """This person's yes to this plan. Raises what `check_second` does.

    NotConfirmed for another passphrase than theirs, too.
    """
    from pumpctl.station.operator_keys import signer
    from pumpctl.station.operators import find_operator

    check_second(station, plan, name)
    operator = find_operator(station.home, name)
    if operator is None:
        raise _nobody(name)
    signature = signer(operator, passphrase)(_text(plan, name))
    return Endorsement(name, plan.hash, signature)


def check_second(station: Station, plan: Plan, name: str) -> None:
    """Before anything is typed: NotConfirmed where this person cannot be the second."""
    from pumpctl.workflows.library.libraries import open_journal

    with open_journal(station) as journal:
        _eligible(journal, plan, name)


def check_endorsement(
    station: Station, journal: Journal, plan: Plan, given: Endorsement | None
) -> None:
    """NotConfirmed where the plan needs a second person and this is not their yes to it.

    One that was given is looked at whether it is needed or not. Who counts is what
    the journal says now, signed by an admin of this station (`operator_roll`).
    """
    from pumpctl.station.operator_keys import is_signed

    if given is None:
        if plan.second:
            raise NotConfirmed(
                f"a second person has to confirm this plan: {'; '.join(plan.second)}",
                hint=_how(station.home),
            )
        return
    if given.operator == station.operator:
        raise NotConfirmed(
            f"{given.operator} applies the plan: the second person is somebody else", hint=_HOW
        )
    public = _eligible(journal, plan, given.operator)
    if given.plan != plan.hash:
        raise NotConfirmed(f"{given.operator} has confirmed another plan than this one", hint=_HOW)
    if not is_signed(public, _text(plan, given.operator), given.signature):
        raise NotConfirmed(f"this is not signed by {given.operator} for this plan", hint=_HOW)


# --- underneath ------------------------------------------------------------------------


def _eligible(journal: Journal, plan: Plan, name: str) -> bytes:
    """The public key of this person, who may be the second; NotConfirmed otherwise."""
    from pumpctl.station.operator_roll import roll_of

    told = roll_of(journal.entries()).get(name)
    if told is None:
        raise _nobody(name)
    if not told.counts:
        raise NotConfirmed(f"operator {name} was revoked at {told.revoked}", hint=_HOW)
    if told.role not in TREATS:
        raise NotConfirmed(
            f"operator {name} is {told.role}: the second person is a clinician or an admin",
            hint=_HOW,
        )
    if name == plan.operator:
        raise NotConfirmed(
            f"{name} has made this plan: the second person is somebody else", hint=_HOW
        )
    return told.public


def _nobody(name: str) -> NotConfirmed:
    return NotConfirmed(f"{name} is no operator of this station", hint=_NOBODY)


def _how(home: Home) -> str:
    from pumpctl.station.operators import any_operators

    if any_operators(home):
        return _HOW
    return (
        "nobody at this station can be the second person yet. First an admin, then others: "
        "pumpctl operator add NAME --role admin"
    )


def _text(plan: Plan, name: str) -> bytes:
    """What is signed: for nothing else than this plan, on this pump, by this person."""
    parts = ["pumpctl.second/1", plan.hash, plan.pump.serial, name]
    return json.dumps(parts, separators=(",", ":"), ensure_ascii=True).encode("ascii")
