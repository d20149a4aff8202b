"""The last bolus, by a pump's log and what it says is running: ordered, and really given.

Values only. A bolus that was cut short (cancelled, stopped, a power loss) is one of
which less was given than ordered; nothing is guessed where the log does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence

from pumpctl.named import NamedTuple
from pumpctl.outcomes import OperationId
from pumpctl.quantities import Mass
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import RunningBolus

STARTED, ENDED = "bolus_started", "bolus_ended"


class LastBolus(NamedTuple):
    """The newest bolus of a pump, whoever asked for it."""

    kind: str
    """`scheduled`, `single`, `prime` or `patient`."""
    ordered: Mass
    given: Mass | None
    """So far, while it runs; None where the log holds its beginning alone."""
    started: Moment | None
    ended: Moment | None
    """None while it runs, or where the log does not tell its end."""
    running: bool = False
    operation: OperationId | None = None

    @property
    def partial(self) -> bool:
        """Whether it has ended with less than was ordered."""
        return not self.running and self.given is not None and self.given < self.ordered


def last_bolus(entries: Sequence[LogEntry], running: RunningBolus | None) -> LastBolus | None:
    """The newest of these entries (in rising order), or the one that runs; None without any."""
    if running is not None:
        return LastBolus(
            running.kind,
            running.dose,
            running.delivered,
            running.started,
            None,
            running=True,
            operation=_operation(entries),
        )
    for place in range(len(entries) - 1, -1, -1):
        entry = entries[place]
        if entry.kind == STARTED:
            return LastBolus(
                _kind(entry), _mass(entry, "dose_ng"), None, entry.time, None, False,
                entry.operation,
            )  # fmt: skip
        if entry.kind == ENDED:
            begun = next(
                (each for each in reversed(entries[:place]) if same_bolus(each, entry)), None
            )
            return LastBolus(
                _kind(entry),
                _mass(entry, "dose_ng"),
                _mass(entry, "given_ng"),
                None if begun is None else begun.time,
                entry.time,
                False,
                entry.operation,
            )
    return None


def same_bolus(started: LogEntry, ended: LogEntry) -> bool:
    """Whether these are the beginning and the end of one bolus."""
    return started.kind == STARTED and all(
        started.get(name) == ended.get(name) for name in ("bolus_kind", "data", "dose_ng")
    )


def _operation(entries: Sequence[LogEntry]) -> OperationId | None:
    """Of the running one: that of the newest beginning."""
    begun = next((each for each in reversed(entries) if each.kind == STARTED), None)
    return None if begun is None else begun.operation


def _kind(entry: LogEntry) -> str:
    return str(entry.get("bolus_kind")).lower()


def _mass(entry: LogEntry, name: str) -> Mass:
    count = entry.get(name)
    return Mass(count if isinstance(count, int) else 0)
