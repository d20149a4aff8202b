"""The checks of a profile: each with a bad program, and each shown to be what stops it.

Those that hold a figure against the library's limits are in `test_checks_limits`.
"""

from __future__ import annotations

import pytest

from pumpctl.quantities import Rate
from pumpctl.therapy.checks import check_program, rules
from pumpctl.therapy.checks.registry import check
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.library_default import DEFAULT
from tests.therapy import test_checks_limits
from tests.therapy.checking import (
    EVERY_HOUR,
    Bad,
    bolus,
    even_text,
    finds,
    flex,
    own,
    passes_without,
)
from tests.therapy.samples import (
    CONTINUOUS,
    FLEX,
    MINIMUM,
    altered,
    even,
    ids,
    named,
    profile,
    read,
)
from tests.therapy.samples import flex as program
from tools.model import severities

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
STEPS_WE = '[ { from = "00:00", basal = "14 mcg/h" } ]'

CASES = [
    # --- schedule
    Bad("DAY_MISSING", HARD, flex(('["sat", "sun"]', '["sat"]')), "sun", "mon to sun",
        "[[program.day]]"),
    Bad("DAY_TWICE", HARD, flex(('"thu", "fri"]', '"thu", "fri", "sat"]')), "sat", "once",
        '"sat", "sun"]'),
    Bad("STEP_GAP", HARD, flex((STEPS_WE, '[ { from = "01:00", basal = "14 mcg/h" } ]')),
        "01:00", "00:00", '"01:00"'),
    Bad("STEP_TWICE", HARD, flex(('from = "10:00"', 'from = "06:00"')), "06:00",
        "each time once", '"06:00", basal = "15'),
    Bad("STEP_ORDER", HARD, flex(('from = "06:00"', 'from = "11:00"')), "10:00", "after 11:00",
        '"10:00"'),
    # --- doses
    Bad("ZERO_RATE", HARD, flex(('basal = "26 mcg/h"', 'basal = "0 mcg/h"'),
        ('"438 mcg/day"', '"334 mcg/day"')), "0 mcg/day", "above 0 mcg/day", '"0 mcg/h"'),
    Bad("ZERO_RATE", HARD, flex(('"216 mcg/day"', '"0 mcg/day"')), "0 mcg/day",
        "above 0 mcg/day", '"0 mcg/day"'),
    Bad("ZERO_DOSE", HARD, even_text(bolus("0 mcg", "10 min", '["07:00"]')), "0 mcg",
        "above 0 mcg", '"0 mcg"'),
    Bad("ZERO_DOSE", HARD, flex(('dose = "10 mcg"', 'dose = "0 mcg"')), "0 mcg", "above 0 mcg",
        '"0 mcg"'),
    Bad("DOSE_DURATION", HARD, flex(('over = "10 min"', 'over = "0 min"')), "0 s",
        "above 0 s, at most 24 h", '"0 min"'),
    Bad("DOSE_DURATION", HARD, flex(('over = "5 min"', 'over = "0 s"')), "0 s",
        "above 0 s, at most 24 h", '"0 s"'),
    Bad("BOLUS_COUNT", HARD, even_text(bolus("1 mcg", "10 min", EVERY_HOUR),
        bolus("1 mcg", "10 min", '["07:30"]')), "25", "24", '["07:30"]'),
    Bad("BOLUS_OVERLAP", HARD, flex(('"07:00", "21:00"]', '"07:00", "07:09"]')), "10 min",
        "9 min", '"07:09"'),
    Bad("BOLUS_OVERLAP", HARD, flex(('over = "10 min"', 'over = "12 h"'),
        ('"07:00", "21:00"]', '"00:30", "13:00"]')), "12 h", "690 min", '"00:30"'),
    Bad("CONTINUOUS_BOLUS", HARD, even_text(bolus("10 mcg", "10 min", '["07:00"]', '["mon"]')),
        None, None, "[[program.bolus]]"),
    Bad("CONTINUOUS_BOLUS", HARD, even_text(bolus("225 mcg", "1 h", '["07:00", "19:00"]')),
        "450 mcg", "450 mcg/day", "[[program.bolus]]"),
    Bad("PATIENT_DOSE_LOCKOUT", HARD, flex(('lockout = "4 h"', 'lockout = "0 h"')), "0 s",
        "above 0 s, at most 7 d", '"0 h"'),
    Bad("PATIENT_DOSE_LOCKOUT", HARD, flex(('lockout = "4 h"', 'lockout = "8 d"')), "8 d",
        "above 0 s, at most 7 d", '"8 d"'),
    Bad("LOCKOUT_SHORT", SOFT, flex(('lockout = "4 h"', 'lockout = "4 min"')), "4 min",
        "at least 30 min", '"4 min"'),
    Bad("DOSE_DURATION_LONG", SOFT, flex(('over = "10 min"', 'over = "10 h"')), "10 h",
        "at most 4 h", '"10 h"'),
    Bad("DOSE_DURATION_LONG", SOFT, flex(('over = "5 min"', 'over = "5 h"')), "5 h",
        "at most 4 h", '"5 h"'),
    Bad("START_DOSE_AHEAD", NOTE, even_text(('"established"', '"new"'), ('"450', '"201'),
        ('"300 ', '"150 ')), "201 mcg/day", "200 mcg/day", '"201'),
    Bad("START_DOSE_AHEAD", NOTE, even_text(('"established"', '"new"'), ('"450', '"200'),
        ('"300 ', '"150 '), own("1 mcg", "5 min", "4 h", 1)), "201 mcg", "200 mcg/day", '"200'),
    Bad("PATIENT_DOSE_UNREACHABLE", NOTE, flex(('lockout = "4 h"', 'lockout = "12 h"')), "3", "2",
        "3"),
    # --- the declared dose
    Bad("DECLARED_DOSE", HARD, flex(('"438 mcg/day"', '"437.999 mcg/day"')), "437.999 mcg/day",
        "438 mcg/day", '"437.999'),
    Bad("DECLARED_DOSE", HARD, flex(('"376 mcg/day"', '"438 mcg/day"')), "438 mcg/day",
        "376 mcg/day", '"438 mcg/day"'),
    # --- the pump's range
    Bad("FLOW_LOW", HARD, flex((STEPS_WE, '[ { from = "00:00", basal = "3.999 mcg/h" } ]'),
        ('"376 mcg/day"', '"135.976 mcg/day"'), ('"216', '"100')), "0.047988 mL/day",
        "0.048 mL/day", '"3.999'),
    Bad("FLOW_LOW", HARD, even_text(('"450', '"95.999'), ('"300 ', '"96 ')), "0.047999 mL/day",
        "0.048 mL/day", '"95.999'),
    Bad("FLOW_HIGH", HARD, flex(('over = "10 min"', 'over = "30 s"')), "29.112 mL/day",
        "24 mL/day", '"07:00"'),
    Bad("FLOW_HIGH", HARD, flex(('over = "5 min"', 'over = "18 s"')), "25.752 mL/day",
        "24 mL/day", '"18 s"'),
    Bad("FALLBACK_FLOW", HARD, even_text(('"450', '"96'), ('"300 ', '"95.999 ')),
        "0.047999 mL/day", "0.048 mL/day to 24 mL/day", '"95.999'),
    # --- the drug
    Bad("DRUG_UNKNOWN", HARD, flex(('"baclofen"', '"morphine"')), "morphine", "baclofen",
        '"morphine"'),
    Bad("CONCENTRATION_UNKNOWN", HARD, flex(('"2000 mcg/mL"', '"1500 mcg/mL"')), "1500 mcg/mL",
        "500 mcg/mL, 1000 mcg/mL, 2000 mcg/mL", '"1500'),
    Bad("CONCENTRATION_SCREENING", HARD, even_text(('"2000 mcg/mL"', '"50 mcg/mL"')), "50 mcg/mL",
        "500 mcg/mL, 1000 mcg/mL, 2000 mcg/mL", '"50 mcg'),
    # --- the daily dose
    Bad("DAILY_DOSE_USUAL", NOTE, even_text(('"450', '"299.999'), ('"300 ', '"200 ')),
        "299.999 mcg/day", "300 mcg/day to 800 mcg/day", '"299.999'),
    Bad("DAILY_DOSE_USUAL", NOTE, even_text(('"spinal"', '"cerebral"'), ('"450', '"704'),
        ('"300 ', '"400 ')), "704 mcg/day", "90 mcg/day to 703 mcg/day", '"704'),
    Bad("FALLBACK_LOW", SOFT, flex(('"216', '"187.999')), "187.999 mcg/day",
        "at least 188 mcg/day", '"187.999'),
    Bad("FALLBACK_HIGH", SOFT, flex(('"216', '"376.001')), "376.001 mcg/day",
        "at most 376 mcg/day", '"376.001'),
    # --- the setting
    Bad("AGE_UNDER_12", NOTE, even_text(('"adult"', '"under-12"')), "under-12", None,
        '"under-12"'),
    Bad("HISTORY_MISSING", NOTE, even_text(('history = "established"\n', "")), None,
        "new, established, transferred or replacement", "[patient]"),
    Bad("TAG_PLACEHOLDER", NOTE, even_text(('"P-0417"', '"CHANGE-ME"')), "CHANGE-ME", None,
        '"CHANGE-ME"'),
    Bad("LOW_ALARM_RANGE", HARD, even_text(('"2 mL"', '"0 mL"')), "0 mL",
        "above 0 mL, below 40 mL", '"0 mL"'),
    Bad("LOW_ALARM_RANGE", HARD, even_text(('"2 mL"', '"40 mL"')), "40 mL",
        "above 0 mL, below 40 mL", '"40 mL"'),
    Bad("LOW_ALARM_LOW", NOTE, even_text(('"2 mL"', '"1.9 mL"')), "1.9 mL", "2 mL", '"1.9'),
]  # fmt: skip


