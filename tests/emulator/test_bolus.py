"""A clinician's bolus in the pump: the road, the matrix of states, what was really given."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, BolusKind, Delivery, Kind, LogKind, Refuse, Result
from pumpctl.wire.messages_acts import BolusReadback, StageBolus, StageResume
from pumpctl.wire.program import program_hash
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex, lose_program, op

DOSE = 20_000
SINGLE = StageBolus(TAG, BolusKind.SINGLE, DOSE, 10 * MINUTE)


def programmed(**how: Any) -> Bench:
    bench = Bench(frozen=True, **how)
    bench.program(flex(100_000))
    bench.firmware.advance(HOUR)
    return bench


def order(bench: Bench, number: int = 2, asked: StageBolus = SINGLE) -> m.Done:
    """The whole road."""
    staged = bench.get(asked, m.Staged)
    bench.get(m.GetReadback(), BolusReadback)
    done = bench.activate(staged, number)
    assert isinstance(done, m.Done), done
    return done


def code(answer: Any) -> Refuse:
    assert isinstance(answer, m.Refusal), answer
    return answer.code


# --- the road ---------------------------------------------------------------------------


@pytest.mark.requirement("BOL-08", "BOL-03")
def test_a_bolus_leaves_the_program_alone_and_its_end_tells_what_it_gave() -> None:
    bench = programmed()
    before, control = bench.status(), bench.copy()
    done = order(bench)
    assert (done.kind, done.state_version, done.delivered) == (Kind.BOLUS, 3, 0)
    bench.firmware.advance(5 * MINUTE)
    status = bench.status()
    assert status.delivery is Delivery.BOLUS
    assert status.bolus is not None
    assert (status.bolus.kind, status.bolus.dose, status.bolus.given) == (
        BolusKind.SINGLE, DOSE, DOSE // 2,
    )  # fmt: skip
    assert status.bolus.ends - status.bolus.started == 10 * MINUTE
    assert bench.get(m.GetOperation(op(2)), m.OperationReport).delivered == DOSE // 2
    bench.firmware.advance(5 * MINUTE)
    told = bench.get(m.GetOperation(op(2)), m.OperationReport)
    assert (told.result, told.delivered) == (Result.APPLIED, DOSE)
    after = bench.status()
    assert (after.bolus, after.delivery) == (None, Delivery.DELIVERING)
    assert (after.program_hash, after.rate) == (before.program_hash, before.rate)
    started, ended = [
        each for each in bench.entries()
        if each.kind in (LogKind.BOLUS_STARTED, LogKind.BOLUS_ENDED)
    ]  # fmt: skip
    assert (started.a, started.b) == (DOSE, 10 * MINUTE)
    assert (ended.a, ended.b) == (DOSE, DOSE)
    assert started.data == ended.data == BolusKind.SINGLE.to_bytes(2, "big") + op(2) + bytes(2)
    # 20 000 ng at 500 pg/nL are 40 000 nL: 400 pulses more than without it.
    control.firmware.advance(10 * MINUTE)
    assert after.pulses - control.status().pulses == 400


@pytest.mark.requirement("PRG-04")
def test_the_read_back_is_computed_from_the_stored_bytes_and_the_line() -> None:
    bench = programmed()
    bench.get(SINGLE, m.Staged)
    told = bench.get(m.GetReadback(), BolusReadback)
    assert (told.kind, told.bolus, told.dose, told.over) == (
        Kind.BOLUS, BolusKind.SINGLE, DOSE, 10 * MINUTE,
    )  # fmt: skip
    assert (told.volume, told.past_tip, told.stays_in_line) == (40_000, DOSE, 0)
    assert told.largest_24h == 100_000 + DOSE


@pytest.mark.requirement("BOL-07")
def test_a_bolus_is_confirmed_within_30_seconds_of_its_nonce() -> None:
    for wait, late in ((30_000, False), (30_001, True)):
        bench = programmed()
        staged = bench.get(SINGLE, m.Staged)
        bench.get(m.GetReadback(), BolusReadback)
        bench.firmware.advance(wait)
        answer = bench.activate(staged, 2)
        assert isinstance(answer, m.Refusal) is late
        if late:
            assert answer.code is Refuse.NONCE
            assert bench.status().bolus is None


@pytest.mark.requirement("BOL-01", "BOL-02")
def test_an_id_gives_one_bolus_however_often_it_is_sent() -> None:
    bench = programmed()
    staged = bench.get(SINGLE, m.Staged)
    bench.get(m.GetReadback(), BolusReadback)
    asked = m.Activate(op(2), staged.content, 2, staged.nonce, bytes(32))
    assert not bench.get(asked, m.Done).repeated
    bench.firmware.advance(HOUR)
    again = bench.get(asked, m.Done)
    assert (again.repeated, again.delivered) == (True, DOSE)
    bench.boot()
    assert bench.get(asked, m.Done).repeated
    assert [each.kind for each in bench.entries()].count(LogKind.BOLUS_STARTED) == 1


# --- when none may begin -------------------------------------------------------------------


def running(bench: Bench) -> None:
    order(bench)


def stopped(bench: Bench) -> None:
    bench.stop()


def empty(bench: Bench) -> None:
    bench.core.engine.reservoir = 0
    bench.firmware.advance(1)


def stalled(bench: Bench) -> None:
    now = bench.core.engine.world_time
    bench.core.world.add(Fault(FaultKind.STALL, now, None, 0))
    bench.firmware.advance(HOUR)


def in_self_test(bench: Bench) -> None:
    bench.core.testing = True


STATES = {
    "a bolus runs": (running, Refuse.BOLUS_RUNNING),
    "stopped": (stopped, Refuse.STOPPED),
    "computed empty": (empty, Refuse.CRITICAL_ALARM),
    "the motor stands still": (stalled, Refuse.CRITICAL_ALARM),
    "on the fallback": (lose_program, Refuse.CRITICAL_ALARM),
    "a self-test runs": (in_self_test, Refuse.SELF_TEST),
}


@pytest.mark.requirement("BOL-04")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", [BolusKind.SINGLE, BolusKind.PRIME])
def test_no_bolus_in_this_state(state: str, kind: BolusKind) -> None:
    prepare, refusal = STATES[state]
    bench = programmed()
    prepare(bench)
    version = bench.core.control.state_version
    assert code(bench.ask(SINGLE._replace(kind=kind))) is refusal
    assert bench.core.control.state_version == version


@pytest.mark.requirement("BOL-04")
def test_a_state_that_begins_between_staging_and_activation_refuses_as_well() -> None:
    bench = programmed()
    staged = bench.get(SINGLE, m.Staged)
    bench.get(m.GetReadback(), BolusReadback)
    bench.core.put_alarm(AlarmCode.BATTERY_RESET, True)
    assert code(bench.activate(staged, 2)) is Refuse.CRITICAL_ALARM
    assert bench.get(m.GetOperation(op(2)), m.OperationReport).result is Result.ABSENT


def test_only_a_clinicians_kinds_can_be_ordered() -> None:
    for kind in (BolusKind.SCHEDULED, BolusKind.PATIENT):
        assert code(programmed().ask(SINGLE._replace(kind=kind))) is Refuse.IMPLAUSIBLE


@pytest.mark.parametrize(
    ("dose", "over", "refusal"),
    [
        (0, MINUTE, Refuse.IMPLAUSIBLE),
        (1, 0, Refuse.IMPLAUSIBLE),
        (1_000, DAY + 1, Refuse.IMPLAUSIBLE),
        (3_000_001, DAY, None),
        (2_950_000, DAY, Refuse.LIMIT_WINDOW),
    ],
)
@pytest.mark.requirement("LIM-01")
def test_what_no_bolus_may_be(dose: int, over: int, refusal: Refuse | None) -> None:
    told = code(programmed().ask(StageBolus(TAG, BolusKind.SINGLE, dose, over)))
    assert refusal is None or told is refusal


@pytest.mark.requirement("LIM-06")
def test_basal_and_bolus_together_keep_to_the_maximum_flow() -> None:
    # 100 000 ng/day at 500 are 200 000 of 24 000 000 nL/day; what is left for a bolus over
    # 10 min (a 144th of a day) is 23 800 000 / 144 = 165 277.7 nL, or 82 638.8 ng.
    most = 23_800_000 * 500 // 1_000 // 144
    bench = programmed()
    assert isinstance(bench.ask(SINGLE._replace(dose=most)), m.Staged)
    assert code(bench.ask(SINGLE._replace(dose=most + 1))) is Refuse.LIMIT_RATE


def test_a_scheduled_bolus_ahead_counts_towards_the_flow() -> None:
    bench = Bench(frozen=True)
    bench.program(flex(100_000, boluses=daily((65, 50_000, 10 * MINUTE))))
    bench.firmware.advance(HOUR)
    assert code(bench.ask(SINGLE._replace(dose=50_000))) is Refuse.LIMIT_RATE


# --- ended early ------------------------------------------------------------------------------


@pytest.mark.requirement("BOL-03")
@pytest.mark.parametrize("how", ["cancel", "stop", "boot"])
def test_a_bolus_that_is_cut_short_tells_what_it_gave(how: str) -> None:
    bench = programmed()
    order(bench)
    bench.firmware.advance(3 * MINUTE)
    if how == "cancel":
        done = bench.get(m.CancelBolus(op(3), bytes(32)), m.Done)
        assert done.delivered == 6_000
    elif how == "stop":
        bench.stop(3)
    else:
        bench.boot()
    assert bench.core.engine.boluses == []
    assert bench.get(m.GetOperation(op(2)), m.OperationReport).delivered == 6_000
    ended = [each for each in bench.entries() if each.kind is LogKind.BOLUS_ENDED]
    assert [(each.a, each.b) for each in ended] == [(DOSE, 6_000)]
    bench.firmware.advance(DAY)
    assert bench.get(m.GetOperation(op(2)), m.OperationReport).delivered == 6_000


def test_a_new_process_goes_on_with_a_bolus() -> None:
    bench = programmed()
    order(bench)
    bench.firmware.advance(3 * MINUTE)
    bench.attach()
    bench.firmware.advance(7 * MINUTE)
    assert bench.get(m.GetOperation(op(2)), m.OperationReport).delivered == DOSE


@pytest.mark.requirement("STP-03")
def test_a_stall_takes_from_a_bolus_what_it_never_makes_up() -> None:
    bench = programmed()
    order(bench)
    now = bench.core.engine.world_time
    bench.core.world.add(Fault(FaultKind.STALL, now + 2 * MINUTE, now + 4 * MINUTE, 0))
    bench.firmware.advance(10 * MINUTE)
    assert bench.get(m.GetOperation(op(2)), m.OperationReport).delivered == DOSE * 8 // 10


@pytest.mark.requirement("BOL-03")
def test_with_the_always_on_memory_lost_the_ledger_says_what_is_certain() -> None:
    bench = programmed()
    order(bench, asked=SINGLE._replace(over=4 * HOUR))
    bench.firmware.advance(90 * MINUTE)  # the last the log knows is the hour record at 2 h: 1/4
    bench.core.lose_memory()
    bench.boot()
    assert bench.get(m.GetOperation(op(2)), m.OperationReport).delivered == DOSE // 4
    assert bench.core.control.order is None


def test_after_a_stop_the_program_goes_on_without_the_bolus() -> None:
    bench = programmed()
    order(bench)
    bench.stop(3)
    staged = bench.get(StageResume(TAG, program_hash(flex(100_000))), m.Staged)
    bench.get(m.GetReadback(), m.ProgramReadback)
    assert isinstance(bench.activate(staged, 4), m.Done)
    assert bench.status().delivery is Delivery.DELIVERING
