"""The place scanner against `tomllib`: the same paths, and at each place the value itself."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.therapy.places import Path, places, position

blank = st.sampled_from(["", " ", "  ", "\t"])
comment = st.sampled_from(["", " # a comment", "# [not.a.table] = { \"''' ", " #"])
newline = st.sampled_from(["\n", "\r\n", "\n\n", "\n  # ]\n"])
bare_key = st.text("abcXYZ019_-", min_size=1, max_size=4)
plain = st.text("ab #=[]{}.,'\u00b5\u00e9", max_size=6)
key = (
    bare_key
    | plain.map(lambda text: f'"{text}"')
    | plain.map(lambda text: "'" + text.replace("'", "") + "'")
)


@st.composite
def scalars(draw: st.DrawFn) -> str:
    text = draw(plain)
    safe = text.replace("'", "")
    return draw(
        st.sampled_from([
            f'"{text}"', f'"{text}\\"\\\\"', f"'{safe}'", f'"""{text}"""', f'"""\n{text}\n\\"""""',
            f'"""{text}"""""', f"'''{safe}\n'''", f"'''{safe}''''", '""', "''", '""""""',
            "1", "-17", "0x1F", "3.14", "1e9", "inf", "true", "false", "1_000",
            "2026-03-31", "07:32:00", "2026-03-31 07:32:00", "2026-03-31T07:32:00Z",
        ])
    )  # fmt: skip


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(inner, max_size=4))
    gap = st.tuples(blank, comment, newline).map("".join) | blank
    text = "["
    for at, item in enumerate(items):
        last = at == len(items) - 1
        text += draw(gap) + item + draw(gap) + ("," if not last or draw(st.booleans()) else "")
    return text + draw(gap) + "]"


@st.composite
def inline_tables(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    keys = draw(st.lists(bare_key, max_size=3, unique=True))
    dotted = [f"{name}{draw(st.sampled_from(['', '.x', ' . y']))}" for name in keys]
    pairs = [f"{draw(blank)}{name}{draw(blank)}={draw(blank)}{draw(inner)}" for name in dotted]
    return "{" + ",".join(pairs) + draw(blank) + "}"


values = st.recursive(scalars(), lambda inner: arrays(inner) | inline_tables(inner), max_leaves=6)


@st.composite
def documents(draw: st.DrawFn) -> str:
    text = ""
    for _ in range(draw(st.integers(0, 6))):
        parts = draw(st.lists(key, min_size=1, max_size=3))
        dotted = draw(st.sampled_from([".", " . "])).join(parts)
        head = draw(blank)
        kind = draw(st.sampled_from(["pair", "pair", "table", "array", "blank"]))
        if kind == "pair":
            head += f"{dotted}{draw(blank)}={draw(blank)}{draw(values)}"
        elif kind == "table":
            head += f"[{draw(blank)}{dotted}{draw(blank)}]"
        elif kind == "array":
            head += f"[[{draw(blank)}{dotted}{draw(blank)}]]"
        text += head + draw(blank) + draw(comment) + draw(newline)
    return text


def leaves(data: Any, path: Path = ()) -> dict[Path, Any]:
    found: dict[Path, Any] = {path: data}
    if isinstance(data, dict):
        for name, each in data.items():
            found |= leaves(each, (*path, name))
    elif isinstance(data, list):
        for at, each in enumerate(data):
            found |= leaves(each, (*path, at))
    return found


@settings(max_examples=600, deadline=None)
@given(documents())
def test_the_scanner_agrees_with_tomllib(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        places(text)  # never fails, whatever it finds
        return
    found = places(text)
    expected = leaves(data)
    assert set(found) == set(expected)
    for path, value in expected.items():
        place = found[path]
        assert 0 <= place.key <= place.value <= place.end <= len(text)
        if not isinstance(value, dict | list):
            written = text[place.value : place.end]
            assert str(tomllib.loads(f"x = {written}")["x"]) == str(value)
            line, column = position(text, place.value)
            assert written.startswith(text.split("\n")[line - 1][column - 1 :][: len(written)])


@settings(deadline=None)
@given(st.text("[]{}=.,\"'#\\ \n\rab1", max_size=60))
def test_any_text_is_scanned_without_failing(text: str) -> None:
    found = places(text)
    assert all(0 <= place.value <= len(text) for place in found.values())
