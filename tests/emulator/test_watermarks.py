"""What each station has of the log, and what was overwritten before every one had it (TEL-05).

The ring is made small here: four pages of 51 entries, one of which is erased at a time.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.memory.logring import PER_PAGE, LogRing
from pumpctl.emulator.starting import recovery
from pumpctl.wire import messages as m
from pumpctl.wire.codes import LogKind, Refuse, Role
from tests.emulator.roads import code, logged
from tests.emulator.support import DAY, Bench, Line, paired

PAGES = 4
HELD = PAGES * PER_PAGE


@pytest.fixture(autouse=True)
def small_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "LogRing", partial(LogRing, pages=PAGES))


def stations(count: int = 2) -> tuple[Bench, list[Line]]:
    bench = Bench(frozen=True)
    return bench, [paired(bench, Role.ADMIN, f"station {number}") for number in range(count)]


def fill(bench: Bench, until: int) -> None:
    """Entries up to before this number, of a kind that nobody else writes here."""
    while bench.core.log.next < until:
        bench.core.record(LogKind.PATIENT_REFUSED, bench.core.log.next, 0)
    bench.core.save()


def lost(bench: Bench) -> list[tuple[int, int]]:
    """(first lost number, count) of each entry that says so."""
    return [(each.a, each.b) for each in logged(bench, LogKind.LOG_LOST)]


def release(line: Line, below: int) -> Any:
    assert line.open()
    return line.ask(m.ReleaseLog(below))


# --- the watermark ------------------------------------------------------------------------------


@pytest.mark.requirement("TEL-05")
def test_a_watermark_is_a_stations_own_and_never_goes_down() -> None:
    bench, (one, two) = stations()
    fill(bench, 40)
    assert release(one, 20) == m.LogReleased(20)
    assert release(two, 5) == m.LogReleased(5)
    assert release(one, 7) == m.LogReleased(20)
    assert release(one, 0) == m.LogReleased(20)
    bench.boot()
    assert release(one, 1) == m.LogReleased(20)
    assert release(two, 1) == m.LogReleased(5)
    assert release(two, 40) == m.LogReleased(40)
    assert [each.number for each in bench.entries()][:39] == list(range(1, 40))  # they stay


@pytest.mark.requirement("TEL-05")
def test_nobody_has_what_does_not_exist_yet() -> None:
    bench, (one,) = stations(1)
    fill(bench, 40)
    end = bench.core.log.next
    assert code(release(one, end + 1)) is Refuse.RANGE
    assert release(one, end) == m.LogReleased(end)
    assert code(bench.ask(m.ReleaseLog(1), key=b"nobody's")) is Refuse.NOT_FOUND


def test_it_raises_no_state_version_and_says_nothing_in_the_log() -> None:
    bench, (one,) = stations(1)
    fill(bench, 40)
    version, end = bench.core.control.state_version, bench.core.log.next
    release(one, 30)
    assert (bench.core.control.state_version, bench.core.log.next) == (version, end)


# --- what was lost ------------------------------------------------------------------------------


@pytest.mark.requirement("TEL-05", "TEL-04")
def test_exactly_what_not_every_station_had_is_named_once() -> None:
    bench, (one, two) = stations()
    fill(bench, 60)
    release(one, 30)
    release(two, 10)
    fill(bench, HELD + 1)  # full; nothing is gone
    assert (bench.core.log.first, lost(bench)) == (1, [])
    fill(bench, HELD + 2)  # entries 1 to 51 are: of these, 10 to 51 are not everywhere
    assert (bench.core.log.first, lost(bench)) == (52, [(10, 42)])
    release(two, 81)  # and `one` has them up to 29
    fill(bench, HELD + PER_PAGE + 2)
    assert (bench.core.log.first, lost(bench)) == (103, [(10, 42), (52, 51)])
    for line in (one, two):
        release(line, 130)
    fill(bench, HELD + 2 * PER_PAGE + 2)  # up to 153: from 130 on
    assert (bench.core.log.first, lost(bench)[2:]) == (154, [(130, 24)])
    for line in (one, two):
        release(line, bench.core.log.next)
    fill(bench, HELD + 3 * PER_PAGE + 2)
    assert (bench.core.log.first, len(lost(bench))) == (205, 3)


@pytest.mark.requirement("TEL-05")
@pytest.mark.parametrize("restart", ["attach", "boot"])
def test_a_restart_at_any_entry_names_nothing_twice(restart: str) -> None:
    bench, (one, _) = stations()
    release(one, 6)
    for until in range(HELD - 2, HELD + PER_PAGE + 9):
        fill(bench, until)
        getattr(bench, restart)()
    # A new key has nothing before what was held when it was paired: both begin at 1.
    first = lost(bench)
    assert first[0][0] == 1
    assert [start for start, _ in first[1:]] == [start + count for start, count in first[:-1]]
    assert sum(count for _, count in first) == bench.core.log.first - 1


@pytest.mark.requirement("TEL-05")
def test_a_process_that_is_killed_after_it_named_them_names_them_once() -> None:
    """What it wrote after its last save lies in the log; its memory of it does not."""
    bench, _ = stations()
    fill(bench, HELD)
    first, last = min(image.RETAINED), max(image.RETAINED) + image.RETAINED_PAGES
    saved = bytes(bench.store.image)[first * PAGE : last * PAGE]
    fill(bench, HELD + 3)
    assert lost(bench) == [(1, 51)]
    bench.store.write(first * PAGE, saved)
    for restart in (bench.attach, bench.boot, bench.attach):
        restart()
        assert lost(bench) == [(1, 51)]


@pytest.mark.requirement("TEL-05")
def test_the_loss_of_the_always_on_memory_names_nothing_twice() -> None:
    bench, _ = stations()
    fill(bench, HELD + 4)
    before = lost(bench)
    bench.core.lose_memory()
    bench.boot()
    assert lost(bench) == before == [(1, 51)]


@pytest.mark.requirement("TEL-05")
def test_without_a_station_nothing_is_missed_and_a_new_one_begins_where_the_log_does() -> None:
    bench, _ = stations(0)
    fill(bench, HELD + 10)
    assert lost(bench) == []
    line = paired(bench)
    assert release(line, 1) == m.LogReleased(52)
    assert lost(bench) == []
    bench.firmware.advance(3 * DAY)  # 72 hours' entries: one page more
    assert lost(bench) == [(52, 51)]


@pytest.mark.requirement("TEL-05")
def test_a_key_that_is_forgotten_holds_nothing_up() -> None:
    bench, (one, two) = stations()
    fill(bench, 100)
    release(one, 100)
    assert two.open()
    assert isinstance(two.ask(m.Unpair(two.key)), m.Unpaired)
    fill(bench, HELD + 2)
    assert (bench.core.log.first, lost(bench)) == (52, [])
