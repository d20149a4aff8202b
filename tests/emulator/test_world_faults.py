"""Faults: their table, their times, the motor that they hold and the sensor that they fool."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.body.faults import (
    FAULTS,
    MOST_FAULTS,
    Fault,
    FaultKind,
    Faults,
    Lasts,
    check_amount,
)
from pumpctl.emulator.body.world import World
from pumpctl.errors import UsageError
from tests.emulator.worlds import CAPACITY, HOUR, ML, restored, world

KEPT = [kind for kind, effect in FAULTS.items() if effect.lasts is not Lasts.AT_ONCE]


def fault(kind: FaultKind, since: int = 0, until: int | None = None, amount: int = 0) -> Fault:
    return Fault(kind, since, until, amount)


# --- the table ---------------------------------------------------------------------------------


def test_every_kind_is_in_the_table_under_its_own_word() -> None:
    assert set(FAULTS) == set(FaultKind)
    assert {kind: effect.word for kind, effect in FAULTS.items()} == {
        kind: kind.name.lower().replace("_", "-") for kind in FaultKind
    }


@pytest.mark.parametrize("kind", FaultKind)
def test_a_row_takes_an_amount_or_none(kind: FaultKind) -> None:
    effect = FAULTS[kind]
    assert effect.does and effect.does[0].islower() and not effect.does.endswith(".")
    if effect.takes:
        assert effect.least < effect.most
    else:
        assert effect.least == effect.most == 0


@pytest.mark.requirement("TEL-02")
def test_their_numbers_are_far_apart() -> None:
    assert min((one ^ other).bit_count() for one, other in combinations(FaultKind, 2)) >= 6


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        (FaultKind.STALL, 1),
        (FaultKind.LEAK, -1),
        (FaultKind.LEAK, 1_000_001),
        (FaultKind.POCKET, -1),
        (FaultKind.CALIBRATION, 500_001),
        (FaultKind.MEMORY, 0),
        (FaultKind.MEMORY, 3),
    ],
)
def test_an_amount_that_cannot_be_is_refused(kind: FaultKind, amount: int) -> None:
    with pytest.raises(UsageError, match=FAULTS[kind].word) as refused:
        check_amount(kind, amount)
    assert str(FAULTS[kind].most) in refused.value.hint


# --- keeping them ---------------------------------------------------------------------------------


def test_a_fault_lasts_from_its_beginning_to_before_its_end() -> None:
    faults = Faults((fault(FaultKind.LEAK, 10, 20, 7),))
    assert [faults.amount(FaultKind.LEAK, at) for at in (9, 10, 19, 20)] == [None, 7, 7, None]
    assert faults.amount(FaultKind.DROP, 10) is None
    assert [faults.next_edge(at) for at in (0, 9, 10, 19, 20)] == [10, 10, 20, 20, None]


def test_of_several_the_newest_counts() -> None:
    faults = Faults(())
    faults.add(fault(FaultKind.LEAK, amount=1))
    faults.add(fault(FaultKind.LEAK, 10, 20, 2))
    assert [faults.amount(FaultKind.LEAK, at) for at in (9, 10, 20)] == [1, 2, 1]


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind not in KEPT])
def test_what_is_over_at_once_is_not_kept(kind: FaultKind) -> None:
    with pytest.raises(UsageError, match="at once"):
        Faults(()).add(fault(kind, amount=FAULTS[kind].most))


@pytest.mark.parametrize("until", [5, 6])
def test_a_fault_ends_after_it_begins(until: int) -> None:
    with pytest.raises(UsageError, match="before it begins"):
        Faults(()).add(fault(FaultKind.STALL, 6, until))


def test_there_is_a_most_of_them_and_those_that_are_over_make_room() -> None:
    truth = world()
    for _ in range(MOST_FAULTS):
        truth.add(fault(FaultKind.STALL, 0, HOUR))
    with pytest.raises(UsageError, match="16 faults already"):
        truth.add(fault(FaultKind.LEAK))
    truth.note_alarms(False, HOUR - 1)
    assert len(truth.faults) == MOST_FAULTS
    truth.note_alarms(False, HOUR)
    assert truth.faults == ()
    truth.add(fault(FaultKind.LEAK))


def test_clearing_one_kind_or_all() -> None:
    truth = world()
    for kind in (FaultKind.LEAK, FaultKind.STALL, FaultKind.LEAK):
        truth.add(fault(kind))
    assert truth.clear(FaultKind.DROP) == 0
    assert truth.clear(FaultKind.LEAK) == 2
    assert [each.kind for each in truth.faults] == [FaultKind.STALL]
    assert not truth.turns(0)
    assert truth.clear() == 1
    assert truth.turns(0)


@given(
    st.lists(
        st.builds(
            lambda kind, since, lasts, amount: Fault(
                kind,
                since,
                None if lasts is None else since + lasts,
                min(max(amount, FAULTS[kind].least), FAULTS[kind].most),
            ),
            st.sampled_from(KEPT),
            st.integers(0, 100),
            st.none() | st.integers(1, 50),
            st.integers(-(10**12), 10**12),
        ),
        max_size=MOST_FAULTS,
    )
)
def test_between_two_edges_nothing_changes(told: list[Fault]) -> None:
    truth = world()
    for each in told:
        truth.add(each)
    again = World(restored(truth.state()), capacity=CAPACITY, nominal=truth.pulse, sensor=False)
    assert again.faults == tuple(told)
    edges = {each.since for each in told} | {each.until for each in told} - {None}
    for at in range(160):
        now = {kind: truth.amount(kind, at) for kind in KEPT}
        edge = truth.next_edge(at)
        assert edge == min((each for each in edges if each is not None and each > at), default=None)
        if at + 1 != edge:
            assert {kind: truth.amount(kind, at + 1) for kind in KEPT} == now


# --- the motor ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FaultKind.STALL, FaultKind.MRI])
def test_the_motor_stands_as_long_as_it_is_held(kind: FaultKind) -> None:
    truth = world()
    truth.add(fault(kind, 10, 20))
    truth.note_alarms(False, 0)
    assert [truth.turns(at) for at in (9, 10, 19, 20)] == [True, False, False, True]


def scanned(*, alarm_at: int, field_at: int = 100, kind: FaultKind = FaultKind.MRI) -> World:
    """A critical alarm comes, and a field from its own counter on to 200; noted at each edge."""
    truth = world()
    truth.add(fault(kind, field_at, 200))
    for at in sorted({0, alarm_at, field_at, 200}):
        truth.note_alarms(at >= alarm_at, at)
    return truth


def test_a_pump_that_was_alarming_does_not_resume_after_a_scan() -> None:
    """Clinical failure 9."""
    truth = scanned(alarm_at=50)
    assert truth.faults == ()
    assert not truth.turns(10**9)
    again = World(restored(truth.state()), capacity=CAPACITY, nominal=truth.pulse, sensor=False)
    assert not again.turns(10**9), "a restart of the emulator does not help"
    assert again.clear() == 0
    assert not again.turns(10**9)
    again.restart_motor()
    assert again.turns(10**9)


@pytest.mark.parametrize("alarm_at", [100, 150, 200])
def test_an_alarm_that_comes_with_the_field_or_in_it_does_not_count(alarm_at: int) -> None:
    assert scanned(alarm_at=alarm_at).turns(200)


def test_a_stall_alone_leaves_nothing_behind() -> None:
    assert scanned(alarm_at=50, kind=FaultKind.STALL).turns(200)


def test_an_alarm_that_was_cleared_before_the_field_does_not_count() -> None:
    truth = world()
    truth.add(fault(FaultKind.MRI, 100, 200))
    truth.note_alarms(True, 50)
    truth.note_alarms(False, 99)
    truth.note_alarms(False, 100)
    assert truth.turns(200)


@pytest.mark.parametrize("critical", [True, False])
def test_a_field_that_is_told_when_it_is_there_already(critical: bool) -> None:
    truth = world()
    truth.note_alarms(critical, 100)
    truth.add(fault(FaultKind.MRI, 100, 200))
    truth.note_alarms(True, 100)
    truth.note_alarms(True, 200)
    assert truth.turns(200) is not critical


def test_the_scan_after_the_next_is_judged_anew() -> None:
    truth = scanned(alarm_at=50)
    truth.restart_motor()
    truth.note_alarms(False, 250)
    truth.add(fault(FaultKind.MRI, 300, 400))
    truth.note_alarms(False, 300)
    truth.note_alarms(True, 310)
    truth.note_alarms(True, 400)
    assert truth.turns(400)


# --- the sensor -------------------------------------------------------------------------------


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(
    ("reservoir", "error", "read"),
    [
        (10 * ML, 0, 10_000_000),
        (10 * ML - 1, 0, 9_900_000),
        (10 * ML + 99_999_999, 0, 10_000_000),
        (10 * ML, 5_050_000, 15_000_000),
        (10 * ML, -2_000_000, 8_000_000),
        (ML, -2_000_000, 0),
        (0, 0, 0),
    ],
)
def test_what_the_sensor_reads(reservoir: int, error: int, read: int) -> None:
    truth = world(reservoir=reservoir, sensor=True)
    truth.add(fault(FaultKind.SENSOR, 0, HOUR, error))
    assert truth.sensed(0) == read
    assert truth.sensed(HOUR) == reservoir // 1_000 // 100_000 * 100_000, "the fault is over"


def test_a_pump_without_a_sensor_reads_nothing() -> None:
    truth = world()
    truth.add(fault(FaultKind.SENSOR, amount=1))
    assert truth.sensed(0) is None
