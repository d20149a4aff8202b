"""Time: it follows the host, never runs back behind a reply, and survives a killed process."""

from __future__ import annotations

import random

import pytest

from pumpctl.emulator.memory.flash import CutKind, MemoryStore, PowerCut, PowerLost
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding, LogKind
from pumpctl.wire.logbatch import unpack_batch
from pumpctl.wire.logentry import unpack
from tests.emulator.support import DAY, HOUR, MINUTE, MONDAY, Bench, Entropy, daily, flex, paired

PROGRAM = flex(300_000, 500_000, boluses=daily((60, 20_000, 30 * MINUTE)))


def test_pump_time_is_the_hosts_and_an_offset() -> None:
    bench = Bench()
    bench.wait(HOUR)
    assert bench.status().time == MONDAY + HOUR
    bench.firmware.advance(7 * DAY)
    assert bench.status().time == MONDAY + HOUR + 7 * DAY
    bench.host += MINUTE
    assert bench.status().time == MONDAY + HOUR + 7 * DAY + MINUTE


def test_a_frozen_pump_moves_only_by_advance() -> None:
    bench = Bench(frozen=True)
    bench.wait(5 * DAY)
    assert bench.status().counter == 0
    bench.firmware.advance(1)
    bench.host += DAY
    bench.attach()
    assert bench.status().counter == 1


@pytest.mark.requirement("TIM-01")
@pytest.mark.parametrize("restart", ["nothing", "attach", "boot"])
def test_time_never_runs_back_behind_a_reply(restart: str) -> None:
    rng = random.Random(1)
    bench = Bench()
    bench.program(PROGRAM)
    seen = bench.status()
    for _ in range(60):
        bench.host += rng.choice((-3 * DAY, -HOUR, -1, 0, 1, 500, MINUTE, HOUR))
        if restart != "nothing":
            getattr(bench, restart)()
        now = bench.status()
        assert (now.counter, now.time, now.pulses) >= (seen.counter, seen.time, seen.pulses)
        assert now.time - now.counter == seen.time - seen.counter
        seen = now


def test_a_clock_set_far_back_does_not_stop_the_pump() -> None:
    bench = Bench()
    bench.wait(HOUR)
    bench.host -= 3 * DAY
    assert bench.status().counter == HOUR
    bench.host += HOUR
    assert bench.status().counter == 2 * HOUR


def test_a_clock_that_jitters_is_waited_for() -> None:
    bench = Bench()
    bench.wait(HOUR)
    bench.host -= 30_000
    assert bench.status().counter == HOUR
    bench.host += 40_000
    assert bench.status().counter == HOUR + 10_000


def test_what_a_killed_process_had_logged_is_not_logged_again() -> None:
    """It dies at every single operation of a long advance; the next one goes on to the same end."""
    whole = Bench(frozen=True)
    whole.program(PROGRAM)
    origin = bytes(whole.store.image)
    whole.firmware.advance(2 * DAY + 777)
    operations = whole.core.flash.operations
    cuts = 0
    for at in range(1, operations + 1, 3):
        for kind in (CutKind.BEFORE, CutKind.TORN):
            bench = Bench(frozen=True, store=MemoryStore(origin))
            bench.core.flash._cut = PowerCut(at, kind)
            bench.core.flash.operations = 0
            try:
                bench.firmware.advance(2 * DAY + 777)
            except PowerLost:
                cuts += 1
            bench.attach()
            assert bench.status().counter == 2 * DAY + 777
            assert bench.entries() == whole.entries()
            assert bench.core.engine.motor.carry == whole.core.engine.motor.carry
    print(f"{cuts} cuts during an advance")
    assert cuts > 60


def test_a_host_clock_set_back_after_a_kill_does_not_undo_what_is_logged() -> None:
    for frozen in (False, True):
        bench = Bench(frozen=frozen)
        saved = bytes(bench.store.image)[: 2 * 4096]
        bench.wait(5 * HOUR)
        bench.firmware.advance(5 * HOUR)
        bench.store.write(0, saved)  # the last saves never happened
        bench.host -= 6 * HOUR
        bench.attach()
        newest = bench.entries()[-1]
        assert bench.status().counter >= newest.counter
        assert [e.number for e in bench.entries()] == list(range(1, newest.number + 1))
        hours = [e.time for e in bench.entries() if e.kind is LogKind.HOUR]
        assert len(hours) == len(set(hours))


