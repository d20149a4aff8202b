"""The table of self-tests, and those that stand alone: each is seen to fail (PMP-02)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.engine import self_tests
from pumpctl.emulator.engine.clock import DAY_MS
from pumpctl.emulator.engine.exact import ZERO, Ratio, ratio
from pumpctl.emulator.engine.motor import Motor
from pumpctl.emulator.engine.schedule import bolus_flow, flow_of
from pumpctl.emulator.engine.self_tests import (
    SELF_TESTS,
    When,
    arithmetic_known_answer,
    entries_follow,
    label_plausible,
    volumes_agree,
)
from pumpctl.wire.codes import AlarmCode

ML = 1_000_000
MADE = 1_788_134_400_000


@pytest.mark.requirement("PMP-02")
def test_every_test_says_when_and_fails_into_an_alarm() -> None:
    names = [test.name for test in SELF_TESTS]
    assert len(set(names)) == len(names)
    for test in SELF_TESTS:
        assert test.when
        assert test.fails_into
    stored = {"program", "fallback", "control block", "implant record", "limits", "log"}
    delivered = {"program", "fallback", "control block"}
    for test in SELF_TESTS:
        if test.name in stored:
            stored.discard(test.name)
            assert set(test.when) == {When.POWER_ON, When.HOURLY}
            assert AlarmCode.MEMORY_ONE_COPY in test.fails_into
            changes_delivery = AlarmCode.MEMORY_BOTH_COPIES in test.fails_into
            assert changes_delivery is (test.name in delivered)
    assert not stored, "memory and stored copies are tested"
    (motor,) = [test for test in SELF_TESTS if test.name == "motor"]
    assert motor.fails_into == (AlarmCode.MOTOR_STALL,)


def test_an_alarm_that_no_test_fails_into_is_about_delivery() -> None:
    tested = {code for test in SELF_TESTS for code in test.fails_into}
    assert set(AlarmCode) - tested == {
        AlarmCode.LOW_RESERVOIR,
        AlarmCode.EMPTY_RESERVOIR,
        AlarmCode.STOPPED_TOO_LONG,
    }


class Slipping(Motor):
    """One pulse in a thousand is not counted."""

    def run(self, flow: Ratio, ms: int, *, turns: bool = True) -> int:
        pulses = super().run(flow, ms, turns=turns)
        self.pulses -= pulses // 1_000
        return pulses


class Forgetful(Motor):
    """What is owed is rounded down."""

    def run(self, flow: Ratio, ms: int, *, turns: bool = True) -> int:
        pulses = super().run(flow, ms, turns=turns)
        self.carry = ZERO
        return pulses


class Hasty(Motor):
    """Gives a pulse when half of it is due."""

    def run(self, flow: Ratio, ms: int, *, turns: bool = True) -> int:
        self.carry = self.carry.plus(ratio(self.pulse, 2))
        pulses = super().run(flow, ms, turns=turns)
        self.carry = self.carry.plus(ratio(-self.pulse, 2))
        return pulses


@pytest.mark.requirement("PMP-02")
def test_the_arithmetic_gives_its_known_answers() -> None:
    assert arithmetic_known_answer()


@pytest.mark.requirement("PMP-02")
@pytest.mark.parametrize(
    ("what", "broken"),
    [
        ("flow_of", lambda rate, concentration: flow_of(rate + 1, concentration)),
        ("flow_of", lambda rate, concentration: flow_of(rate, concentration * 4)),
        ("bolus_flow", lambda dose, over, concentration: bolus_flow(dose, over + 1, concentration)),
        ("bolus_flow", lambda dose, over, concentration: bolus_flow(dose, over, 2 * concentration)),
        ("Motor", Slipping),
        ("Motor", Forgetful),
        ("Motor", Hasty),
        ("ratio", lambda num, den=1: ratio(num, den + 1)),
        ("crc32c", lambda data: 0),
    ],
)
def test_arithmetic_that_is_broken_anywhere_is_noticed(
    what: str, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_tests, what, broken)
    assert not arithmetic_known_answer()


@pytest.mark.requirement("PMP-02")
@pytest.mark.parametrize(
    ("label", "plausible"),
    [
        (MADE, True),
        (MADE - DAY_MS, True),
        (MADE - DAY_MS - 1, False),
        (0, False),
        (MADE + 7 * 366 * DAY_MS, True),
        (MADE + 3660 * DAY_MS, True),
        (MADE + 3660 * DAY_MS + 1, False),
        ((1 << 64) - 1, False),
    ],
)
def test_a_label_outside_of_the_pumps_life_is_none(label: int, plausible: bool) -> None:
    assert label_plausible(label, made_at=MADE) is plausible


def test_an_entry_that_is_missing_anywhere_is_noticed() -> None:
    numbers = list(range(7, 58))
    assert entries_follow(numbers, first=7, then=58)
    assert entries_follow([], first=1, then=1)
    for gone in numbers:
        rest = [each for each in numbers if each != gone]
        assert not entries_follow(rest, first=7, then=58)
    assert not entries_follow([*numbers, 57], first=7, then=58)


@pytest.mark.parametrize(("capacity", "most"), [(20 * ML, ML), (40 * ML, 2 * ML)])
@given(computed=st.integers(0, 40 * ML))
def test_volumes_that_are_too_far_apart_disagree(capacity: int, most: int, computed: int) -> None:
    def agree(sensed: int) -> bool:
        return volumes_agree(capacity=capacity, computed=computed, sensed=sensed)

    assert agree(computed)
    assert agree(computed + most)
    assert not agree(computed + most + 1)
    if computed > most:
        assert agree(computed - most)
        assert not agree(computed - most - 1)
