"""PRG-03: power is cut at every operation of everything durable, and nothing is ever mixed.

What is cut, and how it is judged, is in `cuts/`. Here a sample of every act in
every way, drawn so that it is the same in each run; all of it, and 10,000 double
cuts, are `python -m tests.emulator.cuts`. A sweep that hit nothing fails.
"""

from __future__ import annotations

import pytest

from pumpctl.emulator.memory.flash import CutKind, Flash, MemoryStore, PowerCut
from pumpctl.emulator.memory.retained import Bolus
from pumpctl.wire.codes import BolusKind
from tests.emulator.cuts.acts import Act, programmed, wait
from tests.emulator.cuts.acts_set import SETTINGS
from tests.emulator.cuts.double import FURTHER, Doubles
from tests.emulator.cuts.every import ACTS, ASKED, STARTS
from tests.emulator.cuts.stories import at_odds, difference, told
from tests.emulator.cuts.sweep import KINDS, Origin, Sweep, cut_in
from tests.emulator.support import MINUTE, op

EVERY = 4
"""Of the operations of an act, one in so many is cut here, the first one changing by act."""


@pytest.mark.requirement("PRG-03", "BOL-01", "BOL-03")
@pytest.mark.slow
def test_every_cut_leaves_the_whole_old_or_the_whole_new() -> None:
    sweep = Sweep()
    for index, (name, act) in enumerate(ACTS.items()):
        sweep.act(name, act, every=EVERY, first=index)
    print(sweep.table())
    assert sweep.mixed == []
    for name in ACTS:
        for kind in KINDS:
            assert sweep.hits[name, kind] > 0, f"nothing was cut: {name}, {kind}"
    for name in ASKED | SETTINGS:
        for word in ("old", "new"):
            assert sum(sweep.words[name, kind, word] for kind in KINDS) > 0, f"{name}: never {word}"
    assert sweep.hits.total() > 1_200


@pytest.mark.requirement("PRG-03", "BOL-03")
@pytest.mark.slow
def test_a_start_that_is_cut_is_whole_or_has_not_been() -> None:
    """A boot ends what was ordered and drops what was staged; lost memory is told of."""
    sweep = Sweep()
    for name, act in STARTS.items():
        sweep.start(name, act, every=2)
    print(sweep.table())
    assert sweep.mixed == []
    assert all(sweep.hits[name, kind] > 0 for name in STARTS for kind in KINDS)


@pytest.mark.requirement("PRG-03", "BOL-01")
@pytest.mark.slow
def test_double_cuts_leave_no_mixture_either() -> None:
    """The second one hits the start after the first, or what is done next."""
    doubles = Doubles()
    for index, (name, act) in enumerate(ACTS.items()):
        doubles.act(name, act, first=0, count=6 + index % 2, seed=20)
    print(doubles.table())
    assert doubles.mixed == []
    assert doubles.done.total() >= 300
    hit = {place for _, place in doubles.second}
    assert hit == {"start", *FURTHER}


# --- what the judgement is made of ------------------------------------------------------------


def test_a_cut_that_hits_nothing_is_no_cut() -> None:
    origin = Origin("program", ACTS["program"])
    bench = origin.pump()
    bench.core.flash._cut = PowerCut(10_000, CutKind.BEFORE)
    with pytest.raises(AssertionError, match="has not hit"):
        cut_in(bench, origin.act.steps)
    assert Flash(MemoryStore(b"")).operations == 0


def test_an_act_that_does_nothing_durable_is_seen_to_be_none() -> None:
    sweep = Sweep()
    sweep.act("nothing", Act(programmed, (wait(MINUTE),)))
    for kind in CutKind:
        assert sweep.places["nothing", kind.value] == sweep.hits["nothing", kind.value] == 0


def test_stories_of_two_pumps_differ_and_the_difference_is_told() -> None:
    one = programmed()
    two = one.copy()
    assert told(one.store.image) == told(two.store.image)
    two.stop(4)
    found = difference(told(one.store.image), told(two.store.image))
    assert any("state_version" in each for each in found)
    assert any("stopped_at" in each for each in found)
    assert at_odds(told(two.store.image)) == []


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("ledger", "ledger"),
        ("reservoir", "reservoir"),
        ("tag", ""),
        ("name", "program, fallback and their name"),
        ("copy", "one copy only of running"),
        ("order", "the order"),
    ],
)
def test_a_story_that_disagrees_with_itself_is_found(what: str, said: str) -> None:
    bench = programmed()
    bench.stop(4)
    story = told(bench.store.image)
    control, metering = story.control, story.retained.metering
    match what:
        case "ledger":
            entry = control.ledger[-1]._replace(operation=op(5))
            story = story._replace(control=control._replace(ledger=(*control.ledger[:-1], entry)))
        case "reservoir":
            less = metering._replace(reservoir=metering.reservoir - 100)
            story = story._replace(retained=story.retained._replace(metering=less))
        case "name":
            story = story._replace(control=control._replace(program_hash=bytes(32)))
        case "copy":
            story = story._replace(running=story.running._replace(good=1))
        case "order":
            bolus = Bolus(BolusKind.SINGLE, 1_000, MINUTE, 500, 0, 0, 0, op(9), 0)
            asked = metering._replace(boluses=(bolus,))
            story = story._replace(retained=story.retained._replace(metering=asked))
        case _:
            story = story._replace(control=control._replace(tag=None))
    assert bool(said) == bool(at_odds(story))  # a tag is held against the uncut pump's only
    assert any(said in each for each in [*at_odds(story), ""])
