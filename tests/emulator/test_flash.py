"""Flash, things stored twice, and the always-on domain."""

from __future__ import annotations

import pytest

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import (
    PAGE,
    CutKind,
    Flash,
    FlashError,
    MemoryStore,
    PowerCut,
    PowerLost,
)
from pumpctl.emulator.memory.retained import RetainedStore
from pumpctl.emulator.memory.stored import Found, Twin, seal
from tests.emulator.support import Bench, flex

DATA = bytes(range(1, 101))


def small(cut: PowerCut | None = None, pages: int = 8) -> Flash:
    return Flash(MemoryStore(b"\xff" * PAGE * pages), cut)


def test_every_operation_is_counted_and_a_read_is_none() -> None:
    flash = small()
    flash.erase(1)
    flash.write(PAGE, DATA)
    flash.flush()
    assert flash.read(PAGE, len(DATA)) == DATA
    assert flash.operations == 3


def test_bytes_are_written_once_until_their_page_is_erased() -> None:
    flash = small()
    flash.write(10, DATA)
    with pytest.raises(FlashError):
        flash.write(50, b"x")
    flash.write(10 + len(DATA), b"x")
    flash.erase(0)
    flash.write(50, b"x")


def test_a_cut_before_leaves_what_was() -> None:
    flash = small(PowerCut(2, CutKind.BEFORE))
    flash.write(0, DATA)
    with pytest.raises(PowerLost):
        flash.write(200, DATA)
    assert flash.read(0, 100) == DATA
    assert flash.read(200, 100) == b"\xff" * 100


def test_a_torn_write_leaves_half_and_one_mixed_byte() -> None:
    flash = small(PowerCut(1, CutKind.TORN))
    with pytest.raises(PowerLost):
        flash.write(0, DATA)
    assert flash.read(0, 50) == DATA[:50]
    assert flash.read(51, 49) == b"\xff" * 49
    assert flash.read(50, 1)[0] & DATA[50] == DATA[50]  # some ones have not become zeros


def test_a_torn_erase_leaves_half_a_page() -> None:
    flash = small(PowerCut(2, CutKind.TORN))
    flash.write(0, b"\0" * PAGE)
    with pytest.raises(PowerLost):
        flash.erase(0)
    assert flash.read(0, PAGE // 2) == b"\xff" * (PAGE // 2)
    assert flash.read(PAGE - 10, 10) == b"\0" * 10


def test_what_was_not_flushed_can_be_lost_and_what_was_cannot() -> None:
    flash = small(PowerCut(4, CutKind.UNFLUSHED))
    flash.write(0, DATA)
    flash.flush()
    flash.write(200, DATA)
    with pytest.raises(PowerLost):
        flash.write(400, DATA)
    assert flash.read(0, 100) == DATA
    assert flash.read(200, 300) == b"\xff" * 300


def test_a_dead_flash_stays_dead() -> None:
    flash = small(PowerCut(1, CutKind.BEFORE))
    for _ in range(3):
        with pytest.raises(PowerLost):
            flash.flush()


def twin(flash: Flash) -> Twin:
    return Twin(flash, b"TEST", (1, 4), pages=2)


def written(flash: Flash) -> None:
    twin(flash).write(DATA)
    flash.flush()


def test_two_copies_each_with_its_own_check() -> None:
    flash = small()
    two = twin(flash)
    assert two.read() == Found(None, 0)
    two.write(DATA)
    assert two.read() == Found(DATA, 2)


@pytest.mark.requirement("PRG-07")
@pytest.mark.parametrize("copy", [1, 4])
def test_one_bad_copy_is_written_again_from_the_other(copy: int) -> None:
    flash = small()
    two = twin(flash)
    two.write(DATA)
    flash.store.write(copy * PAGE + 20, b"\0")
    assert two.read() == Found(DATA, 1)
    two.repair()
    assert two.read() == Found(DATA, 2)


def test_every_single_bit_flip_in_a_copy_is_noticed() -> None:
    flash = small()
    two = twin(flash)
    two.write(DATA)
    size = len(seal(b"TEST", DATA))
    for bit in range(size * 8):
        at = PAGE + bit // 8
        old = flash.read(at, 1)
        flash.store.write(at, bytes([old[0] ^ 1 << bit % 8]))
        assert two.read() == Found(DATA, 1), bit
        flash.store.write(at, old)


def test_a_second_copy_that_a_cut_left_is_told_from_a_bad_one() -> None:
    for at, kind in ((6, CutKind.TORN), (6, CutKind.BEFORE), (7, CutKind.BEFORE)):
        flash = small(PowerCut(at, kind))
        with pytest.raises(PowerLost):
            written(flash)
        whole = at == 7
        assert twin(Flash(flash.store)).read() == Found(DATA, 2 if whole else 1)
        assert twin(Flash(flash.store)).second_never_finished()
    flash = small()
    two = twin(flash)
    two.write(DATA)
    flash.store.write(4 * PAGE + 20, b"\0")
    assert not two.second_never_finished()


def test_the_always_on_domain_survives_a_torn_copy() -> None:
    bench = Bench()
    bench.wait(5000)
    bench.wait(5000)
    store = RetainedStore(bench.store)
    newest, _ = store.read()
    assert newest is not None
    assert newest.counter == 10_000
    page = image.RETAINED[store._sequence % 2]
    bench.store.write(page * PAGE + 30, b"\xa5\xa5")
    older, world = RetainedStore(bench.store).read()
    assert older is not None
    assert older.counter == 5_000
    assert world is not None
    assert world.counter == 5_000  # saved together, read together
    bench.attach()
    assert bench.core.clock.counter == 10_000


def test_the_map_of_the_image_has_no_overlaps() -> None:
    pages = [
        *(page + n for page in image.RETAINED for n in range(image.RETAINED_PAGES)),
        image.WEAR,
        *(
            first + n
            for runs in image.REGIONS.values()
            for first, size in runs
            for n in range(size)
        ),
    ]
    assert len(pages) == len(set(pages))
    assert max(pages) == image.PAGES - 1
    assert image.PAGES * 4 <= PAGE * 4  # the count of erasures of all of them fits its page


def test_every_erasure_is_counted_where_no_cut_can_lose_it() -> None:
    bench = Bench()
    bench.program(flex())
    flash = bench.core.flash
    pages = image.SLOTS[bench.core.control.running]
    worn = [flash.erasures(page) for page in pages]
    assert worn == [1, 1]
    bench.program(flex(310_000, 510_000), 2)
    bench.program(flex(320_000, 520_000), 3)
    bench.attach()
    assert sum(bench.core.flash.erasures(two[0]) for two in image.SLOTS) >= 3
