"""Plug flow: what goes in, what comes out, and what is found to have been otherwise."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.emulator.body.fluid import MOST_PLUGS, Plug, PlugFlow, free, pure
from pumpctl.wire.codes import Drug

BACLOFEN = Drug.BACLOFEN


def old(volume: int) -> Plug:
    return pure(volume, BACLOFEN, 500, 1)


def new(volume: int) -> Plug:
    return pure(volume, BACLOFEN, 2_000, 2)


def mixture(volume: int, mass: int, batch: int = 3) -> Plug:
    return Plug(volume, BACLOFEN, mass, batch)


def sums(plugs: tuple[Plug, ...]) -> tuple[int, int]:
    return sum(plug.volume for plug in plugs), sum(plug.mass for plug in plugs)


# --- one plug --------------------------------------------------------------------------------


def test_the_part_of_a_mixture_is_rounded_down_and_the_rest_keeps_what_is_over() -> None:
    whole = mixture(3, 10)
    part = whole.part(2)
    assert part == mixture(2, 6)
    assert whole.without(part) == mixture(1, 4)
    assert whole.part(3) == whole.part(9) == whole
    assert whole.part(0) == mixture(0, 0)


@pytest.mark.parametrize(
    ("plug", "concentration"),
    [(old(7), 500), (mixture(2, 3), 2), (mixture(3, 4), 1), (free(5), 0), (mixture(0, 0), 0)],
)
def test_its_concentration(plug: Plug, concentration: int) -> None:
    assert plug.concentration == concentration


# --- pushing ---------------------------------------------------------------------------------


def test_what_is_pushed_in_leaves_at_the_other_end_in_order() -> None:
    line = PlugFlow([old(100)])
    assert line.push(new(30)) == (old(30),)
    assert list(line.plugs) == [old(70), new(30)]
    assert line.tip == old(70)
    assert line.front(2) == 70
    assert line.push(new(90)) == (old(70), new(20))
    assert list(line.plugs) == [new(100)]
    assert line.front(2) is None
    assert line.volume == 100


def test_more_than_the_line_holds_passes_through_it() -> None:
    line = PlugFlow([old(100)])
    assert line.push(new(250)) == (old(100), new(150))
    assert list(line.plugs) == [new(100)]


def test_air_is_carried_through_as_volume() -> None:
    line = PlugFlow([old(100)])
    line.push(free(40))
    assert line.push(old(50)) == (old(50),)
    assert list(line.plugs) == [old(10), free(40), old(50)]
    assert line.front(1) == 50, "of its own batch at the tip, but not yet of nothing else"
    assert line.push(old(50)) == (old(10), free(40))
    assert line.front(1) is None


def test_a_batch_of_which_nothing_has_come_is_a_whole_line_away() -> None:
    assert PlugFlow([old(60), free(40)]).front(2) == 100


def test_neighbours_of_one_batch_are_one_plug() -> None:
    line = PlugFlow([old(10), old(20), free(5), mixture(10, 7), mixture(20, 8)])
    assert list(line.plugs) == [old(30), free(5), mixture(30, 15)]


def test_nothing_pushed_is_nothing_out() -> None:
    line = PlugFlow([old(10)])
    assert line.push(new(0)) == ()
    assert list(line.plugs) == [old(10)]


@pytest.mark.parametrize(
    "bad",
    [
        Plug(-1, BACLOFEN, 0, 1),
        Plug(1, BACLOFEN, -1, 1),
        Plug(0, BACLOFEN, 1, 1),
        Plug(1, BACLOFEN, 1, 0),
    ],
)
def test_no_fluid_is_like_this(bad: Plug) -> None:
    line = PlugFlow([old(100)])
    with pytest.raises(ValueError, match="no fluid"):
        line.push(bad)
    with pytest.raises(ValueError, match="no fluid"):
        line.replace_last(new(10), bad)
    with pytest.raises(ValueError, match="no fluid"):
        PlugFlow([old(1), bad])
    assert list(line.plugs) == [old(100)], "a refusal moves nothing"


@pytest.mark.parametrize("plugs", [[], [old(0)]])
def test_a_line_holds_something(plugs: list[Plug]) -> None:
    with pytest.raises(ValueError, match="without volume"):
        PlugFlow(plugs)


# --- what turns out to have been otherwise -----------------------------------------------------


@pytest.mark.requirement("REF-08")
def test_the_last_of_the_line_is_found_to_be_another_fluid() -> None:
    line = PlugFlow([old(100)])
    line.push(old(40))
    assert line.last(40) == (old(40),)
    assert line.replace_last(new(40)) == (old(40),)
    assert list(line.plugs) == [old(60), new(40)]
    assert line.front(2) == 60


def test_several_plugs_are_replaced_by_several() -> None:
    line = PlugFlow([old(50), free(20), mixture(30, 100)])
    assert line.last(55) == (old(5), free(20), mixture(30, 100))
    assert line.replace_last(new(50), free(5)) == (old(5), free(20), mixture(30, 100))
    assert list(line.plugs) == [old(45), new(50), free(5)]


def test_what_the_line_cannot_hold_would_have_left_it() -> None:
    line = PlugFlow([old(60), free(40)])
    assert line.last(1_000) == (old(60), free(40))
    assert line.replace_last(new(1_000)) == (old(60), free(40))
    assert list(line.plugs) == [new(100)]
    assert line.replace_last(free(30), old(80)) == (new(100),)
    assert list(line.plugs) == [free(20), old(80)]


def test_replacing_nothing_changes_nothing() -> None:
    line = PlugFlow([old(60), free(40)])
    assert line.last(0) == line.replace_last() == line.replace_last(new(0)) == ()
    assert list(line.plugs) == [old(60), free(40)]


# --- more fluids than can be stored ------------------------------------------------------------


def test_of_too_many_plugs_the_least_neighbours_mix() -> None:
    line = PlugFlow([pure(1_000, BACLOFEN, 500, 1)])
    for batch in range(2, MOST_PLUGS + 1):
        line.push(pure(20, BACLOFEN, 10, batch))
    assert len(line.plugs) == MOST_PLUGS
    line.push(free(1))
    assert len(line.plugs) == MOST_PLUGS
    assert line.plugs[-1] == Plug(21, BACLOFEN, 200, MOST_PLUGS), "no drug is ever called free"
    assert sum(plug.volume for plug in line.plugs) == line.volume


def test_the_least_is_the_least_volume() -> None:
    plugs = [pure(40, BACLOFEN, 10, batch) for batch in range(1, MOST_PLUGS - 1)]
    line = PlugFlow([*plugs, mixture(20, 200, 90), free(30), mixture(10, 100, 91)])
    assert line.plugs == (*plugs, mixture(20, 200, 90), mixture(40, 100, 91))


def test_a_mixture_that_meets_its_own_batch_joins_it() -> None:
    plugs = [mixture(100, 1, batch) for batch in range(10, 10 + MOST_PLUGS - 2)]
    line = PlugFlow([*plugs, mixture(100, 1, 50), free(1)])
    line.push(mixture(2, 1, 50))
    first = plugs[0]._replace(volume=98, mass=1)
    assert list(line.plugs) == [first, *plugs[1:], mixture(103, 2, 50)]


fluids = st.builds(
    lambda volume, mass, batch: Plug(volume, BACLOFEN, mass if batch and volume else 0, batch),
    st.integers(0, 300),
    st.integers(0, 10**6),
    st.integers(0, 40),
)


@given(
    st.lists(fluids, min_size=1, max_size=40).filter(lambda plugs: any(p.volume for p in plugs)),
    st.lists(st.tuples(st.booleans(), fluids), max_size=60),
)
@settings(max_examples=200)
def test_nothing_is_lost_and_the_line_stays_full(
    first: list[Plug], acts: list[tuple[bool, Plug]]
) -> None:
    line = PlugFlow(first)
    volume, mass = sums(tuple(first))
    assert sums(line.plugs) == (volume, mass)
    for pushes, plug in acts:
        before = sums(line.plugs)
        if pushes:
            left = sums(line.push(plug))
            assert left[0] == plug.volume
            mass += plug.mass - left[1]
        elif plug.volume <= volume:
            expected = line.last(plug.volume)
            replaced = line.replace_last(plug)
            assert replaced == expected
            assert sums(replaced)[0] == plug.volume
            mass += plug.mass - sums(replaced)[1]
        assert sums(line.plugs) == (volume, mass), before
        assert line.volume == volume
        assert 1 <= len(line.plugs) <= MOST_PLUGS
        assert all(
            one.batch != other.batch for one, other in zip(line.plugs, line.plugs[1:], strict=False)
        )
        assert all(each.batch or not each.mass for each in line.plugs)


@given(st.integers(1, 10**6), st.integers(0, 10**12), st.lists(st.integers(1, 10**5), max_size=50))
def test_cut_after_cut_stays_within_a_femtogram_each(
    volume: int, mass: int, cuts: list[int]
) -> None:
    rest, exact = mixture(volume, mass), Fraction(mass)
    for number, cut in enumerate(cuts, 1):
        part = rest.part(cut)
        if part.volume:
            exact -= exact * part.volume / rest.volume
        rest = rest.without(part)
        assert 0 <= rest.mass - exact < number
    assert rest.volume or not rest.mass
