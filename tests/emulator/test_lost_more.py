"""What a pump makes of a control block, or an always-on domain, that is lost altogether.

Old fluid 2000 mcg/mL at 100 mcg/day is 500 pulses of 200 ng a day; of 500 mcg/mL it
is 2000 pulses of 50 ng. The line, 0.348 mL, is 3480 pulses.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, settings
from hypothesis import given as examples
from hypothesis import strategies as st

from pumpctl.emulator.body.fluid import PL_PER_NL, pure
from pumpctl.emulator.engine import windows
from pumpctl.emulator.engine.past import Basal, Past, PastBolus
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.memory.logring import PER_PAGE
from pumpctl.emulator.starting import lost_control, lost_retained
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, BolusKind, Delivery, Drug, LogKind, Refuse, Role
from pumpctl.wire.logentry import SIZE
from pumpctl.wire.messages_acts import StageBolus, StageClock, StageResume
from pumpctl.wire.messages_implant import StageImplant
from pumpctl.wire.program import PatientDose, Program, program_hash
from tests.emulator.roads import (
    LINE,
    act,
    alarms,
    at_100,
    code,
    done,
    given,
    logged,
    refill_of,
    stall,
)
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex, op
from tests.emulator.test_limit_table import NEXT, ROW, SITE, message, public, table
from tests.emulator.test_settings import RECORD

SINGLE = StageBolus(TAG, BolusKind.SINGLE, 20_000, 30 * MINUTE)
KIND = int(BolusKind.SCHEDULED).to_bytes(2, "big")
OWN = PatientDose(10_000, 5 * MINUTE, 4 * HOUR, 3)


def spoil(bench: Bench, *pages: int) -> None:
    for page in pages:
        bench.store.write(page * PAGE + 30, b"\x55\xaa\x55")


def lose_control(bench: Bench) -> None:
    """All four copies."""
    spoil(bench, *(page for place in image.CONTROL for page in place))
    bench.boot()


def lose_domain(bench: Bench) -> None:
    bench.core.lose_memory()
    bench.boot()


def lose_both(bench: Bench) -> None:
    bench.core.lose_memory()
    lose_control(bench)


def spoil_entry(bench: Bench, number: int) -> None:
    """One entry of the log cannot be read any more."""
    page, place = divmod(number - 1, PER_PAGE)
    at = (image.LOG_START + page) * PAGE + PAGE % SIZE + place * SIZE
    assert int.from_bytes(bench.store.read(at, 8), "big") == number
    bench.store.write(at + 40, b"\x55\xaa\x55")


def flexed(*rates: int, boluses: Any = (), patient: PatientDose | None = OWN) -> Bench:
    bench = Bench(frozen=True)
    bench.program(flex(*rates, boluses=boluses, patient=patient))
    return bench


def bridged(old: int = 2000, new: int = 500) -> Bench:
    """The line holds the old fluid, the reservoir the new one."""
    bench = at_100(old)
    done(bench, refill_of(flex(100_000, concentration=new), bench.status().pulses, old))
    return bench


def shift(bench: Bench, ms: int, number: int = 2, offset: int = 0) -> None:
    done(bench, StageClock(ms, offset), number)


# --- the control block: what is at the tip ------------------------------------------------------


@pytest.mark.requirement("PRG-07", "REF-08")
@pytest.mark.parametrize("lose", [lose_control, lose_both])
@pytest.mark.parametrize(("old", "new"), [(2000, 500), (500, 2000)])
def test_the_fallback_is_metered_by_what_is_at_the_tip(lose: Any, old: int, new: int) -> None:
    bench = bridged(old, new)
    bench.firmware.advance(DAY)
    lose(bench)
    status = bench.status()
    assert (status.delivery, status.rate) == (Delivery.FALLBACK, 100_000)
    assert (status.concentration, status.tip_concentration) == (new, old)
    assert status.front == LINE - 100_000_000 // old
    for _ in range(12):
        before = given(bench)
        bench.firmware.advance(DAY)
        if status.bridge and bench.status().bridge is None:
            break  # the new fluid arrives; the last pulses of one and the first of the other
        assert given(bench) - before == 100_000
    bench.firmware.advance(DAY)
    before = given(bench)
    bench.firmware.advance(DAY)
    assert given(bench) - before == 100_000
    assert bench.status().tip_concentration == new
    assert bench.core.control.bridging is None


@pytest.mark.requirement("PRG-07")
def test_without_the_look_at_the_line_the_fallback_would_be_four_times_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = bridged()
    monkeypatch.setattr(lost_control, "bridge_of", lambda *_: None)
    lose_control(bench)
    before = given(bench)
    bench.firmware.advance(DAY)
    assert given(bench) - before == 400_000


FLUIDS = st.tuples(st.integers(0, 200_000_000), st.sampled_from([0, 500, 1000, 2000]))


@pytest.mark.requirement("PRG-07")
@examples(st.lists(FLUIDS, min_size=1))
def test_of_several_fluids_none_gives_more_than_was_prescribed(
    fluids: list[tuple[int, int]],
) -> None:
    line = tuple(
        pure(volume, Drug.BACLOFEN, concentration, number)
        for number, (volume, concentration) in enumerate(fluids, 1)
    )
    found = lost_control.bridge_of(line, 77, Drug.BACLOFEN, 1000)
    if found is not None:
        assert found.since == 77
        assert found.concentration in {plug.concentration for plug in line} - {0, 1000}
    position = 0
    for plug in line:
        bridged_still = found is not None and position < found.volume * PL_PER_NL
        metered = found.concentration if found is not None and bridged_still else 1000
        assert bridged_still or plug.concentration in (0, 1000)
        assert plug.concentration <= metered or plug.concentration == 1000
        position += plug.volume


# --- the control block: what else is told -------------------------------------------------------


@pytest.mark.requirement("STP-01", "STP-02")
@pytest.mark.parametrize("lose", [lose_control, lose_both])
@pytest.mark.parametrize("unreadable", [False, True])
def test_a_stop_stays_a_stop(lose: Any, unreadable: bool) -> None:
    bench = flexed(300_000)
    bench.firmware.advance(30 * MINUTE)
    bench.stop(50)
    bench.firmware.advance(45 * MINUTE)
    bench.stop(51)
    bench.firmware.advance(45 * MINUTE)
    pulses = bench.status().pulses
    if unreadable:
        for entry in logged(bench, LogKind.STOPPED):
            spoil_entry(bench, entry.number)
    lose(bench)
    status = bench.status()
    assert (status.delivery, status.rate) == (Delivery.STOPPED, 0)
    since = HOUR if unreadable else 30 * MINUTE  # else the hour at 1:00 says it
    assert status.stopped_for == status.counter - since
    bench.firmware.advance(HOUR)
    assert bench.status().pulses == pulses
    bench.program(flex(200_000), 2)
    assert bench.status().delivery is Delivery.DELIVERING
    lose(bench)
    assert bench.status().delivery is Delivery.FALLBACK  # a stop that has ended is over


@pytest.mark.requirement("STP-01")
def test_a_stop_that_was_resumed_is_none_also_without_its_entry() -> None:
    bench = flexed(300_000)
    bench.stop(50)
    done(bench, StageResume(TAG, program_hash(flex(300_000, patient=OWN))), 51)
    bench.firmware.advance(HOUR)
    (resumed,) = logged(bench, LogKind.RESUMED)
    spoil_entry(bench, resumed.number)
    lose_control(bench)
    assert bench.status().delivery is Delivery.FALLBACK


@pytest.mark.requirement("BOL-01", "PRG-03")
def test_the_next_bolus_is_given_and_the_next_refill_is_followed() -> None:
    bench = at_100()
    done(bench, refill_of(flex(100_000), bench.status().pulses), 2)
    for number in (3, 4):
        done(bench, SINGLE, number)
        bench.firmware.advance(HOUR)
    shift(bench, HOUR, 5)
    before = bench.status()
    lose_control(bench)
    status = bench.status()
    assert (status.reservoir, status.time, status.offset, status.line) == (
        before.reservoir, before.time, before.offset, before.line,
    )  # fmt: skip
    assert alarms(bench) == {AlarmCode.MEMORY_BOTH_COPIES, AlarmCode.MEMORY_ONE_COPY}
    bench.program(flex(100_000), 6)
    assert alarms(bench) == {AlarmCode.MEMORY_ONE_COPY}
    start = given(bench)
    done(bench, SINGLE, 7)
    assert bench.status().bolus is not None
    bench.firmware.advance(12 * HOUR)
    assert given(bench) - start == 50_000 + 20_000
    assert bench.get(m.GetOperation(op(7)), m.OperationReport).delivered == 20_000
    done(bench, refill_of(flex(100_000), bench.status().pulses, volume=30_000_000), 8)
    assert bench.status().reservoir == 30_000_000
    shift(bench, -HOUR, 9)
    assert bench.status().time == before.time + 12 * HOUR - HOUR


@pytest.mark.requirement("TIM-01")
@pytest.mark.parametrize("lose", [lose_control, lose_domain, lose_both])
def test_the_label_is_the_one_that_was_set_last(lose: Any) -> None:
    bench = flexed(300_000)
    bench.firmware.advance(90 * MINUTE)
    shift(bench, -20 * MINUTE, offset=120)  # a chain head follows it, with the old label
    before = bench.status()
    lose(bench)
    status = bench.status()
    assert (status.time, status.offset, status.counter) == (
        before.time, before.offset, before.counter,
    )  # fmt: skip


@pytest.mark.requirement("TIM-03")
def test_a_clock_set_that_the_domain_had_not_followed_is_followed() -> None:
    bench = flexed(300_000)
    bench.firmware.advance(90 * MINUTE)
    kept = bench.store.read(0, image.WEAR * PAGE)
    shift(bench, 5 * HOUR)
    time = bench.status().time
    bench.store.write(0, kept)
    lose_control(bench)
    assert bench.status().time == time
    assert bench.core.engine.turns.since == time


@pytest.mark.requirement("LIM-07")
@pytest.mark.parametrize("lose", [lose_control, lose_both])
def test_a_signed_table_is_in_force_still_and_its_key_is_pinned(lose: Any) -> None:
    bench = flexed(300_000)
    done(bench, message(table(following=NEXT), SITE, NEXT), 2, Role.ADMIN)
    above = m.StageProgram(TAG, flex(900_000))
    assert code(bench.ask(above)) is Refuse.LIMIT_RATE
    lose(bench)
    assert code(bench.ask(above)) is Refuse.LIMIT_RATE
    assert code(act(bench, message(table(version=2)), 3, Role.ADMIN)) is Refuse.SIGNATURE
    second = table(version=2)._replace(signer=public(NEXT), next_key=public(NEXT))
    old = second._replace(version=1)
    assert code(act(bench, message(old, NEXT), 3, Role.ADMIN)) is Refuse.RANGE
    done(bench, message(second, NEXT), 3, Role.ADMIN)
    lose(bench)
    assert (bench.core.control.limits_version, bench.core.limit_table) == (2, second)


@pytest.mark.requirement("LIM-07")
@pytest.mark.parametrize("tables", [1, 2])
def test_an_older_table_is_none_in_the_place_of_one_that_is_lost(tables: int) -> None:
    bench = flexed(300_000)
    done(bench, message(table()), 2, Role.ADMIN)
    if tables == 2:
        strict = ROW._replace(most_rate=400_000)
        done(bench, message(table(strict, version=2)), 3, Role.ADMIN)
    spoil(bench, *image.LIMITS[bench.core.control.limits_pair])
    lose_control(bench)
    assert code(bench.ask(m.StageProgram(TAG, flex(500_000)))) is Refuse.FLASH
    again = message(table(version=tables))
    assert code(act(bench, again, 4, Role.ADMIN)) is Refuse.RANGE
    done(bench, message(table(version=tables + 1)), 4, Role.ADMIN)
    assert isinstance(bench.ask(m.StageProgram(TAG, flex(500_000))), m.Staged)


@pytest.mark.requirement("REF-04")
@pytest.mark.parametrize("lose", [lose_control, lose_domain, lose_both])
def test_the_implants_record_and_its_line_are_kept(lose: Any) -> None:
    bench = at_100()
    done(bench, StageImplant(TAG, RECORD))
    bench.firmware.advance(DAY)
    before = bench.status()
    assert (before.tip_concentration, before.front) == (0, 20_000)
    lose(bench)
    status = bench.status()
    assert bench.core.record_in_force == RECORD
    assert (status.line, status.tip_concentration, status.front) == (360_000, 0, 20_000)


@pytest.mark.requirement("PRG-05")
def test_whose_pump_it_is_is_not_forgotten() -> None:
    bench = flexed(300_000)
    lose_control(bench)
    assert bench.status().tag == TAG
    assert code(bench.ask(m.StageProgram(b"somebody", flex(1_000)))) is Refuse.PATIENT_TAG


# --- the always-on domain: what was given is not given again ------------------------------------


def started(bench: Bench) -> list[tuple[int, bytes]]:
    return [(e.counter, e.data[2:8]) for e in logged(bench, LogKind.BOLUS_STARTED)]


@pytest.mark.requirement("TIM-03")
@pytest.mark.parametrize("unreadable", [False, True])
def test_a_scheduled_bolus_is_given_once_whatever_the_clock_was_set_to(unreadable: bool) -> None:
    bench = flexed(300_000, boluses=daily((60, 20_000, 30 * MINUTE), (95, 1_000, MINUTE)))
    bench.firmware.advance(2 * HOUR)
    shift(bench, -90 * MINUTE)  # 0:30
    bench.firmware.advance(HOUR // 2)  # an hour's entry
    if unreadable:
        for entry in logged(bench, LogKind.CLOCK_SET):
            spoil_entry(bench, entry.number)
    lose_domain(bench)
    bench.firmware.advance(3 * HOUR)
    identities = [identity for _, identity in started(bench)]
    assert len(identities) == len(set(identities)) == 2
    bench.firmware.advance(DAY)
    assert len(started(bench)) == 4


@pytest.mark.requirement("TIM-03")
def test_without_the_look_at_the_log_it_would_be_given_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = flexed(300_000, boluses=daily((60, 20_000, 30 * MINUTE)))
    bench.firmware.advance(2 * HOUR)
    shift(bench, -90 * MINUTE)
    right = lost_retained._turns
    monkeypatch.setattr(lost_retained, "_turns", lambda _, local: right([], local))
    lose_domain(bench)
    bench.firmware.advance(3 * HOUR)
    assert len(started(bench)) == 2


# --- the always-on domain: boluses that ran -----------------------------------------------------


@pytest.mark.requirement("BOL-04", "BOL-08")
def test_a_patients_dose_that_ran_ends_with_the_memory_and_locks_out_from_then_on() -> None:
    bench = flexed(300_000)
    bench.firmware.advance(10 * MINUTE)
    assert bench.firmware.patient_dose() is None
    bench.firmware.advance(2 * MINUTE)
    lose_domain(bench)
    (begun,) = logged(bench, LogKind.BOLUS_STARTED)
    (ended,) = logged(bench, LogKind.BOLUS_ENDED)
    assert (ended.a, ended.b, ended.data) == (10_000, 0, begun.data)  # nobody has seen any of it
    told = bench.status().patient_dose
    assert told is not None
    assert (told.left, told.next_in) == (2, 4 * HOUR)
    assert bench.core.engine.last_order_end is None
    assert bench.core.control.order is None
    lose_domain(bench)
    assert len(logged(bench, LogKind.BOLUS_ENDED)) == 1


@pytest.mark.requirement("BOL-03", "BOL-08")
@pytest.mark.parametrize("lose", [lose_domain, lose_both])
def test_all_that_ran_ends_with_what_is_certain(lose: Any) -> None:
    """At 1:30 one of 2 h is scheduled, at 1:45 a clinician's of 1 h; the last word is at 2:00."""
    bench = flexed(300_000, boluses=daily((90, 20_000, 2 * HOUR)))
    bench.firmware.advance(90 * MINUTE - 1)
    done(bench, SINGLE._replace(over=HOUR))
    bench.firmware.advance(45 * MINUTE)
    begun = logged(bench, LogKind.BOLUS_STARTED)
    lose(bench)
    ended = {each.data: each for each in logged(bench, LogKind.BOLUS_ENDED)}
    assert set(ended) == {each.data for each in begun}
    assert sorted(each.b for each in ended.values()) == [5_000, 10_000]
    assert {each.counter for each in ended.values()} == {2 * HOUR}
    engine = bench.core.engine
    assert (engine.last_bolus_end, engine.last_order_end) == (2 * HOUR, 2 * HOUR)
    assert engine.boluses == []
    if lose is lose_domain:
        assert bench.get(m.GetOperation(op(2)), m.OperationReport).delivered == 10_000


