"""The tables of docs/round-trips.md: round trips, bytes and seconds of each command.

It returns text and writes nothing; `generate` writes, and a test fails when the page is
stale. What is counted comes from real runs (`trip_stories`); seconds are computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pumpctl.link.pace import BITS
from tools.model import GenerateError
from tools.trip_stories import Counted, counted
from tools.trips import Trip

LATENCY_MS = 20
"""Of a line, each way."""
BAUDS = (9_600, 115_200)


def tables(found: Counted) -> dict[str, str]:
    """Every generated part of the page by the name that its markers carry."""
    return {"round-trips": _overview(found), "messages": _messages(found)}


def refreshed(page: str) -> str:
    """The page with its tables as they should be now; GenerateError where one has no place."""
    for name, table in tables(counted()).items():
        start, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        before, found_start, rest = page.partition(start)
        _, found_end, after = rest.partition(end)
        if not (found_start and found_end):
            raise GenerateError(f"docs/round-trips.md has no markers for its table of {name}")
        page = f"{before}{start}\n{table}\n{end}{after}"
    return page


def milliseconds(trips: tuple[Trip, ...], baud: int) -> int:
    """On the line alone: every byte at this rate, and the delay of each round trip; rounded up."""
    passed = sum(trip.out + trip.back for trip in trips)
    return -(-passed * BITS * 1000 // baud) + 2 * LATENCY_MS * len(trips)


def _overview(found: Counted) -> str:
    lines = [
        "| command | round trips | bytes to the pump | from it | at 9600 baud | at 115200 |",
        "|---|---|---|---|---|---|",
    ]
    for name, trips in found.items():
        times = " | ".join(_seconds(milliseconds(trips, baud)) for baud in BAUDS)
        lines.append(
            f"| {name} | {len(trips)} | {sum(trip.out for trip in trips)} "
            f"| {sum(trip.back for trip in trips)} | {times} |"
        )
    return "\n".join(lines) + "\n"


def _seconds(count_ms: int) -> str:
    """To a tenth, rounded up."""
    tenths = -(-count_ms // 100)
    return f"{tenths // 10}.{tenths % 10} s"


def _messages(found: Counted) -> str:
    lines = ["| command | requests in their order, each with its bytes out/back |", "|---|---|"]
    lines += [f"| {name} | {' · '.join(_told(trips))} |" for name, trips in found.items()]
    return "\n".join(lines) + "\n"


def _told(trips: tuple[Trip, ...]) -> Iterator[str]:
    for asked, same in groupby(trips, key=lambda trip: trip.asked):
        each = ", ".join(f"{trip.out}/{trip.back}" for trip in same)
        yield f"{asked} {each}"
