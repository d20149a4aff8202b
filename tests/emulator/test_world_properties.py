"""The world under any story: nothing is lost, and it agrees with pulse-by-pulse fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pumpctl.emulator.body import fluid
from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.emulator.body.fluid import Plug
from pumpctl.emulator.body.tip import MOST_SPELLS
from pumpctl.emulator.body.world import World
from pumpctl.wire.codes import Drug
from tests.emulator.worlds import HOUR, Books, Naive, restored, world

CAPACITY = 5_000
LINE = 2_000
"""pL: small, so that the naive world has few slugs."""

volumes = st.integers(0, 6_000)
strengths = st.sampled_from([0, 1, 500, 777, 2_000])
acts = st.one_of(
    st.tuples(st.just("pump"), st.integers(0, 70), st.sampled_from([0, 1, 999, HOUR, 5 * HOUR])),
    st.tuples(st.just("drain"), st.none() | volumes),
    st.tuples(st.just("fill"), volumes, strengths),
    st.tuples(st.just("follow"), volumes, volumes, strengths, volumes),
    st.tuples(st.just("pocket"), st.integers(0, 7)),
    st.tuples(st.just("wrong"), strengths),
    st.tuples(st.just("leak"), st.sampled_from([0, 1, 130_000, 999_999, 1_000_000])),
    st.tuples(st.just("occlusion")),
    st.tuples(st.just("clear")),
    st.tuples(st.just("calibrate"), st.sampled_from([-145_000, 0, 33_333])),
)
KINDS = {
    "pocket": FaultKind.POCKET,
    "wrong": FaultKind.WRONG_FILL,
    "leak": FaultKind.LEAK,
    "occlusion": FaultKind.OCCLUSION,
}


def small() -> World:
    return world(reservoir=3_000, capacity=CAPACITY, pulse=100, line=LINE)


def again(world: World) -> World:
    """Stored, and read by another process."""
    return World(restored(world.state()), capacity=CAPACITY, nominal=100, sensor=False)


class Story:
    """A world, its books, and its naive twin, through the same acts."""

    def __init__(self) -> None:
        self.world = small()
        self.books = Books.open(self.world)
        self.naive = Naive.like(self.world, CAPACITY)
        self.counter = 0
        self.pieces = 0
        """How often a mixture may have been divided, and rounded."""

    def pending(self, kind: FaultKind) -> int | None:
        """The amount that the next fill meets."""
        found = [each.amount for each in self.world.faults if each.kind is kind]
        return found[0] if found else None

    def tell(self, act: tuple[Any, ...]) -> None:
        word, args = act[0], act[1:]
        if word in KINDS:
            if len(self.world.faults) < 16:
                amount = args[0] if args else 0
                self.world.add(Fault(KINDS[word], self.counter, None, amount))
        elif word == "clear":
            self.world.clear()
        elif word == "calibrate":
            self.world.calibrate(*args)
            self.naive.pulse = self.world.pulse
        else:
            self.pieces += 8 * (len(self.world.line.plugs) + 4)
            getattr(self, word)(*args)
        self.naive.leak = self.world.amount(FaultKind.LEAK, self.counter) or 0

    def pump(self, pulses: int, ms: int) -> None:
        self.world.pump(pulses, self.counter, self.counter + ms)
        if self.world.amount(FaultKind.OCCLUSION, self.counter) is None:
            self.naive.pump(pulses)
        self.counter += ms

    def drain(self, volume: int | None) -> None:
        self.naive.drain(self.world.reservoir.volume if volume is None else volume)
        self.books.took(self.world.drain(volume))

    def syringe(self, volume: int, strength: int) -> tuple[int, int]:
        """What is really injected of it: concentration, and how much beside (pL)."""
        wrong = self.pending(FaultKind.WRONG_FILL) if volume else None
        beside = (self.pending(FaultKind.POCKET) or 0) if volume else 0
        real = strength if wrong is None else wrong
        self.books.put(volume, real)
        return real, beside * 1_000

    def fill(self, volume: int, strength: int) -> None:
        real, beside = self.syringe(volume, strength)
        before = self.world.reservoir.volume
        entered = self.world.fill(volume, Drug.BACLOFEN, strength, self.counter)
        assert self.world.reservoir.volume == before + entered
        self.naive.fill(volume, real, beside)

    def follow(self, drained: int, injected: int, strength: int, since: int) -> None:
        handled, before = self.world.handled, self.world.state()
        real, beside = (0, 0) if handled else self.syringe(injected, strength)
        taken = self.world.follow(
            drained=drained,
            injected=injected,
            drug=Drug.BACLOFEN,
            concentration=strength,
            since=since,
            counter=self.counter,
        )
        assert not self.world.handled
        if handled:
            assert taken is None
            assert self.world.state() == before._replace(handled=False)
            return
        assert taken is not None
        self.books.took(taken)
        self.naive.follow(drained, injected, real, since, beside)

    def nothing_is_lost(self) -> None:
        assert self.books.missing(self.world) == (0, 0)
        assert self.world.line.volume == LINE
        assert sum(plug.volume for plug in self.world.line.plugs) == LINE

    def agrees(self) -> None:
        """Volumes to the pL; masses to 1 fg for every piece that was ever cut."""
        world, naive, near = self.world, self.naive, self.pieces
        assert world.reservoir.volume == naive.volume
        assert abs(world.reservoir.mass - naive.mass) <= near
        self.alike([(p.batch, p.volume, p.mass) for p in world.line.plugs], naive.plugs())
        self.alike(
            [(spell.batch, spell.volume, spell.mass) for spell in world.spells],
            naive.spells[-MOST_SPELLS:],
        )
        for entries, whole in (
            (world.given, naive.given),
            (world.leaked, naive.leaked),
            (world.spilled, naive.spilled),
        ):
            assert abs(sum(entry.mass for entry in entries) - whole) <= near

    def alike(
        self, ours: list[tuple[int, int, int]], theirs: list[tuple[int, Fraction, Fraction]]
    ) -> None:
        for one, other in zip(ours, theirs, strict=True):
            assert one[0] == other[0] and one[1] == other[1]
            assert abs(one[2] - other[2]) <= self.pieces


@given(st.lists(acts, max_size=60))
@settings(max_examples=300, deadline=None)
@example([("fill", 400, 777), ("pump", 5, HOUR)] * 40)
def test_volume_and_mass_are_conserved(story: list[tuple[Any, ...]]) -> None:
    told = Story()
    for act in story:
        told.tell(act)
        told.nothing_is_lost()


def test_a_lost_femtogram_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(plug: Plug, part: Plug) -> Plug:
        rest = plug.volume - part.volume
        return Plug(rest, plug.drug, plug.mass * rest // plug.volume, plug.batch)

    story = [("fill", 999, 777), *[("pump", 1, 1)] * 40]
    told = Story()
    for act in story:
        told.tell(act)
    told.nothing_is_lost()
    monkeypatch.setattr(fluid.Plug, "without", careless)
    told = Story()
    for act in story:
        told.tell(act)
    with pytest.raises(AssertionError):
        told.nothing_is_lost()


@given(st.lists(acts, max_size=16))
@settings(max_examples=300, deadline=None)
def test_it_agrees_with_slugs_of_one_pulse(story: list[tuple[Any, ...]]) -> None:
    told = Story()
    for act in story:
        told.tell(act)
        told.agrees()


@given(st.lists(acts, max_size=40))
@settings(max_examples=100, deadline=None)
def test_hours_and_stretches_add_up_to_what_was_given(story: list[tuple[Any, ...]]) -> None:
    told = Story()
    for act in story:
        told.tell(act)
    world = told.world
    whole = sum(entry.mass for entry in world.given)
    in_hours = sum(mass for _, mass in world.hours)
    in_spells = sum(spell.mass for spell in world.spells)
    assert in_hours <= whole and in_spells <= whole
    if told.counter <= 168 * HOUR:
        assert in_hours == whole
    if len(world.spells) < MOST_SPELLS:
        assert in_spells == whole
        assert sum(spell.volume for spell in world.spells) == world.tip.passed
    for one, other in zip(world.spells, world.spells[1:], strict=False):
        assert one.since <= one.until <= other.since <= other.until <= told.counter
        assert one.batch != other.batch
    assert [hour for hour, _ in world.hours] == sorted({hour for hour, _ in world.hours})


@given(st.lists(acts, max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_world_that_is_stored_between_all_acts_is_the_same(story: list[tuple[Any, ...]]) -> None:
    through, stored = Story(), Story()
    for act in story:
        through.tell(act)
        stored.tell(act)
        stored.world = again(stored.world)
        assert stored.world.state() == through.world.state()


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=6),
    st.sampled_from([0, 1, 130_000, 999_999]),
    st.integers(0, 5_250),
)
def test_how_pulses_are_told_makes_no_difference(
    parts: list[int], leak: int, reservoir: int
) -> None:
    """A pure fluid, through overfill, leak and air: one call or many."""
    together = world(reservoir=reservoir, capacity=CAPACITY, pulse=97, line=LINE)
    apart = world(reservoir=reservoir, capacity=CAPACITY, pulse=97, line=LINE)
    for each in (together, apart):
        each.add(Fault(FaultKind.LEAK, 0, None, leak))
    together.pump(sum(parts), 0, HOUR)
    for part in parts:
        apart.pump(part, 0, HOUR)
    one, other = together.state(), apart.state()
    tip = one.tip._replace(spells=())
    assert one._replace(tip=tip) == other._replace(tip=other.tip._replace(spells=()))


@pytest.mark.requirement("REF-08")
@given(
    before=st.integers(0, 30),
    drained=st.none() | volumes,
    injected=st.integers(0, 6_000),
    strength=strengths,
    after=st.integers(0, LINE // 100),
)
@settings(max_examples=200)
def test_a_refill_recorded_late_is_as_one_done_in_time(
    before: int, drained: int | None, injected: int, strength: int, after: int
) -> None:
    """As long as the new fluid has not reached the tip: to the last fg."""
    in_time, late = small(), small()
    for each in (in_time, late):
        each.pump(before, 0, HOUR)
    wanted = in_time.reservoir.volume if drained is None else drained
    in_time.drain(drained)
    in_time.fill(injected, Drug.BACLOFEN, strength, HOUR)
    assume(in_time.reservoir.volume <= CAPACITY)  # its pulses would have been stronger
    in_time.pump(after, HOUR, 2 * HOUR)
    late.pump(after, HOUR, 2 * HOUR)
    late.follow(
        drained=wanted,
        injected=injected,
        drug=Drug.BACLOFEN,
        concentration=strength,
        since=after * 100,
        counter=2 * HOUR,
    )
    assert late.reservoir == in_time.reservoir
    assert late.line.plugs == in_time.line.plugs
    assert late.given == in_time.given
    assert (late.pumped, late.air, late.spilled) == (in_time.pumped, in_time.air, in_time.spilled)
