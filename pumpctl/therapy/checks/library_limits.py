"""Are a library's limits such that doses can be held against them, and none is barred by a slip?

What must be there, in which order figures rise, what may be a hard limit at
all. The library as a whole is looked at in `libraries`, how wide it is in `library_width`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from pumpctl.quantities import Duration
from pumpctl.therapy.checks import library_width  # noqa: F401  (imported so that it registers)
from pumpctl.therapy.checks.libraries import LibraryCase, library_check, named
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import TO_VERIFY, Band, Sourced, window_text
from pumpctl.therapy.library_draft import NAMES
from pumpctl.therapy.places import Path

_CHOICE = "this project's choice"
_REQUIRED_WINDOWS = (Duration.parse("1 h"), Duration.parse("24 h"))
_SHORTEST, _LONGEST = Duration.parse("1 min"), Duration.parse("7 d")


@library_check(
    "LIBRARY_REQUIRED",
    Severity.HARD,
    source="LIM-03, LIM-04",
    why="Without these a program would not be checked at all on that side: hard upper limits of "
    "every kind of dose, a lower one of the daily dose, and the largest step up and down.",
)
def library_required(case: LibraryCase) -> Iterator[Seen]:
    """Every entry has the limits that nothing can be checked without."""
    for entry in case.draft.entries:
        for table, keys in _REQUIRED:
            here = (*entry.path, table)
            if any(entry.tables[table][key] is not None for key in keys):
                continue
            if any(case.draft.faulty((*here, key)) for key in keys):
                continue  # written, and faulty: that is a finding of its own
            what = " or ".join(f"{table}.{key}" for key in keys)
            yield Seen(
                f"{named(entry)}: {what} is missing ({NAMES[table]}: {NAMES[keys[0]]})",
                limit=what,
                path=here,
                key=True,
            )


_REQUIRED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("daily_dose", ("hard_high",)),
    ("daily_dose", ("soft_low", "hard_low")),
    ("rate", ("hard_high",)),
    ("bolus", ("hard_high",)),
    ("patient_dose", ("hard_high",)),
    ("daily_change", ("increase_soft", "increase_hard")),
    ("daily_change", ("reduction_soft", "reduction_hard")),
)


@library_check(
    "LIBRARY_WINDOWS",
    Severity.HARD,
    source="LIM-05",
    why="The largest dose in any hour and in any 24 hours is limited wherever they begin: a limit "
    "by the calendar's day alone lets two days' boluses meet at midnight.",
)
def library_windows(case: LibraryCase) -> Iterator[Seen]:
    """There is a window of 1 h and one of 24 h; none is shorter than a minute or over a week."""
    for entry in case.draft.entries:
        lengths = {window.length for window in entry.windows}
        for length in _REQUIRED_WINDOWS:
            if length not in lengths and None not in lengths:
                if case.draft.faulty((*entry.path, "window")):
                    continue
                yield Seen(
                    f"{named(entry)}: a window of {window_text(length)} is missing",
                    limit=window_text(length),
                    path=entry.path,
                    key=True,
                )
        for window in entry.windows:
            if window.length is not None and not _SHORTEST <= window.length <= _LONGEST:
                yield Seen(
                    f"a window of {window.length}",
                    value=str(window.length),
                    limit=f"{_SHORTEST} to {_LONGEST}",
                    path=(*window.path, "length"),
                )


@library_check(
    "LIBRARY_ORDER",
    Severity.HARD,
    source="arithmetic",
    why="A soft limit outside its hard one never speaks, and lower limits above upper ones refuse "
    "every dose: either is a slip of a figure or a unit.",
)
def library_order(case: LibraryCase) -> Iterator[Seen]:
    """hard_low, soft_low, soft_high, hard_high rise; a soft step is within the hard one."""
    for entry in case.draft.entries:
        for table, limits in entry.tables.items():
            for keys in _ORDERED:
                there = [(key, limits[key]) for key in keys if key in limits]
                yield from _rising(table, there, (*entry.path, table))
        for window in entry.windows:
            pair = (("soft", window.soft), ("hard", window.hard))
            yield from _rising("window", pair, window.path)
        for usual in entry.usual:
            if usual.low is not None and usual.high is not None and usual.high < usual.low:
                what = f"the usual range ends at {usual.high}, below {usual.low}"
                yield Seen(what, str(usual.high), str(usual.low), (*usual.path, "high"))


_ORDERED = (
    Band._fields,
    ("increase_soft", "increase_hard"),
    ("reduction_soft", "reduction_hard"),
)


def _rising(
    table: str, limits: Iterable[tuple[str, Sourced[Any] | None]], path: Path
) -> Iterator[Seen]:
    there = [(key, limit.value) for key, limit in limits if limit is not None]
    for (low, below), (high, above) in pairwise(there):
        if above < below:
            yield Seen(
                f"{table}: {high} {above} is below {low} {below}",
                value=str(above),
                limit=f"at least {below}",
                path=(*path, high, "limit"),
            )


@library_check(
    "LIBRARY_NOTHING",
    Severity.HARD,
    source="STP-02",
    why="A library that leaves no daily dose, no rate or no step down would stop therapy or bar "
    "the way back from an overdose: baclofen withdrawal kills, and so does too much of it.",
)
def library_nothing(case: LibraryCase) -> Iterator[Seen]:
    """No upper limit of daily dose, rate, window or reduction is zero."""
    for entry in case.draft.entries:
        for figure in entry.figures():
            bars = figure.key in _UPPER and figure.table not in _MAY_BE_NONE
            if bars and not figure.limit.value:
                yield Seen(
                    f"{figure.name}: a limit of {figure.limit.value} leaves nothing",
                    value=str(figure.limit.value),
                    limit="above zero",
                    path=(*figure.path, "limit"),
                )


_UPPER = ("soft_high", "hard_high", "soft", "hard", "reduction_hard")
_MAY_BE_NONE = ("bolus", "patient_dose")
"""A site may give no boluses at all."""


@library_check(
    "LIBRARY_TO_VERIFY",
    Severity.HARD,
    source=_CHOICE,
    why="A figure that nobody could look up in its source may ask for a reason, but never refuse "
    "a dose for good: it is a soft limit at most, until it is verified.",
)
def library_to_verify(case: LibraryCase) -> Iterator[Seen]:
    """What is to be verified is no hard limit."""
    for entry in case.draft.entries:
        for figure in entry.figures():
            if figure.hard and TO_VERIFY.strip("()") in figure.limit.source.casefold():
                yield Seen(
                    f"{figure.name}: {figure.limit.value} is to be verified, so it is soft at most",
                    value=str(figure.limit.value),
                    limit=TO_VERIFY,
                    path=(*figure.path, "source"),
                )


@library_check(
    "LIBRARY_REDUCTION",
    Severity.SOFT,
    source="LIM-09",
    why="A reduction must stay possible: with signs of overdose the dose goes down at once, "
    "however far, and a pump goes on with what it gave. A hard lower limit stands in the way.",
)
def library_reduction(case: LibraryCase) -> Iterator[Seen]:
    """No reduction is limited for good."""
    for entry in case.draft.entries:
        for figure in entry.figures():
            lowest = figure.key == "hard_low" and figure.table in ("daily_dose", "rate")
            if lowest or figure.key == "reduction_hard":
                yield Seen(
                    f"{named(entry)}: {figure.name}: {'below' if lowest else 'beyond'} "
                    f"{figure.limit.value} nobody can reduce the dose, whatever the reason",
                    value=str(figure.limit.value),
                    path=figure.path,
                    key=True,
                )
