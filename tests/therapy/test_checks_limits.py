"""Every limit that a drug library can hold: beyond it, at it, without it, and told once.

Days, rates, single doses, patient doses and windows; hard and soft, upper and
lower. The limits of a change are in `test_checks_change`.
"""

from __future__ import annotations

import pytest

from pumpctl.therapy.checks import check_program
from pumpctl.therapy.checks.bands import LIBRARY, source_of
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Band, Library
from tests.therapy.checking import (
    BOARD,
    EVERY_HOUR,
    Bad,
    band,
    bolus,
    even_text,
    finds,
    flex,
    library,
    own,
    passes_without,
    window,
)
from tests.therapy.samples import MINIMUM, even, ids, minimum, named, profile, read
from tests.therapy.samples import flex as program

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
TWICE = '["07:00", "07:30"]'
NO_LIMITS = library(
    daily_dose=Band(), rate=Band(), bolus=Band(), patient_dose=Band(), windows=(), usual=()
)

CASES = [
    # --- the daily dose
    Bad("DAILY_DOSE_HARD", HARD, even_text(('"450', '"3000.001'), ('"300 ', '"1501 ')),
        "3000.001 mcg/day", "3000 mcg/day", '"3000.001'),
    Bad("DAILY_DOSE_SOFT", SOFT, even_text(('"450', '"1000.001'), ('"300 ', '"501 ')),
        "1000.001 mcg/day", "1000 mcg/day", '"1000.001'),
    Bad("DAILY_DOSE_LOW", SOFT, flex(), "376 mcg/day", "376.001 mcg/day", '"376 mcg/day"',
        library(daily_dose=band(soft_low="376.001 mcg/day"))),
    Bad("DAILY_DOSE_LOW", HARD, flex(), "376 mcg/day", "376.001 mcg/day", '"376 mcg/day"',
        library(daily_dose=band(soft_low="400 mcg/day", hard_low="376.001 mcg/day"))),
    # --- rates
    Bad("RATE_HARD", HARD, flex(('basal = "26 mcg/h"', 'basal = "125.5 mcg/h"'),
        ('"438 mcg/day"', '"836 mcg/day"')), "3012 mcg/day", "3000 mcg/day", '"125.5'),
    Bad("RATE_HARD", HARD, flex(('"216', '"3000.001')), "3000.001 mcg/day", "3000 mcg/day",
        '"3000.001'),
    Bad("RATE_HARD", HARD, even_text(), "450 mcg/day", "449.999 mcg/day", '"450 mcg/day"',
        library(rate=band(hard_high="449.999 mcg/day"))),
    Bad("RATE_SOFT", SOFT, flex(), "624 mcg/day", "623.999 mcg/day", '"26 mcg/h"',
        library(rate=band(soft_high="623.999 mcg/day", hard_high="624 mcg/day"))),
    Bad("RATE_SOFT", SOFT, even_text(), "450 mcg/day", "449.999 mcg/day", '"450 mcg/day"',
        library(rate=band(soft_high="449.999 mcg/day"))),
    Bad("RATE_LOW", SOFT, flex(('"216', '"376')), "336 mcg/day", "336.001 mcg/day", '"14 mcg/h"',
        library(rate=band(soft_low="336.001 mcg/day"))),
    Bad("RATE_LOW", SOFT, flex(), "216 mcg/day", "216.001 mcg/day", '"216 mcg/day"',
        library(rate=band(soft_low="216.001 mcg/day", hard_low="216 mcg/day"))),
    Bad("RATE_LOW", HARD, flex(), "216 mcg/day", "216.001 mcg/day", '"216 mcg/day"',
        library(rate=band(soft_low="300 mcg/day", hard_low="216.001 mcg/day"))),
    # --- single doses
    Bad("BOLUS_HARD", HARD, even_text(bolus("300.001 mcg", "10 min", '["07:00"]')),
        "300.001 mcg", "300 mcg", '"300.001'),
    Bad("BOLUS_SOFT", SOFT, even_text(bolus("100.001 mcg", "10 min", '["07:00"]')),
        "100.001 mcg", "100 mcg", '"100.001'),
    Bad("BOLUS_LOW", SOFT, even_text(bolus("0.999 mcg", "10 min", '["07:00"]')),
        "0.999 mcg", "1 mcg", '"0.999'),
    Bad("BOLUS_LOW", HARD, flex(), "20 mcg", "20.001 mcg", '"20 mcg"',
        library(bolus=band(hard_low="20.001 mcg", soft_low="30 mcg"))),
    Bad("PATIENT_DOSE_HARD", HARD, even_text(own("100.001 mcg", "10 min", "4 h", 1)),
        "100.001 mcg", "100 mcg", '"100.001'),
    Bad("PATIENT_DOSE_SOFT", SOFT, even_text(own("50.001 mcg", "10 min", "4 h", 1)),
        "50.001 mcg", "50 mcg", '"50.001'),
    Bad("PATIENT_DOSE_LOW", SOFT, even_text(own("0.999 mcg", "10 min", "4 h", 1)),
        "0.999 mcg", "1 mcg", '"0.999'),
    Bad("PATIENT_DOSE_LOW", HARD, flex(), "10 mcg", "10.001 mcg", '"10 mcg"',
        library(patient_dose=band(hard_low="10.001 mcg"))),
    # --- windows
    Bad("LARGEST_24H_HARD", HARD, even_text(('"450', '"2990'), ('"300 ', '"1500 '),
        own("6 mcg", "10 min", "4 h", 2)), "3002 mcg", "3000 mcg in any 24 h", "2"),
    Bad("LARGEST_24H_HARD", HARD, flex(), "468 mcg", "467.999 mcg in any 24 h", "3",
        library(windows=(window("24 h", "467.999 mcg"),))),
    Bad("LARGEST_24H_HARD", HARD, flex(), "468 mcg", "437.999 mcg in any 24 h", '"438 mcg/day"',
        library(windows=(window("24 h", "437.999 mcg"), window("24 h", "450 mcg")))),
    Bad("WINDOW_HARD", HARD, even_text(bolus("175 mcg", "10 min", TWICE)), "354.167 mcg",
        "350 mcg in any 1 h", '"450 mcg/day"'),
    Bad("WINDOW_HARD", HARD, even_text(own("90 mcg", "5 min", "5 min", 24)), "558.75 mcg",
        "350 mcg in any 1 h", "24"),
    Bad("WINDOW_HARD", HARD, flex(), "936 mcg", "875.999 mcg in any 48 h", '"438 mcg/day"',
        library(windows=(window("48 h", "875.999 mcg"),), daily_dose=band(),
                patient_dose=band(), rate=band())),
    Bad("WINDOW_SOFT", SOFT, even_text(bolus("70 mcg", "10 min", TWICE)), "152.917 mcg",
        "150 mcg in any 1 h", '"450 mcg/day"'),
    Bad("WINDOW_SOFT", SOFT, even_text(('"450', '"900'), ('"300 ', '"500 '),
        own("40 mcg", "10 min", "4 h", 3)), "1020 mcg", "1000 mcg in any 24 h", "3"),
]  # fmt: skip


