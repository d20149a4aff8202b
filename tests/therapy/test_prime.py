"""Priming: only what is free of drug; what stays, what passes the tip, and the worst of it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.errors import InputRefused
from pumpctl.quantities import Duration, Mass, Volume
from pumpctl.therapy.bridge import Impossible
from pumpctl.therapy.line import FREE, UNKNOWN, Holds, ImplantRecord, line_parts
from pumpctl.therapy.moment import DAY_MS
from pumpctl.therapy.plug import Plug, contents, masses_in, push
from pumpctl.therapy.prime import (
    MIXING_BOUND,
    PrimePlan,
    plan_prime,
    unfilled_lasts,
    worst_past_tip,
)
from pumpctl.therapy.state import Fluid
from tests.therapy.line_samples import OTHER, STRONG, WEAK, implant
from tests.therapy.samples import NOW, even

NONE = Volume(0)


def planned(record: ImplantRecord, fluid: Fluid = WEAK, moved: Volume = NONE) -> PrimePlan:
    plan = plan_prime(record, fluid, moved)
    assert isinstance(plan, PrimePlan), plan
    return plan


def ng(masses: tuple[tuple[str, Fraction], ...]) -> dict[str, int]:
    return {drug: int(mass) for drug, mass in masses}


@pytest.mark.requirement("REF-09")
@pytest.mark.requirement("REF-04")
def test_tubing_already_primed_takes_the_catheter_only() -> None:
    plan = planned(implant(tubing=WEAK))
    assert (plan.parts, plan.volume) == ("catheter", Volume.parse("0.208 mL"))
    assert (plan.dose, plan.tubing) == (Mass.parse("104 mcg"), WEAK)
    assert plan.over == Duration(24_960 * 60)  # 24.96 min at 12 mL/day
    assert ng(plan.stays) == {"baclofen": 174_000}
    assert ng(plan.past_tip) == {}
    assert plan.worst_past_tip == 104_000
    assert plan.unfilled == Volume(0)


@pytest.mark.requirement("REF-09")
@pytest.mark.requirement("REF-04")
def test_tubing_with_water_takes_tubing_and_catheter() -> None:
    plan = planned(implant(), STRONG)
    assert (plan.parts, plan.volume) == ("tubing and catheter", Volume.parse("0.348 mL"))
    assert (plan.dose, plan.tubing) == (Mass.parse("696 mcg"), None)
    assert ng(plan.stays) == {"baclofen": 696_000}
    assert ng(plan.past_tip) == {}


@pytest.mark.requirement("REF-09")
@pytest.mark.parametrize(
    ("tubing", "catheter", "why"),
    [
        (WEAK, WEAK, "catheter holds baclofen 500 mcg/mL"),
        (WEAK, UNKNOWN, "what the catheter holds is unknown"),
        (FREE, OTHER, "catheter holds morphine 1000 mcg/mL"),
        (UNKNOWN, FREE, "tubing holds is unknown"),
        (UNKNOWN, UNKNOWN, "what the catheter holds is unknown"),
    ],
)
def test_what_holds_drug_or_nobody_knows_what_is_refused(
    tubing: Holds, catheter: Holds, why: str
) -> None:
    found = plan_prime(implant(tubing=tubing, catheter=catheter), WEAK, NONE)
    assert isinstance(found, Impossible)
    assert why in found.why and found.instead


@pytest.mark.requirement("REF-09")
@pytest.mark.parametrize(("fluid", "past"), [(WEAK, 70_000), (STRONG, 280_000)])
def test_a_line_prime_onto_primed_tubing_overdoses(fluid: Fluid, past: int) -> None:
    """4.4: what this file never proposes."""
    record = implant(tubing=fluid)
    tubing, catheter = line_parts(record)
    line = contents([Plug(catheter.low.quanta, None), Plug(tubing.quanta, fluid)])
    wrong = push(line, line_parts(record).whole.low.quanta, fluid)
    assert ng(masses_in(wrong.left)) == {"baclofen": past}
    right = push(line, planned(record, fluid).volume.quanta, fluid)
    assert ng(masses_in(right.left)) == {}


@pytest.mark.requirement("REF-09")
@pytest.mark.parametrize(("fluid", "past"), [(WEAK, 29_500), (STRONG, 118_000)])
def test_w10_the_tubing_volume_of_before_the_correction(fluid: Fluid, past: int) -> None:
    wrong, right = planned(implant(table_version=1), fluid), planned(implant(), fluid)
    assert wrong.volume - right.volume == Volume.parse("0.059 mL")
    truth = contents([Plug(right.volume.quanta, None)])
    assert ng(masses_in(push(truth, wrong.volume.quanta, fluid).left)) == {"baclofen": past}


@pytest.mark.requirement("REF-09")
def test_of_an_uncertain_volume_the_lower_bound_is_primed() -> None:
    plan = planned(implant(trimmed=UNKNOWN), STRONG)
    assert plan.volume == Volume.parse("0.14 mL")
    assert plan.unfilled == Volume.parse("0.286 mL")
    at = unfilled_lasts(plan, even("100 mcg/day"), NOW.label_ms)
    assert at == Fraction("5.72") * DAY_MS
    assert unfilled_lasts(plan, even("0 mcg/day"), NOW.label_ms) is None
    nothing = plan_prime(implant(tubing=WEAK, trimmed=UNKNOWN), WEAK, NONE)
    assert isinstance(nothing, Impossible)
    assert "between 0 mL and 0.286 mL: nothing" in nothing.why and "trimmed" in nothing.instead


@pytest.mark.requirement("REF-09")
def test_what_the_pump_has_moved_since_the_record_is_not_primed_again() -> None:
    some = Volume.parse("0.05 mL")
    plan = planned(implant(tubing=WEAK), moved=some)
    assert (plan.volume, plan.moved) == (Volume.parse("0.158 mL"), some)
    assert ng(plan.stays) == {"baclofen": 174_000}
    assert ng(plan.past_tip) == {}
    # The whole catheter on top of that would push the difference past the tip.
    line = contents([Plug(158_000, None), Plug(190_000, WEAK)])
    assert ng(masses_in(push(line, 208_000, WEAK).left)) == {"baclofen": 25_000}
    assert planned(implant(), moved=some).volume == Volume.parse("0.298 mL")
    odd = planned(implant(tubing=WEAK), moved=Volume(1))  # 103,999.5 ng in 1,497,592.8 ms
    assert (odd.dose, odd.over) == (Mass(103_999), Duration(1_497_593))
    for moved in ("0.208 mL", "1 mL"):
        found = plan_prime(implant(tubing=WEAK), WEAK, Volume.parse(moved))
        assert isinstance(found, Impossible)
        assert f"{moved} have been moved since" in found.why and "basal" in found.instead


def test_what_the_tubing_holds_fills_the_catheter_first() -> None:
    plan = planned(implant(tubing=WEAK), STRONG)
    assert plan.dose == Mass.parse("416 mcg")
    assert ng(plan.stays) == {"baclofen": 70_000 + 416_000}
    assert ng(plan.past_tip) == {}
    other = planned(implant(tubing=OTHER), STRONG)
    assert ng(other.stays) == {"morphine": 140_000, "baclofen": 416_000}


def test_a_model_that_is_not_in_the_table() -> None:
    with pytest.raises(InputRefused):
        plan_prime(implant(pump_model="X"), WEAK, NONE)


@pytest.mark.requirement("REF-09")
def test_the_worst_case_is_the_richest_of_all_that_there_is() -> None:
    primed = contents([Plug(208_000, None), Plug(140_000, WEAK)])
    assert worst_past_tip(primed, Volume(208_000), WEAK) == 104_000
    # What is stronger in the tubing may leave first, as far as there is any.
    strong = contents([Plug(208_000, None), Plug(140_000, STRONG)])
    assert worst_past_tip(strong, Volume(208_000), WEAK) == 280_000 + 34_000
    assert worst_past_tip(strong, Volume(100_000), WEAK) == 200_000
    assert "the most drug in them" in MIXING_BOUND


@given(
    parts=st.lists(
        st.tuples(st.integers(1, 500), st.none() | st.sampled_from([WEAK, STRONG])), max_size=5
    ),
    volume=st.integers(1, 900),
    fluid=st.sampled_from([WEAK, STRONG]),
)
def test_however_the_fluids_mix_no_more_passes_than_the_bound(
    parts: list[tuple[int, Fluid | None]], volume: int, fluid: Fluid
) -> None:
    """Mixing at its worst: the nL with the most drug leave first."""
    line = contents([Plug(*part) for part in parts])
    bound = worst_past_tip(line, Volume(volume), fluid)
    drops: list[int] = []
    for count, each in (*parts, (volume, fluid)):
        drops += [each.concentration.quanta if each else 0] * count
    drops.sort(reverse=True)
    assert Fraction(sum(drops[:volume]), 1_000) == bound
    assert sum(dict(masses_in(push(line, volume, fluid).left)).values(), Fraction(0)) <= bound
