"""More of what a hostile reader found: boluses, hunger, flow, records; in the world's own truth.

Old fluid 500 mcg/mL has pulses of 50 ng, 2000 mcg/mL of 200 ng. The line, 0.348 mL,
is 3480 pulses. What the pump cannot see is asked with `given`.
"""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.acts import boluses, limits
from pumpctl.emulator.engine import hunger
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, BolusKind, Delivery, Refuse
from pumpctl.wire.messages_acts import StageBolus, StageResume
from pumpctl.wire.messages_implant import GetImplant, Implant, StageImplant
from pumpctl.wire.program import PatientDose
from tests.emulator.roads import (
    act,
    alarms,
    at_100,
    code,
    done,
    given,
    refill_of,
    stall,
)
from tests.emulator.support import (
    DAY,
    HOUR,
    MINUTE,
    TAG,
    Bench,
    daily,
    flex,
)
from tests.emulator.test_settings import RECORD, UNKNOWN, WATER, holding

# --- a bolus with two fluids in the line (BOL-04, REF-08) ---------------------------------------


def two_fluids(patient: PatientDose | None = None) -> Bench:
    """From 2000 to 500 mcg/mL without a bridge: 80 mcg are 0.16 mL, of 2000 mcg/mL 320 mcg."""
    bench = at_100(2000)
    done(bench, refill_of(flex(100_000, patient=patient), 5_000))
    return bench


BOLUS = StageBolus(TAG, BolusKind.SINGLE, 80_000, 60 * MINUTE)


@pytest.mark.requirement("REF-08", "BOL-04")
def test_no_bolus_until_one_fluid_fills_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    own = PatientDose(10_000, 5 * MINUTE, HOUR, 3)
    bench = two_fluids(own)
    assert code(bench.ask(BOLUS)) is Refuse.BRIDGE_RUNNING
    refused = bench.firmware.patient_dose()
    assert refused is not None
    assert refused.code is Refuse.BRIDGE_RUNNING
    bench.firmware.advance(41 * HOUR + 45 * MINUTE)  # 2000 pulses a day: 41.76 h
    assert code(bench.ask(BOLUS)) is Refuse.BRIDGE_RUNNING
    bench.firmware.advance(MINUTE)
    assert isinstance(bench.ask(BOLUS), m.Staged)
    assert bench.firmware.patient_dose() is None
    worse = two_fluids()
    monkeypatch.setattr(boluses, "refuse_mixed_line", lambda _: None)
    before = given(worse)
    done(worse, BOLUS, 3)
    worse.firmware.advance(60 * MINUTE)
    # 1600 pulses of the bolus and 83 of the basal, 200 ng each
    assert given(worse) - before == 320_000 + 16_600


@pytest.mark.requirement("REF-08", "BOL-04")
def test_also_behind_the_tip_and_with_water_before_it() -> None:
    bench = at_100()
    for number, (catheter, tubing, taken) in enumerate(
        [
            (holding(500), holding(2000), False),
            (WATER, holding(1000), False),
            (WATER, holding(500), True),
            (WATER, WATER, True),
            (holding(500), WATER, True),
        ],
        2,
    ):
        record = RECORD._replace(catheter_holds=catheter, tubing_holds=tubing)
        done(bench, StageImplant(TAG, record), number)
        answer = bench.ask(BOLUS)
        assert isinstance(answer, m.Staged) if taken else code(answer) is Refuse.BRIDGE_RUNNING


# --- hunger is forgotten by hours of delivery alone (STP-03) ------------------------------------


