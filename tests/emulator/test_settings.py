"""Patient, implant's record, table of limits: what is set, and what that bars from then on."""

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
    Holds,
    Kind,
    LogKind,
    Refuse,
    Role,
)
from pumpctl.wire.limit_table import Row
from pumpctl.wire.messages_acts import (
    BolusReadback,
    Bridge,
    LimitsReadback,
    PatientReadback,
    StageBolus,
    StageBridge,
    StageLimits,
    StagePatient,
    StageResume,
)
from pumpctl.wire.messages_implant import (
    GetImplant,
    Implant,
    ImplantReadback,
    ImplantRecord,
    Part,
    StageImplant,
)
from pumpctl.wire.program import PatientDose, program_hash
from tests.emulator.roads import (
    LINE,
    act,
    alarms,
    at_100,
    code,
    done,
    given,
    logged,
    read_back,
    refill_of,
)
from tests.emulator.support import DAY, HOUR, MINUTE, MONDAY, TAG, Bench, daily, flex, op
from tests.emulator.test_limit_table import NEXT, ROW, SITE, message, public, table

OTHER = b"patient2"
SINGLE = StageBolus(TAG, BolusKind.SINGLE, 10_000, 10 * MINUTE)

# --- the patient ----------------------------------------------------------------------------


def test_a_patient_is_assigned_changed_and_cleared() -> None:
    bench = Bench(frozen=True)
    for number, (old, new) in enumerate([(None, TAG), (TAG, OTHER), (OTHER, None)], 2):
        told = read_back(bench, StagePatient(new))
        assert isinstance(told, PatientReadback)
        assert (told.old, told.new) == (old, new)
        made = done(bench, StagePatient(new), number)
        assert (made.kind, made.state_version) == (Kind.PATIENT, number)
        assert bench.status().tag == new
        assert bench.get(GetImplant(), Implant).tag == new
        entry = logged(bench, LogKind.PATIENT_ASSIGNED)[-1]
        assert (entry.a, entry.b) == (number, 0)
        assert entry.data == (new or bytes(8)) + (old or bytes(8)) + bytes(4)
        bench.boot()
        assert bench.status().tag == new


def test_a_patient_changes_nothing_that_is_delivered() -> None:
    bench, control = at_100(), at_100()
    done(bench, StagePatient(OTHER))
    for each in (bench, control):
        each.firmware.advance(DAY)
    assert bench.status().pulses == control.status().pulses
    assert bench.status().program_hash == control.status().program_hash


@pytest.mark.parametrize("which", range(6))
def test_a_pump_of_another_patient_refuses(which: int) -> None:
    bench = at_100()
    done(bench, StagePatient(OTHER))
    program = flex(90_000)
    record = bench.get(GetImplant(), Implant).record
    asked: Any = (
        m.StageProgram(TAG, program),
        SINGLE,
        StageBridge(TAG, Bridge(LINE, Drug.BACLOFEN, 500), 0),
        refill_of(program, 0),
        StageImplant(TAG, record),
        StageResume(TAG, program_hash(program)),
    )[which]
    assert code(bench.ask(asked)) is Refuse.PATIENT_TAG
    if isinstance(asked, StageBolus):
        done(bench, asked._replace(tag=OTHER), 3)


def test_between_staging_and_activation_the_patient_may_not_change() -> None:
    bench = at_100()
    staged = bench.stage(flex(90_000))
    bench.core.control = bench.core.control._replace(tag=OTHER)
    assert code(bench.activate(staged, 2)) is Refuse.PATIENT_TAG


# --- the implant's record -------------------------------------------------------------------

WATER = Part(Holds.FREE, Drug.BACLOFEN, 0)
UNKNOWN = Part(Holds.UNKNOWN, Drug.BACLOFEN, 0)


def holding(concentration: int) -> Part:
    return Part(Holds.DRUG, Drug.BACLOFEN, concentration)


RECORD = ImplantRecord(
    table=3,
    tubing=140_000,
    catheter_model="SC90",
    trimmed=100,
    catheter_low=180_000,
    catheter_high=220_000,
    tip_level="T10",
    tubing_holds=holding(500),
    catheter_holds=WATER,
    recorded_at=MONDAY,
)


@pytest.mark.requirement("REF-04")
def test_a_record_is_revised_read_back_and_kept() -> None:
    bench = at_100()
    told = read_back(bench, StageImplant(TAG, RECORD))
    assert isinstance(told, ImplantReadback)
    assert (told.kind, told.record, told.line) == (Kind.IMPLANT, RECORD, 360_000)
    made = done(bench, StageImplant(TAG, RECORD))
    assert (made.kind, made.state_version) == (Kind.IMPLANT, 3)
    (entry,) = logged(bench, LogKind.IMPLANT_SET)
    assert (entry.a, entry.b, entry.data) == (3, 0, op(2) + bytes(4))
    for restart in (bench.attach, bench.boot):
        restart()
        implant = bench.get(GetImplant(), Implant)
        assert (implant.record, implant.model, implant.calibration) == (RECORD, "SP40", 100_000)
        assert implant.made_at == MONDAY
        identity = bench.get(m.GetIdentity(), m.Identity)
        assert (identity.tubing, identity.catheter) == (140_000, 220_000)
        assert bench.status().line == 360_000


