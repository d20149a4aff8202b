"""By when a pump is replaced: a table of dates worked out by hand, leap years in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.therapy.battery import Replacement, Wear, replacement, years_later
from pumpctl.therapy.moment import Date


def date(text: str) -> Date:
    return Date.parse(text)


SEVEN_YEARS = [
    ("2019-03-01", "2026-03-01"),
    ("2025-01-01", "2032-01-01"),
    ("2017-12-31", "2024-12-31"),
    ("2021-02-28", "2028-02-28"),  # into a leap year: not the 29th
    ("2016-02-29", "2023-02-28"),  # out of one: the day before, never the day after
    ("2024-02-29", "2031-02-28"),
    ("2093-02-28", "2100-02-28"),  # 2100 is none
    ("2096-02-29", "2103-02-28"),
    ("1993-02-28", "2000-02-28"),  # 2000 was one
    ("2024-03-01", "2031-03-01"),
]
NINETY_DAYS = [
    ("2023-01-01", "2023-04-01"),  # 30 + 28 + 31 + 1
    ("2024-01-01", "2024-03-31"),  # 30 + 29 + 31
    ("2022-12-01", "2023-03-01"),  # 30 + 31 + 28 + 1
    ("2023-12-01", "2024-02-29"),  # 30 + 31 + 29
    ("2024-11-30", "2025-02-28"),  # 31 + 31 + 28
    ("2099-12-01", "2100-03-01"),  # 30 + 31 + 28 + 1
    ("1999-12-01", "2000-02-29"),
    ("2025-10-03", "2026-01-01"),  # 28 + 30 + 31 + 1
]


@pytest.mark.requirement("REF-05")
@pytest.mark.parametrize(("implanted", "by"), SEVEN_YEARS)
def test_7_the_service_life(implanted: str, by: str) -> None:
    told = replacement(date(implanted))
    assert told is not None
    assert (str(told.by), told.because) == (by, Wear.SERVICE_LIFE)


@pytest.mark.requirement("REF-05")
@pytest.mark.parametrize(("eri", "by"), NINETY_DAYS)
def test_7_ninety_days_after_the_announcement(eri: str, by: str) -> None:
    told = replacement(None, date(eri))
    assert told is not None
    assert (str(told.by), told.because) == (by, Wear.ELECTIVE_REPLACEMENT)


def test_the_operation_is_planned_three_months_ahead() -> None:
    assert replacement(date("2019-03-01")) == Replacement(
        date("2026-03-01"), Wear.SERVICE_LIFE, date("2025-12-01")
    )


@pytest.mark.requirement("REF-05")
def test_the_earliest_counts_and_the_pump_is_not_believed_alone() -> None:
    implanted = date("2019-03-01")  # until 2026-03-01
    cases = [
        ("2025-11-30", None, "2026-02-28", Wear.ELECTIVE_REPLACEMENT),
        ("2025-12-01", None, "2026-03-01", Wear.SERVICE_LIFE),
        ("2025-12-02", None, "2026-03-01", Wear.SERVICE_LIFE),
        (None, "2026-02-27", "2026-02-27", Wear.PUMP),
        (None, "2027-03-01", "2026-03-01", Wear.SERVICE_LIFE),  # a date that was too late
        ("2025-11-01", "2025-12-24", "2025-12-24", Wear.PUMP),
    ]
    for eri, told, by, because in cases:
        found = replacement(implanted, date(eri) if eri else None, date(told) if told else None)
        assert found is not None
        assert (str(found.by), found.because) == (by, because)
    assert replacement(None) is None


@given(st.integers(-100_000, 200_000), st.integers(0, 50))
def test_years_later_is_never_later_than_the_calendar_says(number: int, years: int) -> None:
    start = Date(number)
    end = years_later(start, years)
    assert int(str(end)[:4]) == int(str(start)[:4]) + years
    assert str(end)[5:] == str(start)[5:] or (str(start)[5:], str(end)[5:]) == ("02-29", "02-28")
    assert 365 * years <= end.number - start.number <= 366 * years
