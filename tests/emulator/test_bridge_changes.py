"""What a pump takes while a bridge runs, and the repair of one that was forgotten.

Old fluid 500 mcg/mL at 100 mcg/day is 0.2 mL/day: 2000 pulses of 50 ng a day. The
same of 2000 mcg/mL is 500 pulses of 200 ng. The line, 0.348 mL, is 3480 pulses.
"""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from pumpctl.emulator.acts import programs, refills
from pumpctl.emulator.memory import slots
from pumpctl.emulator.memory.control import NO_SLOT
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.memory.image import SLOTS
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Delivery, Drug, Kind, LogKind, Refuse
from pumpctl.wire.messages_acts import Bridge, BridgeReadback, StageBolus, StageBridge, StageResume
from pumpctl.wire.program import PatientDose, Program, program_hash
from tests.emulator.roads import (
    LINE,
    act,
    at_100,
    code,
    done,
    given,
    logged,
    read_back,
    refill_of,
)
from tests.emulator.support import (
    DAY,
    HOUR,
    MINUTE,
    TAG,
    Bench,
    daily,
    flex,
    lose_program,
    op,
)
from tests.emulator.test_bridge import LASTS, NEW, SINCE, bridged, passed


def at_200(program: Program | None = None) -> Bench:
    """The same at 200 mcg/day: 4000 pulses a day of the old, 1000 of the new fluid."""
    bench = Bench(frozen=True)
    bench.program(flex(200_000))
    bench.firmware.advance(5 * DAY)
    done(bench, refill_of(program or flex(200_000, concentration=2000), SINCE, 500))
    return bench


# --- what it bars -------------------------------------------------------------------------------


@pytest.mark.requirement("REF-08")
def test_no_bolus_and_no_patient_dose_in_a_bridge() -> None:
    own = PatientDose(5_000, 5 * MINUTE, HOUR, 3)
    bench = bridged(flex(100_000, concentration=2000, patient=own))
    for kind in (BolusKind.SINGLE, BolusKind.PRIME):
        asked = StageBolus(TAG, kind, 1_000, 10 * MINUTE)
        assert code(bench.ask(asked)) is Refuse.BRIDGE_RUNNING
    refused = bench.firmware.patient_dose()
    assert refused is not None
    assert refused.code is Refuse.BRIDGE_RUNNING
    (entry,) = logged(bench, LogKind.PATIENT_REFUSED)
    assert entry.a == Refuse.BRIDGE_RUNNING
    bench.firmware.advance(LASTS)
    assert bench.firmware.patient_dose() is None


MORE = {
    "a day": flex(200_001, concentration=2000),
    "an hour": flex(96_000, 304_000, concentration=2000),
    "a bolus": flex(180_000, concentration=2000, boluses=daily((60, 10_000, 30 * MINUTE))),
}
"""The second and the third have no more in a day: 200 and 190 mcg."""