@pytest.mark.requirement("BOL-03", "STP-03")
def test_what_fell_into_a_stall_is_not_certain() -> None:
    bench = flexed(1_000_000)
    bench.firmware.advance(30 * MINUTE)
    done(bench, SINGLE._replace(dose=60_000, over=HOUR))
    bench.firmware.advance(10 * MINUTE)
    stall(bench, None)
    bench.firmware.advance(20 * MINUTE)
    (raised,) = logged(bench, LogKind.ALARM_RAISED)
    lose_domain(bench)
    (ended,) = logged(bench, LogKind.BOLUS_ENDED)
    assert ended.b == 60_000 * (raised.counter - 30 * MINUTE) // HOUR
    assert 10_000 <= ended.b <= 10_500
    status = bench.status()
    assert status.delivery is Delivery.STALLED
    assert bench.core.engine.starving_since == raised.counter


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize("fed", [5 * HOUR, 6 * HOUR])
def test_the_hours_without_drug_are_counted_on(fed: int) -> None:
    bench = flexed(300_000)
    bench.firmware.advance(HOUR)
    bench.stop(50)
    bench.firmware.advance(47 * HOUR)
    done(bench, StageResume(TAG, program_hash(flex(300_000, patient=OWN))), 51)
    bench.firmware.advance(fed)
    before = bench.core.engine.starving_since
    lose_domain(bench)
    assert bench.core.engine.starving_since == before == (HOUR if fed < 6 * HOUR else None)
    bench.stop(52)
    bench.firmware.advance(HOUR)
    lose_domain(bench)
    assert bench.core.engine.starving_since == (HOUR if fed < 6 * HOUR else 54 * HOUR)


