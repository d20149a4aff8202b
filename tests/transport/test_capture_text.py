"""Both forms of a capture say the same, and any text at all can be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.transport.capture_text import (
    MOST_DATA,
    Ended,
    Event,
    Form,
    Head,
    Passed,
    Revealed,
    Trouble,
    Unread,
    read,
    written,
)

AT = st.integers(0, 10**15)
WORDS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)
KEY = st.binary(min_size=32, max_size=32)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Passed, AT, st.sampled_from(["out", "in"]), st.binary(min_size=1, max_size=90)),
    st.builds(Trouble, AT, WORDS.map(str.strip)),
    st.builds(Revealed, AT, st.integers(0, 0xFFFF), KEY, KEY),
    st.builds(Ended, AT),
)
HEADS = st.builds(Head, WORDS, WORDS, WORDS, WORDS)


@given(HEADS, st.lists(EVENTS, max_size=8), st.sampled_from(Form))
def test_what_was_written_is_read(head: Head, events: list[Event], form: Form) -> None:
    text = "".join(written(event, form) for event in [head, *events])
    assert text.isascii()
    assert list(read(text)) == [head, *events]


def test_the_most_that_one_event_holds_is_read_from_hex() -> None:
    event = Passed(1, "in", bytes(place * 7 & 0xFF for place in range(MOST_DATA)))
    assert list(read(written(event, Form.HEX))) == [event]


@pytest.mark.requirement("TEL-07")
@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for event in read(text):
        assert isinstance(event, Event)


@given(st.lists(EVENTS, min_size=1, max_size=4), st.sampled_from(Form), st.data())
def test_a_torn_capture_says_where_and_keeps_the_rest(
    events: list[Event], form: Form, data: st.DataObject
) -> None:
    text = "".join(written(event, form) for event in events)
    cut = data.draw(st.integers(0, len(text)))
    found = list(read(text[:cut]))
    assert len(found) <= len(events)
    assert found[:-1] == events[: max(0, len(found) - 1)]


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "{",
        "[" * 100_000,
        "{" + '"a":{' * 50_000,
        '{"at": 1.5, "way": "out", "hex": "00"}',
        '{"at": true, "way": "out", "hex": "00"}',
        '{"at": -1, "way": "out", "hex": "00"}',
        '{"at": 99999999999999999999, "way": "out", "hex": "00"}',
        '{"at": ' + "9" * 5000 + ', "way": "out", "hex": "00"}',
        '{"at": 1, "way": "up", "hex": "00"}',
        '{"at": 1, "way": "out", "hex": "0"}',
        '{"at": 1, "way": "out", "hex": ""}',
        '{"at": 1, "way": "out", "hex": "zz"}',
        '{"at": 1, "way": "out", "hex": "00 11"}',
        '{"at": 1, "way": "out", "hex": 7}',
        '{"at": 1, "keys": "0001", "to_pump": "00", "from_pump": "00"}',
        '{"capture": 2, "port": "", "purpose": "", "began": "", "tool": ""}',
        '{"capture": 1, "port": 7, "purpose": "", "began": "", "tool": ""}',
        "     0.000001 > 0000: 00 0000  ..",
        "     0.000001 > 0000: 000  .",
        "     0.000001 > 0010: 00  .",
        "     0.000001 > 0000: " + "0000 " * 9,
        "     0.000001 > 0000: " + "abcd" * 5000 + "x",
        "     0.000001 = 0001 00 00",
        "     0.1 > 0000: 00",
    ],
    ids=lambda line: str(line)[:40],
)
def test_what_cannot_be_read_is_told_with_its_line(line: str) -> None:
    good = written(Ended(5), Form.NDJSON)
    found = list(read(good + line + "\n" + good))
    assert found[0] == found[2] == Ended(5)
    assert isinstance(found[1], Unread)
    assert found[1].line == 2


def test_lines_of_other_systems_and_remarks_are_no_fault() -> None:
    text = "\r\n# a remark\r\n" + written(Passed(7, "in", b"ab"), Form.HEX).replace("\n", "\r\n")
    assert list(read(text)) == [Passed(7, "in", b"ab")]


def test_a_head_says_its_version_and_unit() -> None:
    head = json.loads(written(Head("p", "look", "", "pumpctl 1"), Form.NDJSON))
    assert (head["capture"], head["unit"]) == (1, "us")
