"""Weaning: steps down to a chosen end, each a program of its own."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpctl.errors import InputRefused
from pumpctl.quantities import Mass, Percent, Rate, Volume
from pumpctl.therapy.figures import daily_doses, largest_day
from pumpctl.therapy.moment import Date
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.scaling import Boluses
from pumpctl.therapy.weaning import MAX_DAYS, MAX_STEPS, WeaningStep, unlike_published, weaning
from tests.therapy.samples import even, flex, minimum

TUESDAY = Date.parse("2026-03-31")
WEEKEND = flex(
    [[(0, "20")]] * 5 + [[(0, "10")]] * 2, [(day, 60, "20 mcg", "10 min") for day in range(7)]
)


def wean(
    program: Program, by: str, days: int, to: str | None, boluses: Boluses = Boluses.SCALED
) -> tuple[WeaningStep, ...]:
    end = None if to is None else Rate.parse(to)
    return weaning(program, Percent.parse(by), days, end, TUESDAY, boluses=boluses)


def test_steps_go_down_by_the_percentage_and_end_at_the_dose() -> None:
    steps = wean(even("200 mcg/day", 500), "20 %", 2, "100 mcg/day")
    assert [str(step.dose) for step in steps] == [
        "160 mcg/day", "128 mcg/day", "102.4 mcg/day", "100 mcg/day",
    ]  # fmt: skip
    assert [step.change for step in steps] == ["-20.0 %", "-20.0 %", "-20.0 %", "-2.3 %"]
    assert [str(step.date) for step in steps] == [
        "2026-03-31", "2026-04-02", "2026-04-04", "2026-04-06",
    ]  # fmt: skip
    assert [step.days for step in steps] == [2, 2, 2, None]
    assert (steps[0].mass, steps[0].volume) == (Mass.parse("320 mcg"), Volume.parse("0.64 mL"))
    assert (steps[-1].mass, steps[-1].volume) == (None, None)
    assert steps[0].program.fallback == Rate.parse("240 mcg/day")


def test_it_may_end_in_minimum_rate_which_is_a_declared_flow() -> None:
    *before, last = wean(even("200 mcg/day"), "30 %", 1, None)
    assert last.program.mode is Mode.MINIMUM and last.dose == Rate.parse("96 mcg/day")
    assert [str(step.dose) for step in before] == ["140 mcg/day", "98 mcg/day"]
    assert last.program.low_alarm == even().low_alarm


def test_the_mass_of_a_step_follows_its_days() -> None:
    first, *_ = wean(WEEKEND, "50 %", 7, "100 mcg/day")
    doses = daily_doses(first.program)
    assert doses[0] == 250_000 and doses[6] == 130_000
    assert first.mass == Mass(5 * 250_000 + 2 * 130_000)
    first, *_ = wean(WEEKEND, "50 %", 4, "100 mcg/day")
    assert first.mass == Mass(250_000 * 3 + 250_000), "tuesday to friday"


def test_boluses_may_be_kept() -> None:
    steps = wean(WEEKEND, "20 %", 1, "250 mcg/day", Boluses.KEPT)
    assert all(step.program.boluses == WEEKEND.boluses for step in steps)
    assert 250_000 <= largest_day(steps[-1].program) < 250_024
    with pytest.raises(InputRefused, match="basal"):
        wean(WEEKEND, "50 %", 1, "10 mcg/day", Boluses.KEPT)


@pytest.mark.parametrize(
    ("program", "by", "days", "to", "words"),
    [
        (minimum(), "20 %", 1, None, "cannot be reduced"),
        (even(), "0 %", 1, "100 mcg/day", "no step"),
        (even(), "100 %", 1, "100 mcg/day", "no step"),
        (even(), "20 %", 0, "100 mcg/day", "one day"),
        (even(), "20 %", 1, "0 mcg/day", "is a stop"),
        (even(), "20 %", 1, "450 mcg/day", "not below"),
        (even("90 mcg/day"), "20 %", 1, None, "not below"),
        (even(), "1 %", 1, "100 mcg/day", f"more than {MAX_STEPS} steps"),
    ],
)
def test_what_is_no_weaning(program: Program, by: str, days: int, to: str, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        wean(program, by, days, to)


def test_a_step_too_small_to_be_programmed_ends_it() -> None:
    """The first step is one of 0.001 mcg/h, the next would be less than that."""
    small = flex([[(0, "0.002")]] * 7)
    with pytest.raises(InputRefused, match="can be programmed"):
        wean(small, "10 %", 1, "0.001 mcg/day")
    small = flex([[(0, "0.01")]] * 7)
    with pytest.raises(InputRefused, match="no change that can be programmed"):
        wean(small, "10 %", 1, "0.001 mcg/day")


def test_percentages_beside_the_published_ones_are_told() -> None:
    for text in ("10 %", "20 %", "50 %"):
        assert unlike_published(Percent.parse(text)) is None
    for text in ("5 %", "50.01 %"):
        told = unlike_published(Percent.parse(text))
        assert told is not None and "published examples" in told and text in told


def test_rounding_does_not_pile_up() -> None:
    steps = wean(
        flex([[(0, "7.777"), (421, "13.331"), (1003, "9.999")]] * 7), "11 %", 1, "60 mcg/day"
    )
    before = largest_day(flex([[(0, "7.777"), (421, "13.331"), (1003, "9.999")]] * 7))
    for step in steps[:-1]:
        wanted = before * Fraction(89, 100)
        before = largest_day(step.program)
        assert 0 <= before - wanted < 25


def test_a_step_of_a_year_is_multiplied_out_in_weeks() -> None:
    first, *_ = wean(WEEKEND, "50 %", MAX_DAYS, "100 mcg/day")
    doses = daily_doses(first.program)
    every = sum(doses[TUESDAY.plus(day).weekday] for day in range(MAX_DAYS))
    assert first.mass == Mass(int(every))


def test_a_step_that_would_never_end_is_refused_at_once() -> None:
    for days in (MAX_DAYS + 1, 999_999_999):
        with pytest.raises(InputRefused, match="at most 366 days"):
            wean(even(), "10 %", days, "100 mcg/day")


def test_no_step_begins_after_the_last_date_that_can_be_written() -> None:
    def ends(start: str) -> str:
        steps = weaning(even(), Percent.parse("50 %"), 10, Rate.parse("200 mcg/day"),
                        Date.parse(start))  # fmt: skip
        return str(steps[-1].date)

    assert ends("9999-12-21") == "9999-12-31"
    with pytest.raises(InputRefused, match="9999-12-31"):
        ends("9999-12-22")
