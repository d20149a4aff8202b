"""What a start makes of the log, the always-on domain and the control block, case by case.

The sweep of `test_power_cuts` cuts everywhere; here is what it found, each by itself.
"""

from __future__ import annotations

import contextlib
from functools import partial

import pytest

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE, CutKind, MemoryStore, PowerCut, PowerLost
from pumpctl.emulator.memory.retained import RetainedStore
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, BolusKind, Delivery, LogKind, Role
from pumpctl.wire.messages_acts import StageBolus
from pumpctl.wire.program import PatientDose
from tests.emulator.cuts.acts_alone import crowded, full_log
from tests.emulator.cuts.sweep import Killed, MortalStore
from tests.emulator.support import HOUR, MINUTE, TAG, Bench, flex, lose_program, op

PROGRAM = flex(300_000, patient=PatientDose(10_000, 5 * MINUTE, 4 * HOUR, 3))


def programmed(*, frozen: bool = True) -> Bench:
    bench = Bench(frozen=frozen)
    bench.program(PROGRAM)
    return bench


def order(bench: Bench, number: int, dose: int = 30_000, over: int = 30 * MINUTE) -> None:
    staged = bench.get(StageBolus(TAG, BolusKind.SINGLE, dose, over), m.Staged)
    bench.ask(m.GetReadback())
    assert isinstance(bench.activate(staged, number), m.Done)


def raised(bench: Bench) -> list[AlarmCode]:
    return [each.code for each in bench.status().alarms]


def kinds(bench: Bench, *wanted: LogKind) -> list[LogKind]:
    return [entry.kind for entry in bench.entries() if entry.kind in wanted]


def cut_after_commit(bench: Bench) -> None:
    """The power goes right after the control block is durable, before anything follows it."""
    right = bench.core.controls.write

    def write(control: object) -> None:
        right(control)
        bench.core.flash._cut = PowerCut(bench.core.flash.operations + 1, CutKind.BEFORE)

    bench.core.controls.write = write


@pytest.mark.requirement("BOL-03", "STP-01")
@pytest.mark.parametrize("again", ["attach", "boot"])
def test_a_bolus_ordered_in_the_very_instant_of_a_cancel_is_not_cancelled(again: str) -> None:
    """On a frozen pump every command may come at the same instant, and each is a new process."""
    bench = programmed()
    order(bench, 2)
    assert bench.get(m.CancelBolus(op(3), bytes(32)), m.Done).delivered == 0
    order(bench, 4)
    bench.attach()
    bench.firmware.advance(10 * MINUTE)
    assert bench.status().delivery is Delivery.BOLUS
    getattr(bench, again)()
    told = bench.get(m.GetOperation(op(4)), m.OperationReport)
    assert told.delivered == 10_000
    assert (bench.status().bolus is None) == (again == "boot")


@pytest.mark.requirement("PRG-03", "PRG-07")
def test_a_program_whose_power_is_cut_clears_the_alarm_and_starts_the_motor_all_the_same() -> None:
    bench = programmed()
    lose_program(bench)
    now = bench.core.engine.world_time
    bench.core.world.add(Fault(FaultKind.MRI, now, now + 5 * MINUTE, 0))
    bench.firmware.advance(HOUR)
    assert bench.status().delivery is Delivery.STALLED  # the motor is stuck
    staged = bench.stage(PROGRAM)
    cut_after_commit(bench)
    with pytest.raises(PowerLost):
        bench.activate(staged, 2)
    bench.boot()
    status = bench.status()
    assert (status.delivery, raised(bench)) == (Delivery.DELIVERING, [])


@pytest.mark.requirement("PRG-07")
def test_the_fallback_and_its_alarm_are_one_commit() -> None:
    bench = programmed()
    cut_after_commit(bench)
    with pytest.raises(PowerLost):
        lose_program(bench)
    bench.boot()
    assert bench.status().delivery is Delivery.FALLBACK
    assert raised(bench) == [AlarmCode.MEMORY_BOTH_COPIES]
    assert len(kinds(bench, LogKind.FALLBACK)) == 1


