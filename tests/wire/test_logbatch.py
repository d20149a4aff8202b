"""Batches of log entries: raw and as differences, against a second hand and hostile bytes."""

from __future__ import annotations

import random
from itertools import accumulate

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pumpctl.wire.codes import Encoding, LogKind
from pumpctl.wire.fields import WireError
from pumpctl.wire.logbatch import MOST_BATCH, MOST_ENTRIES, pack_batch, unpack_batch
from pumpctl.wire.logentry import SIZE, LogEntry, pack, unpack
from tests.wire.golden import hexed, records
from tests.wire.plain import batch_bytes, batch_entries, checked, crc32c_bits

DIFFERENCE = Encoding.DIFFERENCE
GOLDEN = tuple(hexed(record["hex"]) for record in records("log.toml"))
WORKED = records("log_batches.toml")[1]
"""The document's example: a boot and three hours."""
EXAMPLE = tuple(map(hexed, WORKED["entries"]))
PACKED = hexed(WORKED["hex"])

EDGES = [0, 1, 127, 128, 255, 256, 2**16, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1]
U64 = st.sampled_from(EDGES) | st.integers(0, 2**64 - 1)
BODIES = st.builds(
    LogEntry,
    st.just(0),
    st.sampled_from([0, 1, 2**32 - 1]) | st.integers(0, 2**32 - 1),
    st.sampled_from(list(LogKind)),
    st.sampled_from([-(2**15), -1, 0, 2**15 - 1]) | st.integers(-(2**15), 2**15 - 1),
    U64,
    U64,
    U64,
    U64,
    U64,
    st.sampled_from([bytes(20), b"\xff" * 20]) | st.binary(min_size=20, max_size=20),
)
NUMBERS = st.sets(U64, max_size=40).map(sorted)


@st.composite
def logs(draw: st.DrawFn) -> tuple[bytes, ...]:
    """Whole entries in rising order with anything in them."""
    return tuple(pack(draw(BODIES)._replace(number=number)) for number in draw(NUMBERS))


def year(count: int, seed: int = 1) -> tuple[bytes, ...]:
    """Entries like a pump's: mostly hours, now and then a bolus with its end."""
    rng = random.Random(seed)
    found, counter, pulses = [], 1_234_567, 0
    for number in range(1, count + 1):
        bolus = rng.random() < 0.2
        counter += rng.randrange(3_600_000) if bolus else 3_600_000
        pulses += rng.randrange(30, 40)
        kind = rng.choice((LogKind.BOLUS_STARTED, LogKind.BOLUS_ENDED)) if bolus else LogKind.HOUR
        data = pulses.to_bytes(8, "big") + (2000).to_bytes(4, "big") + (96_000).to_bytes(8, "big")
        label = 1_700_000_000_000 + counter
        entry = LogEntry(number, 1, kind, 60, counter, label, pulses, 40_000_000, 7, data)
        found.append(pack(entry))
    return tuple(found)


# --- there and back -----------------------------------------------------------------------


@pytest.mark.requirement("TEL-04")
@given(logs())
def test_what_is_packed_is_unpacked_bit_for_bit(entries: tuple[bytes, ...]) -> None:
    count, batch = pack_batch(DIFFERENCE, entries)
    assert count == len(entries)
    assert batch == batch_bytes(entries)
    assert unpack_batch(DIFFERENCE, batch, count) == entries == tuple(batch_entries(batch))
    assert len(batch) <= 5 + 162 * len(entries)  # at worst 3 + 13 x (1 + 10 + 10) and so on


@pytest.mark.requirement("TEL-04")
def test_a_long_log_of_a_pump_s_kind_packs_small() -> None:
    entries = year(1200)
    count, batch = pack_batch(DIFFERENCE, entries)
    assert count == 1200
    assert unpack_batch(DIFFERENCE, batch, count) == entries
    assert len(batch) < count * SIZE // 4
    # Nothing but even hours takes no bytes at all beyond the first of each column.
    even = tuple(one for one in entries if unpack(one).kind is LogKind.HOUR)[:1]
    first = unpack(even[0])
    hours = tuple(
        pack(first._replace(number=n, counter=3_600_000 * n, time=3_600_000 * n + 5))
        for n in range(1, 1000)
    )
    assert len(pack_batch(DIFFERENCE, hours)[1]) < 100


@given(logs())
def test_a_raw_batch_is_the_entries(entries: tuple[bytes, ...]) -> None:
    assert pack_batch(Encoding.RAW, entries) == (len(entries), b"".join(entries))
    assert unpack_batch(Encoding.RAW, b"".join(entries), len(entries)) == entries


