"""A drug library as it was written: typed parts, any of which may be missing or faulty.

The checks look at drafts, so that one fault in a file hides no other; only a
draft without a fault becomes a `Library`. No limits here, and no TOML.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pumpctl.errors import InternalError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Duration, Mass, Rate
from pumpctl.therapy.findings import Fault
from pumpctl.therapy.library import (
    NEVER,
    Band,
    Change,
    Library,
    Limits,
    Sourced,
    UsualRange,
    Window,
    window_text,
)
from pumpctl.therapy.moment import Date
from pumpctl.therapy.places import Path

T = TypeVar("T")

BANDS = ("daily_dose", "rate", "bolus", "patient_dose")
CHANGES = ("daily_change", "rate_change")
NAMES = {
    "daily_dose": "daily dose",
    "rate": "basal rate",
    "bolus": "bolus",
    "patient_dose": "patient dose",
    "daily_change": "change of the daily dose",
    "rate_change": "change of the basal rate",
    "hard_low": "hard lower limit",
    "soft_low": "soft lower limit",
    "soft_high": "soft upper limit",
    "hard_high": "hard upper limit",
    "increase_soft": "soft limit of an increase",
    "increase_hard": "hard limit of an increase",
    "reduction_soft": "soft limit of a reduction",
    "reduction_hard": "hard limit of a reduction",
    "soft": "soft limit",
    "hard": "hard limit",
}
"""What people call the keys."""


Written = dict[str, Sourced[Any] | None]
"""The limits of one table, by key, in the order of the format; None for none."""


class Figure(NamedTuple):
    """One limit, as it was written."""

    table: str
    """`daily_dose`, `rate_change`, or a window's length."""
    key: str
    limit: Sourced[Any]
    path: Path

    @property
    def name(self) -> str:
        """For people: `daily dose, hard upper limit`."""
        return f"{NAMES.get(self.table, f'any {self.table}')}, {NAMES[self.key]}"

    @property
    def hard(self) -> bool:
        """Whether nothing overrides it."""
        return "hard" in self.key


class WrittenWindow(NamedTuple):
    """One `[[drug.window]]`."""

    length: Duration | None
    soft: Sourced[Mass] | None
    hard: Sourced[Mass] | None
    path: Path


class WrittenUsual(NamedTuple):
    """One `[[drug.usual]]`."""

    group: str | None
    low: Rate | None
    high: Rate | None
    source: str | None
    path: Path


class WrittenEntry(NamedTuple):
    """One `[[drug]]`; None for what is not there or could not be read."""

    drug: str | None
    concentration: Concentration | None
    tables: dict[str, Written]
    """By the name of the table, `daily_dose` to `rate_change`; all of them, empty or not."""
    windows: tuple[WrittenWindow, ...]
    usual: tuple[WrittenUsual, ...]
    path: Path

    def figures(self) -> Iterator[Figure]:
        """Every limit in it that could be read, in the order of the format."""
        for table, limits in self.tables.items():
            for key, limit in limits.items():
                if limit is not None:
                    yield Figure(table, key, limit, (*self.path, table, key))
        for window in self.windows:
            for key, mass in (("soft", window.soft), ("hard", window.hard)):
                if window.length is not None and mass is not None:
                    yield Figure(window_text(window.length), key, mass, (*window.path, key))


class LibraryDraft(NamedTuple):
    """All that could be read of a library, and what could not."""

    faults: tuple[Fault, ...]
    text: str | None
    """The file, for finding places; None where there was none."""
    site: str | None
    version: int | None
    issued: Date | None
    expires: Date | None
    source: str | None
    entries: tuple[WrittenEntry, ...]
    second_person: str = NEVER

    def faulty(self, path: Path) -> bool:
        """Whether something at this place, or around it, could not be read."""
        return any(
            fault.seen.path[: len(path)] == path or path[: len(fault.seen.path)] == fault.seen.path
            for fault in self.faults
            if fault.seen.path
        )

    def formed(self) -> Library | None:
        """The library that the parts make, where there was no fault in reading them."""
        if self.faults:
            return None
        return Library(
            site=_there(self.site),
            version=_there(self.version),
            issued=self.issued,
            expires=self.expires,
            source=_there(self.source),
            listed=tuple(_limits(entry) for entry in self.entries),
            second_person=self.second_person,
        )


def draft_of(library: Library) -> LibraryDraft:
    """A library that was not read from a file, for the same checks."""
    entries = tuple(entry_of(limits, ("drug", at)) for at, limits in enumerate(library.listed))
    return LibraryDraft((), None, *library[:5], entries, library.second_person)


def entry_of(limits: Limits, path: Path = ()) -> WrittenEntry:
    """An entry as if it had been written, with the places it would have."""
    return WrittenEntry(
        drug=limits.drug,
        concentration=limits.concentration,
        tables={table: getattr(limits, table)._asdict() for table in (*BANDS, *CHANGES)},
        windows=tuple(
            WrittenWindow(*window, path=(*path, "window", at))
            for at, window in enumerate(limits.windows)
        ),
        usual=tuple(
            WrittenUsual(*usual, path=(*path, "usual", at)) for at, usual in enumerate(limits.usual)
        ),
        path=path,
    )


def _limits(entry: WrittenEntry) -> Limits:
    return Limits(
        drug=_there(entry.drug),
        concentration=_there(entry.concentration),
        daily_dose=Band(**entry.tables["daily_dose"]),
        rate=Band(**entry.tables["rate"]),
        bolus=Band(**entry.tables["bolus"]),
        patient_dose=Band(**entry.tables["patient_dose"]),
        daily_change=Change(**entry.tables["daily_change"]),
        rate_change=Change(**entry.tables["rate_change"]),
        windows=tuple(
            Window(_there(each.length), each.soft, _there(each.hard)) for each in entry.windows
        ),
        usual=tuple(
            UsualRange(_there(each.group), _there(each.low), _there(each.high), _there(each.source))
            for each in entry.usual
        ),
    )


def _there(value: T | None) -> T:
    """What the shape requires is there, or there was a fault."""
    if value is None:
        raise InternalError("a part of the library is missing, and no finding says so")
    return value
