"""What is drawn with rich. With `change_screen` and `report/`, its only users.

80 columns are enough. The words of a pump's status are in `look/status_text`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from pumpctl.cli.look.status_text import StatusScreen


class _Console(Console):
    """One that leaves it to the caller what a reader who went away means."""

    def on_broken_pipe(self) -> None:
        """Not an exit with 1, which is a bug of ours, perhaps after a change of the pump."""
        raise BrokenPipeError


def console(stream: Any) -> Console:
    """A console that never guesses: no emoji, no markup, no highlighting."""
    width = None if stream.isatty() else 80
    return _Console(file=stream, emoji=False, markup=False, highlight=False, width=width)


def draw_status(screen: StatusScreen) -> None:
    """A pump as it is now, on a terminal."""
    out = console(sys.stdout)
    for line in screen.head:
        out.print(Text(line.text, style=line.style))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(min_width=18, style="dim", no_wrap=True)
    table.add_column(min_width=16)
    for name, value in screen.rows:
        table.add_row(name, Text(value.text, style=value.style))
    out.print(table)
    if screen.program:
        out.print("\n".join(screen.program), soft_wrap=True)
