"""Is it a library that a site may use? Whose, when, for what, from where.

Looked at when a library is checked, signed, installed and read. Its limits are
looked at in `library_limits` and `library_width`; signatures are the station's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from pumpctl.named import NamedTuple
from pumpctl.therapy import practice
from pumpctl.therapy.checks.registry import Checks
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Library, window_text
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.library_draft import LibraryDraft, WrittenEntry
from pumpctl.therapy.moment import Date
from pumpctl.therapy.places import Path

T = TypeVar("T")


class LibraryCase(NamedTuple):
    """What a check of a library looks at."""

    draft: LibraryDraft
    today: Date | None = None
    """None: nobody asks whether it has expired."""
    shipped: Library = DEFAULT


library_check = Checks[LibraryCase]()
"""Of drug libraries."""

_CHOICE = "this project's choice"
_NO_SOURCE = {"todo", "tbd", "change-me", "n/a", "na", "none", "unknown", "source", "xxx"}
_HEAD: Path = ("library",)


def named(entry: WrittenEntry) -> str:
    """The entry for people, as far as it could be read."""
    return f"{entry.drug or 'drug'} {entry.concentration or '(no concentration)'}"


def _repeated(pairs: Iterable[tuple[T, Path]]) -> Iterator[tuple[T, Path]]:
    """What was there before, where it stands again."""
    seen: set[T] = set()
    for what, path in pairs:
        if what in seen:
            yield what, path
        seen.add(what)


@library_check(
    "LIBRARY_SITE",
    Severity.HARD,
    source=_CHOICE,
    why="Plans and records name the library by site and version. The name of the one that ships "
    "is its own: put your site's.",
)
def library_site(case: LibraryCase) -> Iterator[Seen]:
    """The site is not the one that ships."""
    site, taken = case.draft.site, case.shipped.site
    if site is not None and site.casefold() == taken.casefold():
        yield Seen(
            f'"{taken}" is the library that ships: put the name of your site',
            value=site,
            path=(*_HEAD, "site"),
        )


@library_check(
    "LIBRARY_DATES",
    Severity.HARD,
    source="LIM-08",
    why="A site's limits are looked at again and again: a library says when it was issued and "
    "until when it is valid. One that has expired is not installed.",
)
def library_dates(case: LibraryCase) -> Iterator[Seen]:
    """Both dates are there, in order, and the library is valid today."""
    issued, expires, today = case.draft.issued, case.draft.expires, case.today
    headed = (case.draft.site, case.draft.version, case.draft.source) != (None, None, None)
    for name, date in (("issued", issued), ("expires", expires)):
        if headed and date is None and not case.draft.faulty((*_HEAD, name)):
            yield Seen(
                f'{name} = "YYYY-MM-DD" is missing: a site\'s library has both dates',
                limit=name,
                path=_HEAD,
                key=True,
            )
    path = (*_HEAD, "expires")
    if issued is not None and expires is not None and expires < issued:
        yield Seen("it expires before it is issued", str(expires), str(issued), path)
    if today is None:
        return
    if expires is not None and expires < today:
        yield Seen(f"it expired on {expires}", str(expires), str(today), path)
    if issued is not None and issued > today:
        what = f"it is issued on {issued}, which is yet to come"
        yield Seen(what, str(issued), str(today), (*_HEAD, "issued"))


@library_check(
    "LIBRARY_DUPLICATE",
    Severity.HARD,
    source="LIM-07",
    why="Limits are keyed by drug and concentration, windows by their length. Of two for the "
    "same key nobody knows which one holds.",
)
def library_duplicate(case: LibraryCase) -> Iterator[Seen]:
    """Every key stands once."""
    entries = case.draft.entries
    keys = [
        (f"{each.drug} {each.concentration}", each.path)
        for each in entries
        if each.drug is not None and each.concentration is not None
    ]
    lengths = [
        [
            (f"a window of {window_text(each.length)}", each.path)
            for each in entry.windows
            if each.length is not None
        ]
        for entry in entries
    ]
    groups = [
        [(each.group, each.path) for each in entry.usual if each.group is not None]
        for entry in entries
    ]
    for named in (keys, *lengths, *groups):
        for what, path in _repeated(named):
            yield Seen(f"{what} stands twice", value=what, path=path, key=True)


@library_check(
    "LIBRARY_CONCENTRATION",
    Severity.HARD,
    source=DEFAULT.source,
    why="Pumps of this kind are filled with baclofen of 500, 1000 or 2000 mcg/mL. 50 mcg/mL is "
    "the screening ampoule, and anything else is a slip: every dose would be out by its ratio.",
)
def library_concentration(case: LibraryCase) -> Iterator[Seen]:
    """A site's list is taken out of what pumps can be filled with."""
    for entry in case.draft.entries:
        known = case.shipped.concentrations(entry.drug or case.shipped.listed[0].drug)
        if not known and entry.drug is not None:
            drugs = ", ".join(case.shipped.drugs())
            yield Seen(
                f"pumps of this kind take no {entry.drug!r:.40}",
                value=entry.drug,
                limit=drugs,
                path=(*entry.path, "name"),
            )
        elif entry.concentration is not None and entry.concentration not in known:
            screening = entry.concentration == practice.SCREENING.value
            yield Seen(
                f"{entry.concentration} is "
                + ("for screening only, never for a pump" if screening else "not supplied"),
                value=str(entry.concentration),
                limit=", ".join(map(str, known)),
                path=(*entry.path, "concentration"),
                source=practice.SCREENING.source if screening else None,
            )


@library_check(
    "LIBRARY_SOURCE",
    Severity.HARD,
    source=_CHOICE,
    why="Every figure names where it comes from: a limit that nobody can look up is one that "
    "nobody can correct.",
)
def library_source(case: LibraryCase) -> Iterator[Seen]:
    """Every source says something."""
    given = [(case.draft.source, (*_HEAD, "source"))]
    for entry in case.draft.entries:
        given += [(each.limit.source, (*each.path, "source")) for each in entry.figures()]
        given += [(each.source, (*each.path, "source")) for each in entry.usual]
    for source, path in given:
        if source is None:
            continue
        word = source.strip(" .?!-").casefold()
        if word in _NO_SOURCE or not any(letter.isalpha() for letter in word):
            yield Seen(f'"{source:.40}" names no source', value=source[:40], path=path)
