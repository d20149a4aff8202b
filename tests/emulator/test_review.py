"""Ways to an overdose that a hostile reader found: each is tried here, in the world's own truth.

Old fluid 500 mcg/mL has pulses of 50 ng, 2000 mcg/mL of 200 ng. The line, 0.348 mL,
is 3480 pulses. What the pump cannot see is asked with `given`.
"""

from __future__ import annotations

import pytest

from pumpctl.emulator import following
from pumpctl.emulator.acts import programs
from pumpctl.emulator.memory import image, slots
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.starting import recovery
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, Delivery, Drug, Mode, Refuse
from pumpctl.wire.messages_acts import Bridge, StageBridge, StageResume
from pumpctl.wire.program import Program, program_hash
from tests.emulator.roads import (
    LINE,
    alarms,
    at_100,
    code,
    done,
    given,
    refill_of,
)
from tests.emulator.support import (
    DAY,
    HOUR,
    TAG,
    Bench,
    flex,
    lose_program,
)

LOST = AlarmCode.MEMORY_BOTH_COPIES


def wreck_control(bench: Bench) -> None:
    """Both copies of the control block in force; the older one stays as it was."""
    for page in image.CONTROL[bench.core.control.sequence % 2]:
        bench.store.write(page * PAGE + 30, b"\x55\xaa\x55\xaa")


def wreck_slot(bench: Bench, slot: int) -> None:
    for page in image.SLOTS[slot]:
        bench.store.write(page * PAGE + 30, b"\x55\xaa\x55")


def days(bench: Bench, count: int) -> list[int]:
    """ng really past the tip, day by day."""
    found = []
    for _ in range(count):
        before = given(bench)
        bench.firmware.advance(DAY)
        found.append(given(bench) - before)
    return found


# --- an older control block is none (PRG-07, PRG-03) ----------------------------------------------


def staged_over() -> Bench:
    """The older block names a slot into which 2 mg/day were staged since, and never activated."""
    bench = Bench(frozen=True)
    bench.program(flex(100_000), 1)
    bench.program(flex(110_000), 2)
    bench.stage(flex(2_000_000))
    return bench


@pytest.mark.requirement("PRG-03", "PRG-07")
@pytest.mark.parametrize("always_on", ["kept", "lost"])
def test_what_was_only_staged_is_never_delivered(always_on: str) -> None:
    bench = staged_over()
    wreck_control(bench)
    if always_on == "lost":
        bench.core.lose_memory()
    bench.boot()
    status = bench.status()
    assert (status.delivery, status.rate) == (Delivery.FALLBACK, 100_000)
    assert LOST in alarms(bench)
    assert all(abs(each - 100_000) <= 50 for each in days(bench, 2))


