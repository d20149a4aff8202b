"""Log entries and batches: what is packed is unpacked, what is damaged is noticed."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.codes import Encoding, LogKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.logbatch import MOST_BYTES, pack_batch, unpack_batch
from pumpctl.wire.logentry import SIZE, LogEntry, pack, unpack
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


@given(st.lists(st.sampled_from(GOLDEN), max_size=300), st.sampled_from(list(Encoding)))
def test_a_batch_holds_what_it_says(entries: list[bytes], encoding: Encoding) -> None:
    count, batch = pack_batch(encoding, tuple(entries))
    assert len(batch) <= MOST_BYTES
    assert count == len(entries) or count >= MOST_BYTES // SIZE
    assert unpack_batch(encoding, batch, count) == tuple(entries[:count])
    for wrong in (count + 1, count - 1):
        if wrong >= 0:
            with pytest.raises(WireError):
                unpack_batch(encoding, batch, wrong)


@pytest.mark.requirement("TEL-06")
@pytest.mark.parametrize("change", ["more", "less", "another"])
def test_a_deflated_batch_ends_where_it_should(change: str) -> None:
    count, batch = pack_batch(Encoding.DEFLATE, tuple(GOLDEN))
    changed = {"more": batch + b"\0", "less": batch[:-1], "another": batch + batch}[change]
    with pytest.raises(WireError):
        unpack_batch(Encoding.DEFLATE, changed, count)


@pytest.mark.requirement("TEL-07")
def test_a_small_batch_never_becomes_a_large_one() -> None:
    bomb = zlib.compress(bytes(10_000_000), 9)
    with pytest.raises(WireError):
        unpack_batch(Encoding.DEFLATE, bomb[:MOST_BYTES], 3)


@pytest.mark.requirement("TEL-07")
@given(st.binary(max_size=300), st.integers(0, 5), st.sampled_from(list(Encoding)))
def test_any_bytes_are_a_batch_or_refused(batch: bytes, count: int, encoding: Encoding) -> None:
    try:
        entries = unpack_batch(encoding, batch, count)
    except WireError:
        return
    assert len(entries) == count
    assert all(len(entry) == SIZE for entry in entries)
