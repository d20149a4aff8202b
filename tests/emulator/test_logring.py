"""The ring of log entries: end, wrap, torn records, half-erased pages."""

from __future__ import annotations

import pytest

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE, CutKind, Flash, MemoryStore, PowerCut, PowerLost
from pumpctl.emulator.memory.logring import PER_PAGE, LogRing
from pumpctl.wire.codes import LogKind
from pumpctl.wire.logentry import LogEntry, pack, unpack

PAGES = 4


def entry(number: int) -> bytes:
    return pack(LogEntry(number, 1, LogKind.HOUR, 0, number * 10, number, 0, 0, 0, bytes(20)))


def store(pages: int = PAGES) -> MemoryStore:
    return MemoryStore(b"\xff" * PAGE * pages)


def ring(memory: MemoryStore, cut: PowerCut | None = None) -> LogRing:
    return LogRing(Flash(memory, cut), 0, len(memory.image) // PAGE)


def fill(log: LogRing, count: int) -> None:
    for _ in range(count):
        log.append(entry(log.next))


def numbers(log: LogRing, first: int = 0, most: int = 1 << 20) -> list[int]:
    return [unpack(raw).number for raw in log.read(first, most)]


def test_the_ring_of_a_pump_holds_at_least_twenty_thousand() -> None:
    assert (image.LOG_PAGES - 1) * PER_PAGE >= 20_000


def test_an_empty_ring() -> None:
    log = ring(store())
    assert (log.first, log.next, numbers(log)) == (1, 1, [])


@pytest.mark.parametrize("count", [1, PER_PAGE - 1, PER_PAGE, PER_PAGE + 1, PAGES * PER_PAGE])
def test_opening_finds_the_end(count: int) -> None:
    memory = store()
    fill(ring(memory), count)
    log = ring(memory)
    assert (log.first, log.next) == (1, count + 1)
    assert numbers(log) == list(range(1, count + 1))
    fill(log, 3)
    assert log.next == count + 4


@pytest.mark.requirement("TEL-04")
def test_the_oldest_are_overwritten_and_numbers_go_on() -> None:
    memory = store()
    log = ring(memory)
    for _ in range(12):
        fill(log, 37)
        held = numbers(ring(memory))
        assert held == list(range(log.first, log.next))
        assert len(held) >= min(log.next - 1, (PAGES - 1) * PER_PAGE)
    assert log.first > 1


def test_reading_from_the_middle_stops_at_what_was_asked() -> None:
    memory = store()
    log = ring(memory)
    fill(log, 150)
    assert numbers(log, 60, 50) == list(range(60, 110))
    assert numbers(log, 151) == []
    assert numbers(log, 10, 0) == []


def test_an_entry_with_another_number_is_not_taken() -> None:
    with pytest.raises(ValueError, match="comes next"):
        ring(store()).append(entry(7))


@pytest.mark.requirement("TEL-04")
def test_every_cut_leaves_consecutive_numbers() -> None:
    """Cut at every operation while more than the whole ring is written."""
    total = (PAGES + 1) * PER_PAGE + 5
    dry = Flash(store())
    fill(LogRing(dry, 0, PAGES), total)
    cuts = 0
    for kind in CutKind:
        for at in range(1, dry.operations + 1, 1 if kind is CutKind.TORN else 3):
            memory = store()
            log = ring(memory, PowerCut(at, kind))
            with pytest.raises(PowerLost):
                fill(log, total)
            cuts += 1
            again = ring(memory)
            before = again.next
            assert numbers(again) == list(range(again.first, before)), (at, kind)
            assert before >= log.next - (1 if kind is CutKind.UNFLUSHED else 0)
            fill(again, 2)
            assert numbers(ring(memory)) == list(range(again.first, before + 2)), (at, kind)
    print(f"log ring: {cuts} cuts, all consecutive")
    assert cuts > 800


def test_a_place_that_is_not_blank_any_more_is_skipped() -> None:
    memory = store()
    log = ring(memory)
    fill(log, 3)
    memory.write(16 + 3 * 80 + 7, b"\0")
    fill(log, 3)
    assert numbers(log) == numbers(ring(memory)) == [1, 2, 3, 4, 5, 6]


def test_an_oldest_page_that_was_erased_in_part_is_dropped() -> None:
    memory = store()
    fill(ring(memory), PAGES * PER_PAGE)
    memory.write(PAGE // 2, b"\xff" * (PAGE // 2))
    log = ring(memory)
    assert log.first == PER_PAGE + 1
    assert numbers(log) == list(range(PER_PAGE + 1, PAGES * PER_PAGE + 1))


def test_a_damaged_entry_is_left_out_and_seen_by_its_missing_number() -> None:
    memory = store()
    fill(ring(memory), 10)
    memory.write(16 + 4 * 80 + 33, b"\x77")
    log = ring(memory)
    assert numbers(log) == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert log.next == 11
