"""docs/protocol.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pumpctl.wire import frames, logbatch, records, responder
from pumpctl.wire.codes import Op
from pumpctl.wire.fields import Field, UInt
from pumpctl.wire.message import REGISTRY
from tools.protocol_tables import refreshed, tables

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"


@pytest.fixture(scope="module")
def text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def test_the_tables_are_fresh(text: str) -> None:
    stale = "run python3 dev.py generate"
    assert refreshed(text) == text, stale


def test_every_message_and_code_is_in_the_tables() -> None:
    made = tables()
    for op in Op:
        assert f"| `0x{op:04X}` | {op.name} |" in made["messages"]
        assert f"**{op.name} `0x{op:04X}`**" in made["fields"]
    for spec in REGISTRY.values():
        for name in spec.cls._fields:
            assert f"| `{name}` |" in made["fields"]


def test_a_document_without_markers_is_noticed() -> None:
    with pytest.raises(ValueError, match="no markers for greetings"):
        refreshed("")


def test_a_field_type_without_words_is_noticed() -> None:
    from tools.protocol_tables import form_of

    class Strange(UInt):
        """Described like its base."""

    assert form_of(Strange(1)) == "u8"
    strange: Field = object()  # type: ignore[assignment]
    with pytest.raises(TypeError):
        form_of(strange)


@pytest.mark.parametrize(
    ("what", "figure"),
    [
        ("payload of a frame", frames.MOST_PAYLOAD),
        ("stuffed frame", frames.MOST_STUFFED),
        ("plain text of a record", records.MOST_PLAIN),
        ("fragments of a record", records.MOST_FRAGMENTS),
        ("unfinished records kept", records.MOST_PARTIAL),
        ("stored answers", responder.REPLIES_KEPT),
        ("replay window", records.WINDOW),
        ("greetings remembered", responder.GREETINGS_KEPT),
    ],
)
def test_the_limits_are_those_of_the_code(text: str, what: str, figure: int) -> None:
    row = re.search(rf"^\| {what} \| ([\d ]+)", text, re.MULTILINE)
    assert row is not None
    assert int(row[1].replace(" ", "")) == figure


def test_the_batch_s_limit_is_that_of_its_field(text: str) -> None:
    (limit,) = re.findall(r"`batch` has at most (\d+) bytes", text)
    assert int(limit) == logbatch.MOST_BYTES


def test_every_requirement_that_is_named_is_numbered(text: str) -> None:
    named = set(re.findall(r"\b[A-Z]{3}-\d\d\b", text))
    known = "PRG LIM UNI REF BOL STP CNF TEL SEC AUD PMP ALM TIM"
    assert all(name[:3] in known.split() for name in named)
    assert len(named) > 40
