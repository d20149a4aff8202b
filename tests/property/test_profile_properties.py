"""Profiles, damaged at random: each is read, or refused with its place; never anything else."""

from __future__ import annotations

import tomllib
from typing import Any

import tomli_w
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pumpctl.errors import ProfileSyntax
from pumpctl.therapy.checks import rules
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.profile import ProfileReading, read_profile, read_profile_bytes
from tests.therapy.samples import CONTINUOUS, FLEX, MINIMUM

RULES = rules()
texts = st.sampled_from([FLEX, CONTINUOUS, MINIMUM])

amounts = st.sampled_from([
    "0 mcg", "1 mcg", "20mcg", "999999999999 mg", "0.0000000001 mg", "1 mL", "0 mL", "39.999999 mL",
    "50 mcg/mL", "500 mcg/mL", "1 mcg/mL", "0 mcg/mL", "999999 mcg/mL", "0 mcg/h", "1 mcg/h",
    "0.000125 mcg/h", "40000 mcg/h", "0.001 mcg/day", "1000000 mcg/day", "3000 mcg/day", "1 s",
    "0.001 s", "0 s", "24 h", "25 h", "366 d", "999999999999 d", "7", "", "mcg", "-1 mcg",
    "1e5 mcg", "\u0661 mcg",
])  # fmt: skip
words = st.sampled_from([
    "flex", "continuous", "minimum-rate", "mon", "sun", "00:00", "23:59", "24:00", "7:00", "spinal",
    "baclofen", "under-12", "CHANGE-ME", "x" * 70, "\u0007", "",
])  # fmt: skip
scalars: st.SearchStrategy[Any] = (
    amounts | words | st.integers(-2, 30) | st.booleans() | st.just(10**900) | st.floats(0, 9)
)
names = st.sampled_from(["from", "basal", "dose", "at", "days", "x"])
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


def consistent(reading: ProfileReading, text: str) -> None:
    """What must hold of every reading whatsoever."""
    hard = [each for each in reading.findings if each.severity is Severity.HARD]
    assert reading.program is not None or hard
    assert reading.ok == (reading.profile is not None and not hard)
    lines = text.removeprefix("\ufeff").split("\n")
    for each in reading.findings:
        assert each.id in RULES
        assert each.message and len(each.message) < 600 and each.message.isprintable()
        assert each.line is not None
        assert each.column is not None
        assert 1 <= each.line <= len(lines) and 1 <= each.column <= len(lines[each.line - 1]) + 1


@settings(max_examples=150, deadline=None)
@given(texts, st.data())
def test_characters_lost_doubled_or_changed(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        kind = data.draw(st.sampled_from(["lose", "double", "change", "line"]))
        piece = data.draw(st.sampled_from(list("\"'[]{}=.,#0159 mcg\n\\/\u00b5\u00a0")))
        end = text.find("\n", at) + 1 or len(text)
        text = {
            "lose": text[:at] + text[at + 1 :],
            "double": text[:at] + text[at] + text[at:],
            "change": text[:at] + piece + text[at + 1 :],
            "line": text[:at] + text[end:],
        }[kind] or "#"
    try:
        reading = read_profile(text, "f")
    except ProfileSyntax as refused:
        said = refused.message
    else:
        consistent(reading, text)
        return
    name, line, column, *_ = said.split(":")
    assert name == "f"
    assert 1 <= int(line) <= text.count("\n") + 1
    assert int(column) >= 1


def paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    each: Any
    if isinstance(data, dict):
        for key, each in data.items():
            found += paths(each, (*path, key))
    elif isinstance(data, list):
        for key, each in enumerate(data):
            found += paths(each, (*path, key))
    return found


@settings(max_examples=200, deadline=None)
@given(texts, st.data())
def test_values_exchanged_for_others(text: str, data: st.DataObject) -> None:
    profile = tomllib.loads(text)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(paths(profile)))
        place: Any = profile
        for key in path[:-1]:
            place = place[key]
        if isinstance(place, dict) and data.draw(st.booleans()):
            place.pop(path[-1])
        else:
            place[path[-1]] = data.draw(amounts | words if data.draw(st.booleans()) else anything)
    written = tomli_w.dumps(profile)
    consistent(read_profile(written, "f"), written)


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"\x00")
def test_any_bytes(data: bytes) -> None:
    try:
        reading = read_profile_bytes(data, "f")
    except ProfileSyntax:
        return
    consistent(reading, data.decode())
