"""What `clock --set` does to scheduled doses, by hand, with the emulator as the judge (TIM-03)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpctl.cli import edge
from pumpctl.therapy.checks.clocks import clock_check
from tests.helpers.boluses import PORT, Day, bolus_of, even
from tests.helpers.desk import Desk
from tests.helpers.libraries import altered_all, site_library
from tests.helpers.profiles import FLEX, spoiled
from tests.helpers.site import Site

SET = ("clock", "--set")
NIGHT = bolus_of("20 mcg", "10 min", "02:30")
STEPS = spoiled(
    FLEX[FLEX.index("[[program.bolus]]") : FLEX.index("[reservoir]")],
    "",
    FLEX.replace("438 mcg/day", "398 mcg/day").replace("376 mcg/day", "336 mcg/day"),
)
"""14 mcg/h, from 06:00 on 26, from 10:00 on 15; at weekends 14; no boluses."""


def at(day: Day, text: str) -> None:
    """What the station's clock shows, and goes on showing."""
    day.desk.monkeypatch.setenv("PUMPCTL_NOW", text)
    day.desk.monkeypatch.setattr(edge, "ticker", lambda: 0.0)


def gain(day: Day, by: str) -> Fraction:
    """mcg that the patient gets in this time."""
    before = day.delivered
    day.wait(by)
    return day.delivered - before


# --- a change of offset -----------------------------------------------------------------------


@pytest.mark.requirement("TIM-03")
def test_failure_13_summer_time_gives_each_scheduled_dose_at_most_once(desk: Desk) -> None:
    """The pump never shifts itself; over a change of its offset no dose comes twice."""
    # 260 = 10 mcg/h and 20 mcg at 02:30. Sunday 2026-03-29, 01:59 becomes 02:59 by offset.
    day = Day(desk, "2026-03-29T00:59:00Z", "--utc-offset", "+01:00")
    day.program(even("260 mcg/day", NIGHT))
    _, told = day.plan(*SET, "--offset", "+02:00")
    assert told["readback"]["missed"] == told["new"]["jumped"] == 1
    assert told["new"]["given_late"]["dose"] == "20 mcg"
    day.act(*SET, "--offset", "+02:00")
    assert gain(day, "1 h") == 30, "given at once, with the basal of an hour"
    # And back, to 02:59: 02:30 is shown again an hour before; nothing repeats.
    day.act(*SET, "--offset", "+01:00")
    at(day, "2026-03-29T00:59:00Z")  # one more hour back, to 01:59 on its face
    _, told = day.plan(*SET, "--offset", "+01:00")
    assert [each["at"] for each in told["new"]["not_repeated"]] == ["2026-03-29 02:30"]
    day.act(*SET, "--offset", "+01:00")
    assert gain(day, "23 h") == 230, "02:30 was not given again"
    assert gain(day, "2 h") == 40, "the next day's was"


# --- scheduled boluses, by hand -----------------------------------------------------------------


@pytest.mark.requirement("TIM-03")
@pytest.mark.parametrize(
    ("to", "late", "missed", "first_hour"),
    [
        # From 02:00 on; 10 mcg/h under it.
        ("02:29:59", None, [], 30),  # not yet jumped over: it comes by itself
        ("02:30:00", "02:30", [], 30),
        ("04:30:00", "02:30", [], 30),  # 2 h back: given at once
        ("04:30:01", None, ["02:30"], 10),  # more than that: not given
    ],
)
def test_a_bolus_that_is_jumped_over(
    to: str, late: str | None, missed: list[str], first_hour: int, desk: Desk
) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", NIGHT))
    day.wait("2 h")
    at(day, f"2026-03-23T{to}Z")
    _, told = day.plan(*SET)
    new = told["new"]
    assert (new["given_late"] and new["given_late"]["at"][-5:]) == late
    assert [each["at"][-5:] for each in new["not_given"]] == missed
    assert new["jumped"] == told["readback"]["missed"] == len(missed) + (late is not None)
    day.act(*SET)
    assert gain(day, "1 h") == first_hour
    # 24 hours by the station's arithmetic, and what the pump really gave.
    assert new["next_24h"][1] == f"{first_hour + gain(day, '23 h')} mcg"


