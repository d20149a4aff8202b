"""What was really given, told by the face of now, however often the clock was set on the way."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpctl.wire import codes
from tests.therapy.samples import flex
from tests.workflows.histories import CONCENTRATION, HOUR, MADE, Life, known

MINUTE = 60_000
TWO_RATES = flex([[(0, "10"), (720, "20")]] * 7, concentration=CONCENTRATION)
"""10 mcg/h until noon, 20 mcg/h from noon on, every day."""


def set_clock(life: Life, by: int) -> None:
    """One activation, one CLOCK_SET with the new face; its chain head shows the old one still."""
    life.neutral(codes.Kind.CLOCK)
    old = MADE.utc_ms + life.shift + life.at
    life.shift += by
    life.add(codes.LogKind.CLOCK_SET, old, old + by, bytes(20))
    life.shift -= by
    life.add(codes.LogKind.CHAIN_HEAD)
    life.shift += by


def given(life: Life, hours: int) -> Fraction:
    past = known(life, "24 h")
    assert past.given is not None
    now = life.state().clock.label_ms
    return past.given.between(now - hours * HOUR, now) / 1_000


def steps() -> Life:
    """From Monday 00:00 on, with the two rates. The model's life meters its first step's rate."""
    life = Life()
    life.change(TWO_RATES)
    return life


@pytest.mark.requirement("LIM-05")
@pytest.mark.requirement("TIM-01")
@pytest.mark.parametrize(
    ("at", "by", "then", "mcg"),
    [
        # 11 h of 10; set to 12:00; one hour of 20.
        (11 * HOUR, HOUR, HOUR, 11 * 10 + 20),
        # 12 h of 10 and one of 20; set back to 11:00; one of 10, one of 20.
        (13 * HOUR, -2 * HOUR, 2 * HOUR, 120 + 20 + 10 + 20),
        # 10 1/2 h of 10; to 12:15; half an hour of 20.
        (10 * HOUR + 30 * MINUTE, 105 * MINUTE, 30 * MINUTE, 115),
    ],
)
def test_basal_follows_the_face_as_it_was(at: int, by: int, then: int, mcg: int) -> None:
    life = steps()
    life.wait(at)
    set_clock(life, by)
    life.wait(then)
    told = life.told("24 h")
    assert told.past is not None
    assert told.past.given is not None, told.missing
    assert told.past.given.upto(life.state().clock.label_ms) == mcg * 1_000


@pytest.mark.requirement("LIM-05")
def test_a_bolus_keeps_its_elapsed_time() -> None:
    life = Life()
    life.wait(HOUR)
    life.change(flex([[(0, "10")]] * 7, concentration=CONCENTRATION))
    life.wait(HOUR)
    data = life.bolus(20_000, 10 * MINUTE)
    life.wait(10 * MINUTE)
    life.bolus_ended(data)
    life.wait(20 * MINUTE)
    set_clock(life, 5 * HOUR)
    life.wait(30 * MINUTE)
    assert given(life, 1) == 10 + 20


@pytest.mark.requirement("LIM-05")
def test_a_face_that_moved_and_nobody_set_it_is_not_known() -> None:
    life = steps()
    life.wait(HOUR)
    life.shift = HOUR
    life.wait(2 * HOUR)
    (why,) = life.told("24 h").missing
    assert "its log does not say so" in why
    life = steps()
    life.wait(HOUR)
    life.shift = HOUR  # since the last entry
    life.at += 1
    assert "its log does not say so" in life.told("24 h").missing[0]
