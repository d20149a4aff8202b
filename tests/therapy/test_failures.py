"""How real programmers of such pumps failed, replayed: each is stopped, and by which check.

The numbers are those of the clinical facts' section 5, as far as a profile or a
pump's state can show them.
"""

from __future__ import annotations

import pytest

from pumpctl.quantities import Concentration, Duration
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.state import Delivery
from tests.therapy.samples import CONTINUOUS, FLEX, NOW, altered, ids, named, profile, pump, read


def hard(text: str) -> list[str]:
    """The ids of the hard findings."""
    return [each.id for each in read(text).findings if each.severity is Severity.HARD]


def test_1_hours_in_the_field_of_minutes() -> None:
    assert hard(altered(FLEX, ('["07:00", "21:00"]', '["00:07", "00:21", "6"]'))) == ["TIME_OF_DAY"]
    assert hard(altered(FLEX, ('["07:00", "21:00"]', '["every 6"]'))) == ["TIME_OF_DAY"]


@pytest.mark.requirement("UNI-02")
def test_2_each_morning_entered_as_every_hour() -> None:
    morning = altered(
        CONTINUOUS,
        ('mode = "continuous"\ndaily_dose = "450 mcg/day"', 'mode = "flex"'),
        ('"300 mcg/day"', '"200 mcg/day"'),
        ("[reservoir]", """\
[[program.day]]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
daily_dose = "396 mcg/day"
steps = [ { from = "00:00", basal = "14 mcg/h" } ]

[[program.bolus]]
dose = "60 mcg"
over = "1 h"
at = ["08:00"]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

[reservoir]"""),
    )  # fmt: skip
    assert read(morning).findings == ()
    every = ", ".join(f'"{hour:02d}:00"' for hour in range(24))
    hourly = altered(morning, ('at = ["08:00"]', f"at = [{every}]"))
    assert hard(hourly) == ["DECLARED_DOSE"]
    (found,) = named(read(hourly).findings, "DECLARED_DOSE")
    assert (found.value, found.limit) == ("396 mcg/day", "1776 mcg/day")
    basal = altered(morning, ('"14 mcg/h"', '"60 mcg/h"'))
    assert hard(basal) == ["DECLARED_DOSE"]


@pytest.mark.requirement("STP-03")
def test_5_a_restart_after_days_without_the_drug() -> None:
    stopped = pump(delivery=Delivery.STOPPED, stopped_for=Duration.parse("7 d"))
    assert ids(check_change(profile(CONTINUOUS), stopped, station_now=NOW)) == ["STOPPED_TOO_LONG"]


def test_6_a_concentration_below_what_is_in_the_reservoir() -> None:
    weaker = altered(CONTINUOUS, ('"2000 mcg/mL"', '"500 mcg/mL"'))
    (found,) = check_change(profile(weaker), pump(), station_now=NOW)
    assert (found.id, found.severity) == ("CONCENTRATION_OTHER", Severity.HARD)
    other = pump(concentration=Concentration(1000))
    assert ids(check_change(profile(CONTINUOUS), other, station_now=NOW)) == ["CONCENTRATION_OTHER"]


@pytest.mark.requirement("TIM-02")
def test_13_a_clock_that_is_an_hour_off() -> None:
    summer = pump(program=profile(FLEX).program, clock=NOW._replace(offset_min=60))
    assert ids(check_change(profile(FLEX), summer, station_now=NOW)) == ["CLOCK_DIFFERENCE"]


@pytest.mark.requirement("UNI-02")
@pytest.mark.requirement("UNI-03")
@pytest.mark.parametrize(
    ("change", "stopped_by"),
    [
        (('"26 mcg/h"', '"26 mg/h"'), ["QUANTITY"]),  # mg for mcg
        (('"26 mcg/h"', '"260 mcg/h"'), ["DECLARED_DOSE", "RATE_HARD"]),  # out by ten
        (('"26 mcg/h"', '"2.6 mcg/h"'), ["FLOW_LOW", "DECLARED_DOSE"]),
        (('"26 mcg/h"', '".26 mcg/h"'), ["QUANTITY"]),  # a point that is not seen
        (('"26 mcg/h"', '"26 mcg/day"'), ["QUANTITY"]),  # per day for per hour
        (('dose = "20 mcg"', 'dose = "20 mg"'), ["DECLARED_DOSE", "FLOW_HIGH"]),
        (('"438 mcg/day"', '"4380 mcg/day"'), ["DECLARED_DOSE"]),
        (('"216 mcg/day"', '"2160 mcg/day"'), []),  # soft: above the smallest day
    ],
)
def test_14_slips_of_unit_and_point(change: tuple[str, str], stopped_by: list[str]) -> None:
    text = altered(FLEX, change)
    assert set(stopped_by) <= set(hard(text))
    if not stopped_by:
        assert "FALLBACK_HIGH" in ids(read(text).findings)
        assert not hard(text)


def test_14_ten_times_the_dose_written_twice_is_soft_at_least() -> None:
    text = altered(CONTINUOUS, ('"450 mcg/day"', '"4500 mcg/day"'))
    assert hard(text) == ["DAILY_DOSE_HARD"]
    text = altered(CONTINUOUS, ('"450 mcg/day"', '"2000 mcg/day"'), ('"300 ', '"1000 '))
    assert ids(read(text).findings)[0] == "DAILY_DOSE_SOFT"
    (found,) = named(
        check_change(profile(altered(CONTINUOUS, ('"450 ', '"900 '))), pump(), station_now=NOW),
        "DOSE_INCREASE",
    )
    assert found.value == "+100.0 %"
