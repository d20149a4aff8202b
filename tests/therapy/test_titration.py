"""The permitted range of the next daily dose, and how a dose is put into a program."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpctl.errors import InputRefused
from pumpctl.quantities import Duration, Mass, Percent, Rate
from pumpctl.therapy import label
from pumpctl.therapy.checks import check_change, check_program, rules
from pumpctl.therapy.figures import daily_doses, largest_day
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.library import Library, Sourced
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.profile import read_profile
from pumpctl.therapy.profile_writer import profile_text
from pumpctl.therapy.program import (
    Mode,
    PatientDose,
    Program,
    ScheduledBolus,
    Step,
    continuous,
    make_program,
)
from pumpctl.therapy.scaling import Boluses, Scaling, proportional_fallback
from pumpctl.therapy.titration import (
    Range,
    Titration,
    cautions,
    changed_by,
    refusal,
    titration,
)
from tests.therapy.samples import NOW, even, flex, minimum, pump

DAY = 86_400_000
START = even("100 mcg/day", 500, "75 mcg/day")
WEEK = flex(
    [[(0, "14"), (360, "26"), (600, "15")]] * 5 + [[(0, "14")]] * 2,
    [(day, at, "20 mcg", "10 min") for day in range(7) for at in (420, 1260)],
    PatientDose(Mass.parse("10 mcg"), Duration.parse("5 min"), Duration.parse("4 h"), 3),
)


def patient(origin: str = "spinal", age: str = "adult", history: str | None = "new") -> Patient:
    return Patient("P-1", origin, age, history)


def rates(*texts: str) -> tuple[Rate, ...]:
    return tuple(Rate.parse(f"{text} mcg/day") for text in texts)


def increase(found: Titration) -> Range:
    assert found.increase is not None
    return found.increase


def library(**changes: object) -> Library:
    """The one that ships, with other limits of change or daily dose."""
    entries = []
    for entry in DEFAULT.listed:
        fields = {
            name: getattr(entry, name)._replace(
                **{key: each for (at, key), each in _split(changes) if at == name}
            )
            for name in ("daily_change", "daily_dose")
        }
        entries.append(entry._replace(**fields))
    return DEFAULT._replace(listed=tuple(entries))


def _split(changes: dict[str, object]) -> list[tuple[tuple[str, str], object]]:
    found = []
    for name, each in changes.items():
        table, _, key = name.partition("__")
        found.append(((table, key), each))
    return found


def percent(text: str) -> Sourced[Percent]:
    return Sourced(Percent.parse(text), "the site")


def dose(text: str) -> Sourced[Rate]:
    return Sourced(Rate.parse(text), "the site")


# --- the range --------------------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize(
    ("origin", "age", "low", "high"),
    [
        ("spinal", "adult", "110", "130"),
        ("cerebral", "adult", "105", "115"),
        ("spinal", "12-17", "105", "115"),
        ("spinal", "under-12", "105", "115"),
        ("cerebral", "under-12", "105", "115"),
    ],
)
def test_w13_the_next_dose_after_100_mcg(origin: str, age: str, low: str, high: str) -> None:
    for history in ("new", None):
        found = titration(START, patient(origin, age, history))
        span = increase(found)
        assert (span.low, span.high) == rates(low, high)
        assert span.refused_beyond is not None
        assert span.refused_beyond.value == span.high
        assert refusal(found, span.high, NOW) is None
        assert refusal(found, Rate(span.high.quanta + 1), NOW)
        assert refusal(found, Rate.parse("100.001 mcg/day"), NOW) is None, "smaller is allowed"
        assert found.dose == Rate.parse("100 mcg/day") and found.earliest is None


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize("history", ["established", "transferred", "replacement"])
def test_a_maintenance_step_goes_by_origin_and_carries_its_mark(history: str) -> None:
    spinal = increase(titration(even(), patient("spinal", history=history)))
    assert (spinal.low, spinal.high) == rates("495", "630")
    assert any("(to verify)" in source for source in spinal.sources)
    assert spinal.refused_beyond is not None
    assert spinal.refused_beyond.value == Rate.parse("3000 mcg/day"), "to verify: soft at most"
    assert label.MAINTENANCE_SPINAL.source in [soft.source for soft in spinal.reason_beyond]
    cerebral = increase(titration(even(), patient("cerebral", history=history)))
    assert (cerebral.low, cerebral.high) == rates("472.5", "540")
    assert cerebral.refused_beyond is not None
    assert cerebral.refused_beyond.value == cerebral.high


def test_the_library_stands_inside_the_range() -> None:
    found = titration(START, patient())
    (soft,) = increase(found).reason_beyond
    assert soft.dose == Rate.parse("120 mcg/day") and soft.id == "DOSE_INCREASE"
    site = library(daily_change__increase_hard=percent("25 %"))
    span = increase(titration(START, patient(), library=site))
    assert (span.low, span.high) == rates("110", "125")
    assert span.refused_beyond == Sourced(Rate.parse("125 mcg/day"), "the site")
    assert span.sources[1] == "the site"
    site = library(daily_dose__hard_high=dose("105 mcg/day"))
    span = increase(titration(START, patient(), library=site))
    assert (span.low, span.high) == rates("105", "105")
    assert span.reason_beyond == (), "what lies beyond a refusal is not named"


def test_without_any_limit_only_the_label_speaks() -> None:
    none = {
        "daily_dose__hard_high": None, "daily_dose__soft_high": None,
        "daily_dose__soft_low": None, "daily_change__increase_soft": None,
        "daily_change__reduction_soft": None,
    }  # fmt: skip
    found = titration(even(), patient(history="established"), library=library(**none))
    span = increase(found)
    assert span.refused_beyond is None
    assert [soft.dose for soft in span.reason_beyond] == [span.high]
    assert refusal(found, Rate.parse("4000 mcg/day"), NOW) is None
    assert found.reduction is not None and found.reduction.reason_beyond == ()


def test_at_the_limit_there_is_no_increase() -> None:
    found = titration(even("3000 mcg/day"), patient(history="established"))
    assert found.increase is None and "limit" in found.no_increase
    assert refusal(found, Rate.parse("3000.001 mcg/day"), NOW) == found.no_increase
    assert refusal(found, Rate.parse("2900 mcg/day"), NOW) is None


def test_an_increase_by_less_than_a_step_of_the_grid_is_none() -> None:
    """1 min at 21 ng/day and 1439 at 3 are 3.0125 ng: 3 is no increase, 4 more than 30 %."""
    days = ((Step(0, Rate(21)), Step(1, Rate(3))),) * 7
    program = even(concentration=500)._replace(mode=Mode.FLEX, days=days, fallback=Rate(1))
    assert titration(program, patient()).increase is None


def test_from_minimum_rate_there_is_no_step() -> None:
    found = titration(minimum(500), patient(), started=NOW)
    assert found.increase is None and found.reduction is None
    assert found.dose == Rate.parse("24 mcg/day")
    for text in ("20 mcg/day", "24 mcg/day", "100 mcg/day"):
        assert refusal(found, Rate.parse(text), NOW) == found.no_increase
        assert cautions(found, Rate.parse(text)) == ()


# --- when -------------------------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
def test_no_increase_in_the_first_24_hours_nor_within_24_of_the_last() -> None:
    began = NOW
    more, less = Rate.parse("110 mcg/day"), Rate.parse("90 mcg/day")
    first = titration(START, patient(), started=began)
    assert first.earliest == Sourced(began.plus(DAY), label.FIRST_DAY.source)
    assert "2026-04-01T14:07" in (refusal(first, more, began.plus(DAY - 1)) or "")
    assert refusal(first, more, began.plus(DAY)) is None
    again = titration(START, patient(), started=began, last_increase=began.plus(3 * DAY))
    assert again.earliest == Sourced(began.plus(4 * DAY), label.INCREASE_APART.source)
    assert refusal(again, more, began.plus(4 * DAY - 1))
    assert refusal(again, more, began.plus(4 * DAY)) is None
    for found in (first, again):
        assert refusal(found, less, began) is None, "a reduction is never blocked"


def test_elapsed_time_counts_and_no_clock_face() -> None:
    raised = Moment.parse("2026-03-28T12:00:00+01:00")
    found = titration(START, patient(), last_increase=raised)
    early = Moment.parse("2026-03-29T12:30:00+02:00")
    assert early.label_ms - raised.label_ms > DAY > early.utc_ms - raised.utc_ms
    assert refusal(found, Rate.parse("110 mcg/day"), early)


# --- reductions --------------------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
@pytest.mark.requirement("LIM-04")
def test_a_reduction_is_10_to_20_percent_and_more_needs_a_reason() -> None:
    found = titration(even(), patient(history="established"))
    assert found.reduction is not None
    assert (found.reduction.low, found.reduction.high) == rates("360", "405")
    assert found.reduction.refused_beyond is None
    assert cautions(found, Rate.parse("360 mcg/day")) == ()
    (told,) = cautions(found, Rate.parse("359.999 mcg/day"))
    assert told.id == "DOSE_REDUCTION" and told.severity is Severity.SOFT
    assert "withdrawal" in told.message and told.limit == "360 mcg/day"


def test_a_site_may_refuse_a_reduction() -> None:
    site = library(
        daily_change__reduction_hard=percent("15 %"), daily_dose__hard_low=dose("50 mcg/day")
    )
    found = titration(even(), patient(history="established"), library=site)
    assert found.reduction is not None
    assert (found.reduction.low, found.reduction.high) == rates("382.5", "405")
    assert found.reduction.reason_beyond == ()
    assert refusal(found, Rate.parse("382.5 mcg/day"), NOW) is None
    assert "382.5 mcg/day" in (refusal(found, Rate.parse("382.499 mcg/day"), NOW) or "")
    site = library(daily_dose__hard_low=dose("440 mcg/day"))
    found = titration(even(), patient(history="established"), library=site)
    assert found.reduction is not None
    assert (found.reduction.low, found.reduction.high) == rates("440", "440")


@pytest.mark.requirement("LIM-04")
def test_a_large_increase_names_the_finding_that_will_ask() -> None:
    found = titration(even(), patient(history="established"))
    assert cautions(found, Rate.parse("540 mcg/day")) == ()
    (told,) = cautions(found, Rate.parse("600 mcg/day"))
    assert (told.id, told.value, told.limit) == ("DOSE_INCREASE", "600 mcg/day", "540 mcg/day")
    assert "+33.3 %" in told.message
    both = cautions(found, Rate.parse("700 mcg/day"))
    assert [(each.id, each.severity) for each in both] == [
        ("DOSE_INCREASE", Severity.SOFT),
        ("MAINTENANCE_STEP", Severity.NOTE),
    ]
    assert both[1].source == label.MAINTENANCE_SPINAL.source
    site = library(daily_change__increase_soft=None)
    (alone,) = cautions(
        titration(even(), patient(history="established"), library=site),
        Rate.parse("700 mcg/day"),
    )
    assert (alone.id, alone.severity) == ("MAINTENANCE_STEP", Severity.SOFT)


def test_every_finding_that_is_foretold_is_a_check() -> None:
    known = rules()
    for program in (START, even(), WEEK):
        for history in ("new", "established"):
            found = titration(program, patient(history=history))
            for span in (found.increase, found.reduction):
                assert span is not None
                for soft in span.reason_beyond:
                    assert soft.id in known, soft.id


@pytest.mark.parametrize("history", ["established", "new"])
def test_what_is_foretold_is_what_the_checks_say_when_it_is_planned(history: str) -> None:
    """Two calculations of one rule: the proposal's bounds, and the checks' comparison."""
    foretold = {"DOSE_INCREASE", "DOSE_REDUCTION", "MAINTENANCE_STEP"}
    for origin in ("spinal", "cerebral"):
        for text in (
            "360",
            "359.999",
            "440",
            "517.5",
            "539",
            "540",
            "540.001",
            "585",
            "630",
            "631",
        ):
            who = patient(origin, history=history)
            found, wanted = titration(even(), who), Rate.parse(f"{text} mcg/day")
            if refusal(found, wanted, NOW):
                continue
            made = Scaling(even(), Boluses.SCALED).program_for(wanted)
            written = read_profile(profile_text(made, who), "f").profile
            assert written is not None
            told = check_change(written, pump(), station_now=NOW)
            said = {(each.id, each.severity) for each in told if each.id in foretold}
            assert said == {(each.id, each.severity) for each in cautions(found, wanted)}, text


def test_a_percentage_is_rounded_towards_the_present_dose() -> None:
    third = Fraction(100_000, 3)
    assert changed_by(third, Percent.parse("10 %")).quanta == 36_666
    assert changed_by(third, Percent.parse("10 %"), down=True).quanta == 30_000
    assert changed_by(Fraction(100_001), Percent.parse("10 %"), down=True).quanta == 90_001
    assert changed_by(third, Percent.parse("150 %"), down=True) == Rate(0)


# --- into the program --------------------------------------------------------------------


def test_w3_300_and_800_mcg_a_day_are_12_5_and_33_33_mcg_an_hour() -> None:
    for text, hourly in (("300 mcg/day", "12.5 mcg/h"), ("800 mcg/day", "33.333 mcg/h")):
        made = Scaling(even(), Boluses.SCALED).program_for(Rate.parse(text))
        assert made.days[0][0].rate == Rate.parse(text), "the rate is exact, per day"
        assert made.days[0][0].rate.per_hour_text() == hourly
        assert largest_day(made) == Rate.parse(text).quanta


def test_in_flex_every_part_changes_by_the_same_factor() -> None:
    scaling = Scaling(WEEK, Boluses.SCALED)
    made = scaling.program_for(Rate.parse("481.8 mcg/day"))
    assert [str(step.rate.text_in("mcg/h")) for step in made.days[0]] == [
        "15.4 mcg/h", "28.6 mcg/h", "16.5 mcg/h",
    ]  # fmt: skip
    assert {str(bolus.dose) for bolus in made.boluses} == {"22 mcg"}
    assert [new / old for old, new in zip(daily_doses(WEEK), daily_doses(made), strict=True)] == [
        Fraction(11, 10)
    ] * 7
    assert made.fallback == Rate.parse("220 mcg/day")
    assert made.patient_dose == WEEK.patient_dose and made.low_alarm == WEEK.low_alarm


def test_kept_boluses_stay_and_no_day_rises_by_more_than_permitted() -> None:
    found = titration(WEEK, patient(history="established"), boluses=Boluses.KEPT)
    span = increase(found)
    scaling = Scaling(WEEK, Boluses.KEPT)
    made = scaling.program_for(span.high)
    assert made.boluses == WEEK.boluses
    changes = [new / old - 1 for old, new in zip(daily_doses(WEEK), daily_doses(made), strict=True)]
    assert Fraction(39, 100) < max(changes) <= Fraction(40, 100)
    assert min(changes) < max(changes), "the share of the boluses differs by day"
    lower = scaling.program_for(Rate.parse("400 mcg/day"))
    assert {str(bolus.dose) for bolus in lower.boluses} == {"20 mcg"}
    assert 400_000 <= largest_day(lower) < 400_024


def test_what_cannot_be_written_exactly_stays_on_the_side_of_the_old_dose() -> None:
    scaling = Scaling(WEEK, Boluses.SCALED)
    assert 479_976 < largest_day(scaling.program_for(Rate.parse("480 mcg/day"))) < 480_000
    assert 400_000 < largest_day(scaling.program_for(Rate.parse("400 mcg/day"))) < 400_026


def test_a_rate_off_the_grid_never_moves_the_other_way() -> None:
    odd = flex([[(0, "14.000125"), (720, "20")]] * 7)
    up = Scaling(odd, Boluses.SCALED).program_for(Rate(408_025))
    assert [step.rate.quanta for step in up.days[0]] == [336_003, 480_024]
    odd = flex([[(0, "13.999125"), (720, "20.000125")]] * 7)
    down = Scaling(odd, Boluses.SCALED).program_for(Rate(407_988))
    assert [step.rate.quanta for step in down.days[0]] == [335_979, 480_000]


def with_boluses(total: int, *doses: int) -> Program:
    """A continuous program of `total` ng a day, boluses included."""
    return make_program(
        Mode.CONTINUOUS,
        "baclofen",
        START.concentration,
        low_alarm=START.low_alarm,
        fallback=Rate(max(1, total)),
        days=continuous(Rate(total - sum(doses))),
        boluses=[
            ScheduledBolus(day, 60 * hour, Mass(dose), Duration(60_000))
            for day in range(7)
            for hour, dose in enumerate(doses)
        ],
    )


def test_a_continuous_rate_takes_the_rest_so_that_the_dose_is_exact() -> None:
    program = with_boluses(400_000, 60_001, 33_333)
    for boluses in Boluses:
        for text in ("433.333 mcg/day", "399.999 mcg/day"):
            made = Scaling(program, boluses).program_for(Rate.parse(text))
            assert largest_day(made) == Rate.parse(text).quanta


@pytest.mark.parametrize(
    ("program", "boluses", "wanted", "words"),
    [
        (WEEK, Boluses.KEPT, Rate(40_000), "leaves nothing for the basal rate"),
        (WEEK, Boluses.SCALED, Rate(0), "leaves nothing for the basal rate"),
        (with_boluses(12, 3, 4, 4), Boluses.SCALED, Rate(9), "leaves nothing for the basal rate"),
        (WEEK, Boluses.SCALED, Rate(438_000), "present dose"),
        (WEEK, Boluses.SCALED, Rate(438_001), "present dose"),
    ],
)
def test_a_dose_that_makes_no_program_is_refused(
    program: Program, boluses: Boluses, wanted: Rate, words: str
) -> None:
    with pytest.raises(InputRefused, match=words):
        Scaling(program, boluses).program_for(wanted)


@pytest.mark.requirement("PRG-07")
def test_the_fallback_keeps_its_part_of_the_smallest_day() -> None:
    def fallback(share: str, wanted: str) -> str:
        program = even("400 mcg/day", fallback=share)
        return str(Scaling(program, Boluses.SCALED).program_for(Rate.parse(wanted)).fallback)

    assert fallback("300 mcg/day", "440 mcg/day") == "330 mcg/day"
    assert fallback("200 mcg/day", "440.001 mcg/day") == "220.001 mcg/day", "at least half"
    assert fallback("400 mcg/day", "440 mcg/day") == "440 mcg/day", "at most the whole"
    assert fallback("200 mcg/day", "150 mcg/day") == "96 mcg/day", "the pump's least"
    assert fallback("90 mcg/day", "300 mcg/day") == "90 mcg/day", "nor raised to it"
    given = Scaling(even(), Boluses.SCALED).program_for(
        Rate.parse("500 mcg/day"), Rate.parse("350 mcg/day")
    )
    assert given.fallback == Rate.parse("350 mcg/day")


def test_mostly_boluses_leave_little_to_scale() -> None:
    program = with_boluses(100_000, 90_000)
    found = titration(program, patient(history="established"), boluses=Boluses.KEPT)
    assert found.reduction is not None
    assert found.reduction.low == Rate(90_001), "beyond it nothing of the basal rate is left"
    assert increase(found).high == Rate(140_000)
    assert found.reduction.hard_beyond is not None
    assert found.reduction.hard_beyond.id == "ZERO_RATE"


# --- where the checks of the program end it ------------------------------------------------


def hard(program: Program, boluses: Boluses, wanted: Rate) -> set[str]:
    """The hard findings of what the next step would make of this dose."""
    made = Scaling(program, boluses).program_for(wanted)
    return {each.id for each in check_program(made) if each.severity is Severity.HARD}


OFTEN = PatientDose(Mass.parse("40 mcg"), Duration.parse("5 min"), Duration.parse("1 h"), 12)
MANY = even("2500 mcg/day")._replace(patient_dose=OFTEN)
PEAKS = flex([[(0, "120"), (60, "14")]] * 7)


@pytest.mark.requirement("LIM-01")
@pytest.mark.parametrize(
    ("program", "most", "name"),
    [(MANY, "2520", "LARGEST_24H_HARD"), (PEAKS, "460.42", "RATE_HARD")],
)
def test_an_increase_that_is_offered_has_no_hard_finding_and_1_ng_more_has(
    program: Program, most: str, name: str
) -> None:
    found = titration(program, patient(history="established"))
    span = increase(found)
    assert span.hard_beyond is not None
    assert (span.high, span.hard_beyond.id) == (*rates(most), name)
    assert span.low <= span.high and span.hard_beyond.source in span.sources
    assert all(soft.dose < span.high for soft in span.reason_beyond)
    assert hard(program, Boluses.SCALED, span.high) == set()
    assert hard(program, Boluses.SCALED, span.low) == set()
    assert hard(program, Boluses.SCALED, Rate(span.high.quanta + 1)) == {name}


@pytest.mark.requirement("LIM-03")
def test_a_reduction_that_is_offered_has_no_hard_finding_and_1_ng_less_has() -> None:
    found = titration(even("100 mcg/day"), patient(history="established"))
    assert found.reduction is not None and found.reduction.hard_beyond is not None
    assert (found.reduction.low, found.reduction.high) == rates("96", "96")
    assert found.reduction.hard_beyond.id == "FLOW_LOW"
    assert found.reduction.reason_beyond == (), "what lies beyond it is not named"
    assert hard(even("100 mcg/day"), Boluses.SCALED, found.reduction.low) == set()
    assert "FLOW_LOW" in hard(even("100 mcg/day"), Boluses.SCALED, Rate(95_999))


def test_where_the_checks_leave_no_step_none_is_offered_and_the_finding_is_named() -> None:
    least = titration(even("96 mcg/day"), patient(history="established"))
    assert least.reduction is None and "FLOW_LOW" in least.no_reduction
    assert refusal(least, Rate.parse("90 mcg/day"), NOW) is None, "the checks say it, of a program"
    most = titration(even("2520 mcg/day")._replace(patient_dose=OFTEN), patient())
    assert most.increase is None and "LARGEST_24H_HARD" in most.no_increase
    assert refusal(most, Rate.parse("2521 mcg/day"), NOW) == most.no_increase


def test_a_reduction_that_the_site_leaves_no_room_for_is_refused() -> None:
    site = library(daily_dose__hard_low=dose("450 mcg/day"))
    found = titration(even(), patient(history="established"), library=site)
    assert found.reduction is None and "limit" in found.no_reduction
    assert refusal(found, Rate.parse("449 mcg/day"), NOW) == found.no_reduction
    assert cautions(found, Rate.parse("449 mcg/day")) == ()


def test_a_hard_finding_that_is_there_already_is_no_bound() -> None:
    low = even("60 mcg/day")
    assert any(each.id == "FLOW_LOW" for each in check_program(low))
    found = titration(low, patient(history="established"))
    assert found.reduction is not None and found.reduction.low == Rate.parse("48 mcg/day")


def test_a_refusal_says_that_smaller_is_allowed_and_what_needs_a_reason() -> None:
    told = refusal(titration(START, patient()), Rate.parse("140 mcg/day"), NOW) or ""
    assert "the usual step is 110 mcg/day to 130 mcg/day; smaller is allowed" in told
    assert "above 120 mcg/day needs a reason" in told and "permitted now" not in told


def test_the_last_increase_is_kept_as_it_was_given() -> None:
    assert titration(START, patient(), started=NOW).last_increase is None
    assert titration(START, patient(), last_increase=NOW).last_increase == NOW


def test_the_fallback_in_proportion_may_lie_below_the_pump_s_least() -> None:
    old = even("100 mcg/day", fallback="98 mcg/day")
    made = Scaling(old, Boluses.SCALED).program_for(Rate.parse("97 mcg/day"))
    assert made.fallback == Rate.parse("96 mcg/day")
    assert proportional_fallback(old, made) == Rate.parse("95.06 mcg/day")
