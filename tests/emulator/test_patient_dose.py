"""The patient's own doses: lockout, count, what they may never disturb, what survives what."""

from __future__ import annotations

import pytest

from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, LogKind, Refuse
from pumpctl.wire.messages_acts import BolusReadback, StageBolus, StageClock
from pumpctl.wire.program import PatientDose, ScheduledBolus
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex, lose_program, op

OWN = PatientDose(10_000, 5 * MINUTE, 4 * HOUR, 3)


def programmed(own: PatientDose | None = OWN, boluses: tuple[ScheduledBolus, ...] = ()) -> Bench:
    bench = Bench(frozen=True)
    bench.program(flex(100_000, patient=own, boluses=boluses))
    bench.firmware.advance(HOUR)
    return bench


def press(bench: Bench) -> Refuse | None:
    refused = bench.firmware.patient_dose()
    return None if refused is None else refused.code


def left(bench: Bench) -> tuple[int, int]:
    told = bench.status().patient_dose
    assert told is not None
    return told.left, told.next_in


@pytest.mark.requirement("BOL-04")
def test_a_dose_is_given_logged_and_counted() -> None:
    bench = programmed()
    assert left(bench) == (3, 0)
    assert press(bench) is None
    status = bench.status()
    assert status.bolus is not None
    assert (status.bolus.kind, status.bolus.dose) == (BolusKind.PATIENT, 10_000)
    assert left(bench) == (2, 5 * MINUTE + 4 * HOUR)
    version = status.state_version
    bench.firmware.advance(5 * MINUTE)
    taken, started, ended = bench.entries()[-3:]
    assert (taken.kind, taken.a, taken.b) == (LogKind.PATIENT_DOSE, 10_000, 5 * MINUTE)
    assert (started.kind, ended.kind, ended.b) == (
        LogKind.BOLUS_STARTED, LogKind.BOLUS_ENDED, 10_000,
    )  # fmt: skip
    assert bench.status().state_version == version  # never for patient doses


@pytest.mark.requirement("BOL-04")
def test_the_lockout_counts_from_the_end_of_any_bolus() -> None:
    bench = programmed(boluses=daily((120, 5_000, 30 * MINUTE)))  # 02:00 to 02:30
    bench.firmware.advance(90 * MINUTE)  # 02:30
    assert press(bench) is Refuse.LOCKOUT
    refused = bench.entries()[-1]
    assert (refused.kind, refused.a, refused.b) == (
        LogKind.PATIENT_REFUSED, Refuse.LOCKOUT, 4 * HOUR,
    )  # fmt: skip
    bench.firmware.advance(4 * HOUR - 1)
    assert press(bench) is Refuse.LOCKOUT
    bench.firmware.advance(1)
    assert press(bench) is None


@pytest.mark.requirement("BOL-04")
def test_a_clinicians_bolus_locks_the_patient_out_as_well() -> None:
    bench = programmed()
    staged = bench.get(StageBolus(TAG, BolusKind.SINGLE, 5_000, 10 * MINUTE), m.Staged)
    bench.get(m.GetReadback(), BolusReadback)
    assert isinstance(bench.activate(staged, 2), m.Done)
    assert press(bench) is Refuse.BOLUS_RUNNING
    bench.firmware.advance(10 * MINUTE + 4 * HOUR - 1)
    assert press(bench) is Refuse.LOCKOUT
    bench.firmware.advance(1)
    assert press(bench) is None


@pytest.mark.requirement("BOL-04")
def test_the_most_in_any_24_hours_counts_by_start() -> None:
    bench = programmed(OWN._replace(lockout=HOUR))
    for _ in range(3):
        assert press(bench) is None
        bench.firmware.advance(2 * HOUR)
    assert left(bench) == (0, DAY - 6 * HOUR)
    assert press(bench) is Refuse.LOCKOUT
    bench.firmware.advance(DAY - 6 * HOUR - 1)
    assert press(bench) is Refuse.LOCKOUT
    bench.firmware.advance(1)
    assert press(bench) is None  # 24 h after the start of the first


@pytest.mark.requirement("BOL-04")
def test_a_dose_that_would_overlap_a_scheduled_bolus_is_refused() -> None:
    bench = programmed(boluses=daily((70, 5_000, 10 * MINUTE)))  # 01:10; it is 01:00
    bench.firmware.advance(5 * MINUTE)
    assert press(bench) is None  # ends as the other begins
    bench = programmed(boluses=daily((70, 5_000, 10 * MINUTE)))
    bench.firmware.advance(5 * MINUTE + 1)
    assert press(bench) is Refuse.BOLUS_RUNNING
    bench.firmware.advance(5 * MINUTE)
    assert bench.status().bolus is not None  # the scheduled one is never dropped


def push(bench: Bench) -> None:
    bench.program(flex(90_000, patient=OWN), 2)


def set_clock(bench: Bench) -> None:
    staged = bench.get(StageClock(-HOUR, 60), m.Staged)
    bench.get(m.GetReadback(), object)
    assert isinstance(bench.activate(staged, 2), m.Done)


def boot(bench: Bench) -> None:
    bench.boot()


def lose_memory(bench: Bench) -> None:
    bench.firmware.advance(HOUR)  # the log's last word is now
    bench.core.lose_memory()
    bench.boot()
    bench.core.put_alarm(bench.core.engine.alarms.raised[0].code, False)


@pytest.mark.requirement("BOL-04")
@pytest.mark.parametrize("what", [push, set_clock, boot, lose_memory])
def test_no_counter_is_reset_by(what: object) -> None:
    assert callable(what)
    bench = programmed()
    assert press(bench) is None
    bench.firmware.advance(10 * MINUTE)
    what(bench)
    told = left(bench)
    assert told[0] == 2
    assert 2 * HOUR < told[1] <= 4 * HOUR - 5 * MINUTE
    assert press(bench) is not None


def test_where_no_dose_is_given_the_reason_is_logged() -> None:
    stopped = programmed()
    stopped.stop()
    lost = programmed()
    lose_program(lost)
    for bench, why in (
        (programmed(None), Refuse.UNSUPPORTED),
        (stopped, Refuse.STOPPED),
        (lost, Refuse.UNSUPPORTED),
    ):
        assert press(bench) is why
        assert (bench.entries()[-1].kind, bench.entries()[-1].a) == (LogKind.PATIENT_REFUSED, why)
    assert programmed(None).status().patient_dose is None


def test_a_program_without_doses_ends_a_running_one_at_its_own_end() -> None:
    bench = programmed()
    assert press(bench) is None
    bench.program(flex(90_000), 2)
    assert bench.status().bolus is not None
    bench.firmware.advance(5 * MINUTE)
    assert bench.status().bolus is None
    assert bench.core.control.ledger[-1].operation == op(2)
