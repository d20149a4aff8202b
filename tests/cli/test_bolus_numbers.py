"""Boluses, patient doses and windows in figures: worked by hand, the emulator's truth as the judge.

2000 mcg/mL, and one pulse of 100 nL is 1/5 mcg: of an exact mass so many whole pulses
have been given, the rest is due with the next one. Basal is 240 mcg/day unless told:
10 mcg/h, 1/6 mcg/min.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.helpers.boluses import PATIENT, PORT, Day, bolus_of, even
from tests.helpers.desk import Desk

SINGLE = ("bolus", "single")
PULSE = Fraction(1, 5)


def pulses(exact: Fraction | int) -> Fraction:
    """What has been given of it: whole pulses."""
    return exact // PULSE * PULSE


# --- boluses ------------------------------------------------------------------------------


@pytest.mark.requirement("BOL-08")
@pytest.mark.parametrize(
    ("dose", "over", "after", "exact"),
    [
        # 4 of 10 minutes: 20 x 4/10 + 4/6.
        ("20 mcg", "10 min", "4 min", Fraction(8) + Fraction(4, 6)),
        # At its end: 20 + 10/6.
        ("20 mcg", "10 min", "10 min", 20 + Fraction(10, 6)),
        # 37.5 over 25 min, after 7 min: 37.5 x 7/25 + 7/6.
        ("37.5 mcg", "25 min", "7 min", Fraction(21, 2) + Fraction(7, 6)),
        # 33.333 over 7 min, an hour after it began: 33.333 + 10.
        ("33.333 mcg", "7 min", "60 min", Fraction(33_333, 1_000) + 10),
    ],
)
def test_a_bolus_on_top_of_the_basal(
    dose: str, over: str, after: str, exact: Fraction, desk: Desk
) -> None:
    day = Day(desk)
    day.program(even())
    day.bolus(dose, over)
    day.wait(after)
    assert day.delivered == pulses(exact)


@pytest.mark.requirement("BOL-08")
@pytest.mark.parametrize(
    ("dose", "over", "seconds", "told", "hour"),
    [
        # 20 x 200/600 = 6 2/3, half up to 1 ng; with the hour's 10: 16 2/3.
        ("20 mcg", "10 min", 200, "6.667 mcg", 10 + Fraction(20, 3)),
        # 50 x 1/2400 = 1/48 = 0.0208 3.
        ("50 mcg", "40 min", 1, "0.021 mcg", 10 + Fraction(1, 48)),
        # 100 x 3599/3600 = 99.97222...
        ("100 mcg", "60 min", 3599, "99.972 mcg", 10 + Fraction(100 * 3599, 3600)),
    ],
)
def test_a_cancelled_bolus(
    dose: str, over: str, seconds: int, told: str, hour: Fraction, desk: Desk
) -> None:
    day = Day(desk)
    day.program(even())
    operation = day.bolus(dose, over)["operation"]
    day.wait(f"{seconds} s")
    assert desk.pump("bolus", "cancel", "--now")["delivered"] == told
    day.wait(f"{3600 - seconds} s")
    assert day.delivered == pulses(hour)
    assert day.ledger(operation) == told


@pytest.mark.requirement("STP-03")
def test_a_stall_in_a_bolus_is_never_made_up(desk: Desk) -> None:
    # 30 mcg over 30 min: 1 mcg = 5 pulses a minute, basal 5/6 of one. From minute 10 to 20 the
    # motor stands. Due: 58 1/3 pulses by minute 10, 116 2/3 by minute 20, so 116 - 58 = 58 are
    # lost. In all 150 + 50 are due by minute 60; 200 - 58 = 142 of 1/5 mcg.
    day = Day(desk)
    day.program(even())
    day.bolus("30 mcg", "30 min")
    day.wait("10 min")
    desk.data("emulator", "fault", "ward", "stall", "--for", "10min")
    day.wait("50 min")
    assert day.delivered == Fraction(142, 5)
    assert desk.pump("status")["last_bolus"]["given"] == "20 mcg"


@pytest.mark.requirement("BOL-01")
def test_a_loss_of_power_ends_it_with_what_was_given(desk: Desk) -> None:
    # 24 mcg over 8 min, after 3 min 20 s: 24 x 200/480 = 10.
    day = Day(desk)
    day.program(even())
    operation = day.bolus("24 mcg", "8 min")["operation"]
    day.wait("200 s")
    desk.data("emulator", "fault", "ward", "reboot")
    day.wait("3400 s")
    assert day.ledger(operation) == "10 mcg"
    assert day.delivered == 20


@pytest.mark.requirement("REF-05")
def test_the_reservoir_after_a_bolus(desk: Desk) -> None:
    # 40 mL less 100 mcg ÷ 2000 mcg/mL and an hour of 10: 0.05 + 0.005 mL.
    day = Day(desk)
    day.program(even())
    day.bolus("100 mcg", "60 min")
    day.wait("1 h")
    assert desk.pump("status")["reservoir"]["volume"] == "39.945 mL"


# --- patient doses: 10 mcg over 5 min, 4 h from the end of any bolus, 3 in any 24 h by start -----


@pytest.mark.requirement("BOL-04")
def test_three_in_24_hours_counted_by_start(desk: Desk) -> None:
    # 00:00; its end at 00:05 and 4 h: 04:05; the same again: 08:10. The fourth would be 12:15, but
    # three began since 00:00: not before 24:00.
    day = Day(desk)
    day.program(even("240 mcg/day", PATIENT))
    assert day.press() is None
    day.wait("4 h 4 min 59 s")
    assert day.press() == "LOCKOUT"
    day.wait("1 s")
    assert day.press() is None
    day.wait("4 h 5 min")
    assert day.press() is None
    day.wait("4 h 5 min")
    assert day.press() == "LOCKOUT"
    seen = desk.pump("status")["patient_dose"]
    assert (seen["left"], seen["next_at"]) == (0, "2026-03-24T00:00:00Z")
    day.wait("11 h 44 min 59 s")
    assert day.press() == "LOCKOUT"
    day.wait("1 s")
    assert day.press() is None
    assert day.delivered == 240 + 3 * 10
    # The next counts from 04:05 of the first day, and from 24:05 + 4 h: the later one, 28:05.
    day.wait("4 h 5 min")
    assert day.press() is None


@pytest.mark.requirement("BOL-04")
def test_the_lockout_counts_from_the_end_of_a_clinician_s_bolus(desk: Desk) -> None:
    # 00:00, 20 mcg over 10 min, cut short at 00:04: 04:04.
    day = Day(desk)
    day.program(even("240 mcg/day", PATIENT))
    day.bolus("20 mcg")
    assert day.press() == "BOLUS_RUNNING"
    day.wait("4 min")
    desk.pump("bolus", "cancel", "--now")
    day.wait("3 h 59 min 59 s")
    assert day.press() == "LOCKOUT"
    day.wait("1 s")
    assert day.press() is None
    # 8 of the bolus, 10 of the patient's own, and 4 h 9 min of basal: 41 1/2.
    day.wait("5 min")
    assert day.delivered == pulses(8 + 10 + Fraction(249, 6))


@pytest.mark.requirement("BOL-04")
def test_none_that_would_overlap_a_scheduled_one(desk: Desk) -> None:
    # Scheduled at 07:00. A dose of 5 min may begin at 06:55, not a second later; then the
    # scheduled one is given all the same, and locks from 07:10 until 11:10.
    day = Day(desk)
    day.program(even("260 mcg/day", bolus_of("20 mcg", "10 min", "07:00"), PATIENT))
    day.wait("6 h 55 min 1 s")
    assert day.press() == "BOLUS_RUNNING"
    day.wait("14 min 59 s")
    assert day.delivered == pulses(20 + Fraction(430, 6)), "until 07:10"
    assert day.press() == "LOCKOUT"
    day.wait("3 h 59 min 59 s")
    assert day.press() == "LOCKOUT"
    day.wait("1 s")
    assert day.press() is None


@pytest.mark.requirement("BOL-04")
@pytest.mark.requirement("TIM-01")
def test_neither_a_push_nor_a_clock_set_resets_the_lockout(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("240 mcg/day", PATIENT))
    assert day.press() is None
    day.wait("2 h")
    desk.monkeypatch.setenv("PUMPCTL_NOW", "2026-03-23T09:00:00Z")
    day.act("clock", "--set")
    day.program(even("230 mcg/day", PATIENT))
    assert day.press() == "LOCKOUT"
    day.wait("2 h 4 min 59 s")
    assert day.press() == "LOCKOUT"
    day.wait("1 s")
    assert day.press() is None


# --- windows: 150 mcg in any hour needs a reason -------------------------------------------------


@pytest.mark.requirement("LIM-05")
@pytest.mark.parametrize(
    ("wait", "fullest"),
    [
        # 90 mcg from minute 0 to 10, 60 mcg over 10 min from minute s on, 1/6 mcg/min under them.
        # The fullest hour begins at 0: 90 + 10 + what of the second lies before minute 60.
        ("50 min", "160 mcg"),  # all of it
        ("51 min", "154 mcg"),  # 9/10 of 60
        ("52 min", None),  # 8/10: 148
        ("11 min", "160 mcg"),
    ],
)
def test_two_boluses_in_one_hour(wait: str, fullest: str | None, desk: Desk) -> None:
    day = Day(desk)
    day.program(even())
    day.bolus("90 mcg")
    day.wait(wait)
    found = day.found(*SINGLE, "60 mcg", "--over", "10 min")
    seen = found.get("BOLUS_ORDER_WINDOW_SOFT", ("", None))[1]
    assert seen == fullest
    if fullest == "160 mcg":
        day.bolus("60 mcg", "10 min", "--override", "BOLUS_ORDER_WINDOW_SOFT=agreed")
        rest = 60 - int(wait.split(maxsplit=1)[0])
        day.wait(f"{rest} min")
        assert day.delivered == 160


@pytest.mark.requirement("LIM-05")
def test_a_bolus_before_scheduled_ones(desk: Desk) -> None:
    # Scheduled 80 mcg over 10 min at 01:00. A bolus of 70 over 5 min at 00:20: the hour from 00:20
    # holds 70 + 80 + 10 = 160. At 00:06 the hour to 01:06 holds 70 + 6/10 x 80 + 10 = 128, that
    # from 00:10 on 14 + 80 + 10: less than 150.
    day = Day(desk)
    day.program(even("320 mcg/day", bolus_of("80 mcg", "10 min", "01:00"), fallback="200 mcg/day"))
    day.wait("6 min")
    words = (*SINGLE, "70 mcg", "--over", "5 min")
    assert day.found(*words) == {}
    day.wait("14 min")
    assert day.found(*words) == {"BOLUS_ORDER_WINDOW_SOFT": ("soft", "160 mcg")}
    day.bolus("70 mcg", "5 min", "--override", "BOLUS_ORDER_WINDOW_SOFT=agreed")
    before = day.delivered
    day.wait("1 h")
    assert day.delivered - before in (160, 160 - PULSE, 160 + PULSE)


@pytest.mark.requirement("LIM-05")
def test_a_cancelled_bolus_counts_with_what_it_gave(desk: Desk) -> None:
    # 90 mcg over 10 min, ended after 5: 45, in a log that rounds: at most 45.001. With 94.999
    # more and the hour's 10 it is 150, and no more.
    day = Day(desk)
    day.program(even())
    day.bolus("90 mcg")
    day.wait("5 min")
    desk.pump("bolus", "cancel", "--now")
    assert day.found(*SINGLE, "94.999 mcg", "--over", "10 min") == {}
    found = day.found(*SINGLE, "95 mcg", "--over", "10 min")
    assert found == {"BOLUS_ORDER_WINDOW_SOFT": ("soft", "150.001 mcg")}


@pytest.mark.requirement("LIM-05")
def test_the_patient_s_own_doses_to_come_count(desk: Desk) -> None:
    # Lockout 30 min, 45 mcg over 5 min, twice a day: within the hour from minute 0 a bolus of 96
    # over 5 min, then one dose of the patient's from minute 35 on: 96 + 45 + 10 = 151.
    own = PATIENT.replace("10 mcg", "45 mcg").replace("4 h", "30 min").replace("= 3", "= 2")
    day = Day(desk)
    day.program(even("240 mcg/day", own))
    words = ("--over", "5 min")
    assert day.found(*SINGLE, "96 mcg", *words)["BOLUS_ORDER_WINDOW_SOFT"] == ("soft", "151 mcg")
    assert "BOLUS_ORDER_WINDOW_SOFT" not in day.found(*SINGLE, "95 mcg", *words)
    day.bolus("95 mcg", "5 min")
    day.wait("35 min")
    assert day.press() is None
    day.wait("25 min")
    assert day.delivered == 150
    assert desk.run(*PORT, "status").code == 0