@pytest.mark.requirement("TIM-03")
def test_of_several_the_last_is_given(desk: Desk) -> None:
    # 300 = 10 mcg/h, 20 mcg at 02:30, 02:50 and 03:10. From 02:00 to 03:30 all three are jumped.
    day = Day(desk)
    day.program(even("300 mcg/day", bolus_of("20 mcg", "10 min", "02:30", "02:50", "03:10")))
    day.wait("2 h")
    at(day, "2026-03-23T03:30:00Z")
    found = day.found(*SET)
    assert found == {
        "CLOCK_SET_MISSED": ("note", "2"),
        "CLOCK_SET_LATE": ("note", "20 mcg"),
    }
    day.act(*SET)
    assert gain(day, "1 h") == 30


@pytest.mark.requirement("TIM-03")
def test_set_back_none_repeats_and_those_to_come_are_given(desk: Desk) -> None:
    # 280 = 10 mcg/h, 20 mcg at 02:30 and 04:30. At 03:00 set to 02:00: 02:30 comes again on the
    # face and is not given, 04:30 is, after 2 1/2 hours.
    day = Day(desk)
    day.program(even("280 mcg/day", bolus_of("20 mcg", "10 min", "02:30", "04:30")))
    day.wait("3 h")
    at(day, "2026-03-23T02:00:00Z")
    _, told = day.plan(*SET)
    assert told["new"]["jumped"] == told["readback"]["missed"] == 0
    assert [each["at"] for each in told["new"]["not_repeated"]] == ["2026-03-23 02:30"]
    moved = {each["at"]: (each["before"], each["after"]) for each in told["new"]["moved"]}
    assert moved["2026-03-23 04:30"] == ("90 min", "150 min")
    day.act(*SET)
    assert gain(day, "2 h") == 20
    assert gain(day, "1 h") == 30