# --- the always-on domain: line, volume, counts -------------------------------------------------


@pytest.mark.requirement("REF-08")
@pytest.mark.parametrize("bridge", [True, False])
@pytest.mark.parametrize("lose", [lose_domain, lose_both])
def test_what_is_in_the_line_is_as_it_was(lose: Any, bridge: bool) -> None:
    bench = at_100(2000)
    since = bench.status().pulses
    bench.firmware.advance(6 * HOUR)  # 125 pulses: the refill is recorded late
    asked = refill_of(flex(100_000, concentration=500), since, 2000 if bridge else None)
    done(bench, asked)
    volume = bench.status().reservoir
    bench.firmware.advance(HOUR)
    for hours in (0, 11, 24 * 9):
        bench.firmware.advance(hours * HOUR)
        before = bench.status()
        if bridge and hours < 24:
            assert before.bridge is not None
            assert before.front == before.bridge.volume - before.bridge.passed
        lose(bench)
        status = bench.status()
        for name in ("tip_concentration", "front", "reservoir", "pulses", "bridge"):
            assert getattr(status, name) == getattr(before, name), name
    assert volume > bench.status().reservoir


@pytest.mark.requirement("PMP-03")
def test_a_refill_since_the_last_hour_is_not_forgotten() -> None:
    bench = at_100()
    bench.firmware.advance(30 * MINUTE)
    done(bench, refill_of(flex(100_000), bench.status().pulses))
    lose_domain(bench)
    assert bench.status().reservoir == 40_000_000