@pytest.mark.requirement("PRG-07")
@pytest.mark.parametrize("age", [False, True])
@pytest.mark.parametrize("name", [False, True])
def test_its_age_and_the_programs_hash_each_see_it(
    age: bool, name: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = staged_over()
    wreck_control(bench)
    if not age:
        monkeypatch.setattr(recovery, "_rolled_back", lambda *_: False)
    if not name:
        monkeypatch.setattr(
            following,
            "program_of",
            lambda core: slots.program_in(core.slots[core.control.running]),
        )
    bench.boot()
    seen = (bench.status().delivery, bench.status().rate)
    if age or name:
        assert seen == (Delivery.FALLBACK, 100_000)
        assert LOST in alarms(bench)
    else:
        assert seen == (Delivery.DELIVERING, 2_000_000)


@pytest.mark.requirement("PRG-07", "STP-02")
@pytest.mark.parametrize("always_on", ["kept", "lost"])
def test_a_stop_is_not_undone_by_an_older_block(always_on: str) -> None:
    bench = at_100()
    bench.stop(50)
    wreck_control(bench)
    if always_on == "lost":
        bench.core.lose_memory()
    bench.boot()
    assert LOST in alarms(bench)
    assert bench.status().delivery is Delivery.STOPPED
    assert days(bench, 1) == [0]


@pytest.mark.requirement("PRG-07", "REF-03")
def test_a_refill_is_not_undone_by_an_older_block() -> None:
    """120 mcg/day of 2000 mcg/mL are 600 pulses a day; by the old block 2400 of 200 ng."""
    bench = at_100()
    done(bench, refill_of(flex(110_000, concentration=2000, fallback=120_000), 20_000))
    bench.firmware.advance(7 * DAY)  # the front has passed
    wreck_control(bench)
    bench.boot()
    status = bench.status()
    assert (status.delivery, status.rate, status.concentration) == (
        Delivery.FALLBACK, 120_000, 2000,
    )  # fmt: skip
    assert LOST in alarms(bench)
    assert all(abs(each - 120_000) <= 200 for each in days(bench, 2))


# --- the old dose after two days without drug (STP-03) -------------------------------------------


def without_drug(program: Program, hours: int = 72) -> Bench:
    bench = Bench(frozen=True)
    bench.program(program)
    bench.firmware.advance(2 * DAY)
    bench.stop(50)
    bench.firmware.advance(hours * HOUR)
    return bench


@pytest.mark.requirement("STP-03", "REF-08")
@pytest.mark.parametrize(
    ("hours", "first"), [(72, 100_000), (47, 1_000_000)], ids=["too long", "not too long"]
)
def test_a_refill_brings_no_old_dose_back_through_its_bridge(hours: int, first: int) -> None:
    """1 mg/day, three days without drug, refilled with a bridge and 100 mcg/day."""
    bench = without_drug(flex(1_000_000), hours)
    low = flex(100_000, concentration=2000)
    done(bench, refill_of(low, bench.status().pulses, 500), 3)
    assert bench.status().delivery is Delivery.BRIDGE
    before = given(bench)
    bench.firmware.advance(3 * HOUR)
    assert given(bench) - before == first // 8
    if first == 100_000:
        assert all(abs(each - 100_000) <= 200 for each in days(bench, 4))


@pytest.mark.requirement("STP-03", "REF-08")
def test_nor_through_one_that_ran_when_it_was_stopped() -> None:
    bench = Bench(frozen=True)
    bench.program(flex(1_000_000))
    done(bench, refill_of(flex(1_000_000, concentration=2000), 0, 500), 2)
    bench.firmware.advance(HOUR)
    assert bench.status().delivery is Delivery.BRIDGE
    bench.stop(50)
    bench.firmware.advance(3 * DAY)
    done(bench, refill_of(flex(100_000, concentration=2000), bench.status().pulses), 3)
    assert bench.status().delivery is Delivery.BRIDGE
    assert all(abs(each - 100_000) <= 200 for each in days(bench, 4))


@pytest.mark.requirement("STP-03", "PRG-07", "REF-08")
def test_on_the_fallback_a_bridge_plays_the_new_programs_masses() -> None:
    bench = Bench(frozen=True)
    bench.program(flex(1_000_000))
    bench.firmware.advance(DAY)
    lose_program(bench)
    done(bench, refill_of(flex(120_000, concentration=2000), bench.status().pulses, 500), 3)
    assert bench.status().delivery is Delivery.BRIDGE
    assert days(bench, 1) == [120_000]


MINIMUM = Program(1, Mode.MINIMUM_RATE, Drug.BACLOFEN, 500, 24_000, ((),) * 7, (), None, 2_000_000)


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize(
    ("old", "new", "taken"),
    [
        (flex(300_000), flex(300_000), False),
        (flex(300_000), flex(300_000, fallback=99_000), False),
        (flex(300_000), flex(299_999), False),
        (flex(300_000), flex(200_000), True),
        (flex(150_000), flex(150_000), False),
        (flex(150_000), flex(200_000), True),
        (flex(150_000), flex(200_001), False),
        (MINIMUM, flex(250_000), False),
        (MINIMUM, MINIMUM, True),
    ],
)
def test_the_old_dose_is_refused_under_another_name(
    old: Program, new: Program, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = without_drug(old)
    assert code(bench.ask(StageResume(TAG, program_hash(old)))) is Refuse.STOPPED_TOO_LONG
    answer = bench.ask(m.StageProgram(TAG, new))
    if taken:
        assert isinstance(answer, m.Staged)
    else:
        assert code(answer) is Refuse.STOPPED_TOO_LONG
        monkeypatch.setattr(programs, "refuse_old_dose", lambda *_: None)
        assert isinstance(bench.ask(m.StageProgram(TAG, new)), m.Staged)
    assert isinstance(without_drug(old, 48).ask(m.StageProgram(TAG, new)), m.Staged)


# --- the length of a bridge, and what it plays (REF-04, REF-08) -----------------------------------


@pytest.mark.requirement("REF-04", "REF-08")
@pytest.mark.parametrize("volume", [1, LINE - 1, LINE + 1, 2_000_000])
def test_a_bridge_is_as_long_as_the_recorded_line(volume: int) -> None:
    """Too short downwards: 2000 metered as 500. Too long upwards: the same."""
    down, up = at_100(2000), at_100()
    asked = refill_of(flex(100_000), 5_000, 2000, bridge=volume)
    assert code(down.ask(asked)) is Refuse.RANGE
    asked = refill_of(flex(100_000, concentration=2000), 20_000, 500, bridge=volume)
    assert code(up.ask(asked)) is Refuse.RANGE


def repair(since: int, old: int = 500) -> StageBridge:
    return StageBridge(TAG, Bridge(LINE, Drug.BACLOFEN, old), since)


@pytest.mark.requirement("REF-08")
def test_a_line_that_holds_the_new_drug_gets_no_second_bridge() -> None:
    """It would be metered as the old one: 400 mcg/day."""
    bench = at_100()
    done(bench, refill_of(flex(100_000, concentration=2000), 20_000, 500))
    bench.firmware.advance(3 * DAY)
    assert bench.status().bridge is None
    assert code(bench.ask(repair(bench.status().pulses))) is Refuse.RANGE
    assert code(bench.ask(repair(20_000))) is Refuse.CONCENTRATION


@pytest.mark.requirement("REF-08", "LIM-04")
def test_a_repair_brings_no_dose_back_that_was_lowered() -> None:
    bench = Bench(frozen=True)
    bench.program(flex(1_000_000))
    since = bench.status().pulses
    done(bench, refill_of(flex(100_000, concentration=2000), since), 2)
    done(bench, repair(since), 3)
    assert bench.status().delivery is Delivery.BRIDGE
    assert all(abs(each - 100_000) <= 200 for each in days(bench, 4))


@pytest.mark.requirement("PRG-07", "REF-08")
def test_a_lost_old_program_leaves_the_fallback_at_the_tips_concentration() -> None:
    """Downwards: 96 mcg/day of the 2000 mcg/mL that is at the tip are 480 pulses."""
    bench = at_100(2000)
    done(bench, refill_of(flex(900_000, fallback=96_000), 5_000, 2000))
    wreck_slot(bench, bench.core.control.bridging.plays)
    bench.boot()
    assert (bench.status().delivery, alarms(bench)) == (Delivery.FALLBACK, {LOST})
    pulses = bench.status().pulses
    assert days(bench, 1) == [96_000]
    assert bench.status().pulses - pulses == 480
