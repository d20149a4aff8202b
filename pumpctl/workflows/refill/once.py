"""One order is one refill: what this station's journal tells of refills of a pump (REF-06, REF-07).

A refill sets a volume, and setting it twice hides what was delivered in between. So
the order's reference, on its pump, names the refill: what was applied under it is
told again and not done again. Here the journal is read, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pumpctl.errors import RefillConflict
from pumpctl.named import NamedTuple
from pumpctl.pump.encode import program_of
from pumpctl.station.journal import Entry, Journal
from pumpctl.therapy.moment import Date
from pumpctl.therapy.patient import tag_hash
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill import Discrepancy, Meaning, Suspected
from pumpctl.therapy.state import PumpState
from pumpctl.wire.fields import WireError
from pumpctl.workflows.refill.measured import discrepancy_from
from pumpctl.workflows.refill.visit import AGAIN, RefillVisit, kept_of


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
    found = (_discrepancy(each) for each in applied(journal, serial))
    return tuple(each for each in found if each is not None)


def _discrepancy(recorded: Recorded) -> Discrepancy | None:
    drained = recorded.told["drained"]
    return None if drained is None else discrepancy_from(recorded.measured, drained)


def unsettled(journal: Journal, state: PumpState) -> Suspected | None:
    """Non-delivery that was suspected at a refill which was given up, nothing filled in since.

    A fill of which only the pump knows settles it as well: whoever made it has seen the drain.
    """
    for each in reversed(applied(journal, state.serial)):
        filled_at = None if state.filled_at is None else state.filled_at.utc_ms
        if each.told["injected"] is not None or each.measured["filled_at_utc_ms"] != filled_at:
            return None
        found = _discrepancy(each)
        if found is not None and found.meaning is Meaning.NON_DELIVERY:
            return Suspected(found, _program(each.old_program))
    return None


def expiry_inside(journal: Journal, state: PumpState) -> Date | None:
    """The last day of the drug inside, where the fill that the pump names is on record here."""
    filled_at = None if state.filled_at is None else state.filled_at.utc_ms
    for each in reversed(applied(journal, state.serial)):
        if each.measured["filled_at_utc_ms"] == filled_at and each.measured["expiry"] is not None:
            return Date.parse(each.measured["expiry"])
    return None


def begun_again(journal: Journal, serial: str) -> frozenset[str]:
    """Operations of refills after suspected non-delivery: with each therapy was begun again."""
    return frozenset(
        each.operation
        for each in applied(journal, serial)
        if each.told["injected"] is not None and _suspects(each)
    )


def _suspects(recorded: Recorded) -> bool:
    found = _discrepancy(recorded)
    now = found is not None and found.meaning is Meaning.NON_DELIVERY
    return now or recorded.measured["unsettled"] is not None


def unmeasured(journal: Journal, serial: str) -> frozenset[str]:
    """Operations of refills that were given up before anything was drained.

    What they set is what was expected: what should be inside is still counted from the
    fill before.
    """
    return frozenset(
        each.operation for each in applied(journal, serial) if each.told["drained"] is None
    )


def _program(written: str | None) -> Program | None:
    try:
        return program_of(bytes.fromhex(written or ""))
    except (ValueError, WireError):
        return None


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
