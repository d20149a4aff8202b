"""Flex totals, worked by hand: what is planned, what the pump reads back, what it really gives.

Each week is checked in three places: the plan's figures, the pump's own read-back and,
after seven days of the emulator, the mass that left the catheter's tip. A week of each
is a whole number of pulses (100 nL = 0.2 mcg at 2000 mcg/mL), so that nothing is left
to rounding: the remainder that is carried is the same at its beginning and at its end.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

import pytest

from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX

_HEAD = """\
format = 1
[patient]
tag = "P-0417"
spasticity_origin = "spinal"
age_group = "adult"
history = "established"
[drug]
name = "baclofen"
concentration = "2000 mcg/mL"
[program]
mode = "flex"
fallback_rate = "{fallback}"
"""
_TAIL = """\
[reservoir]
low_alarm = "2 mL"
"""
NIGHTS = (
    _HEAD.format(fallback="200 mcg/day")
    + """\
[[program.day]]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
daily_dose = "321 mcg/day"
steps = [
  { from = "00:00", basal = "8.5 mcg/h" },
  { from = "05:30", basal = "20.25 mcg/h" },
  { from = "09:00", basal = "12 mcg/h" },
  { from = "22:45", basal = "8.5 mcg/h" },
]
[[program.bolus]]
dose = "27.75 mcg"
over = "15 min"
at = ["06:00"]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""
    + _TAIL
)
ODD = (
    _HEAD.format(fallback="180 mcg/day")
    + """\
[[program.day]]
days = ["mon", "wed", "fri"]
daily_dose = "294 mcg/day"
steps = [
  { from = "00:00", basal = "10 mcg/h" },
  { from = "07:00", basal = "14 mcg/h" },
  { from = "18:00", basal = "10 mcg/h" },
]
[[program.day]]
days = ["tue", "thu"]
daily_dose = "260 mcg/day"
steps = [
  { from = "00:00", basal = "10 mcg/h" },
  { from = "12:00", basal = "11 mcg/h" },
  { from = "20:00", basal = "10.5 mcg/h" },
]
[[program.day]]
days = ["sat", "sun"]
daily_dose = "240 mcg/day"
steps = [ { from = "00:00", basal = "10 mcg/h" } ]
[[program.bolus]]
dose = "10 mcg"
over = "20 min"
at = ["08:00"]
days = ["mon", "wed", "fri", "tue", "thu"]
"""
    + _TAIL
)


class Week(NamedTuple):
    """A profile, its days' doses in mcg from Monday on, and how they add up."""

    text: str
    doses: tuple[str, ...]
    total: Fraction
    """mcg in the week."""


WEEKS = {
    # Mon-Fri 6 h x 14 + 4 h x 26 + 14 h x 15 + 2 x 20 = 84 + 104 + 210 + 40 = 438
    # Sat-Sun 24 h x 14 + 2 x 20 = 376; the week 5 x 438 + 2 x 376 = 2942
    "shipped": Week(FLEX, ("438",) * 5 + ("376",) * 2, Fraction(2942)),
    # 5.5 h x 8.5 = 46.75; 3.5 h x 20.25 = 70.875; 13.75 h x 12 = 165; 1.25 h x 8.5 = 10.625
    # 46.75 + 70.875 + 165 + 10.625 = 293.25, and the bolus 27.75: 321
    "nights": Week(NIGHTS, ("321",) * 7, Fraction(7 * 321)),
    # Mon, Wed, Fri 7 x 10 + 11 x 14 + 6 x 10 = 284, and 10 = 294
    # Tue, Thu 12 x 10 + 8 x 11 + 4 x 10.5 = 250, and 10 = 260; Sat, Sun 240
    # 3 x 294 + 2 x 260 + 2 x 240 = 882 + 520 + 480 = 1882
    "odd": Week(ODD, ("294", "260", "294", "260", "294", "240", "240"), Fraction(1882)),
}


def mcg(text: str) -> Fraction:
    """The figure of `438 mcg/day` or `438 mcg`."""
    return Fraction(text.split(maxsplit=1)[0])


def _until_three(desk: Desk) -> None:
    """To 03:00, when no bolus runs: one that runs at the end of the week is given in part."""
    at = datetime.fromisoformat(desk.inspect()["time"])
    then = datetime.combine(at.date() + timedelta(days=1), time(3), at.tzinfo)
    desk.advance(f"{int((then - at).total_seconds())}s")


@pytest.mark.requirement("UNI-05")
@pytest.mark.requirement("PRG-04")
@pytest.mark.parametrize("name", WEEKS)
def test_a_week_adds_up_in_the_plan_in_the_read_back_and_at_the_tip(name: str, desk: Desk) -> None:
    week = WEEKS[name]
    desk.emulator()
    desk.rehearse()
    _until_three(desk)
    path, told = desk.plan(week.text)
    for place in (told["new"]["days"], told["readback"]["days"]):
        assert [day["daily_dose"] for day in place] == [f"{dose} mcg/day" for dose in week.doses]
    desk.apply(path, told["confirm"])
    before = given(desk.inspect())
    desk.advance("7d")
    assert given(desk.inspect()) - before == week.total
    volumes = sum(Fraction(day["volume"].split()[0]) for day in told["readback"]["days"])
    assert volumes * 2000 == week.total, "mL at 2000 mcg/mL"


def given(truth: dict[str, Any]) -> Fraction:
    """What has left the tip, in mcg."""
    return mcg(truth["delivered"]["baclofen"])


def test_a_total_that_is_a_quantum_off_is_refused(desk: Desk) -> None:
    """The writer's own total is the second mind: 0.001 mcg beside it is no program."""
    bad = WEEKS["nights"].text.replace('"321 mcg/day"', '"321.001 mcg/day"')
    error = desk.json("profile", "check", desk.profile(bad), code=3)["error"]
    assert error["code"] == "LIMIT_HARD"
