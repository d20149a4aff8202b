"""What a chart shows, as values: panels of step lines, marks of single doses, notes.

Two drawings are made of the same chart: `text_chart` for terminals and `picture`
for SVG and PNG. Values are exact and in the unit that the panel names; time is in
ms. A chart of a program is made in `program_chart`; any other set of step lines
(what leaves the catheter's tip, say) is put into a `Panel` by whoever has it.
"""

from __future__ import annotations

import re
from enum import Enum
from fractions import Fraction
from textwrap import wrap

from pumpctl.named import NamedTuple
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS

HOUR_MS = 60 * MINUTE_MS


class Axis(Enum):
    """What the time axis counts."""

    DAY = "hour of the day"
    WEEK = "day of the week"
    ELAPSED = "time since the start, {unit}"


class Line(NamedTuple):
    """A step line: (from ms, value), rising in time; the last value holds to the panel's end."""

    label: str
    points: tuple[tuple[int, Fraction | int], ...]


class Stem(NamedTuple):
    """A single dose at an instant, on top of the lines: its height means nothing."""

    at: int
    label: str
    gone: bool = False
    """Only the old program gives it."""


class Panel(NamedTuple):
    """One pair of axes. The first line is the one to read, others are compared with it."""

    title: str
    measure: str
    """What the values are: basal rate."""
    unit: str
    axis: Axis
    start: int
    end: int
    lines: tuple[Line, ...]
    stems: tuple[Stem, ...] = ()
    marked: tuple[int, int] | None = None
    """A span that is marked, as the largest hour is."""
    mark: str = ""
    """What the marked span is."""
    top: Fraction | None = None
    """What the scale reaches at least: panels with the same top can be compared."""

    def largest(self) -> Fraction:
        """The largest value that the scale must hold."""
        values = [value for line in self.lines for _, value in line.points]
        return Fraction(max([*values, *([] if self.top is None else [self.top])]))


class Chart(NamedTuple):
    """Panels one below the other, with what must be known to read them."""

    title: str
    subtitles: tuple[str, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()


class Tick(NamedTuple):
    """A place on the time axis and its text."""

    at: int
    label: str


def scale_step(largest: Fraction, most: int) -> Fraction:
    """The round number (1, 2, 2.5 or 5 with zeros) of which `most` steps reach the largest."""
    if largest <= 0:
        return Fraction(1)
    step = Fraction(1)
    while step * most >= largest:
        step /= 10
    while step * most < largest:
        step *= 10
    return next((step / part for part in (5, 4, 2) if step / part * most >= largest), step)


def ticks(panel: Panel) -> tuple[Tick, ...]:
    """Where the time axis is labelled."""
    if panel.axis is Axis.DAY:
        return tuple(Tick(hour * HOUR_MS, f"{hour:02d}") for hour in range(0, 25, 3))
    if panel.axis is Axis.WEEK:
        from pumpctl.therapy.moment import DAY_NAMES

        return tuple(Tick(day * DAY_MS, name) for day, name in enumerate(DAY_NAMES))
    unit, _ = elapsed_unit(panel)
    step = scale_step(Fraction(panel.end - panel.start, unit), 8)
    if step < 1 and unit != DAY_MS:
        step = Fraction(1)
    found = []
    at = Fraction(0)
    while panel.start + at * unit <= panel.end:
        found.append(Tick(panel.start + int(at * unit), decimal(at)))
        at += step
    return tuple(found)


def elapsed_unit(panel: Panel) -> tuple[int, str]:
    """What the time of this panel is counted in: ms, and its name."""
    span = panel.end - panel.start
    if span > 3 * DAY_MS:
        return DAY_MS, "d"
    return (HOUR_MS, "h") if span > 3 * HOUR_MS else (MINUTE_MS, "min")


def decimal(value: Fraction) -> str:
    """A number of the scale, which ends after a few digits."""
    from pumpctl.quantity_text import decimal_text

    return decimal_text(value.numerator, value.denominator)


def title_rows(title: str, width: int) -> list[str]:
    """A title in rows; its parts, which a middle dot divides, stay whole where they can."""
    rows: list[str] = []
    for part in title.split(" · "):
        if rows and len(rows[-1]) + 3 + len(part) <= width:
            rows[-1] += f" · {part}"
        else:
            rows += wrap(part, width)
    return rows


def wrapped(text: str, width: int) -> list[str]:
    """A note in rows of so many letters; a number is never parted from its unit."""
    tied = re.sub(r"(?<=\d) (?=[a-zA-Z])", "\u00a0", text)
    return [row.replace("\u00a0", " ") for row in wrap(tied, width, subsequent_indent="  ")]