@pytest.mark.parametrize("encoding", list(Encoding))
def test_no_entries_are_a_batch_too(encoding: Encoding) -> None:
    count, batch = pack_batch(encoding, ())
    assert (count, unpack_batch(encoding, batch, 0)) == (0, ())


# --- what fits ----------------------------------------------------------------------------


def random_log(count: int) -> tuple[bytes, ...]:
    """Entries with nothing in common, the worst there is."""
    rng = random.Random(count)
    kinds = list(LogKind)
    return tuple(
        checked(
            number.to_bytes(8, "big")
            + rng.randbytes(4)
            + int(rng.choice(kinds)).to_bytes(2, "big")
            + rng.randbytes(62)
        )
        for number in range(1, count + 1)
    )


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("made", [year, random_log])
def test_a_batch_fits_its_field_and_begins_with_the_first(encoding: Encoding, made: object) -> None:
    entries: tuple[bytes, ...] = made(3000)  # type: ignore[operator]
    before = 0
    for offered in (0, 1, 2, 50, 150, 199, 200, 201, 500, 1000, 2047, 2048, 2049, 3000):
        count, batch = pack_batch(encoding, entries[:offered])
        assert count <= min(offered, MOST_ENTRIES)
        assert len(batch) <= MOST_BATCH
        assert unpack_batch(encoding, batch, count) == entries[:count]
        assert pack_batch(encoding, entries[:count]) == (count, batch)
        assert count >= before  # more that is offered is never fewer that go
        assert count >= min(offered, 100)
        before = count
    assert before >= (MOST_BATCH // SIZE if encoding is Encoding.RAW else 100)


def test_a_raw_batch_holds_two_hundred() -> None:
    assert pack_batch(Encoding.RAW, random_log(250))[0] == 200


@settings(max_examples=20)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 5))
def test_a_longer_offer_of_a_pump_s_log_never_gives_less(one: int, more: int, seed: int) -> None:
    entries = year(one + more, seed)
    assert pack_batch(DIFFERENCE, entries)[0] >= pack_batch(DIFFERENCE, entries[:one])[0]


# --- hostile bytes ------------------------------------------------------------------------


@pytest.mark.requirement("TEL-07")
@given(st.binary(max_size=400), st.integers(0, 65_535), st.sampled_from(list(Encoding)))
def test_any_bytes_are_a_batch_or_refused(batch: bytes, count: int, encoding: Encoding) -> None:
    try:
        entries = unpack_batch(encoding, batch, count)
    except WireError:
        return
    assert len(entries) == count
    assert all(len(entry) == SIZE for entry in entries)


PARTS = st.one_of(
    st.sampled_from([b"\0", b"\1", b"\2", b"\4", b"\x08", b"\3", b"\xff"]),
    st.sampled_from([b"\x80" * 9 + b"\1", b"\xff" * 9 + b"\1", b"\xfe" + b"\xff" * 8 + b"\1"]),
    st.sampled_from([b"\x03\xa3", b"\xff" * 10, b"\x80\0", b"\xff\x0f", b"\0\2\0"]),
    st.binary(min_size=1, max_size=12),
)


@pytest.mark.requirement("TEL-07")
@settings(max_examples=400)
@given(st.integers(1, 60), st.lists(PARTS, max_size=60), st.integers(0, 3))
def test_bytes_that_nearly_are_one_raise_nothing_else(
    many: int, parts: list[bytes], kinds: int
) -> None:
    """A beginning that is right, and columns that may lead anywhere."""
    batch = bytes(4) + bytes([kinds]) + b"\x03\xa3" + bytes([many]) + b"".join(parts)
    try:
        unpack_batch(DIFFERENCE, batch, many)
    except WireError:
        return
    assert kinds == 0 or crc32c_bits(b"") == 0


@pytest.mark.requirement("TEL-07")
@pytest.mark.parametrize("place", range(13))
@pytest.mark.parametrize(
    "value", [2**64 - 1, 2**64 - 2, 2**63, 2**63 - 1, 2**32, 2**16, 65_535, 1], ids=str
)
def test_a_column_may_lead_anywhere(place: int, value: int) -> None:
    """Each field at its ends and beyond: 64 bits turn round, narrower ones are refused."""
    columns = [b"\0\0\0"] * 13
    columns[place] = b"\0" + _varint(value) + _varint(value)
    batch = bytes(4) + b"\1\x03\xa3\x03" + b"".join(columns)
    with pytest.raises(WireError, match=r"leads out of|are not those"):
        unpack_batch(DIFFERENCE, batch, 3)


