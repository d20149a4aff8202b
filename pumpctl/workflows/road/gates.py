"""The one table of gates × acts: what must be open before therapy may change.

`stop` and `bolus cancel` have no gates (STP-01). Everybody else asks here and
nowhere else (BOL-05).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from pumpctl.errors import RefillUnfinished, Unresolved, VersionSkew
from pumpctl.station.journal import Journal
from pumpctl.station.plan import Kind
from pumpctl.workflows.library.libraries import library_for_change
from pumpctl.workflows.visit import Visit

Gate = Callable[[Visit, Journal], None]


def nothing_unresolved(visit: Visit, journal: Journal) -> None:
    """No operation on this pump may be unknown."""
    for entry in journal.unresolved(visit.serial):
        raise Unresolved(
            f"operation {entry.operation} of {entry.at} on pump {visit.serial} is unresolved"
        )


def version_known(visit: Visit, _journal: Journal) -> None:
    """The pump must speak a version that this program knows in full (TEL-06)."""
    if visit.link.read_only:
        raise VersionSkew(
            f"pump {visit.serial} speaks another major version of the protocol: reading only"
        )


def library_valid(visit: Visit, journal: Journal) -> None:
    """There is a valid drug library; what an expired one still allows is a check's matter."""
    library_for_change(visit, journal)


def no_refill_half_done(visit: Visit, journal: Journal) -> None:
    """Nothing is given by a volume and a strength that somebody at this station has changed."""
    entries = journal.entries(pump=visit.serial)
    if not any(entry.kind == "visit" for entry in entries):
        return
    from pumpctl.workflows.refill.unfinished import begun, half_done  # only after a visit

    found = begun(entries)  # the pump is asked only where one is open
    told = None if found is None else half_done(found, visit.state())
    if told is not None:
        raise RefillUnfinished(f"a refill of pump {visit.serial} is unfinished: {told}")


_ALL: tuple[Gate, ...] = (version_known, nothing_unresolved, library_valid)
_GIVES = ("program", "resume", "bolus", "prime", "bridge")
"""Kinds by which drug is given as the pump reckons to hold it. A refill is the way out."""

GATES: Mapping[str, tuple[Gate, ...]] = {
    **dict.fromkeys(get_args(Kind), _ALL),
    **dict.fromkeys(_GIVES, (*_ALL, no_refill_half_done)),
    "stop": (),
    "bolus cancel": (),
}


def pass_gates(act: str, visit: Visit, journal: Journal) -> None:
    """Raise what stands in the way of this act, if anything does."""
    for gate in GATES[act]:
        gate(visit, journal)
