"""The pump's log: pulled into the station's records, shown and exported from there.

A pull resumes after the last entry that is kept, checks each entry by its own
check and the numbers for gaps, and commits slice by slice, so that a cut line
costs nothing that was already here; what is durable is then released (TEL-04,
TEL-05). How it comes over the line is the link's.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.errors import NoAnswer, PumpRefused, UsageError
from pumpctl.named import NamedTuple
from pumpctl.pump.entries import log_entry
from pumpctl.station.records import Records
from pumpctl.therapy.log import LogEntry
from pumpctl.wire.fields import WireError
from pumpctl.workflows.look.checking import NOT_HELD, Gap, checked
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit


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
        held_from, end = visit.pump.log_range()
        wanted = 0 if everything else records.last_number(visit.serial) + 1
        start = max(wanted, held_from)
        gaps = []
        if not everything and wanted < start and wanted > 1:
            gaps.append(Gap(wanted, start - 1, "overwritten before it was pulled"))
        first, last, new, number = None, None, 0, start
        for piece in visit.pump.stream_log(start, end):
            good, bad, number = checked(piece.first, piece.entries)
            if number < piece.until:
                bad.append(Gap(number, piece.until - 1, NOT_HELD))
            gaps += bad
            new += records.add_log(visit.serial, good, pulled_at=str(visit.now()))
            first = good[0].number if first is None and good else first
            last = good[-1].number if good else last
            number = piece.until
            progress(number - start, end - start)
        if number > held_from and not visit.link.read_only:
            # Also where nothing was new: a pull may have ended between commit and release.
            _release(visit, number)
        milliseconds = int((visit.station.ticker() - started) * 1000)
        return Pulled(
            first,
            last,
            new,
            tuple(gaps),
            end - held_from,
            visit.link.bytes_on_wire - before,
            f"{milliseconds // 1000}.{milliseconds % 1000:03d}",
        )
    finally:
        records.close()


def _release(visit: Visit, below: int) -> None:
    """All below is durable here. That the pump hears so is worth no failure of the pull."""
    try:
        visit.pump.release_log(below)
    except (PumpRefused, NoAnswer) as error:
        visit.station.tell(f"the pump was not told what of its log is kept: {error.message}")


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
            station.tell(f"entry {entry.number} in the records cannot be read: {error}")
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
