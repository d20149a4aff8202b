"""Instants and dates, against the standard library's calendar."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.errors import UsageError
from pumpctl.therapy.moment import DAY_MS, Date, Moment, clock_text

EPOCH = dt.date(1970, 1, 1)


@settings(deadline=None)
@given(st.dates())
def test_dates_agree_with_the_calendar(day: dt.date) -> None:
    date = Date((day - EPOCH).days)
    assert str(date) == day.isoformat()
    assert date.weekday == day.weekday()
    assert Date.parse(day.isoformat()) == date
    assert date.plus(1).number == date.number + 1


@settings(deadline=None)
@given(st.integers(-(10**13), 10**13), st.integers(-14 * 60, 14 * 60))
def test_moments_agree_with_the_calendar(utc_ms: int, offset: int) -> None:
    zone = dt.timezone(dt.timedelta(minutes=offset))
    at = (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=utc_ms)).astimezone(
        zone
    )
    moment = Moment(utc_ms, offset)
    assert dt.datetime.fromisoformat(str(moment)) == at
    assert Moment.parse(str(moment)) == moment
    assert (moment.day, moment.minute) == (at.weekday(), at.hour * 60 + at.minute)
    assert moment.label() == f"{at:%Y-%m-%d %H:%M}"
    assert moment.date == Date((at.date() - EPOCH).days)


@pytest.mark.requirement("TIM-03")
def test_a_moment_keeps_its_offset() -> None:
    moment = Moment.parse("2026-03-31T23:30:00+02:00")
    assert str(moment) == "2026-03-31T23:30:00+02:00"
    assert str(moment.plus(DAY_MS // 24)) == "2026-04-01T00:30:00+02:00"
    assert moment.label_ms - moment.utc_ms == 120 * 60_000
    assert str(Moment.parse("2026-03-31T21:30Z")) == "2026-03-31T21:30:00Z"
    assert str(Moment.parse("2026-03-31 21:30:05.25-05:30")) == "2026-03-31T21:30:05.250-05:30"
    assert clock_text(425) == "07:05"


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-03-31", "2026-03-31T14:07", "2026-03-31T14:07:00", "2026-02-30T14:07Z",
        "2026-13-01T14:07Z", "2026-03-31T24:00Z", "2026-03-31T14:60Z", "2026-03-31T14:07:60Z",
        "2026-03-31T14:07.5Z", "2026-03-31T14:07:00.Z", "2026-03-31T14:07:00.1234Z",
        "2026-03-31T1:07:00Z", "2026-03-31T14:07:00+2:00", "2026-03-31T14:07:00+15:00",
        "2026-03-31T14:07:00+01:60", "2026-03-31x14:07:00Z", "2026-03-31T14:07:00z",
        "2026-03-31T14:07:00+aa:00", "2026-03-31T14:07:00 0200", "2026-03-31T14:07:00:00Z",
        "\u0662026-03-31T14:07:00Z", "2026-03-31T14:07:00Z" + " " * 30, "0000-01-01T00:00:00Z",
        "2026-03-31TZ", "2026-03-31T+02:00+02:00",
    ],
)  # fmt: skip
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a time with an offset") as refused:
        Moment.parse(text)
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize("text", ["", "31.3.2026", "2026-3-31", "2025-02-29", "2026-00-10", "x"])
def test_other_dates_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a date"):
        Date.parse(text)
