"""Libraries: any that can be written reads back the same; any damaged text is read or refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.errors import LibrarySyntax
from pumpctl.quantities import Concentration, Duration, Mass, Percent, Rate
from pumpctl.therapy.checks import rules
from pumpctl.therapy.library import (
    SECOND_PERSON,
    Band,
    Change,
    Library,
    Limits,
    Sourced,
    UsualRange,
    Window,
)
from pumpctl.therapy.library_file import read_library
from pumpctl.therapy.library_text import to_toml
from pumpctl.therapy.moment import Date
from pumpctl.therapy.patient import AGE_GROUPS, ORIGINS
from tests.helpers.libraries import site_library

RULES = rules()
TEXT = site_library(short=True)


def texts(longest: int) -> st.SearchStrategy[str]:
    """What the format takes as text: quotes, backslashes, other scripts."""
    return (
        st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=longest)
        .map(str.strip)
        .filter(lambda text: bool(text) and text.isprintable())
    )


dates = st.none() | st.integers(-719_162, 2_932_896).map(Date)
rates = st.integers(0, 10**9).map(Rate)
masses = st.integers(0, 10**9).map(Mass)
percents = st.integers(0, 10**6).map(Percent)
lengths = st.integers(0, 366 * 86_400_000).map(Duration)


def sourced(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.builds(Sourced, values, texts(300))


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | sourced(values)


def bands(values: st.SearchStrategy[object]) -> st.SearchStrategy[Band[object]]:
    return st.builds(Band, maybe(values), maybe(values), maybe(values), maybe(values))


changes = st.builds(Change, maybe(percents), maybe(percents), maybe(percents), maybe(percents))
entries = st.builds(
    Limits,
    drug=texts(32),
    concentration=st.integers(0, 10**6).map(Concentration),
    daily_dose=bands(rates),
    rate=bands(rates),
    bolus=bands(masses),
    patient_dose=bands(masses),
    daily_change=changes,
    rate_change=changes,
    windows=st.lists(st.builds(Window, lengths, maybe(masses), sourced(masses)), max_size=3).map(
        tuple
    ),
    usual=st.lists(
        st.builds(UsualRange, st.sampled_from([*AGE_GROUPS, *ORIGINS]), rates, rates, texts(300)),
        max_size=3,
    ).map(tuple),
)
libraries = st.builds(
    Library,
    site=texts(40),
    version=st.integers(1, 2**31),
    issued=dates,
    expires=dates,
    source=texts(300),
    listed=st.lists(entries, min_size=1, max_size=3).map(tuple),
    second_person=st.sampled_from(SECOND_PERSON),
)


@pytest.mark.requirement("LIM-07")
@settings(max_examples=150, deadline=None)
@given(libraries)
def test_what_is_written_reads_back_exactly(library: Library) -> None:
    text = to_toml(library)
    reading = read_library(text, "f")
    assert reading.library == library
    assert to_toml(reading.library) == text


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_characters_lost_doubled_or_changed(data: st.DataObject) -> None:
    text = TEXT
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(st.sampled_from(list("\"'[]{}=.,#0159 %mcg\n\\/\u00b5")))
        end = text.find("\n", at) + 1 or len(text)
        text = data.draw(
            st.sampled_from(
                [
                    text[:at] + text[at + 1 :],
                    text[:at] + text[at] + text[at:],
                    text[:at] + piece + text[at + 1 :],
                    text[:at] + text[end:],
                ]
            )
        )
        text = text or "#"
    reading, said = None, "f:"
    try:
        reading = read_library(text, "f")
    except LibrarySyntax as refused:
        said = refused.message
    assert said.startswith("f:")
    if reading is None:
        return
    assert reading.library is not None or reading.hard
    lines = text.split("\n")
    for each in reading.findings:
        assert each.id in RULES
        assert each.message.isprintable() and len(each.message) < 600
        assert each.line is not None and each.column is not None
        assert 1 <= each.line <= len(lines) and 1 <= each.column <= len(lines[each.line - 1]) + 1