def test_what_was_in_the_line_before_a_refill_that_nothing_tells_of_is_as_recorded() -> None:
    bench = at_100()
    done(bench, refill_of(flex(100_000, concentration=2000), 20_000))
    for entry in logged(bench, LogKind.HOUR):
        spoil_entry(bench, entry.number)
    lose_domain(bench)
    assert (bench.status().tip_concentration, bench.status().front) == (500, LINE)


def test_counts_do_not_begin_anew() -> None:
    bench = at_100()
    bench.boot()
    bench.boot()
    before = int.from_bytes(logged(bench, LogKind.BOOT)[-1].data[:8], "big")
    mass = int.from_bytes(logged(bench, LogKind.HOUR)[-1].data[:8], "big")
    lose_domain(bench)
    assert int.from_bytes(logged(bench, LogKind.BOOT)[-1].data[:8], "big") > before > 0
    bench.firmware.advance(DAY)
    assert int.from_bytes(logged(bench, LogKind.HOUR)[-1].data[:8], "big") == mass + 100_000


# --- the always-on domain: the last day's doses -------------------------------------------------


def mass(past: Past, now: int, length: int) -> Fraction:
    """ng in the window that ends now."""
    pieces = windows._before(past, now, now - length)
    return sum(
        (Fraction(each.dose * (each.end - each.start), each.over) for each in pieces), Fraction()
    )