@pytest.mark.requirement("LIM-01")
@pytest.mark.requirement("LIM-06")
@pytest.mark.requirement("LIM-07")
@pytest.mark.requirement("PRG-07")
@pytest.mark.requirement("PRG-08")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_the_check_finds_it(case: Bad) -> None:
    finds(case)
    assert read(case.text).ok is (case.severity is not HARD)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_without_the_check_it_would_pass(case: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    passes_without(case, monkeypatch)


def test_every_check_has_its_case() -> None:
    cases = [*CASES, *test_checks_limits.CASES]
    assert {case.name for case in cases} == set(check.by_id)


@pytest.mark.requirement("LIM-02")
def test_limits_themselves_are_allowed() -> None:
    for text in (
        even_text(('"450', '"3000'), ('"300 ', '"1500 ')),
        even_text(('"450', '"96'), ('"300 ', '"96 ')),
        flex(('"216', '"188')),
        flex(('"216', '"376')),
        flex(('"07:00", "21:00"]', '"07:00", "07:10"]')),
        flex(('over = "10 min"', 'over = "39 s"')),
    ):
        assert not [each for each in read(text).findings if each.severity is HARD]
    for text, name in (
        (even_text(('"450', '"1000'), ('"300 ', '"500 ')), "DAILY_DOSE_SOFT"),
        (flex(('"216', '"188')), "FALLBACK_LOW"),
        (flex(('"216', '"376')), "FALLBACK_HIGH"),
    ):
        assert not named(read(text).findings, name)


@pytest.mark.requirement("LIM-02")
def test_a_hard_dose_is_not_called_soft_as_well() -> None:
    text = even_text(('"450', '"3000.001'), ('"300 ', '"1501 '))
    assert "DAILY_DOSE_SOFT" not in ids(read(text).findings)


@pytest.mark.requirement("PRG-08")
def test_a_dose_takes_at_most_a_day() -> None:
    long = program([[(0, "14")]], [(0, 0, "9 mcg", "25 h")])
    (found,) = check_program(long)
    assert (found.id, found.value) == ("DOSE_DURATION", "25 h")
    day = program([[(0, "14")]], [(0, 0, "9 mcg", "24 h")])
    assert ids(check_program(day)) == ["DOSE_DURATION_LONG"]
    assert check_program(program([[(0, "14")]], [(0, 0, "9 mcg", "4 h")])) == ()


@pytest.mark.requirement("PRG-08")
def test_a_duration_that_cannot_be_read_hides_no_other() -> None:
    text = flex(('over = "10 min"', 'over = "10"'), ('over = "5 min"', 'over = "25 h"'))
    found = read(text).findings
    assert [each.value for each in named(found, "QUANTITY")] == ['"10"']
    assert [each.value for each in named(found, "DOSE_DURATION")] == ["25 h"]


def test_boluses_meet_over_the_end_of_the_week() -> None:
    meet = program([[(0, "14")]], [(6, 1439, "9 mcg", "2 min"), (0, 0, "9 mcg", "1 min")])
    assert [(each.id, each.limit) for each in check_program(meet)] == [("BOLUS_OVERLAP", "1 min")]
    twice = program([[(0, "14")]], [(3, 60, "9 mcg", "2 min"), (3, 60, "8 mcg", "1 min")])
    assert ids(check_program(twice)) == ["BOLUS_OVERLAP"]
    alone = program([[(0, "14")]], [(3, 60, "9 mcg", "2 min")])
    assert check_program(alone) == ()


def test_the_highest_rate_during_a_bolus_counts() -> None:
    # 23.76 mL/day of bolus, from 14 mcg/h into 60 mcg/h after midnight
    days = [[(0, "14")], [(0, "60"), (60, "14")], *[[(0, "14")]] * 5]
    into = program(days, [(0, 1430, "660 mcg", "20 min")])
    before = program(days, [(0, 1420, "660 mcg", "20 min")])
    assert [each.value for each in named(check_program(into), "FLOW_HIGH")] == ["24.48 mL/day"]
    assert not named(check_program(before), "FLOW_HIGH")


def test_a_rate_alone_can_be_too_fast_and_one_fault_hides_no_other() -> None:
    fast = flex(('basal = "26 mcg/h"', 'basal = "2001 mcg/h"'))
    assert "24.012 mL/day" in [each.value for each in named(read(fast).findings, "FLOW_HIGH")]
    instant = program([[(0, "14")]], [(0, 0, "9 mcg", "0 s"), (1, 0, "20 mcg", "30 s")])
    assert {"DOSE_DURATION", "FLOW_HIGH"} <= set(ids(check_program(instant)))
    unread = flex(('at = ["07:00", "21:00"]\ndays = ["mon"', 'at = ["07:00"]\ndays = ["xyz"'))
    assert "VALUE_CHOICE" in ids(read(unread).findings)
    assert "BOLUS_COUNT" not in ids(read(unread).findings)


def test_usual_ranges_are_notes_and_new_patients_start_below_them() -> None:
    low = even_text(('"450', '"100'), ('"300 ', '"100 '))
    assert ids(read(low).findings) == ["DAILY_DOSE_USUAL"]
    assert ids(read(altered(low, ('"established"', '"new"'))).findings) == []
    child = altered(low, ('"adult"', '"under-12"'))
    assert ids(read(child).findings) == ["AGE_UNDER_12"]
    assert read(MINIMUM).findings == ()


def test_another_library_has_its_own_figures_and_sources() -> None:
    soft = Sourced(Rate.parse("400 mcg/day"), "this site's board")
    listed = [
        each._replace(usual=(), daily_dose=each.daily_dose._replace(soft_high=soft))
        for each in DEFAULT.listed
    ]
    strict = DEFAULT._replace(site="north", listed=tuple(listed))
    (found,) = check_program(profile(CONTINUOUS), strict)
    assert (found.id, found.limit, found.source) == (
        "DAILY_DOSE_SOFT",
        "400 mcg/day",
        "this site's board",
    )


def test_the_message_of_a_wrong_total_shows_all_three_figures() -> None:
    text = flex(('"438 mcg/day"', '"440 mcg/day"'))
    (found,) = named(read(text).findings, "DECLARED_DOSE")
    assert found.message == (
        "declared 440 mcg/day, but the steps and boluses of mon, tue, wed, thu, fri add up to "
        "438 mcg/day: 2 mcg/day less"
    )
    (found,) = named(read(flex(('"438 mcg/day"', '"430 mcg/day"'))).findings, "DECLARED_DOSE")
    assert found.message.endswith("add up to 438 mcg/day: 8 mcg/day more")


def test_days_of_one_table_that_differ_are_told_apart() -> None:
    text = flex(
        ('at = ["07:00", "21:00"]\ndays = ["mon", "tue"', 'at = ["07:00", "21:00"]\ndays = ["tue"')
    )
    (found,) = named(read(text).findings, "DECLARED_DOSE")
    assert found.limit == "398 mcg/day" and "boluses of mon add up" in found.message


def test_findings_come_sorted_by_severity_and_then_by_line() -> None:
    text = flex(('history = "established"\n', ""), ('"216', '"100'), ('"376 ', '"377 '))
    assert ids(read(text).findings) == ["DECLARED_DOSE", "FALLBACK_LOW", "HISTORY_MISSING"]


def test_a_program_from_elsewhere_is_checked_alike() -> None:
    assert check_program(even()) == ()
    high = check_program(even("1200 mcg/day", fallback="100 mcg/day"))
    assert sorted(ids(high)) == ["DAILY_DOSE_SOFT", "FALLBACK_LOW"]
    assert {(each.line, each.column) for each in high} == {(None, None)}
    known = profile(FLEX)
    assert check_program(known) == () and check_program(known.program) == ()
    assert check_program(profile(MINIMUM).program) == ()
    faulty = profile(altered(CONTINUOUS, ("format = 1", "format = 2")))
    assert ids(check_program(faulty)) == ["PROFILE_FORMAT"], "the shape's faults stay with it"


def test_every_rule_can_be_explained() -> None:
    for name, rule in rules().items():
        assert (name == rule.id and name.replace("_", "").isupper()) or "24" in name or "12" in name
        assert rule.source and rule.why.endswith((".", "?"))
        assert len(rule.why) < 400
        assert not rule.incident or rule.incident.endswith("."), name
    assert len(rules()) >= 40


def test_what_exists_because_of_an_incident_says_so() -> None:
    told = {name for name, rule in rules().items() if rule.incident}
    assert told >= {
        "ALARM_CRITICAL", "BATTERY_LOW", "BOLUS_COUNT", "CLOCK_DIFFERENCE", "CONCENTRATION_OTHER",
        "DAILY_DOSE_SOFT", "DECLARED_DOSE", "DOSE_DURATION", "DOSE_INCREASE", "LOW_ALARM_LOW",
        "QUANTITY", "STOPPED_LONG", "STOPPED_RESTART", "STOPPED_TOO_LONG", "TIME_OF_DAY",
        "WINDOW_AHEAD_HARD", "WINDOW_AHEAD_SOFT",
    }  # fmt: skip


def test_the_table_of_checks_knows_the_severities() -> None:
    table = severities()
    for case in (*CASES, *test_checks_limits.CASES):
        assert case.severity.value in table[case.name]