@pytest.mark.requirement("LIM-01")
@pytest.mark.requirement("LIM-03")
@pytest.mark.requirement("LIM-05")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_the_check_finds_it(case: Bad) -> None:
    finds(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_without_the_check_it_would_pass(case: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    passes_without(case, monkeypatch)


def found(text: str, lib: Library) -> tuple[Finding, ...]:
    return check_program(profile(text), lib)


INSIDE = [
    ("DAILY_DOSE_HARD", even_text(), {"daily_dose": band(hard_high="450 mcg/day")}),
    ("DAILY_DOSE_SOFT", even_text(), {"daily_dose": band(soft_high="450 mcg/day")}),
    ("DAILY_DOSE_LOW", flex(), {"daily_dose": band(soft_low="376 mcg/day")}),
    ("DAILY_DOSE_LOW", flex(), {"daily_dose": band(hard_low="376 mcg/day")}),
    ("RATE_HARD", flex(), {"rate": band(hard_high="26 mcg/h")}),
    ("RATE_SOFT", flex(), {"rate": band(soft_high="26 mcg/h")}),
    ("RATE_LOW", flex(), {"rate": band(soft_low="9 mcg/h")}),
    ("RATE_LOW", flex(), {"rate": band(hard_low="9 mcg/h")}),
    ("BOLUS_HARD", flex(), {"bolus": band(hard_high="20 mcg")}),
    ("BOLUS_SOFT", flex(), {"bolus": band(soft_high="20 mcg")}),
    ("BOLUS_LOW", flex(), {"bolus": band(soft_low="20 mcg", hard_low="20 mcg")}),
    ("PATIENT_DOSE_HARD", flex(), {"patient_dose": band(hard_high="10 mcg")}),
    ("PATIENT_DOSE_SOFT", flex(), {"patient_dose": band(soft_high="10 mcg")}),
    ("PATIENT_DOSE_LOW", flex(), {"patient_dose": band(soft_low="10 mcg", hard_low="10 mcg")}),
    ("LARGEST_24H_HARD", flex(), {"windows": (window("24 h", "468 mcg"),)}),
    ("LARGEST_24H_HARD", flex(), {"daily_dose": band(hard_high="468 mcg/day")}),
    ("WINDOW_HARD", flex(), {"windows": (window("1 h", "56 mcg"),)}),
    ("WINDOW_SOFT", flex(), {"windows": (window("1 h", "99 mcg", "56 mcg"),)}),
    ("WINDOW_SOFT", flex(), {"windows": (window("24 h", "999 mcg", "468 mcg"),)}),
]


@pytest.mark.requirement("LIM-03")
@pytest.mark.requirement("LIM-05")
@pytest.mark.parametrize(("name", "text", "tables"), INSIDE, ids=lambda each: str(each)[:40])
def test_a_value_equal_to_its_limit_is_inside(
    name: str, text: str, tables: dict[str, object]
) -> None:
    assert ids(found(text, library(**tables))) == []


def test_every_limit_has_its_boundary() -> None:
    assert {name for name, _, _ in INSIDE} == {case.name for case in CASES}


@pytest.mark.requirement("LIM-01")
def test_a_limit_that_is_none_is_silent() -> None:
    wild = even_text(
        ('"450', '"9000'),
        ('"300 ', '"5000 '),
        bolus("0.001 mcg", "10 min", '["07:00"]'),
    )
    assert ids(found(wild, NO_LIMITS)) == []
    assert {"DAILY_DOSE_HARD", "RATE_HARD", "BOLUS_LOW"} <= set(ids(read(wild).findings))
    assert source_of(None) == LIBRARY


# --- one cause, told once -----------------------------------------------------------------


@pytest.mark.requirement("LIM-02")
def test_what_is_hard_is_not_soft_as_well() -> None:
    tables = {
        "daily_dose": band(soft_high="400 mcg/day", hard_high="420 mcg/day"),
        "bolus": band(soft_high="10 mcg", hard_high="15 mcg"),
        "patient_dose": band(soft_high="5 mcg", hard_high="6 mcg"),
        "rate": band(soft_high="15 mcg/h", hard_high="20 mcg/h"),
        "windows": (window("1 h", "40 mcg", "30 mcg"), window("24 h", "410 mcg", "400 mcg")),
    }
    assert {each.id for each in found(flex(), library(**tables)) if each.severity is HARD} == {
        "BOLUS_HARD", "DAILY_DOSE_HARD", "PATIENT_DOSE_HARD", "RATE_HARD", "WINDOW_HARD",
    }  # fmt: skip
    soft = [each for each in found(flex(), library(**tables)) if each.severity is SOFT]
    assert ids(tuple(soft)) == [], "no lower value is between the two limits here"


def test_a_continuous_rate_is_told_of_its_day() -> None:
    same = {"soft_high": "400 mcg/day", "hard_high": "500 mcg/day"}
    soft = library(daily_dose=band(**same), rate=band(**same))
    assert ids(found(even_text(), soft)) == ["DAILY_DOSE_SOFT"]
    higher = even_text(('"450', '"501'))
    assert ids(found(higher, soft)) == ["DAILY_DOSE_HARD"]
    rate_only = library(daily_dose=band(soft_high="400 mcg/day"), rate=band(**same))
    assert ids(found(higher, rate_only)) == ["RATE_HARD", "DAILY_DOSE_SOFT"], "hard is not soft"
    lower = {"hard_low": "500 mcg/day"}
    low = library(daily_dose=band(**lower), rate=band(**lower))
    assert [(each.id, each.line) for each in found(even_text(), low)] == [
        ("DAILY_DOSE_LOW", 15),
        ("RATE_LOW", 16),  # the fallback, which no daily dose speaks of
    ]
    mixed = library(
        daily_dose=band(soft_low="451 mcg/day"),
        rate=band(soft_low="450.5 mcg/day", hard_low="250 mcg/day"),
    )
    even_fallback = even_text(('"300 ', '"450 '))
    assert ids(found(even_fallback, mixed)) == ["DAILY_DOSE_LOW", "RATE_LOW"]
    harder = library(daily_dose=band(soft_low="451 mcg/day"), rate=band(hard_low="450.5 mcg/day"))
    assert [each.severity for each in found(even_fallback, harder)] == [HARD, HARD, SOFT]


def test_a_fallback_is_told_where_the_days_are_continuous() -> None:
    lib = library(daily_dose=band(hard_high="400 mcg/day"), rate=band(hard_high="299 mcg/day"))
    assert [(each.id, each.value) for each in found(even_text(), lib)] == [
        ("DAILY_DOSE_HARD", "450 mcg/day"),
        ("RATE_HARD", "300 mcg/day"),
    ]


def test_a_day_that_was_told_is_not_told_of_its_24_hours() -> None:
    windows = (window("24 h", "999 mcg", "400 mcg"),)
    told = library(daily_dose=band(soft_high="420 mcg/day"), windows=windows)
    assert ids(found(even_text(), told)) == ["DAILY_DOSE_SOFT"]
    with_own = even_text(own("10 mcg", "5 min", "4 h", 3))
    assert ids(found(with_own, told)) == ["DAILY_DOSE_SOFT", "WINDOW_SOFT"], "another figure"
    not_told = library(daily_dose=band(soft_high="450 mcg/day"), windows=windows)
    assert ids(found(even_text(), not_told)) == ["WINDOW_SOFT"]
    hard = library(daily_dose=band(hard_high="420 mcg/day"), windows=windows)
    assert ids(found(even_text(), hard)) == ["DAILY_DOSE_HARD"]
    assert ids(found(with_own, hard)) == ["DAILY_DOSE_HARD"]


@pytest.mark.requirement("LIM-05")
def test_24_hours_across_midnight_are_a_day_as_well() -> None:
    # Monday's evening and Tuesday's morning are 360 mcg together; each day has 240
    late, early, flat = [(0, "5"), (720, "15")], [(0, "15"), (720, "5")], [(0, "10")]
    crossing = program([late, early, *[flat] * 5])
    (seen,) = check_program(crossing, library(daily_dose=band(hard_high="359.999 mcg/day")))
    assert (seen.id, seen.value) == ("LARGEST_24H_HARD", "360 mcg")
    assert "from mon 12:00" in seen.message and seen.source == BOARD
    assert check_program(crossing, library(daily_dose=band(hard_high="360 mcg/day"))) == ()


@pytest.mark.requirement("LIM-05")
def test_patient_doses_come_as_fast_as_they_may() -> None:
    lib = library(windows=(window("4 h", "999 mcg", "1 mcg"),))
    (seen,) = named(found(even_text(own("10 mcg", "5 min", "115 min", 3)), lib), "WINDOW_SOFT")
    assert seen.value == "95 mcg", "4 h of 18.75 mcg, and two doses"
    assert "with all patient doses taken" in seen.message
    (seen,) = named(found(even_text(own("10 mcg", "5 min", "110 min", 3)), lib), "WINDOW_SOFT")
    assert seen.value == "105 mcg", "a third may start after 3 h 50 min"
    (seen,) = named(found(even_text(), lib), "WINDOW_SOFT")
    assert seen.value == "75 mcg" and "patient" not in seen.message


def test_minimum_rate_has_no_lower_limit_but_upper_ones() -> None:
    strict = library(
        daily_dose=band(soft_low="99 mcg/day", hard_low="98 mcg/day"),
        rate=band(soft_low="99 mcg/day", hard_low="98 mcg/day"),
    )
    assert found(MINIMUM, strict) == check_program(minimum(), strict) == ()
    upper = library(daily_dose=band(soft_high="23.999 mcg/day"))
    assert ids(found(MINIMUM, upper)) == ["DAILY_DOSE_SOFT"]
    windows = library(windows=(window("1 h", "0.999 mcg"),))
    assert ids(found(MINIMUM, windows)) == ["WINDOW_HARD"]


def test_a_zero_is_told_as_a_zero() -> None:
    text = flex(('dose = "20 mcg"', 'dose = "0 mcg"'), ('dose = "10 mcg"', 'dose = "0 mcg"'))
    names = ids(read(text).findings)
    assert names.count("ZERO_DOSE") == 2
    assert not {"BOLUS_LOW", "PATIENT_DOSE_LOW"} & set(names)
    nothing = even_text(('"450 mcg/day"', '"0 mcg/day"'))
    assert not {"DAILY_DOSE_LOW", "RATE_LOW"} & set(
        ids(found(nothing, library(daily_dose=band(soft_low="9 mcg/day"))))
    )


def test_many_boluses_alike_are_told_once() -> None:
    boluses = [(day, 420, "120 mcg", "10 min") for day in range(7)]
    assert ids(check_program(program([[(0, "11")]], boluses))) == ["BOLUS_SOFT"]
    hourly = read(even_text(('"450', '"2990'), bolus("101 mcg", "10 min", EVERY_HOUR)))
    assert len(named(hourly.findings, "BOLUS_SOFT")) == 1


def test_rates_are_told_per_hour_too() -> None:
    (seen,) = found(flex(), library(rate=band(hard_high="25 mcg/h")))
    assert seen.message == (
        "a rate of 624 mcg/day (26 mcg/h) is above 600 mcg/day, which nothing may exceed"
    )
    (seen,) = check_program(even(), library(daily_dose=band(soft_low="500 mcg/day")))
    assert (
        seen.message == "450 mcg/day every day is below 500 mcg/day, beyond which it needs a reason"
    )


@pytest.mark.requirement("LIM-03")
def test_what_is_held_against_a_limit_is_rounded_towards_it() -> None:
    # 335.98 ng each day
    step = [(0, "0.013"), (1, "0.014")]
    third = program([step])
    high = check_program(third, library(daily_dose=band(hard_high="0.335 mcg/day")))
    assert [each.value for each in named(high, "DAILY_DOSE_HARD")] == ["0.336 mcg/day"]
    low = check_program(third, library(daily_dose=band(soft_low="0.336 mcg/day")))
    assert [each.value for each in named(low, "DAILY_DOSE_LOW")] == ["0.335 mcg/day"]
    # 1.17 ng in 5 min
    over = check_program(third, library(windows=(window("5 min", "0.001 mcg"),)))
    assert [each.value for each in named(over, "WINDOW_HARD")] == ["0.002 mcg"]