@pytest.mark.requirement("LIM-05")
def test_the_last_days_doses_are_those_of_the_log() -> None:
    bench = flexed(240_000, 480_000, boluses=daily((90, 20_000, 30 * MINUTE)))
    bench.firmware.advance(23 * HOUR)
    bench.stop(50)
    bench.firmware.advance(2 * HOUR)
    bench.program(flex(240_000), 51)
    bench.firmware.advance(3 * HOUR)
    done(bench, SINGLE)
    bench.firmware.advance(HOUR)
    right = bench.core.engine.past
    lose_domain(bench)
    found = bench.core.engine.past
    # Of the program that is no more the step at noon is known by the hours around it.
    assert found.basal[1:] == (
        Basal(11 * HOUR, 480_000), Basal(23 * HOUR, 0), Basal(25 * HOUR, 240_000),
    )  # fmt: skip
    now = bench.status().counter
    unheard = 10_000  # an hour of what was given last
    for hours in (1, 3, 6, 17, 24):
        more = mass(found, now, hours * HOUR) - mass(right, now, hours * HOUR)
        assert more == unheard + (10_000 if hours > 17 else 0), hours
    assert found.boluses[-1] == PastBolus(now - 1, now, unheard, 1)


@pytest.mark.requirement("LIM-05")
def test_no_bolus_passes_that_the_days_doses_have_no_room_for() -> None:
    """400 mcg in 24 h; 300 of basal and 80 in a bolus have been given, and 30 are asked for."""
    bench = flexed(300_000)
    row = ROW._replace(window_day=400_000, window_hour=400_000, bolus_lockout=0)
    done(bench, message(table(row)), 2, Role.ADMIN)
    bench.firmware.advance(20 * HOUR)
    done(bench, SINGLE._replace(dose=80_000), 3)
    bench.firmware.advance(2 * HOUR)
    asked = SINGLE._replace(dose=30_000)
    assert code(act(bench, asked, 4)) is Refuse.LIMIT_WINDOW
    lose_domain(bench)
    done(bench, refill_of(flex(300_000, patient=OWN), bench.status().pulses), 5)
    assert code(act(bench, asked, 6)) is Refuse.LIMIT_WINDOW
    bench.core.engine.past = Past((), ())
    done(bench, asked, 6)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 10 * HOUR)),
        st.tuples(st.just("program"), st.integers(3, 40)),
        st.tuples(st.just("stop"), st.integers(1, 3)),
        st.tuples(st.just("bolus"), st.integers(1, 8 * HOUR)),
        st.tuples(st.just("dose"), st.just(0)),
        st.tuples(st.just("stall"), st.integers(1, 5 * HOUR)),
        st.tuples(st.just("clock"), st.integers(-30, 30)),
    ),
    min_size=3,
    max_size=14,
)


