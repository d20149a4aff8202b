"""A signed table in the pump: whom it believes, what it bars, and what becomes of a lost one."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.acts import outlook
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.memory.image import LIMITS
from pumpctl.wire import messages as m
from pumpctl.wire.codes import (
    AlarmCode,
    BolusKind,
    Delivery,
    Drug,
    Kind,
    LogKind,
    Refuse,
    Role,
)
from pumpctl.wire.limit_table import Row
from pumpctl.wire.messages_acts import (
    Bridge,
    LimitsReadback,
    StageBolus,
    StageBridge,
    StageClock,
    StageLimits,
    StageResume,
)
from pumpctl.wire.program import PatientDose, program_hash
from tests.emulator.roads import (
    LINE,
    act,
    alarms,
    code,
    done,
    logged,
    read_back,
    refill_of,
)
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex, op
from tests.emulator.test_limit_table import NEXT, ROW, SITE, message, public, table

SINGLE = StageBolus(TAG, BolusKind.SINGLE, 10_000, 10 * MINUTE)

# --- limits -------------------------------------------------------------------------------------

OWN = PatientDose(10_000, 5 * MINUTE, 4 * HOUR, 3)
PROGRAM = flex(72_000, 96_000, boluses=daily((480, 20_000, 10 * MINUTE)), patient=OWN)
"""3 and 4 mcg/h, 20 mcg at eight: 104 mcg a day; 23 in the largest hour; 134 in 24 h with all."""


def limited(row: Row = ROW, *, program: Any = PROGRAM) -> Bench:
    bench = Bench(frozen=True)
    bench.program(program)
    done(bench, message(table(row)), 2, Role.ADMIN)
    return bench


@pytest.mark.requirement("LIM-07")
def test_the_first_table_is_pinned_and_the_next_is_signed_by_the_key_it_names() -> None:
    bench = Bench(frozen=True)
    first = message(table(following=NEXT), SITE, NEXT)
    told = read_back(bench, first, Role.ADMIN)
    assert isinstance(told, LimitsReadback)
    assert (told.version, told.accepted) == (1, True)
    assert told.why == f"1 rows; the next is signed by {public(NEXT)[:8].hex()}"
    made = done(bench, first, 2, Role.ADMIN)
    assert (made.kind, made.state_version) == (Kind.LIMITS, 2)
    (entry,) = logged(bench, LogKind.LIMITS_SET)
    assert (entry.a, entry.b, entry.data) == (1, 0, op(2) + bytes(4))
    bench.boot()
    assert code(act(bench, message(table(version=2)), 3, Role.ADMIN)) is Refuse.SIGNATURE
    second = table(version=2)._replace(signer=public(NEXT), next_key=public(NEXT))
    assert code(act(bench, message(second, SITE), 3, Role.ADMIN)) is Refuse.SIGNATURE
    done(bench, message(second, NEXT), 3, Role.ADMIN)
    for version in (2, 1):
        old = message(second._replace(version=version), NEXT)
        assert code(act(bench, old, 4, Role.ADMIN)) is Refuse.RANGE
    assert bench.core.control.limits_version == 2
    assert logged(bench, LogKind.LIMITS_SET)[-1].b == 1


@pytest.mark.requirement("SEC-06", "LIM-07")
def test_only_an_admin_sets_limits() -> None:
    asked = message(table())
    for role in (Role.OBSERVER, Role.CLINICIAN, Role.ENGINEER):
        assert code(Bench().ask(asked, role)) is Refuse.ROLE


@pytest.mark.requirement("LIM-07")
def test_a_table_that_is_activated_changes_nothing_that_is_delivered() -> None:
    bench = limited(ROW._replace(most_rate=90_000, most_daily=95_000))
    bench.firmware.advance(13 * HOUR)
    assert (bench.status().delivery, bench.status().rate) == (Delivery.DELIVERING, 96_000)
    assert code(bench.ask(m.StageProgram(TAG, PROGRAM))) is Refuse.LIMIT_RATE
    assert bench.status().program_hash == program_hash(PROGRAM)


EXACT = ROW._replace(
    most_daily=104_000,
    most_rate=100_000,
    least_rate=72_000,
    most_bolus=20_000,
    most_patient_dose=10_000,
    window_hour=23_000,
    window_day=134_000,
    patient_lockout_least=4 * HOUR,
)
"""What the program just meets; its fallback is 100 mcg/day."""


@pytest.mark.requirement("LIM-01", "LIM-03", "LIM-05", "LIM-07")
@pytest.mark.parametrize(
    ("narrower", "refusal"),
    [
        ({}, None),
        ({"most_daily": 103_999}, Refuse.LIMIT_DAILY_DOSE),
        ({"most_rate": 99_999}, Refuse.LIMIT_RATE),
        ({"least_rate": 72_001}, Refuse.LIMIT_RATE_LOW),
        ({"most_bolus": 19_999}, Refuse.RANGE),
        ({"most_patient_dose": 9_999}, Refuse.RANGE),
        ({"patient_lockout_least": 4 * HOUR + 1}, Refuse.RANGE),
        ({"window_hour": 22_999}, Refuse.LIMIT_WINDOW),
        ({"window_day": 133_999}, Refuse.LIMIT_WINDOW),
    ],
)
def test_a_program_meets_the_table_or_is_refused_with_the_reason(
    narrower: dict[str, Any], refusal: Refuse | None
) -> None:
    bench = Bench(frozen=True)
    done(bench, message(table(EXACT._replace(**narrower))), 1, Role.ADMIN)
    answer = bench.ask(m.StageProgram(TAG, PROGRAM))
    if refusal is None:
        assert isinstance(answer, m.Staged)
    else:
        assert code(answer) is refusal


@pytest.mark.requirement("LIM-05", "LIM-07")
def test_a_window_is_held_past_and_to_come_also_for_a_bolus() -> None:
    """3 mcg/h, 20 at eight; 33 mcg in an hour: at 7:30 ten more are as many as there may be."""
    for dose, taken in ((10_000, True), (10_001, False)):
        bench = limited(ROW._replace(window_hour=33_000, bolus_lockout=0))
        bench.firmware.advance(7 * HOUR + 30 * MINUTE)
        answer = bench.ask(SINGLE._replace(dose=dose))
        assert isinstance(answer, m.Staged) if taken else code(answer) is Refuse.LIMIT_WINDOW
    # Twenty of the past count, too, until they are an hour old.
    bench = limited(ROW._replace(window_hour=33_000, bolus_lockout=0))
    bench.firmware.advance(8 * HOUR + 20 * MINUTE)
    assert code(bench.ask(SINGLE._replace(dose=10_001))) is Refuse.LIMIT_WINDOW
    bench.firmware.advance(45 * MINUTE)
    assert isinstance(bench.ask(SINGLE._replace(dose=10_001)), m.Staged)


@pytest.mark.requirement("LIM-05")
def test_the_day_is_a_window_as_well() -> None:
    """104 mcg a day; of 120 in any 24 h 16 are left, whenever."""
    for dose, taken in ((16_000, True), (16_001, False)):
        bench = limited(
            ROW._replace(window_day=120_000), program=PROGRAM._replace(patient_dose=None)
        )
        bench.firmware.advance(2 * DAY + 20 * HOUR)
        answer = bench.ask(SINGLE._replace(dose=dose))
        assert isinstance(answer, m.Staged) if taken else code(answer) is Refuse.LIMIT_WINDOW


@pytest.mark.requirement("LIM-07", "BOL-04")
def test_the_lockout_counts_from_the_end_of_a_clinicians_bolus_alone() -> None:
    bench = limited()  # a lockout of 4 h
    bench.firmware.advance(8 * HOUR + 10 * MINUTE)  # the scheduled one has just ended
    done(bench, SINGLE, 3)
    bench.firmware.advance(10 * MINUTE)
    bench.boot()
    bench.firmware.advance(4 * HOUR - 1)
    assert code(bench.ask(SINGLE)) is Refuse.LOCKOUT
    bench.firmware.advance(1)
    assert bench.firmware.patient_dose() is None
    bench.firmware.advance(5 * MINUTE)
    done(bench, SINGLE, 4)


# --- a table that is lost -----------------------------------------------------------------------


def lose_table(bench: Bench) -> None:
    for page in LIMITS[bench.core.control.limits_pair]:
        bench.store.write(page * PAGE + 30, b"\x55\xaa\x55")
    bench.firmware.advance(HOUR)


@pytest.mark.requirement("LIM-07", "PMP-02")
def test_with_both_copies_bad_no_new_therapy_is_taken_but_the_old_goes_on() -> None:
    bench = limited()
    lose_table(bench)
    assert alarms(bench) == {AlarmCode.MEMORY_ONE_COPY}
    assert bench.status().delivery is Delivery.DELIVERING
    for asked in (
        m.StageProgram(TAG, flex(72_000)),
        SINGLE,
        refill_of(flex(72_000), 0),
    ):
        assert code(bench.ask(asked)) is Refuse.FLASH
    refused = bench.firmware.patient_dose()
    assert refused is not None
    assert refused.code is Refuse.FLASH
    bench.stop()
    done(bench, StageResume(TAG, program_hash(PROGRAM)), 4)
    assert bench.status().delivery is Delivery.DELIVERING


@pytest.mark.requirement("LIM-07", "PMP-02")
def test_a_bridge_waits_for_a_table_and_a_clock_does_not() -> None:
    """A wrong clock is put right by the factory's limits."""
    bench = Bench(frozen=True)
    bench.program(PROGRAM)
    strong = ROW._replace(concentration=2000, least_rate=0)
    done(bench, message(table(ROW, strong)), 2, Role.ADMIN)
    done(bench, refill_of(flex(120_000, concentration=2000), 0), 3)
    lose_table(bench)
    assert code(bench.ask(StageBridge(TAG, Bridge(LINE, Drug.BACLOFEN, 500), 0))) is Refuse.FLASH
    done(bench, StageClock(HOUR, 0), 4)


