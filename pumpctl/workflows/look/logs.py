"""The pump's log: pulled into the station's records, shown and exported from there.

A pull resumes after the last entry that is kept, checks each entry by its own
check and the numbers for gaps, and commits batch by batch, so that a cut line
costs nothing that was already here (TEL-04, TEL-05).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pumpctl.errors import UsageError
from pumpctl.pump.entries import log_entry
from pumpctl.station.records import Records, StoredEntry
from pumpctl.therapy.log import LogEntry
from pumpctl.wire.fields import WireError
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit

BATCH = 512


class Gap(NamedTuple):
    """Numbers that the pump no longer holds, or whose entries are damaged."""

    first: int
    last: int
    cause: str


class Pulled(NamedTuple):
    """What a pull brought."""

    first: int | None
    last: int | None
    new: int
    gaps: tuple[Gap, ...]
    held: int
    bytes_on_wire: int
    seconds: str


def pull(visit: Visit, *, everything: bool, progress: Callable[[int, int], None]) -> Pulled:
    """Pull what is new since the last pull, or all that the pump holds."""
    started, before = visit.station.ticker(), visit.link.bytes_on_wire
    records = Records(visit.station.database_url())
    try:
        state = visit.state()
        wanted = 0 if everything else records.last_number(visit.serial) + 1
        number = max(wanted, state.log_first)
        gaps = []
        if not everything and wanted < number and wanted > 1:
            gaps.append(Gap(wanted, number - 1, "overwritten before it was pulled"))
        first, last, new = None, None, 0
        while number < state.log_next:
            batch = visit.pump.log(number, min(BATCH, state.log_next - number))
            if not batch.entries:
                gaps.append(Gap(number, state.log_next - 1, "not sent by the pump"))
                break
            good, bad, following = _checked(number, batch.entries)
            gaps += bad
            new += records.add_log(visit.serial, good, pulled_at=str(visit.now()))
            first = good[0].number if first is None and good else first
            last = good[-1].number if good else last
            if following <= number:
                gaps.append(Gap(number, state.log_next - 1, "the pump repeats itself"))
                break
            number = following
            progress(number - max(wanted, state.log_first), state.log_next - wanted)
        milliseconds = int((visit.station.ticker() - started) * 1000)
        return Pulled(
            first,
            last,
            new,
            tuple(gaps),
            state.log_next - state.log_first,
            visit.link.bytes_on_wire - before,
            f"{milliseconds // 1000}.{milliseconds % 1000:03d}",
        )
    finally:
        records.close()


def _checked(asked: int, entries: Sequence[bytes]) -> tuple[list[StoredEntry], list[Gap], int]:
    """The whole entries, each by its own number; what is missing; the number after the last.

    A damaged entry has no number that could be trusted: it shows as the gap it leaves.
    """
    good: list[StoredEntry] = []
    gaps: list[Gap] = []
    expected, damaged = asked, ""
    for raw in entries:
        try:
            number = log_entry(raw).number
        except WireError as error:
            damaged = str(error)
            continue
        if number < expected:
            continue  # a repeat: it is here already
        if number > expected:
            gaps.append(Gap(expected, number - 1, damaged or "the pump does not hold it"))
        good.append(StoredEntry(number, raw))
        expected, damaged = number + 1, ""
    if damaged:
        gaps.append(Gap(expected, expected, damaged))
        expected += 1
    return good, gaps, expected


def kept(
    station: Station, *, first: int = 0, last: int | None = None, newest: int | None = None
) -> tuple[str, list[LogEntry]]:
    """The serial and the entries that the records hold, in rising order."""
    records = Records(station.database_url())
    try:
        serial = _serial(station, records.pumps())
        stored = records.log(serial, first=first, last=last, newest=newest)
    finally:
        records.close()
    entries = []
    for entry in stored:
        try:
            entries.append(log_entry(entry.raw))
        except WireError as error:
            station.tell(f"entry {entry.number} in the records is damaged: {error}")
    return serial, entries


def _serial(station: Station, known: tuple[str, ...]) -> str:
    if station.only is not None:
        if station.only not in known:
            raise UsageError(
                f"the records hold no log of pump {station.only}",
                hint="pumpctl logs pull brings it",
            )
        return station.only
    if not known:
        raise UsageError("the records hold no log yet", hint="pumpctl logs pull brings it")
    if len(known) > 1:
        raise UsageError(
            "the records hold the logs of several pumps", hint=f"--pump, one of {', '.join(known)}"
        )
    return known[0]