def do(bench: Bench, what: str, size: int, number: int) -> None:
    """One thing that happens to a pump; what it refuses does not happen."""
    match what:
        case "wait":
            bench.firmware.advance(size)
        case "program":
            act(bench, m.StageProgram(TAG, program_of(size)), number)
            bench.firmware.advance(HOUR)  # what ran for less has no hour of its own in the log
        case "stop":
            bench.stop(number)
            bench.firmware.advance(size * HOUR)
            act(bench, m.StageProgram(TAG, program_of(size)), number + 50)
            bench.firmware.advance(HOUR)
        case "bolus":
            act(bench, SINGLE._replace(over=size), number)
        case "dose":
            bench.firmware.patient_dose()
        case "stall":
            stall(bench, size)
            bench.firmware.advance(HOUR)  # as after a program
        case _:
            act(bench, StageClock(size * HOUR, 0), number)


def program_of(size: int) -> Program:
    """Its steps lie on full hours."""
    rates = (size * 10_000, size * 12_000, size * 9_000)
    return flex(*rates, boluses=daily((125, 15_000, 45 * MINUTE)), patient=OWN)


@pytest.mark.xfail(strict=True, reason="what ran in a stall's hour is not in the rebuilt past")
def test_a_program_that_was_activated_in_a_stall_is_in_the_rebuilt_past() -> None:
    """Known to fall short: 375 ng of two hours are missing, where memory is lost an hour later."""
    bench = Bench(frozen=True)
    bench.program(program_of(20))
    bench.firmware.advance(HOUR)
    waits = [("wait", 3), ("stop", 2), ("stop", 3), ("stop", 3), ("stop", 3)]
    for number, (what, size) in enumerate(waits, 100):
        do(bench, what, size, number)
    stall(bench, HOUR - 2)
    do(bench, "program", 4, 110)
    right, then = bench.core.engine.past, bench.status().counter
    lose_domain(bench)
    found, now = bench.core.engine.past, bench.status().counter
    assert mass(found, now, 2 * HOUR) >= mass(right, then, 2 * HOUR)


