"""A drug library as people read it: every limit in words, with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pumpctl.cli.folding import wrap
from pumpctl.cli.report import Warn
from pumpctl.therapy.library import NEVER, SOFT_LIMITS, Library, Limits, Sourced, window_text
from pumpctl.therapy.library_draft import entry_of

if TYPE_CHECKING:
    from pumpctl.station.library_store import InForce

_WIDTH = 80
_INDENT = 4
_LABELS = {
    "daily_dose": "Daily dose",
    "rate": "Basal rate, the fallback's included",
    "bolus": "Bolus",
    "patient_dose": "Patient dose",
    "daily_change": "Change of the daily dose",
    "rate_change": "Change of the basal rate at any minute",
    "hard_low": "never below",
    "soft_low": "reason below",
    "soft_high": "reason above",
    "hard_high": "never above",
    "increase_soft": "up, reason above",
    "increase_hard": "up, never above",
    "reduction_soft": "down, reason above",
    "reduction_hard": "down, never above",
}


_SECOND = {NEVER: "not asked for by this site", SOFT_LIMITS: "confirms, too"}


def expiring(found: InForce) -> tuple[Warn, ...]:
    """A warning where the last day of the library in force is near."""
    from pumpctl.cli import edge

    warning = found.expiring(edge.wall().date)
    return () if warning is None else (Warn(*warning),)


def library_lines(library: Library) -> list[str]:
    """Everything in it; entries with the same limits stand together."""
    lines = wrap(f"List of drugs from: {library.source}", _WIDTH)
    lines += ["", f"Second person, above a soft limit: {_SECOND[library.second_person]}"]
    for drug, concentrations, limits in _together(library):
        lines += ["", f"{drug} {', '.join(concentrations)}"]
        lines += _entry_lines(limits)
    return lines


def _together(library: Library) -> Iterator[tuple[str, list[str], Limits]]:
    groups: dict[tuple[Any, ...], list[Limits]] = {}
    for limits in library.listed:
        groups.setdefault((limits.drug, *limits[2:]), []).append(limits)
    for group in groups.values():
        yield group[0].drug, [str(each.concentration) for each in group], group[0]


def _entry_lines(limits: Limits) -> Iterator[str]:
    for name, table in entry_of(limits).tables.items():
        figures = [(key, each) for key, each in table.items() if each is not None]
        if figures:
            yield f"  {_LABELS[name]}"
        for key, figure in figures:
            yield from _figure_lines(_LABELS[key], figure)
    for window in limits.windows:
        yield f"  In any {window_text(window.length)}, wherever they begin"
        if window.soft is not None:
            yield from _figure_lines("reason above", window.soft)
        yield from _figure_lines("never above", window.hard)
    if limits.usual:
        yield "  Usual doses, for notes only"
    for usual in limits.usual:
        told = f"{usual.low} to {usual.high}"
        yield from _figure_lines(usual.group, Sourced(told, usual.source), label_width=9)


def _figure_lines(label: str, figure: Sourced[Any], label_width: int = 18) -> Iterator[str]:
    head = f"{' ' * _INDENT}{label:{label_width}} {figure.value!s:{32 - label_width}} "
    yield from wrap(
        figure.source,
        _WIDTH,
        initial_indent=head,
        subsequent_indent=" " * (_INDENT + 34),
    )


def library_json(library: Library) -> dict[str, Any]:
    """The same as plain data; a limit is `{"limit": …, "source": …}`."""
    return {
        "site": library.site,
        "version": library.version,
        "issued": None if library.issued is None else str(library.issued),
        "expires": None if library.expires is None else str(library.expires),
        "source": library.source,
        "second_person": library.second_person,
        "drugs": [_entry_json(limits) for limits in library.listed],
    }


def _entry_json(limits: Limits) -> dict[str, Any]:
    return {
        "name": limits.drug,
        "concentration": str(limits.concentration),
        **{
            name: {key: _figure_json(figure) for key, figure in table.items()}
            for name, table in entry_of(limits).tables.items()
        },
        "windows": [
            {
                "length": window_text(window.length),
                "soft": _figure_json(window.soft),
                "hard": _figure_json(window.hard),
            }
            for window in limits.windows
        ],
        "usual": [
            {
                "group": usual.group,
                "low": str(usual.low),
                "high": str(usual.high),
                "source": usual.source,
            }
            for usual in limits.usual
        ],
    }


def _figure_json(figure: Sourced[Any] | None) -> dict[str, str] | None:
    return None if figure is None else {"limit": str(figure.value), "source": figure.source}
