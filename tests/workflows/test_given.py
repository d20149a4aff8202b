"""What was really given until now, as programs and log tell it, against lives made up for it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpctl.wire import codes
from tests.therapy.samples import even, flex, minimum
from tests.workflows.histories import CONCENTRATION, DAY, HOUR, LEAST, Life, known, steady

MINUTE = 60_000
BACK = 48 * HOUR


def given_by(life: Life, hours: int) -> Fraction:
    """The mcg of the last hours; there must be a course."""
    past = known(life, "24 h")
    assert past.given is not None
    now = life.state().clock.label_ms
    return past.given.between(now - hours * HOUR, now) / 1_000


@pytest.mark.requirement("LIM-05")
def test_what_was_given_is_what_was_ordered() -> None:
    life = steady(60)
    assert given_by(life, 24) == 240
    life.stop()
    life.wait(6 * HOUR)
    life.resume()
    life.wait(6 * HOUR)
    assert given_by(life, 24) == 180
    life.change(minimum(CONCENTRATION))
    life.wait(12 * HOUR)
    assert given_by(life, 24) == 60 + Fraction(LEAST.quanta, 2_000)
    life.fallback(120_000)
    life.wait(24 * HOUR)
    assert given_by(life, 24) == 120


@pytest.mark.requirement("LIM-05")
def test_boluses_are_counted_as_they_were_given() -> None:
    life = steady(60)
    whole = life.bolus(20_000, 10 * MINUTE)
    life.wait(10 * MINUTE)
    life.bolus_ended(whole)
    life.wait(4 * HOUR)
    cut = life.bolus(20_000, 10 * MINUTE)
    life.wait(5 * MINUTE)
    life.bolus_ended(cut)
    life.bolus_ended(life.bolus(20_000, 10 * MINUTE))
    life.wait(HOUR)
    life.bolus(30_000, HOUR)
    life.wait(HOUR // 2)
    past = known(life, "24 h")
    now = life.state().clock.label_ms
    assert past.given is not None
    assert past.given.between(now - DAY, now) == 240_000 + 20_000 + 10_001 + 15_000
    assert past.given.between(now, now + DAY) == 15_000, "the rest of the one that runs"


@pytest.mark.requirement("LIM-05")
def test_a_bolus_that_began_before_the_log_s_part() -> None:
    life = steady(60)
    long = life.bolus(24_000, 52 * HOUR)
    life.wait(50 * HOUR)
    assert (
        life.told("24 h")
        .missing[0]
        .startswith("the pump's log does not tell when the running bolus began: what was given")
    )
    life.wait(2 * HOUR)
    life.bolus_ended(long)
    assert given_by(life, 24) == 240 + Fraction(24 * 24, 52)
    single = life.bolus(24_000, 52 * HOUR, codes.BolusKind.SINGLE)
    life.wait(52 * HOUR)
    life.bolus_ended(single)
    (why,) = life.told("24 h").missing
    assert "does not say started_counter_ms: what was given" in why


@pytest.mark.requirement("LIM-05")
def test_where_it_cannot_be_told_no_window_is_checked_and_all_else_is() -> None:
    def missing(life: Life, *windows: str) -> str:
        told = life.told(*windows)
        assert told.past is not None
        assert told.past.given is None
        end = ": what was given until now is not counted in any window"
        (why,) = told.missing
        assert why.endswith(end)
        return why.removesuffix(end)

    life = steady(60)
    life.shift = HOUR
    life.wait(HOUR)
    assert missing(life) == "the pump's clock was set, and its log does not say so"
    life = steady(60)
    life.add(codes.LogKind.BRIDGE_ENDED)
    assert missing(life) == "a bridge was running"
    life = steady(60)
    life.change(flex([[(0, "10")]] * 7, concentration=500))
    life.change(even("240 mcg/day"))
    assert missing(life) == "the concentration was changed"
    life = steady(60)
    life.lost_pulses = -2
    assert missing(life) == "the pump gave more than what was ordered"
    life = steady(60, 240)
    life.wait(HOUR)
    life.change(even("250 mcg/day"), own=False)
    life.wait(HOUR)
    life.change(even("250 mcg/day"))
    life.wait(BACK + HOUR)
    assert known(life, "24 h").given is not None
    life = steady(60)
    life.change(even("260 mcg/day"), own=False)
    life.change(even("250 mcg/day"), own=False)
    life.wait(50 * HOUR)
    assert missing(life, "7 d").startswith("another station changed the program")
    assert known(life, "24 h").given is not None


@pytest.mark.requirement("LIM-05")
def test_pulses_that_are_missing_are_counted_all_the_same() -> None:
    life = steady(60)
    life.lost_pulses = 40
    assert given_by(life, 24) == 240, "more than was given: the safe side"
