"""One panel of a chart, drawn with matplotlib: laid out first, in inches, then drawn.

Needs matplotlib at import, as `page` does. Floats are for ink only.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from matplotlib.axes import Axes

from pumpctl.named import NamedTuple
from pumpctl.quantities import round_half_up
from pumpctl.report.chart import (
    HOUR_MS,
    Axis,
    Line,
    Panel,
    Stem,
    decimal,
    elapsed_unit,
    scale_step,
    ticks,
)
from pumpctl.report.page import (
    BAND,
    FAINT,
    INK,
    LEFT,
    LEGEND,
    RIGHT,
    ROW,
    STROKES,
    WIDTH,
    Page,
    Stroke,
    font,
    ink,
)
from pumpctl.therapy.moment import DAY_MS, clock_text

# Inches.
_BELOW = 0.4
_HEIGHTS = {Axis.DAY: 1.65, Axis.WEEK: 1.15, Axis.ELAPSED: 2.6}
_LETTER = 0.062
"""The width of a letter of a label, on the generous side."""

_HEADROOM = 1.22
"""How much higher than the largest value the scale goes."""
_LABEL_ROWS = 2
"""Rows of labels above the axes; where they need more, they stand upright."""


class _Label(NamedTuple):
    """A stem's label, and its row above the axes."""

    stem: Stem
    row: int


class Layout:
    """What a panel needs of the page, reckoned before anything is drawn."""

    def __init__(self, panel: Panel, *, crowded: bool) -> None:
        if not 1 <= len(panel.lines) <= len(STROKES):
            raise ValueError(f"a panel holds 1 to {len(STROKES)} lines, not {len(panel.lines)}")
        self.panel = panel
        self.inches = (WIDTH - LEFT - RIGHT) / (panel.end - panel.start)
        """Per ms."""
        self.axes = _HEIGHTS[panel.axis] * (0.75 if crowded else 1)
        self.labels = _rows_of_labels(panel, self.inches)
        self.upright = any(label.row >= _LABEL_ROWS for label in self.labels)
        above = 0.0
        if self.upright:  # those that are left out are in the notes
            self.labels = [] if crowded else _apart(self.labels, self.inches)
        if self.upright and self.labels:
            above = 0.24 + _LETTER * max(len(_stem_text(stem)) for stem in panel.stems)
        elif self.labels:
            above = 0.3 + 0.14 * max(label.row for label in self.labels)
        elif panel.stems:
            above = 0.14
        self.above = above
        rows = max(1, sum(bool(line.label) for line in panel.lines) + bool(panel.mark))
        self.height = rows * ROW + 0.05 + above + self.axes + _BELOW


def _rows_of_labels(panel: Panel, inches: float) -> list[_Label]:
    """Each label in the lowest row where it touches no other."""
    ends: list[float] = []
    found = []
    for stem in panel.stems:
        if stem.label:
            half = _LETTER * len(_stem_text(stem)) / 2
            middle = _middle(panel, stem, inches)
            row = next((at for at, end in enumerate(ends) if end <= middle - half), len(ends))
            ends[row:] = [middle + half + 0.06, *ends[row + 1 :]]
            found.append(_Label(stem, row))
    return found


def _apart(labels: list[_Label], inches: float) -> list[_Label]:
    """Of upright labels those that do not touch the one before."""
    kept: list[_Label] = []
    for label in labels:
        if not kept or (label.stem.at - kept[-1].stem.at) * inches >= 2 * _LETTER:
            kept.append(label)
    return kept


def _middle(panel: Panel, stem: Stem, inches: float) -> float:
    """Where a label is centred, in inches from the axes' left: over its stem, but inside."""
    half = _LETTER * len(_stem_text(stem)) / 2
    place = (stem.at - panel.start) * inches
    return min(max(place, half), (panel.end - panel.start) * inches - half)


def _stem_text(stem: Stem) -> str:
    return f"{clock_text(stem.at // 60_000)} {stem.label}"


def draw_panel(page: Page, layout: Layout) -> None:
    """Draw a panel below what the page holds already."""
    panel = layout.panel
    _legend(page, panel)
    page.down(0.05 + layout.above)
    axes = page.axes(layout.axes)
    _scales(axes, panel)
    if panel.marked is not None:
        axes.axvspan(*panel.marked, facecolor=BAND, edgecolor="none", zorder=0.5)
    for place, (stroke, line) in enumerate(zip(STROKES, panel.lines, strict=False)):
        times = [time for time, _ in line.points] + [panel.end]
        values = [float(value) for _, value in (*line.points, line.points[-1])]
        if not place:
            axes.fill_between(
                times, values, step="post", color=stroke.colour, alpha=0.13, linewidth=0, zorder=1
            )
        axes.plot(times, values, drawstyle="steps-post", zorder=2 + place, **ink(stroke))
    if panel.axis is Axis.DAY:
        _values(axes, layout)
    _stems(axes, layout)
    page.down(_BELOW)


def _legend(page: Page, panel: Panel) -> None:
    """The panel's title, and right of it what the lines and the marked band are."""
    told: list[tuple[str, Stroke | None]] = [
        (line.label, stroke)
        for stroke, line in zip(STROKES, panel.lines, strict=False)
        if line.label
    ]
    if panel.mark:
        told.append((panel.mark, None))
    page.text(panel.title, size=9, weight="bold")
    page.down(-ROW)
    for text, stroke in told:
        if stroke is not None or panel.marked is not None:
            page.sample(stroke)
        page.text(text, size=8, left=LEGEND)
    if not told:
        page.down(ROW)


