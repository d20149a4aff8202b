"""The dose-window rule, on the history that defeated a rule which only looks back."""

from __future__ import annotations

import pytest

from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.curve import HOUR_MS
from pumpctl.therapy.moment import MINUTE_MS, Moment
from pumpctl.therapy.program import Mode, continuous, make_program
from pumpctl.therapy.windows import windows_ahead

NOW = Moment.parse("2026-11-16T00:05:00Z").utc_ms
HOUR = Duration.parse("1 h")
PROGRAM = make_program(
    Mode.CONTINUOUS,
    "baclofen",
    Concentration(500),
    low_alarm=Volume.parse("2 mL"),
    fallback=Rate.parse("60 mcg/day"),
    days=continuous(Rate.parse("1440 mcg/day")),
)
"""Basal 1 mcg/min."""
PAST = Course([Piece(NOW - 5 * MINUTE_MS, NOW, 5_000)])
"""Started five minutes ago."""
BOLUS = Course([Piece(NOW, NOW + MINUTE_MS, 10_000)])


@pytest.mark.requirement("LIM-05")
def test_a_bolus_that_would_overfill_a_later_window_is_seen() -> None:
    looking_back = PAST.between(NOW - HOUR_MS, NOW) + 10_000
    assert looking_back <= 65_000  # a rule of the past alone lets it through
    (over,) = windows_ahead(PAST, PROGRAM, NOW, [(HOUR, Mass(65_000))], BOLUS)
    assert over.mass == 70_000
    assert over.start <= NOW


@pytest.mark.requirement("LIM-05")
def test_what_fits_passes_and_a_window_of_before_is_not_judged() -> None:
    assert windows_ahead(PAST, PROGRAM, NOW, [(HOUR, Mass(70_000))], BOLUS) == ()
    assert windows_ahead(PAST, PROGRAM, NOW, [(HOUR, Mass(60_000))]) == ()
    heavy = Course([Piece(NOW - 2 * HOUR_MS, NOW - HOUR_MS, 500_000)])
    assert windows_ahead(heavy, None, NOW, [(HOUR, Mass(65_000))]) == ()
    (over,) = windows_ahead(heavy, PROGRAM, NOW + 1 - HOUR_MS, [(HOUR, Mass(65_000))])
    assert over.mass > 499_000
