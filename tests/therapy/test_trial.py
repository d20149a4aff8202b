"""The screening trial: what the label permits next, and the starting dose."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.quantities import Duration, Mass, Rate, round_down, volume_of
from pumpctl.therapy import label
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.trial import End, Inject, Injection, Next, Observe, Start, Why, next_step

DAY = 86_400_000
BEGIN = Moment.parse("2026-03-31T09:00:00+02:00")


def tried(*doses: str, apart: int = DAY) -> list[Injection]:
    """Injections without response, one after another."""
    given = enumerate(doses)
    return [Injection(Mass.parse(dose), BEGIN.plus(at * apart), worked=False) for at, dose in given]


def after(*doses: str, years: int = 40, **last: Any) -> Next:
    """The next step where only the last injection was answered otherwise."""
    given = tried(*doses)
    given[-1] = given[-1]._replace(**last)
    return next_step(given, years=years)


def offered(step: Next) -> list[str]:
    assert isinstance(step, Inject)
    return [str(each.dose) for each in step.options]


@pytest.mark.requirement("LIM-09")
def test_w1_screening_is_50_75_100_mcg_in_1_1_5_and_2_ml() -> None:
    first = next_step([], years=40)
    second = after("50 mcg")
    third = after("50 mcg", "75 mcg")
    for step, dose, volume in (
        (first, "50 mcg", "1 mL"), (second, "75 mcg", "1.5 mL"), (third, "100 mcg", "2 mL"),
    ):  # fmt: skip
        assert isinstance(step, Inject)
        assert [(str(each.dose), str(each.volume)) for each in step.options] == [(dose, volume)]
        assert str(step.over) == "1 min"
        assert [str(each) for each in step.observed] == ["4 h", "8 h"]
        assert step.source.startswith("screening")
    assert isinstance(first, Inject) and first.earliest is None
    assert isinstance(second, Inject) and second.earliest == BEGIN.plus(DAY)
    assert isinstance(third, Inject) and third.earliest == BEGIN.plus(2 * DAY)


def test_every_volume_is_its_dose_at_the_concentration_of_the_ampoule() -> None:
    for step in (*label.SCREENING_STEPS, label.SCREENING_CHILD.value):
        exact = volume_of(step.dose, label.SCREENING_CONCENTRATION)
        assert exact == round_down(exact) == step.volume.quanta


@pytest.mark.requirement("LIM-09")
def test_a_small_child_may_begin_with_25_mcg() -> None:
    assert offered(next_step([], years=4)) == ["25 mcg", "50 mcg"]
    assert offered(next_step([], years=11)) == ["25 mcg", "50 mcg"]
    assert offered(next_step([], years=12)) == ["50 mcg"]
    assert offered(after("25 mcg", years=6)) == ["50 mcg"]
    assert offered(after("25 mcg", "50 mcg", years=6)) == ["75 mcg"]
    assert offered(after("50 mcg", years=6)) == ["75 mcg"]
    ended = after("25 mcg", years=30)
    assert isinstance(ended, End) and ended.kind is Why.OUTSIDE_LABEL


@pytest.mark.requirement("LIM-09")
def test_under_4_years_it_is_not_indicated() -> None:
    for given in ([], tried("25 mcg")):
        ended = next_step(given, years=3)
        assert isinstance(ended, End) and ended.kind is Why.NOT_INDICATED
        assert "under 4 years" in ended.why


@pytest.mark.requirement("LIM-09")
def test_no_response_to_100_mcg_is_no_candidate() -> None:
    ended = after("50 mcg", "75 mcg", "100 mcg")
    assert isinstance(ended, End) and ended.kind is Why.NOT_A_CANDIDATE
    assert "100 mcg" in ended.why


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize(
    ("effect", "reaction", "dose", "times"),
    [
        ("6 h", False, "100 mcg/day", 2),
        ("8 h", False, "100 mcg/day", 2),
        ("8.001 h", False, "50 mcg/day", 1),
        ("6 h", True, "50 mcg/day", 1),
        (None, True, "50 mcg/day", 1),
    ],
)
def test_w2_start_with_twice_the_dose_that_worked_or_once(
    effect: str | None, reaction: bool, dose: str, times: int
) -> None:
    lasted = None if effect is None else Duration.parse(effect)
    start = after("50 mcg", worked=True, effect=lasted, bad_reaction=reaction)
    assert isinstance(start, Start)
    assert (start.dose, start.times) == (Rate.parse(dose), times)
    assert start.source == label.START_SOURCE
    assert f"{times} x 50 mcg over 24 h" in start.why


def test_the_starting_rule_takes_the_injection_that_worked() -> None:
    start = after("50 mcg", "75 mcg", worked=True, effect=Duration.parse("5 h"))
    assert isinstance(start, Start) and start.dose == Rate.parse("150 mcg/day")


def test_nobody_starts_before_the_answer_is_known() -> None:
    for unknown in (after("50 mcg", worked=None), after("50 mcg", worked=True)):
        assert isinstance(unknown, Observe)
        assert unknown.first == BEGIN.plus(4 * 3_600_000)
        assert unknown.last == BEGIN.plus(8 * 3_600_000)
        assert unknown.why


@pytest.mark.parametrize(
    ("doses", "last"),
    [
        (["75 mcg"], {}),
        (["100 mcg"], {"worked": True, "effect": Duration.parse("5 h")}),
        (["50 mcg", "50 mcg"], {}),
        (["50 mcg", "100 mcg"], {}),
        (["50 mcg", "75 mcg", "100 mcg", "100 mcg"], {}),
        (["50 mcg"], {"bad_reaction": True}),
    ],
)
def test_where_the_steps_are_left_nothing_is_proposed(
    doses: list[str], last: dict[str, Any]
) -> None:
    ended = after(*doses, **last)
    assert isinstance(ended, End) and ended.kind is Why.OUTSIDE_LABEL
    assert "no next step" in ended.why


@pytest.mark.parametrize("first", [{"worked": True}, {"worked": None}, {"bad_reaction": True}])
def test_one_more_after_a_dose_that_had_not_failed(first: dict[str, Any]) -> None:
    given = tried("50 mcg", "75 mcg")
    given[0] = given[0]._replace(**first)
    ended = next_step(given, years=40)
    assert isinstance(ended, End) and "had not failed" in ended.why


@pytest.mark.requirement("LIM-09")
def test_injections_less_than_24_h_apart_leave_the_label() -> None:
    assert offered(next_step(tried("50 mcg", "75 mcg", apart=DAY), years=40)) == ["100 mcg"]
    ended = next_step(tried("50 mcg", "75 mcg", apart=DAY - 1), years=40)
    assert isinstance(ended, End) and "2026-04-01 09:00" in ended.why


def test_after_a_brain_injury_a_year_passes_first() -> None:
    injured = BEGIN.plus(-100 * DAY)
    step = next_step([], years=40, injured=injured)
    assert isinstance(step, Inject)
    assert step.earliest == injured.plus(365 * DAY) and "brain injury" in step.why
    early = next_step(tried("50 mcg"), years=40, injured=injured)
    assert isinstance(early, End) and early.kind is Why.OUTSIDE_LABEL
    later = next_step(tried("50 mcg"), years=40, injured=BEGIN.plus(-365 * DAY))
    assert offered(later) == ["75 mcg"]
