"""A clock set in the pump: a label moves, delivery does not; each scheduled bolus at most once."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator import keeping
from pumpctl.emulator.engine.turns import MOST_MISSED
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, BolusKind, Delivery, Kind, LogKind, Refuse, Role
from pumpctl.wire.messages_acts import ClockReadback, StageBolus, StageClock, StageResume
from pumpctl.wire.program import Program, program_hash
from tests.emulator.roads import alarms, at_100, code, done, logged, read_back, refill_of
from tests.emulator.support import DAY, HOUR, MINUTE, MONDAY, TAG, Bench, daily, flex, op
from tests.emulator.test_limit_table import ROW, message, table

MORNING = daily((480, 12_000, 30 * MINUTE))
"""12 mcg from 8:00 to 8:30, every day."""
YEAR = 365 * DAY


def running(program: Program | None = None, until: int = 7 * HOUR, **more: Any) -> Bench:
    """Since Monday 0:00; 72 mcg/day by day and 144 by night, unless told."""
    bench = Bench(frozen=True, **more)
    bench.program(program or flex(72_000, 144_000, boluses=MORNING))
    bench.firmware.advance(until)
    return bench


def shift(bench: Bench, ms: int, number: int = 2, offset: int = 0) -> m.Done:
    return done(bench, StageClock(ms, offset), number)


def started(bench: Bench) -> list[tuple[int, int]]:
    """(minute of its slot, counter at its start) of each scheduled bolus."""
    return [
        (int.from_bytes(each.data[6:8], "big"), each.counter)
        for each in logged(bench, LogKind.BOLUS_STARTED)
        if each.data[:2] == BolusKind.SCHEDULED.to_bytes(2, "big")
    ]


def missed(bench: Bench) -> list[int]:
    """The minutes of their slots."""
    entries = logged(bench, LogKind.BOLUS_MISSED)
    return [int.from_bytes(each.data[6:8], "big") for each in entries]


# --- the label ----------------------------------------------------------------------------------


@pytest.mark.requirement("TIM-01", "TIM-02")
def test_it_moves_the_label_and_the_log_says_from_where_to_where() -> None:
    bench = running()
    told = read_back(bench, StageClock(-90_000, 120))
    assert isinstance(told, ClockReadback)
    assert (told.kind, told.shift, told.offset, told.missed) == (Kind.CLOCK, -90_000, 120, 1)
    made = shift(bench, -90_000, offset=120)
    old, new = MONDAY + 7 * HOUR, MONDAY + 7 * HOUR - 90_000
    assert (made.kind, made.state_version) == (Kind.CLOCK, 3)
    status = bench.status()
    assert (status.time, status.offset, status.counter) == (new, 120, 7 * HOUR)
    (accepted,) = [each for each in logged(bench, LogKind.ACTIVATED) if each.b == Kind.CLOCK]
    (entry,) = logged(bench, LogKind.CLOCK_SET)
    assert (accepted.time, accepted.offset_min, accepted.number) == (old, 0, entry.number - 1)
    assert (entry.time, entry.offset_min, entry.counter) == (new, 120, 7 * HOUR)
    assert (entry.a, entry.b) == (old, new)
    assert entry.data == op(2) + (0).to_bytes(2, "big") + (120).to_bytes(2, "big")
    for restart in (bench.attach, bench.boot):
        restart()
        assert (bench.status().time, bench.status().offset) == (new, 120)


def test_a_plan_is_a_difference_and_right_whenever_it_is_applied() -> None:
    bench = running()
    staged = bench.get(StageClock(5_000, 0), m.Staged)
    bench.get(m.GetReadback(), ClockReadback)
    bench.firmware.advance(40_000)
    assert isinstance(bench.activate(staged, 2), m.Done)
    assert bench.status().time == MONDAY + 7 * HOUR + 45_000


@pytest.mark.parametrize(
    ("ms", "offset", "taken"),
    [
        (-7 * HOUR, 0, True),  # made at Monday 0:00
        (-7 * HOUR - 1, 0, False),
        (253_402_300_799_999 - MONDAY - 7 * HOUR, 0, True),
        (253_402_300_800_000 - MONDAY - 7 * HOUR, 0, False),
        (0, 840, True),
        (0, -840, True),
        (0, 841, False),
        (0, -841, False),
        (-(1 << 62), 0, False),
        ((1 << 62), 0, False),
    ],
)
@pytest.mark.requirement("TIM-02")
def test_labels_that_no_pump_can_have_are_refused(ms: int, offset: int, taken: bool) -> None:
    answer = running().ask(StageClock(ms, offset))
    assert isinstance(answer, m.Staged) if taken else code(answer) is Refuse.CLOCK


def test_a_lost_clock_is_found_again() -> None:
    bench = running()
    bench.core.lose_memory()
    bench.boot()
    assert AlarmCode.CLOCK_LOST in alarms(bench)
    shift(bench, 1_000)
    assert AlarmCode.CLOCK_LOST not in alarms(bench)
    shift(bench, 20 * YEAR, 3)  # no pump is so old
    assert AlarmCode.CLOCK_LOST not in alarms(bench)
    bench.firmware.advance(HOUR)
    assert AlarmCode.CLOCK_LOST in alarms(bench)


def test_hour_records_go_on_at_the_full_hours_of_the_label() -> None:
    bench = running()
    first = bench.core.log.next
    shift(bench, 25 * MINUTE)
    bench.firmware.advance(2 * HOUR)
    shift(bench, -3 * HOUR, 3)
    bench.firmware.advance(2 * HOUR)
    hours = [each for each in bench.entries(first) if each.kind is LogKind.HOUR]
    # 7:25 to 9:25, then 6:25 to 8:25
    assert [(each.time - MONDAY) / HOUR for each in hours] == [8, 9, 7, 8]
    assert [each.counter - 7 * HOUR for each in hours] == [
        35 * MINUTE, 95 * MINUTE, 155 * MINUTE, 215 * MINUTE,
    ]  # fmt: skip


# --- delivery -----------------------------------------------------------------------------------


@pytest.mark.requirement("TIM-01")
def test_basal_follows_the_label_at_once_and_a_bolus_runs_on_by_the_counter() -> None:
    """72 mcg/day is 60 pulses of 50 ng an hour, 144 is 120; the bolus 12 mcg: 240 pulses."""
    bench = running(until=8 * HOUR + 10 * MINUTE)
    pulses = bench.status().pulses
    assert pulses == 8 * 60 + 10 + 80
    shift(bench, 6 * HOUR)
    assert bench.status().rate == 144_000
    assert bench.status().bolus is not None
    bench.firmware.advance(20 * MINUTE - 1)
    assert bench.status().delivery is Delivery.BOLUS
    bench.firmware.advance(1)
    assert bench.status().bolus is None
    assert bench.status().pulses == pulses + 160 + 40
    assert [each.b for each in logged(bench, LogKind.BOLUS_ENDED)] == [12_000]


@pytest.mark.requirement("TIM-01", "LIM-05")
def test_windows_go_on_by_the_counter() -> None:
    bench = narrow(flex(24_000))
    bench.firmware.advance(HOUR)
    bolus = StageBolus(TAG, BolusKind.SINGLE, 10_000, 10 * MINUTE)
    done(bench, bolus, 3)
    bench.firmware.advance(20 * MINUTE)
    shift(bench, 5 * HOUR, 4)
    assert code(bench.ask(bolus)) is Refuse.LIMIT_WINDOW
    bench.firmware.advance(50 * MINUTE)
    assert isinstance(bench.ask(bolus), m.Staged)


# --- set forward --------------------------------------------------------------------------------


@pytest.mark.requirement("TIM-03")
@pytest.mark.parametrize(
    ("ms", "given"),
    [(HOUR - 1, False), (HOUR, True), (2 * HOUR, True), (3 * HOUR, True), (3 * HOUR + 1, False)],
)
def test_one_that_is_jumped_over_is_given_up_to_two_hours_late(ms: int, given: bool) -> None:
    """It is seven, and the bolus at eight."""
    bench = running()
    before = ms < HOUR
    assert read_back(bench, StageClock(ms, 0)).missed == (0 if before else 1)
    shift(bench, ms)
    bench.firmware.advance(0)
    assert started(bench) == ([(480, 7 * HOUR)] if given else [])
    assert missed(bench) == ([] if given or before else [480])
    bench.firmware.advance(DAY)  # of the next day once, and never this one again
    late = [(480, 7 * HOUR)] if given else [(480, 7 * HOUR + 1)] if before else []
    assert started(bench) == [*late, (480, 7 * HOUR + DAY + HOUR - ms)][: 2 if not before else 1]


@pytest.mark.requirement("TIM-03")
def test_of_several_the_last_is_given_and_the_others_are_said_to_be_missed() -> None:
    slots = ((480, 12_000), (540, 9_000), (600, 6_000))
    three = daily(*((at, dose, 30 * MINUTE) for at, dose in slots))
    bench = running(flex(72_000, boluses=three))
    assert read_back(bench, StageClock(4 * HOUR, 0)).missed == 3
    shift(bench, 4 * HOUR)
    assert started(bench) == [(600, 7 * HOUR)]
    running_now = bench.status().bolus
    assert running_now is not None
    assert (running_now.dose, running_now.started) == (6_000, MONDAY + 11 * HOUR)
    entries = logged(bench, LogKind.BOLUS_MISSED)
    assert [(each.a, each.b) for each in entries] == [
        (12_000, 30 * MINUTE), (9_000, 30 * MINUTE),
    ]  # fmt: skip
    assert missed(bench) == [480, 540]
    assert [each.data[8:20] for each in entries] == [
        (500).to_bytes(4, "big") + (7 * HOUR).to_bytes(8, "big")
    ] * 2


def narrow(program: Program) -> Bench:
    """In any hour at most 15 mcg."""
    bench = Bench(frozen=True)
    row = ROW._replace(window_hour=15_000, least_rate=24_000, bolus_lockout=0)
    done(bench, message(table(row)), 1, Role.ADMIN)
    bench.program(program, 2)
    return bench


@pytest.mark.requirement("TIM-03", "LIM-05")
@pytest.mark.parametrize(
    ("at", "ms", "given"),
    [
        (9 * HOUR + 5 * MINUTE, HOUR, True),  # 55 min after the last 10 mcg: 11 in any hour
        (8 * HOUR + 20 * MINUTE, 2 * HOUR, False),  # 10 min after them: 21 in an hour
        (9 * HOUR + 30 * MINUTE, 40 * MINUTE, True),  # by the old label, its own turn lies ahead
        (11 * HOUR, 68 * MINUTE, True),  # 12:08: with 8 min of the next one, 15 in an hour
        (11 * HOUR, 69 * MINUTE, False),
    ],
)
def test_the_late_one_is_given_inside_the_limits_only(
    at: int, ms: int, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 mcg/h, and 10 mcg in ten minutes at eight, ten, noon; at one 10 mcg in 20 min."""
    tens = [(minute, 10_000, 10 * MINUTE) for minute in (480, 600, 720)]
    bench = narrow(flex(24_000, boluses=daily(*tens, (780, 10_000, 20 * MINUTE))))
    bench.firmware.advance(at)
    count = len(started(bench))
    other = bench.copy()
    shift(bench, ms, 3)
    assert len(started(bench)) - count == given
    assert len(missed(bench)) == 1 - given
    assert bench.status().delivery is (Delivery.BOLUS if given else Delivery.DELIVERING)
    monkeypatch.setattr(keeping, "within_limits", lambda *_: True)
    shift(other, ms, 3)
    assert len(started(other)) - count == 1