def resume(bench: Bench, number: int) -> Any:
    return act(bench, StageResume(TAG, bench.core.control.program_hash), number)


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize("restart", ["none", "attach", "boot"])
def test_a_second_of_delivery_does_not_make_two_days_forgotten(
    restart: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fed in (hunger.FED_MS, 0):
        monkeypatch.setattr(hunger, "FED_MS", fed)
        bench = at_100()
        answers = []
        for number in range(3):
            bench.stop(50 + number)
            bench.firmware.advance(47 * HOUR)
            answers.append(resume(bench, 60 + number))
            bench.firmware.advance(1_000)
            if restart != "none":
                getattr(bench, restart)()
        assert isinstance(answers[0], m.Done)
        if fed:
            assert [code(each) for each in answers[1:]] == [Refuse.STOPPED_TOO_LONG] * 2
        else:
            assert all(isinstance(each, m.Done) for each in answers)


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize(("fed", "taken"), [(6 * HOUR, True), (6 * HOUR - 1, False)])
def test_six_hours_of_delivery_end_it(fed: int, taken: bool) -> None:
    bench = at_100()
    bench.stop(50)
    bench.firmware.advance(47 * HOUR)
    assert isinstance(resume(bench, 60), m.Done)
    bench.firmware.advance(fed)
    bench.stop(51)
    bench.firmware.advance(47 * HOUR)
    answer = resume(bench, 61)
    assert isinstance(answer, m.Done) if taken else code(answer) is Refuse.STOPPED_TOO_LONG


@pytest.mark.requirement("STP-03")
def test_two_stalls_with_an_hour_between_them_end_on_the_fallback() -> None:
    """40 h, an hour of delivery, 8 h: the fallback at 48 h since the first, and no sooner."""
    bench = at_100()
    stall(bench, 40 * HOUR)
    bench.firmware.advance(41 * HOUR)
    assert bench.status().delivery is Delivery.DELIVERING
    stall(bench, None)
    bench.firmware.advance(7 * HOUR)
    assert bench.status().delivery is Delivery.STALLED
    bench.firmware.advance(MINUTE)
    assert bench.core.control.on_fallback
    assert AlarmCode.STOPPED_TOO_LONG in alarms(bench)


@pytest.mark.requirement("STP-03")
def test_a_stall_and_a_stop_count_together() -> None:
    bench = at_100()
    stall(bench, 30 * HOUR)
    bench.firmware.advance(30 * HOUR + 30 * MINUTE)  # it turns again, for less than half an hour
    bench.stop(50)
    bench.firmware.advance(18 * HOUR)
    assert code(resume(bench, 60)) is Refuse.STOPPED_TOO_LONG


# --- flow, at whatever instant a bridge ends (LIM-06) -------------------------------------------


@pytest.mark.requirement("LIM-06", "REF-08")
@pytest.mark.parametrize(("dose", "taken"), [(27_000, False), (8_264, False), (8_263, True)])
def test_a_bolus_over_the_end_of_a_bridge_fits_the_motor(
    dose: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute's bolus of the old program, at 500 mcg/mL beside 100 mcg/day (0.2 mL/day).

    23.8 mL/day are 23.8 x 500 / 1440 = 8.2638... mcg in a minute. At 2000 mcg/mL each fits.
    """
    bench = Bench(frozen=True, concentration=2000)
    bench.program(flex(100_000, concentration=2000, boluses=daily((1200, dose, MINUTE))))
    asked = refill_of(flex(100_000), 0, 2000)
    answer = bench.ask(asked)
    if taken:
        assert isinstance(answer, m.Staged)
        return
    assert code(answer) is Refuse.LIMIT_RATE
    monkeypatch.setattr(limits, "check_switch", lambda *_: None)
    assert isinstance(bench.ask(asked), m.Staged)  # it ends by day, if no stall moves that


# --- records, lockouts, priming -----------------------------------------------------------------


@pytest.mark.requirement("REF-04")
@pytest.mark.parametrize("absurd", [1, 4_000_000_000, 750])
def test_a_record_of_a_fluid_that_nobody_supplies_is_refused(absurd: int) -> None:
    bench = at_100()
    record = bench.get(GetImplant(), Implant).record
    for wrong in (
        record._replace(tubing_holds=holding(absurd)),
        record._replace(catheter_holds=holding(absurd)),
        record._replace(catheter_holds=WATER._replace(concentration=absurd)),
        record._replace(catheter_holds=UNKNOWN._replace(concentration=absurd)),
    ):
        assert code(bench.ask(StageImplant(TAG, wrong))) is Refuse.CONCENTRATION
    assert bench.get(GetImplant(), Implant).record == record
    before = given(bench)
    bench.firmware.advance(DAY)
    assert given(bench) - before == 100_000


@pytest.mark.requirement("PRG-08", "BOL-04")
def test_a_lockout_of_more_than_a_week_is_a_slip() -> None:
    week = 7 * DAY
    for lockout, refusal in ((week, None), (week + 1, Refuse.IMPLAUSIBLE)):
        own = PatientDose(5_000, 5 * MINUTE, lockout, 1)
        answer = Bench().ask(m.StageProgram(TAG, flex(100_000, patient=own)))
        assert isinstance(answer, m.Staged) if refusal is None else code(answer) is refusal


@pytest.mark.requirement("REF-09")
@pytest.mark.parametrize(
    ("catheter", "tubing", "most"),
    [
        (WATER, holding(500), 110_000),  # 0.22 mL
        (WATER, WATER, 180_000),  # 0.36 mL
        (holding(500), WATER, 0),
        (holding(500), holding(500), 0),
        (UNKNOWN, holding(500), None),
        (WATER, UNKNOWN, None),
    ],
)
def test_only_what_is_free_of_drug_is_primed(
    catheter: Any, tubing: Any, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = at_100()
    record = RECORD._replace(catheter_holds=catheter, tubing_holds=tubing)
    done(bench, StageImplant(TAG, record))
    prime = StageBolus(TAG, BolusKind.PRIME, 1_000, 60 * MINUTE)
    if most is None:
        assert code(bench.ask(prime)) is Refuse.IMPLAUSIBLE
    else:
        assert code(bench.ask(prime._replace(dose=most + 1))) is Refuse.RANGE
        if most:
            before = given(bench)
            done(bench, prime._replace(dose=most), 3)
            bench.firmware.advance(55 * MINUTE)  # the basal pushes, too
            assert given(bench) == before  # nothing but water has left the tip
    monkeypatch.setattr(boluses, "_refuse_prime", lambda *_: None)
    bench.firmware.advance(6 * MINUTE)
    assert isinstance(bench.ask(prime), m.Staged)


# --- a refill's bridge is of what is at the tip -------------------------------------------------


@pytest.mark.requirement("REF-08", "STP-03")
def test_no_bridge_by_another_fluid_than_the_tip_s() -> None:
    """2000 in the line, 500 behind it, 1000 injected: metered by 500 it would be four times."""
    bench = Bench(frozen=True, concentration=2000)
    bench.program(flex(100_000, concentration=2000))
    bench.firmware.advance(HOUR)
    done(bench, refill_of(flex(100_000), bench.core.engine.motor.pulses), 2)
    order = refill_of(flex(100_000, concentration=1000), bench.core.engine.motor.pulses, 500)
    assert code(bench.ask(order)) is Refuse.CONCENTRATION


@pytest.mark.requirement("STP-03")
def test_after_two_days_without_drug_no_refill_brings_the_old_dose() -> None:
    for dose, taken in ((1_000_000, False), (150_000, True)):
        bench = Bench(frozen=True)
        bench.program(flex(1_000_000))
        bench.firmware.advance(DAY)
        bench.stop(3)
        bench.firmware.advance(49 * HOUR)
        order = refill_of(flex(dose, concentration=2000), bench.core.engine.motor.pulses)
        answer = bench.ask(order)
        assert isinstance(answer, m.Staged) is taken
        assert taken or code(answer) is Refuse.STOPPED_TOO_LONG
