"""The pump's log entries as values: what their fields hold, by kind.

Apart from `encode`, so that a check of a profile loads nothing of the log.
"""

from __future__ import annotations

import struct
from enum import IntEnum

from pumpctl.outcomes import OperationId
from pumpctl.therapy.log import Field, LogEntry
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.wire import codes
from pumpctl.wire import logentry as wlog

_WITH_OPERATION = {
    codes.LogKind.ACTIVATED,
    codes.LogKind.STOPPED,
    codes.LogKind.RESUMED,
    codes.LogKind.VOIDED,
    codes.LogKind.REFILLED,
    codes.LogKind.BRIDGE_STARTED,
    codes.LogKind.BRIDGE_ENDED,
    codes.LogKind.CLOCK_SET,
    codes.LogKind.LIMITS_SET,
    codes.LogKind.IMPLANT_SET,
}
_BOLUS = {
    codes.LogKind.BOLUS_STARTED,
    codes.LogKind.BOLUS_ENDED,
    codes.LogKind.BOLUS_MISSED,
}
_NAMES: dict[codes.LogKind, tuple[str, str]] = {
    codes.LogKind.HOUR: ("reservoir_nl", "state_version"),
    codes.LogKind.BOOT: ("boots", "state_version"),
    codes.LogKind.ACTIVATED: ("state_version", "operation_kind"),
    codes.LogKind.STOPPED: ("state_version", ""),
    codes.LogKind.RESUMED: ("state_version", "stopped_for_ms"),
    codes.LogKind.VOIDED: ("state_version", ""),
    codes.LogKind.BOLUS_STARTED: ("dose_ng", "over_ms"),
    codes.LogKind.BOLUS_ENDED: ("dose_ng", "given_ng"),
    codes.LogKind.BOLUS_MISSED: ("dose_ng", "over_ms"),
    codes.LogKind.REFILLED: ("volume_nl", "concentration"),
    codes.LogKind.BRIDGE_STARTED: ("volume_nl", "old_concentration"),
    codes.LogKind.BRIDGE_ENDED: ("volume_nl", "passed_nl"),
    codes.LogKind.CLOCK_SET: ("old_utc_ms", "new_utc_ms"),
    codes.LogKind.LIMITS_SET: ("table_version", "old_table_version"),
    codes.LogKind.IMPLANT_SET: ("state_version", ""),
    codes.LogKind.PATIENT_DOSE: ("dose_ng", "over_ms"),
    codes.LogKind.PATIENT_REFUSED: ("refused", "next_in_ms"),
    codes.LogKind.ALARM_RAISED: ("alarm", "priority"),
    codes.LogKind.ALARM_CLEARED: ("alarm", "priority"),
    codes.LogKind.ALARM_TESTED: ("priority", "lasts_ms"),
    codes.LogKind.LOG_LOST: ("first_lost", "lost"),
    codes.LogKind.FALLBACK: ("rate_ng_per_day", "state_version"),
    codes.LogKind.PAIRED: ("role", "state_version"),
    codes.LogKind.UNPAIRED: ("role", "state_version"),
    codes.LogKind.GRANTED: ("role", "state_version"),
    codes.LogKind.PATIENT_ASSIGNED: ("state_version", ""),
}


def log_entry(raw: bytes) -> LogEntry:
    """80 bytes of a pump's log as a value; WireError where they are damaged."""
    entry = wlog.unpack(raw)
    operation = _operation(entry)
    fields: list[Field] = []
    for name, value in zip(_NAMES.get(entry.kind, ("a", "b")), (entry.a, entry.b), strict=True):
        if name:
            fields.append((name, _readable(name, value)))
    if entry.kind in _BOLUS:
        fields += _bolus(entry.data)
    elif entry.kind is codes.LogKind.CLOCK_SET:
        fields += [("old_offset_min", _signed(entry.data[16:18]))]
        fields += [("new_offset_min", _signed(entry.data[18:20]))]
    if any(entry.data) and (operation is None or entry.kind in _BOLUS):
        fields.append(("data", entry.data.hex()))  # of a bolus it is the identity
    return LogEntry(
        entry.number,
        entry.boot,
        entry.kind.name.lower(),
        entry.counter,
        Moment(entry.time, entry.offset_min),
        entry.pulses,
        operation,
        tuple(fields),
    )


def _operation(entry: wlog.LogEntry) -> OperationId | None:
    """Of what was ordered. A patient's and a scheduled bolus have none."""
    if entry.kind in _WITH_OPERATION:
        return OperationId(entry.data[:16])
    ordered = (codes.BolusKind.SINGLE, codes.BolusKind.PRIME)
    if entry.kind in _BOLUS and int.from_bytes(entry.data[:2], "big") in ordered:
        return OperationId(entry.data[2:18])
    return None


def _bolus(data: bytes) -> list[Field]:
    """What bolus it is; of a scheduled one also its place on the pump's clock, and its start."""
    kind = _readable("bolus_kind", int.from_bytes(data[:2], "big"))
    found: list[Field] = [("bolus_kind", kind)]
    if kind == codes.BolusKind.SCHEDULED.name:
        day, minute, concentration, started = struct.unpack(">IHIQ", data[2:])
        place = Moment(day * DAY_MS + minute * MINUTE_MS).label()
        found += [("due", place), ("concentration", concentration)]
        found.append(("started_counter_ms", started))
    return found


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "big", signed=True)


def _readable(name: str, value: int) -> int | str:
    tables: dict[str, type[IntEnum]] = {
        "alarm": codes.AlarmCode,
        "priority": codes.Priority,
        "operation_kind": codes.Kind,
        "role": codes.Role,
        "bolus_kind": codes.BolusKind,
        "refused": codes.Refuse,
    }
    table = tables.get(name)
    if table is None:
        return value
    try:
        return str(table(value).name)
    except ValueError:
        return value
