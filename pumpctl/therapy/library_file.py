"""A drug library's file: TOML text in, a library and everything that is wrong with it out.

A text that is no TOML is refused with its place. Everything else is read as far
as it can be, so that all findings come in one go; a library with a fault of
shape is none. Signatures and where a library is kept are not known here.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pumpctl.errors import LibrarySyntax
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Duration, Quantity, Rate
from pumpctl.therapy.checks import check_library
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import NEVER, Band, Change, Library, Sourced
from pumpctl.therapy.library_draft import (
    BANDS,
    CHANGES,
    LibraryDraft,
    Written,
    WrittenEntry,
    WrittenUsual,
    WrittenWindow,
)
from pumpctl.therapy.library_shape import LIBRARY
from pumpctl.therapy.moment import Date
from pumpctl.therapy.places import Path
from pumpctl.therapy.toml_text import FileKind, decoded, parsed
from pumpctl.therapy.walk import Walk

KIND = FileKind(LIBRARY.name, LibrarySyntax)

_T = TypeVar("_T")


class LibraryReading(NamedTuple):
    """What came of reading a library: `findings` holds everything, in one go."""

    library: Library | None
    """None where a part of it could not be read."""
    findings: tuple[Finding, ...]

    @property
    def hard(self) -> tuple[Finding, ...]:
        """The hard findings: with one, a library is never used."""
        return tuple(each for each in self.findings if each.severity is Severity.HARD)

    @property
    def soft(self) -> tuple[Finding, ...]:
        """The soft findings: installing it needs a reason for each."""
        return tuple(each for each in self.findings if each.severity is Severity.SOFT)


def read_library_bytes(data: bytes, filename: str, today: Date | None = None) -> LibraryReading:
    """Read a library as it lies in a file: UTF-8, with or without a byte order mark."""
    return read_library(decoded(data, filename, KIND), filename, today)


def read_library(text: str, filename: str, today: Date | None = None) -> LibraryReading:
    """Read and check a library; LibrarySyntax, with line and column, where it is no TOML.

    `today`: hold its dates against this day, too.
    """
    text = text.removeprefix("\ufeff")
    walk = Walk(LIBRARY)
    made = walk.all(parsed(text, filename, KIND))
    draft = _draft(made, walk, text)
    return LibraryReading(draft.formed(), check_library(draft, today))


# --- from walked values to a draft -----------------------------------------------


def _get(table: object, key: str, kind: type[_T]) -> _T | None:
    """The value of a key, where it is there and could be read."""
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, kind) else None


def _draft(made: object, walk: Walk, text: str) -> LibraryDraft:
    head = _get(made, "library", dict)
    entries = _get(made, "drug", list) or []
    return LibraryDraft(
        faults=tuple(walk.faults),
        text=text,
        site=_get(head, "site", str),
        version=_get(head, "version", int),
        issued=_get(head, "issued", Date),
        expires=_get(head, "expires", Date),
        source=_get(head, "source", str),
        entries=tuple(_entry(each, ("drug", at)) for at, each in enumerate(entries)),
        second_person=_get(_get(made, "policy", dict), "second_person", str) or NEVER,
    )


def _entry(table: object, path: Path) -> WrittenEntry:
    windows = _get(table, "window", list) or []
    usual = _get(table, "usual", list) or []
    return WrittenEntry(
        drug=_get(table, "name", str),
        concentration=_get(table, "concentration", Concentration),
        tables={
            **{name: _limits(_get(table, name, dict), Band._fields) for name in BANDS},
            **{name: _limits(_get(table, name, dict), Change._fields) for name in CHANGES},
        },
        windows=tuple(
            WrittenWindow(
                _get(each, "length", Duration),
                _figure(each, "soft"),
                _figure(each, "hard"),
                (*path, "window", at),
            )
            for at, each in enumerate(windows)
        ),
        usual=tuple(
            WrittenUsual(
                _get(each, "group", str),
                _get(each, "low", Rate),
                _get(each, "high", Rate),
                _get(each, "source", str),
                (*path, "usual", at),
            )
            for at, each in enumerate(usual)
        ),
        path=path,
    )


def _limits(table: object, keys: tuple[str, ...]) -> Written:
    return {key: _figure(table, key) for key in keys}


def _figure(table: object, key: str) -> Sourced[Any] | None:
    written = _get(table, key, dict)
    limit, source = (written or {}).get("limit"), _get(written, "source", str)
    return None if not isinstance(limit, Quantity) or source is None else Sourced(limit, source)
