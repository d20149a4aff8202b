"""The bridge: worked case, what counts, what is refused, and what leaving it out would do."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pumpctl.quantities import Duration, Mass, Volume
from pumpctl.therapy.bridge import (
    BridgeOrder,
    BridgePlan,
    Impossible,
    NotNeeded,
    at_fluid,
    metered,
    plan_bridge,
    replan_bridge,
)
from pumpctl.therapy.bridge_effect import Consequence, consequences, worst_without
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.curve import HOUR_MS
from pumpctl.therapy.delivery import rest_of
from pumpctl.therapy.line import FREE, UNKNOWN, Holds, LineVolume
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.program import Mode, PatientDose, Program
from pumpctl.therapy.state import RunningBolus, RunningBridge
from tests.therapy.line_samples import OTHER, STRONG, WEAK, volumes
from tests.therapy.samples import NOW, even, flex, minimum

LINE = volumes("0.348 mL")
OLD = even("100 mcg/day", 500)
NEW = even("100 mcg/day", 2000)
HOUR = Fraction(HOUR_MS)


def since(volume: int, hours: int = 6) -> Course:
    """So many nL, moved evenly since the injection."""
    return Course([Piece(NOW.label_ms - hours * HOUR_MS, NOW.label_ms, volume)])


def planned(
    old: Program | None = OLD,
    new: Program = NEW,
    held: Holds | None = WEAK,
    line: LineVolume = LINE,
    **other: Any,
) -> BridgePlan:
    plan = plan_bridge(old, new, held, line, injected=NOW.plus(-6 * HOUR_MS), now=NOW, **other)
    assert isinstance(plan, BridgePlan), plan
    return plan


def not_planned(
    old: Program | None = OLD,
    new: Program = NEW,
    held: Holds | None = WEAK,
    line: LineVolume = LINE,
    **other: Any,
) -> NotNeeded | Impossible:
    plan = plan_bridge(old, new, held, line, injected=NOW.plus(-6 * HOUR_MS), now=NOW, **other)
    assert not isinstance(plan, BridgePlan), plan
    return plan


def only(plan: BridgePlan) -> Consequence:
    (found,) = consequences(plan)
    return found


@pytest.mark.requirement("REF-08")
@pytest.mark.requirement("REF-03")
def test_w22_the_bridge_and_what_happens_without_it() -> None:
    plan = planned()
    assert plan.in_line == 174_000
    assert plan.order == BridgeOrder(Volume.parse("0.348 mL"), Volume(0), WEAK)
    assert plan.ends - NOW.label_ms == Fraction("41.76") * HOUR
    assert plan.end == NOW.plus(150_336_000)
    assert plan.fluid == STRONG
    found = only(plan)
    assert found.bridged is None
    spell = found.without
    assert spell is not None
    assert spell.lasts == Fraction("6.96") * DAY_MS
    assert spell.given * DAY_MS / spell.lasts == 25_000
    assert not spell.too_much
    assert str(spell) == "25 mcg/day instead of 100 mcg/day for 6 d 23 h"
    assert worst_without(plan) == spell
    assert [dict(day.bridged)["baclofen"] for day in found.days] == [100_000] * 7
    # The seventh day: 0.96 of it at 25, then 0.04 at 100 mcg/day.
    assert [dict(day.without)["baclofen"] for day in found.days] == [25_000] * 6 + [28_000]
    assert [dict(day.without_counted) for day in found.days] == [{"baclofen": 100_000}] * 7


@pytest.mark.requirement("REF-08")
def test_downwards_the_old_drug_would_be_pushed_at_the_new_flow() -> None:
    plan = planned(even("100 mcg/day"), even("100 mcg/day", 500), STRONG)
    assert plan.in_line == 696_000
    assert plan.ends - NOW.label_ms == Fraction("6.96") * DAY_MS
    spell = only(plan).without
    assert spell is not None and spell.too_much
    assert str(spell) == "400 mcg/day instead of 100 mcg/day for 41 h 45 min"


@pytest.mark.requirement("REF-08")
def test_a_schedule_that_varies_is_integrated_and_its_boluses_are_played() -> None:
    # From 14:07 on a Tuesday: 593 min at 2 mcg/h, then 6 mcg/h; 20 mcg from 20:00 to 21:00.
    old = flex([[(0, "6"), (420, "2")]], [(1, 1200, "20 mcg", "1 h")], concentration=500)
    line = volumes("0.1 mL")  # 50 mcg
    plan = planned(old, even("100 mcg/day"), line=line)
    first = Fraction(593, 60) * 2 + 20
    assert plan.ends - NOW.label_ms == (Fraction(593, 60) + (50 - first) / 6) * HOUR
    within = planned(old, even("100 mcg/day"), line=volumes("0.05 mL"))  # 25 mcg
    assert within.ends - NOW.label_ms == (Fraction(353, 60) + (25 - Fraction(353, 30)) / 22) * HOUR
    # The bolus that is running when the front arrives goes on by its mass.
    (day,) = only(within).days
    until_midnight = dict(day.bridged_counted)["baclofen"]
    assert dict(day.bridged)["baclofen"] == until_midnight
    end = within.ends - NOW.label_ms
    after = DAY_MS - end
    bolus_left = 20_000 * (1 - (end - Fraction(353, 60) * HOUR) / HOUR)
    assert until_midnight == 25_000 + bolus_left + Fraction(100_000) * after / DAY_MS


@pytest.mark.requirement("REF-08")
def test_what_passed_between_injection_and_programming_counts() -> None:
    plan = planned(moved=since(50_000))
    assert plan.order == BridgeOrder(Volume(348_000), Volume(50_000), WEAK)
    assert plan.order.remaining == Volume(298_000)
    assert plan.in_line == 149_000
    assert plan.ends - NOW.label_ms == Fraction("35.76") * HOUR
    spell = only(plan).without
    assert spell is not None and spell.lasts == Fraction("5.96") * DAY_MS
    # What moved before the injection, or is still to move, does not.
    wide = Course([Piece(NOW.label_ms - 12 * HOUR_MS, NOW.label_ms + 12 * HOUR_MS, 200_000)])
    assert planned(moved=wide).order.passed == Volume(50_000)


@pytest.mark.requirement("REF-08")
def test_a_part_of_a_nanolitre_is_counted_to_the_safe_side() -> None:
    odd = Course([Piece(NOW.label_ms - HOUR_MS, NOW.label_ms, Fraction(2_001, 2))])
    assert planned(moved=odd).order.passed == Volume(1_001)
    down = planned(even("100 mcg/day"), even("100 mcg/day", 500), STRONG, moved=odd)
    assert down.order.passed == Volume(1_000)


@pytest.mark.requirement("REF-08")
def test_a_bolus_meanwhile_counts() -> None:
    bolus = RunningBolus("single", Mass(20_000), Mass(8_000), NOW, NOW.plus(600_000))
    plan = planned(running=rest_of(bolus, NOW))
    minutes = Fraction(174_000 - 12_000, 100_000) * DAY_MS
    assert plan.ends - NOW.label_ms == minutes
    found = only(plan)
    assert dict(found.days[0].bridged)["baclofen"] == 112_000
    assert dict(found.days[0].without)["baclofen"] == 28_000
    assert found.without is not None and found.without.counted == 696_000


@pytest.mark.requirement("REF-08")
def test_an_uncertain_volume_takes_the_bound_that_gives_too_little() -> None:
    line = volumes("0.14 mL", "0.426 mL")
    up = planned(line=line)
    assert up.order.volume == line.low
    assert [each.truth for each in consequences(up)] == [line.low, line.high]
    first, second = (each.bridged for each in consequences(up))
    assert first is None and second is not None
    assert not second.too_much
    assert second.start == up.end
    # 0.286 mL more of the old drug, at the new flow.
    assert str(second) == "25 mcg/day instead of 100 mcg/day for 5 d 17 h"
    assert worst_without(up).lasts == Fraction("8.52") * DAY_MS
    down = planned(even("100 mcg/day"), even("100 mcg/day", 500), STRONG, line)
    assert down.order.volume == line.high
    first, second = (each.bridged for each in consequences(down))
    assert second is None and first is not None
    assert not first.too_much
    # The new drug is there after 0.14 mL, and is moved at the old flow for 0.286 mL more.
    assert str(first) == "25 mcg/day instead of 100 mcg/day for 5 d 17 h"
    assert first.start == NOW.plus(int(Fraction("2.8") * DAY_MS))


@pytest.mark.requirement("REF-08")
def test_in_a_line_that_was_shorter_the_front_is_there_already() -> None:
    line = volumes("0.14 mL", "0.426 mL")
    plan = planned(
        even("100 mcg/day"), even("100 mcg/day", 500), STRONG, line, moved=since(150_000)
    )
    low, high = consequences(plan)
    assert low.without is None
    assert low.bridged is not None
    assert low.bridged.start == NOW and low.bridged.given == 276_000 * 500 // 1_000
    assert high.without is not None and high.bridged is None
    assert worst_without(plan) == high.without


def test_when_no_bridge_is_needed() -> None:
    assert not_planned(held=STRONG) == NotNeeded("same drug, same concentration")
    same = not_planned(held=STRONG)
    assert isinstance(same, NotNeeded) and same.front is None and not same.given
    assert not_planned(held=STRONG, line=volumes("0.1 mL", "0.2 mL"), old=None) == NotNeeded(
        "same drug, same concentration"
    )


@pytest.mark.requirement("REF-08")
def test_programmed_so_late_that_the_front_has_arrived() -> None:
    found = not_planned(moved=since(696_000))
    assert isinstance(found, NotNeeded)
    assert found.front == NOW.plus(-3 * HOUR_MS)
    assert found.given == 696_000
    between = not_planned(moved=since(348_001))
    assert isinstance(between, NotNeeded)
    assert between.front == NOW.plus(-63) and between.given == 2  # 62.07 ms before
    just = not_planned(moved=since(348_000))
    assert isinstance(just, NotNeeded)
    assert just.front == NOW and not just.given
    almost = Course([Piece(NOW.label_ms - HOUR_MS, NOW.label_ms, 348_000 - Fraction(1, 2))])
    almost_there = not_planned(moved=almost)
    assert isinstance(almost_there, NotNeeded)
    assert almost_there.front == NOW and not almost_there.given


@pytest.mark.parametrize(
    ("case", "why", "instead"),
    [
        ({"held": UNKNOWN}, "is unknown", "access port"),
        ({"held": None}, "differs in tubing and catheter", "access port"),
        ({"held": FREE}, "free of drug", "prime it"),
        ({"held": OTHER, "line": volumes("0.14 mL", "0.2 mL")}, "between 0.14 mL and 0.2 mL",
         "trimmed length"),
        ({"held": OTHER, "old": None}, "no program for it", "access port"),
        ({"held": OTHER}, "no program for it", "access port"),
        ({"old": even("0 mcg/day", 500)}, "gives nothing", "program a dose"),
        ({"new": even("0 mcg/day")}, "gives nothing", "program a dose"),
    ],
)  # fmt: skip
def test_when_no_bridge_is_possible(case: dict[str, Any], why: str, instead: str) -> None:
    found = not_planned(**case)
    assert isinstance(found, Impossible)
    assert why in found.why and instead in found.instead


def test_another_drug_with_its_own_program_is_bridged() -> None:
    old = at_fluid(even("100 mcg/day", 1000), OTHER)
    plan = planned(old, even("100 mcg/day"), OTHER)
    assert plan.ends - NOW.label_ms == Fraction("3.48") * DAY_MS
    found = only(plan)
    assert found.without is not None and found.without.too_much
    assert str(found.without) == (
        "50 mcg/day of morphine instead of 100 mcg/day of baclofen for 6 d 23 h"
    )
    days = [dict(day.bridged) for day in found.days]
    assert days[0] == {"morphine": 100_000, "baclofen": 0}
    assert days[3] == {"morphine": 48_000, "baclofen": 52_000}
    assert days[6] == {"morphine": 0, "baclofen": 100_000}
    counted = [dict(day.bridged_counted) for day in found.days]
    assert counted == days


def test_where_the_old_program_is_not_known_the_new_masses_are_bridged() -> None:
    for old in (None, at_fluid(OLD, OTHER)):
        plan = planned(old)
        assert plan.played == at_fluid(NEW, WEAK)
        assert plan.ends - NOW.label_ms == Fraction("41.76") * HOUR
    # One that was written for yet another concentration counts by its masses.
    assert planned(even("100 mcg/day", 1000)).ends == planned().ends


def test_minimum_rate_is_a_flow_and_stays_that_flow() -> None:
    assert at_fluid(minimum(500), STRONG) == minimum(2000)
    plan = planned(minimum(500), NEW)
    assert plan.played.mode is Mode.MINIMUM
    assert plan.ends - NOW.label_ms == Fraction(348, 48) * DAY_MS
    assert dict(only(plan).days[0].bridged) == {"baclofen": 24_000}


@pytest.mark.requirement("REF-08")
def test_a_reduction_is_a_new_plan_from_what_the_line_holds_now() -> None:
    running = RunningBridge(Volume(348_000), Volume(248_000))
    reduced = even("50 mcg/day")
    plan = replan_bridge(running, WEAK, reduced, NOW)
    assert isinstance(plan, BridgePlan)
    assert plan.order == BridgeOrder(Volume(348_000), Volume(248_000), WEAK)
    assert plan.played == at_fluid(reduced, WEAK)
    assert plan.ends - NOW.label_ms == DAY_MS  # 50 mcg are left
    found = only(plan)
    assert found.bridged is None
    assert dict(found.days[0].bridged) == {"baclofen": 50_000}
    assert isinstance(replan_bridge(running, WEAK, even("0 mcg/day"), NOW), Impossible)


def test_the_patients_own_doses_are_not_part_of_it() -> None:
    own = PatientDose(Mass(10_000), Duration(300_000), Duration(4 * HOUR_MS), 3)
    assert planned(OLD._replace(patient_dose=own)).ends == planned().ends


def test_the_course_is_told_on_the_pumps_clock() -> None:
    utc = Moment(NOW.utc_ms, 0)
    flexible = flex([[(0, "2"), (900, "6")]], concentration=500)
    here = planned(flexible)
    there = plan_bridge(flexible, NEW, WEAK, LINE, injected=utc, now=utc)
    assert isinstance(there, BridgePlan)
    assert there.end.offset_min == 0 and here.end.offset_min == 120
    assert there.ends - utc.label_ms != here.ends - NOW.label_ms
    assert here.end.utc_ms - NOW.utc_ms == int(here.ends - NOW.label_ms)


def test_the_end_is_exact_and_shown_rounded_down() -> None:
    plan = planned(even("99.999 mcg/day", 500))
    assert plan.ends - NOW.label_ms == Fraction(174_000 * DAY_MS, 99_999)
    assert plan.end == NOW.plus(174_000 * DAY_MS // 99_999)
    assert plan.end.label_ms < plan.ends
    wider = planned(even("99.999 mcg/day", 500), line=volumes("0.348 mL", "0.4 mL"))
    late = consequences(wider)[1].bridged
    assert late is not None and late.start == plan.end


def test_a_bolus_that_begins_as_the_front_arrives_is_the_new_programs() -> None:
    # 30 mcg of 500 mcg/mL at 6 mcg/h: the front arrives at 19:07 sharp.
    old = flex([[(0, "6")]], [(1, 19 * 60 + 7, "60 mcg", "1 h")], concentration=500)
    new = flex([[(0, "6")]], [(1, 19 * 60 + 7, "12 mcg", "1 h")])
    plan = planned(old, new, line=volumes("0.06 mL"))
    assert plan.ends - NOW.label_ms == 5 * HOUR_MS
    (day,) = only(plan).days
    assert (
        dict(day.bridged)["baclofen"]
        == 24 * 6_000 + 12_000
        == (dict(day.bridged_counted)["baclofen"])
    )
    # A third of a ms later it is the old one's, to its end.
    later = planned(old, new, line=LineVolume(Volume(60_001), Volume(60_001)))
    assert 0 < later.ends - plan.ends < MINUTE_MS
    assert dict(only(later).days[0].bridged_counted)["baclofen"] == 24 * 6_000 + 60_000


@pytest.mark.requirement("REF-08")
def test_where_the_line_may_be_longer_than_what_has_passed() -> None:
    line = volumes("0.14 mL", "0.426 mL")
    found = not_planned(line=line, moved=since(150_000))
    assert isinstance(found, NotNeeded) and found.uncertain is not None
    assert worst_without(found.uncertain).given == 276_000 * 500 // 1_000
    passed = not_planned(line=line, moved=since(426_000))
    assert isinstance(passed, NotNeeded) and passed.uncertain is None
    assert isinstance(
        not_planned(line=line, moved=since(150_000), new=even("0 mcg/day")), Impossible
    )


def test_whether_the_old_program_is_known_is_kept() -> None:
    assert not planned().old_unknown
    assert planned(old=None).old_unknown


@pytest.mark.requirement("REF-08")
@pytest.mark.parametrize(
    ("volume", "passed", "left"),
    [
        (348_000, 0, 348_000),
        (348_000, 347_900, 100),
        (348_000, 348_000, None),
        # 3480.5 pulses of 100 nL: over with pulse 3481, at 348,100 nL
        (348_050, 348_000, 50),
        (348_050, 348_060, 0),
        (348_050, 348_099, 0),
        (348_050, 348_100, None),
    ],
)
def test_a_bridge_is_over_with_the_pulse_that_reaches_its_volume(
    volume: int, passed: int, left: int | None
) -> None:
    found = metered(Volume(volume), passed, Volume(100))
    assert (None if found is None else found.remaining.quanta) == left