@pytest.mark.requirement("TEL-06")
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda batch: batch + b"\0", "too many"),
        (lambda batch: batch[:-1], "wanted"),
        (lambda batch: batch + batch, "too many"),
        (lambda batch: b"\0" + batch[1:], "not those"),
        (lambda batch: batch[:4] + b"\1" + batch[5:], "too many"),
        (lambda batch: batch[:4] + b"\3" + batch[5:], "wanted"),
        (lambda batch: batch[:4] + b"\x82\0" + batch[5:], "longer than"),
        (lambda batch: batch[:7] + b"\0" + batch[8:], "entries of a kind"),
        (lambda batch: batch[:7] + b"\5" + batch[8:], "entries of a kind"),
        (lambda batch: batch[:8] + b"\3" + batch[9:], "bytes for a difference"),
        (lambda batch: batch[:9] + b"\x84\0" + batch[10:], "longer than"),
        (lambda batch: batch[:9] + b"\xff" * 9 + b"\2" + batch[10:], "longer than"),
        (lambda batch: batch[:9] + b"\xff" * 10 + b"\1" + batch[10:], "longer than"),
        (lambda batch: b"", "wanted"),
    ],
)
def test_a_batch_that_is_spoiled_is_refused(change: object, why: str) -> None:
    assert unpack_batch(DIFFERENCE, PACKED, 4) == EXAMPLE
    with pytest.raises(WireError, match=why):
        unpack_batch(DIFFERENCE, change(PACKED), 4)  # type: ignore[operator]


@pytest.mark.requirement("TEL-04")
def test_no_altered_bit_of_a_batch_gives_other_entries() -> None:
    same = 0
    for place in range(len(PACKED)):
        for bit in range(8):
            altered = bytearray(PACKED)
            altered[place] ^= 1 << bit
            try:
                assert unpack_batch(DIFFERENCE, bytes(altered), 4) == EXAMPLE
            except WireError:
                continue
            same += 1
    # A column of one entry has no step: its width and its least step say nothing.
    assert 0 < same <= 13 * 16


@pytest.mark.requirement("TEL-07")
@pytest.mark.parametrize("wrong", [0, 3, 5, MOST_ENTRIES, 65_535])
def test_a_batch_holds_as_many_as_its_message_says(wrong: int) -> None:
    with pytest.raises(WireError):
        unpack_batch(DIFFERENCE, PACKED, wrong)
    with pytest.raises(WireError):
        unpack_batch(Encoding.RAW, b"".join(EXAMPLE), wrong)


@pytest.mark.requirement("TEL-07")
def test_a_small_batch_never_becomes_a_large_one() -> None:
    """39 bytes of columns without width would unpack to as many entries as they say."""

    def bomb(many: int) -> bytes:
        return bytes(4) + b"\1\x03\xa3" + _varint(many) + b"\0\0\0" * 13

    for many in (5, 2048, 2049, 65_535, 2**40, 2**64 - 1):
        with pytest.raises(WireError, match="entries of a kind"):
            unpack_batch(DIFFERENCE, bomb(many), 4)
    for many in (2049, 65_535):
        with pytest.raises(WireError, match="entries of a kind"):
            unpack_batch(DIFFERENCE, bomb(many), many)
    with pytest.raises(WireError, match="wanted"):
        unpack_batch(DIFFERENCE, bytes(4) + _varint(2**64 - 1), 4)


@pytest.mark.requirement("TEL-04")
@given(logs(), st.data())
def test_kinds_may_come_in_any_order_and_widths_may_be_generous(
    entries: tuple[bytes, ...], data: st.DataObject
) -> None:
    """What a station takes is more than what a pump sends; the check decides."""
    assume(entries)
    groups: dict[bytes, list[bytes]] = {}
    for entry in entries:
        groups.setdefault(entry[12:14], []).append(entry)
    order = data.draw(st.permutations(sorted(groups)))
    batch = crc32c_bits(b"".join(entries)).to_bytes(4, "big") + bytes([len(order)])
    for kind in order:
        batch += batch_bytes(groups[kind])[5:]  # behind check and number of kinds
    assert unpack_batch(DIFFERENCE, batch, len(entries)) == entries


def test_the_sums_of_the_worked_example() -> None:
    """Columns of the three hours, added up by hand as the document says."""
    assert list(accumulate([15, 20, 19])) == [unpack(one).pulses for one in EXAMPLE[1:]]
    volumes = list(accumulate([39_999_000, -1500, -1400]))
    assert volumes == [unpack(one).a for one in EXAMPLE[1:]]
    assert batch_bytes(EXAMPLE) == PACKED
    assert len(PACKED) == 118  # for 320


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(128 | value & 127)
        value >>= 7
    out.append(value)
    return bytes(out)
