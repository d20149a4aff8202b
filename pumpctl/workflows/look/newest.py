"""The newest entries of a pump's log, for whoever looks at it again and again.

Reads only, and keeps nothing on the disk: `logs` brings a log into the records. An
entry that is damaged or missing shows as a gap in the numbers; nothing is guessed.
"""

from __future__ import annotations

from typing import NamedTuple

from pumpctl.errors import Corrupt, PumpRefused
from pumpctl.pump.entries import log_entry
from pumpctl.pump.pump import Pump
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.state import PumpState
from pumpctl.wire.fields import WireError

FIRST = 128
"""Entries of the first look: about two days with nine boluses each; one round trip."""
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
        self._next: int | None = None
        self._failure: str | None = None

    def doubt(self, state: PumpState) -> str | None:
        """Why these are not all of the newest entries that the pump has written; None: they are.

        A damaged entry could have been a bolus.
        """
        if self._failure is not None:
            return self._failure
        first = max(state.log_first, state.log_next - FIRST)
        missing = state.log_next - first - sum(each.number >= first for each in self.entries)
        if missing <= 0:
            return None
        return f"{missing} of the log's newest entries cannot be read"

    def follow(self, pump: Pump, state: PumpState) -> NewEntries:
        """Fetch what is new since the last time; the newest `FIRST` at the first."""
        known, end = self._next, state.log_next
        if known is None or known > end:  # another log than before: begin again
            self.entries, known = (), max(state.log_first, end - FIRST)
        first = max(known, state.log_first, end - MORE)
        found: list[LogEntry] = []
        number, failure = first, None
        try:
            while number < end:
                batch = pump.log(number, end - number)
                if not batch.entries or batch.first < number:
                    break
                found += _whole(batch.entries, batch.first)
                number = batch.first + len(batch.entries)
        except (Corrupt, PumpRefused) as error:
            failure = f"the pump's log cannot be read: {error.message}"
        self.entries = (*self.entries, *found)[-FIRST:]
        reached = number if failure is not None else end
        self._next, self._failure = reached, failure
        return NewEntries(tuple(found), reached - known - len(found), failure)


def _whole(raw: tuple[bytes, ...], first: int) -> list[LogEntry]:
    """Those whose own check is right; each belongs where it stands, from number `first` on."""
    found = []
    for place, each in enumerate(raw, first):
        try:
            entry = log_entry(each)
        except WireError:
            continue
        if entry.number >= place:
            found.append(entry)
    return found
