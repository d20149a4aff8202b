"""A bolus on demand, and all that lies ahead with it: dose, flow and windows."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.acts import limits
from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.acts.hard import factory
from pumpctl.emulator.engine import past as pasts
from pumpctl.emulator.engine.ahead import Ahead, Asked, Play, Steady, pieces
from pumpctl.emulator.engine.schedule import Schedule
from pumpctl.emulator.memory.retained import Bolus
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Drug, Refuse, Role
from pumpctl.wire.limit_table import LimitTable
from pumpctl.wire.messages_acts import LimitsReadback, StageBolus
from pumpctl.wire.program import Program
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex, op
from tests.emulator.test_limit_table import PUMP, ROW, message, table

OWN = factory(PUMP, Drug.BACLOFEN, 500)


def refused_bolus(bolus: Asked, **more: bool) -> Refuse:
    hard = OWN._replace(most_bolus=100_000, most_patient_dose=20_000)
    with pytest.raises(Refused) as refused:
        limits.check_bolus(bolus, hard, **more)
    return refused.value.code


def test_a_bolus_by_itself() -> None:
    hard = OWN._replace(most_bolus=100_000, most_patient_dose=20_000)
    limits.check_bolus(Asked(100_000, DAY), hard)
    limits.check_bolus(Asked(20_000, 1), hard, patient=True)
    assert refused_bolus(Asked(0, MINUTE)) is Refuse.IMPLAUSIBLE
    assert refused_bolus(Asked(1, 0)) is Refuse.IMPLAUSIBLE
    assert refused_bolus(Asked(1, DAY + 1)) is Refuse.IMPLAUSIBLE
    assert refused_bolus(Asked(100_001, MINUTE)) is Refuse.RANGE
    assert refused_bolus(Asked(20_001, MINUTE), patient=True) is Refuse.RANGE


def ahead(program: Program, minute: int = 0, **more: Any) -> Ahead:
    schedule = Schedule(program, PUMP.least_flow)
    monday = 4 * DAY
    return Ahead(DAY, monday + minute * MINUTE, (Play(schedule, program.concentration),), **more)


def flows(given: Ahead) -> bool:
    try:
        limits.check_flow(given, PUMP)
    except Refused as refused:
        return refused.code is not Refuse.LIMIT_RATE
    return True


@pytest.mark.requirement("LIM-06")
def test_a_bolus_never_goes_above_the_maximum_flow() -> None:
    """24 mL/day less 1 of basal: 23 mL/day, at 500 mcg/mL 79 861 ng in ten minutes."""
    basal = flex(500_000)
    assert flows(ahead(basal, bolus=Asked(79_861, 10 * MINUTE)))
    assert not flows(ahead(basal, bolus=Asked(79_862, 10 * MINUTE)))
    assert flows(ahead(flex(500_000, concentration=1000), bolus=Asked(163_194, 10 * MINUTE)))
    assert not flows(ahead(flex(500_000, concentration=1000), bolus=Asked(163_195, 10 * MINUTE)))


@pytest.mark.requirement("LIM-06")
def test_a_bolus_beside_one_that_is_scheduled_while_it_runs() -> None:
    program = flex(500_000, boluses=daily((30, 40_000, 10 * MINUTE)))
    asked = Asked(40_000, 10 * MINUTE)
    assert flows(ahead(program, 20, bolus=asked))  # ends as the other one starts
    assert not flows(ahead(program, 21, bolus=asked))
    assert flows(ahead(program, 30, bolus=asked))  # whose turn was
    runs = Bolus(BolusKind.SCHEDULED, 40_000, 10 * MINUTE, 500, DAY, 0, 30, bytes(16), 0)
    assert not flows(ahead(program, 30, bolus=asked, running=(runs,)))


@pytest.mark.requirement("LIM-06")
def test_a_step_while_it_runs_counts() -> None:
    program = flex(500_000, 11_000_000)  # the second half of the day at 22 mL/day
    assert flows(ahead(program, 700, bolus=Asked(20_000, 20 * MINUTE)))
    assert not flows(ahead(program, 701, bolus=Asked(20_000, 20 * MINUTE)))


@pytest.mark.requirement("LIM-06")
@pytest.mark.requirement("REF-08")
def test_what_runs_on_behind_a_bridge_is_metered_by_the_new_concentration() -> None:
    """A bolus of 14.4 mL/day at 2000 takes four times as much at 500 mcg/mL."""
    runs = Bolus(BolusKind.SCHEDULED, 200_000, 10 * MINUTE, 2000, DAY, 0, 0, bytes(16), 0)
    plays = (
        Play(Steady(96_000), 2000, 4 * DAY + 10 * MINUTE),
        Play(Schedule(flex(96_000), PUMP.least_flow), 500),
    )
    given = Ahead(DAY, 4 * DAY, plays, (runs,))
    assert flows(given)
    earlier = (plays[0]._replace(until=4 * DAY + 10 * MINUTE - 1), plays[1])
    assert not flows(given._replace(plays=earlier))


@pytest.mark.requirement("LIM-05")
def test_windows_are_refused_with_their_length_and_amount() -> None:
    hard = OWN._replace(window_hour=65_000)
    past = pasts.note_rate(pasts.EMPTY, DAY - 5 * MINUTE, 1_440_000)
    given = Ahead(DAY, 4 * DAY, (Play(Steady(1_440_000), 500),), bolus=Asked(10_000, MINUTE))
    with pytest.raises(Refused) as refused:
        limits.check_windows(past, given, hard)
    assert refused.value.code is Refuse.LIMIT_WINDOW
    assert refused.value.detail == "70 mcg in 1 h, past and to come; the limit is 65 mcg"
    limits.check_windows(past, given, OWN._replace(window_hour=70_000))
    limits.check_windows(past, given, hard, given)
    with pytest.raises(Refused, match="in 24 h"):
        limits.check_windows(past, given, OWN._replace(window_day=70_000))


@pytest.mark.requirement("LIM-06")
def test_a_look_at_the_basal_alone_lets_it_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ahead(flex(500_000), bolus=Asked(79_862, 10 * MINUTE))
    assert not flows(asked)
    monkeypatch.setattr(limits, "pieces", lambda *more: pieces(*more)[1:])  # the bolus is first
    assert flows(asked)


# --- on the whole road ------------------------------------------------------------------------


def install(bench: Bench, made: LimitTable) -> None:
    """An admin puts this table in force."""
    staged = bench.ask(message(made), Role.ADMIN)
    assert isinstance(staged, m.Staged), staged
    bench.get(m.GetReadback(), LimitsReadback, Role.ADMIN)
    version = bench.core.control.state_version
    asked = m.Activate(op(70 + made.version), staged.content, version, staged.nonce, bytes(32))
    done = bench.ask(asked, Role.ADMIN)
    assert isinstance(done, m.Done), done


@pytest.mark.requirement("LIM-05")
@pytest.mark.requirement("LIM-07")
def test_with_a_table_the_pump_refuses_what_a_later_hour_cannot_hold() -> None:
    bench = Bench(frozen=True)
    row = ROW._replace(
        most_daily=2_000_000, most_rate=2_000_000, window_day=2_000_000, window_hour=65_000
    )
    install(bench, table(row))
    bench.program(flex(1_440_000))
    bench.firmware.advance(5 * MINUTE)
    refusal = bench.ask(StageBolus(TAG, BolusKind.SINGLE, 10_000, 2 * MINUTE))
    assert isinstance(refusal, m.Refusal)
    assert refusal.code is Refuse.LIMIT_WINDOW
    assert refusal.detail.startswith("70 mcg in 1 h")
    assert isinstance(bench.ask(StageBolus(TAG, BolusKind.SINGLE, 5_000, 2 * MINUTE)), m.Staged)


@pytest.mark.requirement("LIM-05")
def test_under_a_narrower_table_a_reduction_passes_whatever_was_given() -> None:
    bench = Bench(frozen=True)
    bench.program(flex(1_440_000))
    bench.firmware.advance(30 * HOUR)
    narrow = ROW._replace(
        window_hour=50_000, most_rate=1_200_000, most_daily=1_200_000, window_day=1_200_000
    )
    install(bench, table(narrow))
    assert isinstance(bench.ask(m.StageProgram(TAG, flex(1_200_000))), m.Staged)
    refusal = bench.ask(StageBolus(TAG, BolusKind.SINGLE, 1, MINUTE))
    assert isinstance(refusal, m.Refusal)
    assert refusal.code is Refuse.LIMIT_WINDOW
