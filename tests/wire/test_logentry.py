"""Log entries: what is packed is unpacked, what is damaged is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.codes import LogKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.logentry import SIZE, LogEntry, number_of, pack, unpack
from tests.wire.golden import hexed, records
from tests.wire.plain import crc32c_bits

U64 = st.integers(0, 2**64 - 1)
ENTRIES = st.builds(
    LogEntry,
    U64,
    st.integers(0, 2**32 - 1),
    st.sampled_from(list(LogKind)),
    st.integers(-(2**15), 2**15 - 1),
    U64,
    U64,
    U64,
    U64,
    U64,
    st.binary(min_size=20, max_size=20),
)
GOLDEN = [hexed(record["hex"]) for record in records("log.toml")]


@given(ENTRIES)
def test_what_is_packed_is_unpacked(entry: LogEntry) -> None:
    raw = pack(entry)
    assert len(raw) == SIZE
    assert unpack(raw) == entry
    assert number_of(raw) == entry.number


@pytest.mark.requirement("TEL-07")
@given(ENTRIES.map(pack), st.none() | st.integers(0, 8 * SIZE - 1), st.integers(0, SIZE))
def test_the_number_alone_is_told_of_a_whole_entry_only(
    raw: bytes, bit: int | None, shorter: int
) -> None:
    if bit is not None:
        raw = (int.from_bytes(raw, "big") ^ 1 << bit).to_bytes(SIZE, "big")
    raw = raw[: SIZE - shorter] if shorter % 3 == 1 else raw
    if len(raw) == SIZE and crc32c_bits(raw[:76]) == int.from_bytes(raw[76:], "big"):
        assert number_of(raw) == int.from_bytes(raw[:8], "big")
    else:
        with pytest.raises(WireError):
            number_of(raw)


@pytest.mark.requirement("TEL-04")
def test_every_flip_of_one_or_two_bits_is_noticed() -> None:
    tried = 0
    for raw in GOLDEN:
        bits = range(8 * SIZE)
        for one in bits:
            for other in (None, *range(one + 1, 8 * SIZE)):
                damaged = bytearray(raw)
                damaged[one // 8] ^= 1 << one % 8
                if other is not None:
                    damaged[other // 8] ^= 1 << other % 8
                with pytest.raises(WireError, match="check"):
                    unpack(bytes(damaged))
                tried += 1
    print(f"{tried} flips of one or two bits in {len(GOLDEN)} entries: all noticed")


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_dead_memory_is_no_entry(byte: int) -> None:
    with pytest.raises(WireError, match="check"):
        unpack(bytes([byte]) * SIZE)


@pytest.mark.parametrize("size", [0, 79, 81])
def test_an_entry_has_eighty_bytes(size: int) -> None:
    with pytest.raises(WireError, match="80"):
        unpack(bytes(size))


def test_an_unknown_kind_with_a_right_check_is_refused() -> None:
    body = GOLDEN[0][:12] + b"\x03\xa2" + GOLDEN[0][14:76]
    with pytest.raises(WireError, match="0x03A2 is no kind"):
        unpack(body + crc32c_bits(body).to_bytes(4, "big"))


@pytest.mark.parametrize(
    "change",
    [
        {"number": -1},
        {"number": 2**64},
        {"boot": 2**32},
        {"offset_min": 2**15},
        {"a": 2**64},
        {"data": bytes(19)},
        {"data": bytes(21)},
        {"data": "x" * 20},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(change: dict[str, object]) -> None:
    entry = unpack(GOLDEN[0])
    with pytest.raises(WireError):
        pack(LogEntry(**entry._asdict() | change))
