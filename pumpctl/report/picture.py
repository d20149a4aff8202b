"""A chart as a picture, SVG or PNG by the file's name: made for paper as for a screen.

White ground, colours that the colour-blind tell apart, and another stroke for each
line, so that a grey print says the same. The same chart gives the same bytes: no
date, no program's name, nothing random, and a layout that measures no letters. In an
SVG text stays text, which can be searched and read aloud. matplotlib is imported
for `drawing`, `page` and `panel_drawing` alone, when a picture is really drawn.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

from pumpctl.errors import StoreError, UsageError
from pumpctl.report.chart import Chart

KINDS = (".svg", ".png")
_DPI = 200


def write_picture(path: Path, chart: Chart, *, force: bool = False) -> None:
    """Draw the chart into a new file; `force` writes over one that is there.

    Raises UsageError for another ending, a file that is there, or where matplotlib is
    not installed; StoreError where the file cannot be written.
    """
    kind = checked_name(path, force=force)
    drawn = picture(chart, kind)
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(drawn)
    except FileExistsError as error:
        raise _there(path) from error
    except OSError as error:
        hint = "is the folder there, and may you write in it?"
        raise StoreError(f"{path} cannot be written: {error}", hint=hint) from error


def checked_name(path: Path, *, force: bool = False) -> str:
    """The kind of picture that a name asks for.

    UsageError for any other ending, and for a file that is there and must not be lost.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise UsageError(f"{path.name}: the format is not known", hint="NAME.svg or NAME.png")
    if path.exists() and not force:
        raise _there(path)
    return kind


def picture(chart: Chart, kind: str) -> bytes:
    """The chart as the bytes of an SVG or PNG file; the same for the same chart.

    UsageError where matplotlib is not installed; ValueError for more lines in a panel
    than there are strokes.
    """
    try:
        import matplotlib as mpl

        from pumpctl.report.drawing import draw
        from pumpctl.report.page import SETTINGS
    except ImportError as error:
        raise UsageError(
            "pictures need matplotlib, which is not installed",
            hint='pip install "pumpctl[charts]"; without -o the chart is drawn in the terminal',
        ) from error
    out = BytesIO()
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a letter that the font has not
        mpl.rcdefaults()  # whatever this computer's user has set for other pictures
        settings: Any = mpl.rcParams  # each release of matplotlib types its keys otherwise
        settings.update(SETTINGS)
        figure = draw(chart)
        if kind == ".svg":
            title = " - ".join((chart.title, *chart.subtitles))
            told = {"Date": None, "Creator": None, "Title": title}
            figure.savefig(out, format="svg", metadata=told)
        else:
            figure.savefig(out, format="png", dpi=_DPI, metadata={"Software": None})
    return out.getvalue()


def _there(path: Path) -> UsageError:
    return UsageError(f"{path} is there already", hint="--force writes over it")