def _scales(axes: Axes, panel: Panel) -> None:
    """Both axes from nothing, in round numbers, with their units."""
    largest = panel.largest()
    step = scale_step(largest, 6)
    marks = [step * count for count in range(int(largest / step) + 2)]
    axes.set_xlim(panel.start, panel.end)
    axes.set_ylim(0, float(largest) * _HEADROOM or 1)
    axes.set_yticks([float(mark) for mark in marks], [decimal(mark) for mark in marks])
    axes.set_ylim(0, float(largest) * _HEADROOM or 1)
    times = ticks(panel)
    if panel.axis is Axis.WEEK:
        axes.set_xticks([tick.at for tick in times], [""] * len(times))
        middles = [tick.at + DAY_MS // 2 for tick in times]
        axes.set_xticks(middles, [tick.label for tick in times], minor=True)
        axes.tick_params(axis="x", which="minor", length=0)
    else:
        axes.set_xticks([tick.at for tick in times], [tick.label for tick in times])
    if panel.axis is Axis.DAY:
        axes.set_xticks([hour * HOUR_MS for hour in range(25)], minor=True)
    axes.grid(visible=True, which="major", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    for name in ("top", "right"):
        axes.spines[name].set_visible(False)
    named = {"unit": elapsed_unit(panel)[1]} if panel.axis is Axis.ELAPSED else {}
    axes.set_xlabel(panel.axis.value.format(**named), font=font(8), labelpad=2)
    axes.set_ylabel(f"{panel.measure}, {panel.unit}", font=font(8))
    for label in (*axes.get_xticklabels(), *axes.get_xticklabels(minor=True)):
        label.set_fontproperties(font(8))
    for label in axes.get_yticklabels():
        label.set_fontproperties(font(8))


def _values(axes: Axes, layout: Layout) -> None:
    """The rate of each stretch of the first line, where there is room for it.

    A number never stands at a line that it does not belong to: where another line
    is near, only `old → new` is written, above both.
    """
    panel = layout.panel
    inch = float(panel.largest()) * _HEADROOM / layout.axes
    for start, end, value in _spans(panel.lines[0], panel):
        text = _number(value)
        before = {was for line in panel.lines[1:] for was in _within(line, panel, start, end)}
        both = len(before) == 1 and before != {value}
        if both:
            text = f"{_number(before.pop())} → {text}"
        half = int(_LETTER * (len(text) + 1) / 2 / layout.inches)
        for part in (2, 1, 3):
            middle = start + (end - start) * part // 4
            left, right = middle - half, middle + half
            others = [was for line in panel.lines[1:] for was in _within(line, panel, left, right)]
            foot = float(max((value, *others) if both else (value,))) + 0.045 * inch
            free = not any(left <= stem.at <= right for stem in panel.stems)
            if not both:
                free &= not any(float(value) < was < foot + 0.15 * inch for was in others)
            if start <= left and right <= end and free:
                said = axes.text(middle, foot, text, font=font(7.5), ha="center")
                said.set_color(STROKES[0].colour)
                break


def _spans(line: Line, panel: Panel) -> list[tuple[int, int, Fraction | int]]:
    """From, to, value."""
    ends = [time for time, _ in line.points[1:]] + [panel.end]
    return [(start, end, value) for (start, value), end in zip(line.points, ends, strict=True)]


def _within(line: Line, panel: Panel, left: int, right: int) -> list[Fraction | int]:
    """The values of a line somewhere between two instants."""
    return [value for start, end, value in _spans(line, panel) if start < right and end > left]


def _number(value: Fraction | int) -> str:
    """Half up to three decimals, as a rate per hour is shown everywhere."""
    return decimal(Fraction(round_half_up(Fraction(value) * 1_000), 1_000))


def _stems(axes: Axes, layout: Layout) -> None:
    """Each bolus from the line up to its mark above the axes, and what it is."""
    panel = layout.panel
    across = axes.get_xaxis_transform()
    _, top = axes.get_ylim()
    for stem in panel.stems:
        foot = float(max(_within(panel.lines[0], panel, stem.at, stem.at + 1))) / top
        colour, dashes = (STROKES[1].colour, ":") if stem.gone else (INK, "-")
        size = 5.5 if stem.label else 3.5
        how: dict[str, Any] = {"color": colour, "transform": across, "clip_on": False, "zorder": 5}
        axes.plot([stem.at] * 2, [foot, 1], linestyle=dashes, linewidth=size / 6, **how)
        how |= {"marker": "v", "markersize": size, "mfc": "white" if stem.gone else colour}
        axes.plot([stem.at], [1 + 0.05 / layout.axes], **how)
    for stem, row in layout.labels:
        at = panel.start + _middle(panel, stem, layout.inches) / layout.inches
        inches = 0.13 + 0.14 * row
        turned: dict[str, Any] = {"ha": "center"}
        if layout.upright:  # the letters' middle, not their foot, stands over the stem
            at, inches = stem.at + 0.035 / layout.inches, 0.13
            turned = {"ha": "left", "rotation": 90, "rotation_mode": "anchor"}
        text, height = _stem_text(stem), 1 + inches / layout.axes
        said = axes.text(at, height, text, font=font(7.5), transform=across, **turned)
        said.set_color(STROKES[1].colour if stem.gone else INK)
