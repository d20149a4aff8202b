"""Plug flow, bridges and boluses against a queue of single nL, on random schedules."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy.bolus import BolusOrder, bolus_effect
from pumpctl.therapy.bridge import BridgeOrder, BridgePlan, plan_bridge
from pumpctl.therapy.bridge_effect import consequences
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.line import LineVolume
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.plug import Contents, Plug, at_tip, contents, masses_in, volume_in
from pumpctl.therapy.program import Mode, Program, ScheduledBolus, Step, make_program
from pumpctl.therapy.state import Fluid
from tests.therapy.pulses import MINUTE, Bolus, Drop, Queue, Week, run, run_bridge

MONDAY = Moment.parse("2026-11-16T00:00:00Z")
CONCENTRATIONS = (500, 1000, 2000)
# 2 ng/min are 4, 2 and 1 nL/min: whole nL in every minute at each of them.
UNIT = 2

drops = st.sampled_from([("baclofen", each) for each in CONCENTRATIONS] + [("morphine", 1000)])
lines = st.lists(st.tuples(st.integers(1, 400), st.none() | drops), min_size=1, max_size=4)
rates = st.integers(1, 6).map(lambda count: count * UNIT)


def fluid(drop: tuple[str, int]) -> Fluid:
    return Fluid(drop[0], Concentration(drop[1]))


def plugs(line: list[tuple[int, Drop]]) -> Contents:
    return contents([Plug(volume, fluid(drop) if drop else None) for volume, drop in line])


@st.composite
def weeks(draw: st.DrawFn, dosing: int = 1) -> Week:
    """A flex week, with a few boluses that do not overlap."""
    days = []
    for _ in range(draw(st.sampled_from([1, 7]))):
        starts = sorted({0, *draw(st.lists(st.integers(1, 1_439), max_size=3))})
        days.append(tuple((start, draw(rates) * dosing) for start in starts))
    boluses, free = [], 0
    for at in sorted(draw(st.lists(st.integers(0, 7 * 1_440 - 300), max_size=6))):
        if at >= free:
            minutes = draw(st.integers(1, 200))
            boluses.append(Bolus(at, draw(rates) * 5, minutes))
            free = at + minutes
    return Week(tuple(days) * (7 // len(days)), tuple(boluses))


def program(week: Week, drop: tuple[str, int]) -> Program:
    return make_program(
        Mode.FLEX,
        drop[0],
        Concentration(drop[1]),
        low_alarm=Volume(2_000_000),
        fallback=Rate(100_000),
        days=[[Step(start, Rate(rate * 1_440)) for start, rate in day] for day in week.days],
        boluses=[
            ScheduledBolus(
                bolus.at // 1_440,
                bolus.at % 1_440,
                Mass(bolus.ng * bolus.minutes),
                Duration(bolus.minutes * MINUTE),
            )
            for bolus in week.boluses
        ],
    )


@given(
    line=lines,
    drop=drops,
    flows=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60)), min_size=1, max_size=12),
)
def test_any_course_through_any_line(
    line: list[tuple[int, Drop]], drop: tuple[str, int], flows: list[tuple[int, int]]
) -> None:
    pieces: list[Piece] = []
    each_minute: list[int] = []
    for flow, minutes in flows:
        first = len(each_minute)
        each_minute += [flow] * minutes
        pieces.append(Piece(first * MINUTE, len(each_minute) * MINUTE, flow * minutes))
    queue = Queue(line)
    after, fronts = run(queue, each_minute.__getitem__, drop, 0, len(each_minute))
    tip = at_tip(plugs(line), Course(pieces), fluid(drop))
    for minute, left in enumerate(after, 1):
        for drug in ("baclofen", "morphine"):
            course = tip.course(drug)
            assert course.upto(minute * MINUTE) * 1_000 == left.get(drug, 0)
    assert [(front.fluid, front.at) for front in tip.fronts] == [
        (fluid(behind) if behind else None, at) for behind, at in fronts
    ]
    assert tip.contents == plugs(queue.plugs())
    # Nothing is made and nothing is lost.
    moved = Course(pieces).upto(len(each_minute) * MINUTE)
    assert volume_in(tip.contents) == volume_in(plugs(line))
    for drug in ("baclofen", "morphine"):
        was = dict(masses_in((*plugs(line), Plug(moved, fluid(drop))))).get(drug, 0)
        assert dict(masses_in(tip.contents)).get(drug, 0) + tip.course(drug).upto(10**9) == was


@st.composite
def changes(draw: st.DrawFn) -> tuple[tuple[str, int], tuple[str, int]]:
    """Two fluids that differ, of one drug or of two."""
    old = draw(drops)
    return old, draw(drops.filter(lambda drop: drop != old))


@pytest.mark.requirement("REF-08")
@given(
    old=weeks(),
    new=weeks(),
    change=changes(),
    volume=st.integers(200, 3_000),
    passed=st.integers(0, 150),
    start=st.integers(0, 7 * 1_440 - 1),
)
@settings(deadline=None)
def test_a_bridge_pulse_by_pulse(
    old: Week,
    new: Week,
    change: tuple[tuple[str, int], tuple[str, int]],
    volume: int,
    passed: int,
    start: int,
) -> None:
    now = MONDAY.plus(start * MINUTE)
    injected = now.plus(-DAY_MS)
    known = LineVolume(Volume(volume), Volume(volume))
    moved = Course([Piece(injected.label_ms, now.label_ms, passed)])
    plan = plan_bridge(
        program(old, change[0]), program(new, change[1]), fluid(change[0]), known,
        injected=injected, now=now, moved=moved,
    )  # fmt: skip
    assert isinstance(plan, BridgePlan)
    assert plan.order == BridgeOrder(Volume(volume), Volume(passed), fluid(change[0]))
    (found,) = consequences(plan)
    minutes = len(found.days) * 1_440
    held: list[tuple[int, Drop]] = [(volume - passed, change[0]), (passed, change[1])]

    run_with = run_bridge(Queue(held), old, new, change, volume - passed, start, start + minutes)
    assert plan.ends - MONDAY.label_ms == run_with.ends

    def without(minute: int) -> int:
        ng = new.basal(minute) + new.boluses_at(minute, start)
        return ng * 1_000 // change[1][1]

    bare, fronts = run(Queue(held), without, change[1], start, start + minutes)
    for number, day in enumerate(found.days, 1):
        last = number * 1_440 - 1
        for drug in {change[0][0], change[1][0]}:
            bridged = Fraction(sum(dict(each.bridged)[drug] for each in found.days[:number]))
            without_it = sum(dict(each.without)[drug] for each in found.days[:number])
            assert abs(bridged * 1_000 - run_with.after[last].get(drug, 0)) <= 2_000, "one pulse"
            assert without_it * 1_000 == bare[last].get(drug, 0)
        assert day.start == now.plus((number - 1) * DAY_MS)
    assert found.bridged is None
    assert found.without is not None
    assert found.without.lasts == fronts[0][1] - start * MINUTE
    # What the bridge is for: the tip gives what the pump counts, day after day.
    for day in found.days:
        assert dict(day.bridged) == {
            drug: sum(mass for name, mass in day.bridged_counted if name == drug)
            for drug in dict(day.bridged)
        }


@pytest.mark.requirement("REF-08")
@given(
    week=weeks(),
    new=weeks(),
    up=st.booleans(),
    low=st.integers(200, 1_000),
    more=st.integers(1, 1_000),
    truth=st.integers(0, 1_000),
    passed=st.integers(0, 1_100),
)
@settings(deadline=None)
def test_an_uncertain_volume_never_gives_too_much(
    week: Week, new: Week, up: bool, low: int, more: int, truth: int, passed: int
) -> None:
    was, then = (500, 2000) if up else (2000, 500)
    line = LineVolume(Volume(low), Volume(low + more))
    passed = min(passed, (low if up else low + more) - 1)
    moved = Course([Piece(MONDAY.label_ms - DAY_MS, MONDAY.label_ms, passed)])
    plan = plan_bridge(
        program(week, ("baclofen", was)), program(new, ("baclofen", then)),
        Fluid("baclofen", Concentration(was)), line,
        injected=MONDAY.plus(-DAY_MS), now=MONDAY, moved=moved,
    )  # fmt: skip
    assert isinstance(plan, BridgePlan)
    assert plan.order.volume == (line.low if up else line.high)
    between = Volume(low + truth * more // 1_000)
    for bound in (line.low, between, line.high):
        true = plan._replace(line=LineVolume(bound, bound))
        (found,) = consequences(true)
        spell = found.bridged
        assert (spell is None) == (bound == plan.order.volume)
        assert spell is None or not spell.too_much
        for day in found.days:
            assert dict(day.bridged)["baclofen"] <= dict(day.bridged_counted)["baclofen"]
    if passed >= low:
        return
    # The other bound would have been the wrong one.
    wrong = plan._replace(order=plan.order._replace(volume=line.high if up else line.low))
    wrong = wrong._replace(ends=_ends(wrong))
    spells = [each.bridged for each in consequences(wrong)]
    assert [spell.too_much for spell in spells if spell] == [True]


def _ends(plan: BridgePlan) -> Fraction:
    order = plan.order
    held = LineVolume(order.volume, order.volume)
    moved = Course([Piece(MONDAY.label_ms - 1, MONDAY.label_ms, order.passed.quanta)])
    again = plan_bridge(
        plan.played, plan.new, order.old, held,
        injected=MONDAY.plus(-1), now=MONDAY, moved=moved,
    )  # fmt: skip
    assert isinstance(again, BridgePlan)
    return again.ends


@given(
    week=weeks(),
    line=lines,
    concentration=st.sampled_from(CONCENTRATIONS),
    start=st.integers(0, 7 * 1_440 - 1),
    ng=rates.map(lambda rate: rate * 4),
    minutes=st.integers(1, 300),
)
@settings(deadline=None)
def test_a_bolus_pulse_by_pulse(
    week: Week,
    line: list[tuple[int, Drop]],
    concentration: int,
    start: int,
    ng: int,
    minutes: int,
) -> None:
    order = BolusOrder(Mass(ng * minutes), Duration(minutes * MINUTE))
    drop = ("baclofen", concentration)
    effect = bolus_effect(order, program(week, drop), plugs(line), MONDAY.plus(start * MINUTE))

    def flow(bolus: int) -> list[int]:
        return [
            (week.basal(minute) + week.boluses_at(minute, start) + bolus) * 1_000 // concentration
            for minute in range(start, start + minutes)
        ]

    def left(flows: list[int]) -> dict[str, int]:
        after, _ = run(Queue(line), flows.__getitem__, drop, 0, minutes)
        return after[-1]

    with_it, without = left(flow(ng)), left(flow(0))
    assert effect.moved == sum(flow(ng))
    assert effect.volume == sum(flow(ng)) - sum(flow(0))
    assert effect.greatest_flow == max(flow(ng)) * 1_440
    for drug, mass in effect.adds:
        assert mass * 1_000 == with_it.get(drug, 0) - without.get(drug, 0)
    assert effect.reaches == dict(effect.adds)["baclofen"]
    starts = [minute for minute in range(start, start + minutes) if minute % (7 * 1_440) in {
        bolus.at for bolus in week.boluses
    }]  # fmt: skip
    assert effect.meets == (MONDAY.plus(starts[0] * MINUTE) if starts else None)
