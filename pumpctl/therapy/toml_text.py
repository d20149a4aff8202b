"""From the bytes of a TOML file to its data; what is no TOML is refused with its place.

The other way, `quoted` writes one text as TOML; how a whole file is laid out is
its writer's matter, because a person is to read it.

For profiles and libraries alike. What the data mean is not known here, and
nothing here opens files.
"""

from __future__ import annotations

from decimal import Decimal

from pumpctl.errors import InputRefused
from pumpctl.named import NamedTuple
from pumpctl.therapy.places import position

MAX_BYTES = 256 * 1024
MAX_LINE = 4_096
"""Longer lines are no file of ours, and make the TOML reader slow."""


class FileKind(NamedTuple):
    """What a file is called in messages, and what is raised where it is none."""

    name: str
    refused: type[InputRefused]


def decoded(data: bytes, filename: str, kind: FileKind) -> str:
    """The text of a file in UTF-8; a byte order mark is left in."""
    if len(data) > MAX_BYTES:
        size = f"{len(data)} bytes; a {kind.name} has at most {MAX_BYTES}"
        raise kind.refused(f"{filename}: {size}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode().removeprefix("\ufeff")
        raise _at(kind, filename, before, len(before), "this is not UTF-8 text") from None


def parsed(text: str, filename: str, kind: FileKind) -> dict[str, object]:
    """The data of a TOML text; refused, with line and column, where it is none."""
    from tomllib import TOMLDecodeError, loads

    if len(text) > MAX_BYTES:
        raise kind.refused(f"{filename}: a {kind.name} has at most {MAX_BYTES} bytes")
    start = 0
    for line in text.split("\n"):
        if len(line) > MAX_LINE:
            what = f"a line has at most {MAX_LINE} characters"
            raise _at(kind, filename, text, start, what)
        start += len(line) + 1
    try:
        return loads(text, parse_float=Decimal)
    except TOMLDecodeError as error:
        what, _, where = str(error).rpartition(" (at ")
        numbers = [word.strip(",)") for word in where.split() if word.strip(",)").isdigit()]
        if len(numbers) == 2:
            raise kind.refused(f"{filename}:{':'.join(numbers)}: {what}") from None
        what = f"{what or error} (at the end)"
        raise _at(kind, filename, text, len(text), what) from None
    except RecursionError:
        raise kind.refused(f"{filename}: nested too deeply for a {kind.name}") from None
    except ValueError as error:  # a number with thousands of digits
        raise kind.refused(f"{filename}: {error}") from None


def quoted(text: str) -> str:
    """A basic string of TOML, in its quotation marks."""
    from tomli_w import dumps

    return dumps({"text": text}).removeprefix("text = ").rstrip("\n")


def _at(kind: FileKind, filename: str, text: str, offset: int, what: str) -> InputRefused:
    line, column = position(text, offset)
    return kind.refused(f"{filename}:{line}:{column}: {what}")
