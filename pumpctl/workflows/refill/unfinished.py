"""A refill that was begun and not brought to its end: the pump does not know what it holds.

From the steps on record at this station. Read by whoever looks at a pump, and asked
before anything is planned that gives drug by what the pump reckons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pumpctl.therapy.state import PumpState
from pumpctl.workflows.refill.steps import Steps, open_visit_of

if TYPE_CHECKING:
    from pumpctl.station.journal import Entry


def filled_at(state: PumpState) -> str | None:
    """The pump's last fill as a visit keeps it: ms of its UTC."""
    at = state.filled_at
    return None if at is None else str(at.utc_ms)


def begun(entries: Sequence[Entry]) -> Steps | None:
    """The visit that is on record as not closed, with the needle used; `entries` are a pump's."""
    visit = open_visit_of(entries)
    return visit if visit is not None and visit.needle else None


def half_done(visit: Steps, state: PumpState) -> str | None:
    """What was done with the needle and is not known to the pump, in words; None: nothing.

    A visit is over once the pump was filled by another act.
    """
    if visit.filled_at != filled_at(state):
        return None
    return f"{_done(visit)}, and the pump does not know it"


def _done(visit: Steps) -> str:
    if visit.injected is not None:
        drug = "" if visit.concentration is None else f" of {visit.concentration}"
        return f"{visit.injected.volume}{drug} injected at {visit.injected.at.label()}"
    drained = visit.drained
    at = "" if drained is None else f"{drained.volume} drained at {drained.at.label()}, "
    return f"{at}nothing injected"