# --- set back, and put right --------------------------------------------------------------------


@pytest.mark.requirement("TIM-03")
def test_set_back_nothing_repeats() -> None:
    bench = running(until=9 * HOUR)
    assert read_back(bench, StageClock(-2 * HOUR, 0)).missed == 0
    shift(bench, -2 * HOUR)
    bench.firmware.advance(2 * DAY + 2 * HOUR)
    assert started(bench) == [(480, 8 * HOUR), (480, DAY + 10 * HOUR), (480, 2 * DAY + 10 * HOUR)]
    assert missed(bench) == []


@pytest.mark.requirement("TIM-03")
def test_to_and_fro_over_the_same_bolus_gives_it_once() -> None:
    bench = running()
    for number in range(2, 22):
        shift(bench, (2 if number % 2 == 0 else -2) * HOUR, number)
        bench.firmware.advance(MINUTE)
    assert started(bench) == [(480, 7 * HOUR)]
    bench.firmware.advance(DAY + HOUR)
    assert len(started(bench)) == 2


@pytest.mark.requirement("TIM-03")
def test_a_year_ahead_by_mistake_and_put_right_silences_none() -> None:
    bench = running()
    assert read_back(bench, StageClock(YEAR + 12 * HOUR, 0)).missed == 366
    shift(bench, YEAR + 12 * HOUR)
    assert len(missed(bench)) == MOST_MISSED
    newest = logged(bench, LogKind.BOLUS_MISSED)[-1]
    assert int.from_bytes(newest.data[2:6], "big") == (MONDAY + YEAR) // DAY
    bench.firmware.advance(30 * MINUTE)
    shift(bench, -YEAR - 12 * HOUR, 3)
    bench.firmware.advance(7 * DAY)
    assert started(bench) == [(480, day * DAY + 8 * HOUR) for day in range(7)]


