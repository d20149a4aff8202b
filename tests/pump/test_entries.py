"""What the entries of a pump's log say, by the names that the floors above read."""

from __future__ import annotations

import pytest

from pumpctl.outcomes import OperationId
from pumpctl.pump.entries import log_entry
from pumpctl.wire.codes import BolusKind, Kind, LogKind, Refuse
from pumpctl.wire.logentry import LogEntry, pack
from tests.wire.golden import hexed, records

OPERATION = bytes(range(0xF0, 0x100))
WITH_OPERATION = OPERATION + bytes(4)
GOLDEN = {record["name"]: hexed(record["hex"]) for record in records("log.toml")}


def told(kind: LogKind, a: int, b: int, data: bytes = bytes(20)) -> dict[str, int | str]:
    """All fields of an entry; the operation among them, where it carries one."""
    entry = log_entry(pack(LogEntry(7, 2, kind, 120, 1234, 1_700_000_000_000, 99, a, b, data)))
    operation = {} if entry.operation is None else {"operation": str(entry.operation)}
    return dict(entry.fields) | operation


@pytest.mark.parametrize(
    ("kind", "a", "b", "names"),
    [
        (LogKind.REFILLED, 40_000_000, 2_000, ("volume_nl", "concentration")),
        (LogKind.BRIDGE_STARTED, 348_000, 500, ("volume_nl", "old_concentration")),
        (LogKind.BRIDGE_ENDED, 348_000, 348_000, ("volume_nl", "passed_nl")),
        (LogKind.LIMITS_SET, 5, 4, ("table_version", "old_table_version")),
    ],
    ids=lambda value: value.name if isinstance(value, LogKind) else "",
)
def test_what_an_operation_did_is_told_by_name(
    kind: LogKind, a: int, b: int, names: tuple[str, str]
) -> None:
    assert told(kind, a, b, WITH_OPERATION) == {
        names[0]: a,
        names[1]: b,
        "operation": str(OperationId(OPERATION)),
    }


def test_a_revised_implant_record_names_its_state_version() -> None:
    assert told(LogKind.IMPLANT_SET, 9, 0, WITH_OPERATION) == {
        "state_version": 9,
        "operation": str(OperationId(OPERATION)),
    }


@pytest.mark.requirement("TIM-03")
def test_a_clock_that_was_set_tells_both_labels_and_both_offsets() -> None:
    entry = log_entry(GOLDEN["the clock was set back by an hour, its offset from -300 to -360 min"])
    assert entry.operation == OperationId(OPERATION)
    assert dict(entry.fields) == {
        "old_utc_ms": 1_700_086_400_000,
        "new_utc_ms": 1_700_082_800_000,
        "old_offset_min": -300,
        "new_offset_min": -360,
    }
    assert entry.time.offset_min == -360


@pytest.mark.requirement("BOL-04")
def test_patient_doses_taken_and_refused() -> None:
    assert told(LogKind.PATIENT_DOSE, 10_000, 300_000) == {"dose_ng": 10_000, "over_ms": 300_000}
    assert told(LogKind.PATIENT_REFUSED, Refuse.LOCKOUT, 14_400_000) == {
        "refused": "LOCKOUT",
        "next_in_ms": 14_400_000,
    }
    unheard = told(LogKind.PATIENT_REFUSED, 0x1234, 0)
    assert unheard["refused"] == 0x1234, "a code of a newer pump is shown as it is"


def test_a_scheduled_bolus_names_its_place_on_the_pumps_clock() -> None:
    entry = log_entry(GOLDEN["a scheduled bolus was ended half-way"])
    assert entry.operation is None
    assert dict(entry.fields) == {
        "dose_ng": 20_000,
        "given_ng": 10_000,
        "bolus_kind": "SCHEDULED",
        "due": "2023-11-15 22:03",
        "concentration": 2_000,
        "started_counter_ms": 85_780_000,
        "data": "03a300004cdc052b000007d000000000051ce620",
    }


def test_a_missed_bolus_says_what_was_not_given_and_when_it_was_due() -> None:
    place = (19_676).to_bytes(4, "big") + (420).to_bytes(2, "big")
    data = int(BolusKind.SCHEDULED).to_bytes(2, "big") + place + bytes(12)
    found = told(LogKind.BOLUS_MISSED, 20_000, 600_000, data)
    assert (found["dose_ng"], found["over_ms"]) == (20_000, 600_000)
    assert (found["bolus_kind"], found["due"]) == ("SCHEDULED", "2023-11-15 07:00")


@pytest.mark.requirement("BOL-08")
@pytest.mark.parametrize("kind", [BolusKind.SINGLE, BolusKind.PRIME])
def test_an_ordered_bolus_names_its_operation_at_its_start_and_at_its_end(kind: BolusKind) -> None:
    data = int(kind).to_bytes(2, "big") + OPERATION + bytes(2)
    for entry in (LogKind.BOLUS_STARTED, LogKind.BOLUS_ENDED):
        found = told(entry, 20_000, 10_000, data)
        assert found["operation"] == str(OperationId(OPERATION))
        assert found["bolus_kind"] == kind.name
        assert found["data"] == data.hex(), "start and end are told to be one by their bytes"
        assert "started_counter_ms" not in found


def test_a_bolus_that_the_patient_took_has_no_operation() -> None:
    data = int(BolusKind.PATIENT).to_bytes(2, "big") + bytes(18)
    found = told(LogKind.BOLUS_ENDED, 10_000, 10_000, data)
    assert "operation" not in found
    assert found["bolus_kind"] == "PATIENT"


def test_an_activation_of_a_new_kind_is_named() -> None:
    found = told(LogKind.ACTIVATED, 8, Kind.IMPLANT, WITH_OPERATION)
    assert found["operation_kind"] == "IMPLANT"
