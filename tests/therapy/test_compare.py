"""Old beside new: percent and rows."""

from __future__ import annotations

from fractions import Fraction

from pumpctl.therapy.compare import (
    bolus_lines,
    change,
    day_rows,
    days_label,
    greatest_changes,
    is_reduction,
    percent_text,
    share_text,
    summary,
)
from tests.therapy.samples import FLEX, altered, even, flex, minimum, profile


def test_percent() -> None:
    assert percent_text(410_000, 438_000) == "+6.8 %"
    assert percent_text(43, 46) == "+7.0 %"
    assert percent_text(376, 376) == "0 %"
    assert percent_text(0, 376) == "new" and percent_text(0, 0) == "0 %"
    assert percent_text(376, 0) == "-100.0 %"
    assert percent_text(2000, 2001) == "+0.1 %"  # half away from zero, up
    assert percent_text(2000, 1999) == "-0.1 %"  # and down
    assert percent_text(10_000, 10_004) == "+0.0 %"  # not equal, and said so
    assert change(Fraction(1, 3), Fraction(2, 3)) == 1 and change(0, 5) is None


def test_share() -> None:
    assert share_text(216, 376) == "57 %"
    assert share_text(1, 0) == "-"


def test_rows_join_days_that_are_alike() -> None:
    old = flex([[(0, "17")]] * 5 + [[(0, "14")]] * 2)
    new = flex([[(0, "18")]] * 5 + [[(0, "14")]] * 2)
    rows = [
        (row.label, row.days, str(row.old), str(row.new), row.percent) for row in day_rows(old, new)
    ]
    assert rows == [
        ("Mon-Fri", (0, 1, 2, 3, 4), "408 mcg/day", "432 mcg/day", "+5.9 %"),
        ("Sat-Sun", (5, 6), "336 mcg/day", "336 mcg/day", "0 %"),
    ]
    assert [row.label for row in day_rows(even(), even())] == ["every day"]
    lone = flex([[(0, "17")]] * 2 + [[(0, "14")]] + [[(0, "17")]] * 4)
    assert [row.label for row in day_rows(lone, lone)] == ["Mon-Tue", "Wed", "Thu-Sun"]
    first = day_rows(None, even())
    assert first[0].old is None and first[0].percent == "new"
    assert first[0].new == even().days[0][0].rate


def test_summary() -> None:
    told = summary(profile(FLEX).program)
    assert str(told.largest_day) == "438 mcg/day" and str(told.smallest_day) == "376 mcg/day"
    assert str(told.largest_hour) == "46 mcg" and str(told.flow) == "0.219 mL/day"
    assert str(told.largest_24h_with_patient_doses) == "468 mcg"
    assert told.fallback_share == "57 %" and len(told.daily_doses) == 7
    assert (told.drug, str(told.concentration)) == ("baclofen", "2000 mcg/mL")
    assert str(told.fallback) == "216 mcg/day"
    assert summary(minimum()).fallback_share == "100 %"


def test_changes_day_by_day() -> None:
    old = profile(FLEX).program
    less = profile(
        altered(
            FLEX,
            ('"00:00", basal = "14 mcg/h" } ]', '"00:00", basal = "13 mcg/h" } ]'),
            ("376 mcg/day", "352 mcg/day"),
        )
    ).program
    assert greatest_changes(old, less) == (Fraction(-24, 376), Fraction(0))
    assert greatest_changes(less, old) == (Fraction(0), Fraction(24, 352))
    assert is_reduction(old, less) and not is_reduction(less, old)
    assert not is_reduction(old, old)
    mixed = flex([[(0, "10")], *[[(0, "20")]] * 6])
    assert not is_reduction(even("400 mcg/day"), mixed)
    low, high = greatest_changes(even("400 mcg/day"), mixed)
    assert (low, high) == (Fraction(-160, 400), Fraction(80, 400))


def test_days_are_named_in_runs() -> None:
    assert days_label(tuple(range(7))) == "every day"
    assert days_label((0, 1, 2, 3, 4)) == "Mon-Fri" and days_label((5, 6)) == "Sat-Sun"
    assert days_label((0, 2, 3, 6)) == "Mon, Wed-Thu, Sun" and days_label((3,)) == "Thu"


def test_boluses_that_are_alike_stand_in_one_line() -> None:
    program = flex(
        [[(0, "10")]],
        [
            *((day, at, "20 mcg", "10 min") for day in range(7) for at in (420, 1260)),
            *((day, 720, "20 mcg", "10 min") for day in (0, 2, 4)),
            (6, 720, "5 mcg", "10 min"),
        ],
    )
    assert bolus_lines(program) == [
        "20 mcg = 0.01 mL over 10 min at 07:00, 21:00, every day",
        "20 mcg = 0.01 mL over 10 min at 12:00, Mon, Wed, Fri",
        "5 mcg = 0.0025 mL over 10 min at 12:00, Sun",
    ]
    assert bolus_lines(even()) == []