@pytest.mark.requirement("PRG-07")
def test_alarms_stand_after_the_always_on_domain_was_lost() -> None:
    """Without this a pump on the fallback would run on without a word."""
    bench = programmed()
    lose_program(bench)
    bench.core.lose_memory()
    for _ in range(2):
        bench.boot()
        assert bench.status().delivery is Delivery.FALLBACK
        assert set(raised(bench)) == {
            AlarmCode.MEMORY_BOTH_COPIES, AlarmCode.BATTERY_RESET, AlarmCode.CLOCK_LOST,
        }  # fmt: skip
    named = [(e.kind, e.a) for e in bench.entries() if e.kind is LogKind.ALARM_RAISED]
    assert len(named) == len(set(named))


@pytest.mark.requirement("BOL-03")
def test_an_order_that_was_lost_with_the_domain_ends_in_the_log_too() -> None:
    bench = programmed()
    order(bench, 2)
    bench.firmware.advance(HOUR // 3)
    bench.core.lose_memory()
    bench.boot()
    (ended,) = [entry for entry in bench.entries() if entry.kind is LogKind.BOLUS_ENDED]
    told = bench.get(m.GetOperation(op(2)), m.OperationReport)
    assert (ended.a, ended.b) == (30_000, told.delivered)
    assert ended.data[2:18] == op(2)


@pytest.mark.requirement("BOL-04")
def test_a_dose_of_the_patients_own_is_whole_or_not_at_all() -> None:
    bench = programmed()
    bench.firmware.advance(HOUR)
    before = bytes(bench.store.image)
    seen = set()
    for at in range(1, 60):
        other = Bench(store=MortalStore(before, at), start=bench.host) if at > 5 else bench.copy()
        with contextlib.suppress(Killed):
            other.firmware.patient_dose()
        other.store = MemoryStore(bytes(other.store.image))
        other.attach()
        status = other.status()
        assert status.patient_dose is not None
        seen.add((
            status.bolus is not None,
            status.patient_dose.left,
            tuple(kinds(other, LogKind.PATIENT_DOSE, LogKind.BOLUS_STARTED)),
        ))  # fmt: skip
    assert seen == {
        (False, 3, ()),
        (True, 2, (LogKind.PATIENT_DOSE, LogKind.BOLUS_STARTED)),
    }


@pytest.mark.requirement("BOL-03")
def test_what_a_boot_has_ended_gives_nothing_more_when_that_boot_is_cut() -> None:
    """The ledger said how much; the pump must not go on giving it until the next boot."""
    bench = programmed(frozen=False)
    order(bench, 2)
    bench.wait(10 * MINUTE)
    bench.host += MINUTE
    dry = bench.copy()
    dry.boot()
    settled = dry.get(m.GetOperation(op(2)), m.OperationReport).delivered
    found = set()
    for at in range(1, dry.core.flash.operations + 1):
        other = Bench(store=MemoryStore(bytes(bench.store.image)), start=bench.host - MINUTE)
        other.host = bench.host
        with pytest.raises(PowerLost):
            other.boot(PowerCut(at, CutKind.UNFLUSHED))
        other.host += 15 * MINUTE
        other.boot()
        told = other.get(m.GetOperation(op(2)), m.OperationReport).delivered
        (ended,) = [entry for entry in other.entries() if entry.kind is LogKind.BOLUS_ENDED]
        basal = 300_000 * 26 // 1440
        assert abs(other.status().pulses * 50 - basal - told) < 100  # a pulse is 50 ng
        assert ended.b == told
        found.add(told)
    assert found == {settled, 26_000}


def test_two_boots_have_two_numbers_even_if_the_first_was_cut() -> None:
    bench = programmed()
    for cut in (PowerCut(3, CutKind.BEFORE), None):
        try:
            bench.boot(cut)
        except PowerLost:
            continue
    boots = [entry.a for entry in bench.entries() if entry.kind is LogKind.BOOT]
    assert boots == sorted(set(boots))


@pytest.mark.requirement("PRG-03")
def test_pump_and_world_are_always_of_one_save() -> None:
    """A process that is killed in the midst of saving, twice, takes neither back alone."""
    bench = programmed(frozen=False)
    bench.wait(HOUR)
    for _ in range(3):
        domain, world = RetainedStore(bench.store).read()
        assert domain is not None and world is not None
        assert world.counter == domain.counter
        assert world.state.pumped == domain.metering.pulses * 100_000
        bench.host += HOUR
        bench.store = _TornSaves(bytes(bench.store.image))
        with pytest.raises(Killed):
            bench.attach()
        bench.store = MemoryStore(bytes(bench.store.image))


class _TornSaves(MemoryStore):
    """A process that is killed in the midst of its first save."""

    def write(self, offset: int, data: bytes) -> None:
        if offset // PAGE in image.RETAINED:
            super().write(offset, data[: len(data) // 2])
            raise Killed
        super().write(offset, data)


@pytest.mark.requirement("PMP-02")
def test_cuts_of_a_long_block_and_of_its_repair_are_no_memory_fault() -> None:
    """The block of a crowded pump reaches over two pages, and an erasure can be cut, too."""
    bench = crowded()
    writes = []
    for at in range(1, 12):
        cut = Bench(store=MemoryStore(bytes(bench.store.image)), start=bench.host)
        cut.core.flash._cut = PowerCut(at, CutKind.TORN)
        with pytest.raises(PowerLost):
            cut.stop(7)
        writes.append(cut)
    found = set()
    for cut in writes:
        before = bytes(cut.store.image)
        for at in range(1, 5):
            again = Bench.__new__(Bench)
            again.__dict__.update(cut.__dict__)
            again.store = MemoryStore(before)
            with contextlib.suppress(PowerLost):
                again.boot(PowerCut(at, CutKind.TORN))
            again.boot()
            found.add((again.status().delivery, tuple(raised(again))))
    assert found == {(Delivery.BOLUS, ()), (Delivery.STOPPED, ())}


@pytest.mark.requirement("PMP-02")
@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_byte_that_changes_by_itself_is_a_memory_fault(place: int) -> None:
    bench = programmed()
    control = bench.core.control
    first, second = image.CONTROL[control.sequence % 2]
    block = bytes(bench.store.image[first * PAGE : (first + 3) * PAGE]).rstrip(b"\xff")
    at = second * PAGE + (place if place >= 0 else len(block) - 1)
    bench.store.image[at] ^= 0x10
    bench.boot()
    assert raised(bench) == [AlarmCode.MEMORY_ONE_COPY]
    assert bench.core.controls.check(bench.core.control).good == 2


@pytest.mark.requirement("PRG-06")
@pytest.mark.parametrize("what", ["activated", "stopped"])
def test_what_was_staged_has_one_end(what: str) -> None:
    bench = programmed()
    staged = bench.stage(flex(200_000))
    cut_after_commit(bench)
    do = bench.stop if what == "stopped" else partial(bench.activate, staged)
    with pytest.raises(PowerLost):
        do(2)
    bench.boot()
    dropped = kinds(bench, LogKind.STAGE_DROPPED)
    assert dropped == ([] if what == "activated" else [LogKind.STAGE_DROPPED])


@pytest.mark.requirement("SEC-03")
def test_one_press_pairs_once_even_if_the_process_was_killed() -> None:
    bench = programmed()
    bench.firmware.press()
    right = bench.core.log.append

    def append(raw: bytes) -> None:
        right(raw)
        raise Killed

    bench.core.log.append = append
    with pytest.raises(Killed):
        bench.ask(m.Pair("s", "o", Role.ADMIN, bytes(range(32))), None, pairing=True)
    bench.attach()
    assert len(bench.core.control.keys) == 1
    assert not bench.core.pairing_open


@pytest.mark.requirement("TEL-05")
def test_what_the_log_has_lost_is_told_once_though_two_starts_find_it() -> None:
    """The page is turned, and power goes before that is said; and again after it was."""
    bench = full_log()
    bench.host += 8 * HOUR
    before, counts = bytes(bench.store.image), set()
    for first in range(1, 14):
        for second in (3, 5, 7, 9):
            again = Bench.__new__(Bench)
            again.__dict__.update(bench.__dict__)
            again.store = MemoryStore(before)
            for at in (first, second):
                with contextlib.suppress(PowerLost):
                    again.boot(PowerCut(at, CutKind.BEFORE))
            again.boot()
            told = [(e.a, e.b) for e in again.entries() if e.kind is LogKind.LOG_LOST]
            counts.add(tuple(told))
    assert counts == {((1, 51), (52, 51))}
