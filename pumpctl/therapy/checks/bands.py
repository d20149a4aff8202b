"""One figure against its band: above the hard limit, above the soft one, below either.

Every check of a library's band asks here, so that all of them agree: a value
equal to a limit is inside, a limit that is None is silent, what a hard limit
stops is not called soft as well, and each finding carries the library's own
source. Which figures there are, and where they stand, is the checks' matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Mass, Rate, round_down, round_up
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Band, Sourced
from pumpctl.therapy.places import Path

LIBRARY = "drug library"
"""The source of a rule for which the library that ships has no figure."""

Limit = Sourced[Rate] | Sourced[Mass] | None
AnyBand = Band[Rate] | Band[Mass]


class Figure(NamedTuple):
    """An exact figure in quanta, and how it is told."""

    exact: Fraction | int
    kind: Callable[[int], Rate | Mass]
    what: str
    """With `{}` for the value."""
    path: Path
    hourly: bool = False
    """Whether a dose rate is told per hour, too."""


def source_of(limit: Limit) -> str:
    """Where a limit of the library that ships comes from, for the rule."""
    return limit.source if limit else LIBRARY


def sources_of(limits: Iterable[Limit]) -> str:
    """The same of several, each once."""
    return "; ".join(dict.fromkeys(map(source_of, limits)))


def exceeds(exact: Fraction | int, limit: Limit) -> bool:
    """Whether there is such an upper limit, and the figure is above it."""
    return limit is not None and exact > limit.value.quanta


def falls_short(exact: Fraction | int, limit: Limit) -> bool:
    """Whether there is such a lower limit, and the figure is below it."""
    return limit is not None and exact < limit.value.quanta


def above_hard(band: AnyBand, figures: Iterable[Figure]) -> Iterator[Seen]:
    """Every figure above the hard limit."""
    hard = band.hard_high
    if hard is not None:
        above = (figure for figure in figures if exceeds(figure.exact, hard))
        yield from _told(above, hard, "above", "which nothing may exceed", round_up)


def above_soft(band: AnyBand, figures: Iterable[Figure]) -> Iterator[Seen]:
    """Every figure above the soft limit, but not above the hard one."""
    soft, hard = band.soft_high, band.hard_high
    if soft is not None:
        above = (figure for figure in figures if exceeds(figure.exact, soft))
        only = (figure for figure in above if not exceeds(figure.exact, hard))
        yield from _told(only, soft, "above", "beyond which it needs a reason", round_up)


def below(band: AnyBand, figures: Iterable[Figure], beyond: Severity) -> Iterator[Seen]:
    """Every figure below the soft limit, and with the severity `beyond` below the hard one.

    A figure of nothing is another fault, with a finding of its own.
    """
    soft, hard = band.soft_low, band.hard_low
    if soft is None and hard is None:
        return
    some = [figure for figure in figures if figure.exact]
    if hard is not None:
        short = [figure for figure in some if falls_short(figure.exact, hard)]
        for seen in _told(short, hard, "below", "the least that may be given", round_down):
            yield seen._replace(severity=beyond)
    if soft is not None:
        short = [figure for figure in some if falls_short(figure.exact, soft)]
        only = (figure for figure in short if not falls_short(figure.exact, hard))
        yield from _told(only, soft, "below", "beyond which it needs a reason", round_down)


def _told(
    figures: Iterable[Figure],
    limit: Sourced[Rate] | Sourced[Mass],
    side: str,
    name: str,
    rounded: Callable[[Fraction | int], int],
) -> Iterator[Seen]:
    """Each in words; those that would be told in the same words at the same place, once."""
    found: dict[Seen, None] = {}
    for figure in figures:
        value = figure.kind(rounded(figure.exact))
        shown = str(value)
        if figure.hourly and isinstance(value, Rate):
            shown += f" ({value.per_hour_text()})"
        found[
            Seen(
                f"{figure.what.format(shown)} is {side} {limit.value}, {name}",
                value=str(value),
                limit=str(limit.value),
                path=figure.path,
                source=limit.source,
            )
        ] = None
    yield from found
