"""Text that is broken for a terminal: between words, never inside what belongs together."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.cli.folding import folded, wrap

WORDS = st.lists(st.sampled_from(["a", "dose", "438 mcg/day", "0.348 mL", "24 h", "--x-y", "5 %"]))


@given(WORDS, st.integers(min_value=20, max_value=90))
def test_no_line_is_wider_and_nothing_is_lost(words: list[str], width: int) -> None:
    text = " ".join(words)
    lines = wrap(text, width, subsequent_indent="  ")
    assert all(len(line) <= width for line in lines)
    assert " ".join(line.strip() for line in lines) == text


@given(WORDS, st.integers(min_value=20, max_value=90))
def test_a_number_stays_with_its_unit_and_an_option_whole(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width)
    assert sum(line.count("438 mcg/day") for line in lines) == words.count("438 mcg/day")
    assert sum(line.count("0.348 mL") for line in lines) == words.count("0.348 mL")
    assert sum(line.count("--x-y") for line in lines) == words.count("--x-y")


def test_a_year_is_no_number_with_a_unit() -> None:
    assert wrap("see 2015 CC13", 9) == ["see 2015", "CC13"]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals")
def test_a_terminal_gets_lines_that_fit_and_a_pipe_whole_ones() -> None:
    import fcntl
    import pty
    import struct
    import termios

    text = "  hard RATE_HARD: " + "a rate of 3000 mcg/day is too much; " * 4 + "\nshort"
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with os.fdopen(slave, "w") as terminal:
        told = folded(text, terminal).splitlines()
    os.close(master)
    assert max(map(len, told)) <= 60
    assert told[0].startswith("  hard RATE_HARD: ")
    assert told[1].startswith("    ") and told[-1] == "short"
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        assert folded(text, pipe) == text
    assert folded(text, None) == text
