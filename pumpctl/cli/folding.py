"""Lines that fit: text broken between words, and never between a number and its unit.

Every screen that breaks text breaks it here. Knows nothing of pumps.
"""

from __future__ import annotations

import os
from typing import TextIO

_UNITS = "mcg|mg|mL|uL|s|min|h|d|days|%"
_LEAST = 40
"""A terminal that says that it is narrower is not believed."""


def wrap(
    text: str, width: int, *, initial_indent: str = "", subsequent_indent: str = ""
) -> list[str]:
    """`text` in lines of so many letters. A number stays with its unit, an option and a word
    with a hyphen stay whole, and so does a path or a command's word that is longer than a line.
    """
    import re
    import textwrap

    tied = re.sub(rf"(?<=\d) (?=(?:{_UNITS})(?![A-Za-z]))", "\u00a0", text)
    lines = textwrap.wrap(
        tied,
        width,
        initial_indent=initial_indent,
        subsequent_indent=subsequent_indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace("\u00a0", " ") for line in lines]


def folded(text: str, stream: TextIO | None) -> str:
    """The lines of `text` as this terminal can show them, what goes on indented by two more.

    Where nobody sits in front of it, nothing is broken: a script reads whole lines.
    """
    width = _columns(stream)
    if width is None or all(len(line) <= width for line in text.splitlines()):
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= width:
            lines.append(line)
            continue
        body = line.lstrip(" ")
        indent = line[: len(line) - len(body)]
        lines += wrap(body, width, initial_indent=indent, subsequent_indent=indent + "  ")
    return "\n".join(lines)


def _columns(stream: TextIO | None) -> int | None:
    """How wide this terminal is; None where it is none."""
    if stream is None:
        return None
    try:
        if not stream.isatty():
            return None
        return max(_LEAST, os.get_terminal_size(stream.fileno()).columns)
    except (OSError, ValueError):
        return None
