"""Plug flow: exact masses, fronts and contents, on cases that one can do by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from pumpctl.quantities import Concentration, Volume
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.plug import (
    LIMITS_OF_PLUG_FLOW,
    Contents,
    Front,
    Plug,
    at_tip,
    contents,
    contents_of,
    mass_of,
    masses_in,
    push,
    switched,
    volume_in,
)
from pumpctl.therapy.state import Fluid, Line

OLD = Fluid("baclofen", Concentration(500))
NEW = Fluid("baclofen", Concentration(2000))
OTHER = Fluid("morphine", Concentration(10))


def test_a_train_in_its_normal_form() -> None:
    made = contents([Plug(0, NEW), Plug(3, OLD), Plug(2, OLD), Plug(0, None), Plug(1, NEW)])
    assert made == (Plug(5, OLD), Plug(1, NEW))
    assert volume_in(made) == 6
    assert contents([]) == ()
    with pytest.raises(ValueError, match="-1 nL"):
        contents([Plug(-1, OLD)])


def test_masses_by_drug() -> None:
    masses = masses_in((Plug(1_000, OLD), Plug(7, None), Plug(1_000, OTHER), Plug(500, NEW)))
    assert dict(masses) == {"baclofen": 500 + 1_000, "morphine": 10}
    assert mass_of(masses, "morphine") == 10
    assert mass_of(masses, "water") == 0


def test_what_goes_in_comes_out_at_the_other_end() -> None:
    line: Contents = (Plug(208, None), Plug(140, OLD))
    pushed = push(line, 250, NEW)
    assert pushed.left == (Plug(208, None), Plug(42, OLD))
    assert pushed.contents == (Plug(98, OLD), Plug(250, NEW))
    assert push(line, 1_000, NEW) == (
        (Plug(208, None), Plug(140, OLD), Plug(652, NEW)),
        (Plug(348, NEW),),
    )
    assert push(line, 0, NEW) == ((), line)
    with pytest.raises(ValueError, match="pushed"):
        push(line, -1, NEW)


def test_what_leaves_the_tip_over_time() -> None:
    moved = Course([Piece(0, 100, 100), Piece(200, 300, 300)])  # 1, then 3 nL per ms
    tip = at_tip((Plug(50, OLD), Plug(100, OTHER)), moved, NEW)
    assert tip.fronts == (Front(OTHER, Fraction(50)), Front(NEW, Fraction(650, 3)))
    baclofen, morphine = tip.course("baclofen"), tip.course("morphine")
    assert [baclofen.upto(time) for time in (50, 100, 200)] == [25, 25, 25]
    assert morphine.between(50, 100) == Fraction(1, 2)
    assert baclofen.upto(300) == 25 + 250 * 2
    assert tip.contents == (Plug(150, NEW),)
    assert dict(tip.between(0, 300)) == {"baclofen": 525, "morphine": 1}
    assert tip.course("water").upto(300) == 0


def test_a_front_between_two_milliseconds_is_exact_at_both() -> None:
    tip = at_tip((Plug(5, OLD),), Course([Piece(0, 10, 20)]), NEW)
    assert tip.fronts == (Front(NEW, Fraction(5, 2)),)
    course = tip.course("baclofen")
    assert [course.upto(time) for time in (2, 3, 10)] == [2, Fraction(45, 10), Fraction(325, 10)]


def test_a_front_that_does_not_arrive_and_one_that_is_none() -> None:
    assert at_tip((Plug(50, OLD),), Course([Piece(0, 10, 49)]), NEW).fronts == ()
    arrived = at_tip((Plug(50, OLD),), Course([Piece(0, 10, 50)]), NEW)
    assert arrived.fronts == (Front(NEW, Fraction(10)),)
    same = at_tip((Plug(50, NEW),), Course([Piece(0, 10, 500)]), NEW)
    assert same.fronts == ()
    assert same.course("baclofen").upto(10) == 1_000
    still = at_tip((Plug(50, OLD),), Course([]), NEW)
    assert (still.fronts, still.contents) == ((), (Plug(50, OLD),))
    assert at_tip((), Course([]), NEW).contents == ()


def test_water_leaves_without_a_mass() -> None:
    tip = at_tip((Plug(30, None),), Course([Piece(0, 10, 40)]), NEW)
    assert tip.course("baclofen").upto(10) == 20
    assert [name for name, _ in tip.courses] == ["baclofen"]


def test_the_line_as_a_pump_estimates_it() -> None:
    whole = Volume.parse("0.348 mL")
    assert contents_of(Line(whole, NEW), NEW) == (Plug(348_000, NEW),)
    ahead = Line(whole, OLD, Volume.parse("0.1 mL"))
    assert contents_of(ahead, NEW) == (Plug(100_000, OLD), Plug(248_000, NEW))
    water = Line(whole, Fluid("baclofen", Concentration(0)), whole)
    assert contents_of(water, NEW) == (Plug(348_000, None),)
    assert contents_of(Line(whole, OLD), NEW) == (Plug(348_000, OLD),)
    assert contents_of(Line(whole, NEW, Volume(3)), NEW) == (Plug(348_000, NEW),)
    odd = Line(Volume(5), OLD, Volume(7))
    assert contents_of(odd, NEW) == (Plug(7, OLD),)


def test_one_course_gives_way_to_another() -> None:
    slow, fast = Course([Piece(0, 100, 100)]), Course([Piece(0, 200, 2_000)])
    course = switched(slow, fast, Fraction(101, 2))
    assert course.upto(50) == 50
    assert course.upto(51) == 50 + Fraction(1, 2) + 5
    assert course.upto(200) == Fraction(101, 2) + Fraction(299, 2) * 10
    assert switched(slow, fast, Fraction(60)).upto(200) == 60 + 1_400
    assert switched(slow, Course([]), Fraction(60)).upto(200) == 60
    assert switched(Course([]), fast, Fraction(60)).upto(100) == 400
    assert switched(slow, fast, Fraction(-5)).upto(200) == 2_000


def test_the_page_of_the_line_tells_the_limits_of_the_picture() -> None:
    page = Path(__file__).parents[2] / "docs" / "dosing" / "line.md"
    text = " ".join(page.read_text("utf-8").split()).lower()
    for told in LIMITS_OF_PLUG_FLOW[1:]:
        assert told.lower().removeprefix("in truth ") in text