def test_put_right_to_the_very_minute_of_a_bolus_it_is_given() -> None:
    bench = running(until=6 * HOUR)
    shift(bench, YEAR + 12 * HOUR)
    bench.firmware.advance(2 * HOUR)
    shift(bench, -YEAR - 12 * HOUR, 3)
    bench.firmware.advance(MINUTE)
    assert started(bench) == [(480, 8 * HOUR)]


# --- daylight saving ----------------------------------------------------------------------------


@pytest.mark.requirement("TIM-03")
def test_an_hour_less_in_spring() -> None:
    """At 2:00 it becomes 3:00. The bolus at 2:30 is given at once; of 23 h, one by day is missing.

    Pulses of the day: 11 h of 60, 12 h of 120, and 240 of the bolus.
    """
    bench = running(flex(72_000, 144_000, boluses=daily((150, 12_000, 30 * MINUTE))), 2 * HOUR)
    shift(bench, 0, offset=60)
    status = bench.status()
    assert (status.time, status.offset) == (MONDAY + 2 * HOUR, 60)
    assert started(bench) == [(150, 2 * HOUR)]
    bench.firmware.advance(21 * HOUR)
    assert bench.status().pulses == 11 * 60 + 12 * 120 + 240
    assert bench.core.clock.local == MONDAY + DAY