@pytest.mark.requirement("REF-04", "REF-09")
def test_what_it_says_of_the_line_is_believed_and_moves_with_every_pulse() -> None:
    """A catheter with water, 0.22 mL at 0.2 mL/day: 26.4 h until drug comes."""
    bench = at_100()
    done(bench, StageImplant(TAG, RECORD))
    status = bench.status()
    assert (status.tip_concentration, status.front) == (0, 220_000)
    before = given(bench)
    bench.firmware.advance(DAY)
    assert (bench.status().tip_concentration, bench.status().front) == (0, 20_000)
    assert given(bench) == before  # the world is as it was recorded
    bench.firmware.advance(2 * HOUR + 24 * MINUTE)
    assert (bench.status().tip_concentration, bench.status().front) == (500, None)
    bench.firmware.advance(12 * HOUR)
    assert given(bench) - before == 50_000


@pytest.mark.requirement("REF-09")
def test_a_bolus_into_a_line_of_water_stays_in_it() -> None:
    """100 mcg at 500 mcg/mL are 0.2 mL: all of it short of the tip; 150 mcg give 40 mcg."""
    bench = at_100()
    done(bench, StageImplant(TAG, RECORD))
    for dose, past in ((100_000, 0), (130_000, 20_000)):
        told = read_back(bench, StageBolus(TAG, BolusKind.PRIME, dose, 60 * MINUTE))
        assert isinstance(told, BolusReadback)
        assert (told.past_tip, told.stays_in_line) == (past, dose - past)


@pytest.mark.parametrize(
    ("catheter", "tubing", "tip", "front"),
    [
        (holding(500), holding(500), 500, None),
        (holding(500), WATER, 500, 360_000),
        (UNKNOWN, UNKNOWN, 0, 360_000),
        (holding(2000), holding(500), 2000, 220_000),
        (holding(2000), holding(1000), 2000, 360_000),  # two fluids are never one
        (holding(2000), holding(2000), 2000, 360_000),
    ],
)
def test_parts_of_the_line(catheter: Part, tubing: Part, tip: int, front: int | None) -> None:
    bench = at_100()
    done(
        bench,
        StageImplant(TAG, RECORD._replace(catheter_holds=catheter, tubing_holds=tubing)),
    )
    status = bench.status()
    assert (status.tip_concentration, status.front) == (tip, front)
    bench.firmware.advance(26 * HOUR + 24 * MINUTE)  # 0.22 mL: now the tubing's is at the tip
    seen = bench.status().tip_concentration
    assert seen == (tubing.concentration if tubing.holds is Holds.DRUG else 0)


def test_words_alone_move_nothing_in_the_line() -> None:
    bench = at_100()
    done(bench, StageImplant(TAG, RECORD))
    bench.firmware.advance(DAY)
    line = bench.core.engine.line.plugs
    done(bench, StageImplant(TAG, RECORD._replace(tip_level="T4", catheter_low=190_000)), 3)
    assert bench.core.engine.line.plugs == line
    assert bench.get(GetImplant(), Implant).record.tip_level == "T4"


@pytest.mark.requirement("REF-04")
@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"catheter_low": 220_001}, Refuse.IMPLAUSIBLE),
        ({"tubing": 0, "catheter_low": 0, "catheter_high": 0}, Refuse.RANGE),
        ({"catheter_high": 1_860_001}, Refuse.RANGE),
        ({"catheter_holds": WATER._replace(concentration=500)}, Refuse.IMPLAUSIBLE),
        ({"tubing_holds": holding(0)}, Refuse.IMPLAUSIBLE),
    ],
)
def test_lines_that_cannot_be(wrong: dict[str, Any], refusal: Refuse) -> None:
    assert code(at_100().ask(StageImplant(TAG, RECORD._replace(**wrong)))) is refusal


@pytest.mark.requirement("REF-08")
def test_in_a_bridge_nothing_moves_the_line_it_is_metered_by() -> None:
    bench = at_100()
    done(bench, refill_of(flex(100_000, concentration=2000), 20_000, 500))
    held = bench.get(GetImplant(), Implant).record
    assert code(bench.ask(StageImplant(TAG, RECORD))) is Refuse.BRIDGE_RUNNING
    assert isinstance(bench.ask(StageImplant(TAG, held._replace(tip_level="T4"))), m.Staged)


# --- limits -----------------------------------------------------------------------------------

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
    narrower: dict[str, int], refusal: Refuse | None
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
    # Ten of the past count, too: at 6:50 given, at 7:35 refused; at 7:55 they are an hour old
    # when the bolus at eight begins.
    bench = limited(ROW._replace(window_hour=33_000, bolus_lockout=0))
    bench.firmware.advance(8 * HOUR + 20 * MINUTE)
    assert code(bench.ask(SINGLE._replace(dose=10_001))) is Refuse.LIMIT_WINDOW
    bench.firmware.advance(45 * MINUTE)
    assert isinstance(bench.ask(SINGLE._replace(dose=10_001)), m.Staged)


@pytest.mark.requirement("LIM-05")
def test_the_day_is_a_window_as_well() -> None:
    """104 mcg a day; of 120 in any 24 h 16 are left, whenever."""
    for dose, taken in ((16_000, True), (16_001, False)):
        bench = limited(ROW._replace(window_day=120_000), program=PROGRAM._replace(patient_dose=None))
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


# --- a table that is lost ---------------------------------------------------------------------------


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
        StageBridge(TAG, Bridge(LINE, Drug.BACLOFEN, 500), 0),
    ):
        assert code(bench.ask(asked)) is Refuse.FLASH
    refused = bench.firmware.patient_dose()
    assert refused is not None
    assert refused.code is Refuse.FLASH
    bench.stop()
    done(bench, StageResume(TAG, program_hash(PROGRAM)), 4)
    assert bench.status().delivery is Delivery.DELIVERING


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
