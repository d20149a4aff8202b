"""A bridge in the pump: metered in pulses by the old fluid, and ended by itself.

Old fluid 500 mcg/mL at 100 mcg/day is 0.2 mL/day: 2000 pulses of 50 ng a day. The
same of 2000 mcg/mL is 500 pulses of 200 ng. The line, 0.348 mL, is 3480 pulses.
"""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.memory.image import SLOTS
from pumpctl.wire.codes import AlarmCode, BolusKind, Delivery, LogKind
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.messages_implant import GetImplant, Implant, StageImplant
from pumpctl.wire.program import Program, program_hash
from tests.emulator.roads import (
    LINE,
    alarms,
    at_100,
    done,
    given,
    logged,
    refill_of,
    stall,
)
from tests.emulator.support import (
    DAY,
    HOUR,
    MINUTE,
    TAG,
    Bench,
    daily,
    flex,
    lose_program,
    op,
)

NEW = flex(100_000, concentration=2000)
SINCE = 20_000
LASTS = 3_480 * DAY // 2_000
"""ms: 41.76 h (W22)."""


def bridged(program: Program = NEW, **more: Any) -> Bench:
    """The line holds 500, the reservoir 2000 mcg/mL."""
    bench = at_100(**more)
    done(bench, refill_of(program, SINCE, 500))
    return bench


def uncertain(bench: Bench, less: int, number: int = 2) -> None:
    """The recorded catheter may hold so many nL less; what is in it stays what it was."""
    record = bench.get(GetImplant(), Implant).record
    changed = record._replace(catheter_low=record.catheter_high - less)
    done(bench, StageImplant(TAG, changed), number)


def passed(bench: Bench) -> int | None:
    told = bench.status().bridge
    return None if told is None else told.passed


# --- W22 ----------------------------------------------------------------------------------------


