"""A panel as text: the first line as an area of blocks, the second as dashes across it.

Eight levels to a row where the blocks can be written, one where only plain letters
can. No colours: what is said is said by shape, also on paper. A column shows the
highest value in its span of time, so that no peak is lost.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from pumpctl.named import NamedTuple
from pumpctl.quantities import round_half_up
from pumpctl.report.chart import Axis, Line, Panel, Stem, decimal, elapsed_unit, scale_step, ticks
from pumpctl.therapy.moment import clock_text

_WIDTH = 79
_MARGIN = 7
"""Columns left of the area, for a number of the scale and the axis; more for a long number."""
_DASH_EVERY = {Axis.WEEK: 2}
"""A dash in every third column, or closer where a step is a few columns wide."""


class Letters(NamedTuple):
    """What is drawn with. `blocks` rise from empty to full."""

    blocks: str
    rows: int
    """The most rows that an area gets."""
    above: str
    """A dash in an empty place: low, in the middle, high."""
    within: str
    """A dash in a full place: low, high."""
    stem: str
    bolus: str
    gone: str
    axis: str
    tick: str
    corner: str
    flat: str
    cross: str
    marked: str


UNICODE = Letters(" ▁▂▃▄▅▆▇█", 12, "▁─▔", "▀▄", "│", "▼", "▽", "│", "┤", "└", "─", "┴", "━")
ASCII = Letters(" #", 16, "---", "--", "|", "v", "o", "|", "+", "+", "-", "+", "=")
_TO_ASCII = str.maketrans(
    {"→": "->", "·": "-", "▼": "v", "▽": "o", "█": "#", "─": "-", "━": "=", "│": "|"}
)


def plain(text: str, letters: Letters) -> str:
    """A text in what these letters can write."""
    return text.translate(_TO_ASCII) if letters is ASCII else text


class _Size(NamedTuple):
    """How many columns stand left of the area, and how many it has."""

    margin: int
    columns: int


def text_chart(panel: Panel, letters: Letters = UNICODE) -> list[str]:
    """The panel with title and legend; the chart itself is never wider than 79 columns.

    ValueError for more than two lines: a third would not be told from the second.
    """
    if not 1 <= len(panel.lines) <= 2:
        raise ValueError(f"a chart of text holds one line or two, not {len(panel.lines)}")
    step = scale_step(panel.largest(), letters.rows)
    rows = panel.largest() // step + 1  # one more than needed: a bolus has its place above
    scale = [decimal(step * (row + 1)) if row % 2 else "" for row in range(rows)]
    size = _size(panel, scale)
    grid = _area(panel, letters, size.columns, rows, step)
    _stems(panel, letters, grid)
    over = _stem_rows(panel, letters, size)
    over[-1] = panel.unit.rjust(size.margin) + over[-1][size.margin :]
    told = [plain(line, letters) for line in (*_legend(panel), *over)]
    for label, row in zip(reversed(scale), reversed(grid), strict=True):
        edge = letters.tick if label else letters.axis
        told.append(f"{label:>{size.margin - 1}}{edge}{''.join(row)}")
    told += _time_axis(panel, letters, size)
    return [line.rstrip() for line in told]


def _size(panel: Panel, scale: list[str]) -> _Size:
    margin = max(_MARGIN, len(panel.unit), 1 + max(map(len, scale)))
    columns = _WIDTH - margin
    return _Size(margin, columns - columns % 7 if panel.axis is Axis.WEEK else columns)


# --- the area ---------------------------------------------------------------------------


def _area(
    panel: Panel, letters: Letters, columns: int, rows: int, step: Fraction
) -> list[list[str]]:
    """The cells, the lowest row first."""
    size = len(letters.blocks) - 1
    first = _highest(panel.lines[0], panel, columns)
    tops = [_level(value, step, size) for value in first]
    grid = [
        [letters.blocks[min(max(top - size * row, 0), size)] for top in tops] for row in range(rows)
    ]
    for line in panel.lines[1:]:
        for column, value in enumerate(_highest(line, panel, columns)):
            if column % _DASH_EVERY.get(panel.axis, 3) == 1 and value != first[column]:
                level = max(_level(value, step, size), 1)
                if level == tops[column] and size > 1:  # a difference is never drawn as none
                    level += 1 if value > first[column] and level < size * rows else -1
                row, place = divmod(max(level, 1) - 1, size)
                grid[row][column] = _dash(letters, place, tops[column] - size * row)
    return grid


def _dash(letters: Letters, place: int, filled: int) -> str:
    """A dash at this place (from 0) of a cell of which so many levels are filled."""
    size = len(letters.blocks) - 1
    if filled >= size:
        return letters.within[2 * place // size]
    if filled <= 0 or place >= filled:
        return letters.above[3 * place // size]
    return letters.blocks[place + 1]


def _level(value: Fraction | int, step: Fraction, size: int) -> int:
    """How high a value stands; what is not nothing is never drawn as nothing."""
    return max(round_half_up(Fraction(value) / step * size), 1) if value else 0


def _highest(line: Line, panel: Panel, columns: int) -> list[Fraction | int]:
    """The highest value of the line in the span of each column."""
    found = []
    times = [time for time, _ in line.points[1:]] + [panel.end]
    spans = [(start, end, value) for (start, value), end in zip(line.points, times, strict=True)]
    edges = [
        panel.start + Fraction((panel.end - panel.start) * at, columns) for at in range(columns + 1)
    ]
    for left, right in pairwise(edges):
        found.append(max(value for start, end, value in spans if start < right and end > left))
    return found


# --- round about it --------------------------------------------------------------------------


def _legend(panel: Panel) -> list[str]:
    told = [panel.title]
    told += [f"  █ {line.label}" for line in panel.lines[:1] if line.label]
    told += [f"  ─ {line.label}, as dashes" for line in panel.lines[1:]]
    if panel.mark:
        told.append(f"  {'━' if panel.marked else ' '} {panel.mark}")
    return told


def _column(panel: Panel, at: int, columns: int) -> int:
    return min((at - panel.start) * columns // (panel.end - panel.start), columns - 1)


def _stem_rows(panel: Panel, letters: Letters, size: _Size) -> list[str]:
    """Up to two rows of labels, all of them or none, and the row of marks."""
    width = sum(size)
    marks = [" "] * width
    labels = [[" "] * width, [" "] * width]
    fits = True
    for stem in panel.stems:
        at = size.margin + _column(panel, stem.at, size.columns)
        if marks[at] != letters.bolus:
            marks[at] = letters.gone if stem.gone else letters.bolus
        if stem.label:
            fits &= _place(labels, plain(_stem_text(stem), letters), at)
    rows = ["".join(row) for row in reversed(labels) if any(letter != " " for letter in row)]
    return [*(rows if fits else ()), "".join(marks)]


def _stem_text(stem: Stem) -> str:
    return f"{clock_text(stem.at // 60_000)} {stem.label}"


def _place(rows: list[list[str]], text: str, at: int) -> bool:
    """Write the text over its mark, or as far left of it as it needs, where a row is free."""
    start = max(min(at, len(rows[0]) - len(text)), 0)
    for row in rows:
        around = row[max(start - 2, 0) : start + len(text) + 2]
        if all(letter == " " for letter in around):
            row[start : start + len(text)] = text
            return True
    return False


def _stems(panel: Panel, letters: Letters, grid: list[list[str]]) -> None:
    """A line from each mark down to the area."""
    for stem in panel.stems:
        column = _column(panel, stem.at, len(grid[0]))
        for row in reversed(grid):
            if row[column] != " ":
                break
            row[column] = letters.stem


def _time_axis(panel: Panel, letters: Letters, size: _Size) -> list[str]:
    margin, columns = size
    edge = [letters.flat] * columns
    if panel.marked is not None:
        first, last = (_column(panel, at, columns) for at in panel.marked)
        for column in range(first, max(last, first + 1)):
            edge[column] = letters.marked
    below = [" "] * (margin + columns)
    marks = [(tick.at, tick.label) for tick in ticks(panel)]
    if panel.axis is not Axis.WEEK:
        name = "h" if panel.axis is Axis.DAY else elapsed_unit(panel)[1]
        marks[-1] = (marks[-1][0], f"{marks[-1][1]} {name}")
    for at, label in marks:
        column = (at - panel.start) * columns // (panel.end - panel.start)
        if column < columns and edge[column] == letters.flat:
            edge[column] = letters.cross
        column += 3 if panel.axis is Axis.WEEK else 0
        start = min(margin + column, len(below) - len(label))
        below[start : start + len(label)] = label
    return [f"{'0':>{margin - 1}}{letters.corner}{''.join(edge)}", "".join(below)]