@pytest.mark.requirement("TIM-01")
def test_what_a_reply_says_is_in_the_state_file_when_it_leaves() -> None:
    bench = Bench()
    bench.program(PROGRAM)
    line = paired(bench)
    for _ in range(30):
        bench.host += 7 * MINUTE + 13
        assert line.open()
        said = line.ask(m.GetStatus())
        other = bench.copy()
        other.host -= 10 * DAY
        assert other.status()._replace(counter=0, time=0) == said._replace(counter=0, time=0)
        assert other.status().counter >= said.counter


@pytest.mark.requirement("PMP-01")
def test_nothing_on_the_line_touches_the_pulse_train() -> None:
    stormy, calm = Bench(), Bench()
    for bench in (stormy, calm):
        bench.program(PROGRAM)
    line, entropy = paired(stormy), Entropy("storm")
    for turn in range(200):
        for bench in (stormy, calm):
            bench.host += 61_000
        for size in (3, 40, 700):
            stormy.firmware.receive(entropy(size) + b"\0" * (turn % 3))
        assert line.open()  # the session of a minute ago is over
        assert isinstance(line.ask(m.GetLog(1, 2048, Encoding.DIFFERENCE, 640)), m.LogReport)
        staged = line.ask(m.StageProgram(b"patient1", flex(400_000 + turn)))
        assert isinstance(staged, m.Staged)
        calm.firmware.tick()
        for bench in (stormy, calm):
            bench.core.catch_up()
        assert stormy.core.engine.motor.pulses == calm.core.engine.motor.pulses
        assert stormy.core.engine.motor.carry == calm.core.engine.motor.carry


def test_boots_are_counted_and_logged() -> None:
    bench = Bench()
    for _ in range(3):
        bench.boot()
    bench.attach()
    boots = [e.boot for e in bench.entries() if e.kind is LogKind.BOOT]
    assert boots == [1, 2, 3, 4]
    assert bench.status().boot == 4


# --- the log on the line --------------------------------------------------------------------


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.requirement("TEL-04")
def test_the_whole_log_comes_over_in_pages(encoding: Encoding) -> None:
    bench = Bench(frozen=True)
    bench.program(PROGRAM)
    bench.firmware.advance(40 * DAY)
    line = paired(bench)
    entries, first, pages = [], 1, 0
    while True:
        report = line.ask(m.GetLog(first, 65_535, encoding, 640))
        raw = unpack_batch(encoding, report.batch, report.entries)
        if not raw:
            break
        assert unpack(raw[0]).number == report.first == first
        entries += [unpack(each) for each in raw]
        first = entries[-1].number + 1
        pages += 1
    assert entries == bench.entries()
    assert (report.first, report.held_from, report.next) == (first, 1, first)
    assert len(entries) > 960  # an hour each, for forty days
    assert pages == (1 if encoding is Encoding.DIFFERENCE else -(-len(entries) // 200))


def test_a_question_before_the_oldest_entry_starts_at_the_oldest() -> None:
    bench = Bench(frozen=True)
    report = bench.get(m.GetLog(0, 1, Encoding.RAW, 640), m.LogReport)
    assert (report.first, report.entries, report.held_from) == (1, 1, 1)
    report = bench.get(m.GetLog(1, 0, Encoding.RAW, 640), m.LogReport)
    assert report.entries == 0


def test_the_ring_overwrites_its_oldest_and_says_so() -> None:
    bench = Bench(frozen=True)
    bench.firmware.advance(900 * DAY)
    status = bench.status()
    assert status.log_first > 1
    assert status.log_next - status.log_first >= 20_000
    report = bench.get(m.GetLog(1, 5, Encoding.RAW, 640), m.LogReport)
    assert report.first == report.held_from == status.log_first
    bench.boot()
    assert bench.status().log_first == status.log_first
