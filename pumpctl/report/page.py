"""A page for charts, drawn with matplotlib: how wide, in which colours, letters and strokes.

All places are reckoned in inches from the number of rows and letters, never from
the size of a font on this computer. Needs matplotlib at import; `picture` is the
door to it. Floats are for ink only: nothing is computed from them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from pumpctl.named import NamedTuple

INK, FAINT, BAND = "#222222", "#d0d0d0", "#dddddd"

SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "pumpctl",  # for the names of its parts
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans", "Arial", "sans-serif"],
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "path.simplify": False,
    "text.parse_math": False,  # a name may hold a dollar
}

# Inches, for a page of A4 or Letter.
WIDTH, LEFT, RIGHT, EDGE = 7.4, 0.72, 0.3, 0.18
ROW = 0.185
LEGEND = 1.6
"""Where the legend starts, right of the panel's title."""


class Stroke(NamedTuple):
    """How a line is drawn: each differs in colour, in lightness and in its dashes."""

    colour: str
    dashes: Any
    width: float


# Okabe and Ito's colours.
STROKES = (
    Stroke("#0072B2", "-", 1.9),
    Stroke("#D55E00", (0, (4, 2)), 1.5),
    Stroke("#000000", (0, (1, 1.5)), 1.5),
    Stroke("#009E73", (0, (6, 2, 1, 2)), 1.5),
)


class Page:
    """A figure and how far down it is filled, in inches."""

    def __init__(self, height: float) -> None:
        self.figure = Figure(figsize=(WIDTH, height), facecolor="white")
        self.height = height
        self.filled = EDGE

    def down(self, inches: float) -> None:
        """Leave so much free."""
        self.filled += inches

    def text(
        self,
        text: str,
        *,
        size: float,
        weight: str = "normal",
        left: float = 0.0,
        row: float = ROW,
    ) -> None:
        """One row of text."""
        self.figure.text(
            (EDGE + left) / WIDTH,
            1 - (self.filled + row - 0.05) / self.height,
            text,
            font=font(size, weight),
            va="baseline",
        )
        self.filled += row

    def axes(self, height: float) -> Axes:
        """The next axes, below what is filled."""
        self.filled += height
        across = (WIDTH - LEFT - RIGHT) / WIDTH
        bottom = 1 - self.filled / self.height
        return self.figure.add_axes((LEFT / WIDTH, bottom, across, height / self.height))

    def sample(self, stroke: Stroke | None) -> None:
        """A piece of a line, or of the marked band, in front of the row that comes next."""
        middle = 1 - (self.filled + ROW / 2 + 0.01) / self.height
        left, right = (EDGE + LEGEND - 0.45) / WIDTH, (EDGE + LEGEND - 0.1) / WIDTH
        if stroke is None:
            high = 0.11 / self.height
            self.figure.add_artist(
                Rectangle((left, middle - high / 2), right - left, high, fc=BAND, ec=INK, lw=0.4)
            )
        else:
            self.figure.add_artist(Line2D([left, right], [middle, middle], **ink(stroke)))


def font(size: float, weight: str = "normal") -> FontProperties:
    """matplotlib's own copy of the font, not this computer's."""
    name = "DejaVuSans-Bold.ttf" if weight == "bold" else "DejaVuSans.ttf"
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / name
    return FontProperties(fname=path, family="DejaVu Sans", weight=weight, size=size)


def ink(stroke: Stroke) -> dict[str, Any]:
    """The stroke as matplotlib names it."""
    return {"color": stroke.colour, "linestyle": stroke.dashes, "linewidth": stroke.width}