@pytest.mark.requirement("LIM-07")
def test_another_table_puts_it_right_and_the_version_goes_on() -> None:
    bench = limited()
    lose_table(bench)
    assert code(act(bench, message(table()), 3, Role.ADMIN)) is Refuse.RANGE
    done(bench, message(table(version=2)), 3, Role.ADMIN)
    assert isinstance(bench.ask(m.StageProgram(TAG, flex(72_000))), m.Staged)
    bench.boot()
    assert isinstance(bench.ask(m.StageProgram(TAG, flex(72_000))), m.Staged)


@pytest.mark.requirement("LIM-07")
def test_without_the_look_at_a_lost_table_the_factorys_limits_would_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = limited()
    above = m.StageProgram(TAG, flex(900_000))
    assert code(bench.ask(above)) is Refuse.LIMIT_RATE
    lose_table(bench)
    assert code(bench.ask(above)) is Refuse.FLASH
    monkeypatch.setattr(outlook, "limits_lost", lambda _: False)
    assert isinstance(bench.ask(above), m.Staged)


@pytest.mark.requirement("LIM-07", "PMP-02")
@pytest.mark.parametrize("copy", [0, 1])
def test_one_bad_copy_is_written_again(copy: int) -> None:
    bench = limited()
    bench.store.write(LIMITS[bench.core.control.limits_pair][copy] * PAGE + 30, b"\x55\xaa\x55")
    bench.firmware.advance(HOUR)
    assert alarms(bench) == {AlarmCode.MEMORY_ONE_COPY}
    assert bench.core.limit_pairs[bench.core.control.limits_pair].read().good == 2
    assert isinstance(bench.ask(m.StageProgram(TAG, flex(72_000))), m.Staged)


