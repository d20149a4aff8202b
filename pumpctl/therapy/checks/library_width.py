"""Are a library's limits so wide that they limit nothing? A unit's slip, mg for mcg, above all.

Its hard limits are held against one another, against what any pump of this kind
takes, and against those of the library that ships. Whether they are there and in
order is looked at in `library_limits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pumpctl.errors import InternalError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass, Rate
from pumpctl.therapy.checks.libraries import LibraryCase, library_check, named
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Sourced, window_text
from pumpctl.therapy.library_draft import NAMES, Figure, WrittenEntry, entry_of

_CHOICE = "this project's choice"
_DAY = Duration.parse("24 h")
_TIMES = 2
"""A hard limit so many times the one that ships, or more, needs a reason."""


class _Window(NamedTuple):
    """A window that could be read whole."""

    length: Duration
    hard: Mass
    path: tuple[str | int, ...]


def _windows(entry: WrittenEntry) -> list[_Window]:
    return [
        _Window(each.length, each.hard.value, each.path)
        for each in entry.windows
        if each.length is not None and each.hard is not None
    ]


@library_check(
    "LIBRARY_WINDOW_ORDER",
    Severity.HARD,
    source="arithmetic",
    why="One dose, or an hour, cannot hold more than the day around it: of two such limits one is "
    "a slip. With mg for mcg it is 1000 times too wide, and no longer stops anything.",
)
def library_window_order(case: LibraryCase) -> Iterator[Seen]:
    """No dose may be above what 24 h may hold, nor a short window above a longer one."""
    for entry in case.draft.entries:
        windows = _windows(entry)
        for table in ("bolus", "patient_dose"):
            limit = entry.tables[table]["hard_high"]
            path = (*entry.path, table, "hard_high")
            if limit is not None:
                what = f"{table}: hard_high"
                yield from _above(what, limit.value, [w for w in windows if w.length == _DAY], path)
        for window in windows:
            longer = [each for each in windows if each.length > window.length]
            what = f"a window of {window_text(window.length)}: hard"
            yield from _above(what, window.hard, longer, (*window.path, "hard"))


def _above(
    what: str, limit: Mass, windows: list[_Window], path: tuple[str | int, ...]
) -> Iterator[Seen]:
    least = min(windows, key=lambda window: window.hard, default=None)
    if least is not None and limit > least.hard:
        yield Seen(
            f"{what} {limit} is above the {least.hard} that any {window_text(least.length)} may "
            "hold: check the units",
            value=str(limit),
            limit=f"at most {least.hard}",
            path=(*path, "limit"),
        )


@library_check(
    "LIBRARY_PUMP_MOST",
    Severity.HARD,
    source=_CHOICE,
    why="No pump of this kind takes more in a day, whatever a library allows: a limit above that "
    "is a slip of a figure or a unit, and would never be the one that stops a dose.",
)
def library_pump_most(case: LibraryCase) -> Iterator[Seen]:
    """Hard limits of a day, a rate and 24 h are within what the pump itself takes."""
    for entry in case.draft.entries:
        most = _most(case, entry)
        for table in ("daily_dose", "rate"):
            limit = entry.tables[table]["hard_high"]
            if limit is not None and limit.value > most.value:
                where = (*entry.path, table, "hard_high", "limit")
                yield _too_much(f"{table}: hard_high", limit.value, most, where)
        for window in _windows(entry):  # ng against ng/day: of a day the same figure
            if window.length == _DAY and window.hard.quanta > most.value.quanta:
                what = f"a window of {window_text(_DAY)}: hard"
                yield _too_much(what, window.hard, most, (*window.path, "hard", "limit"))


def _most(case: LibraryCase, entry: WrittenEntry) -> Sourced[Rate]:
    """What any pump takes in a day: the hard limit of the library that ships."""
    shipped = case.shipped.nearest(entry.drug, entry.concentration).daily_dose.hard_high
    if shipped is None:
        raise InternalError("the library that ships limits no daily dose")
    return shipped


def _too_much(
    what: str, limit: Rate | Mass, most: Sourced[Rate], path: tuple[str | int, ...]
) -> Seen:
    return Seen(
        f"{what} {limit} is above the {most.value} that any pump of this kind takes: "
        "check the units",
        value=str(limit),
        limit=f"at most {most.value}",
        path=path,
        source=most.source,
    )


@library_check(
    "LIBRARY_LOOSER",
    Severity.NOTE,
    source=_CHOICE,
    why="A site may set wider limits than the library that ships, and should know where it does: "
    "the two figures are named. At twice the hard limit that ships, or more, it needs a reason: "
    "that wide, a slip of a unit looks like a decision.",
)
def library_looser(case: LibraryCase) -> Iterator[Seen]:
    """Say where a limit is wider than the one that ships, or is not there at all."""
    hard: list[Seen] | None = None
    for entry in case.draft.entries:
        if entry.drug is None or entry.concentration is None:
            continue
        shipped = case.shipped.limits(entry.drug, entry.concentration)
        if shipped is None:
            continue
        own = {(figure.table, figure.key): figure for figure in entry.figures()}
        for other in entry_of(shipped).figures():
            mine = own.get((other.table, other.key))
            if (mine is None and case.draft.faulty(entry.path)) or (
                mine is not None and not _looser(mine, other)
            ):
                continue
            if hard is None:  # only where there is something to say: it costs every check again
                hard = _hard(case)
            if not any(_about(seen, entry, other, mine) for seen in hard):
                far = mine is not None and other.hard and _far(mine.limit, other.limit)
                yield _wider(entry, other, mine, Severity.SOFT if far else None)


def _wider(
    entry: WrittenEntry, shipped: Figure, mine: Figure | None, severity: Severity | None
) -> Seen:
    given = "none" if mine is None else str(mine.limit.value)
    return Seen(
        f"{named(entry)}: {shipped.name}: {given}, where the library that ships has "
        f"{shipped.limit.value}",
        value=given,
        limit=str(shipped.limit.value),
        path=(*entry.path, shipped.table) if mine is None else mine.path,
        key=mine is None,
        severity=severity,
        source=shipped.limit.source,
    )


def _looser(mine: Figure, shipped: Figure) -> bool:
    low = mine.key.endswith("low")
    ours, theirs = mine.limit.value, shipped.limit.value
    return bool(ours < theirs if low else ours > theirs)


def _far(mine: Sourced[Any], shipped: Sourced[Any]) -> bool:
    """Upper limits only: the library that ships has no hard lower one."""
    return bool(mine.value.quanta >= _TIMES * shipped.value.quanta)


def _hard(case: LibraryCase) -> list[Seen]:
    """What the other checks refuse."""
    checks = [each for each in library_check.by_id.values() if each.rule.severity is Severity.HARD]
    return [seen for each in checks for seen in each.run(case)]


def _about(seen: Seen, entry: WrittenEntry, shipped: Figure, mine: Figure | None) -> bool:
    """Whether a hard finding is about this figure already: wrong, or missing."""
    if mine is not None:
        return seen.path[: len(mine.path)] == mine.path
    key = shipped.table if shipped.table not in NAMES else f"{shipped.table}.{shipped.key}"
    missing = (seen.limit or "").split(" or ")
    return seen.path in (entry.path, (*entry.path, shipped.table)) and key in missing