@pytest.mark.requirement("REF-08")
def test_upwards_it_ends_after_41_76_hours_and_the_patient_notices_nothing() -> None:
    bench = bridged()
    assert bench.status().delivery is Delivery.BRIDGE
    # In 1.44 h 120 pulses of 50 ng or 30 of 200 ng: 6 mcg. 29 of these are the bridge.
    for step in range(1, 41):
        before = given(bench)
        bench.firmware.advance(LASTS // 29)
        assert given(bench) - before == 6_000, step
        assert passed(bench) == (step * 12_000 if step < 29 else None)
    (ended,) = logged(bench, LogKind.BRIDGE_ENDED)
    begun = logged(bench, LogKind.BRIDGE_STARTED)[0]
    assert (ended.a, ended.b, ended.data) == (LINE, LINE, op(2) + bytes(4))
    assert ended.counter - begun.counter == LASTS == 150_336_000
    status = bench.status()
    assert (status.delivery, status.tip_concentration, status.front) == (
        Delivery.DELIVERING, 2000, None,
    )  # fmt: skip
    assert status.pulses == SINCE + 3_480 + 11 * 30


@pytest.mark.requirement("REF-08")
def test_downwards_it_lasts_6_96_days() -> None:
    bench = at_100(2000)
    done(bench, refill_of(flex(100_000), 5_000, 2000))
    # In 2.88 h 60 pulses of 200 ng or 240 of 50 ng: 12 mcg. 58 of these are the bridge.
    for step in range(1, 66):
        before = given(bench)
        bench.firmware.advance(2 * HOUR + 52 * MINUTE + 48_000)
        assert given(bench) - before == 12_000, step
        assert passed(bench) == (step * 6_000 if step < 58 else None)
    ended, begun = logged(bench, LogKind.BRIDGE_ENDED)[0], logged(bench, LogKind.BRIDGE_STARTED)[0]
    assert ended.counter - begun.counter == 6 * DAY + DAY * 96 // 100


def test_it_ends_at_the_pulse_and_not_a_millisecond_before() -> None:
    for volume in (LINE, LINE - 99):
        bench = at_100()
        uncertain(bench, 99)
        done(bench, refill_of(NEW, SINCE, 500, bridge=volume), 3)
        bench.firmware.advance(LASTS - 1)
        assert passed(bench) == LINE - 100
        bench.firmware.advance(1)
        assert passed(bench) is None


def test_one_that_has_passed_at_its_activation_begins_and_ends_there_and_then() -> None:
    bench = at_100()
    bench.firmware.advance(2 * DAY)  # the refill was not recorded, 4000 pulses went by
    done(bench, refill_of(NEW, SINCE, 500))
    assert bench.status().delivery is Delivery.DELIVERING
    begun, ended = logged(bench, LogKind.BRIDGE_STARTED, LogKind.BRIDGE_ENDED)
    assert (begun.counter, ended.counter) == (12 * DAY, 12 * DAY)
    assert (ended.a, ended.b) == (LINE, 400_000)
    pulses = bench.status().pulses
    bench.firmware.advance(DAY)
    assert bench.status().pulses - pulses == 500


@pytest.mark.requirement("REF-08")
def test_a_schedule_that_varies_is_played_with_its_boluses_by_the_old_fluid() -> None:
    """Old: 72 mcg/day by day, 144 by night, 12 mcg from 6 to 7. New: 96 mcg/day, 10 mcg at 18.

    Old pulses of 50 ng: 60 an hour, 120 an hour from noon on, 240 more from 6 to 7: 2400 a
    day. Of 3480 the second day gives 1080: 12 x 60 + 240 by noon, and 120 until one.
    """
    bench = Bench(frozen=True)
    bench.program(flex(72_000, 144_000, boluses=daily((360, 12_000, 60 * MINUTE))))
    bench.firmware.advance(3 * DAY)
    since = bench.status().pulses
    assert since == 7_200
    new = flex(96_000, concentration=2000, boluses=daily((1080, 10_000, 60 * MINUTE)))
    done(bench, refill_of(new, since, 500))
    hours = []
    for hour in range(3 * 24):
        before = given(bench)
        bench.firmware.advance(HOUR)
        hours.append(given(bench) - before)
        assert (passed(bench) is None) == (hour >= 36)
    old_day = [3_000] * 6 + [15_000] + [3_000] * 5 + [6_000] * 12
    new_day = [4_000] * 18 + [14_000] + [4_000] * 5
    assert hours == [*old_day, *old_day[:13], *new_day[13:], *new_day]
    started = logged(bench, LogKind.BOLUS_STARTED)[3:]
    metered = [int.from_bytes(each.data[8:12], "big") for each in started]
    assert [(each.a, at) for each, at in zip(started, metered, strict=True)] == [
        (12_000, 500), (12_000, 500), (10_000, 2000), (10_000, 2000),
    ]  # fmt: skip


# --- what it survives ---------------------------------------------------------------------------


@pytest.mark.requirement("REF-08")
@pytest.mark.parametrize("restart", ["attach", "boot"])
def test_a_start_at_any_point_changes_nothing(restart: str) -> None:
    bench, control = bridged(), bridged()
    for _ in range(17):
        bench.firmware.advance(2 * HOUR + 47 * MINUTE + 13)
        control.firmware.advance(2 * HOUR + 47 * MINUTE + 13)
        getattr(bench, restart)()
        told, other = bench.status(), control.status()
        assert (told.bridge, told.pulses, told.tip_concentration, told.front) == (
            other.bridge, other.pulses, other.tip_concentration, other.front,
        )  # fmt: skip
        assert given(bench) == given(control)
    assert passed(bench) is None
    (ended,) = logged(bench, LogKind.BRIDGE_ENDED)
    assert ended.counter == 10 * DAY + LASTS


@pytest.mark.requirement("REF-08")
def test_it_survives_the_loss_of_the_always_on_memory() -> None:
    bench = bridged()
    bench.firmware.advance(12 * HOUR)  # 1000 pulses, which the hour's entry says
    bench.core.lose_memory()
    bench.boot()
    assert passed(bench) == 100_000
    bench.firmware.advance(LASTS - 12 * HOUR - 1)
    assert passed(bench) == LINE - 100
    bench.firmware.advance(1)
    assert passed(bench) is None


@pytest.mark.requirement("REF-08", "STP-03")
def test_a_stop_pauses_it_and_a_resume_goes_on() -> None:
    bench = bridged()
    bench.firmware.advance(10 * HOUR)
    bench.stop()
    before = passed(bench)
    assert before == 83_300  # 10 h of 24 of 2000 pulses
    bench.firmware.advance(5 * HOUR)
    assert passed(bench) == before
    assert bench.status().delivery is Delivery.STOPPED
    done(bench, StageResume(TAG, program_hash(NEW)), 3)
    assert bench.status().delivery is Delivery.BRIDGE
    bench.firmware.advance(LASTS - 10 * HOUR - 1)
    assert passed(bench) == LINE - 100
    bench.firmware.advance(1)
    assert passed(bench) is None


@pytest.mark.requirement("REF-08", "STP-03")
def test_a_stall_pauses_it_as_no_pulses_pass() -> None:
    bench = bridged()
    stall(bench, 2 * HOUR)
    bench.firmware.advance(3 * HOUR)
    lost = bench.core.engine.motor.lost
    # 2 h are 166 2/3 pulses; the motor is looked at when 20 min are full
    assert lost == 166
    assert passed(bench) == (250 - lost) * 100
    # each lost pulse is 43.2 s later
    bench.firmware.advance(LASTS - 3 * HOUR + lost * 43_200 - 1)
    assert passed(bench) == LINE - 100
    bench.firmware.advance(1)
    assert passed(bench) is None


# --- the fallback, and a bolus that runs --------------------------------------------------------


@pytest.mark.requirement("PRG-07", "REF-08")
def test_the_fallback_is_metered_by_what_is_at_the_tip() -> None:
    """120 mcg/day: 2400 pulses of 50 ng a day, and 600 of 200 ng once the front is there."""
    bench = bridged(flex(100_000, concentration=2000, fallback=120_000))
    lose_program(bench)
    assert bench.status().delivery is Delivery.FALLBACK
    assert AlarmCode.MEMORY_BOTH_COPIES in alarms(bench)
    assert bench.status().rate == 120_000
    seen = []
    for _ in range(8):
        bench.boot()
        pulses, before = bench.status().pulses, given(bench)
        bench.firmware.advance(6 * HOUR)
        seen.append((bench.status().pulses - pulses, given(bench) - before))
    assert seen[0] == (600, 30_000)
    assert all(abs(mass - 30_000) <= 200 for _, mass in seen)  # within one pulse
    assert seen[-1] == (150, 30_000)
    assert passed(bench) is None
    assert len(logged(bench, LogKind.BRIDGE_ENDED)) == 1


@pytest.mark.requirement("PRG-07", "REF-08")
def test_with_the_old_program_lost_the_fallback_is_given_and_no_other_dose() -> None:
    bench = bridged(flex(300_000, concentration=2000, fallback=96_000))
    for page in SLOTS[bench.core.control.bridging.plays]:
        bench.store.write(page * PAGE + 30, b"\x55\xaa\x55")
    bench.boot()
    assert bench.status().delivery is Delivery.FALLBACK
    assert alarms(bench) == {AlarmCode.MEMORY_BOTH_COPIES}
    pulses, before = bench.status().pulses, given(bench)
    bench.firmware.advance(DAY)
    # 96 mcg/day by the old fluid, which is at the tip: 1920 pulses of 50 ng
    assert (bench.status().pulses - pulses, given(bench) - before) == (1_920, 96_000)
    assert passed(bench) == 192_000


@pytest.mark.requirement("REF-08")
def test_a_bolus_that_runs_when_it_ends_goes_on_by_its_mass() -> None:
    """120 mcg/day and 4 mcg from 7 to 11: 100 pulses an hour, 20 more while it runs.

    The first day gives 2480, the second 700 until 7 and 300 in 2.5 h: it ends at 9:30.
    Then 25 pulses of 200 ng an hour, and the bolus's last 1500 ng at 5 an hour.
    """
    bench = Bench(frozen=True)
    bench.program(flex(120_000, boluses=daily((420, 4_000, 4 * HOUR))))
    bench.firmware.advance(2 * DAY)
    done(bench, refill_of(flex(120_000, concentration=2000), 4_960, 500))
    bench.firmware.advance(DAY + 9 * HOUR + 30 * MINUTE)
    assert passed(bench) is None
    running = bench.status().bolus
    assert running is not None
    assert (running.kind, running.given) == (BolusKind.SCHEDULED, 2_500)
    before = given(bench)
    bench.firmware.advance(90 * MINUTE)
    assert bench.status().pulses == 4_960 + 3_480 + 45
    assert given(bench) - before == 45 * 200
    assert logged(bench, LogKind.BOLUS_ENDED)[-1].b == 4_000