@pytest.mark.requirement("LIM-07")
def test_a_refill_is_held_against_the_row_of_its_own_concentration() -> None:
    strong = ROW._replace(concentration=2000, least_rate=96_000, most_rate=150_000)
    bench = Bench(frozen=True)
    bench.program(PROGRAM)
    done(bench, message(table(ROW, strong)), 2, Role.ADMIN)
    # The program's 72 and 96 mcg/day with its fallback of 100 mcg/day
    over = flex(150_001, concentration=2000)
    assert code(bench.ask(refill_of(over, 0, 500))) is Refuse.LIMIT_RATE
    assert code(bench.ask(refill_of(flex(150_000, concentration=1000), 0, 500))) is (
        Refuse.CONCENTRATION
    )
    done(bench, refill_of(flex(150_000, concentration=2000), 0, 500), 3)
    assert code(bench.ask(m.StageProgram(TAG, flex(96_000)))) is Refuse.CONCENTRATION


def test_a_table_is_staged_whole() -> None:
    """As large as a message carries: it fits a slot, and its own pages."""
    rows = tuple(
        ROW._replace(drug=drug, concentration=concentration, least_rate=0)
        for drug in Drug
        for concentration in (500, 1000, 2000)
    )
    bench = Bench(frozen=True)
    asked: StageLimits = message(table(*rows[:8]))
    done(bench, asked, 2, Role.ADMIN)
    bench.boot()
    assert bench.core.limit_table is not None
    assert len(bench.core.limit_table.rows) == len(rows[:8])
