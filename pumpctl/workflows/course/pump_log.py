"""The newest part of a pump's log, fetched only as far back as somebody asks.

An ordinary patient's last two days come in one round trip. Where the question
goes further back than that, the state version leads there: nothing that changes
therapy can have happened between two entries that name the same one, so months of
hours are jumped over. What is missing or damaged is never read over. What the
entries mean for a patient is not known here.
"""

from __future__ import annotations

from pumpctl.errors import Corrupt, PumpRefused
from pumpctl.pump.entries import log_entry
from pumpctl.pump.log_held import LogBatch
from pumpctl.pump.pump import Pump
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.state import PumpState
from pumpctl.wire.fields import WireError

HOURS = 49
"""Entries of two days on a pump that gives no bolus: one for each hour."""
SPARE = 8
"""And so many more at first: patient doses, alarms, an act or two."""
MORE = 256
"""Entries of any further read; what does not fit into one answer comes with another."""
PROBE = 32
"""Entries of a look in between: the next hour is among them, also with 24 boluses a day."""


class NotKnown(Exception):
    """Why something about the past cannot be told. No error: nobody is refused for it."""


class PumpLog:
    """One pump's log, as it was when its state was asked for."""

    def __init__(self, pump: Pump, state: PumpState) -> None:
        self._pump = pump
        self._first, self._end = state.log_first, state.log_next
        boluses = 0 if state.program is None else len(state.program.boluses)
        self._usual = HOURS + SPARE - 4 * -boluses // 7  # each of two days: begun, and ended
        self._entries: dict[int, LogEntry] = {}
        self.questions = 0
        """Round trips so far."""

    @property
    def whole(self) -> bool:
        """Whether it still holds the pump's very first entry."""
        return self._first == 1

    @property
    def oldest(self) -> LogEntry:
        """The oldest of all that were fetched."""
        return self._entries[min(self._entries)]

    def since(self, counter_ms: int) -> tuple[LogEntry, ...]:
        """All entries from the last one on that names a state version at or before this count.

        From the first entry on where the pump is younger than that. Raises NotKnown
        where the log is damaged or does not go so far back.
        """
        first, size = self._end, self._usual
        while True:
            wanted = [
                number
                for number in range(first, self._end)
                if self._entries[number].counter_ms <= counter_ms
                and version_of(self._entries[number]) is not None
            ]
            if wanted:
                first = wanted[-1]
                break
            if first <= self._first:
                break
            until, first = first, max(self._first, first - size)
            self._read(first, until)
            size = MORE if size == PROBE else PROBE
        found = tuple(self._entries[number] for number in range(first, self._end))
        if not found or (not self.whole and found[0].counter_ms > counter_ms):
            raise NotKnown("the pump's log does not go back far enough")
        return found

    def naming(self, version: int) -> LogEntry | None:
        """The oldest entry that was fetched so far and names this state version."""
        named = (n for n, entry in self._entries.items() if version_of(entry) == version)
        number = min(named, default=None)
        return None if number is None else self._entries[number]

    def maker(self, version: int) -> LogEntry | None:
        """The entry of what made this state version; None where the log begins with it.

        Raises NotKnown where the log is damaged, or holds nothing that made it.
        """
        while True:
            named = {number: version_of(entry) for number, entry in self._entries.items()}
            below = [n for n, found in named.items() if found is not None and found < version]
            above = [n for n, found in named.items() if found is not None and found >= version]
            last, place = max(below, default=self._first - 1), min(above, default=self._end)
            missing = [n for n in range(last + 1, place) if n not in self._entries]
            if not missing:
                break
            if len(missing) <= MORE:
                self._read(missing[0], missing[-1] + 1)
            else:
                middle = missing[len(missing) // 2]
                self._read(middle, middle + PROBE)
        if place == self._end or named[place] != version:
            raise NotKnown(f"the pump's log does not tell what made state version {version}")
        if below:
            return self._entries[place]
        if self.whole:
            return None
        raise NotKnown("the pump's log does not go back far enough")

    def after(self, entry: LogEntry) -> LogEntry | None:
        """The next entry; None where there is none."""
        number = entry.number + 1
        if number >= self._end:
            return None
        if number not in self._entries:
            self._read(number, number + 1)
        return self._entries[number]

    def _read(self, first: int, until: int) -> None:
        """Fetch these entries, every one of them; NotKnown where one is not to be had."""
        until = min(until, self._end)
        number = first
        while number < until:
            if number in self._entries:
                number += 1
                continue
            known = (each for each in range(number, until) if each in self._entries)
            batch = self._batch(number, next(known, until) - number)
            if batch.first != number or not batch.entries:
                raise NotKnown(f"entry {number} is missing in the pump's log")
            for raw in batch.entries:
                try:
                    entry = log_entry(raw)
                except WireError as error:
                    raise NotKnown(f"entry {number} of the pump's log: {error}") from error
                if entry.number != number:
                    raise NotKnown(f"entry {number} is missing in the pump's log")
                self._entries[number] = entry
                number += 1

    def _batch(self, first: int, most: int) -> LogBatch:
        self.questions += 1
        try:
            return self._pump.log(first, most)
        except (PumpRefused, Corrupt) as error:
            raise NotKnown(f"the pump's log cannot be read: {error.message}") from error


def version_of(entry: LogEntry) -> int | None:
    """The state version that was in force after this entry, where it names one."""
    version = entry.get("state_version")
    return version if isinstance(version, int) else None


def number_of(entry: LogEntry, name: str) -> int:
    """A number that an entry holds; NotKnown where it does not."""
    found = entry.get(name)
    if not isinstance(found, int):
        raise NotKnown(f"entry {entry.number} of the pump's log does not say {name}")
    return found
