"""The counter of pulses finds mistakes planted in the real code, within a CI-size run.

Each is a mistake that somebody could make, most of them small: a step that ends a minute
late, a bolus of another day, a rounding the other way, an average day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import accumulate, islice

import pytest

from pumpctl.quantities import (
    Duration,
    Flow,
    Mass,
    Rate,
    Volume,
    round_down,
    round_half_up,
    round_up,
)
from pumpctl.therapy import course, curve, figures, forecast
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.program import Program, Step
from tests.oracles import draw_programs, judge_programs
from tests.oracles.judge_programs import judge
from tests.oracles.runner import run
from tests.oracles.tally import DIFFERENCES, Tally
from tests.oracles.test_programs import CASES, SEED

Patch = pytest.MonkeyPatch


def found() -> str:
    """What the oracle says of the first case it finds, within as many as the suite runs."""
    tally = Tally()
    for index in range(CASES):
        judge(SEED, index, tally)
        if tally.counts[DIFFERENCES]:
            return "\n".join(tally.told)
    pytest.fail(f"{CASES} cases, and the fault was not found")


def a_step_ends_a_minute_late(patch: Patch) -> None:
    def basal_of(steps: tuple[Step, ...]) -> Fraction:
        ends = [step.start + 1 for step in steps[1:]] + [1_440]
        return Fraction(
            sum(s.rate.quanta * (end - s.start) for s, end in zip(steps, ends, strict=True)), 1_440
        )

    patch.setattr(figures, "basal_of", basal_of)


def a_step_begins_a_ms_late(patch: Patch) -> None:
    true = curve.basal_changes

    def late(program: Program) -> Iterator[tuple[int, int]]:
        for time, rate in true(program):
            yield (time + 1 if time % DAY_MS else time), rate

    patch.setattr(curve, "basal_changes", late)


def the_steps_of_the_calendar_are_a_day_off(patch: Patch) -> None:
    true = course.week_start
    patch.setattr(course, "week_start", lambda label: true(label - DAY_MS) + DAY_MS)


def a_bolus_counts_to_the_day_in_which_it_ends(patch: Patch) -> None:
    def daily_doses(program: Program) -> tuple[Fraction, ...]:
        doses = [*true(program._replace(boluses=()))]
        for bolus in program.boluses:
            ends = bolus.day * DAY_MS + bolus.at * MINUTE_MS + bolus.over.quanta
            doses[(ends - 1) // DAY_MS % 7] += bolus.dose.quanta
        return tuple(doses)

    true = figures.daily_doses
    patch.setattr(figures, "daily_doses", daily_doses)


def a_bolus_ends_with_sunday(patch: Patch) -> None:
    true = curve._slopes

    def slopes(program: Program, scale: int) -> dict[int, int]:
        short = [
            bolus._replace(
                over=Duration(
                    min(bolus.over.quanta, 7 * DAY_MS - bolus.day * DAY_MS - bolus.at * MINUTE_MS)
                )
            )
            for bolus in program.boluses
        ]
        return true(program._replace(boluses=tuple(short)), scale)

    patch.setattr(curve, "_slopes", slopes)


def an_hour_is_shown_rounded_down(patch: Patch) -> None:
    patch.setattr(figures, "round_up", round_down)


def a_total_is_shown_rounded_up(patch: Patch) -> None:
    true = figures.week

    def week(program: Program) -> tuple[figures.DayFigures, ...]:
        doses = figures.daily_doses(program)
        return tuple(
            row._replace(daily_dose=Rate(round_up(doses[row.day]))) for row in true(program)
        )

    patch.setattr(figures, "week", week)


def a_flow_is_shown_rounded_down(patch: Patch) -> None:
    def flow(program: Program) -> Flow:
        return Flow(round_down(figures.largest_day(program) * 1_000 / program.concentration.quanta))

    patch.setattr(figures, "flow_of_largest_day", flow)


def an_hour_starts_at_whole_minutes_only(patch: Patch) -> None:
    def largest(self: curve.Curve, window: int, start: int = 0, end: int = 7 * DAY_MS) -> Fraction:
        starts = {start, end}
        for edge in self.breaks:
            for time in (edge, edge - window):
                starts.add(time // MINUTE_MS * MINUTE_MS)
                starts.add((time + 7 * DAY_MS) // MINUTE_MS * MINUTE_MS)
        return max(self.between(at, at + window) for at in starts if start <= at <= end)

    patch.setattr(curve.Curve, "largest", largest)


def an_hour_ends_with_its_week(patch: Patch) -> None:
    true = curve.Curve.largest

    def largest(self: curve.Curve, window: int, start: int = 0, end: int = 7 * DAY_MS) -> Fraction:
        return true(self, window, start, min(end, 7 * DAY_MS - window))

    patch.setattr(curve.Curve, "largest", largest)


def a_date_is_rounded_up(patch: Patch) -> None:
    true = forecast._periods

    def periods(of: curve.Curve, program: Program, volume: Volume, *rest: object) -> int:
        count = true(of, program, volume, *rest)  # type: ignore[arg-type]
        return count + (volume > program.low_alarm)

    patch.setattr(forecast, "_periods", periods)


def a_date_is_of_an_average_day(patch: Patch) -> None:
    def periods(
        of: curve.Curve, program: Program, volume: Volume, low_alarm: Volume, start: Moment
    ) -> int:
        if volume <= low_alarm:
            return 0
        own = figures.patient_doses_24h(program).quanta
        day = of.between(0, 7 * DAY_MS) / 7 + own
        usable = Fraction((volume - low_alarm).quanta * program.concentration.quanta, 1_000)
        return round_down(usable / day)

    patch.setattr(forecast, "_periods", periods)


def a_date_forgets_the_patient_s_doses(patch: Patch) -> None:
    patch.setattr(forecast, "patient_doses_24h", lambda program: Mass(0))


def the_alarm_itself_is_a_period_too_far(patch: Patch) -> None:
    def periods(
        of: curve.Curve, program: Program, volume: Volume, low_alarm: Volume, start: Moment
    ) -> int:
        usable = Fraction(
            max(0, volume.quanta - low_alarm.quanta) * program.concentration.quanta, 1_000
        )
        own, first = figures.patient_doses_24h(program).quanta, start.label_ms + 3 * DAY_MS
        days = (
            of.between(first + day * DAY_MS, first + (day + 1) * DAY_MS) + own
            for day in range(40_000)
        )
        return sum(1 for _ in islice(_while_below(days, usable), 40_000))

    def _while_below(days: Iterable[Fraction], usable: Fraction) -> Iterator[Fraction]:
        for used in accumulate(days):
            if used >= usable:
                return
            yield used

    patch.setattr(forecast, "_periods", periods)


def a_pulse_comes_a_whole_ms_later(patch: Patch) -> None:
    true = Course.when

    def when(self: Course, amount: Fraction | int, start: Fraction | int) -> Fraction | None:
        found = true(self, amount, start)
        return None if found is None else Fraction(round_up(found))

    patch.setattr(Course, "when", when)


def a_ng_is_lost_in_the_rate_of_a_course(patch: Patch) -> None:
    true = course._basal_pieces

    def pieces(program: Program, start: int, end: int) -> Iterator[Piece]:
        for piece in true(program, start, end):
            yield piece._replace(amount=round_half_up(Fraction(piece.amount)))

    patch.setattr(course, "_basal_pieces", pieces)


@pytest.mark.requirement("UNI-05")
@pytest.mark.parametrize(
    ("plant", "figure"),
    [
        (a_step_ends_a_minute_late, "dose of day"),
        (a_step_begins_a_ms_late, "mass from"),
        (the_steps_of_the_calendar_are_a_day_off, "mass from"),
        (a_bolus_counts_to_the_day_in_which_it_ends, "dose of day"),
        (a_bolus_ends_with_sunday, "largest hour of day 0"),
        (an_hour_is_shown_rounded_down, "largest hour of day"),
        (a_total_is_shown_rounded_up, "dose shown of day"),
        (a_flow_is_shown_rounded_down, "flow of the largest day"),
        (an_hour_starts_at_whole_minutes_only, "largest 24 h"),
        (an_hour_ends_with_its_week, "largest 24 h"),
        (a_date_is_rounded_up, "whole periods of"),
        (a_date_is_of_an_average_day, "whole periods of"),
        (a_date_forgets_the_patient_s_doses, "whole periods of"),
        (the_alarm_itself_is_a_period_too_far, "whole periods of"),
        (a_pulse_comes_a_whole_ms_later, "instant of pulse"),
        (a_ng_is_lost_in_the_rate_of_a_course, "mass from"),
    ],
)
def test_a_fault_in_the_arithmetic_is_found(
    plant: Callable[[Patch], None], figure: str, monkeypatch: Patch
) -> None:
    plant(monkeypatch)
    told = found()
    assert f": {figure}" in told


def test_a_run_that_exercised_nothing_of_a_class_fails(monkeypatch: Patch) -> None:
    real = draw_programs.a_program
    monkeypatch.setattr(judge_programs, "a_program", lambda dice: {**real(dice), "patient": None})
    result = run("programs", 120, 1)
    assert not result.tally.counts[DIFFERENCES]
    assert "with patient doses" in result.missing
    assert not result.passed
    assert "NEVER EXERCISED: with patient doses" in str(result)
