"""docs/protocol.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pumpctl.conformance.duties import DUTIES
from pumpctl.wire import frames, logbatch, mending, records, responder
from pumpctl.wire.codes import Op
from pumpctl.wire.fields import Field, UInt
from pumpctl.wire.message import REGISTRY
from tests.wire.golden import hexed
from tests.wire.golden import records as golden
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
        ("stored answers", records.MOST_OUTSTANDING),
        ("fragment in an answer to GET_LOG", records.LEAST_FRAGMENT),
        ("entries in a batch", logbatch.MOST_ENTRIES),
        ("bytes in a batch", logbatch.MOST_BATCH),
        ("replay window", records.WINDOW),
        ("greetings remembered", responder.GREETINGS_KEPT),
    ],
)
def test_the_limits_are_those_of_the_code(text: str, what: str, figure: int) -> None:
    row = re.search(rf"^\| {what} \| ([\d ]+)", text, re.MULTILINE)
    assert row is not None
    assert int(row[1].replace(" ", "")) == figure


def test_the_batch_s_limit_is_that_of_its_field(text: str) -> None:
    (limit,) = re.findall(r"`room` bytes and never more than ([\d ]+):", text)
    assert int(limit.replace(" ", "")) == logbatch.MOST_BATCH


def test_the_batch_worked_by_hand_is_the_golden_one(text: str) -> None:
    start = text.index("5E133BD9")
    block = text[start : text.index("```", start)]
    digits = re.findall(r"(?<!\S)(?:[0-9A-F]{2})+(?!\S)", block)
    assert bytes.fromhex("".join(digits)) == hexed(golden("log_batches.toml")[1]["hex"])


def test_the_header_is_the_one_that_is_packed(text: str) -> None:
    section = text.partition("## 2. Frames")[2].partition("## 3.")[0]
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\w+)", section, re.MULTILINE)
    assert [int(at) for at, _, _ in rows] == [0, 1, 3, 5, 6]
    at, size, _ = rows[-1]
    assert int(at) + int(size) == frames.HEADER_SIZE
    assert f"at least {frames.HEADER_SIZE + 4} bytes" in section
    assert (
        section.count(f"{frames.MOST_STUFFED} bytes") + section.count(f"≤ {frames.MOST_STUFFED};")
        >= 3
    )
    assert f"within {mending.FARTHEST // 8} bytes" in section


def test_every_duty_of_the_pump_is_in_the_conformance_run(text: str) -> None:
    section = text.partition("## 17. Duties of the pump")[2].partition("## 18.")[0]
    assert re.findall(r"^- (P\d+)\. ", section, re.MULTILINE) == [
        duty for duty in DUTIES if duty.startswith("P")
    ]


def test_every_requirement_that_is_named_is_numbered(text: str) -> None:
    named = set(re.findall(r"\b[A-Z]{3}-\d\d\b", text))
    known = "PRG LIM UNI REF BOL STP CNF TEL SEC AUD PMP ALM TIM"
    assert all(name[:3] in known.split() for name in named)
    assert len(named) > 40
