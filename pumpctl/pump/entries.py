"""The pump's log entries as values: what their fields hold, by kind.

Apart from `encode`, so that a check of a profile loads nothing of the log.
"""

from __future__ import annotations

from enum import IntEnum

from pumpctl.outcomes import OperationId
from pumpctl.therapy.log import Field, LogEntry
from pumpctl.therapy.moment import Moment
from pumpctl.wire import codes
from pumpctl.wire import logentry as wlog

_WITH_OPERATION = {
    codes.LogKind.ACTIVATED,
    codes.LogKind.STOPPED,
    codes.LogKind.RESUMED,
    codes.LogKind.VOIDED,
}
_BOLUS = {codes.LogKind.BOLUS_STARTED, codes.LogKind.BOLUS_ENDED}
_NAMES: dict[codes.LogKind, tuple[str, str]] = {
    codes.LogKind.HOUR: ("reservoir_nl", "state_version"),
    codes.LogKind.BOOT: ("boots", "state_version"),
    codes.LogKind.ACTIVATED: ("state_version", "operation_kind"),
    codes.LogKind.STOPPED: ("state_version", ""),
    codes.LogKind.RESUMED: ("state_version", "stopped_for_ms"),
    codes.LogKind.VOIDED: ("state_version", ""),
    codes.LogKind.BOLUS_STARTED: ("dose_ng", "over_ms"),
    codes.LogKind.BOLUS_ENDED: ("dose_ng", "given_ng"),
    codes.LogKind.ALARM_RAISED: ("alarm", "priority"),
    codes.LogKind.ALARM_CLEARED: ("alarm", "priority"),
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
    operation = OperationId(entry.data[:16]) if entry.kind in _WITH_OPERATION else None
    fields: list[Field] = []
    for name, value in zip(_NAMES.get(entry.kind, ("a", "b")), (entry.a, entry.b), strict=True):
        if name:
            fields.append((name, _readable(name, value)))
    if entry.kind in _BOLUS:
        fields += _bolus(entry.data)
    if operation is None and any(entry.data):
        fields.append(("data", entry.data.hex()))
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


def _bolus(data: bytes) -> list[Field]:
    """What bolus it is; of a scheduled one also the counter at its start."""
    kind = _readable("bolus_kind", int.from_bytes(data[:2], "big"))
    found: list[Field] = [("bolus_kind", kind)]
    if kind == codes.BolusKind.SCHEDULED.name:
        found.append(("started_counter_ms", int.from_bytes(data[12:], "big")))
    return found


def _readable(name: str, value: int) -> int | str:
    tables: dict[str, type[IntEnum]] = {
        "alarm": codes.AlarmCode,
        "priority": codes.Priority,
        "operation_kind": codes.Kind,
        "role": codes.Role,
        "bolus_kind": codes.BolusKind,
    }
    table = tables.get(name)
    if table is None:
        return value
    try:
        return str(table(value).name)
    except ValueError:
        return value
