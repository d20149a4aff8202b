"""Courses of real time: exact sums, instants and windows, against the program's own week."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpctl.therapy.course import Course, Piece, course_of, week_start
from pumpctl.therapy.curve import HOUR_MS, WEEK_MS, Curve
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.moment import DAY_MS, Moment
from tests.therapy.samples import FLEX, profile

MONDAY = Moment.parse("2026-11-16T00:00:00Z").utc_ms


def test_a_course_is_the_sum_of_its_pieces() -> None:
    course = Course([Piece(0, 10, 100), Piece(5, 15, Fraction(1, 3))])
    assert course.between(0, 10) == 100 + Fraction(1, 6)
    assert course.upto(-1) == 0
    assert course.upto(99) == course.between(-5, 20) == 100 + Fraction(1, 3)
    assert [course.rate(time) for time in (-1, 0, 15)] == [0, 10, 0]
    assert (course + course).upto(15) == 2 * course.upto(15)
    assert course.scaled(Fraction(1, 2)).upto(15) == course.upto(15) / 2
    assert Course([Piece(3, 3, 0)]).breaks == ()


@pytest.mark.parametrize("piece", [Piece(3, 3, 1), Piece(4, 3, 1), Piece(3, 4, -1)])
def test_a_piece_that_cannot_be_given_is_refused(piece: Piece) -> None:
    with pytest.raises(ValueError, match="cannot be given"):
        Course([piece])


def test_when_skips_what_gives_nothing() -> None:
    course = Course([Piece(0, 10, 10), Piece(20, 30, 10)])
    assert course.when(10, 0) == 10
    assert course.when(11, 0) == 21
    assert course.when(1, 12) == 21
    assert course.when(0, 7) == 7
    assert course.when(20, 0) == 30
    assert course.when(21, 0) is None
    assert Course([]).when(1, 0) is None


def test_the_largest_window_starts_or_ends_at_a_break() -> None:
    course = Course([Piece(0, 100, 100), Piece(50, 60, 50)])
    assert course.largest(20, 0, 100) == 70
    assert course.largest_at(20, 0, 100) == 40
    assert course.largest(20, 0, 35) == 20 + 25
    assert course.cut(55, 200).upto(200) == 45 + 25
    assert course.cut(200, 300).breaks == ()


def test_a_program_on_the_calendar_gives_what_its_week_says() -> None:
    program = profile(FLEX).program
    course = course_of(program, MONDAY, MONDAY + 3 * WEEK_MS)
    assert course.upto(MONDAY + 4 * WEEK_MS) == 3 * sum(daily_doses(program))
    curve = Curve(program)
    for start, end in ((0, HOUR_MS), (3 * DAY_MS + 7, 9 * DAY_MS + 11), (0, WEEK_MS)):
        assert course.between(MONDAY + start, MONDAY + end) == curve.between(start, end)
    assert course.largest(HOUR_MS, MONDAY, MONDAY + WEEK_MS) == curve.largest(HOUR_MS)


def test_a_bolus_that_began_goes_on_and_one_of_before_is_not_given() -> None:
    program = profile(FLEX).program  # boluses at 07:00, 21:00 over 10 min
    seven = MONDAY + 7 * HOUR_MS
    basal = Fraction(program.days[0][1].rate.quanta * 300_000, DAY_MS)
    ends = course_of(program, seven, seven + 300_000)
    assert ends.upto(seven + HOUR_MS) == 20_000 + basal
    assert ends.cut(seven, seven + 300_000).upto(seven + HOUR_MS) == 10_000 + basal
    late = course_of(program, seven + 1, seven + 300_001)
    assert late.upto(seven + HOUR_MS) == basal


def test_weeks_begin_on_monday() -> None:
    assert week_start(MONDAY) == MONDAY
    assert week_start(MONDAY - 1) == MONDAY - WEEK_MS
    assert week_start(MONDAY + 5 * DAY_MS) == MONDAY
    assert week_start(0) == -3 * DAY_MS
