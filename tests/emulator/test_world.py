"""Stories of the true world: empty and refilled, overfull, wrongly filled, and told too late."""

from __future__ import annotations

import pytest

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.emulator.body.fluid import MOST_PLUGS, Given, Plug, free, pure
from pumpctl.emulator.body.tip import Spell
from pumpctl.emulator.body.world import World
from pumpctl.wire.codes import Drug
from tests.emulator.worlds import CAPACITY, HOUR, LINE, ML, PULSE, Books, encoded, restored, world

BACLOFEN = Drug.BACLOFEN
DAY = 24 * HOUR


def fault(kind: FaultKind, amount: int = 0, since: int = 0, until: int | None = None) -> Fault:
    return Fault(kind, since, until, amount)


def mass(entries: tuple[Given, ...]) -> int:
    return sum(entry.mass for entry in entries)


# --- a reservoir that ends -------------------------------------------------------------------


@pytest.mark.requirement("PMP-03")
def test_an_empty_reservoir_gives_air_and_the_motor_turns_on() -> None:
    truth = world(reservoir=ML)
    truth.pump(15_000, 0, HOUR)
    assert truth.turns(HOUR)
    assert truth.reservoir == Plug(0, BACLOFEN, 0, 1)
    assert (truth.pumped, truth.air) == (ML, ML // 2)
    assert truth.line.plugs == (free(LINE),)
    assert mass(truth.given) == 500 * (LINE + ML), "all the drug has left, and no more"
    assert [(each.batch, each.volume) for each in truth.spells] == [
        (1, LINE + ML),
        (0, ML // 2 - LINE),
    ]


def test_a_refill_comes_behind_the_air() -> None:
    truth = world(reservoir=0)
    truth.pump(1_000, 0, HOUR)
    assert truth.fill(20 * ML, BACLOFEN, 2_000, HOUR) == 20 * ML
    truth.pump(500, HOUR, 2 * HOUR)
    assert truth.line.plugs == (
        pure(LINE - 150_000_000, BACLOFEN, 500, 1),
        free(100_000_000),
        pure(50_000_000, BACLOFEN, 2_000, 2),
    )
    assert truth.front == LINE - 50_000_000
    truth.pump(2_980, 2 * HOUR, 3 * HOUR)
    assert list(truth.line.plugs) == [pure(LINE, BACLOFEN, 2_000, 2)]
    assert [(each.batch, each.mass) for each in truth.spells] == [(1, 500 * LINE), (0, 0)]


def test_what_is_left_mixes_with_what_comes() -> None:
    truth = world(reservoir=10 * ML, concentration=500)
    assert truth.drain(6 * ML) == pure(6 * ML, BACLOFEN, 500, 1)
    truth.fill(16 * ML, BACLOFEN, 2_000, 0)
    assert truth.reservoir == Plug(20 * ML, BACLOFEN, 4 * ML * 500 + 16 * ML * 2_000, 2)
    assert truth.reservoir.concentration == 1_700
    assert truth.drain() == Plug(20 * ML, BACLOFEN, 34_000 * ML, 2)
    assert truth.drain(ML) == Plug(0, BACLOFEN, 0, 2)


# --- too much in it --------------------------------------------------------------------------


def test_the_valve_lets_no_more_in_than_five_percent() -> None:
    truth = world(reservoir=CAPACITY)
    assert truth.fill(3 * ML, BACLOFEN, 500, 0) == 2 * ML
    assert truth.reservoir.volume == 42 * ML
    assert truth.spilled == (Given(BACLOFEN, ML * 500),)
    assert truth.fill(ML, BACLOFEN, 500, 0) == 0
    assert truth.reservoir.batch == 2, "nothing new came in"


def test_while_it_is_overfull_each_pulse_moves_a_tenth_more() -> None:
    """100 pulses too much in it: 90.9 stronger ones, so 91, and then usual ones."""
    truth = world(reservoir=CAPACITY + 100 * PULSE)
    truth.pump(90, 0, HOUR)
    assert truth.pumped == 99 * PULSE
    truth.pump(10, HOUR, 2 * HOUR)
    assert truth.pumped == 99 * PULSE + 110_000 + 9 * PULSE
    at_once = world(reservoir=CAPACITY + 100 * PULSE)
    at_once.pump(100, 0, HOUR)
    assert at_once.pumped == truth.pumped
    usual = world(reservoir=CAPACITY)
    usual.pump(100, 0, HOUR)
    assert usual.pumped == 100 * PULSE


# --- what was not meant ------------------------------------------------------------------------


def test_another_concentration_is_in_the_syringe() -> None:
    """Clinical failure 6: entered 500, injected 2000."""
    truth = world(reservoir=0)
    truth.add(fault(FaultKind.WRONG_FILL, 2_000))
    truth.fill(20 * ML, BACLOFEN, 500, 0)
    assert truth.reservoir == pure(20 * ML, BACLOFEN, 2_000, 2)
    assert truth.faults == (), "one fill uses it up"
    truth.drain()
    truth.fill(20 * ML, BACLOFEN, 500, 0)
    assert truth.reservoir == pure(20 * ML, BACLOFEN, 500, 3)


def test_a_pocket_fill_goes_beside_the_reservoir() -> None:
    """Clinical failure 10."""
    truth = world(reservoir=0)
    truth.add(fault(FaultKind.POCKET, 5_000_000))
    assert truth.fill(20 * ML, BACLOFEN, 2_000, 0) == 15 * ML
    assert truth.reservoir.volume == 15 * ML
    assert (truth.spilled_volume, truth.spilled) == (5 * ML, (Given(BACLOFEN, 10_000 * ML),))
    assert truth.faults == ()
    assert truth.fill(ML, BACLOFEN, 2_000, 0) == ML


def test_more_beside_than_there_is_takes_all() -> None:
    truth = world(reservoir=ML)
    truth.add(fault(FaultKind.POCKET, 30_000_000))
    assert truth.fill(20 * ML, BACLOFEN, 2_000, 0) == 0
    assert truth.reservoir == pure(ML, BACLOFEN, 500, 1)
    assert truth.spilled_volume == 20 * ML


def test_wrong_and_beside_at_once_and_nothing_injected_uses_up_nothing() -> None:
    truth = world(reservoir=0)
    truth.add(fault(FaultKind.POCKET, 1_000_000))
    truth.add(fault(FaultKind.WRONG_FILL, 1_000))
    truth.fill(0, BACLOFEN, 500, 0)
    assert len(truth.faults) == 2 and truth.reservoir.batch == 1
    truth.fill(3 * ML, BACLOFEN, 500, 0)
    assert truth.reservoir == pure(2 * ML, BACLOFEN, 1_000, 2)
    assert truth.spilled == (Given(BACLOFEN, ML * 1_000),)


def test_a_fault_of_the_next_fill_waits_for_its_time() -> None:
    truth = world(reservoir=0)
    truth.add(fault(FaultKind.WRONG_FILL, 2_000, since=DAY))
    truth.fill(ML, BACLOFEN, 500, DAY - 1)
    assert truth.reservoir.concentration == 500
    truth.drain()
    truth.fill(ML, BACLOFEN, 500, DAY)
    assert truth.reservoir.concentration == 2_000


def test_a_leak_loses_its_share_before_the_catheter() -> None:
    truth = world()
    truth.add(fault(FaultKind.LEAK, 250_000))
    truth.pump(1_000, 0, HOUR)
    assert truth.pumped == 1_000 * PULSE
    assert truth.leaked_volume == 250 * PULSE
    assert truth.leaked == (Given(BACLOFEN, 250 * PULSE * 500),)
    assert truth.tip.passed == 750 * PULSE
    truth.clear(FaultKind.LEAK)
    truth.pump(1_000, HOUR, 2 * HOUR)
    assert truth.tip.passed == 1_750 * PULSE


def test_parts_of_a_picolitre_leak_too_in_time() -> None:
    truth = world()
    truth.add(fault(FaultKind.LEAK, 1))
    for minute in range(20):
        truth.pump(1, minute, minute + 1)
    assert truth.leaked_volume == 2, "20 pulses of 100 000 pL, a millionth of them"


def test_a_blocked_catheter_lets_nothing_move() -> None:
    truth = world()
    truth.add(fault(FaultKind.OCCLUSION, until=HOUR))
    truth.pump(1_000, 0, HOUR)
    assert truth.turns(0)
    assert (truth.pumped, truth.given, truth.reservoir.volume) == (0, (), CAPACITY)
    truth.pump(1_000, HOUR, 2 * HOUR)
    assert truth.pumped == 1_000 * PULSE


def test_a_true_pulse_is_not_the_nominal_one() -> None:
    truth = world()
    truth.calibrate(145_001)
    truth.pump(10, 0, HOUR)
    assert truth.pumped == 1_145_000, "down to a whole pL"
    truth.calibrate(0)
    assert truth.pulse == PULSE, "of the nominal volume, not of the last one"


# --- a refill that the record tells of ----------------------------------------------------------


def refill(truth: World, *, since: int = 0, counter: int = HOUR) -> Plug | None:
    """Drained, and 20 mL of 2000."""
    return truth.follow(
        drained=CAPACITY,
        injected=20 * ML,
        drug=BACLOFEN,
        concentration=2_000,
        since=since,
        counter=counter,
    )


@pytest.mark.requirement("REF-08")
def test_a_refill_told_late_has_been_in_the_line_since_the_injection() -> None:
    truth = world(reservoir=10 * ML)
    books = Books.open(truth)
    truth.pump(1_500, 0, HOUR)
    drained = refill(truth, since=1_000 * PULSE)
    assert drained == pure(10 * ML - 500 * PULSE, BACLOFEN, 500, 1), "as it was at the injection"
    assert truth.reservoir == pure(20 * ML - 1_000 * PULSE, BACLOFEN, 2_000, 2)
    assert truth.line.plugs == (
        pure(LINE - 1_000 * PULSE, BACLOFEN, 500, 1),
        pure(1_000 * PULSE, BACLOFEN, 2_000, 2),
    )
    assert truth.front == LINE - 1_000 * PULSE
    assert truth.pumped == 1_500 * PULSE
    assert mass(truth.given) == 1_500 * PULSE * 500
    books.took(drained)
    books.put(20 * ML, 2_000)
    assert books.missing(truth) == (0, 0)


def test_no_more_becomes_new_than_has_moved() -> None:
    """The pump counts pulses; behind a blockage they moved nothing."""
    truth = world()
    truth.pump(10, 0, HOUR)
    truth.add(fault(FaultKind.OCCLUSION, since=HOUR, until=2 * HOUR))
    truth.pump(1_000, HOUR, 2 * HOUR)
    refill(truth, since=1_000 * PULSE, counter=2 * HOUR)
    assert truth.line.plugs[1:] == (pure(10 * PULSE, BACLOFEN, 2_000, 2),)
    assert truth.reservoir.volume == 20 * ML - 10 * PULSE


def test_what_has_passed_the_tip_is_not_undone() -> None:
    truth = world()
    truth.pump(5_000, 0, HOUR)
    before = truth.given
    refill(truth, since=5_000 * PULSE)
    assert truth.given == before
    assert truth.line.plugs == (pure(LINE, BACLOFEN, 2_000, 2),)
    assert truth.front is None
    assert truth.reservoir.volume == 20 * ML - LINE


def test_where_somebody_was_at_the_reservoir_a_record_changes_nothing() -> None:
    truth = world()
    truth.drain()
    truth.fill(20 * ML, BACLOFEN, 1_000, 0)
    assert refill(truth) is None
    assert truth.reservoir == pure(20 * ML, BACLOFEN, 1_000, 2)
    assert not truth.handled
    assert refill(truth) == pure(20 * ML, BACLOFEN, 1_000, 2), "the next one is followed again"
    assert truth.reservoir == pure(20 * ML, BACLOFEN, 2_000, 3)
    assert not truth.handled


def test_a_recorded_refill_meets_the_faults_of_a_fill() -> None:
    truth = world()
    truth.add(fault(FaultKind.WRONG_FILL, 500))
    truth.add(fault(FaultKind.POCKET, 8_000_000))
    refill(truth)
    assert truth.reservoir == pure(12 * ML, BACLOFEN, 500, 2)
    assert truth.faults == ()


def test_air_drawn_since_the_injection_was_fluid_after_all() -> None:
    truth = world(reservoir=5 * PULSE)
    truth.pump(8, 0, HOUR)
    assert truth.air == 3 * PULSE
    drained = refill(truth, since=6 * PULSE)
    assert drained == pure(3 * PULSE, BACLOFEN, 500, 1)
    assert truth.air == 0
    assert truth.line.plugs == (
        pure(LINE - 6 * PULSE, BACLOFEN, 500, 1),
        pure(6 * PULSE, BACLOFEN, 2_000, 2),
    )


def test_drained_and_not_refilled_there_was_nothing_but_air() -> None:
    truth = world()
    truth.pump(100, 0, HOUR)
    truth.follow(
        drained=CAPACITY,
        injected=0,
        drug=BACLOFEN,
        concentration=500,
        since=40 * PULSE,
        counter=HOUR,
    )
    assert truth.reservoir == Plug(0, BACLOFEN, 0, 1)
    assert truth.line.plugs == (pure(LINE - 40 * PULSE, BACLOFEN, 500, 1), free(40 * PULSE))
    assert (truth.pumped, truth.air) == (60 * PULSE, 40 * PULSE)


def test_air_that_had_to_mix_with_fluid_is_none_that_was_pumped() -> None:
    """More fluids than a line can store: what is counted stays countable."""
    line = tuple(pure(1_000, BACLOFEN, 500, batch + 2) for batch in range(MOST_PLUGS))
    state = world(pulse=90).state()._replace(line=line, reservoir=pure(1, BACLOFEN, 500, 31))
    truth = World(state, capacity=CAPACITY, nominal=90, sensor=False)
    books = Books.open(truth)
    truth.pump(1, 0, HOUR)
    assert truth.line.plugs[-1] == Plug(1_090, BACLOFEN, 1_001 * 500, 31), "89 pL of it are air"
    assert (truth.pumped, truth.air) == (1, 89)
    drained = truth.follow(
        drained=CAPACITY, injected=0, drug=BACLOFEN, concentration=500, since=90, counter=HOUR
    )
    assert drained is not None
    assert drained.volume == 1
    assert (truth.pumped, truth.air) == (0, 90)
    books.took(drained)
    assert books.missing(truth) == (0, 0)
    assert restored(truth.state()) == truth.state()


def test_another_line_holds_what_is_told() -> None:
    truth = world()
    truth.pump(100, 0, HOUR)
    truth.reline((free(200_000_000), pure(140_000_000, BACLOFEN, 500, 1)))
    assert truth.line.volume == 340_000_000
    refill(truth, since=100 * PULSE)
    assert truth.front == truth.line.volume, "of the new line's contents nothing was pumped since"


# --- and when ------------------------------------------------------------------------------------


def test_each_hour_has_its_share_of_the_pulses_and_the_last_the_rest() -> None:
    truth = world()
    truth.pump(10, HOUR // 2, 3 * HOUR - HOUR // 4)
    assert truth.hours == ((0, 2 * PULSE * 500), (1, 4 * PULSE * 500), (2, 4 * PULSE * 500))


def test_an_hour_in_which_nothing_left_is_there_with_nothing() -> None:
    truth = world()
    truth.pump(1, 5 * HOUR, 5 * HOUR)
    truth.pump(1, 8 * HOUR - 1, 8 * HOUR)
    assert truth.hours == ((5, PULSE * 500), (6, 0), (7, PULSE * 500))


def test_a_week_of_hours_is_kept() -> None:
    truth = world()
    for hour in range(200):
        truth.pump(hour, hour * HOUR, (hour + 1) * HOUR)
    assert truth.hours == tuple((hour, hour * PULSE * 500) for hour in range(32, 200))
    truth.pump(7, 100_000 * HOUR, 100_000 * HOUR + 1)
    assert len(truth.hours) == 168
    assert truth.hours[-1] == (100_000, 7 * PULSE * 500)
    assert mass(truth.given) > sum(fg for _, fg in truth.hours) == 7 * PULSE * 500


def test_a_stretch_ends_where_another_fluid_reaches_the_tip() -> None:
    truth = world(line=10 * PULSE)
    truth.drain()
    truth.fill(ML, BACLOFEN, 2_000, 0)
    truth.pump(40, 0, HOUR)
    truth.pump(1, 3 * HOUR, 4 * HOUR)
    assert truth.spells == (
        Spell(0, HOUR // 4, BACLOFEN, 1, 10 * PULSE, 10 * PULSE * 500),
        Spell(HOUR // 4, 4 * HOUR, BACLOFEN, 2, 31 * PULSE, 31 * PULSE * 2_000),
    )


# --- to be stored, and quick ---------------------------------------------------------------------


def test_a_week_s_world_is_small() -> None:
    truth = world()
    for day in range(7):
        truth.drain()
        truth.fill(CAPACITY, BACLOFEN, 2_000, day * DAY)
        truth.pump(2_000, day * DAY, (day + 1) * DAY)
        truth.add(fault(FaultKind.OCCLUSION, since=100 * DAY))
    state = truth.state()
    assert restored(state) == state
    assert len(encoded(state)) < 4_096


def test_millions_of_pulses_are_one_step() -> None:
    truth = world(reservoir=CAPACITY)
    truth.pump(10**12, 0, HOUR)
    assert truth.air == 10**12 * PULSE - CAPACITY