@pytest.mark.requirement("TIM-03")
def test_a_year_ahead_by_mistake_and_put_right_silences_nothing(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", NIGHT))
    at(day, "2027-03-23T00:00:00Z")
    _, told = day.plan(*SET, "--override", "CLOCK_SET_FAR=by mistake")
    # One in each of 365 days.
    assert told["new"]["jumped"] == told["readback"]["missed"] == 365
    day.act(*SET, "--override", "CLOCK_SET_FAR=by mistake")
    day.wait("1 h")
    at(day, "2026-03-23T01:00:00Z")
    _, told = day.plan(*SET, "--override", "CLOCK_SET_FAR=put right")
    assert told["new"]["not_repeated"] == []
    day.act(*SET, "--override", "CLOCK_SET_FAR=put right")
    assert gain(day, "2 h") == 40


@pytest.mark.requirement("TIM-03")
def test_back_and_forward_again_jumps_over_nothing_that_was_given(desk: Desk) -> None:
    # 02:30 was given; at 03:00 back to 02:00, and from there to 03:00 again: its time is jumped
    # over, and it had its turn.
    day = Day(desk)
    day.program(even("260 mcg/day", NIGHT))
    day.wait("3 h")
    at(day, "2026-03-23T02:00:00Z")
    day.act(*SET)
    at(day, "2026-03-23T03:00:00Z")
    _, told = day.plan(*SET)
    assert told["new"]["jumped"] == told["readback"]["missed"] == 0
    day.act(*SET)
    assert gain(day, "1 h") == 10


@pytest.mark.requirement("TIM-03")
def test_a_stopped_pump_gives_no_late_bolus(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", NIGHT))
    day.wait("2 h")
    desk.pump("stop", "--now")
    at(day, "2026-03-23T03:00:00Z")
    _, told = day.plan(*SET)
    assert (told["findings"], told["new"]["given_late"], told["new"]["next_24h"]) == (
        [],
        None,
        None,
    )
    assert [each["at"][-5:] for each in told["new"]["not_given"]] == ["02:30"]
    assert day.act(*SET)["delivery"] == "stopped"
    assert gain(day, "1 h") == 0


# --- basal steps, by hand ------------------------------------------------------------------------


@pytest.mark.requirement("TIM-03")
@pytest.mark.parametrize(
    ("wait", "to", "rates", "hour"),
    [
        # Until 05:30, then 06:30: 26 mcg/h at once. Without it 14 ÷ 2 + 26 ÷ 2 = 20.
        ("5 h 30 min", "06:30", ("14 mcg/h", "26 mcg/h"), 26),
        # Until 06:30, then 05:30: half an hour of 14 again, half an hour of 26.
        ("6 h 30 min", "05:30", ("26 mcg/h", "14 mcg/h"), 20),
        # Until 09:00, then 10:15: 15 for the whole hour. Without it 26.
        ("9 h", "10:15", ("26 mcg/h", "15 mcg/h"), 15),
    ],
)
def test_basal_follows_the_new_face_at_once(
    wait: str, to: str, rates: tuple[str, str], hour: int, desk: Desk
) -> None:
    day = Day(desk)
    day.program(STEPS)
    day.wait(wait)
    at(day, f"2026-03-23T{to}:00Z")
    _, told = day.plan(*SET)
    screen = desk.run(*PORT, *SET, "--plan-only").out
    for rate in rates:
        assert rate in screen
    day.act(*SET)
    assert gain(day, "1 h") == hour
    assert told["new"]["next_24h"][1] == f"{hour + gain(day, '23 h')} mcg"


# --- windows across the jump ---------------------------------------------------------------------


TWO = bolus_of("80 mcg", "10 min", "08:00", "09:30")


@pytest.mark.requirement("LIM-05")
@pytest.mark.requirement("TIM-03")
@pytest.mark.parametrize("removed", [False, True])
def test_windows_are_judged_by_elapsed_time(removed: bool, desk: Desk) -> None:
    # 400 = 10 mcg/h and twice 80 mcg, 90 min apart. At 08:15 set to 09:15: the second begins 30
    # min after the first, and one hour holds 80 + 80 + 10 = 170 mcg, more than 165.
    day = Day(desk)
    text = altered_all(site_library(), 'hard = { limit = "350 mcg"', 'hard = { limit = "165 mcg"')
    Site(desk).install(text)
    day.program(even("400 mcg/day", TWO, fallback="240 mcg/day"))
    day.wait("8 h 15 min")
    at(day, "2026-03-23T09:15:00Z")
    if removed:
        desk.monkeypatch.delitem(clock_check.by_id, "CLOCK_SET_WINDOW")
        day.act(*SET)
        day.wait("45 min")
        assert day.delivered - 80 == 170, "since 08:00, when it was 8 hours of 10 mcg"
        return
    error = day.refused(*SET)
    (found,) = error["findings"]
    assert (found["id"], found["value"]) == ("CLOCK_SET_WINDOW", "170 mcg")


@pytest.mark.requirement("LIM-05")
def test_the_same_above_the_soft_limit_alone(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("400 mcg/day", TWO, fallback="240 mcg/day"))
    day.wait("8 h 15 min")
    at(day, "2026-03-23T09:15:00Z")
    assert day.found(*SET) == {"CLOCK_SET_WINDOW_SOFT": ("soft", "170 mcg")}
    at(day, "2026-03-23T08:20:00Z")  # 85 min apart: no hour holds both
    assert day.found(*SET) == {}


@pytest.mark.requirement("LIM-05")
def test_what_was_given_is_known_across_a_setting(desk: Desk) -> None:
    # 90 mcg at 01:00, the clock an hour on, 60 mcg 30 min after: 10 + 150 in one hour.
    day = Day(desk)
    day.program(STEPS.replace("14 mcg/h", "10 mcg/h").replace("398", "374").replace("336", "240"))
    day.wait("1 h")
    day.bolus("90 mcg")
    at(day, "2026-03-23T02:00:00Z")
    day.act(*SET)
    desk.rehearse()
    day.wait("30 min")
    words = ("bolus", "single", "60 mcg", "--over", "10 min")
    assert day.found(*words) == {"BOLUS_ORDER_WINDOW_SOFT": ("soft", "160 mcg")}
    # 52 min after it the fullest hour holds 10 + 90 + 8 of its 10 minutes: 148.
    day.wait("22 min")
    assert day.found(*words) == {}
