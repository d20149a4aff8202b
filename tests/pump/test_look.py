"""What a pump says of itself, as values: bridge, sensor and implant record."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pumpctl.errors import Corrupt, VersionSkew
from pumpctl.pump.implant import implanted
from pumpctl.pump.pump import Pump
from pumpctl.quantities import Concentration, Length, Volume
from pumpctl.therapy.line import FREE, UNKNOWN, LineParts, LineVolume
from pumpctl.therapy.state import Delivery, Fluid, RunningBridge
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Drug, Holds, Mode, Op, Role
from pumpctl.wire.message import REGISTRY
from pumpctl.wire.messages_acts import StageClock
from pumpctl.wire.messages_implant import GetImplant, Implant, Part
from pumpctl.wire.program import Program
from tests.helpers.scripted import SERIAL, ScriptedPump, connected
from tests.wire.golden import built, records

IDENTITY = m.Identity(
    SERIAL, "SP40", "1", True, Role.ADMIN, 40_000_000, 100, 48_000, 24_000_000, 140_000, 208_000
)
MINIMUM = Program(
    1, Mode.MINIMUM_RATE, Drug.BACLOFEN, 2_000, 96_000, ((),) * 7, (), None, 2_000_000
)


def golden(op: str, file: str) -> list[Any]:
    """The hand-written messages of this op-code."""
    found = [record["value"] for record in records(file) if record["op"] == op]
    return [built(REGISTRY[Op[op]].cls, value) for value in found]


QUIET, BUSY = golden("STATUS", "messages_look.toml")
KNOWN, STRANGE = golden("IMPLANT", "messages_implant.toml")


def pump_with(status: m.Status, implant: Implant = KNOWN, major: int = 1) -> Pump:
    answers: dict[type, object] = {
        m.GetIdentity: IDENTITY,
        m.GetStatus: status,
        m.GetProgram: m.ProgramReport(status.program_hash, MINIMUM),
        GetImplant: implant,
    }
    link, _ = connected(ScriptedPump(lambda asked: answers.get(type(asked)), major=major))
    return Pump(link)


@pytest.mark.requirement("REF-08")
def test_a_running_bridge_is_told() -> None:
    state = pump_with(BUSY).state()
    assert state.delivery is Delivery.BRIDGE
    assert state.bridge == RunningBridge(Volume(348_000), Volume(282_464))
    assert state.bridge.remaining == Volume(65_536)
    assert pump_with(QUIET).state().bridge is None


def test_a_pulse_beyond_the_end_leaves_nothing_to_pass() -> None:
    assert RunningBridge(Volume(348_050), Volume(348_100)).remaining == Volume(0)


@pytest.mark.requirement("PMP-03")
def test_a_sensed_volume_stands_beside_the_computed_one() -> None:
    state = pump_with(BUSY).state()
    assert (state.reservoir, state.sensed) == (Volume(1_048_576), Volume(1_572_864))
    assert pump_with(QUIET).state().sensed is None


def test_an_implant_record() -> None:
    found = pump_with(QUIET).implant()
    assert (found.model, found.serial, found.table_version) == ("SP40", SERIAL, 2)
    assert found.per_pulse == Fraction(100_350, 1_000)
    assert found.tag_hash == bytes.fromhex("A1A2A3A4A5A6A7A8")
    assert found.parts == LineParts(Volume(140_000), LineVolume(Volume(208_000), Volume(208_000)))
    assert (found.catheter_model, found.trimmed) == ("SC110", Length.parse("30 cm"))
    assert found.tip_level == "T10"
    assert found.tubing == Fluid("baclofen", Concentration(2_000))
    assert found.catheter == Fluid("baclofen", Concentration(500))
    assert str(found.made) == "2023-11-14T22:13:20Z"
    assert str(found.recorded) == "2023-11-14T22:42:22.848Z"


def test_what_is_not_known_is_no_figure() -> None:
    found = pump_with(QUIET, STRANGE).implant()
    assert (found.catheter_model, found.trimmed, found.tip_level) == (UNKNOWN, UNKNOWN, "")
    assert found.parts.catheter == LineVolume(Volume(0), Volume(286_000))
    assert (found.tubing, found.catheter, found.tag_hash) == (FREE, UNKNOWN, None)


def test_nothing_trimmed_is_known_to_be_nothing() -> None:
    whole = KNOWN._replace(record=KNOWN.record._replace(trimmed=0))
    assert implanted(whole).trimmed == Length(0)


@pytest.mark.requirement("REF-09")
def test_a_drug_of_unknown_strength_is_unknown() -> None:
    part = Part(Holds.DRUG, Drug.BACLOFEN, 0)
    found = implanted(KNOWN._replace(record=KNOWN.record._replace(catheter_holds=part)))
    assert found.catheter is UNKNOWN


def test_a_record_that_contradicts_itself_or_the_greeting_is_not_believed() -> None:
    wrong = KNOWN._replace(record=KNOWN.record._replace(catheter_low=208_001))
    with pytest.raises(Corrupt, match="less than no volume"):
        pump_with(QUIET, wrong).implant()
    with pytest.raises(Corrupt, match="disagree"):
        pump_with(QUIET, KNOWN._replace(serial="SP40-000124")).implant()


@pytest.mark.requirement("TEL-06")
def test_the_record_of_a_pump_of_another_version_may_be_looked_at() -> None:
    pump = pump_with(QUIET, major=2)
    assert pump.implant().serial == SERIAL
    with pytest.raises(VersionSkew):
        pump._link.ask(StageClock(0, 0), m.Staged)
