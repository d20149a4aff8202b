"""A drug library as TOML: one text for one library, and read back it is the same library.

Only the file's format is known here (`library_shape`); whether a library is a
sane one is the checks' matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pumpctl.therapy.library import Library, Limits, Sourced, window_text
from pumpctl.therapy.library_draft import entry_of
from pumpctl.therapy.library_shape import FORMAT
from pumpctl.therapy.toml_text import quoted


def to_toml(library: Library) -> str:
    """The library as its file has it, without a signature."""
    return "\n".join(_lines(library)) + "\n"


def _lines(library: Library) -> Iterator[str]:
    yield "#:schema ./library.schema.json"
    yield f"format = {FORMAT}"
    yield ""
    yield "[library]"
    yield f"site = {quoted(library.site)}"
    yield f"version = {library.version}"
    for name, date in (("issued", library.issued), ("expires", library.expires)):
        if date is not None:
            yield f"{name} = {quoted(str(date))}"
        else:
            yield f'# {name} = "YYYY-MM-DD"'
    yield f"source = {quoted(library.source)}"
    yield ""
    yield "[policy]"
    yield f"second_person = {quoted(library.second_person)}"
    for limits in library.listed:
        yield ""
        yield from _entry(limits)


def _entry(limits: Limits) -> Iterator[str]:
    yield "[[drug]]"
    yield f"name = {quoted(limits.drug)}"
    yield f"concentration = {quoted(str(limits.concentration))}"
    for name, table in entry_of(limits).tables.items():
        figures = [f"{key} = {_figure(each)}" for key, each in table.items() if each is not None]
        if figures:
            yield from ("", f"[drug.{name}]", *figures)
    for window in limits.windows:
        yield ""
        yield "[[drug.window]]"
        yield f"length = {quoted(window_text(window.length))}"
        if window.soft is not None:
            yield f"soft = {_figure(window.soft)}"
        yield f"hard = {_figure(window.hard)}"
    for usual in limits.usual:
        yield ""
        yield "[[drug.usual]]"
        yield f"group = {quoted(usual.group)}"
        yield f"low = {quoted(str(usual.low))}"
        yield f"high = {quoted(str(usual.high))}"
        yield f"source = {quoted(usual.source)}"


def _figure(figure: Sourced[Any]) -> str:
    return f"{{ limit = {quoted(str(figure.value))}, source = {quoted(figure.source)} }}"
