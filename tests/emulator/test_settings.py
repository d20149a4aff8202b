"""Patient and implant's record: what is set, and what that bars from then on."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.wire import messages as m
from pumpctl.wire.codes import (
    BolusKind,
    Drug,
    Holds,
    Kind,
    LogKind,
    Refuse,
)
from pumpctl.wire.messages_acts import (
    BolusReadback,
    Bridge,
    PatientReadback,
    StageBolus,
    StageBridge,
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
from pumpctl.wire.program import program_hash
from tests.emulator.roads import (
    LINE,
    at_100,
    code,
    done,
    given,
    logged,
    read_back,
    refill_of,
)
from tests.emulator.support import DAY, HOUR, MINUTE, MONDAY, TAG, Bench, flex, op

OTHER = b"patient2"
SINGLE = StageBolus(TAG, BolusKind.SINGLE, 10_000, 10 * MINUTE)

# --- the patient --------------------------------------------------------------------------------


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


# --- the implant's record -----------------------------------------------------------------------

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
    """110 mcg at 500 mcg/mL are 0.22 mL: all of it short of the tip; 130 mcg give 20 mcg."""
    bench = at_100()
    done(bench, StageImplant(TAG, RECORD))
    for kind, dose, past in (
        (BolusKind.PRIME, 100_000, 0),
        (BolusKind.PRIME, 110_000, 0),
        (BolusKind.SINGLE, 130_000, 20_000),
    ):
        told = read_back(bench, StageBolus(TAG, kind, dose, 60 * MINUTE))
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
        ({"catheter_holds": WATER._replace(concentration=500)}, Refuse.CONCENTRATION),
        ({"tubing_holds": UNKNOWN._replace(concentration=500)}, Refuse.CONCENTRATION),
        ({"tubing_holds": holding(0)}, Refuse.CONCENTRATION),
        ({"tubing_holds": holding(750)}, Refuse.CONCENTRATION),
        ({"catheter_holds": holding(2_000_000)}, Refuse.CONCENTRATION),
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
