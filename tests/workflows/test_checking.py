"""What a pull brought is checked entry by entry: gaps, repeats and damage are told (TEL-04)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.station.records import StoredEntry
from pumpctl.wire.codes import LogKind
from pumpctl.wire.logentry import LogEntry, pack
from pumpctl.workflows.look import checking
from pumpctl.workflows.look.checking import NOT_HELD, REPEATED, Gap, checked
from tests.wire.plain import crc32c_bits

CHECK = "a log entry whose check fails"


def entry(number: int) -> bytes:
    return pack(LogEntry(number, 3, LogKind.HOUR, 60, 1234, 0, 99, 40_000_000, 7, bytes(20)))


def damaged(number: int, bit: int = 77) -> bytes:
    raw = bytearray(entry(number))
    raw[bit // 8] ^= 1 << bit % 8
    return bytes(raw)


def of_another_kind(number: int) -> bytes:
    body = entry(number)[:12] + b"\x03\xa2" + entry(number)[14:76]
    return body + crc32c_bits(body).to_bytes(4, "big")


def test_a_kind_that_nobody_knows_yet_is_kept_as_it_came() -> None:
    came = [entry(5), of_another_kind(6), entry(7)]
    good, gaps, following = checked(5, came)
    assert [each.raw for each in good] == came
    assert (gaps, following) == ([], 8)


def kept(*numbers: int) -> list[StoredEntry]:
    return [StoredEntry(number, entry(number)) for number in numbers]


@given(st.integers(1, 2**63), st.integers(0, 40))
def test_a_whole_batch_is_kept_as_it_came(first: int, count: int) -> None:
    numbers = range(first, first + count)
    assert checked(first, [entry(number) for number in numbers]) == (
        kept(*numbers),
        [],
        first + count,
    )


@pytest.mark.requirement("TEL-04")
@pytest.mark.parametrize(
    ("came", "good", "gaps", "following"),
    [
        ([entry(7), entry(8)], (7, 8), [Gap(5, 6, NOT_HELD)], 9),
        ([entry(5), entry(8)], (5, 8), [Gap(6, 7, NOT_HELD)], 9),
        ([entry(5), damaged(6), entry(7)], (5, 7), [Gap(6, 6, CHECK)], 8),
        ([entry(5), damaged(6), damaged(7), entry(8)], (5, 8), [Gap(6, 7, CHECK)], 9),
        ([entry(5), damaged(6)], (5,), [Gap(6, 6, CHECK)], 7),
        ([entry(5), damaged(9), entry(6)], (5, 6), [Gap(6, 6, f"{CHECK}, beside a whole one")], 7),
        ([entry(5), entry(5), entry(6)], (5, 6), [Gap(5, 5, REPEATED)], 7),
        ([entry(5), entry(4), entry(6)], (5, 6), [Gap(4, 4, REPEATED)], 7),
        ([entry(5), entry(5), entry(7)], (5, 7), [Gap(5, 5, REPEATED), Gap(6, 6, NOT_HELD)], 8),
        (
            [entry(5), damaged(6), entry(5), entry(7)],
            (5, 7),
            [Gap(5, 5, REPEATED), Gap(6, 6, CHECK)],
            8,
        ),
        ([b""], (), [Gap(5, 5, "a log entry has 80 bytes, not 0")], 6),
        ([], (), [], 5),
    ],
)
def test_what_is_wrong_is_told_with_its_cause(
    came: list[bytes], good: tuple[int, ...], gaps: list[Gap], following: int
) -> None:
    assert checked(5, came) == (kept(*good), gaps, following)


@pytest.mark.requirement("TEL-04")
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.sampled_from(["whole", "damaged"])),
        min_size=1,
        max_size=12,
    )
)
def test_nothing_is_passed_over_in_silence(came: list[tuple[int, str]]) -> None:
    raw = [entry(number) if how == "whole" else damaged(number) for number, how in came]
    good, gaps, following = checked(1, raw)
    numbers = [number for number, _ in good]
    assert numbers == sorted(set(numbers))
    assert [stored.raw for stored in good] == [entry(number) for number in numbers]
    told = {number for gap in gaps for number in range(gap.first, gap.last + 1)}
    assert set(range(1, following)) <= set(numbers) | told, "each number is kept or told"
    whole = sum(how == "whole" for _, how in came)
    assert whole - len(good) == sum(gap.cause == REPEATED for gap in gaps)
    if whole < len(came):
        assert any(CHECK in gap.cause for gap in gaps), "damage is told"


@pytest.mark.requirement("TEL-04")
def test_without_the_check_a_damaged_entry_would_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    dose = damaged(6, bit=8 * 54)  # in what it says, not in its number
    assert [stored.number for stored in checked(6, [dose])[0]] == []
    monkeypatch.setattr(checking, "number_of", lambda raw: int.from_bytes(raw[:8], "big"))
    assert checked(6, [dose]) == ([StoredEntry(6, dose)], [], 7)
