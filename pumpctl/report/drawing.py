"""A chart on a page: its title, the panels one below the other, the notes.

Needs matplotlib at import; `picture` is the door to it.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from pumpctl.report.chart import Chart, title_rows, wrapped
from pumpctl.report.page import EDGE, ROW, Page
from pumpctl.report.panel_drawing import Layout, draw_panel

_TITLE, _GAP = 0.26, 0.16
_TITLE_LETTERS, _PAGE_LETTERS = 64, 120
_CROWDED = 4
"""From so many panels on, each is lower, so that one page holds them."""


def draw(chart: Chart) -> Figure:
    """The whole page; its height is what the chart needs."""
    panels = [Layout(panel, crowded=len(chart.panels) >= _CROWDED) for panel in chart.panels]
    title = title_rows(chart.title, _TITLE_LETTERS)
    heads, notes = _rows(chart.subtitles), _rows(chart.notes)
    height = 2 * EDGE + _TITLE * len(title) + ROW * (len(heads) + len(notes)) + _GAP
    page = Page(height + sum(each.height + _GAP for each in panels))
    for line in title:
        page.text(line, size=11, weight="bold", row=_TITLE)
    for line in heads:
        page.text(line, size=8)
    for each in panels:
        page.down(_GAP)
        draw_panel(page, each)
    page.down(_GAP)
    for line in notes:
        page.text(line, size=7.5)
    return page.figure


def _rows(texts: tuple[str, ...]) -> list[str]:
    return [row for text in texts for row in wrapped(text, _PAGE_LETTERS)]