@pytest.mark.requirement("TIM-03")
def test_an_hour_more_in_autumn() -> None:
    """At 3:00 it becomes 2:00: the hour's basal twice (13 x 60 pulses), its bolus once."""
    boluses = daily((150, 12_000, 30 * MINUTE))
    bench = running(flex(72_000, 144_000, boluses=boluses), 3 * HOUR, offset_min=120)
    # made at 0:00 UTC, that is 2:00 local: it is 5:00 now; the next day's three o'clock
    bench.firmware.advance(22 * HOUR)
    pulses = bench.status().pulses
    shift(bench, 0, offset=60)
    assert bench.core.clock.local == MONDAY + DAY + 2 * HOUR
    bench.firmware.advance(22 * HOUR)
    assert bench.status().pulses - pulses == 10 * 60 + 12 * 120
    assert [minute for minute, _ in started(bench)] == [150, 150]
    assert missed(bench) == []


# --- in other states ----------------------------------------------------------------------------


@pytest.mark.requirement("TIM-03")
def test_while_stopped_none_is_given_and_put_right_it_is_still_to_come() -> None:
    bench = running()
    bench.stop()
    shift(bench, 2 * HOUR)
    assert (started(bench), missed(bench)) == ([], [480])
    shift(bench, -2 * HOUR, 3)
    program = flex(72_000, 144_000, boluses=MORNING)
    done(bench, StageResume(TAG, program_hash(program)), 4)
    bench.firmware.advance(2 * HOUR)
    assert started(bench) == [(480, 8 * HOUR)]


@pytest.mark.requirement("TIM-03", "REF-08")
def test_in_a_bridge_the_old_programs_bolus_is_given_late_by_the_old_fluid() -> None:
    bench = running()
    new = flex(100_000, concentration=2000, boluses=daily((490, 1_000, 10 * MINUTE)))
    done(bench, refill_of(new, bench.status().pulses, 500))
    shift(bench, 2 * HOUR, 3)
    assert started(bench) == [(480, 7 * HOUR)]
    (entry,) = logged(bench, LogKind.BOLUS_STARTED)
    assert (entry.a, entry.data[8:12]) == (12_000, (500).to_bytes(4, "big"))
    assert bench.status().bridge is not None


def test_where_nothing_is_scheduled_nothing_is_jumped_over() -> None:
    assert read_back(at_100(), StageClock(YEAR, 0)).missed == 0