@pytest.mark.requirement("LIM-05")
@settings(max_examples=40, deadline=None)
@examples(STEPS)
def test_no_window_ever_holds_less_than_was_given(steps: list[tuple[str, int]]) -> None:
    """But for an hour in which the clock was set: its rate is that of neither hour record."""
    assume(all(what != "clock" for what, _ in steps))
    bench = Bench(frozen=True)
    bench.program(program_of(20))
    bench.firmware.advance(HOUR)
    for number, (what, size) in enumerate(steps, 100):
        do(bench, what, size, number)
    right, then = bench.core.engine.past, bench.status().counter
    lose_domain(bench)
    found, now = bench.core.engine.past, bench.status().counter
    assert then - HOUR <= now <= then
    for hours in range(1, 25):
        assert mass(found, now, hours * HOUR) >= mass(right, then, hours * HOUR), hours


@pytest.mark.requirement("BOL-04", "TIM-03", "STP-03")
@settings(max_examples=40, deadline=None)
@examples(STEPS)
def test_a_loss_makes_no_bolus_happen_twice_and_no_lockout_shorter(
    steps: list[tuple[str, int]],
) -> None:
    bench = Bench(frozen=True)
    bench.program(program_of(20))
    bench.firmware.advance(HOUR)
    for number, (what, size) in enumerate(steps, 100):
        do(bench, what, size, number)
    engine, then = bench.core.engine, bench.status().counter
    before = engine.last_bolus_end, engine.last_order_end
    lose_domain(bench)
    engine, now = bench.core.engine, bench.status().counter
    for old, new in zip(before, (engine.last_bolus_end, engine.last_order_end), strict=True):
        assert old is None or (new is not None and now - new <= then - old)
    ends = {each.data for each in logged(bench, LogKind.BOLUS_ENDED)}
    assert all(each.data in ends for each in logged(bench, LogKind.BOLUS_STARTED))
    bench.firmware.advance(2 * DAY)
    scheduled = [each for each in logged(bench, LogKind.BOLUS_STARTED) if each.data[:2] == KIND]
    identities = [each.data[2:8] for each in scheduled]
    assert len(identities) == len(set(identities))


@pytest.mark.requirement("LIM-05")
def test_a_lost_bolus_counts_as_far_as_it_may_have_gone() -> None:
    bench = flexed(240_000)
    bench.firmware.advance(HOUR // 2)
    done(bench, SINGLE._replace(over=2 * HOUR))
    lose_domain(bench)
    now = bench.status().counter
    assert mass(bench.core.engine.past, now, HOUR) == 5_000 + 10_000 + 10_000
