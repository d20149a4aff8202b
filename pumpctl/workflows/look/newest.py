"""The newest entries of a pump's log, for whoever looks at it again and again.

Reads only, and keeps nothing on the disk: `logs` brings a log into the records. An
entry that is damaged or missing shows as a gap in the numbers; nothing is guessed.
"""

from __future__ import annotations

from pumpctl.errors import Corrupt, PumpRefused
from pumpctl.named import NamedTuple
from pumpctl.pump.entries import log_entry
from pumpctl.pump.pump import Pump
from pumpctl.therapy.boluses_seen import ENDED, STARTED, same_bolus
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.state import PumpState
from pumpctl.wire.fields import WireError

STEP = 32
"""Entries of the first look: a day with four boluses. Further back only for the last bolus."""
FIRST = 128
"""Entries that a first look goes back at most: about two days with nine boluses each."""
MORE = 512
"""Entries that a later look fetches at most; what came before them is told as left out."""


class NewEntries(NamedTuple):
    """What came since the look before."""

    entries: tuple[LogEntry, ...] = ()
    left_out: int = 0
    """New ones that were not fetched, or are damaged."""
    failure: str | None = None
    """Why the log could not be read, where it could not; the state is right all the same."""


class LogTail:
    """The end of one pump's log, kept from look to look."""

    def __init__(self) -> None:
        self.entries: tuple[LogEntry, ...] = ()
        """The newest, in rising order, at most `FIRST`."""
        self._from = self._next = 0
        """What was looked at: from this number to before that one; nothing, where both are 0."""
        self._failure: str | None = None

    def doubt(self, state: PumpState) -> str | None:
        """Why these are not all of the newest entries that the pump has written; None: they are.

        A damaged entry could have been a bolus.
        """
        if self._failure is not None:
            return self._failure
        first = max(state.log_first, self._from, state.log_next - FIRST)
        missing = state.log_next - first - sum(each.number >= first for each in self.entries)
        if missing <= 0:
            return None
        return f"{missing} of the log's newest entries cannot be read"

    def follow(self, pump: Pump, state: PumpState) -> NewEntries:
        """Fetch what is new since the last time; at the first as much as tells the last bolus."""
        end, begins = state.log_next, not self._next or self._next > state.log_next
        if begins:  # also where it is another log than before
            self.entries = ()
            self._from = self._next = max(state.log_first, end - STEP)
        known = self._next
        found, reached, failure = _read(pump, max(known, state.log_first, end - MORE), end)
        back = max(state.log_first, end - FIRST)
        if begins and failure is None and known > back and not _tells(found, state):
            older, _, failure = _read(pump, back, known)
            found = [*older, *found]
            if failure is None:
                self._from = known = back
        self.entries = (*self.entries, *found)[-FIRST:]
        self._next, self._failure = reached, failure
        return NewEntries(tuple(found), max(0, reached - known - len(found)), failure)


def _read(pump: Pump, first: int, end: int) -> tuple[list[LogEntry], int, str | None]:
    """The whole entries from `first` to before `end`; how far that came, and why no further."""
    found: list[LogEntry] = []
    number = first
    try:
        while number < end:
            batch = pump.log(number, end - number)
            if not batch.entries or batch.first < number:
                break
            whole, number = _whole(batch.entries, batch.first)
            found += [entry for entry in whole if entry.number < end]
    except (Corrupt, PumpRefused) as error:
        return found, number, f"the pump's log cannot be read: {error.message}"
    return found, end, None


def _tells(entries: list[LogEntry], state: PumpState) -> bool:
    """Whether the last bolus is among them whole: the running one's beginning, or those of all
    that ended with the newest."""
    if state.bolus is not None:
        return any(each.kind == STARTED for each in entries)
    newest = next((each for each in reversed(entries) if each.kind in (STARTED, ENDED)), None)
    if newest is None or newest.kind == STARTED:
        return newest is not None
    ended = [e for e in entries if e.kind == ENDED and e.counter_ms == newest.counter_ms]
    return all(any(same_bolus(each, end) for each in entries) for end in ended)


def _whole(raw: tuple[bytes, ...], first: int) -> tuple[list[LogEntry], int]:
    """Those whose own check is right, from number `first` on; the number that comes next.

    In place of one that the pump has lost stands the one after it, and the pump fills up
    with later ones: none may count twice, or what is missing would not be missed.
    """
    found, place = [], first
    for each in raw:
        try:
            entry = log_entry(each)
        except WireError:
            place += 1
            continue
        if entry.number >= place:
            found.append(entry)
        place = max(place, entry.number) + 1
    return found, place
