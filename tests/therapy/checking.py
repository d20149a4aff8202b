"""How a check of a profile is tried: it finds a bad one at its place, and is what stops it.

Every case is tried twice: with its check, which must find it at its place; and
without it, when nothing of its severity may be left. So no check is passed only
because another one happens to cover it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from pumpctl.errors import InternalError
from pumpctl.quantities import Concentration, Duration, Mass, Percent, Quantity, Rate, Volume
from pumpctl.therapy.checks import check_program, rules
from pumpctl.therapy.checks.registry import check
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Band, Change, Library, Sourced, Window
from pumpctl.therapy.library_default import DEFAULT
from tests.therapy.samples import CONTINUOUS, FLEX, altered, ids, named, profile, read

BOARD = "the board of a site"
ALL = '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'
EVERY_HOUR = "[" + ", ".join(f'"{hour:02d}:00"' for hour in range(24)) + "]"
_KINDS: tuple[type[Quantity], ...] = (Rate, Mass, Percent, Duration, Concentration, Volume)


class Bad(NamedTuple):
    """A profile that one check stops."""

    name: str
    severity: Severity
    text: str
    value: str | None
    limit: str | None
    where: str
    """What stands in the file where the finding points."""
    library: Library = DEFAULT


def flex(*changes: tuple[str, str]) -> str:
    """The contract's flex example, changed."""
    return altered(FLEX, *changes)


def even_text(*changes: tuple[str, str]) -> str:
    """The continuous example, changed."""
    return altered(CONTINUOUS, *changes)


def bolus(dose: str, over: str, at: str, days: str = ALL) -> tuple[str, str]:
    """A change that adds a scheduled bolus."""
    table = f'[[program.bolus]]\ndose = "{dose}"\nover = "{over}"\nat = {at}\ndays = {days}\n'
    return "[reservoir]", f"{table}\n[reservoir]"


def own(dose: str, over: str, lockout: str, most: int) -> tuple[str, str]:
    """A change that adds the patient's own dose."""
    table = (
        f'[program.patient_dose]\ndose = "{dose}"\nover = "{over}"\nlockout = "{lockout}"\n'
        f"max_per_24h = {most}\n"
    )
    return "[reservoir]", f"{table}\n[reservoir]"


def sourced(text: str) -> Sourced[Any]:
    """A figure of the board's: its kind is that of its unit."""
    unit = text.partition(" ")[2]
    kind = next(kind for kind in _KINDS if unit in kind.UNITS)
    return Sourced(kind.parse(text), BOARD)


def band(**limits: str) -> Band[Any]:
    """A band of the board's."""
    return Band(**{name: sourced(text) for name, text in limits.items()})


def change(**limits: str) -> Change:
    """Limits of a relative change of the board's."""
    return Change(**{name: sourced(text) for name, text in limits.items()})


def window(length: str, hard: str, soft: str | None = None) -> Window:
    """A window of the board's."""
    return Window(Duration.parse(length), sourced(soft) if soft else None, sourced(hard))


def library(**tables: Any) -> Library:
    """A library as the one that ships, with these tables in every entry."""
    return DEFAULT._replace(listed=tuple(each._replace(**tables) for each in DEFAULT.listed))


def findings(case: Bad) -> tuple[Finding, ...]:
    """Everything that is found, in the case's library."""
    if case.library is DEFAULT:
        return read(case.text).findings
    return check_program(profile(case.text), case.library)


def finds(case: Bad) -> None:
    """The check finds it at its place, with its figures and its source."""
    found = named(findings(case), case.name)
    assert found, ids(findings(case))
    first = found[0]
    assert first.severity is case.severity
    assert (first.value, first.limit) == (case.value, case.limit)
    assert first.line is not None
    assert first.column is not None
    assert case.text.split("\n")[first.line - 1][first.column - 1 :].startswith(case.where)
    known = rules()[case.name].source if case.library is DEFAULT else BOARD
    assert first.source in known.split("; ") or first.source == known
    hard = any(each.severity is Severity.HARD for each in findings(case))
    assert hard is (case.severity is Severity.HARD)


def passes_without(case: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check nothing of its severity is left."""
    monkeypatch.delitem(check.by_id, case.name)
    try:
        found = findings(case)
    except InternalError:
        return  # no program can be formed, and only this check says why
    assert not [each for each in found if each.severity is case.severity]
