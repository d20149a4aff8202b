"""A clinician's bolus, and the small questions that every order asks of a program."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.quantities import Duration, Mass, Volume, round_up
from pumpctl.quantity_text import MAX_QUANTA
from pumpctl.therapy.bolus import BolusKind, BolusOrder, bolus_effect, kind_of, patient_train
from pumpctl.therapy.course import Course, Piece, course_of
from pumpctl.therapy.curve import HOUR_MS
from pumpctl.therapy.delivery import (
    NOTHING,
    dose_text,
    flow_text,
    greatest_rate,
    in_volume,
    least_rate,
    mass_text,
    rest_of,
    time_text,
    volume_text,
    when_given,
    when_moved,
)
from pumpctl.therapy.figures import patient_doses_within
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.plug import Contents, Plug
from pumpctl.therapy.program import PatientDose, Program
from pumpctl.therapy.state import RunningBolus
from tests.therapy.line_samples import STRONG, WEAK
from tests.therapy.samples import NOW, even, flex, minimum

FULL: Contents = (Plug(348_000, STRONG),)


def order(dose: str, over: str) -> BolusOrder:
    return BolusOrder(Mass.parse(dose), Duration.parse(over))


def test_w9_a_bolus_in_volume_and_flow() -> None:
    line = (Plug(348_000, WEAK),)
    effect = bolus_effect(order("50 mcg", "10 min"), even("100 mcg/day", 500), line, NOW)
    assert effect.volume == 100_000
    assert effect.flow == 14_400_000
    assert effect.greatest_flow == 14_600_000  # on top of 0.2 mL/day
    assert effect.moved == 100_000 + Fraction(200_000, 144)
    assert effect.ends == NOW.plus(10 * MINUTE_MS)
    assert effect.reaches == 50_000
    assert dict(effect.adds) == {"baclofen": 50_000}
    assert effect.ahead == 0 and effect.front is None and effect.meets is None


def test_on_top_of_what_it_comes() -> None:
    assert kind_of(minimum()) is BolusKind.SINGLE
    assert kind_of(even()) is BolusKind.SUPPLEMENTAL
    effect = bolus_effect(order("20 mcg", "10 min"), minimum(), FULL, NOW)
    assert effect.kind is BolusKind.SINGLE
    assert effect.greatest_flow == 48_000 + 10_000 * 144


def test_while_a_front_is_on_its_way_the_patient_gets_what_is_at_the_tip() -> None:
    line = (Plug(100_000, WEAK), Plug(248_000, STRONG))
    effect = bolus_effect(order("40 mcg", "10 min"), even("100 mcg/day"), line, NOW)
    assert effect.volume == 20_000
    assert effect.reaches == 10_000
    assert effect.ahead == 100_000
    whole = bolus_effect(
        order("40 mcg", "10 min"), even("100 mcg/day"), (Plug(348_000, WEAK),), NOW
    )
    assert whole.ahead == 348_000
    # 0.02 mL of the bolus pass at once, the rest at 0.05 mL/day.
    assert effect.front == NOW.plus(int(Fraction(80_000, 50_000) * DAY_MS))
    through = bolus_effect(order("400 mcg", "10 min"), even("100 mcg/day"), line, NOW)
    assert through.volume == 200_000
    basal = Fraction(50_000, 144)  # nL while it runs
    assert through.reaches == 50_000 + (100_000 + basal) * 2 - basal / 2
    assert through.front is not None and through.front < through.ends


def test_a_line_that_is_free_of_drug_at_its_tip_gives_nothing_yet() -> None:
    line = (Plug(208_000, None), Plug(140_000, STRONG))
    effect = bolus_effect(order("40 mcg", "10 min"), even("100 mcg/day"), line, NOW)
    assert effect.reaches == 0
    assert effect.ahead == 208_000
    still = bolus_effect(order("40 mcg", "10 min"), even("0 mcg/day"), line, NOW)
    assert still.ahead == 208_000 and still.front is None
    empty = bolus_effect(order("40 mcg", "10 min"), even("100 mcg/day"), (), NOW)
    assert empty.reaches == 40_000


@pytest.mark.parametrize(
    ("over", "meets"),
    [("53 min", None), ("53.001 min", 53), ("2 h", 53), ("24 h", 53)],
)
def test_the_scheduled_bolus_that_it_meets(over: str, meets: int | None) -> None:
    program = flex([[(0, "14")]], [(day, 900, "20 mcg", "10 min") for day in range(7)])
    effect = bolus_effect(order("20 mcg", over), program, FULL, NOW)  # 14:07
    assert effect.meets == (None if meets is None else NOW.plus(meets * MINUTE_MS))
    at_once = flex([[(0, "14")]], [(1, 14 * 60 + 7, "20 mcg", "10 min")])
    assert bolus_effect(order("20 mcg", over), at_once, FULL, NOW).meets == NOW


def test_the_scheduled_bolus_of_monday_is_met_from_sunday() -> None:
    sunday = Moment.parse("2026-11-15T23:50:00Z")
    program = flex([[(0, "14")]], [(0, 0, "20 mcg", "10 min")])
    effect = bolus_effect(order("20 mcg", "30 min"), program, FULL, sunday)
    assert effect.meets == sunday.plus(10 * MINUTE_MS)


def test_the_greatest_flow_is_with_the_highest_step_under_it() -> None:
    program = flex([[(0, "14"), (15 * 60, "26")]])
    effect = bolus_effect(order("20 mcg", "1 h"), program, FULL, NOW)
    assert effect.greatest_flow == Fraction(26_000 * 24 + 20_000 * 24, 2)


def test_a_dose_in_no_time_is_none() -> None:
    with pytest.raises(ValueError, match="cannot be given"):
        bolus_effect(order("20 mcg", "0 s"), even(), FULL, NOW)


# --- what every order asks ---------------------------------------------------------


def test_a_running_bolus_goes_on() -> None:
    bolus = RunningBolus("single", Mass(20_000), Mass(5_000), NOW, NOW.plus(HOUR_MS))
    assert rest_of(bolus, NOW).pieces == (Piece(NOW.label_ms, NOW.label_ms + HOUR_MS, 15_000),)
    assert rest_of(None, NOW) is NOTHING
    assert rest_of(bolus, NOW.plus(HOUR_MS)) is NOTHING


def test_when_so_much_has_been_given_or_moved() -> None:
    def given(program: Program, ng: int, also: Course = NOTHING) -> Fraction | None:
        at = when_given(program, ng, NOW.label_ms, also)
        return None if at is None else at - NOW.label_ms

    assert given(even("100 mcg/day"), 50_000) == DAY_MS // 2
    assert given(even("100 mcg/day"), 700_000) == 7 * DAY_MS
    assert given(even("0 mcg/day"), 1) is None
    bolus = order("10 mcg", "1 h").course(NOW.label_ms)
    assert given(even("0 mcg/day"), 5_000, bolus) == HOUR_MS // 2
    # All of it is one bolus a week, which began before it is asked.
    weekly = flex([[(0, "0")]], [(1, 14 * 60, "10 mcg", "1 h")])
    assert given(weekly, 10_000) == 7 * DAY_MS + 53 * MINUTE_MS
    assert when_moved(even("100 mcg/day"), 25_000, NOW) == NOW.plus(DAY_MS // 2)
    assert when_moved(even("100 mcg/day"), 1, NOW) == NOW.plus(1_728)
    assert when_moved(even("0 mcg/day"), 1, NOW) is None
    assert when_moved(even("99.999 mcg/day"), 1, NOW) == NOW.plus(1_728)  # 1728.02 ms


def test_greatest_and_least_rates() -> None:
    program = flex([[(0, "14"), (420, "26")]], [(1, 600, "24 mcg", "1 h")])
    monday = Moment.parse("2026-11-16T00:00:00Z").label_ms
    course = course_of(program, monday, monday + 7 * DAY_MS)
    assert greatest_rate(course, monday, monday + DAY_MS) == 26_000 * 24
    assert greatest_rate(course, monday, monday + 2 * DAY_MS) == 50_000 * 24
    assert greatest_rate(course, monday, monday + 420 * MINUTE_MS) == 14_000 * 24
    assert least_rate(course, monday + 420 * MINUTE_MS, monday + DAY_MS) == 26_000 * 24
    assert least_rate(course, monday, monday + DAY_MS) == 14_000 * 24
    volumes = in_volume(course, program.concentration)
    assert volumes.upto(monday + DAY_MS) * 2 == course.upto(monday + DAY_MS)


def test_words() -> None:
    assert mass_text(Fraction(25_001, 2)) == "12.501 mcg"
    assert volume_text(Fraction(1, 3)) == "0 mL"
    assert flow_text(14_400_000) == "14.4 mL/day"
    assert flow_text(Fraction(1, 2)) == "0.000001 mL/day"
    assert flow_text(Fraction(1, 3), round_up) == "0.000001 mL/day"
    assert dose_text(1_000, HOUR_MS) == "24 mcg/day"
    assert mass_text(MAX_QUANTA * 9) == str(Mass(MAX_QUANTA))
    assert volume_text(Volume.parse("1 mL").quanta) == "1 mL"


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (Fraction("6.96") * DAY_MS, "6 d 23 h"),
        (2 * DAY_MS, "2 d"),
        (2 * DAY_MS - 1, "47 h 59 min"),
        (5 * HOUR_MS, "5 h"),
        (HOUR_MS - 1, "59 min"),
        (MINUTE_MS - 1, "less than 1 min"),
    ],
)
def test_how_long(ms: Fraction | int, text: str) -> None:
    assert time_text(ms) == text


@given(
    over=st.integers(1, 60),
    lockout=st.integers(0, 600),
    most=st.integers(1, 12),
    window=st.integers(1, 3_000),
)
def test_the_patients_doses_come_as_early_as_they_may(
    over: int, lockout: int, most: int, window: int
) -> None:
    """Two ways to count the same train: its course, and the closed sum of the figures."""
    lasts, locked = Duration(over * MINUTE_MS), Duration(lockout * MINUTE_MS)
    program = even()._replace(patient_dose=PatientDose(Mass(7_000), lasts, locked, most))
    start, length = NOW.label_ms, window * MINUTE_MS
    train = patient_train(program, start, start + length)
    assert train.between(start, start + length) == patient_doses_within(program, length)


def test_no_doses_of_the_patients_make_no_train() -> None:
    none = even()
    instant = PatientDose(Mass(7_000), Duration(0), Duration(0), 3)
    for program in (none, none._replace(patient_dose=instant)):
        assert not patient_train(program, 0, DAY_MS).pieces
