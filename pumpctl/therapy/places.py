"""Where each key and value of a TOML text stands: the second pass, for findings only.

`tomllib` gives values without places. This scanner gives places without values:
it walks a text that `tomllib` has already accepted, so it need not judge, only
keep its place. It knows TOML's shapes (tables, arrays of tables, inline tables,
dotted keys, all strings, comments) and nothing of profiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress

from pumpctl.named import NamedTuple

Path = tuple[str | int, ...]
"""Keys and indices from the root: ("program", "day", 0, "steps", 2, "from")."""


class Place(NamedTuple):
    """Offsets into the text. `key` is where the key or header begins."""

    key: int
    value: int
    end: int


class Position(NamedTuple):
    """Line and column, counted from 1, in characters."""

    line: int
    column: int


def position(text: str, offset: int) -> Position:
    """The line and column of an offset."""
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def locate(found: dict[Path, Place], path: Path, *, key: bool = False) -> int:
    """The offset of a path, or of the nearest thing around it that was written."""
    while path not in found:
        path, key = path[:-1], True
    return found[path].key if key else found[path].value


def places(text: str, wanted: Iterable[Path] | None = None) -> dict[Path, Place]:
    """Every path of a valid TOML text, the root included, with its place.

    A table's value is its header or its opening brace; one that dotted keys made
    has the first of those keys. Where only some paths are `wanted`, arrays that
    hold none of them are not looked into.
    """
    scanner = _Scanner(text, wanted)
    with suppress(IndexError, ValueError, RecursionError):
        scanner.document()  # a text that tomllib refuses: what was found still serves
    return scanner.found


_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"[ \t\r\n]*(?:#[^\n]*[ \t\r\n]*)*")
"""Past comments, where line ends are blanks too."""
_BARE_KEY = re.compile(r"[^ \t.=\]]*")
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")
_FLAT_ARRAY = re.compile(r"""\[(?:[^\[\]"'#]|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')*\]""")
"""An array without arrays or comments in it, to be passed over."""
_STRING = re.compile(r"""(?!\"{3}|'{3})(?:"(?:[^"\\]|\\.)*"|'[^']*')""")
"""Of one line; long ones are walked through."""


class _Scanner:
    def __init__(self, text: str, wanted: Iterable[Path] | None) -> None:
        self.text = text
        self.wanted = None if wanted is None else tuple(wanted)
        self.at = 0
        self.found: dict[Path, Place] = {(): Place(0, 0, len(text))}
        self.last: dict[Path, int] = {}
        """The index of the newest element of each array of tables."""

    def document(self) -> None:
        table: Path = ()
        while self.past(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)

    def past(self, what: re.Pattern[str]) -> int:
        """Past everything that matches here, which may be nothing."""
        if (found := what.match(self.text, self.at)) is not None:
            self.at = found.end()
        return self.at

    def header(self) -> Path:
        start = self.at
        double = self.text.startswith("[[", start)
        self.at += 2 if double else 1
        parts = self.key()
        self.at = self.text.index("]", self.at) + (2 if double else 1)
        here = Place(start, start, self.at)
        path: Path = ()
        for part in parts[:-1]:
            path = (*path, part)
            self.found.setdefault(path, here)
            if path in self.last:
                path = (*path, self.last[path])
        path = (*path, parts[-1])
        self.found.setdefault(path, here)
        if double:
            self.last[path] = self.last.get(path, -1) + 1
            path = (*path, self.last[path])
        self.found[path] = here
        return path

    def pair(self, table: Path) -> None:
        start = self.past(_SPACE)
        path = table
        for part in self.key():
            path = (*path, part)
            self.found.setdefault(path, Place(start, start, self.at))
        self.at = self.text.index("=", self.at) + 1
        self.value(path, start)

    def key(self) -> list[str]:
        """The parts of a key; ends before whatever follows it."""
        parts = []
        while True:
            start = self.past(_SPACE)
            if self.text[start] in "\"'":
                self.string()
                parts.append(_unquoted(self.text[start : self.at]))
            else:
                self.past(_BARE_KEY)
                parts.append(self.text[start : self.at])
            if self.text[self.past(_SPACE)] != ".":
                return parts
            self.at += 1

    def value(self, path: Path, key: int) -> None:
        start = self.past(_SPACE)
        char = self.text[start]
        if char in "\"'":
            self.string()
        elif char == "[":
            self.array(path)
        elif char == "{":
            self.inline_table(path)
        else:
            self.past(_BARE_VALUE)
            self.at = start + len(self.text[start : self.at].rstrip())
            if self.at == start:
                raise ValueError("no value")
        self.found[path] = Place(key, start, self.at)

    def array(self, path: Path) -> None:
        start, size = self.at, len(path)
        unwanted = self.wanted is not None and all(each[:size] != path for each in self.wanted)
        if unwanted and self.past(_FLAT_ARRAY) > start:
            return
        self.at += 1
        index = 0
        while self.text[self.past(_BLANK)] != "]":
            self.value((*path, index), self.at)
            index += 1
            if self.text[self.past(_BLANK)] == ",":
                self.at += 1
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        while self.text[self.past(_BLANK)] != "}":
            self.pair(path)
            if self.text[self.past(_BLANK)] == ",":
                self.at += 1
        self.at += 1

    def string(self) -> None:
        """Past a string of any of the four kinds."""
        start, mark = self.at, self.text[self.at]
        if self.past(_STRING) > start:
            return
        close = mark * 3
        if not self.text.startswith(close, start):
            raise ValueError("a string without an end")
        self.at += len(close)
        while not self.text.startswith(close, self.at):
            self.at += 2 if self.text[self.at] == "\\" and mark == '"' else 1
        self.at += len(close)
        for _ in range(2):  # up to two more quotes may stand in front of the closing three
            self.at += self.text.startswith(mark, self.at)


def _unquoted(quoted: str) -> str:
    """The text of a quoted key."""
    from tomllib import loads

    name = loads(f"key = {quoted}")["key"]
    return name if isinstance(name, str) else quoted
