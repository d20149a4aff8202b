"""A refill that was begun and not brought to its end: the pump does not know what it holds.

From the steps on record at this station. Read by whoever looks at a pump, and asked
before anything is planned that gives drug by what the pump reckons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pumpctl.therapy.state import PumpState
from pumpctl.workflows.refill.steps import KIND, Steps, open_visit_of

if TYPE_CHECKING:
    from pumpctl.station.journal import Entry


def filled_at(state: PumpState) -> str | None:
    """The pump's last fill as a visit keeps it: ms of its UTC."""
    at = state.filled_at
    return None if at is None else str(at.utc_ms)


def half_done(entries: Sequence[Entry], state: PumpState) -> str | None:
    """What was done with the needle and is not known to the pump, in words; None: nothing.

    A visit is over once the pump was filled by another act. `entries` are the pump's.
    """
    if not any(entry.kind == KIND for entry in entries):
        return None
    visit = open_visit_of(entries)
    if visit is None or not visit.needle or visit.filled_at != filled_at(state):
        return None
    return f"{_done(visit)}, and the pump does not know it"


def _done(visit: Steps) -> str:
    if visit.injected is not None:
        drug = "" if visit.concentration is None else f" of {visit.concentration}"
        return f"{visit.injected.volume}{drug} injected at {visit.injected.at.label()}"
    drained = visit.drained
    at = "" if drained is None else f"{drained.volume} drained at {drained.at.label()}, "
    return f"{at}nothing injected"