@pytest.mark.requirement("REF-08")
@pytest.mark.parametrize("which", MORE)
def test_an_increase_waits_until_the_new_drug_is_at_the_tip(
    which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = at_200()
    asked = m.StageProgram(TAG, MORE[which])
    assert code(bench.ask(asked)) is Refuse.BRIDGE_RUNNING
    with monkeypatch.context() as without:
        without.setattr(programs, "refuse_increase", lambda *_: None)
        assert isinstance(bench.ask(asked), m.Staged)
    bench.firmware.advance(LASTS)  # twice as long as it takes
    assert isinstance(bench.ask(asked), m.Staged)


@pytest.mark.requirement("REF-08")
def test_a_reduction_replaces_what_is_played_and_is_metered_by_the_old_fluid() -> None:
    """After 6 h 1000 of 3480 pulses are gone; 2480 at 2000 a day are 29.76 h."""
    bench = at_200()
    bench.firmware.advance(6 * HOUR)
    assert passed(bench) == 100_000
    less = flex(100_000, concentration=2000)
    done(bench, m.StageProgram(TAG, less), 3)
    assert bench.status().program_hash == program_hash(less)
    for _ in range(2):
        before = given(bench)
        bench.firmware.advance(12 * HOUR)
        assert given(bench) - before == 50_000
        assert bench.status().delivery is Delivery.BRIDGE
    bench.firmware.advance(5 * HOUR + 45 * MINUTE + 36_000 - 1)
    assert passed(bench) == LINE - 100
    bench.firmware.advance(1)
    assert passed(bench) is None
    before = given(bench)
    bench.firmware.advance(12 * HOUR)
    assert given(bench) - before == 50_000
    assert code(act(bench, m.StageProgram(TAG, flex(100_000)), 4)) is Refuse.CONCENTRATION


def test_a_reduction_is_checked_at_its_own_concentration_as_well() -> None:
    # 95 mcg/day is 0.0475 mL/day of the new fluid: less than the motor can meter
    assert code(at_200().ask(m.StageProgram(TAG, flex(95_000, concentration=2000)))) is (
        Refuse.LIMIT_RATE_LOW
    )


# --- a refill in a bridge -----------------------------------------------------------------------


@pytest.mark.requirement("REF-08")
def test_a_refill_of_the_same_fluid_leaves_the_bridge_and_what_it_plays() -> None:
    bench = at_200()
    bench.firmware.advance(6 * HOUR)
    more = flex(300_000, concentration=2000)
    done(bench, refill_of(more, SINCE + 1_000), 3)
    assert (passed(bench), bench.status().front) == (100_000, LINE - 100_000)
    assert bench.status().program_hash == program_hash(more)
    before = given(bench)
    bench.firmware.advance(12 * HOUR)
    assert given(bench) - before == 100_000  # 200 mcg/day: what was played before
    bench.firmware.advance(2 * HOUR + 52 * MINUTE + 48_000)  # 480 pulses more
    assert passed(bench) is None
    before = given(bench)
    bench.firmware.advance(12 * HOUR)
    assert given(bench) - before == 150_000
    (ended,) = logged(bench, LogKind.BRIDGE_ENDED)
    assert ended.data == op(2) + bytes(4)


@pytest.mark.requirement("REF-08")
def test_where_the_running_program_is_played_a_refill_with_more_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a reduction the running masses are played, and a refill's would be at once."""
    bench = at_200()
    done(bench, m.StageProgram(TAG, flex(100_000, concentration=2000)), 3)
    for bridge in (None, 500):
        asked = refill_of(flex(300_000, concentration=2000), SINCE, bridge)
        assert code(bench.ask(asked)) is Refuse.BRIDGE_RUNNING
        with monkeypatch.context() as without:
            without.setattr(refills, "refuse_increase", lambda *_: None)
            assert isinstance(bench.ask(asked), m.Staged)
        assert isinstance(bench.ask(refill_of(NEW, SINCE, bridge)), m.Staged)


@pytest.mark.requirement("REF-08")
def test_a_refill_with_a_bridge_of_the_same_old_fluid_moves_no_end() -> None:
    """The old fluid has left the line when it has, whatever is injected behind it."""
    bench = at_200()
    bench.firmware.advance(6 * HOUR)
    done(bench, refill_of(flex(300_000, concentration=2000), SINCE + 1_000, 500), 3)
    assert bench.status().bridge == m.RunningBridge(LINE, 100_000)
    assert len(logged(bench, LogKind.BRIDGE_STARTED)) == 1  # none begins
    before = given(bench)
    bench.firmware.advance(12 * HOUR)
    assert given(bench) - before == 100_000  # it plays what it played
    bench.firmware.advance(2 * HOUR + 52 * MINUTE + 48_000 - 1)  # 480 pulses more
    assert passed(bench) == LINE - 100
    bench.firmware.advance(1)
    assert passed(bench) is None
    (ended,) = logged(bench, LogKind.BRIDGE_ENDED)
    assert (ended.a, ended.b, ended.data) == (LINE, LINE, op(2) + bytes(4))


@pytest.mark.requirement("REF-08")
@pytest.mark.parametrize("seed", range(12))
def test_whatever_follows_on_what_there_is_always_a_slot_to_stage_in(seed: int) -> None:
    """Three slots: running, bridged from, staged. None is ever wanted twice."""
    rng = random.Random(seed)
    bench = at_200()
    for number in range(10, 40):
        less = flex(200_000 - number * 1_000, concentration=2000)
        asked = rng.choice(
            [
                m.StageProgram(TAG, less),
                refill_of(less, SINCE),
                refill_of(less, SINCE, rng.choice((500, 2000))),
                repair(LINE, 500, bench.core.control.fill.since),
            ]
        )
        control = bench.core.control
        answer = act(bench, asked, number)
        assert isinstance(answer, m.Done) or answer.code in (
            Refuse.BRIDGE_RUNNING, Refuse.CONCENTRATION,
        )  # fmt: skip
        if control.bridging is not None and control.bridging.plays != NO_SLOT:
            held = slots.program_in(bench.core.slots[control.bridging.plays])
            assert held is not None  # a staging never touches it
            assert held.concentration == 500
        bench.firmware.advance(rng.choice((MINUTE, 6 * HOUR, 2 * DAY)))
        if rng.random() < 0.1:
            bench.boot()


@pytest.mark.requirement("REF-08")
def test_a_third_fluid_is_refused() -> None:
    bench = bridged()
    third, same = flex(100_000, concentration=1000), NEW
    assert code(bench.ask(refill_of(third, SINCE))) is Refuse.BRIDGE_RUNNING
    assert code(bench.ask(refill_of(flex(100_000), SINCE))) is Refuse.BRIDGE_RUNNING
    assert code(bench.ask(refill_of(same, SINCE, 2000))) is Refuse.CONCENTRATION
    assert code(bench.ask(refill_of(third, SINCE, 1000))) is Refuse.CONCENTRATION


# --- the repair of a forgotten one --------------------------------------------------------------


def repair(volume: int = LINE, old: int = 500, since: int = SINCE) -> StageBridge:
    return StageBridge(TAG, Bridge(volume, Drug.BACLOFEN, old), since)


def forgotten(program: Program = NEW) -> Bench:
    """Refilled without a bridge, and found out twelve hours later: 250 pulses."""
    bench = at_100()
    done(bench, refill_of(program, SINCE))
    bench.firmware.advance(12 * HOUR)
    return bench


@pytest.mark.requirement("REF-08")
def test_a_forgotten_bridge_plays_the_program_before_the_refill() -> None:
    bench = forgotten()
    for number in (10, 11, 12):  # its slot outlives any push
        bench.program(flex(100_000 + number * 100, concentration=2000), number)
    told = read_back(bench, repair())
    assert isinstance(told, BridgeReadback)
    assert (told.kind, told.bridge, told.since) == (Kind.BRIDGE, repair().bridge, SINCE)
    assert told.program_hash == program_hash(flex(100_000))
    # 100 mcg a day, 0.2 mL of the old fluid; 100 000 / 24 = 4166.7, up
    assert told.days == (m.DayFigures(100_000, 200_000, 4_167),) * 7
    made = done(bench, repair(), 13)
    assert made.kind is Kind.BRIDGE
    assert bench.status().bridge == m.RunningBridge(LINE, 25_000)
    assert bench.status().program_hash == program_hash(flex(101_200, concentration=2000))
    for _ in range(3):
        before = given(bench)
        bench.firmware.advance(12 * HOUR)
        assert given(bench) - before == 50_000
    bench.firmware.advance(12 * HOUR)  # 3230 pulses at 2000 a day: 38.76 h
    assert passed(bench) is None
    ended, begun = logged(bench, LogKind.BRIDGE_ENDED)[0], logged(bench, LogKind.BRIDGE_STARTED)[0]
    assert abs(ended.counter - begun.counter - 3_230 * DAY // 2_000) <= DAY // 2_000
    assert (begun.a, begun.b, begun.data) == (LINE, 500, op(13) + bytes(4))


def running_masses(bench: Bench) -> None:
    """A repair gives 96 mcg/day by the old fluid: 1920 pulses of 50 ng."""
    told = read_back(bench, repair())
    assert told.program_hash == bench.status().program_hash
    assert told.days[0] == m.DayFigures(96_000, 192_000, 4_000)
    done(bench, repair(), 4)
    pulses = bench.status().pulses
    bench.firmware.advance(DAY)
    assert bench.status().pulses - pulses == 1_920


def test_where_that_program_is_gone_the_running_masses_are_played() -> None:
    bench = forgotten(flex(120_000, concentration=2000))
    for page in SLOTS[bench.core.control.previous]:
        bench.store.write(page * PAGE + 30, b"\x55\xaa\x55")
    bench.program(flex(96_000, concentration=2000), 3)
    running_masses(bench)


@pytest.mark.requirement("REF-08", "LIM-04")
@pytest.mark.parametrize("afterwards", [False, True])
def test_a_dose_that_was_lowered_does_not_come_back_through_a_repair(afterwards: bool) -> None:
    """100 mcg/day before, 96 from the refill on, or from a push behind it."""
    less = flex(96_000, concentration=2000)
    bench = forgotten(NEW if afterwards else less)
    if afterwards:
        bench.program(less, 3)
    running_masses(bench)


def test_no_hour_of_it_comes_back_either() -> None:
    """96 mcg/day in both; but before, 15.5 mcg in one hour of the night."""
    bench = Bench(frozen=True)
    bench.program(flex(84_000, boluses=daily((60, 12_000, 60 * MINUTE))))
    done(bench, refill_of(flex(96_000, concentration=2000), 0))
    assert read_back(bench, repair(since=0)).program_hash == bench.status().program_hash


def test_the_read_back_of_days_that_differ() -> None:
    bench = Bench(frozen=True)
    old = flex(60_000, 120_000, boluses=daily((60, 7_001, 30 * MINUTE))[:3])
    bench.program(old)
    done(bench, refill_of(flex(400_000, concentration=2000), 0))
    told = read_back(bench, repair(since=0))
    dose = Fraction(60_000 + 120_000, 2)
    assert [day.dose for day in told.days] == [dose + 7_001] * 3 + [dose] * 4
    assert [day.volume for day in told.days] == [194_002] * 3 + [180_000] * 4
    # the bolus and its hour of 2500; else an hour of 5000
    assert [day.largest_hour for day in told.days] == [9_501] * 3 + [5_000] * 4


@pytest.mark.requirement("REF-08")
def test_what_is_no_repair() -> None:
    bench = forgotten()
    for wrong, refusal in (
        (repair(volume=0), Refuse.RANGE),
        (repair(volume=LINE - 1), Refuse.RANGE),
        (repair(volume=LINE + 1), Refuse.RANGE),
        (repair(since=SINCE - 1), Refuse.RANGE),
        (repair(since=SINCE + 1), Refuse.RANGE),
        (repair(old=750), Refuse.CONCENTRATION),
        (repair(old=1000), Refuse.CONCENTRATION),
        (repair(old=2000), Refuse.IMPLAUSIBLE),
        (repair()._replace(tag=b"patient2"), Refuse.PATIENT_TAG),
    ):
        assert code(bench.ask(wrong)) is refusal
    done(bench, repair(), 3)
    assert code(bench.ask(repair())) is Refuse.BRIDGE_RUNNING
    bench = forgotten()
    lose_program(bench)
    assert code(bench.ask(repair())) is Refuse.FLASH


@pytest.mark.requirement("REF-08")
def test_no_repair_goes_on_behind_the_front(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second refill of the same fluid the front is 250 pulses older than that one.

    A bridge counted from there gives those of the new drug as if they were old: 50 mcg
    instead of 12.5 in three hours.
    """
    bench = forgotten()
    done(bench, refill_of(NEW, SINCE + 250), 3)
    asked = repair(since=SINCE + 250)
    assert code(bench.ask(asked)) is Refuse.RANGE
    monkeypatch.setattr(refills, "refuse_beyond_front", lambda *_: None)
    done(bench, asked, 4)
    bench.firmware.advance(38 * HOUR + 45 * MINUTE + 36_000)  # the front, 3230 pulses
    before = given(bench)
    bench.firmware.advance(3 * HOUR)
    assert given(bench) - before == 50_000
    assert passed(bench) is None


@pytest.mark.requirement("LIM-06", "REF-08")
def test_masses_that_the_motor_could_not_move_as_the_old_fluid_are_refused() -> None:
    """150 mcg in 10 min: 10.8 mL/day at 2000 mcg/mL, 43.2 at 500. Before it was 300 mcg/day."""
    bench = Bench(frozen=True)
    bench.program(flex(300_000))
    program = flex(100_000, concentration=2000, boluses=daily((60, 150_000, 10 * MINUTE)))
    done(bench, refill_of(program, 0))
    assert code(bench.ask(repair(since=0))) is Refuse.LIMIT_RATE


def test_a_repair_on_a_stopped_pump_leaves_it_stopped() -> None:
    bench = forgotten()
    bench.stop()
    done(bench, repair(), 3)
    bench.firmware.advance(HOUR)
    assert bench.status().delivery is Delivery.STOPPED
    assert passed(bench) == 25_000
    assert isinstance(act(bench, StageResume(TAG, program_hash(NEW)), 4), m.Done)
    assert bench.status().delivery is Delivery.BRIDGE
