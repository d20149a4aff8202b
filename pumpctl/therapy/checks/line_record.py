"""Is the implant's record this pump's, and are its volumes the ones that hold today? (REF-04)

For every order that is computed from line volumes: prime and bridge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from pumpctl.therapy.checks.bridges import bridge_check
from pumpctl.therapy.checks.primes import OVERDOSES, prime_check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.line import ImplantRecord, TubingTable, line_parts, superseded
from pumpctl.therapy.state import PumpState


class ByVolume(Protocol):
    """What an order looks like here: record and pump, and whether its volumes count."""

    @property
    def pump(self) -> PumpState:
        """As it was interrogated."""

    @property
    def record(self) -> ImplantRecord:
        """Of its line."""

    @property
    def tables(self) -> tuple[TubingTable, ...]:
        """All versions, the newest last."""

    @property
    def by_volume(self) -> bool:
        """Whether the record's volumes decide anything in this order."""


Run = Callable[[ByVolume], Iterator[Seen]]


def any_volume(
    name: str, severity: Severity, *, source: str, why: str, incident: str = ""
) -> Callable[[Run], Run]:
    """Register a check for both kinds of order."""

    def register(run: Run) -> Run:
        prime_check(name, severity, source=source, why=why, incident=incident)(run)
        bridge_check(name, severity, source=source, why=why, incident=incident)(run)
        return run

    return register


@any_volume(
    "LINE_MODEL",
    Severity.HARD,
    source="REF-04",
    why="The implant's record names another pump model than the one on the line; its tubing has "
    "another volume. Correct the record first.",
)
def line_model(case: ByVolume) -> Iterator[Seen]:
    """The record is of this pump's model."""
    model, own = case.record.pump_model, case.pump.model
    if case.by_volume and model != own:
        yield Seen(
            f"the implant record is of a {model}, and the pump is a {own}", value=model, limit=own
        )


@any_volume(
    "LINE_TABLE_OLD",
    Severity.HARD,
    source="REF-04; vendor's correction of 2016-17 (FDA 2017)",
    why="The record takes its volumes from a version of the table that has been corrected since. "
    "Move the record to the newest version, then plan again.",
    incident=OVERDOSES,
)
def line_table_old(case: ByVolume) -> Iterator[Seen]:
    """No correction has changed the volumes that are used."""
    changed = superseded(case.record, case.tables) if case.by_volume else None
    if changed is not None:
        used, now = changed
        newest = case.tables[-1].version
        yield Seen(
            f"a line of {used.whole} by version {case.record.table_version} of the table is "
            f"{now.whole} by version {newest}",
            value=str(used.whole),
            limit=str(now.whole),
        )


@any_volume(
    "LINE_DIFFERS",
    Severity.SOFT,
    source="REF-04",
    why="The pump counts with another line volume than the implant's record gives. One of them is "
    "wrong: find out which, for the record decides how much is primed or bridged.",
)
def line_differs(case: ByVolume) -> Iterator[Seen]:
    """The pump's own line volume is one that the record allows."""
    if not case.by_volume:
        return
    whole, own = line_parts(case.record, case.tables).whole, case.pump.line.volume
    if not whole.low <= own <= whole.high:
        yield Seen(
            f"the line holds {whole} by the record, and the pump counts with {own}",
            value=str(own),
            limit=str(whole),
        )
