"""A pump's clock: what it shows beside the station's, and when it was set, by its log.

Reads only; setting it is an act on the one road (`acts/clocks`).
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple
from pumpctl.outcomes import OperationId
from pumpctl.therapy.clock_set import Span
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import MINUTE_MS, Moment
from pumpctl.therapy.state import PumpState, clock_difference_ms
from pumpctl.workflows.course.pump_log import NotKnown, PumpLog
from pumpctl.workflows.visit import Visit

MOST = 32
"""So many changes of the pump are looked through for settings of its clock."""
_FOLLOWING = 64
"""Entries after a setting among which is what it made of scheduled boluses."""


class Setting(NamedTuple):
    """One setting of a pump's clock."""

    old: Moment
    new: Moment
    operation: OperationId | None
    late: int | None = None
    """The label of the scheduled bolus that was jumped over and given at once."""


class Settings(NamedTuple):
    """The settings of a pump's clock, the newest first."""

    found: tuple[Setting, ...]
    whole: bool
    """Whether these are all that there ever were."""

    def lived(self, now: Moment) -> tuple[Span, ...]:
        """The labels that really went by: what was scheduled on them had its turn.

        Where not all settings are known, time before them counts as one face.
        """
        spans = []
        last = now.label_ms
        for each in self.found:
            spans.append((each.new.label_ms, last))
            last = each.old.label_ms
            if each.late is not None:
                spans.append((each.late, each.late))
        return (*((first, end) for first, end in spans if first <= end), (0, last))


class Faces(NamedTuple):
    """Both clocks at one instant."""

    state: PumpState
    station: Moment
    difference_ms: int
    """How far the pump's face is ahead of the station's."""
    last: Setting | None
    known: bool
    """Whether the log tells of the last setting, or that there was none."""
    rehearsal: bool


def faces(visit: Visit) -> Faces:
    """Ask both clocks, and when the pump's was last set."""
    state = visit.state()
    now = visit.now()
    found = settings(PumpLog(visit.pump, state), state, most=1)
    return Faces(
        state,
        now,
        clock_difference_ms(state.clock, now),
        found.found[0] if found.found else None,
        bool(found.found) or found.whole,
        visit.rehearsal,
    )


def settings(log: PumpLog, state: PumpState, *, most: int | None = None) -> Settings:
    """The settings that the log tells of, at most so many; without a limit all of them."""
    found: list[Setting] = []
    version = int(state.state_version)
    try:
        for _ in range(MOST):
            change = log.maker(version)
            if change is None:
                return Settings(tuple(found), whole=True)
            if change.get("operation_kind") == "CLOCK":
                found.append(_setting(log, change))
                if len(found) == most:
                    break
            version -= 1
    except NotKnown:
        pass
    return Settings(tuple(found), whole=False)


def _setting(log: PumpLog, change: LogEntry) -> Setting:
    """What an activation made of the clock; NotKnown where the log does not tell."""
    following = _following(log, change)
    entry = next((each for each in following if each.kind == "clock_set"), None)
    if entry is None or entry.operation != change.operation:
        raise NotKnown("the pump's log does not tell to what its clock was set")
    late = None
    for each in following:
        if each.kind == "bolus_started" and each.get("bolus_kind") == "SCHEDULED":
            late = _label(each)
    numbers = (
        entry.get(name) for name in ("old_utc_ms", "old_offset_min", "new_utc_ms", "new_offset_min")
    )
    old_utc, old_offset, new_utc, new_offset = (
        each if isinstance(each, int) else 0 for each in numbers
    )
    return Setting(Moment(old_utc, old_offset), Moment(new_utc, new_offset), change.operation, late)


def _following(log: PumpLog, change: LogEntry) -> list[LogEntry]:
    """The entries of the same instant, after it."""
    return list(_same_instant(log, change))


def _same_instant(log: PumpLog, change: LogEntry) -> Iterator[LogEntry]:
    entry: LogEntry | None = change
    for _ in range(_FOLLOWING):
        entry = None if entry is None else log.after(entry)
        if entry is None or entry.counter_ms != change.counter_ms:
            return
        yield entry


def _label(entry: LogEntry) -> int | None:
    """The place on the clock's face of a scheduled bolus that was given late; else None."""
    due = str(entry.get("due")).replace(" ", "T")
    try:
        label = Moment.parse(f"{due}Z").label_ms
    except UsageError:
        return None
    return label if label < entry.time.label_ms // MINUTE_MS * MINUTE_MS else None
