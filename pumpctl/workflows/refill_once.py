"""One order is one refill: what this station's journal tells of refills of a pump (REF-06, REF-07).

A refill sets a volume, and setting it twice hides what was delivered in between. So
the order's reference, on its pump, names the refill: what was applied under it is
told again and not done again. Here the journal is read, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from pumpctl.errors import RefillConflict
from pumpctl.quantities import Volume
from pumpctl.station.journal import Entry, Journal
from pumpctl.therapy.patient import tag_hash
from pumpctl.therapy.refill import Discrepancy
from pumpctl.workflows.refill_visit import AGAIN, RefillVisit, kept_of


class Recorded(NamedTuple):
    """One refill that was activated from here, or may have been."""

    operation: str
    serial: str
    at: str
    """When it was written down; the station's clock."""
    outcome: str
    """`applied`, `refused` or `unknown`."""
    state_version: int | None
    """That it made, where it was applied."""
    told: Mapping[str, Any]
    """The visit, as `kept_of` wrote it."""
    measured: Mapping[str, Any]
    tag: str
    old_program: str | None
    """Canonical bytes in hexadecimal of what ran before it."""
    model: str = ""
    """The pump's, where it was asked."""
    holds: bool = False
    """Whether the pump was asked and still holds this fill."""


class Repeated(Exception):
    """The refill was applied before; it holds the record."""

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded.operation)
        self.recorded = recorded


def refills(journal: Journal, serial: str) -> Iterator[Recorded]:
    """Every refill of this pump from here, oldest first."""
    entries = journal.entries(pump=serial)
    fates: dict[str | None, Entry] = {}
    for entry in entries:
        if entry.kind in ("outcome", "resolved", "refused"):
            fates[entry.operation] = entry
    for entry in entries:
        body = entry.body
        if entry.kind != "intent" or body.get("kind") != "refill":
            continue
        fate = fates.get(entry.operation)
        version = None if fate is None else fate.body.get("state_version")
        order = body["order"]
        yield Recorded(
            str(entry.operation),
            serial,
            entry.at,
            "unknown" if fate is None else str(fate.body.get("outcome")),
            version if isinstance(version, int) else None,
            order["told"],
            order["measured"],
            str(body.get("tag")),
            body.get("old_program_bytes"),
        )


def applied(journal: Journal, serial: str) -> tuple[Recorded, ...]:
    """Those that the pump applied, oldest first."""
    return tuple(each for each in refills(journal, serial) if each.outcome == "applied")


def past_discrepancies(journal: Journal, serial: str) -> tuple[Discrepancy, ...]:
    """Drained against expected, of the refills before, oldest first (REF-07).

    A refill that was given up counts where something was drained.
    """
    found = []
    for each in applied(journal, serial):
        drained, kept = each.told["drained"], each.measured
        if drained is None:
            continue
        filled, counted = kept["filled"], kept["counted"]
        found.append(
            Discrepancy(
                None if filled is None else Volume.parse(filled),
                Volume.parse(kept["expected"]),
                Volume.parse(drained),
                None if counted is None else Fraction(counted),
            )
        )
    return tuple(found)


def refuse_repeated(journal: Journal, serial: str, told: RefillVisit) -> None:
    """Nothing, where this order was not applied yet; else Repeated, with what is on record.

    RefillConflict where the order was applied with other content. What is unknown
    is the gate's matter: nothing is planned while it is.
    """
    for each in refills(journal, serial):
        if each.told.get("reference") != told.reference or each.outcome != "applied":
            continue
        differs = _differs(each, serial, told)
        if differs:
            raise RefillConflict(
                f"order {told.reference} was applied on {serial} at {each.at} with other content: "
                f"{', '.join(differs)}"
            )
        raise Repeated(each)


def _differs(recorded: Recorded, serial: str, told: RefillVisit) -> list[str]:
    """In what the two visits differ, in words."""
    now, found = kept_of(told), []
    if recorded.tag != tag_hash(serial, told.patient).hex():
        found.append("another patient")
    for name in sorted(AGAIN):
        was, is_now = recorded.told.get(name), now[name]
        if was != is_now:
            found.append(f"{name.replace('_', ' ')} {was or 'none'}, now {is_now or 'none'}")
    return found
